-- Locks of constraints. How to read these files stands in ../locks.rs.

-- given
CREATE TABLE t (a int NOT NULL, b int, d int, CONSTRAINT positive CHECK (d > 0));
CREATE TABLE ch () INHERITS (t);
ALTER TABLE t ADD CONSTRAINT later CHECK (b > 0) NOT VALID;
INSERT INTO t VALUES (1, 1, 1);
-- form add-check
ALTER TABLE t ADD CHECK (a > 0);
ALTER TABLE t ADD CONSTRAINT z CHECK (a IS NOT NULL);
-- form add-check-not-valid
ALTER TABLE t ADD CONSTRAINT z CHECK (a > 0) NOT VALID;
-- form add-check-not-enforced
ALTER TABLE t ADD CONSTRAINT z CHECK (a > 0) NOT ENFORCED;
-- form add-check-no-inherit
ALTER TABLE t ADD CHECK (a > 0) NO INHERIT;
-- form validate-check
ALTER TABLE t VALIDATE CONSTRAINT later;
-- form validate-again
ALTER TABLE t VALIDATE CONSTRAINT positive;
-- form drop-check
ALTER TABLE t DROP CONSTRAINT positive;
-- form drop-constraint-missing
ALTER TABLE t DROP CONSTRAINT IF EXISTS z;
-- form rename-check
ALTER TABLE t RENAME CONSTRAINT positive TO z;
-- form add-not-null
ALTER TABLE t ADD NOT NULL b;
-- form add-not-null-not-valid
ALTER TABLE t ADD CONSTRAINT z NOT NULL b NOT VALID;

-- given from 18
CREATE TABLE t (a int, b int CONSTRAINT given NOT NULL);
CREATE TABLE ch () INHERITS (t);
ALTER TABLE t ADD CONSTRAINT later NOT NULL a NOT VALID;
-- form validate-not-null
ALTER TABLE t VALIDATE CONSTRAINT later;
-- form set-not-null-over-not-valid
ALTER TABLE t ALTER a SET NOT NULL;
-- form drop-not-null-constraint
ALTER TABLE t DROP CONSTRAINT given;
-- form alter-not-null-inherit
ALTER TABLE t ALTER CONSTRAINT given INHERIT;

-- given
CREATE TABLE t (a int NOT NULL, b int, c int NOT NULL);
CREATE TABLE ch () INHERITS (t);
CREATE UNIQUE INDEX i ON t (a);
-- form add-unique
ALTER TABLE t ADD UNIQUE (c);
ALTER TABLE t ADD CONSTRAINT z UNIQUE (b) DEFERRABLE;
-- form add-column-unique
ALTER TABLE t ADD COLUMN z int UNIQUE;
ALTER TABLE t ADD COLUMN z int PRIMARY KEY;
-- form add-exclude
ALTER TABLE t ADD EXCLUDE (b WITH =);
-- form add-primary-key
ALTER TABLE t ADD PRIMARY KEY (c);
-- form add-primary-key-on-nullable
ALTER TABLE t ADD PRIMARY KEY (b);
-- form add-unique-using-index
ALTER TABLE t ADD UNIQUE USING INDEX i;
-- form add-unique-using-index-renamed
ALTER TABLE t ADD CONSTRAINT z UNIQUE USING INDEX i;
-- form add-primary-key-using-index
ALTER TABLE t ADD PRIMARY KEY USING INDEX i;
-- form add-primary-key-using-index-renamed
ALTER TABLE t ADD CONSTRAINT z PRIMARY KEY USING INDEX i;

-- given
CREATE TABLE t (a int, CONSTRAINT i UNIQUE (a) DEFERRABLE);
-- form drop-unique
ALTER TABLE t DROP CONSTRAINT i;
ALTER TABLE t DROP CONSTRAINT i CASCADE;
-- form rename-unique
ALTER TABLE t RENAME CONSTRAINT i TO z;
-- form comment-on-constraint
COMMENT ON CONSTRAINT i ON t IS 'x';
-- form set-constraints
SET CONSTRAINTS i DEFERRED;
SET CONSTRAINTS ALL IMMEDIATE;

-- given
CREATE TABLE t (a int);
CREATE TABLE r (a int, CONSTRAINT i PRIMARY KEY (a));
INSERT INTO r VALUES (1);
INSERT INTO t VALUES (1);
-- form add-foreign-key
ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES r;
ALTER TABLE t ADD CONSTRAINT z FOREIGN KEY (a) REFERENCES r ON DELETE CASCADE DEFERRABLE;
-- form add-foreign-key-not-valid
ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES r NOT VALID;
-- form add-foreign-key-not-enforced
ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES r NOT ENFORCED;
-- form add-column-references
ALTER TABLE t ADD COLUMN z int REFERENCES r;
-- form add-column-references-default
ALTER TABLE t ADD COLUMN z int DEFAULT 1 REFERENCES r;
-- form create-table-references
CREATE TABLE z (a int REFERENCES r);
CREATE TABLE z (a int, FOREIGN KEY (a) REFERENCES r);

-- given
CREATE TABLE r (a int, b int, CONSTRAINT i PRIMARY KEY (a));
CREATE TABLE t (a int, b int, CONSTRAINT fk FOREIGN KEY (a) REFERENCES r);
ALTER TABLE t ADD CONSTRAINT later FOREIGN KEY (b) REFERENCES r NOT VALID;
INSERT INTO r VALUES (1, 1), (2, 2);
INSERT INTO t VALUES (1, 1);
-- form validate-foreign-key
ALTER TABLE t VALIDATE CONSTRAINT later;
-- form validate-foreign-key-again
ALTER TABLE t VALIDATE CONSTRAINT fk;
-- form alter-foreign-key-deferrable
ALTER TABLE t ALTER CONSTRAINT fk DEFERRABLE;
ALTER TABLE t ALTER CONSTRAINT fk DEFERRABLE INITIALLY DEFERRED;
-- form alter-foreign-key-not-enforced
ALTER TABLE t ALTER CONSTRAINT fk NOT ENFORCED;
-- form drop-foreign-key
ALTER TABLE t DROP CONSTRAINT fk;
-- form rename-foreign-key
ALTER TABLE t RENAME CONSTRAINT fk TO z;
-- form drop-column-with-foreign-key
ALTER TABLE t DROP COLUMN a;
-- form set-type-with-foreign-key
ALTER TABLE t ALTER a TYPE bigint;
-- form rename-column-with-foreign-key
ALTER TABLE t RENAME a TO z;
-- form drop-table-with-foreign-key
DROP TABLE t;
-- form rename-table-with-foreign-key
ALTER TABLE t RENAME TO z;
-- form truncate-with-foreign-key
TRUNCATE t;
-- form comment-on-foreign-key
COMMENT ON CONSTRAINT fk ON t IS 'x';
-- form insert-checks-foreign-key
INSERT INTO t VALUES (1, 1);
UPDATE t SET a = 2;
-- form disable-trigger-all-with-foreign-key
ALTER TABLE t DISABLE TRIGGER ALL;
ALTER TABLE t ENABLE TRIGGER ALL;

-- given from 18
CREATE TABLE r (a int, CONSTRAINT i PRIMARY KEY (a));
CREATE TABLE t (a int, CONSTRAINT fk FOREIGN KEY (a) REFERENCES r NOT ENFORCED);
INSERT INTO r VALUES (1);
INSERT INTO t VALUES (1);
-- form alter-foreign-key-enforced
ALTER TABLE t ALTER CONSTRAINT fk ENFORCED;

-- given
CREATE TABLE t (a int, b int, CONSTRAINT i PRIMARY KEY (a));
CREATE TABLE ref (a int REFERENCES t ON DELETE CASCADE);
INSERT INTO t VALUES (1, 1);
INSERT INTO ref VALUES (1);
-- form drop-referenced-key
ALTER TABLE t DROP CONSTRAINT i CASCADE;
-- form drop-referenced-column
ALTER TABLE t DROP COLUMN a CASCADE;
-- form drop-referenced-table
DROP TABLE t CASCADE;
-- form set-type-of-referenced
ALTER TABLE t ALTER a TYPE bigint;
ALTER TABLE t ALTER a TYPE oid;
-- form rename-referenced-column
ALTER TABLE t RENAME a TO z;
-- form rename-referenced-table
ALTER TABLE t RENAME TO z;
-- form truncate-referenced
TRUNCATE t CASCADE;
-- form delete-referenced
DELETE FROM t;

-- given
CREATE TABLE t (a int, CONSTRAINT i PRIMARY KEY (a));
CREATE TABLE ref (a int REFERENCES t);
INSERT INTO t VALUES (1), (2);
-- form delete-referenced-restrict
DELETE FROM t;
UPDATE t SET a = a + 7;

-- given
CREATE TABLE r (a int, CONSTRAINT i PRIMARY KEY (a));
CREATE TABLE p (a int NOT NULL, b int) PARTITION BY LIST (a);
CREATE TABLE x PARTITION OF p FOR VALUES IN (1);
CREATE TABLE pd PARTITION OF p DEFAULT;
INSERT INTO r VALUES (1);
INSERT INTO p VALUES (1, 1);
-- form add-check-to-partitioned
ALTER TABLE p ADD CHECK (b > 0);
-- form add-check-to-partitioned-not-valid
ALTER TABLE p ADD CHECK (b > 0) NOT VALID;
-- form add-foreign-key-to-partitioned
ALTER TABLE p ADD FOREIGN KEY (a) REFERENCES r;
-- form add-foreign-key-to-partitioned-not-valid
ALTER TABLE p ADD FOREIGN KEY (a) REFERENCES r NOT VALID;
-- form add-foreign-key-to-partitioned-not-enforced
ALTER TABLE p ADD FOREIGN KEY (a) REFERENCES r NOT ENFORCED;
-- form add-unique-to-partitioned
ALTER TABLE p ADD UNIQUE (a);
-- form add-primary-key-to-partitioned
ALTER TABLE p ADD PRIMARY KEY (a);
-- form add-primary-key-to-partitioned-on-nullable
ALTER TABLE p ADD PRIMARY KEY (a, b);
-- form only-add-primary-key-to-partitioned
ALTER TABLE ONLY p ADD PRIMARY KEY (a);
-- form add-foreign-key-to-partition
ALTER TABLE x ADD FOREIGN KEY (a) REFERENCES r;

-- given
CREATE TABLE r (a int, CONSTRAINT i PRIMARY KEY (a));
CREATE TABLE p (a int, b int, CONSTRAINT pi PRIMARY KEY (a), CONSTRAINT fk FOREIGN KEY (a) REFERENCES r, CONSTRAINT later CHECK (b > 0)) PARTITION BY LIST (a);
CREATE TABLE x (a int, b int, CONSTRAINT xi PRIMARY KEY (a), CONSTRAINT later CHECK (b > 0));
ALTER TABLE p ATTACH PARTITION x FOR VALUES IN (1);
INSERT INTO r VALUES (1);
INSERT INTO p VALUES (1, 1);
-- form drop-check-of-partitioned
ALTER TABLE p DROP CONSTRAINT later;
-- form rename-check-of-partitioned
ALTER TABLE p RENAME CONSTRAINT later TO z;
-- form drop-foreign-key-of-partitioned
ALTER TABLE p DROP CONSTRAINT fk;
-- form rename-foreign-key-of-partitioned
ALTER TABLE p RENAME CONSTRAINT fk TO z;
-- form alter-foreign-key-of-partitioned
ALTER TABLE p ALTER CONSTRAINT fk DEFERRABLE;
-- form alter-foreign-key-of-partitioned-not-enforced
ALTER TABLE p ALTER CONSTRAINT fk NOT ENFORCED;
-- form drop-key-of-partitioned
ALTER TABLE p DROP CONSTRAINT pi;
-- form rename-key-of-partitioned
ALTER TABLE p RENAME CONSTRAINT pi TO z;

-- given
CREATE TABLE p (a int, b int) PARTITION BY LIST (a);
CREATE TABLE x PARTITION OF p FOR VALUES IN (1);
ALTER TABLE p ADD CONSTRAINT later CHECK (b > 0) NOT VALID;
-- form validate-check-of-partitioned
ALTER TABLE p VALIDATE CONSTRAINT later;

-- given from 18
CREATE TABLE r (a int, CONSTRAINT i PRIMARY KEY (a));
CREATE TABLE p (a int, b int) PARTITION BY LIST (a);
CREATE TABLE x PARTITION OF p FOR VALUES IN (1);
INSERT INTO r VALUES (1);
INSERT INTO p VALUES (1, 1);
ALTER TABLE p ADD CONSTRAINT later FOREIGN KEY (a) REFERENCES r NOT VALID;
-- form validate-foreign-key-of-partitioned
ALTER TABLE p VALIDATE CONSTRAINT later;

-- given from 18
CREATE TABLE r (a int, CONSTRAINT i PRIMARY KEY (a));
CREATE TABLE p (a int, b int, CONSTRAINT fk FOREIGN KEY (a) REFERENCES r NOT ENFORCED) PARTITION BY LIST (a);
CREATE TABLE x PARTITION OF p FOR VALUES IN (1);
-- form alter-foreign-key-of-partitioned-enforced
ALTER TABLE p ALTER CONSTRAINT fk ENFORCED;

-- given
CREATE TABLE p (a int, b int, CONSTRAINT pi PRIMARY KEY (a)) PARTITION BY LIST (a);
CREATE TABLE x (a int, b int, CONSTRAINT xi PRIMARY KEY (a));
ALTER TABLE p ATTACH PARTITION x FOR VALUES IN (1);
CREATE TABLE t (a int, b int);
CREATE TABLE ref (a int, CONSTRAINT fk FOREIGN KEY (a) REFERENCES p);
ALTER TABLE ref ADD CONSTRAINT later FOREIGN KEY (a) REFERENCES p NOT VALID;
INSERT INTO p VALUES (1, 1);
INSERT INTO t VALUES (1);
INSERT INTO ref VALUES (1);
-- form add-foreign-key-referencing-partitioned
ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p;
-- form add-foreign-key-referencing-partitioned-not-valid
ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p NOT VALID;
-- form create-table-referencing-partitioned
CREATE TABLE z (a int REFERENCES p);
-- form validate-foreign-key-referencing-partitioned
ALTER TABLE ref VALIDATE CONSTRAINT later;
-- form drop-foreign-key-referencing-partitioned
ALTER TABLE ref DROP CONSTRAINT fk;
-- form alter-foreign-key-referencing-partitioned
ALTER TABLE ref ALTER CONSTRAINT fk DEFERRABLE;
