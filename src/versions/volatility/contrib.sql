-- Functions of all extensions that come with the server, as functions.sql writes them, the name behind that of its extension and a
-- dot.
do $$
declare
  extension text;
begin
  for extension in select name from pg_available_extensions order by name loop
    begin
      execute format('create extension if not exists %I cascade', extension);
    exception
      -- Some need a library that is no part of the server.
      when others then raise notice '%: %', extension, sqlerrm;
    end;
  end loop;
end $$;
select concat_ws(' ', e.extname || '.' || p.proname, p.provolatile,
         (select string_agg(case when p.provariadic <> 0 and a.n = p.pronargs then '*' else '' end || t.typname
                            || case when a.n > p.pronargs - p.pronargdefaults then '?' else '' end, ' ' order by a.n)
            from unnest(p.proargtypes::oid[]) with ordinality a(oid, n) join pg_type t on t.oid = a.oid))
  from pg_extension e
  join pg_depend d on d.refclassid = 'pg_extension'::regclass and d.refobjid = e.oid and d.deptype = 'e'
  join pg_proc p on d.classid = 'pg_proc'::regclass and d.objid = p.oid
 where p.prokind in ('f', 'a', 'w') and p.prorettype <> 'trigger'::regtype
   and e.extname <> 'plpgsql'
   and not exists (select from unnest(p.proargtypes::oid[]) a(oid) where a.oid = 'internal'::regtype);
