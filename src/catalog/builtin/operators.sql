-- Operators, one per line: name, left type (`-` for a prefix operator), right type, result.
select concat_ws(' ', o.oprname, coalesce(l.typname, '-'), r.typname, t.typname)
  from pg_operator o
  left join pg_type l on l.oid = o.oprleft
  join pg_type r on r.oid = o.oprright
  join pg_type t on t.oid = o.oprresult
 where o.oprnamespace = 'pg_catalog'::regnamespace
 order by o.oprname collate "C", coalesce(l.typname, '-') collate "C", r.typname collate "C";
