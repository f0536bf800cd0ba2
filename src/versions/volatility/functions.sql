-- Functions, aggregates and window functions of pg_catalog that SQL can call, one per line: name, volatility, then the types of the
-- arguments (`?` behind one that has a default, `*` before a variadic one).
select concat_ws(' ', p.proname, p.provolatile,
         (select string_agg(case when p.provariadic <> 0 and a.n = p.pronargs then '*' else '' end || t.typname
                            || case when a.n > p.pronargs - p.pronargdefaults then '?' else '' end, ' ' order by a.n)
            from unnest(p.proargtypes::oid[]) with ordinality a(oid, n) join pg_type t on t.oid = a.oid))
  from pg_proc p
 where p.pronamespace = 'pg_catalog'::regnamespace
   and p.prokind in ('f', 'a', 'w')
   and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
   and not exists (select from unnest(p.proargtypes::oid[]) a(oid) where a.oid = 'internal'::regtype);
