-- Casts between types of pg_catalog, one per line: source type, volatility, target type. The source `cstring` is how a type is
-- read, the target `cstring` how it is written.
select concat_ws(' ', s.typname, coalesce(p.provolatile, 'i'), t.typname)
  from pg_cast c
  join pg_type s on s.oid = c.castsource
  join pg_type t on t.oid = c.casttarget
  left join pg_proc p on p.oid = c.castfunc
 where c.castmethod in ('f', 'b')
   and s.typnamespace = 'pg_catalog'::regnamespace and t.typnamespace = 'pg_catalog'::regnamespace
union all
select concat_ws(' ', 'cstring', p.provolatile, t.typname)
  from pg_type t
  join pg_proc p on p.oid = t.typinput
 where t.typnamespace = 'pg_catalog'::regnamespace and t.typtype in ('b', 'r', 'm')
   and t.typinput <> 'array_in'::regproc
union all
select concat_ws(' ', t.typname, p.provolatile, 'cstring')
  from pg_type t
  join pg_proc p on p.oid = t.typoutput
 where t.typnamespace = 'pg_catalog'::regnamespace and t.typtype in ('b', 'r', 'm')
   and t.typoutput <> 'array_out'::regproc;
