-- Locks of sequences, types, domains, functions and what locks no relation. How to read these files stands in ../locks.rs.

-- given
CREATE SEQUENCE s;
CREATE TABLE u (a int DEFAULT nextval('s'), b int);
CREATE TABLE t (a int, b int);
-- form create-sequence
CREATE SEQUENCE z;
CREATE SEQUENCE z INCREMENT 5 START 100;
-- form create-sequence-owned-by
CREATE SEQUENCE z OWNED BY t.a;
-- form create-sequence-existing
CREATE SEQUENCE IF NOT EXISTS s;
-- form alter-sequence
ALTER SEQUENCE s INCREMENT 5;
ALTER SEQUENCE s AS int;
ALTER SEQUENCE s MAXVALUE 10000;
ALTER SEQUENCE s NO CYCLE;
ALTER SEQUENCE s CACHE 20;
ALTER SEQUENCE s OWNED BY NONE;
-- form restart-sequence
ALTER SEQUENCE s RESTART;
ALTER SEQUENCE s RESTART WITH 100;
-- form sequence-owned-by
ALTER SEQUENCE s OWNED BY t.a;
-- form set-sequence-logged
ALTER SEQUENCE s SET UNLOGGED;
-- form rename-sequence
ALTER SEQUENCE s RENAME TO z;
ALTER TABLE s RENAME TO z;
-- form owner-to-of-sequence
ALTER SEQUENCE s OWNER TO a_role;
-- form set-schema-of-sequence
ALTER SEQUENCE s SET SCHEMA elsewhere;
-- form comment-on-sequence
COMMENT ON SEQUENCE s IS 'x';
-- form grant-on-sequence
GRANT USAGE ON SEQUENCE s TO a_role;
REVOKE ALL ON SEQUENCE s FROM a_role;
-- form drop-sequence
DROP SEQUENCE s CASCADE;
-- form nextval
SELECT nextval('s');
SELECT setval('s', 5);
-- form currval
SELECT last_value FROM s;
-- form create-table-default-nextval
CREATE TABLE z (a int DEFAULT nextval('s'));
-- form insert-default-nextval
INSERT INTO u (b) VALUES (1);

-- given
CREATE TABLE u (a int);
CREATE SEQUENCE s OWNED BY u.a;
-- form drop-owned-sequence
DROP SEQUENCE s;
-- form sequence-owned-by-none
ALTER SEQUENCE s OWNED BY NONE;
-- form alter-owned-sequence
ALTER SEQUENCE s INCREMENT 5;
-- form rename-owned-sequence
ALTER SEQUENCE s RENAME TO z;

-- given
CREATE DOMAIN dom AS int CONSTRAINT positive CHECK (VALUE > 0);
ALTER DOMAIN dom ADD CONSTRAINT later CHECK (VALUE < 1000) NOT VALID;
CREATE TABLE u (a dom, b int);
CREATE INDEX i ON u (a);
INSERT INTO u VALUES (1);
-- form domain-add-check
ALTER DOMAIN dom ADD CHECK (VALUE < 100);
-- form domain-add-check-not-valid
ALTER DOMAIN dom ADD CONSTRAINT z CHECK (VALUE < 100) NOT VALID;
-- form domain-validate
ALTER DOMAIN dom VALIDATE CONSTRAINT later;
-- form domain-set-not-null
ALTER DOMAIN dom SET NOT NULL;
-- form domain-add-not-null
ALTER DOMAIN dom ADD NOT NULL;
-- form domain-other
ALTER DOMAIN dom DROP NOT NULL;
ALTER DOMAIN dom SET DEFAULT 5;
ALTER DOMAIN dom DROP DEFAULT;
ALTER DOMAIN dom DROP CONSTRAINT positive;
ALTER DOMAIN dom RENAME TO z;
ALTER DOMAIN dom RENAME CONSTRAINT positive TO z;
ALTER DOMAIN dom OWNER TO a_role;
ALTER DOMAIN dom SET SCHEMA elsewhere;
COMMENT ON DOMAIN dom IS 'x';
COMMENT ON CONSTRAINT positive ON DOMAIN dom IS 'x';
GRANT USAGE ON DOMAIN dom TO a_role;
-- form create-domain
CREATE DOMAIN z AS int CHECK (VALUE > 0);
CREATE DOMAIN z AS dom;
-- form drop-domain
DROP DOMAIN dom CASCADE;

-- given
CREATE TYPE mood AS ENUM ('sad');
CREATE TYPE span AS RANGE (subtype = int);
CREATE TABLE u (a mood, b span, c int);
INSERT INTO u VALUES ('sad');
-- form alter-enum
ALTER TYPE mood ADD VALUE 'ok';
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'sad';
ALTER TYPE mood RENAME VALUE 'sad' TO 'low';
-- form alter-type-other
ALTER TYPE mood RENAME TO z;
ALTER TYPE mood OWNER TO a_role;
ALTER TYPE mood SET SCHEMA elsewhere;
COMMENT ON TYPE mood IS 'x';
GRANT USAGE ON TYPE mood TO a_role;
-- form create-type
CREATE TYPE z AS (a int, b mood);
CREATE TYPE z AS ENUM ('a');
CREATE TYPE z AS RANGE (subtype = int);
-- form drop-type
DROP TYPE mood CASCADE;
DROP TYPE span CASCADE;

-- given
CREATE TYPE ty AS (a int, b text);
-- form add-attribute
ALTER TYPE ty ADD ATTRIBUTE z int;
-- form drop-attribute
ALTER TYPE ty DROP ATTRIBUTE b;
-- form set-attribute-type
ALTER TYPE ty ALTER ATTRIBUTE a TYPE bigint;
-- form rename-attribute
ALTER TYPE ty RENAME ATTRIBUTE a TO z;
-- form rename-composite-type
ALTER TYPE ty RENAME TO z;
-- form owner-to-of-composite-type
ALTER TYPE ty OWNER TO a_role;
-- form set-schema-of-composite-type
ALTER TYPE ty SET SCHEMA elsewhere;
-- form comment-on-composite-type
COMMENT ON TYPE ty IS 'x';
-- form comment-on-attribute
COMMENT ON COLUMN ty.a IS 'x';
-- form drop-composite-type
DROP TYPE ty;

-- given
CREATE TYPE ty AS (a int, b text);
CREATE TABLE u (a ty, c int);
CREATE TABLE t OF ty;
-- form add-attribute-of-typed-table
ALTER TYPE ty ADD ATTRIBUTE z int CASCADE;
-- form rename-attribute-of-typed-table
ALTER TYPE ty RENAME ATTRIBUTE a TO z CASCADE;
-- form drop-attribute-of-typed-table
ALTER TYPE ty DROP ATTRIBUTE b CASCADE;
-- form drop-composite-type-in-use
DROP TYPE ty CASCADE;

-- given
CREATE TYPE ty AS (a int, b text);
CREATE TABLE u (a ty, c int);
-- form rename-attribute-in-use
ALTER TYPE ty RENAME ATTRIBUTE a TO z;
-- form add-attribute-in-use
ALTER TYPE ty ADD ATTRIBUTE z int;
-- form rename-composite-type-in-use
ALTER TYPE ty RENAME TO z;

-- given
CREATE FUNCTION one() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE TABLE u (a int DEFAULT one(), b int);
CREATE VIEW v AS SELECT one() AS a FROM u;
-- form create-function
CREATE FUNCTION z() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM u';
CREATE FUNCTION z() RETURNS SETOF u LANGUAGE sql AS 'SELECT * FROM u';
-- form create-function-plpgsql
CREATE FUNCTION z() RETURNS SETOF u LANGUAGE plpgsql AS 'BEGIN RETURN; END';
CREATE FUNCTION z() RETURNS void LANGUAGE plpgsql AS 'BEGIN INSERT INTO u VALUES (1); END';
-- form create-function-with-body
CREATE FUNCTION z() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM u; END;
-- form alter-function
CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2';
ALTER FUNCTION one STABLE;
ALTER FUNCTION one RENAME TO z;
ALTER FUNCTION one OWNER TO a_role;
COMMENT ON FUNCTION one IS 'x';
GRANT EXECUTE ON FUNCTION one TO a_role;
-- form drop-function
DROP FUNCTION one CASCADE;
-- form create-other
CREATE SCHEMA z;
CREATE COLLATION z FROM "C";
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE TEXT SEARCH CONFIGURATION z (COPY = english);
CREATE ROLE z;
CREATE AGGREGATE z (int) (SFUNC = int4pl, STYPE = int);
ALTER ROLE a_role CONNECTION LIMIT 5;
GRANT a_role TO a_owner;
COMMENT ON SCHEMA w IS 'x';
GRANT USAGE ON SCHEMA w TO a_role;
