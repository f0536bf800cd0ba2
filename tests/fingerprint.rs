//! A fingerprint sees every change of a database, says it in a line, and sees nothing where nothing changed. On real servers.

#[path = "support/servers.rs"]
mod servers;

use phasegate::prove::fingerprint::difference::{Difference, Masked, lines};
use phasegate::prove::fingerprint::{Contents, Fingerprint, Scope};
use phasegate::prove::server::LocalServer;
use postgres::{Client, NoTls};
use std::fmt::Write as _;
use std::process::Command;
use std::time::Instant;

const SCHEMA: &str = include_str!("fingerprint/schema.sql");
/// A statement a line.
const CHANGES: &str = include_str!("fingerprint/changes.sql");

fn new_database(server: &LocalServer, name: &str) -> Client {
    server.create_database(name, None).unwrap();
    server.connect(name).unwrap()
}

/// A server of this version with a database `first` that has one of everything.
fn furnished(major: u16) -> (LocalServer, Client) {
    let server = servers::start(major);
    let mut client = new_database(&server, "first");
    client.batch_execute(&format!("CREATE ROLE reader; {SCHEMA}")).unwrap();
    (server, client)
}

fn read(client: &mut Client) -> Fingerprint {
    match Fingerprint::read(client, &Scope::everything()) {
        Ok(found) => found,
        Err(error) => panic!("{error:?}"),
    }
}

fn told(before: &Fingerprint, after: &Fingerprint) -> Vec<String> {
    let found = before.difference(after, &Masked::default());
    assert_eq!(found.is_empty(), before == after, "{found:?}");
    assert_eq!(before == after, before.digest() == after.digest());
    found.iter().map(ToString::to_string).collect()
}

fn assert_same(before: &Fingerprint, after: &Fingerprint, when: &str) {
    assert_eq!(told(before, after), Vec::<String>::new(), "{when}");
}

/// Each change in a transaction of its own that is rolled back: it is seen inside, and afterwards all is as it was.
fn changes_of(major: u16) -> String {
    let (_server, mut client) = furnished(major);
    client.batch_execute("SET allow_system_table_mods = on").unwrap();
    let before = read(&mut client);
    let mut text = String::new();
    let mut refused = Vec::new();
    for change in CHANGES.lines() {
        client.batch_execute("BEGIN").unwrap();
        if let Err(error) = client.batch_execute(change) {
            refused.push(format!("{change}: {error:?}"));
            client.batch_execute("ROLLBACK").unwrap();
            continue;
        }
        let after = read(&mut client);
        client.batch_execute("ROLLBACK").unwrap();
        let found = told(&before, &after);
        let _ = writeln!(text, "{change}");
        for line in &found {
            assert!(!line.contains("hidden") && !line.contains("secret"), "{line}");
            let _ = writeln!(text, "  {line}");
        }
        // A sequence goes on, rolled back or not.
        client.batch_execute("SELECT setval('app.numbers', 10, false)").unwrap();
        assert_same(&before, &read(&mut client), change);
        if found.is_empty() {
            refused.push(format!("{change}: not seen"));
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
    text
}

#[test]
fn every_change_is_seen_and_named_on_15() {
    insta::assert_snapshot!(changes_of(15));
}

#[test]
fn every_change_is_seen_and_named_on_17() {
    insta::assert_snapshot!(changes_of(17));
}

#[test]
fn every_change_is_seen_and_named_on_18() {
    insta::assert_snapshot!(changes_of(18));
}

#[test]
fn a_script_makes_the_same_twice_and_so_does_a_dump() {
    for major in [15, 17, 18] {
        let (server, mut first) = furnished(major);
        let mut second = new_database(&server, "second");
        second.batch_execute(SCHEMA).unwrap();
        let scope = Scope { without_prefix: Some("nobody".to_owned()), cluster: false, ..Scope::everything() };
        let before = Fingerprint::read(&mut first, &scope).unwrap();
        let again = Fingerprint::read(&mut second, &scope).unwrap();
        assert_same(&before, &again, &format!("{major}: made twice"));

        let program = |name: &str| {
            let mut command = Command::new(servers::binaries(major).join(name));
            let host = server.socket_directory();
            let config = server.config("first");
            let port = config.get_ports().first().unwrap().to_string();
            let password = std::str::from_utf8(config.get_password().unwrap()).unwrap();
            command.env("PGHOST", host).env("PGUSER", config.get_user().unwrap()).env("PGPORT", port).env("PGPASSWORD", password);
            command
        };
        let mut restored = new_database(&server, "restored");
        let dump = server.socket_directory().join("dump.sql");
        assert!(program("pg_dump").args(["-d", "first", "-f"]).arg(&dump).status().unwrap().success());
        let output = program("psql").args(["-qX", "-v", "ON_ERROR_STOP=1", "-d", "restored", "-f"]).arg(&dump).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let restored = Fingerprint::read(&mut restored, &scope).unwrap();
        assert_same(&before, &restored, &format!("{major}: dumped and restored"));
    }
}

#[test]
fn who_keeps_the_plans_reads_the_same() {
    for major in [15, 17, 18] {
        let server = servers::start(major);
        server.connect("postgres").unwrap().batch_execute("CREATE ROLE reader").unwrap();
        let mut client = new_database(&server, "planned");
        let scope = Scope { keeps_plans: true, ..Scope::everything() };
        let plans = |client: &mut Client| client.query("SELECT FROM pg_prepared_statements WHERE from_sql", &[]).unwrap().len();
        let empty = Fingerprint::read(&mut client, &scope).unwrap();
        let kept = plans(&mut client);
        assert!(kept > 30, "{major}: {kept} plans");
        client.batch_execute("BEGIN").unwrap();
        client.batch_execute(SCHEMA).unwrap();
        let inside = Fingerprint::read(&mut client, &scope).unwrap();
        assert_same(&inside, &read(&mut client), "with plans and without");
        client.batch_execute("ROLLBACK").unwrap();
        assert_same(&empty, &Fingerprint::read(&mut client, &scope).unwrap(), "rolled back");
        client.batch_execute("DEALLOCATE phasegate_fingerprint_3").unwrap();
        assert_same(&empty, &Fingerprint::read(&mut client, &scope).unwrap(), "without one of them");
        client.batch_execute("DISCARD ALL").unwrap();
        assert_same(&empty, &Fingerprint::read(&mut client, &scope).unwrap(), "without any");
        assert_eq!(plans(&mut client), kept);
    }
}

/// 16 has catalogs of its own between those of 15 and 17, and no extensions here.
#[test]
fn version_16_is_read_as_its_neighbours_are() {
    let server = servers::start(16);
    let made = |name: &str| {
        let mut client = new_database(&server, name);
        client.batch_execute(&SCHEMA.replace("CREATE EXTENSION citext SCHEMA app;", "")).unwrap();
        client
    };
    server.connect("postgres").unwrap().batch_execute("CREATE ROLE reader").unwrap();
    let (mut first, mut second) = (made("first"), made("second"));
    let scope = Scope { cluster: false, ..Scope::everything() };
    let before = Fingerprint::read(&mut first, &scope).unwrap();
    assert_same(&before, &Fingerprint::read(&mut second, &scope).unwrap(), "made twice");
    let everything = read(&mut first);
    first.batch_execute("ALTER TABLE app.t DROP COLUMN b; CREATE ROLE writer IN ROLE reader").unwrap();
    assert_eq!(
        told(&everything, &read(&mut first)),
        [
            "column app.t.b: only before",
            "statistics app.together: only before",
            "membership writer in reader by postgres: only after",
            "role writer: only after"
        ]
    );
}

#[test]
fn what_changes_nothing_is_not_seen() {
    for major in [15, 18] {
        let (_server, mut client) = furnished(major);
        let before = read(&mut client);
        for statement in [
            "CREATE OR REPLACE FUNCTION app.two() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 2'",
            "CREATE OR REPLACE VIEW app.v AS SELECT id, a FROM app.t WHERE c > 1",
            "GRANT SELECT ON app.t TO reader",
            "GRANT EXECUTE ON FUNCTION app.two() TO PUBLIC",
            "GRANT ALL ON app.child TO CURRENT_USER",
            "COMMENT ON TABLE app.t IS 'things'",
            "ALTER TABLE app.t ALTER COLUMN b SET DEFAULT 'x'",
            "ANALYZE",
            "REINDEX TABLE app.t",
            "REINDEX TABLE CONCURRENTLY app.child",
            "VACUUM FULL app.t",
            "REFRESH MATERIALIZED VIEW app.m",
            "CLUSTER app.t USING t_pkey; ALTER TABLE app.t SET WITHOUT CLUSTER",
            "CREATE TEMPORARY TABLE pg_class (a integer); CREATE TEMPORARY SEQUENCE s; CREATE FUNCTION pg_temp.f() RETURNS integer \
             LANGUAGE sql AS 'SELECT 1'; CREATE TYPE pg_temp.e AS ENUM ('a'); COMMENT ON SEQUENCE pg_temp.s IS 'gone soon'",
            "SET search_path = app; SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET quote_all_identifiers = on; SET ROLE reader",
        ] {
            client.batch_execute(statement).unwrap_or_else(|error| panic!("{statement}: {error:?}"));
            assert_same(&before, &read(&mut client), statement);
        }
    }
}

#[test]
fn inside_a_transaction_nothing_is_left_of_a_reading() {
    let (server, mut client) = furnished(15);
    let scope = Scope::everything();
    client.batch_execute("BEGIN; SET LOCAL search_path = app; SET LOCAL DateStyle = 'German'; SET LOCAL ROLE reader").unwrap();
    let state = "SELECT concat_ws(' ', current_user, current_setting('search_path'), current_setting('DateStyle'), \
        current_setting('row_security'), pg_current_xact_id_if_assigned(), \
        (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation >= 16384), \
        (SELECT count(*) FROM pg_prepared_statements))";
    // The first query takes locks of its own on catalogs.
    let state = |client: &mut Client| client.query_one(state, &[]).unwrap().get::<_, String>(0);
    let before = state(&mut client);
    Fingerprint::read(&mut client, &scope).unwrap();
    assert_eq!(state(&mut client), before);
    client.batch_execute("ROLLBACK").unwrap();

    // Others do not see what is not committed.
    let mut other = server.connect("first").unwrap();
    let outside = read(&mut other);
    client
        .batch_execute("BEGIN; CREATE TABLE app.uncommitted (a integer); INSERT INTO app.part VALUES ('2024-05-01', 9)")
        .unwrap();
    let inside = read(&mut client);
    assert_eq!(told(&outside, &inside), ["table app.uncommitted: only after", "rows of app.part_2024: 1 → 2"]);
    assert_same(&outside, &read(&mut other), "uncommitted");
    assert!(client.batch_execute("SELECT 1 / 0").is_err());
    assert!(Fingerprint::read(&mut client, &scope).is_err(), "of an aborted transaction");
    client.batch_execute("ROLLBACK").unwrap();
    assert_same(&outside, &read(&mut client), "rolled back");
}

#[test]
fn what_two_runs_need_not_agree_on_is_masked() {
    let (server, _) = furnished(15);
    let made = |name: &str, more: &str| {
        let mut client = new_database(&server, name);
        let script = "CREATE TABLE public.log (id serial, at timestamptz DEFAULT clock_timestamp(), key uuid DEFAULT gen_random_uuid(), \
            text text); INSERT INTO public.log (text) VALUES ('a'), ('b'); CREATE TABLE public.pairs (a integer, b integer); \
            CREATE VIEW public.recent AS SELECT timestamp 'now' AS since;";
        client.batch_execute(&format!("{script} {more}")).unwrap();
        read(&mut client)
    };
    let scoped = |mut found: Fingerprint| {
        found.cluster.clear();
        found
    };
    let first = scoped(made("one", "INSERT INTO pairs VALUES (1, 1), (2, 2)"));
    let second = scoped(made("two", "INSERT INTO pairs VALUES (1, 2), (2, 1)"));
    let told: Vec<String> = first.difference(&second, &Masked::default()).iter().map(ToString::to_string).collect();
    assert!(told[0].starts_with("view public.recent: definition "), "{told:?}");
    assert_eq!(
        told[1..],
        [
            "rows of public.log, column at: other values",
            "rows of public.log, column key: other values",
            "rows of public.pairs: the same values in other rows"
        ]
    );
    let masked = Fingerprint::undetermined(&first, &second);
    assert_eq!(first.difference(&second, &masked), []);
    let third = scoped(made("three", "UPDATE public.log SET text = 'c' WHERE id = 1; SELECT nextval('log_id_seq')"));
    assert_eq!(
        lines(&first.difference(&third, &masked), 9),
        ["rows of public.log, column text: other values", "value of public.log_id_seq: 2 → 3", "rows of public.pairs: 2 → 0"]
    );
    assert_eq!(lines(&first.difference(&third, &masked), 1).last().unwrap(), "and 2 more");
}

#[test]
fn an_owner_who_is_no_superuser_reads_it_and_what_he_may_not_read_is_listed() {
    for major in [15, 18] {
        let (server, mut superuser) = furnished(major);
        superuser.batch_execute("CREATE ROLE plain LOGIN PASSWORD 'plain'").unwrap();
        superuser.batch_execute("CREATE DATABASE owned OWNER plain").unwrap();
        let mut owner = server.config("owned").user("plain").password("plain").connect(NoTls).unwrap();
        owner
            .batch_execute(
                "CREATE TABLE public.mine (a text); ALTER TABLE public.mine ENABLE ROW LEVEL SECURITY; INSERT INTO public.mine VALUES ('x'); \
                 CREATE TABLE public.forced (a text); ALTER TABLE public.forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; \
                 CREATE TABLE public.ledger (a text); CREATE POLICY all_of_it ON public.mine USING (false)",
            )
            .unwrap();
        let mut inside = server.connect("owned").unwrap();
        inside.batch_execute("CREATE TABLE public.theirs (a text); INSERT INTO public.theirs VALUES ('x')").unwrap();
        let scope = Scope { without_data_of: ["public.ledger".to_owned()].into(), ..Scope::everything() };
        let found = Fingerprint::read(&mut owner, &scope).unwrap();
        assert!(matches!(&found.data["public.mine"], Contents::Rows(rows) if rows.count == 1), "{:?}", found.data);
        assert_eq!(found.data["public.theirs"], Contents::Unread("no privilege".to_owned()));
        assert_eq!(found.data["public.forced"], Contents::Unread("row security".to_owned()));
        assert!(!found.data.contains_key("public.ledger"));
        // A superuser sees the same schema, and more rows and passwords.
        let all = Fingerprint::read(&mut inside, &scope).unwrap();
        assert_eq!(found.schema, all.schema);
        let only_values = |found: &Difference| {
            matches!(found, Difference::Contents { .. })
                || matches!(found, Difference::Property { property, .. } if property == "password")
        };
        let difference = found.difference(&all, &Masked::default());
        assert!(difference.iter().all(only_values), "{difference:?}");
        assert!(lines(&difference, 9).contains(&"rows of public.theirs: unread (no privilege) → 1".to_owned()));
    }
}

#[test]
fn a_large_schema_is_read_in_a_moment() {
    let server = servers::start(15);
    let mut client = new_database(&server, "large");
    let tables: String = (0..300)
        .map(|at| {
            format!(
                "CREATE TABLE t{at} (id serial PRIMARY KEY, a text NOT NULL, b integer REFERENCES t0 (id), c timestamptz DEFAULT now(), \
                 d numeric CHECK (d > 0)); CREATE INDEX ON t{at} (b); INSERT INTO t{at} (a) VALUES ('x');"
            )
        })
        .collect();
    client.batch_execute(&tables).unwrap();
    client.batch_execute("ANALYZE").unwrap();
    let best = |scope: &Scope, client: &mut Client| {
        let time = |client: &mut Client| {
            let started = Instant::now();
            let found = Fingerprint::read(client, scope).unwrap();
            assert!(found.schema.len() > 300 * 11);
            started.elapsed()
        };
        (0..7).map(|_| time(client)).min().unwrap()
    };
    let schema = best(&Scope::schema(), &mut client);
    let everything = best(&Scope::everything(), &mut client);
    println!("300 tables with 1500 columns: schema {schema:?}, with 300 tables' rows and cluster {everything:?}");
    // Generous: other work shares the machine. A query for each object would take many times as long.
    assert!(schema.as_millis() < 1000, "{schema:?}");
    assert!(everything.as_millis() < 3000, "{everything:?}");
}
