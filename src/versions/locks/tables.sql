-- Locks of tables as a whole: making, changing and dropping them, inheritance, triggers, rules and policies. How to read these
-- files stands in ../locks.rs.

-- given
CREATE TYPE ty AS (a int, b text);
CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TABLE t (a int NOT NULL, b text);
CREATE UNIQUE INDEX i ON t (a);
CREATE TABLE r (a int, b text);
CREATE VIEW v AS SELECT a FROM t;
INSERT INTO t VALUES (1, 'b');
-- form create-table
CREATE TABLE z (a int);
CREATE TABLE z (a int PRIMARY KEY, b serial, c int GENERATED ALWAYS AS IDENTITY);
CREATE UNLOGGED TABLE z (a int CHECK (a > 0));
-- form create-table-existing
CREATE TABLE IF NOT EXISTS t (a int);
-- form create-table-inherits
CREATE TABLE z () INHERITS (t);
-- form create-table-like
CREATE TABLE z (LIKE t);
-- form create-table-like-indexes
CREATE TABLE z (LIKE t INCLUDING ALL);
CREATE TABLE z (LIKE t INCLUDING INDEXES);
-- form create-table-of
CREATE TABLE z OF ty;
-- form create-table-as
CREATE TABLE z AS SELECT a FROM t;
SELECT a INTO z FROM t;
CREATE MATERIALIZED VIEW z AS SELECT a FROM t;
-- form create-table-as-without-data
CREATE MATERIALIZED VIEW z AS SELECT b FROM t WITH NO DATA;
CREATE TABLE z AS SELECT b FROM t WITH NO DATA;
-- form create-view
CREATE VIEW z AS SELECT a FROM t;
CREATE OR REPLACE VIEW z AS SELECT a FROM t;
CREATE TEMPORARY VIEW z AS SELECT a FROM t;
-- form replace-view
CREATE OR REPLACE VIEW v AS SELECT a FROM t WHERE a > 0;
CREATE OR REPLACE VIEW v AS SELECT a, 1 AS z FROM t;
-- form drop-table
DROP TABLE r;
DROP TABLE IF EXISTS r CASCADE;
-- form drop-table-with-view
DROP TABLE t CASCADE;
-- form rename-table
ALTER TABLE r RENAME TO z;
-- form rename-table-with-index
ALTER TABLE t RENAME TO z;
-- form set-schema
ALTER TABLE r SET SCHEMA elsewhere;
-- form set-schema-with-index
ALTER TABLE t SET SCHEMA elsewhere;
-- form owner-to
ALTER TABLE r OWNER TO a_role;
-- form owner-to-with-index
ALTER TABLE t OWNER TO a_role;
-- form set-parameter
ALTER TABLE t SET (fillfactor = 70);
ALTER TABLE t SET (toast_tuple_target = 256);
ALTER TABLE t SET (parallel_workers = 2);
ALTER TABLE t SET (vacuum_index_cleanup = off);
ALTER TABLE t SET (vacuum_truncate = off);
ALTER TABLE t SET (log_autovacuum_min_duration = 1);
ALTER TABLE t SET (autovacuum_enabled = off);
ALTER TABLE t SET (autovacuum_vacuum_threshold = 100);
ALTER TABLE t SET (autovacuum_vacuum_insert_threshold = 100);
ALTER TABLE t SET (autovacuum_analyze_threshold = 100);
ALTER TABLE t SET (autovacuum_vacuum_cost_limit = 100);
ALTER TABLE t SET (autovacuum_vacuum_cost_delay = 10);
ALTER TABLE t SET (autovacuum_vacuum_scale_factor = 0.1);
ALTER TABLE t SET (autovacuum_vacuum_insert_scale_factor = 0.1);
ALTER TABLE t SET (autovacuum_analyze_scale_factor = 0.1);
ALTER TABLE t SET (autovacuum_freeze_min_age = 1000);
ALTER TABLE t SET (autovacuum_freeze_max_age = 1000000);
ALTER TABLE t SET (autovacuum_freeze_table_age = 1000000);
ALTER TABLE t SET (autovacuum_multixact_freeze_min_age = 1000);
ALTER TABLE t SET (autovacuum_multixact_freeze_max_age = 1000000);
ALTER TABLE t SET (autovacuum_multixact_freeze_table_age = 1000000);
ALTER TABLE t SET (toast.autovacuum_enabled = off);
ALTER TABLE t SET (toast.vacuum_truncate = off);
ALTER TABLE t SET (fillfactor = 70, autovacuum_enabled = off);
ALTER TABLE t RESET (fillfactor);
ALTER TABLE t RESET (autovacuum_enabled, toast.autovacuum_enabled);
-- form set-newer-parameter
ALTER TABLE t SET (autovacuum_vacuum_max_threshold = 100);
ALTER TABLE t SET (vacuum_max_eager_freeze_failure_rate = 0.1);
-- form set-exclusive-parameter
ALTER TABLE t SET (user_catalog_table = true);
ALTER TABLE t SET (fillfactor = 70, user_catalog_table = true);
ALTER TABLE t RESET (user_catalog_table);
-- form cluster-on
ALTER TABLE t CLUSTER ON i;
-- form set-without-cluster
ALTER TABLE t SET WITHOUT CLUSTER;
-- form set-unlogged
ALTER TABLE t SET UNLOGGED;
-- form set-logged-again
ALTER TABLE t SET LOGGED;
-- form set-tablespace
ALTER TABLE t SET TABLESPACE elsewhere;
-- form set-tablespace-again
ALTER TABLE t SET TABLESPACE pg_default;
-- form set-access-method
ALTER TABLE t SET ACCESS METHOD other_heap;
-- form set-access-method-again
ALTER TABLE t SET ACCESS METHOD heap;
-- form of-type
ALTER TABLE r OF ty;
-- form replica-identity
ALTER TABLE t REPLICA IDENTITY FULL;
ALTER TABLE t REPLICA IDENTITY NOTHING;
ALTER TABLE t REPLICA IDENTITY DEFAULT;
-- form replica-identity-index
ALTER TABLE t REPLICA IDENTITY USING INDEX i;
-- form row-level-security
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
ALTER TABLE t DISABLE ROW LEVEL SECURITY;
ALTER TABLE t FORCE ROW LEVEL SECURITY;
ALTER TABLE t NO FORCE ROW LEVEL SECURITY;
-- form create-trigger
CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION fires();
CREATE OR REPLACE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION fires();
CREATE CONSTRAINT TRIGGER g AFTER INSERT ON t DEFERRABLE FOR EACH ROW EXECUTE FUNCTION fires();
-- form create-constraint-trigger-from
CREATE CONSTRAINT TRIGGER g AFTER INSERT ON t FROM r FOR EACH ROW EXECUTE FUNCTION fires();
-- form create-view-trigger
CREATE TRIGGER g INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION fires();
-- form create-rule
CREATE RULE e AS ON INSERT TO t DO ALSO NOTHING;
CREATE OR REPLACE RULE e AS ON UPDATE TO t DO INSTEAD NOTHING;
-- form create-rule-writing
CREATE RULE e AS ON INSERT TO t DO ALSO INSERT INTO r VALUES (1);
-- form create-policy
CREATE POLICY o ON t USING (a > 0);
-- form create-policy-reading
CREATE POLICY o ON t USING (a IN (SELECT a FROM r));
-- form comment-on-table
COMMENT ON TABLE t IS 'x';
-- form comment-on-column
COMMENT ON COLUMN t.a IS 'x';
-- form comment-on-view
COMMENT ON VIEW v IS 'x';
-- form grant
GRANT SELECT ON t TO a_role;
GRANT ALL ON TABLE t TO a_role;
REVOKE ALL ON t FROM a_role;
REVOKE SELECT ON t FROM PUBLIC;
-- form grant-columns
GRANT SELECT (a) ON t TO a_role;
REVOKE SELECT (a) ON t FROM a_role;
-- form grant-all-in-schema
GRANT SELECT ON ALL TABLES IN SCHEMA w TO a_role;
-- form alter-default-privileges
ALTER DEFAULT PRIVILEGES IN SCHEMA w GRANT SELECT ON TABLES TO a_role;
-- form alter-view
ALTER VIEW v SET (security_barrier = true);
ALTER VIEW v RESET (security_barrier);
ALTER VIEW v SET (security_invoker = true);
ALTER VIEW v SET (check_option = local);
-- form rename-view
ALTER VIEW v RENAME TO z;
ALTER TABLE v RENAME TO z;
-- form set-schema-of-view
ALTER VIEW v SET SCHEMA elsewhere;
-- form owner-to-of-view
ALTER VIEW v OWNER TO a_role;
-- form drop-view
DROP VIEW v;
DROP VIEW IF EXISTS v CASCADE;
-- form create-statistics
CREATE STATISTICS st ON a, b FROM t;
CREATE STATISTICS IF NOT EXISTS st (ndistinct) ON a, b FROM t;
-- form extension-add-table
ALTER EXTENSION plpgsql ADD TABLE t;
-- form drop-schema
DROP SCHEMA w CASCADE;
-- form rename-schema
ALTER SCHEMA w RENAME TO z;
-- form reassign-owned
REASSIGN OWNED BY a_owner TO a_role;

-- given
CREATE TABLE t (a int, b int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME s));
CREATE VIEW v AS SELECT a FROM t;
ALTER TABLE t OWNER TO a_owner;
-- form reassign-owned-table
REASSIGN OWNED BY a_owner TO a_role;
-- form drop-owned-table
DROP OWNED BY a_owner CASCADE;
-- form drop-table-with-sequence
DROP TABLE t CASCADE;
-- form rename-table-with-sequence
ALTER TABLE t RENAME TO z;
-- form set-schema-with-sequence
ALTER TABLE t SET SCHEMA elsewhere;
-- form owner-to-with-sequence
ALTER TABLE t OWNER TO a_role;
-- form set-unlogged-with-sequence
ALTER TABLE t SET UNLOGGED;
-- form truncate-restart-identity
TRUNCATE t RESTART IDENTITY;
-- form insert-with-identity
INSERT INTO t (a) VALUES (1);

-- given
CREATE UNLOGGED TABLE t (a int);
INSERT INTO t VALUES (1);
-- form set-logged
ALTER TABLE t SET LOGGED;

-- given
CREATE TYPE ty AS (a int);
CREATE TABLE t OF ty;
-- form not-of
ALTER TABLE t NOT OF;

-- given
CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TABLE t (a int, b int);
CREATE TABLE ch () INHERITS (t);
CREATE TABLE r (a int);
CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION fires();
CREATE RULE e AS ON UPDATE TO t DO ALSO NOTHING;
CREATE POLICY o ON t USING (a > 0);
CREATE STATISTICS st ON a, b FROM t;
-- form enable-trigger
ALTER TABLE t DISABLE TRIGGER g;
ALTER TABLE t ENABLE ALWAYS TRIGGER g;
ALTER TABLE t DISABLE TRIGGER USER;
ALTER TABLE t ENABLE TRIGGER ALL;
-- form replace-trigger
CREATE OR REPLACE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION fires();
-- form drop-trigger
DROP TRIGGER g ON t;
DROP TRIGGER IF EXISTS g ON t;
-- form drop-trigger-missing
DROP TRIGGER IF EXISTS z ON t;
-- form rename-trigger
ALTER TRIGGER g ON t RENAME TO z;
-- form comment-on-trigger
COMMENT ON TRIGGER g ON t IS 'x';
-- form enable-rule
ALTER TABLE t DISABLE RULE e;
ALTER TABLE t ENABLE ALWAYS RULE e;
-- form replace-rule
CREATE OR REPLACE RULE e AS ON UPDATE TO t DO INSTEAD NOTHING;
-- form drop-rule
DROP RULE e ON t;
-- form drop-rule-missing
DROP RULE IF EXISTS z ON t;
-- form rename-rule
ALTER RULE e ON t RENAME TO z;
-- form comment-on-rule
COMMENT ON RULE e ON t IS 'x';
-- form alter-policy
ALTER POLICY o ON t USING (a > 1);
ALTER POLICY o ON t TO a_role;
-- form drop-policy
DROP POLICY o ON t;
-- form drop-policy-missing
DROP POLICY IF EXISTS z ON t;
-- form rename-policy
ALTER POLICY o ON t RENAME TO z;
-- form comment-on-policy
COMMENT ON POLICY o ON t IS 'x';
-- form alter-statistics
ALTER STATISTICS st SET STATISTICS 100;
-- form rename-statistics
ALTER STATISTICS st RENAME TO z;
-- form owner-to-of-statistics
ALTER STATISTICS st OWNER TO a_role;
-- form set-schema-of-statistics
ALTER STATISTICS st SET SCHEMA elsewhere;
-- form comment-on-statistics
COMMENT ON STATISTICS st IS 'x';
-- form drop-statistics
DROP STATISTICS st;
-- form drop-function-of-trigger
DROP FUNCTION fires CASCADE;
-- form drop-inherited
DROP TABLE t CASCADE;
-- form drop-child
DROP TABLE ch;
-- form no-inherit
ALTER TABLE ch NO INHERIT t;
-- form rename-table-with-child
ALTER TABLE t RENAME TO z;
-- form set-schema-with-child
ALTER TABLE t SET SCHEMA elsewhere;

-- given
CREATE TABLE t (a int);
CREATE TABLE ch (a int);
-- form inherit
ALTER TABLE ch INHERIT t;

-- given
CREATE TABLE t (a int);
CREATE MATERIALIZED VIEW m AS SELECT a FROM t;
CREATE UNIQUE INDEX i ON m (a);
-- form refresh
REFRESH MATERIALIZED VIEW m;
-- form refresh-without-data
REFRESH MATERIALIZED VIEW m WITH NO DATA;
-- form refresh-concurrently
REFRESH MATERIALIZED VIEW CONCURRENTLY m;
-- form drop-materialized-view
DROP MATERIALIZED VIEW m;
-- form rename-materialized-view
ALTER MATERIALIZED VIEW m RENAME TO z;
ALTER TABLE m RENAME TO z;
-- form rename-materialized-view-column
ALTER MATERIALIZED VIEW m RENAME a TO z;
-- form set-schema-of-materialized-view
ALTER MATERIALIZED VIEW m SET SCHEMA elsewhere;
-- form owner-to-of-materialized-view
ALTER MATERIALIZED VIEW m OWNER TO a_role;
-- form set-parameter-of-materialized-view
ALTER MATERIALIZED VIEW m SET (fillfactor = 70);
ALTER MATERIALIZED VIEW m SET (autovacuum_enabled = off);
-- form set-statistics-of-materialized-view
ALTER MATERIALIZED VIEW m ALTER a SET STATISTICS 200;
-- form set-tablespace-of-materialized-view
ALTER MATERIALIZED VIEW m SET TABLESPACE elsewhere;
-- form cluster-on-of-materialized-view
ALTER MATERIALIZED VIEW m CLUSTER ON i;
-- form comment-on-materialized-view
COMMENT ON MATERIALIZED VIEW m IS 'x';
-- form create-index-on-materialized-view
CREATE INDEX z ON m (a);
-- form drop-table-with-materialized-view
DROP TABLE t CASCADE;

-- given
CREATE FOREIGN TABLE t (a int, b text) SERVER a_server;
-- form alter-foreign-table
ALTER FOREIGN TABLE t ADD COLUMN z int;
ALTER FOREIGN TABLE t ALTER a SET DEFAULT 5;
ALTER FOREIGN TABLE t OPTIONS (ADD x 'y');
ALTER FOREIGN TABLE t ALTER a OPTIONS (ADD x 'y');
ALTER FOREIGN TABLE t RENAME TO z;
ALTER FOREIGN TABLE t RENAME a TO z;
ALTER FOREIGN TABLE t SET SCHEMA elsewhere;
ALTER FOREIGN TABLE t OWNER TO a_role;
-- form drop-foreign-table
DROP FOREIGN TABLE t;
-- form drop-foreign-server
DROP SERVER a_server CASCADE;
-- form comment-on-foreign-table
COMMENT ON FOREIGN TABLE t IS 'x';
-- form create-foreign-table
CREATE FOREIGN TABLE z (a int) SERVER a_server;

-- given
CREATE TABLE t (a int);
CREATE TABLE r (a int);
CREATE PUBLICATION pub FOR TABLE t;
-- form create-publication
CREATE PUBLICATION z FOR TABLE t;
CREATE PUBLICATION z FOR TABLE t WHERE (a > 0);
-- form create-publication-for-all
CREATE PUBLICATION z FOR ALL TABLES;
CREATE PUBLICATION z FOR TABLES IN SCHEMA w;
CREATE PUBLICATION z;
-- form publication-drop-table
ALTER PUBLICATION pub DROP TABLE t;
-- form publication-set-same-table
ALTER PUBLICATION pub SET TABLE t;
-- form publication-set-options
ALTER PUBLICATION pub SET (publish = 'insert');
-- form rename-publication
ALTER PUBLICATION pub RENAME TO z;
-- form drop-publication
DROP PUBLICATION pub;

-- given
CREATE TABLE t (a int);
CREATE PUBLICATION pub;
-- form publication-add-table
ALTER PUBLICATION pub ADD TABLE t;
-- form publication-set-table
ALTER PUBLICATION pub SET TABLE t;
-- form publication-add-schema
ALTER PUBLICATION pub ADD TABLES IN SCHEMA w;
