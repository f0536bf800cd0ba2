//! What a statement on objects takes away, by the model and by a server: the same breaks.

use crate::support;
use phasegate::catalog::{Catalog, facts, replay};
use phasegate::op::Span;
use phasegate::prove::observe::breaks::is_observed;
use phasegate::source::{Migration, Phase, SourceFile, UnitKind, Wrapping};
use std::sync::Arc;

fn migration(sql: &str) -> Migration {
    let path = "0001.sql".to_string();
    let file = SourceFile { path: path.clone(), repo_path: path, bytes: sql.as_bytes().to_vec() };
    Migration {
        id: "0001".into(),
        file: Arc::new(file),
        parts: vec![Span { start: 0, end: sql.len() }],
        phase: Phase::Untagged,
        tag: None,
        directives: Vec::new(),
        wrapping: Wrapping::Wrapped,
        rewriting: Default::default(),
        kind: UnitKind::Sql,
        reported: true,
        version: None,
        down: None,
    }
}

/// Breaks of the one statement after `older`, of kinds that a server shows.
fn predicted(older: &Catalog, statement: &str) -> Vec<String> {
    let migration = migration(statement);
    let parsed = phasegate::sql::parse::unit(&migration);
    let mut after = older.clone();
    let replayed = replay::unit(&mut after, 2, &migration, &parsed);
    let effects = facts::of_unit(2, &replayed, older, &after);
    let breaks = effects.iter().flat_map(|(effect, _)| &effect.breaks).filter(|found| is_observed(found.kind));
    breaks.map(|found| format!("{} {}", serde_json::to_value(found.kind).unwrap().as_str().unwrap(), found.object)).collect()
}

/// Each statement alone over the same older schema. With `nothing` the server must see no break, else at least one.
fn agree(older: &str, statements: &[&str], breaking: bool) {
    let migration = migration(older);
    let mut catalog = Catalog::new();
    replay::unit(&mut catalog, 1, &migration, &phasegate::sql::parse::unit(&migration));
    let mut replayer = support::replayer(older);
    let mut problems = Vec::new();
    for statement in statements {
        let outcome = replayer.run(&support::unit(statement, Wrapping::Wrapped, &[statement, "SELECT 1 / 0"])).unwrap();
        let failure = outcome.failure.map(|failure| (failure.statement, failure.message));
        if failure.as_ref().and_then(|(at, _)| *at) != Some(1) {
            problems.push(format!("{statement}: {failure:?}"));
            continue;
        }
        let mut observed = support::breaks(&outcome.statements[0]);
        observed.sort();
        let mut modelled = predicted(&catalog, statement);
        modelled.sort();
        if observed.is_empty() == breaking {
            problems.push(format!("{statement}: the server saw {observed:?}"));
        }
        if observed != modelled {
            problems.push(format!("{statement}\n    server {observed:?}\n    model  {modelled:?}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

const OLDER: &str = "
    DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
    CREATE SCHEMA app;
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE TYPE pair AS (a int, b text);
    CREATE DOMAIN email AS text CONSTRAINT has_at CHECK (VALUE LIKE '%@%');
    CREATE TABLE users (id serial PRIMARY KEY, name text UNIQUE, mood mood, email email, secret text);
    CREATE TABLE app.orders (id int PRIMARY KEY, user_id int REFERENCES users, note text);
    CREATE TABLE parted (a int) PARTITION BY LIST (a);
    CREATE TABLE part PARTITION OF parted FOR VALUES IN (1);
    CREATE VIEW names AS SELECT id, name FROM users;
    CREATE VIEW on_names AS SELECT name FROM names;
    CREATE MATERIALIZED VIEW counts AS SELECT count(*) AS n FROM users;
    CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION f(text, mood) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE PROCEDURE p(int) LANGUAGE plpgsql AS 'BEGIN NULL; END';
    CREATE TABLE calling (a int DEFAULT f(1), b int CONSTRAINT calls CHECK (f(b) > 0));
    CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION trg();
    CREATE TRIGGER on_parted BEFORE INSERT ON parted FOR EACH ROW EXECUTE FUNCTION trg();
    CREATE RULE r AS ON DELETE TO users DO INSTEAD NOTHING;
    ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY pol ON app.orders USING (true);
    CREATE EXTENSION citext;
    CREATE TABLE mails (address citext, other int);
    GRANT SELECT, INSERT ON users TO reader;
    GRANT UPDATE (name) ON users TO reader;
    GRANT SELECT ON users TO PUBLIC;
    GRANT USAGE ON SCHEMA app TO reader;
    GRANT EXECUTE ON FUNCTION f(int) TO reader;
    ALTER TABLE app.orders OWNER TO reader;
    CREATE PUBLICATION pub FOR TABLE users;
    CREATE SEQUENCE free;
    CREATE TABLE numbered (id bigserial);
    ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO reader;
    ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT USAGE ON SEQUENCES TO reader;
    ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT EXECUTE ON FUNCTIONS TO reader;
    CREATE TABLE app.readable (id serial);
    CREATE VIEW app.readable_view AS SELECT 1 AS one;
    CREATE FUNCTION app.callable() RETURNS int LANGUAGE sql AS 'SELECT 1';
";

#[test]
fn statements_that_take_something_away_agree_with_the_server() {
    let statements = [
        "DROP VIEW names CASCADE",
        "DROP MATERIALIZED VIEW counts",
        "DROP FUNCTION f(text, mood)",
        "DROP FUNCTION f(int) CASCADE",
        "DROP FUNCTION trg() CASCADE",
        "DROP PROCEDURE p",
        "DROP TRIGGER t ON users",
        "DROP TRIGGER on_parted ON parted",
        "DROP RULE r ON users",
        "DROP POLICY pol ON app.orders",
        "DROP TYPE mood CASCADE",
        "DROP TYPE pair",
        "DROP DOMAIN email CASCADE",
        "DROP SCHEMA app CASCADE",
        "DROP EXTENSION citext CASCADE",
        "DROP TABLE users CASCADE",
        "DROP SEQUENCE free",
        "DROP OWNED BY reader CASCADE",
        "REASSIGN OWNED BY reader TO pg_read_all_data",
        "ALTER VIEW names RENAME TO labels",
        "ALTER VIEW names RENAME COLUMN name TO label",
        "ALTER VIEW names SET SCHEMA app",
        "ALTER TABLE users SET SCHEMA app",
        "ALTER TABLE users RENAME TO people",
        "ALTER TABLE users RENAME COLUMN name TO label",
        "ALTER TABLE parted RENAME COLUMN a TO b",
        "ALTER SEQUENCE users_id_seq RENAME TO numbers",
        "ALTER SCHEMA app RENAME TO application",
        "ALTER TYPE mood RENAME TO feeling",
        "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
        "ALTER TYPE mood SET SCHEMA app",
        "ALTER TYPE pair RENAME ATTRIBUTE a TO aa",
        "ALTER TYPE pair RENAME TO couple",
        "ALTER DOMAIN email RENAME TO mail",
        "ALTER FUNCTION f(int) RENAME TO g",
        "ALTER FUNCTION f(text, mood) SET SCHEMA app",
        "ALTER ROUTINE p(int) RENAME TO q",
        "ALTER TABLE calling OWNER TO reader",
        "ALTER TABLE numbered OWNER TO reader",
        "ALTER FUNCTION f(int) OWNER TO reader",
        "ALTER TYPE mood OWNER TO reader",
        "ALTER SCHEMA app OWNER TO reader",
        "REVOKE SELECT ON users FROM reader",
        "REVOKE ALL ON users FROM reader",
        "REVOKE ALL ON users FROM PUBLIC",
        "REVOKE UPDATE (name) ON users FROM reader",
        "REVOKE UPDATE ON users FROM reader",
        "REVOKE USAGE ON SCHEMA app FROM reader",
        "REVOKE EXECUTE ON FUNCTION f(int) FROM PUBLIC",
        "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM reader",
        "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM reader",
        "REVOKE SELECT ON app.readable FROM reader",
        "REVOKE ALL ON app.readable_view FROM reader",
        "REVOKE USAGE ON SEQUENCE app.readable_id_seq FROM reader",
        "REVOKE EXECUTE ON FUNCTION app.callable() FROM reader",
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        "CREATE TRIGGER second AFTER INSERT ON users EXECUTE FUNCTION trg()",
        "CREATE RULE second AS ON INSERT TO users DO ALSO NOTHING",
        "CREATE TRIGGER cloned AFTER INSERT ON parted FOR EACH ROW EXECUTE FUNCTION trg()",
    ];
    agree(OLDER, &statements, true);
}

#[test]
fn statements_that_take_nothing_away_break_nothing_in_the_model_either() {
    let statements = [
        "CREATE OR REPLACE VIEW names AS SELECT id, name, secret FROM users",
        "CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 2'",
        "CREATE OR REPLACE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION trg()",
        "CREATE POLICY second ON app.orders USING (true)",
        "ALTER POLICY pol ON app.orders USING (false)",
        "ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE app.orders OWNER TO reader",
        "ALTER TABLE users SET SCHEMA public",
        "ALTER FUNCTION f(int) STABLE",
        "REVOKE DELETE ON users FROM reader",
        "REVOKE INSERT ON app.readable FROM reader",
        "DROP SCHEMA IF EXISTS never CASCADE",
        "CREATE TABLE app.another (a int)",
        "REVOKE SELECT ON app.orders FROM PUBLIC",
        "REVOKE GRANT OPTION FOR SELECT ON users FROM reader",
        "GRANT ALL ON users TO PUBLIC",
        "REFRESH MATERIALIZED VIEW counts",
        "CREATE EXTENSION hstore",
        "CREATE EXTENSION IF NOT EXISTS citext",
        "DROP VIEW IF EXISTS never",
        "DROP FUNCTION IF EXISTS f(bigint)",
        "DROP TRIGGER IF EXISTS never ON users",
        "DROP POLICY IF EXISTS never ON users",
        "DROP EXTENSION IF EXISTS ltree",
        "CREATE SCHEMA IF NOT EXISTS app",
        "ALTER TRIGGER t ON users RENAME TO tt",
        "ALTER TABLE users DISABLE TRIGGER t",
        "ALTER EXTENSION citext SET SCHEMA app",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO reader",
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    ];
    agree(OLDER, &statements, false);
}
