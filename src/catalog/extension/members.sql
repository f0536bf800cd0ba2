-- What the extensions of this database consist of, one member per line: extension, kind, name, then
--   requires: the names of extensions;   schema: nothing, for one of its own;   type: `pg_type.typtype`;
--   function: arguments, `:`, result, output columns as in builtin/functions.sql;   view, table: columns as `name=type`.
with member as (
  select e.oid as extension, e.extname, d.classid, d.objid
    from pg_extension e join pg_depend d on d.refclassid = 'pg_extension'::regclass and d.refobjid = e.oid and d.deptype = 'e'
   where e.extname <> 'plpgsql'
), line(extname, rank, kind, rest) as (
  select e.extname, 0, 'requires', string_agg(q.extname, ' ' order by q.extname collate "C")
    from pg_extension e join pg_depend d on d.classid = 'pg_extension'::regclass and d.objid = e.oid
    join pg_extension q on d.refclassid = 'pg_extension'::regclass and q.oid = d.refobjid
   group by 1
  union all
  select e.extname, 1, 'extension', case when n.nspname = 'pg_catalog' then 'pg_catalog' else '' end
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname <> 'plpgsql'
  union all
  select m.extname, 2, 'schema', n.nspname::text from member m join pg_namespace n on m.classid = 'pg_namespace'::regclass and n.oid = m.objid
  union all
  select m.extname, 3, 'type', t.typname || ' ' || t.typtype::text
    from member m join pg_type t on m.classid = 'pg_type'::regclass and t.oid = m.objid
   where t.typcategory <> 'A' and (t.typrelid = 0 or exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
  union all
  select m.extname, 4, case c.relkind when 'v' then 'view' else 'table' end,
         c.relname || ' ' || (select string_agg(a.attname || '=' || t.typname, ' ' order by a.attnum)
                                from pg_attribute a join pg_type t on t.oid = a.atttypid where a.attrelid = c.oid and a.attnum > 0)
    from member m join pg_class c on m.classid = 'pg_class'::regclass and c.oid = m.objid where c.relkind in ('r', 'v')
  union all
  select m.extname, 5, 'function', concat_ws(' ',
         p.proname,
         (select string_agg(case when p.provariadic <> 0 and a.n = p.pronargs then '*' else '' end || t.typname
                            || case when a.n > p.pronargs - p.pronargdefaults then '?' else '' end, ' ' order by a.n)
            from unnest(p.proargtypes::oid[]) with ordinality a(oid, n) join pg_type t on t.oid = a.oid),
         ':',
         case when p.proretset then '+' else '' end || r.typname,
         (select string_agg(p.proargnames[a.n] || '=' || t.typname, ' ' order by a.n)
            from unnest(p.proallargtypes) with ordinality a(oid, n) join pg_type t on t.oid = a.oid
           where p.proargmodes[a.n] in ('o', 'b', 't')))
    from member m join pg_proc p on m.classid = 'pg_proc'::regclass and p.oid = m.objid
    join pg_type r on r.oid = p.prorettype
   where r.typname not in ('internal', 'cstring', 'language_handler', 'fdw_handler', 'index_am_handler', 'table_am_handler', 'tsm_handler')
     and not exists (select from unnest(p.proargtypes::oid[]) a(oid) join pg_type t on t.oid = a.oid
                      where t.typname in ('internal', 'cstring', 'language_handler'))
     -- What only operators and operator classes call is left out.
     and not exists (select from pg_operator o where o.oprcode = p.oid)
     and not exists (select from pg_amproc x where x.amproc = p.oid)
     and not exists (select from pg_aggregate x where p.oid in (x.aggtransfn, x.aggfinalfn, x.aggcombinefn))
)
select concat_ws(' ', extname, kind, rest) from line order by extname collate "C", rank, rest collate "C";
