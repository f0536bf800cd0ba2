-- What belongs to the database as a whole.
SELECT 'database' AS kind, 'at hand' AS name, d.datdba::regrole AS owner, pg_encoding_to_char(d.encoding) AS encoding,
       concat_ws(', ', d.datlocprovider::text, d.datcollate, d.datctype) AS locale,
       (SELECT quote_ident(spcname) FROM pg_tablespace WHERE oid = d.dattablespace) AS tablespace,
       nullif(d.datconnlimit, -1) AS "connection limit", d.datistemplate AS "template?", d.datallowconn AS "connections allowed?"
FROM pg_database d WHERE d.datname = current_database();

SELECT 'extension' AS kind, quote_ident(e.extname) AS name, e.extowner::regrole AS owner, e.extversion AS version,
       e.extnamespace::regnamespace AS schema,
       (SELECT string_agg(c::regclass || coalesce(' ' || e.extcondition[i], ''), ', ' ORDER BY c::regclass::text)
        FROM unnest(e.extconfig) WITH ORDINALITY x (c, i)) AS configuration
FROM pg_extension e;

SELECT 'foreign data wrapper' AS kind, quote_ident(w.fdwname) AS name, w.fdwowner::regrole AS owner,
       nullif(w.fdwhandler, 0)::regproc AS handler, nullif(w.fdwvalidator, 0)::regproc AS validator,
       (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(w.fdwoptions) o) AS options
FROM pg_foreign_data_wrapper w WHERE {own pg_foreign_data_wrapper w -};

SELECT 'server' AS kind, quote_ident(s.srvname) AS name, s.srvowner::regrole AS owner, quote_ident(w.fdwname) AS wrapper,
       s.srvtype AS type, s.srvversion AS version, (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(s.srvoptions) o) AS options
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw WHERE {own pg_foreign_server s -};

-- Only the names of options: a value may be a password. Where we may not see them the view has none.
SELECT 'user mapping' AS kind, quote_ident(m.usename) || ' on ' || quote_ident(m.srvname) AS name,
       (SELECT string_agg(split_part(o, '=', 1), ', ' ORDER BY o) FROM unnest(m.umoptions) o) AS options
FROM pg_user_mappings m;

SELECT 'foreign table' AS kind, f.ftrelid::regclass AS name, quote_ident(s.srvname) AS server,
       (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(f.ftoptions) o) AS options
FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver
JOIN pg_class c ON c.oid = f.ftrelid WHERE {own pg_class c relnamespace};

SELECT 'publication' AS kind, quote_ident(p.pubname) AS name, p.pubowner::regrole AS owner, p.puballtables AS "all tables?",
       p.pubviaroot AS "via root?",
       p.pubgencols AS "generated columns", -- from 18
       concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                 CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END) AS operations,
       (SELECT string_agg(n.pnnspid::regnamespace::text, ', ' ORDER BY n.pnnspid::regnamespace::text)
        FROM pg_publication_namespace n WHERE n.pnpubid = p.oid) AS schemas,
       (SELECT string_agg(concat(r.prrelid::regclass, ' (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
           FROM pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs::int2[])) || ')',
           ' where ' || pg_get_expr(r.prqual, r.prrelid)), ', ' ORDER BY r.prrelid::regclass::text)
        FROM pg_publication_rel r WHERE r.prpubid = p.oid) AS tables
FROM pg_publication p WHERE {own pg_publication p -};

-- Without the connection, where a password is.
SELECT 'subscription' AS kind, quote_ident(s.subname) AS name, s.subowner::regrole AS owner, s.subenabled AS "enabled?",
       s.subbinary AS "binary?", s.substream AS streaming, s.subtwophasestate AS "two phase", s.subdisableonerr AS "disable on error?",
       s.suborigin AS origin, -- from 16
       s.subrunasowner AS "run as owner?", -- from 16
       s.subfailover AS "failover?", -- from 17
       s.subslotname AS slot, s.subsynccommit AS "synchronous commit", array_to_string(s.subpublications, ', ') AS publications
FROM pg_subscription s WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database());

SELECT 'setting' AS kind, concat(quote_ident(split_part(s.setting, '=', 1)), ' of ' || nullif(s.setrole, 0)::regrole, ' in the database') AS name,
       substr(s.setting, strpos(s.setting, '=') + 1) AS value
FROM (SELECT setrole, unnest(setconfig) AS setting FROM pg_db_role_setting
      WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())) s;

SELECT 'large objects' AS kind, 'of ' || lomowner::regrole AS name, count(*) AS number FROM pg_largeobject_metadata GROUP BY lomowner;

-- Who may do what, where that is not what its kind of object starts with. Of the server's own objects what was changed.
WITH object (kind, name, "of", acl_kind, owner, acl) AS (
  SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'relation' END, c.oid::regclass::text, c.oid::regclass::text,
         CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, c.relowner, c.relacl
  FROM pg_class c WHERE c.relacl IS NOT NULL AND c.relkind NOT IN ('t', 'i', 'I') AND {own pg_class c relnamespace}
  UNION ALL
  SELECT 'column', c.oid::regclass || '.' || quote_ident(a.attname), c.oid::regclass::text, 'c', c.relowner, a.attacl
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND {own pg_class c relnamespace}
  UNION ALL
  SELECT 'schema', quote_ident(n.nspname), NULL, 'n', n.nspowner, n.nspacl
  FROM pg_namespace n WHERE n.nspacl IS NOT NULL AND n.nspname !~ '^pg_' AND (n.oid >= 16384 OR n.nspname = 'public')
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = n.oid AND e.deptype = 'e')
  UNION ALL
  SELECT 'routine', p.oid::regprocedure::text, p.oid::regprocedure::text, 'f', p.proowner, p.proacl
  FROM pg_proc p WHERE p.proacl IS NOT NULL AND {own pg_proc p pronamespace}
  UNION ALL
  SELECT 'type', format_type(t.oid, NULL), format_type(t.oid, NULL), 'T', t.typowner, t.typacl
  FROM pg_type t WHERE t.typacl IS NOT NULL AND {own pg_type t typnamespace}
  UNION ALL
  SELECT 'foreign data wrapper', quote_ident(w.fdwname), NULL, 'F', w.fdwowner, w.fdwacl
  FROM pg_foreign_data_wrapper w WHERE w.fdwacl IS NOT NULL AND {own pg_foreign_data_wrapper w -}
  UNION ALL
  SELECT 'server', quote_ident(s.srvname), NULL, 'S', s.srvowner, s.srvacl
  FROM pg_foreign_server s WHERE s.srvacl IS NOT NULL AND {own pg_foreign_server s -}
  UNION ALL
  SELECT 'database', 'at hand', NULL, 'd', datdba, datacl FROM pg_database WHERE datacl IS NOT NULL AND datname = current_database()
  UNION ALL
  SELECT d.type, d.identity, NULL, o.acl_kind, o.owner, o.acl FROM (
    SELECT 'pg_class'::regclass AS class, oid, 0 AS column, CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END AS acl_kind, relowner AS owner,
           relacl AS acl FROM pg_class WHERE relacl IS NOT NULL
    UNION ALL SELECT 'pg_class', attrelid, attnum, 'c', 10, attacl FROM pg_attribute WHERE attacl IS NOT NULL
    UNION ALL SELECT 'pg_proc', oid, 0, 'f', proowner, proacl FROM pg_proc WHERE proacl IS NOT NULL
    UNION ALL SELECT 'pg_type', oid, 0, 'T', typowner, typacl FROM pg_type WHERE typacl IS NOT NULL
    UNION ALL SELECT 'pg_namespace', oid, 0, 'n', nspowner, nspacl FROM pg_namespace WHERE nspacl IS NOT NULL AND nspname <> 'public'
    UNION ALL SELECT 'pg_language', oid, 0, 'l', lanowner, lanacl FROM pg_language WHERE lanacl IS NOT NULL) o
  LEFT JOIN pg_init_privs i ON i.classoid = o.class AND i.objoid = o.oid AND i.objsubid = o.column
  CROSS JOIN LATERAL pg_identify_object(o.class, o.oid, o.column) d
  -- Of the information schema the server does not know what it started with.
  WHERE o.oid < 16384 AND o.acl IS DISTINCT FROM i.initprivs AND d.schema IS DISTINCT FROM 'information_schema')
SELECT 'grants' AS kind, concat('on ', o.kind, ' ', o.name, ' to ', coalesce(nullif(g.grantee, 0)::regrole::text, 'public')) AS name, o."of",
       coalesce(g.list, 'nothing') AS privileges
FROM object o, LATERAL (
  SELECT grantee, stored.list FROM (
    SELECT grantee, string_agg(lower(privilege_type) || CASE WHEN is_grantable THEN ' with grant option' ELSE '' END
             || CASE WHEN grantor <> o.owner THEN ' by ' || grantor::regrole ELSE '' END, ', '
             ORDER BY privilege_type, grantor::regrole::text) AS list
    FROM aclexplode(o.acl) GROUP BY grantee) stored
  FULL JOIN (
    SELECT grantee, string_agg(lower(privilege_type), ', ' ORDER BY privilege_type) AS list
    FROM aclexplode(acldefault(o.acl_kind, o.owner)) GROUP BY grantee) usual USING (grantee)
  WHERE stored.list IS DISTINCT FROM usual.list) g;

SELECT 'default privileges' AS kind,
       concat('of ', d.defaclrole::regrole, ' in ' || nullif(d.defaclnamespace, 0)::regnamespace, ' on ',
         CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types'
           WHEN 'n' THEN 'schemas' WHEN 'L' THEN 'large objects' END, ' to ', coalesce(nullif(g.grantee, 0)::regrole::text, 'public')) AS name,
       g.list AS privileges
FROM pg_default_acl d, LATERAL (
  SELECT grantee, string_agg(lower(privilege_type) || CASE WHEN is_grantable THEN ' with grant option' ELSE '' END, ', '
                             ORDER BY privilege_type) AS list
  FROM aclexplode(d.defaclacl) GROUP BY grantee) g;

-- A comment on a large object would name it by its number.
SELECT 'comment' AS kind, 'on ' || o.type || ' ' || o.identity AS name,
       CASE WHEN d.classoid = 'pg_class'::regclass THEN d.objoid::regclass END AS "of", d.description AS text
FROM pg_description d, LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) o
WHERE (d.objoid >= 16384 OR d.classoid = 'pg_namespace'::regclass AND d.objoid = 'public'::regnamespace)
  AND d.classoid <> 'pg_largeobject'::regclass
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')
  AND (o.schema IS NULL OR o.schema !~ '^pg_temp')
UNION ALL
SELECT 'comment', 'on database at hand', NULL, d.description FROM pg_shdescription d
WHERE d.classoid = 'pg_database'::regclass AND d.objoid = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL
SELECT 'security label', 'on ' || o.type || ' ' || o.identity || ' by ' || l.provider,
       CASE WHEN l.classoid = 'pg_class'::regclass THEN l.objoid::regclass END, l.label
FROM pg_seclabel l, LATERAL pg_identify_object(l.classoid, l.objoid, l.objsubid) o
WHERE l.classoid <> 'pg_largeobject'::regclass
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = l.classoid AND e.objid = l.objoid AND e.deptype = 'e');
