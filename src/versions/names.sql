-- Names that statements use and that come with the server, as `kind name`: settings, predefined roles, relations of pg_catalog,
-- collations that exist on every platform, and words that name nothing, or no function and type, unless quoted.
select 'setting ' || name from pg_settings
union all
select 'role ' || rolname from pg_roles where rolname like 'pg\_%'
union all
select 'relation ' || relname from pg_class where relnamespace = 'pg_catalog'::regnamespace and relkind in ('r', 'v')
union all
select 'collation ' || collname from pg_collation where collprovider in ('b', 'd') or collname in ('unicode', 'ucs_basic')
union all
select 'word ' || word from pg_get_keywords() where catcode <> 'U'
 order by 1;
