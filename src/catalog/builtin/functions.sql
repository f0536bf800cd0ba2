-- Functions, aggregates and window functions that a client may call, one per line:
-- name, argument types (`?` behind one that has a default, `*` before a variadic one), `:`, result (`+` before a set), then the
-- output columns as `name=type` where it has several.
select concat_ws(' ',
         p.proname,
         (select string_agg(case when p.provariadic <> 0 and a.n = p.pronargs then '*' else '' end || t.typname
                            || case when a.n > p.pronargs - p.pronargdefaults then '?' else '' end, ' ' order by a.n)
            from unnest(p.proargtypes::oid[]) with ordinality a(oid, n) join pg_type t on t.oid = a.oid),
         ':',
         case when p.proretset then '+' else '' end || r.typname,
         (select string_agg(p.proargnames[a.n] || '=' || t.typname, ' ' order by a.n)
            from unnest(p.proallargtypes) with ordinality a(oid, n) join pg_type t on t.oid = a.oid
           where p.proargmodes[a.n] in ('o', 'b', 't')))
  from pg_proc p
  join pg_type r on r.oid = p.prorettype
 where p.pronamespace = 'pg_catalog'::regnamespace
   and p.prokind in ('f', 'a', 'w')
   and r.typname not in ('internal', 'cstring', 'trigger', 'event_trigger', 'language_handler', 'fdw_handler', 'index_am_handler',
                         'table_am_handler', 'tsm_handler')
   and not exists (select from unnest(p.proargtypes::oid[]) a(oid) join pg_type t on t.oid = a.oid
                    where t.typname in ('internal', 'cstring', 'language_handler'))
   and p.proname !~ '^(binary_upgrade_|brin_|gin_|gist_|spg_|gtsquery_|gtsvector_)'
 order by p.proname collate "C", p.pronargs, p.proargtypes::text collate "C";
