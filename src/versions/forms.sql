-- What SQL can say since a version after 15, one form each: its id and its name in messages; statements that every version
-- takes; then, after `-- newer`, one that every version before some one refuses and that it and all later ones take. Each runs in
-- a transaction that is rolled back, after `-- newer, alone` by itself in a database of its own. `-- newer, or 0A000` also counts
-- that answer as taken: the server understood, and lacks something else.
-- Which version is the first stands in forms.txt: servers of all versions said it. A form of several words has one of them.

-- form subquery-without-alias: a subquery in FROM without an alias
-- newer
SELECT * FROM (SELECT 1 AS a);

-- form number-literal: a number written with 0x, 0o, 0b or underscores
-- newer
SELECT 0xFF, 1_000_000;

-- form json-object: JSON_OBJECT or JSON_OBJECTAGG with keys and values
-- newer
SELECT JSON_OBJECT('a': 1), JSON_OBJECTAGG('a': x) FROM generate_series(1, 2) x;

-- form json-array: JSON_ARRAY or JSON_ARRAYAGG
-- newer
SELECT JSON_ARRAY(1, 2), JSON_ARRAYAGG(x) FROM generate_series(1, 2) x;

-- form is-json: IS JSON
-- newer
SELECT '{}' IS JSON OBJECT;

-- form xmlserialize-indent: XMLSERIALIZE with INDENT or NO INDENT
-- newer
CREATE VIEW v AS SELECT xmlserialize(CONTENT x AS text INDENT) FROM (VALUES (NULL::xml)) v (x);

-- form copy-default: the COPY option DEFAULT
CREATE TABLE t (a int DEFAULT 1);
-- newer
COPY t FROM '/dev/null' WITH (DEFAULT 'x');

-- form vacuum-option: the VACUUM option BUFFER_USAGE_LIMIT, PROCESS_MAIN, SKIP_DATABASE_STATS or ONLY_DATABASE_STATS
-- newer, alone
VACUUM (BUFFER_USAGE_LIMIT '1MB', PROCESS_MAIN false, SKIP_DATABASE_STATS true);

-- form explain-generic-plan: EXPLAIN with GENERIC_PLAN
-- newer
EXPLAIN (GENERIC_PLAN) SELECT 1;

-- form membership-option: GRANT of a role WITH INHERIT, SET or a value of ADMIN
CREATE ROLE a_role;
CREATE ROLE a_member;
-- newer
GRANT a_role TO a_member WITH INHERIT FALSE, SET TRUE, ADMIN FALSE;

-- form revoke-membership-option: REVOKE INHERIT OPTION FOR or SET OPTION FOR
CREATE ROLE a_role;
CREATE ROLE a_member;
GRANT a_role TO a_member;
-- newer
REVOKE INHERIT OPTION FOR a_role FROM a_member;

-- form column-storage: STORAGE in the definition of a column
-- newer
CREATE TABLE t (a text STORAGE external);

-- form storage-default: SET STORAGE DEFAULT
CREATE TABLE t (a text);
-- newer
ALTER TABLE t ALTER a SET STORAGE DEFAULT;

-- form unnamed-statistics: CREATE STATISTICS without a name
CREATE TABLE t (a int, b int);
-- newer
CREATE STATISTICS ON a, b FROM t;

-- form reindex-this-database: REINDEX of a database or system without its name
-- newer, alone
REINDEX DATABASE;

-- form collation-rules: RULES of a collation, ICU_RULES of a database
-- newer, or 0A000
CREATE COLLATION c (provider = icu, locale = 'und', rules = '&a < b');

-- form subscription-option: the subscription option ORIGIN, PASSWORD_REQUIRED, RUN_AS_OWNER or streaming = parallel
-- newer
CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE, origin = none, run_as_owner = true, streaming = parallel);

-- form foreign-truncate-trigger: a TRUNCATE trigger of a foreign table
CREATE FOREIGN DATA WRAPPER w;
CREATE SERVER s FOREIGN DATA WRAPPER w;
CREATE FOREIGN TABLE t (a int) SERVER s;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
-- newer
CREATE TRIGGER g AFTER TRUNCATE ON t EXECUTE FUNCTION f();

-- form merge-returning: MERGE with RETURNING
CREATE TABLE t (a int);
-- newer
MERGE INTO t USING (VALUES (1)) v (x) ON a = x WHEN NOT MATCHED THEN INSERT VALUES (x) RETURNING merge_action(), a;

-- form merge-by-source: WHEN NOT MATCHED BY SOURCE or BY TARGET
CREATE TABLE t (a int);
-- newer
MERGE INTO t USING (VALUES (1)) v (x) ON a = x WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN NOT MATCHED BY TARGET THEN INSERT VALUES (x);

-- form merge-into-view: MERGE into a view
CREATE TABLE t (a int);
CREATE VIEW v AS SELECT a FROM t;
-- newer
MERGE INTO v USING (VALUES (1)) w (x) ON a = x WHEN NOT MATCHED THEN INSERT VALUES (x);

-- form copy-on-error: the COPY option ON_ERROR or LOG_VERBOSITY
CREATE TABLE t (a int);
-- newer
COPY t FROM '/dev/null' WITH (ON_ERROR ignore, LOG_VERBOSITY verbose);

-- form copy-force-all: FORCE_NULL * or FORCE_NOT_NULL *
CREATE TABLE t (a int);
-- newer
COPY t FROM '/dev/null' WITH (FORMAT csv, FORCE_NULL *);

-- form json-table: JSON_TABLE
-- newer
SELECT * FROM JSON_TABLE('[1]'::jsonb, '$[*]' COLUMNS (a int PATH '$')) j;

-- form json-query: JSON_EXISTS, JSON_QUERY or JSON_VALUE
-- newer
SELECT JSON_EXISTS(x, '$.a'), JSON_QUERY(x, '$.a'), JSON_VALUE(x, '$.a') FROM (VALUES ('{}'::jsonb)) v (x);

-- form json-scalar: JSON_SCALAR or JSON_SERIALIZE
-- newer
SELECT JSON_SCALAR(1), JSON_SERIALIZE('{}');

-- form json-parse: JSON() with a format or unique keys
-- newer
SELECT JSON('{}' WITH UNIQUE KEYS);

-- form set-expression: SET EXPRESSION
CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a) STORED);
-- newer
ALTER TABLE t ALTER b SET EXPRESSION AS (a + 1);

-- form access-method-default: SET ACCESS METHOD DEFAULT
CREATE TABLE t (a int);
-- newer
ALTER TABLE t SET ACCESS METHOD DEFAULT;

-- form partitioned-access-method: an access method of a partitioned table
CREATE TABLE t (a int) PARTITION BY LIST (a);
-- newer
ALTER TABLE t SET ACCESS METHOD heap;

-- form partitioned-using: a partitioned table with USING
-- newer
CREATE TABLE t (a int) PARTITION BY LIST (a) USING heap;

-- form partitioned-exclusion: an exclusion constraint of a partitioned table
-- newer
CREATE TABLE t (a int4range, EXCLUDE USING gist (a WITH =)) PARTITION BY LIST (a);

-- form partitioned-identity: an identity column added to a table with partitions
CREATE TABLE t (a int) PARTITION BY LIST (a);
CREATE TABLE t1 PARTITION OF t DEFAULT;
-- newer
ALTER TABLE t ADD b int GENERATED ALWAYS AS IDENTITY;

-- form explain-serialize: EXPLAIN with SERIALIZE or MEMORY
-- newer
EXPLAIN (ANALYZE, SERIALIZE, MEMORY) SELECT 1;

-- form maintain: the privilege MAINTAIN
CREATE TABLE t (a int);
-- newer
GRANT MAINTAIN ON t TO PUBLIC;

-- form operator-option: ALTER OPERATOR with COMMUTATOR, NEGATOR, HASHES or MERGES
CREATE FUNCTION f(int, text) RETURNS bool LANGUAGE sql RETURN true;
CREATE OPERATOR =?= (FUNCTION = f, LEFTARG = int, RIGHTARG = text);
-- newer
ALTER OPERATOR =?= (int, text) SET (HASHES = true);

-- form login-trigger: an event trigger ON login
CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
-- newer
CREATE EVENT TRIGGER e ON login EXECUTE FUNCTION f();

-- form builtin-provider: the locale provider builtin
-- newer
CREATE COLLATION c (provider = builtin, locale = 'C');

-- form at-local: AT LOCAL
-- newer
SELECT now() AT LOCAL;

-- form statistics-default: SET STATISTICS DEFAULT
CREATE TABLE t (a int);
-- newer
ALTER TABLE t ALTER a SET STATISTICS DEFAULT;

-- form domain-not-null: a NOT NULL constraint added to a domain
CREATE DOMAIN d AS int;
-- newer
ALTER DOMAIN d ADD CONSTRAINT c NOT NULL;

-- form cluster-options: CLUSTER with options in parentheses and no table
-- newer, alone
CLUSTER (VERBOSE false);

-- form subscription-failover: the subscription option FAILOVER
-- newer
CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE, failover = true);

-- form array-of-type: %TYPE or %ROWTYPE followed by brackets
CREATE TABLE t (a int);
-- newer
DO $$ DECLARE x t.a%TYPE[]; BEGIN x := '{1}'; END $$;

-- form virtual-column: a virtual generated column
-- newer
CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL);

-- form returning-old-new: OLD or NEW in RETURNING
CREATE TABLE t (a int);
-- newer
UPDATE t SET a = 1 RETURNING old.a, new.a;

-- form returning-with: RETURNING WITH
CREATE TABLE t (a int);
-- newer
DELETE FROM t RETURNING WITH (OLD AS o) o.a;

-- form without-overlaps: WITHOUT OVERLAPS
-- newer
CREATE TABLE t (a int4range, b int4range, UNIQUE (a, b WITHOUT OVERLAPS));

-- form foreign-key-period: a foreign key with PERIOD
CREATE TABLE t (a int4range, b int4range);
-- newer
ALTER TABLE t ADD CONSTRAINT u UNIQUE (a, b WITHOUT OVERLAPS), ADD FOREIGN KEY (a, PERIOD b) REFERENCES t (a, PERIOD b);

-- form not-enforced: ENFORCED or NOT ENFORCED
-- newer
CREATE TABLE t (a int CHECK (a > 0) NOT ENFORCED, CHECK (a > 1) ENFORCED);

-- form alter-enforced: ALTER CONSTRAINT with ENFORCED or NOT ENFORCED
CREATE TABLE t (a int PRIMARY KEY, b int CONSTRAINT c REFERENCES t);
-- newer
ALTER TABLE t ALTER CONSTRAINT c NOT ENFORCED;

-- form alter-inherit: ALTER CONSTRAINT with INHERIT or NO INHERIT
CREATE TABLE t (a int CONSTRAINT c NOT NULL);
-- newer
ALTER TABLE t ALTER CONSTRAINT c NO INHERIT;

-- form not-null-constraint: NOT NULL as a constraint of the table, or with NO INHERIT
CREATE TABLE t (a int);
-- newer
ALTER TABLE t ADD CONSTRAINT c NOT NULL a NOT VALID;

-- form large-object-defaults: default privileges of large objects
-- newer
ALTER DEFAULT PRIVILEGES GRANT SELECT ON LARGE OBJECTS TO PUBLIC;

-- form vacuum-only: VACUUM or ANALYZE of ONLY a table
CREATE TABLE t (a int);
-- newer
ANALYZE ONLY t;

-- form foreign-table-like: LIKE in CREATE FOREIGN TABLE
CREATE FOREIGN DATA WRAPPER w;
CREATE SERVER s FOREIGN DATA WRAPPER w;
CREATE TABLE t (a int);
-- newer
CREATE FOREIGN TABLE f (LIKE t) SERVER s;

-- form publish-generated: the publication option PUBLISH_GENERATED_COLUMNS
-- newer
CREATE PUBLICATION p WITH (publish_generated_columns = stored);

-- form alter-two-phase: two_phase in ALTER SUBSCRIPTION
CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE);
-- newer, or 55000
ALTER SUBSCRIPTION s SET (two_phase = false);

-- form copy-reject-limit: the COPY option REJECT_LIMIT or LOG_VERBOSITY silent
CREATE TABLE t (a int);
-- newer
COPY t FROM '/dev/null' WITH (ON_ERROR ignore, REJECT_LIMIT 10, LOG_VERBOSITY silent);

-- form copy-materialized-view: COPY of a materialized view
CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
-- newer
COPY m TO '/dev/null';

-- form cursor-argument: a named argument of a cursor with =>
-- newer
DO $$ DECLARE c CURSOR (x int) FOR SELECT x; BEGIN OPEN c (x => 1); END $$;

-- form partitioned-not-valid: a foreign key NOT VALID of a partitioned table
CREATE TABLE k (a int PRIMARY KEY);
CREATE TABLE t (a int) PARTITION BY LIST (a);
-- newer
ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES k NOT VALID;

-- form partitioned-drop-only: DROP CONSTRAINT of ONLY a partitioned table
CREATE TABLE t (a int CONSTRAINT c CHECK (a > 0)) PARTITION BY LIST (a);
CREATE TABLE t1 PARTITION OF t DEFAULT;
-- newer
ALTER TABLE ONLY t DROP CONSTRAINT c;

-- form vacuum-storage: the storage parameter autovacuum_vacuum_max_threshold or vacuum_max_eager_freeze_failure_rate
-- newer
CREATE TABLE t (a int) WITH (autovacuum_vacuum_max_threshold = 10);
