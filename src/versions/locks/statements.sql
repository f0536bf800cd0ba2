-- Locks of reading, writing and maintenance. How to read these files stands in ../locks.rs.

-- given
CREATE TABLE t (a int NOT NULL, b text, c int[], d tsvector, e point);
CREATE INDEX i ON t (a, lower(b));
CREATE TABLE r (a int);
CREATE TABLE u (a int, CONSTRAINT other CHECK (a > 0));
INSERT INTO t SELECT n FROM generate_series(1, 100) n;
-- form vacuum, alone
VACUUM t;
VACUUM (ANALYZE) t;
VACUUM (FREEZE) t;
-- form vacuum-full, alone
VACUUM FULL t;
-- form analyze
ANALYZE t;
ANALYZE t (a);
-- form truncate
TRUNCATE t;
TRUNCATE ONLY t RESTART IDENTITY;
-- form lock-table
LOCK TABLE t;
-- form lock-table-in-mode
LOCK TABLE t IN SHARE MODE;
-- form insert
INSERT INTO t (a) VALUES (1);
COPY t (a) FROM '/dev/null';
-- form insert-select
INSERT INTO t (a) SELECT a FROM r;
-- form update
UPDATE t SET a = 1;
DELETE FROM t;
-- form update-from
UPDATE t SET a = 1 FROM r WHERE r.a = t.a;
DELETE FROM t USING r WHERE r.a = t.a;
MERGE INTO t USING r ON t.a = r.a WHEN MATCHED THEN UPDATE SET a = 1 WHEN NOT MATCHED THEN INSERT (a) VALUES (r.a);
-- form merge
MERGE INTO t USING r ON t.a = r.a WHEN NOT MATCHED THEN INSERT (a) VALUES (r.a);
-- form select
SELECT * FROM t;
SELECT count(*) FROM t;
COPY (SELECT a FROM t) TO '/dev/null';
EXPLAIN SELECT * FROM t;
-- form copy-to
COPY t TO '/dev/null';
-- form select-for-update
SELECT * FROM t FOR UPDATE;
SELECT * FROM t FOR KEY SHARE;
SELECT * FROM t FOR NO KEY UPDATE;
SELECT * FROM t FOR SHARE;
-- form select-for-update-of
SELECT * FROM t, r FOR UPDATE OF t;
-- form drop-table-of-several
DROP TABLE r, u;

-- given
CREATE TABLE t (a int, CONSTRAINT i PRIMARY KEY (a));
CREATE VIEW v AS SELECT a FROM t;
-- form lock-view
LOCK TABLE v IN SHARE MODE;
-- form select-from-view
SELECT * FROM v;
-- form insert-into-view
INSERT INTO v VALUES (1);
-- form select-view-for-update
SELECT * FROM v FOR UPDATE;
-- form update-by-key
UPDATE t SET a = 2 WHERE a = 1;
-- form insert-on-conflict
INSERT INTO t VALUES (1) ON CONFLICT (a) DO NOTHING;
INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 1;

-- given
CREATE TABLE t (a int, b text);
CREATE TABLE ch () INHERITS (t);
-- form truncate-with-child
TRUNCATE t;
-- form lock-with-child
LOCK TABLE t IN SHARE MODE;
-- form select-with-child
SELECT * FROM t;
-- form update-with-child
UPDATE t SET a = 1;
-- form analyze-with-child
ANALYZE t;
-- form create-index-with-child
CREATE INDEX z ON t (a);
