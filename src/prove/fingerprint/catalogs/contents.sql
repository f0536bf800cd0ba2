-- What holds rows, and whether we may read all of them.
SELECT c.oid::regclass AS name,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS qualified,
       c.relkind AS kind,
       CASE WHEN NOT has_schema_privilege(n.oid, 'usage') OR NOT has_table_privilege(c.oid, 'select') THEN 'no privilege'
         WHEN row_security_active(c.oid) THEN 'row security'
         WHEN NOT c.relispopulated THEN 'not populated' END AS unread,
       (SELECT string_agg(quote_ident(a.attname), chr(10) ORDER BY a.attname) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v') AS columns
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'S') AND {own pg_class c relnamespace}
ORDER BY c.relname, n.nspname;
