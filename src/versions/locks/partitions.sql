-- Locks of partitioned tables. How to read these files stands in ../locks.rs.

-- given
CREATE TABLE r (a int, CONSTRAINT i PRIMARY KEY (a));
CREATE TABLE p (a int NOT NULL, b int NOT NULL REFERENCES r, CONSTRAINT pi PRIMARY KEY (a)) PARTITION BY LIST (a);
CREATE TABLE x (a int NOT NULL, b int NOT NULL, CONSTRAINT xi PRIMARY KEY (a));
-- form attach-partition-with-index-and-foreign-key
ALTER TABLE p ATTACH PARTITION x FOR VALUES IN (1);

-- given
CREATE TABLE p (a int NOT NULL, b int) PARTITION BY LIST (a);
CREATE TABLE y PARTITION OF p FOR VALUES IN (2);
CREATE TABLE x (a int NOT NULL, b int, CHECK (a = 1));
-- form attach-partition
ALTER TABLE p ATTACH PARTITION x FOR VALUES IN (1);
-- form attach-default-partition
ALTER TABLE p ATTACH PARTITION x DEFAULT;
-- form create-partition
CREATE TABLE z PARTITION OF p FOR VALUES IN (3);
-- form create-partition-existing
CREATE TABLE IF NOT EXISTS y PARTITION OF p FOR VALUES IN (3);
-- form drop-partition
DROP TABLE y;
-- form detach-partition
ALTER TABLE p DETACH PARTITION y;
-- form detach-partition-concurrently, alone
ALTER TABLE p DETACH PARTITION y CONCURRENTLY;
-- form drop-partitioned
DROP TABLE p;
-- form rename-partitioned
ALTER TABLE p RENAME TO z;
-- form rename-partition
ALTER TABLE y RENAME TO z;
-- form set-schema-of-partitioned
ALTER TABLE p SET SCHEMA elsewhere;
-- form owner-to-of-partitioned
ALTER TABLE p OWNER TO a_role;
-- form set-logged-of-partitioned
ALTER TABLE p SET LOGGED;
-- form set-unlogged-of-partitioned
ALTER TABLE p SET UNLOGGED;
-- form set-tablespace-of-partitioned
ALTER TABLE p SET TABLESPACE elsewhere;
-- form set-access-method-of-partitioned
ALTER TABLE p SET ACCESS METHOD other_heap;
-- form set-parameter-of-partitioned
ALTER TABLE p SET (fillfactor = 70);
-- form replica-identity-of-partitioned
ALTER TABLE p REPLICA IDENTITY FULL;
-- form row-level-security-of-partitioned
ALTER TABLE p ENABLE ROW LEVEL SECURITY;
-- form create-policy-on-partitioned
CREATE POLICY o ON p USING (a > 0);
-- form create-rule-on-partitioned
CREATE RULE e AS ON INSERT TO p DO ALSO NOTHING;
-- form grant-on-partitioned
GRANT SELECT ON p TO a_role;
-- form comment-on-partitioned
COMMENT ON TABLE p IS 'x';
-- form truncate-partitioned
TRUNCATE p;
-- form only-truncate-partitioned
TRUNCATE ONLY p;
-- form truncate-partition
TRUNCATE y;
-- form analyze-partitioned
ANALYZE p;
-- form vacuum-partitioned, alone
VACUUM p;
-- form lock-partitioned
LOCK TABLE p IN SHARE MODE;
-- form insert-into-partitioned
INSERT INTO p VALUES (2, 2);
-- form update-partitioned
UPDATE p SET b = 3;
DELETE FROM p;
-- form select-from-partitioned
SELECT * FROM p;
-- form create-statistics-on-partitioned
CREATE STATISTICS st ON a, b FROM p;
-- form create-publication-for-partitioned
CREATE PUBLICATION z FOR TABLE p;
-- form create-view-of-partitioned
CREATE VIEW z AS SELECT a FROM p;

-- given
CREATE TABLE p (a int NOT NULL, b int) PARTITION BY LIST (a);
CREATE TABLE pd PARTITION OF p DEFAULT;
CREATE TABLE y PARTITION OF p FOR VALUES IN (2);
CREATE TABLE x (a int NOT NULL, b int);
-- form attach-partition-with-default
ALTER TABLE p ATTACH PARTITION x FOR VALUES IN (1);
-- form create-partition-with-default
CREATE TABLE z PARTITION OF p FOR VALUES IN (3);
-- form drop-partition-with-default
DROP TABLE y;
-- form drop-default-partition
DROP TABLE pd;
-- form detach-partition-with-default
ALTER TABLE p DETACH PARTITION y;
-- form detach-default-partition
ALTER TABLE p DETACH PARTITION pd;
-- form detach-partition-concurrently-with-default, alone
ALTER TABLE p DETACH PARTITION y CONCURRENTLY;

-- The mark that DETACH CONCURRENTLY leaves when it is interrupted between its two transactions.
-- given
CREATE TABLE p (a int NOT NULL, b int) PARTITION BY LIST (a);
CREATE TABLE x PARTITION OF p FOR VALUES IN (1);
CREATE TABLE y PARTITION OF p FOR VALUES IN (2);
SET allow_system_table_mods = on;
UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'x'::regclass;
-- form detach-partition-finalize
ALTER TABLE p DETACH PARTITION x FINALIZE;

-- given
CREATE TABLE p (a int NOT NULL, b int, CONSTRAINT pi PRIMARY KEY (a)) PARTITION BY LIST (a);
CREATE TABLE x (a int NOT NULL, b int, CONSTRAINT xi PRIMARY KEY (a));
ALTER TABLE p ATTACH PARTITION x FOR VALUES IN (1);
CREATE TABLE y (a int NOT NULL, b int);
CREATE TABLE ref (a int REFERENCES p);
-- form detach-referenced-partition
ALTER TABLE p DETACH PARTITION x;
-- form drop-referenced-partition
DROP TABLE x CASCADE;
-- form create-partition-of-referenced
CREATE TABLE z PARTITION OF p FOR VALUES IN (3);
-- form attach-partition-to-referenced
ALTER TABLE p ATTACH PARTITION y FOR VALUES IN (3);
-- form drop-referenced-partitioned
DROP TABLE p CASCADE;
-- form truncate-referenced-partitioned
TRUNCATE p CASCADE;
-- form truncate-referenced-partition
TRUNCATE x CASCADE;

-- given
CREATE TABLE r (a int, CONSTRAINT i PRIMARY KEY (a));
CREATE TABLE p (a int NOT NULL, b int CONSTRAINT fk REFERENCES r) PARTITION BY LIST (a);
CREATE TABLE x PARTITION OF p FOR VALUES IN (1);
CREATE TABLE y (a int NOT NULL, b int);
-- form detach-partition-with-foreign-key
ALTER TABLE p DETACH PARTITION x;
-- form detach-partition-with-foreign-key-concurrently, alone
ALTER TABLE p DETACH PARTITION x CONCURRENTLY;
-- form drop-partition-with-foreign-key
DROP TABLE x;
-- form create-partition-with-foreign-key
CREATE TABLE z PARTITION OF p FOR VALUES IN (3);
-- form attach-partition-with-foreign-key
ALTER TABLE p ATTACH PARTITION y FOR VALUES IN (3);

-- given
CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TABLE p (a int NOT NULL, b int) PARTITION BY LIST (a);
CREATE TABLE x PARTITION OF p FOR VALUES IN (1);
CREATE TRIGGER g AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION fires();
-- form create-row-trigger-on-partitioned
CREATE TRIGGER z AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION fires();
-- form create-statement-trigger-on-partitioned
CREATE TRIGGER z AFTER INSERT ON p EXECUTE FUNCTION fires();
-- form enable-trigger-on-partitioned
ALTER TABLE p DISABLE TRIGGER g;
ALTER TABLE p ENABLE TRIGGER g;
-- form only-enable-trigger-on-partitioned
ALTER TABLE ONLY p DISABLE TRIGGER g;
-- form drop-trigger-on-partitioned
DROP TRIGGER g ON p;
-- form rename-trigger-on-partitioned
ALTER TRIGGER g ON p RENAME TO z;

-- given
CREATE TABLE p (a int NOT NULL, b int) PARTITION BY LIST (a);
CREATE TABLE x PARTITION OF p FOR VALUES IN (1);
CREATE TABLE pd PARTITION OF p DEFAULT;
CREATE INDEX pi ON ONLY p (b);
CREATE INDEX xi ON x (b);
-- form create-index-on-partitioned
CREATE INDEX z ON p (a);
CREATE UNIQUE INDEX z ON p (a);
-- form create-index-only
CREATE INDEX z ON ONLY p (a);
-- form create-index-on-partition
CREATE INDEX z ON x (a);
-- form attach-index
ALTER INDEX pi ATTACH PARTITION xi;
-- form drop-index-only
DROP INDEX pi;

-- given
CREATE TABLE p (a int NOT NULL, b int) PARTITION BY LIST (a);
CREATE TABLE x (a int NOT NULL, b int);
CREATE INDEX pi ON p (b);
CREATE INDEX xi ON x (b);
ALTER TABLE p ATTACH PARTITION x FOR VALUES IN (1);
-- form drop-index-of-partitioned
DROP INDEX pi;
-- form drop-index-concurrently-of-partitioned, alone
DROP INDEX CONCURRENTLY pi;
-- form rename-index-of-partitioned
ALTER INDEX pi RENAME TO z;
-- form set-tablespace-of-partitioned-index
ALTER INDEX pi SET TABLESPACE elsewhere;
-- form reindex-partitioned-index, alone
REINDEX INDEX pi;
-- form reindex-partitioned, alone
REINDEX TABLE p;
-- form reindex-partitioned-concurrently, alone
REINDEX TABLE CONCURRENTLY p;
-- form cluster-partitioned, alone
CLUSTER p USING pi;
