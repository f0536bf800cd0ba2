//! Bodies, transactions and settings: after each unit the model has the objects that a server has.

use crate::guards::model;
use crate::support::{SERVER, new_database};
use phasegate::catalog::Catalog;
use phasegate::catalog::object::{RelationKind, TypeKind};
use phasegate::source::Wrapping;
use postgres::Client;

/// Every object of user schemas, one line each; constructors of ranges are their type's.
const OBJECTS: &str = "
WITH user_schemas AS (SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
SELECT 'schema ' || nspname FROM user_schemas
UNION ALL SELECT relkind::text || ' ' || nspname || '.' || relname FROM pg_class c JOIN user_schemas n ON n.oid = relnamespace
UNION ALL SELECT 'column ' || nspname || '.' || relname || '.' || attname || ' ' || format_type(atttypid, atttypmod)
    || CASE WHEN attnotnull THEN ' not null' ELSE '' END
    FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN user_schemas n ON n.oid = relnamespace
    WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p')
UNION ALL SELECT 'constraint ' || nspname || '.' || relname || '.' || conname
    FROM pg_constraint JOIN pg_class c ON c.oid = conrelid JOIN user_schemas n ON n.oid = relnamespace WHERE contype <> 'n'
UNION ALL SELECT 'type ' || nspname || '.' || typname FROM pg_type JOIN user_schemas n ON n.oid = typnamespace WHERE typtype IN ('e', 'd', 'r')
UNION ALL SELECT 'label ' || nspname || '.' || typname || '.' || (row_number() OVER (PARTITION BY t.oid ORDER BY enumsortorder)) || enumlabel
    FROM pg_enum JOIN pg_type t ON t.oid = enumtypid JOIN user_schemas n ON n.oid = typnamespace
UNION ALL SELECT 'routine ' || nspname || '.' || proname FROM pg_proc p JOIN user_schemas n ON n.oid = pronamespace
    WHERE NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'i')";

fn on_server(client: &mut Client) -> Vec<String> {
    let mut lines: Vec<String> = client.query(OBJECTS, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    lines.sort();
    lines
}

fn in_model(catalog: &Catalog) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(catalog.schemas.keys().filter(|name| *name != "pg_temp").map(|name| format!("schema {name}")));
    for relation in catalog.relations.values().filter(|relation| relation.schema != "pg_temp") {
        let kind = match relation.kind {
            RelationKind::Table => 'r',
            RelationKind::PartitionedTable => 'p',
            RelationKind::ForeignTable => 'f',
            RelationKind::View => 'v',
            RelationKind::MaterializedView => 'm',
            RelationKind::Sequence => 'S',
            RelationKind::Composite => 'c',
        };
        let name = format!("{}.{}", relation.schema, relation.name);
        lines.push(format!("{kind} {name}"));
        if relation.is_table() {
            for column in &relation.columns {
                let data_type = catalog.format_type(&column.data_type).unwrap_or_default();
                let not_null = if column.not_null { " not null" } else { "" };
                // The server shows types on the search path without their schema.
                lines.push(format!("column {name}.{} {}{not_null}", column.name, data_type.replace("public.", "")));
            }
        }
        lines.extend(relation.constraints.iter().map(|constraint| format!("constraint {name}.{}", constraint.name)));
    }
    lines.extend(catalog.indexes.values().map(|index| format!("i {}.{}", index.schema, index.name)));
    for object in catalog.types.values() {
        let name = format!("{}.{}", object.schema, object.name);
        if let TypeKind::Enum { labels } = &object.kind {
            lines.extend(labels.iter().enumerate().map(|(at, (label, _))| format!("label {name}.{}{label}", at + 1)));
        }
        if matches!(object.kind, TypeKind::Enum { .. } | TypeKind::Domain { .. } | TypeKind::Range { .. }) {
            lines.push(format!("type {name}"));
        }
    }
    lines.extend(catalog.routines.values().map(|routine| format!("routine {}.{}", routine.schema, routine.name)));
    lines.sort();
    lines
}

/// Runs the units in order on a new database and on a new model, and compares after each.
fn agree(units: &[(Wrapping, &str)]) {
    let mut client = SERVER.connect(&new_database()).unwrap();
    let mut catalog = Catalog::new();
    for (number, (wrapping, sql)) in units.iter().enumerate() {
        let run = |client: &mut Client, sql: &str| {
            client.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        };
        match wrapping {
            Wrapping::Wrapped => {
                run(&mut client, "BEGIN");
                run(&mut client, sql);
                run(&mut client, "COMMIT");
            }
            Wrapping::Batch => run(&mut client, sql),
            Wrapping::None | Wrapping::Explicit => {
                for statement in pg_query::split_with_parser(sql).unwrap() {
                    run(&mut client, statement);
                }
            }
        }
        model(&mut catalog, u32::try_from(number + 1).unwrap(), sql, *wrapping);
        let (modelled, real) = (in_model(&catalog), on_server(&mut client));
        let only = |these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|line| !those.contains(line)).cloned().collect()
        };
        let (extra, missing) = (only(&modelled, &real), only(&real, &modelled));
        assert!(
            extra.is_empty() && missing.is_empty(),
            "after {sql}\nonly in the model: {extra:?}\nonly on the server: {missing:?}"
        );
        assert!(!catalog.incomplete, "{sql}");
    }
}

fn wrapped(units: &[&str]) {
    agree(&units.iter().map(|sql| (Wrapping::Wrapped, *sql)).collect::<Vec<_>>());
}

#[test]
fn a_handler_runs_where_a_statement_fails_with_what_it_catches() {
    let create = "DO $$ BEGIN CREATE TYPE mood AS ENUM ('a', 'b'); EXCEPTION WHEN duplicate_object THEN NULL; END $$";
    wrapped(&[create, create]);
    wrapped(&[
        "CREATE TABLE t (a int CONSTRAINT positive CHECK (a > 0), b int UNIQUE)",
        "DO $$ BEGIN CREATE TABLE extra (); CREATE TABLE t (); EXCEPTION WHEN duplicate_table THEN CREATE TABLE handled (); END $$",
        "DO $$ BEGIN ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 1); EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "DO $$ BEGIN ALTER TABLE t ADD CONSTRAINT t_b_key UNIQUE (a); EXCEPTION WHEN duplicate_table THEN CREATE TABLE second (); END $$",
        "DO $$ BEGIN ALTER TABLE t ADD COLUMN a text; EXCEPTION WHEN duplicate_column THEN ALTER TABLE t ADD COLUMN c text; END $$",
        "DO $$ BEGIN ALTER TABLE t DROP COLUMN nothing; EXCEPTION WHEN undefined_column THEN ALTER TABLE t DROP COLUMN c; END $$",
        "DO $$ BEGIN ALTER TABLE t ADD PRIMARY KEY (a); EXCEPTION WHEN OTHERS THEN CREATE TABLE wrong (); END $$",
        "DO $$ BEGIN ALTER TABLE t ADD PRIMARY KEY (b); EXCEPTION WHEN invalid_table_definition THEN CREATE TABLE two_keys (); END $$",
        "DO $$ BEGIN DROP TABLE missing; EXCEPTION WHEN SQLSTATE '42P01' THEN CREATE TABLE missing (); END $$",
        "DO $$ BEGIN DROP TYPE missing_type; EXCEPTION WHEN undefined_object THEN CREATE TYPE missing_type AS (a int); END $$",
        "DO $$ BEGIN DROP INDEX missing_index; EXCEPTION WHEN undefined_object THEN CREATE INDEX missing_index ON t (b); END $$",
        "DO $$ BEGIN CREATE SCHEMA public; EXCEPTION WHEN duplicate_schema THEN CREATE SCHEMA other; END $$",
        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DO $$ BEGIN CREATE FUNCTION f(b integer) RETURNS int LANGUAGE sql AS 'SELECT 2'; EXCEPTION WHEN duplicate_function THEN CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1'; END $$",
        "DO $$ BEGIN CREATE TABLE missing_schema.t (); EXCEPTION WHEN invalid_schema_name THEN CREATE SCHEMA missing_schema; END $$",
    ]);
}

#[test]
fn handlers_nest_and_a_raise_is_caught_like_any_other_failure() {
    wrapped(&[
        "CREATE TABLE t (a int)",
        "DO $$ BEGIN
            CREATE TABLE outer_one ();
            BEGIN CREATE TABLE inner_one (); CREATE TABLE t (); EXCEPTION WHEN duplicate_object THEN CREATE TABLE not_me (); END;
            CREATE TABLE never ();
         EXCEPTION WHEN duplicate_table THEN CREATE TABLE outer_handler (); END $$",
        "DO $$ BEGIN
            CREATE TABLE undone ();
            IF EXISTS (SELECT FROM pg_class WHERE relname = 't') THEN RAISE EXCEPTION 'no'; END IF;
            CREATE TABLE behind ();
         EXCEPTION WHEN raise_exception THEN CREATE TABLE raised (); END $$",
        "DO $$ BEGIN
            BEGIN CREATE TABLE t (); EXCEPTION WHEN OTHERS THEN CREATE TABLE first_handler (); END;
            CREATE TABLE after_block ();
            BEGIN CREATE TYPE t AS ENUM (); EXCEPTION WHEN duplicate_object THEN CREATE TABLE row_type_is_a_type (); END;
         END $$",
    ]);
}

#[test]
fn variables_carry_what_queries_found() {
    wrapped(&[
        "CREATE TABLE users (id int PRIMARY KEY, email text); CREATE TABLE orders (id int)",
        "DO $$ DECLARE v_exists boolean; BEGIN
            SELECT EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'phone') INTO v_exists;
            IF NOT v_exists THEN ALTER TABLE users ADD COLUMN phone text; END IF;
            SELECT EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'phone') INTO v_exists;
            IF NOT v_exists THEN ALTER TABLE users ADD COLUMN phone_again text; END IF;
         END $$",
        "DO $$ DECLARE n int := 0; BEGIN
            SELECT count(*) INTO n FROM pg_constraint WHERE conrelid = 'users'::regclass AND contype = 'p';
            IF n = 0 THEN ALTER TABLE users ADD PRIMARY KEY (email); ELSIF n = 1 THEN CREATE TABLE one_key (); ELSE CREATE TABLE more (); END IF;
         END $$",
        "DO $$ BEGIN
            PERFORM 1 FROM pg_type WHERE typname = 'status';
            IF NOT FOUND THEN CREATE TYPE status AS ENUM ('new'); END IF;
            PERFORM 1 FROM pg_type WHERE typname = 'status';
            IF FOUND THEN ALTER TYPE status ADD VALUE 'old' BEFORE 'new'; END IF;
         END $$",
        "DO $$ DECLARE kind text; BEGIN
            SELECT data_type INTO kind FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'id';
            IF kind <> 'bigint' THEN ALTER TABLE users ALTER COLUMN id TYPE bigint; END IF;
            IF kind = 'bigint' THEN DROP TABLE users; END IF;
         END $$",
        "DO $$ DECLARE t text; BEGIN
            FOREACH t IN ARRAY ARRAY['users', 'orders'] LOOP
                IF NOT EXISTS (SELECT FROM information_schema.columns c WHERE c.table_name = t AND c.column_name = 'email') THEN
                    EXECUTE format('ALTER TABLE %I ADD COLUMN email varchar(10)', t);
                END IF;
            END LOOP;
         END $$",
        "DO $$ DECLARE make boolean := false; label text := 'x'; BEGIN
            IF make THEN CREATE TABLE never (); END IF;
            make := label = 'x' AND to_regclass('users') IS NOT NULL;
            IF make THEN CREATE TABLE made (); END IF;
            IF label IS NULL OR make IS NOT TRUE THEN CREATE TABLE never_either (); END IF;
            RETURN;
            CREATE TABLE behind_return ();
         END $$",
        "DO $$ DECLARE table_name text := 'orders'; BEGIN
            IF EXISTS (SELECT 1 FROM pg_class WHERE relname = table_name) THEN CREATE TABLE variable_not_column (); END IF;
         END $$",
    ]);
}

#[test]
fn routines_act_when_they_are_called_and_only_then() {
    wrapped(&[
        "CREATE FUNCTION add_column(tab text, do_it boolean) RETURNS void LANGUAGE plpgsql AS $f$ BEGIN
            IF do_it AND NOT EXISTS (SELECT FROM information_schema.columns c WHERE c.table_name = tab AND c.column_name = 'x') THEN
                ALTER TABLE t ADD COLUMN x int;
            END IF; END $f$;
         CREATE TABLE t (a int)",
        "SELECT add_column('t', false)",
        "SELECT add_column('t', true)",
        "DO $$ BEGIN PERFORM add_column('t', true); END $$",
        "CREATE FUNCTION twice() RETURNS int LANGUAGE sql AS 'DROP TABLE IF EXISTS made; CREATE TABLE made (); SELECT 1';
         CREATE FUNCTION outside() RETURNS void LANGUAGE plpgsql AS 'BEGIN PERFORM twice(); END';
         CREATE PROCEDURE p(INOUT n int) LANGUAGE plpgsql AS 'BEGIN IF n = 1 THEN CREATE TABLE by_procedure (); END IF; END'",
        "SELECT outside()",
        "CALL p(2)",
        "CALL p(1)",
        "SELECT * FROM twice()",
        "DO $$ BEGIN IF twice() = 1 THEN NULL; END IF; END $$",
        "CREATE FUNCTION recurse(n int) RETURNS void LANGUAGE plpgsql AS 'BEGIN CREATE TABLE IF NOT EXISTS deep (); IF n > 0 THEN PERFORM recurse(n - 1); END IF; END'",
        "SELECT recurse(3)",
        "CREATE SCHEMA app; CREATE FUNCTION in_app() RETURNS void LANGUAGE plpgsql SET search_path = app AS 'BEGIN CREATE TABLE here (); END'",
        "SELECT in_app(); CREATE TABLE there ()",
        "CREATE FUNCTION fails() RETURNS void LANGUAGE plpgsql AS 'BEGIN CREATE TABLE before_failure (); CREATE TABLE t (); END'",
        "DO $$ BEGIN PERFORM fails(); EXCEPTION WHEN duplicate_table THEN CREATE TABLE caught_outside (); END $$",
        "CREATE FUNCTION o(a text) RETURNS void LANGUAGE sql AS 'CREATE TABLE by_text ()';
         CREATE FUNCTION o(a int) RETURNS void LANGUAGE sql AS 'CREATE TABLE by_int ()'",
        "SELECT o(1)",
        "SELECT o('x')",
        "DO $$ BEGIN CREATE TEMP TABLE scratch (a int); DROP TABLE scratch; END $$",
    ]);
}

#[test]
fn settings_last_as_long_as_on_the_server() {
    agree(&[
        (Wrapping::Wrapped, "CREATE SCHEMA app; CREATE SCHEMA \"Other\"; SET LOCAL search_path TO app; CREATE TABLE a ()"),
        (Wrapping::Wrapped, "CREATE TABLE b ()"),
        (Wrapping::None, "SET LOCAL search_path TO app; CREATE TABLE c ()"),
        (Wrapping::Batch, "SET LOCAL search_path TO app; CREATE TABLE d ()"),
        (Wrapping::None, "DO $$ BEGIN SET LOCAL search_path TO app; CREATE TABLE e (); END $$; CREATE TABLE f ()"),
        (Wrapping::None, "SELECT set_config('search_path', '\"Other\", public', false); CREATE TABLE g ()"),
        (Wrapping::None, "BEGIN; SET search_path TO app; CREATE TABLE h (); ROLLBACK; CREATE TABLE i ()"),
        (Wrapping::None, "BEGIN; SAVEPOINT s; SET search_path TO app; ROLLBACK TO s; CREATE TABLE j (); COMMIT"),
        (
            Wrapping::None,
            "SET search_path = app, public; BEGIN; SELECT set_config('search_path', 'public', true); CREATE TABLE k (); COMMIT; CREATE TABLE l ()",
        ),
        (Wrapping::None, "RESET search_path; CREATE TABLE m ()"),
        (Wrapping::None, "SET search_path TO app; DISCARD ALL; CREATE TABLE n ()"),
        (Wrapping::None, "SET search_path TO nowhere, app; CREATE TABLE o (); SET search_path TO DEFAULT; CREATE TABLE p ()"),
    ]);
}

#[test]
fn what_is_rolled_back_never_happened() {
    agree(&[
        (Wrapping::None, "CREATE TABLE a (); BEGIN; CREATE TABLE b (); DROP TABLE a; ROLLBACK"),
        (Wrapping::None, "BEGIN; CREATE TABLE c (); SAVEPOINT s; CREATE TABLE d (); ROLLBACK TO s; CREATE TABLE e (); ROLLBACK TO s; RELEASE s; COMMIT"),
        (Wrapping::None, "BEGIN; SAVEPOINT s; CREATE TABLE f (); SAVEPOINT s; CREATE TABLE g (); ROLLBACK TO SAVEPOINT s; RELEASE s; ROLLBACK TO s; COMMIT"),
        // BEGIN inside of a batch takes what ran before it along.
        (Wrapping::Batch, "CREATE TABLE h (); BEGIN; CREATE TABLE i (); ROLLBACK; CREATE TABLE j ()"),
        (Wrapping::Batch, "CREATE TABLE k (); ROLLBACK; CREATE TABLE l ()"),
        (Wrapping::Batch, "CREATE TABLE m (); COMMIT; CREATE TABLE n (); ROLLBACK"),
        // A wrapped file that commits by itself goes on outside of the runner's transaction.
        (Wrapping::Wrapped, "CREATE TABLE o (); ROLLBACK"),
        (Wrapping::Wrapped, "BEGIN; CREATE TABLE p (); COMMIT; CREATE TABLE q ()"),
        (Wrapping::None, "COMMIT; CREATE TABLE r (); ROLLBACK"),
        (
            Wrapping::None,
            "CREATE PROCEDURE halves() LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE s (); COMMIT; CREATE TABLE t (); ROLLBACK; CREATE TABLE u (); END $$;
             CALL halves()",
        ),
        (Wrapping::None, "DO $$ BEGIN CREATE TABLE v (); ROLLBACK; CREATE TABLE w (); END $$"),
    ]);
}

#[test]
fn types_and_domains_are_as_on_the_server() {
    wrapped(&[
        "CREATE TYPE mood AS ENUM ('b'); CREATE TYPE empty AS ENUM (); CREATE TYPE pair AS (a int, b varchar(3))",
        "ALTER TYPE mood ADD VALUE 'a' BEFORE 'b'; ALTER TYPE mood ADD VALUE IF NOT EXISTS 'b'; ALTER TYPE mood ADD VALUE 'c'",
        "ALTER TYPE mood RENAME VALUE 'b' TO 'bee'; ALTER TYPE mood ADD VALUE 'ab' AFTER 'a'",
        "CREATE DOMAIN positive AS int CHECK (VALUE > 0) CHECK (VALUE < 9) NOT NULL; CREATE TABLE t (a positive, b mood, c pair)",
        "CREATE TYPE floatrange AS RANGE (subtype = float8)",
        "ALTER DOMAIN positive ADD CHECK (VALUE <> 5); ALTER DOMAIN positive DROP CONSTRAINT positive_check1; ALTER DOMAIN positive DROP NOT NULL",
        "DROP DOMAIN positive CASCADE",
    ]);
}
