-- Relations of every kind. A toast table is part of its table. Lists are asked for object by object, by an index: joined, they would be
-- made anew for each where the server believes that there are few.
SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
         WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' ELSE 'index' END AS kind,
       c.oid::regclass AS name,
       c.relkind IN ('p', 'I') AS "partitioned?",
       c.relowner::regrole AS owner,
       CASE c.relpersistence WHEN 'u' THEN 'unlogged' END AS persistence,
       CASE c.relreplident WHEN 'f' THEN 'full' WHEN 'n' THEN 'nothing' WHEN 'i' THEN 'index' END AS "replica identity",
       CASE WHEN c.reloptions IS NOT NULL THEN (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(c.reloptions) o) END AS options,
       CASE WHEN toast.reloptions IS NOT NULL THEN (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(toast.reloptions) o) END AS "toast options",
       CASE WHEN c.reltablespace <> 0 THEN (SELECT quote_ident(spcname) FROM pg_tablespace WHERE oid = c.reltablespace) END AS tablespace,
       quote_ident(m.amname) AS "access method",
       c.relrowsecurity AS "row security?",
       c.relforcerowsecurity AS "forced row security?",
       CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END AS "partition key",
       CASE WHEN c.relispartition AND c.relkind NOT IN ('i', 'I') THEN pg_get_expr(c.relpartbound, c.oid) END AS "partition bound",
       CASE WHEN c.relkind = 'm' THEN c.relispopulated END AS "populated?",
       CASE WHEN c.reloftype <> 0 THEN c.reloftype::regtype END AS "of type",
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS definition,
       (SELECT string_agg(inhparent::regclass || CASE WHEN inhdetachpending THEN ' (detach pending)' ELSE '' END, ', ' ORDER BY inhseqno)
        FROM pg_inherits WHERE inhrelid = c.oid) AS inherits,
       CASE WHEN c.relkind NOT IN ('i', 'I', 'S') THEN (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
         WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) END AS "column order"
FROM pg_class c
LEFT JOIN pg_am m ON m.oid = c.relam
LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid
WHERE c.relkind <> 't' AND {own pg_class c relnamespace};

-- Columns, and the attributes of composite types. Debian's 17.12 keeps a number with each column, as an option
-- of it (pg_attver), that is never the same twice.
SELECT CASE c.relkind WHEN 'c' THEN 'attribute' ELSE 'column' END AS kind,
       c.oid::regclass || '.' || quote_ident(a.attname) AS name,
       c.oid::regclass AS "of",
       format_type(a.atttypid, a.atttypmod) AS type,
       CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0 THEN a.attcollation::regcollation END AS collation,
       CASE WHEN c.relkind NOT IN ('v', 'm', 'c') THEN a.attnotnull END AS "not null?",
       CASE a.attgenerated WHEN '' THEN pg_get_expr(d.adbin, d.adrelid) END AS default,
       CASE a.attgenerated WHEN 's' THEN 'stored ' || pg_get_expr(d.adbin, d.adrelid)
         WHEN 'v' THEN 'virtual ' || pg_get_expr(d.adbin, d.adrelid) END AS generated,
       CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS identity,
       CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external'
         WHEN 'm' THEN 'main' WHEN 'x' THEN 'extended' END END AS storage,
       CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,
       nullif(a.attstattarget, -1) AS statistics,
       CASE WHEN a.attoptions IS NOT NULL THEN (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(a.attoptions) o
         WHERE o NOT LIKE 'pg\_attver=%') END AS options,
       CASE WHEN a.attfdwoptions IS NOT NULL THEN (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(a.attfdwoptions) o) END AS "foreign options",
       nullif(a.attinhcount, 0) AS inherited,
       CASE WHEN a.attinhcount > 0 THEN a.attislocal END AS "local too?"
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND {own pg_class c relnamespace};

-- Constraints of tables and domains. Foreign keys that the server made for partitions follow from the one that was written. A NOT
-- NULL constraint is known by its column: since 18 the server makes it a name, which is told only if somebody chose it.
SELECT 'constraint' AS kind,
       CASE WHEN c.contype = 'n' AND c.conrelid <> 0 THEN 'not null ' || quote_ident(a.attname) WHEN c.contype = 'n' THEN 'not null'
         ELSE quote_ident(c.conname) END
         || ' on ' || coalesce(nullif(c.conrelid, 0)::regclass::text, c.contypid::regtype::text) AS name,
       coalesce(nullif(c.conrelid, 0)::regclass::text, c.contypid::regtype::text) AS "of",
       CASE WHEN c.contype = 'n' AND c.conname !~ '_not_null[0-9]*$' THEN c.conname END AS name_chosen,
       pg_get_constraintdef(c.oid) AS definition,
       c.convalidated AS "validated?",
       c.conenforced AS "enforced?", -- from 18
       c.condeferrable AS "deferrable?",
       c.condeferred AS "deferred?",
       CASE WHEN c.contype IN ('c', 'n') THEN c.connoinherit END AS "no inherit?",
       nullif(c.coninhcount, 0) AS inherited,
       CASE WHEN c.coninhcount > 0 THEN c.conislocal END AS "local too?",
       (SELECT string_agg(tgenabled::text, '' ORDER BY tgtype, tgenabled) FROM pg_trigger
        WHERE tgconstraint = c.oid AND tgisinternal AND tgenabled <> 'O') AS "disabled triggers"
FROM pg_constraint c
LEFT JOIN pg_attribute a ON c.contype = 'n' AND a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE NOT (c.contype = 'f' AND c.conparentid <> 0) AND {own pg_constraint c connamespace}
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.deptype = 'e' AND e.objid = coalesce(nullif(c.conrelid, 0), c.contypid)
                  AND e.classid = CASE WHEN c.conrelid <> 0 THEN 'pg_class'::regclass ELSE 'pg_type'::regclass END);

SELECT 'index' AS kind,
       c.oid::regclass AS name,
       i.indrelid::regclass AS "of",
       pg_get_indexdef(c.oid) AS definition,
       i.indisprimary AS "primary key?",
       i.indimmediate AS "immediate?",
       i.indisvalid AS "valid?",
       i.indisready AS "ready?",
       i.indislive AS "live?",
       i.indisclustered AS "clustered?",
       i.indisreplident AS "replica identity?",
       (SELECT string_agg(attnum || ': ' || attstattarget, ', ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = c.oid AND attnum > 0 AND attstattarget > 0) AS statistics
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE {own pg_class c relnamespace}
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.deptype = 'e' AND e.classid = 'pg_class'::regclass AND e.objid = i.indrelid);

-- What a sequence gave out last is data.
SELECT 'sequence' AS kind,
       c.oid::regclass AS name,
       format_type(s.seqtypid, NULL) AS type,
       s.seqstart AS start, s.seqincrement AS increment, s.seqmin AS minimum, s.seqmax AS maximum, s.seqcache AS cache,
       s.seqcycle AS "cycle?",
       d.refobjid::regclass AS "of",
       quote_ident(a.attname) AS "owned by column"
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
  AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE {own pg_class c relnamespace};

SELECT 'trigger' AS kind,
       quote_ident(t.tgname) || ' on ' || t.tgrelid::regclass AS name,
       t.tgrelid::regclass AS "of",
       pg_get_triggerdef(t.oid) AS definition,
       CASE t.tgenabled WHEN 'O' THEN 'origin' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END AS fires,
       t.tgparentid <> 0 AS "inherited?"
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal AND {own pg_class c relnamespace} AND {own pg_trigger t -};

SELECT 'policy' AS kind,
       quote_ident(p.polname) || ' on ' || p.polrelid::regclass AS name,
       p.polrelid::regclass AS "of",
       CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END AS command,
       p.polpermissive AS "permissive?",
       (SELECT string_agg(CASE r WHEN 0 THEN 'public' ELSE r::regrole::text END, ', ' ORDER BY r::regrole::text)
        FROM unnest(p.polroles) r) AS roles,
       pg_get_expr(p.polqual, p.polrelid) AS "using",
       pg_get_expr(p.polwithcheck, p.polrelid) AS "with check"
FROM pg_policy p;

SELECT 'rule' AS kind,
       quote_ident(r.rulename) || ' on ' || r.ev_class::regclass AS name,
       r.ev_class::regclass AS "of",
       pg_get_ruledef(r.oid) AS definition,
       CASE r.ev_enabled WHEN 'O' THEN 'origin' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END AS fires
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
WHERE r.rulename <> '_RETURN' AND {own pg_class c relnamespace};

SELECT 'statistics' AS kind,
       quote_ident(nspname) || '.' || quote_ident(s.stxname) AS name,
       s.stxrelid::regclass AS "of",
       s.stxowner::regrole AS owner,
       pg_get_statisticsobjdef(s.oid) AS definition,
       nullif(s.stxstattarget, -1) AS target
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE {own pg_statistic_ext s stxnamespace};
