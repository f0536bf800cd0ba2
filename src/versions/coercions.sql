-- What ALTER COLUMN TYPE without USING does to the files of a table, tried out.

-- Types of pg_catalog that can be columns, and their arrays: name, and how to write the type of any length.
create temporary view column_type as
select t.typname::text as name, 'pg_catalog.' || quote_ident(t.typname) as type
  from pg_type t
  left join pg_type e on e.oid = t.typelem
 where t.typnamespace = 'pg_catalog'::regnamespace and t.typtype in ('b', 'r', 'm') and t.typname <> 'unknown'
   and coalesce(e.typtype, 'b') in ('b', 'r', 'm')
   -- Types that only the server's own catalogs have a use for.
   and t.typname !~ '^_?pg_(brin|ddl|dependencies|mcv|ndistinct|node)';

create function pg_temp.file_node(relation text) returns oid language sql as $$
  select relfilenode from pg_class where relname = relation and relnamespace = pg_my_temp_schema() $$;

-- Whether the plain btree index of a column is still the same file after the change; where there can be none: no.
create function pg_temp.index_is_kept(before text, after text) returns boolean language plpgsql as $$
declare
  file oid;
  kept boolean;
begin
  execute format('create temporary table indexed_probe (c %s)', before);
  create index probe_index on indexed_probe (c);
  file := pg_temp.file_node('probe_index');
  execute format('alter table indexed_probe alter c type %s', after);
  kept := file = pg_temp.file_node('probe_index');
  raise exception using errcode = 'ZZ000';
exception
  when sqlstate 'ZZ000' then return kept;
  when undefined_object then return false;
end $$;

-- For each of `afters`, whether a column of type `before` can become it: `kept` without a rewrite, a plain btree index is also
-- kept; `same` without a rewrite, an index is built anew; `rewrites`; or the SQLSTATE. With `using_cast` the change says
-- USING c::after, and indexes are not looked at.
create function pg_temp.retypes(before text, afters text[], using_cast boolean default false)
returns table (after text, verdict text) language plpgsql as $$
declare
  file oid;
begin
  execute format('create temporary table probe (c %s)', before);
  file := pg_temp.file_node('probe');
  foreach after in array afters loop
    begin
      execute format(case when using_cast then 'alter table probe alter c type %1$s using c::%1$s'
                          else 'alter table probe alter c type %1$s' end, after);
      verdict := case when file = pg_temp.file_node('probe') then 'same' else 'rewrites' end;
      raise exception using errcode = 'ZZ000';
    exception
      when sqlstate 'ZZ000' then null;
      when others then verdict := sqlstate;
    end;
    if verdict = 'same' and not using_cast and pg_temp.index_is_kept(before, after) then
      verdict := 'kept';
    end if;
    return next;
  end loop;
  drop table probe;
end $$;

set client_min_messages = warning;
