-- Locks of indexes. How to read these files stands in ../locks.rs.

-- given
CREATE TABLE t (a int NOT NULL, b text, c int[], d tsvector, e point);
CREATE INDEX i ON t (a, lower(b));
CREATE TABLE r (a int);
CREATE TABLE u (a int, CONSTRAINT other CHECK (a > 0));
INSERT INTO t SELECT n FROM generate_series(1, 100) n;
-- form create-index
CREATE INDEX z ON t (a);
CREATE UNIQUE INDEX z ON t (a);
CREATE INDEX z ON t USING hash (a);
CREATE INDEX z ON t USING gin (c);
CREATE INDEX z ON t USING gist (e);
CREATE INDEX z ON t USING brin (a);
CREATE INDEX ON t (a) WHERE false;
CREATE INDEX IF NOT EXISTS z ON t (a);
-- form create-index-existing
CREATE INDEX IF NOT EXISTS i ON t (a);
-- form create-index-concurrently, alone
CREATE INDEX CONCURRENTLY z ON t (a);
-- form create-index-concurrently-existing, alone
CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a);
-- form drop-index
DROP INDEX i;
DROP INDEX IF EXISTS i CASCADE;
-- form drop-index-concurrently, alone
DROP INDEX CONCURRENTLY i;
-- form rename-index
ALTER INDEX i RENAME TO z;
-- form rename-index-as-table
ALTER TABLE i RENAME TO z;
-- form set-index-parameter
ALTER INDEX i SET (fillfactor = 70);
ALTER INDEX i RESET (fillfactor);
ALTER INDEX i SET (deduplicate_items = off);
-- form set-index-statistics
ALTER INDEX i ALTER COLUMN 2 SET STATISTICS 100;
-- form set-tablespace-of-index
ALTER INDEX i SET TABLESPACE elsewhere;
-- form set-schema-of-index
ALTER TABLE i SET SCHEMA elsewhere;
-- form comment-on-index
COMMENT ON INDEX i IS 'x';
-- form index-depends-on-extension
ALTER INDEX i DEPENDS ON EXTENSION plpgsql;
-- form reindex-index
REINDEX INDEX i;
-- form reindex-index-concurrently, alone
REINDEX INDEX CONCURRENTLY i;
-- form reindex-table
REINDEX TABLE t;
-- form reindex-table-concurrently, alone
REINDEX TABLE CONCURRENTLY t;
-- form reindex-schema, alone
REINDEX SCHEMA w;

-- given
CREATE TABLE t (a int, c int[], e point);
CREATE INDEX i ON t USING gin (c);
CREATE INDEX other ON t USING gist (e);
CREATE INDEX another ON t USING brin (a);
-- form set-exclusive-index-parameter
ALTER INDEX i SET (fastupdate = off);
ALTER INDEX i SET (gin_pending_list_limit = 128);
ALTER INDEX i RESET (fastupdate);

-- given
CREATE TABLE t (a int, e point);
CREATE INDEX i ON t USING gist (e);
-- form set-gist-buffering
ALTER INDEX i SET (buffering = on);

-- given
CREATE TABLE t (a int);
CREATE INDEX i ON t USING brin (a);
-- form set-brin-parameter
ALTER INDEX i SET (pages_per_range = 64);
ALTER INDEX i SET (autosummarize = on);

-- given
CREATE TABLE t (a int, CONSTRAINT i PRIMARY KEY (a));
CREATE VIEW v AS SELECT a FROM t;
-- form cluster-using
CLUSTER t USING i;
-- form drop-index-of-constraint
DROP INDEX i;
-- form rename-index-of-constraint
ALTER INDEX i RENAME TO z;
