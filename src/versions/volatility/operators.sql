-- Operators of pg_catalog, one per line: name, volatility of the function behind it, left type if it has one, right type.
select concat_ws(' ', o.oprname, p.provolatile, l.typname, r.typname)
  from pg_operator o
  join pg_proc p on p.oid = o.oprcode
  left join pg_type l on l.oid = o.oprleft
  join pg_type r on r.oid = o.oprright
 where o.oprnamespace = 'pg_catalog'::regnamespace;
