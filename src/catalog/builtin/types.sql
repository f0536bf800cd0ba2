-- Types that are no arrays, one per line: name, category (`!` behind it: preferred in it), then what they are cast to implicitly.
select concat_ws(' ', t.typname, t.typcategory::text || case when t.typispreferred then '!' else '' end,
         (select string_agg(g.typname, ' ' order by g.typname collate "C") from pg_cast x join pg_type g on g.oid = x.casttarget
           where x.castsource = t.oid and x.castcontext = 'i' and x.castsource <> x.casttarget))
  from pg_type t
 where t.typnamespace = 'pg_catalog'::regnamespace and t.typtype in ('b', 'p', 'r', 'm') and t.typcategory <> 'A'
 order by t.typname collate "C";
