//! What the observer makes of the rows that a statement wrote is what the whole catalogs say.

#[path = "support/histories.rs"]
mod histories;
#[path = "support/servers.rs"]
mod servers;

use phasegate::check::{self, Request};
use phasegate::config::Settings;
use phasegate::op::Op;
use phasegate::prove::observe::{Catalogs, Observer};
use phasegate::prove::replay::ReplayUnit;
use postgres::Client;

/// Statements that write to catalogs in ways that the fixtures do not: names change under their users, rows go and come back.
const STATEMENTS: &[&str] = &[
    "CREATE ROLE reader; CREATE ROLE writer",
    "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('sad', 'ok'); CREATE TYPE app.pair AS (a int, b text)",
    "CREATE DOMAIN app.short AS varchar(3) CHECK (VALUE <> ''); CREATE TYPE app.span AS RANGE (subtype = int8)",
    "CREATE TABLE app.t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, m app.mood, s app.short DEFAULT 'x', p app.pair)",
    "CREATE TABLE app.u (id serial, t int REFERENCES app.t, v int UNIQUE) PARTITION BY RANGE (id)",
    "ROLLBACK",
    "CREATE TABLE app.u (id int NOT NULL, t int REFERENCES app.t, v int) PARTITION BY RANGE (id)",
    "CREATE TABLE app.u1 PARTITION OF app.u FOR VALUES FROM (0) TO (10)",
    "ALTER TYPE app.mood RENAME TO feeling",
    "ALTER TYPE app.feeling ADD VALUE 'glad' BEFORE 'ok'",
    "ALTER TYPE app.feeling RENAME VALUE 'sad' TO 'low'",
    "ALTER TABLE app.t ADD COLUMN note text, DROP COLUMN p",
    "ALTER TABLE app.t ALTER note TYPE varchar(10), ALTER note SET NOT NULL",
    "ALTER TABLE app.t RENAME note TO remark",
    "CREATE INDEX by_remark ON app.t (remark); CREATE UNIQUE INDEX by_s ON app.t (s) WHERE s IS NOT NULL",
    "CREATE UNIQUE INDEX whole ON app.t (m, s); ALTER TABLE app.t ADD CONSTRAINT both_of UNIQUE USING INDEX whole",
    "ALTER INDEX app.by_remark RENAME TO by_note",
    "CREATE FUNCTION app.f(app.feeling) RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "ROLLBACK",
    "CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE FUNCTION app.g(app.feeling, app.t) RETURNS app.pair LANGUAGE sql AS 'SELECT NULL::app.pair'",
    "CREATE TRIGGER g BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.f()",
    "ALTER FUNCTION app.f() RENAME TO h",
    "CREATE VIEW app.w AS SELECT id, remark FROM app.t; CREATE MATERIALIZED VIEW app.x AS SELECT 1 AS one",
    "CREATE OR REPLACE VIEW app.w AS SELECT id, remark, m FROM app.t",
    "GRANT SELECT ON app.t TO reader; GRANT UPDATE (remark) ON app.t TO writer; GRANT USAGE ON SCHEMA app TO reader",
    "ALTER TABLE app.t ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON app.t TO reader USING (true)",
    "ALTER ROLE reader RENAME TO visitor",
    "CREATE PUBLICATION p FOR TABLE app.t (id, remark)",
    "ALTER TABLE app.t RENAME TO things",
    "ALTER SCHEMA app RENAME TO shop",
    "CREATE SEQUENCE shop.q AS smallint OWNED BY shop.things.id",
    "ALTER SEQUENCE shop.q OWNED BY NONE",
    "ALTER TABLE shop.things OWNER TO writer",
    "ALTER TABLE shop.u DETACH PARTITION shop.u1",
    "DO $$ BEGIN DROP VIEW shop.w; CREATE VIEW shop.w AS SELECT 1 AS a; EXCEPTION WHEN OTHERS THEN NULL; END $$",
    "DO $$ BEGIN CREATE TABLE shop.gone (); RAISE 'no'; EXCEPTION WHEN OTHERS THEN CREATE TABLE shop.stays (a int); END $$",
    "PREPARE mine AS SELECT 1; DEALLOCATE ALL",
    "CREATE TABLE shop.after ()",
    "ALTER TABLE shop.things ALTER s DROP DEFAULT, ALTER id DROP IDENTITY",
    "ALTER TABLE shop.things DROP CONSTRAINT both_of; ALTER TABLE shop.things RENAME CONSTRAINT t_pkey TO things_pkey",
    "CREATE TABLE shop.k (a int, EXCLUDE USING btree (a WITH =)); TRUNCATE shop.k",
    "DROP PUBLICATION p; DROP FUNCTION shop.g; DROP TABLE shop.u CASCADE; DROP TYPE shop.pair",
    "DROP SCHEMA shop CASCADE; DROP ROLE visitor; DROP OWNED BY writer; DROP ROLE writer",
];

/// Runs a statement in a transaction of its own, which both observers see before it is committed. `None` where the server refuses.
fn step(client: &mut Client, observer: &mut Observer, before: &Catalogs, sql: &str) -> Option<Catalogs> {
    client.batch_execute("BEGIN").unwrap();
    observer.begin(before);
    let refused = client.batch_execute(sql).is_err();
    if refused || sql.starts_with("ROLLBACK") {
        client.batch_execute("ROLLBACK").unwrap();
        return None;
    }
    let seen = observer.observe(client).unwrap();
    let whole = Observer::default().with_files().observe(client).unwrap();
    same(sql, &seen, &whole);
    client.batch_execute("COMMIT").unwrap();
    Some(seen)
}

fn same(sql: &str, seen: &Catalogs, whole: &Catalogs) {
    macro_rules! each {
        ($($field:ident)*) => {
            $(assert_eq!(seen.$field, whole.$field, "{} after {sql}", stringify!($field));)*
            // A field that is not in the list above would be missing here.
            let Catalogs { $($field: _),* } = whole;
        };
    }
    each!(namespaces classes attributes constraints indexes triggers policies rules types labels routines inherits sequences
        extensions members publications roles files);
}

#[test]
fn what_a_statement_wrote_added_to_what_was_there_is_what_is_there() {
    for major in [15, 18] {
        let server = servers::start_with(major, &[]);
        server.create_database("observed", None).unwrap();
        let mut client = server.connect("observed").unwrap();
        let mut observer = Observer::default().with_files();
        let mut now = observer.observe(&mut client).unwrap();
        let mut ran = 0;
        for sql in STATEMENTS {
            match step(&mut client, &mut observer, &now, sql) {
                Some(seen) => {
                    assert!(!sql.starts_with("CREATE") || seen != now, "{sql} made nothing");
                    now = seen;
                    ran += 1;
                }
                None => assert!(
                    sql.contains("ROLLBACK") || sql.contains("serial") || sql.contains("f(app.feeling)"),
                    "{sql} is refused"
                ),
            }
        }
        assert_eq!(ran, STATEMENTS.len() - 4);
    }
}

#[test]
fn every_fixture_is_seen_the_same_in_parts_and_whole() {
    let server = servers::start_with(17, &[]);
    let mut statements = 0;
    for (number, name) in histories::histories().into_iter().enumerate() {
        let request = Request::of_paths([histories::directory().join(&name)], Settings::default());
        let checked = check::run(&request);
        let database = format!("fixture_{number}");
        server.create_database(&database, None).unwrap();
        let mut client = server.connect(&database).unwrap();
        client.batch_execute(histories::set_up(&name).unwrap_or_default()).unwrap();
        let mut observer = Observer::default().with_files();
        let mut now = observer.observe(&mut client).unwrap();
        for unit in ReplayUnit::of_history(&checked.histories[0].history) {
            // Data of COPY stands outside of the statement.
            for statement in unit.statements.iter().filter(|statement| !matches!(statement.op, Some(Op::Copy { .. }))) {
                if let Some(seen) = step(&mut client, &mut observer, &now, &statement.sql) {
                    now = seen;
                    statements += 1;
                } else {
                    // What ran outside of the transaction, if anything did.
                    observer.everything_may_have_changed();
                    now = observer.observe(&mut client).unwrap();
                }
            }
        }
    }
    assert!(statements > 200, "{statements} statements");
}
