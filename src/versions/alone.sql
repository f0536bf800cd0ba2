-- Statements that may not run inside of a transaction block, one form each, as in locks/*.sql: `-- given` what is there and
-- committed, `-- form` a statement. tests/alone.rs runs it in a block, in a DO block, and among several statements in one
-- simple-query message, and writes who refuses it to alone.txt.

-- given
CREATE TABLE t (a int, CONSTRAINT i PRIMARY KEY (a));
CREATE INDEX other ON t (a);
CREATE TABLE p (a int) PARTITION BY LIST (a);
CREATE TABLE x PARTITION OF p FOR VALUES IN (1);
CREATE INDEX pi ON p (a);
CREATE MATERIALIZED VIEW m AS SELECT a FROM t;
CREATE UNIQUE INDEX mi ON m (a);
CREATE TYPE mood AS ENUM ('sad');
-- form create-index-concurrently
CREATE INDEX CONCURRENTLY z ON t (a);
-- form drop-index-concurrently
DROP INDEX CONCURRENTLY other;
-- form reindex-concurrently
REINDEX INDEX CONCURRENTLY i;
REINDEX TABLE CONCURRENTLY t;
REINDEX TABLE CONCURRENTLY p;
-- form reindex
REINDEX INDEX i;
REINDEX TABLE t;
REINDEX (CONCURRENTLY false) TABLE t;
-- form reindex-partitioned
REINDEX INDEX pi;
REINDEX TABLE p;
-- form reindex-schema
REINDEX SCHEMA w;
REINDEX DATABASE alone;
REINDEX SYSTEM alone;
REINDEX SCHEMA CONCURRENTLY w;
-- form vacuum
VACUUM;
VACUUM t;
VACUUM FULL t;
VACUUM (ANALYZE) t;
-- form analyze
ANALYZE;
ANALYZE t;
ANALYZE p;
-- form cluster
CLUSTER t USING i;
-- form cluster-everything
CLUSTER;
-- form cluster-partitioned
CLUSTER p USING pi;
-- form detach-concurrently
ALTER TABLE p DETACH PARTITION x CONCURRENTLY;
-- form detach
ALTER TABLE p DETACH PARTITION x;
-- form refresh-concurrently
REFRESH MATERIALIZED VIEW CONCURRENTLY m;
-- form add-enum-value
ALTER TYPE mood ADD VALUE 'ok';
-- form truncate
TRUNCATE t;
-- form discard-all
DISCARD ALL;
-- form discard-other
DISCARD TEMP;
-- form alter-system
ALTER SYSTEM SET work_mem = '4MB';
ALTER SYSTEM RESET work_mem;
-- form create-database
CREATE DATABASE z;
-- form drop-database
DROP DATABASE a_database;
DROP DATABASE IF EXISTS missing;
-- form move-database
ALTER DATABASE a_database SET TABLESPACE elsewhere;
-- form alter-database
ALTER DATABASE a_database SET work_mem = '4MB';
ALTER DATABASE a_database CONNECTION LIMIT 5;
ALTER DATABASE a_database RENAME TO z;
-- form create-tablespace
CREATE TABLESPACE z LOCATION '';
-- form drop-tablespace
DROP TABLESPACE a_tablespace;
DROP TABLESPACE IF EXISTS missing;
-- form create-subscription
CREATE SUBSCRIPTION z CONNECTION 'dbname=x' PUBLICATION pub;
CREATE SUBSCRIPTION z CONNECTION 'dbname=x' PUBLICATION pub WITH (create_slot = true, enabled = false);
-- form create-subscription-without-slot
CREATE SUBSCRIPTION z CONNECTION 'dbname=x' PUBLICATION pub WITH (connect = false);
-- form drop-subscription
DROP SUBSCRIPTION subscribed;
-- form drop-subscription-without-slot
DROP SUBSCRIPTION slotless;
-- form refresh-subscription
ALTER SUBSCRIPTION subscribed REFRESH PUBLICATION;
-- form set-subscription-publication
ALTER SUBSCRIPTION subscribed SET PUBLICATION other;
ALTER SUBSCRIPTION subscribed ADD PUBLICATION other;
ALTER SUBSCRIPTION subscribed DROP PUBLICATION pub;
-- form set-subscription-publication-without-refresh
ALTER SUBSCRIPTION subscribed SET PUBLICATION other WITH (refresh = false);
-- form alter-subscription
ALTER SUBSCRIPTION subscribed CONNECTION 'dbname=y';
ALTER SUBSCRIPTION subscribed SET (synchronous_commit = off);
-- form commit-prepared
COMMIT PREPARED 'prepared';
ROLLBACK PREPARED 'prepared';
