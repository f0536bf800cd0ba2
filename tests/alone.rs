//! Which statements may not run inside of a transaction block: src/versions/alone.txt is what servers of every known version say
//! about the witnesses in src/versions/alone.sql. With `PHASEGATE_BLESS=1` it is written anew. Fails, is not skipped, where a server
//! is missing.

#[path = "support/servers.rs"]
mod servers;
#[path = "support/tables.rs"]
mod tables;
#[path = "support/witness.rs"]
mod witness;

use phasegate::prove::server::LocalServer;
use phasegate::versions::PostgresVersions;
use phasegate::versions::alone::{Alone, Place};
use witness::Given;

/// What is there beside what a witness is given, made again where a witness used it up; what is there already is an error of no
/// interest. The servers that subscriptions name do not exist.
const AROUND: [&str; 16] = [
    "SET client_min_messages = panic",
    "SET allow_in_place_tablespaces = on",
    "DROP DATABASE IF EXISTS z WITH (FORCE)",
    "CREATE DATABASE a_database",
    "ALTER DATABASE a_database SET TABLESPACE pg_default",
    "DROP TABLESPACE IF EXISTS z",
    "CREATE TABLESPACE elsewhere LOCATION ''",
    "CREATE TABLESPACE a_tablespace LOCATION ''",
    "ALTER SUBSCRIPTION z SET (slot_name = NONE)",
    "DROP SUBSCRIPTION z",
    "CREATE SUBSCRIPTION subscribed CONNECTION 'dbname=x' PUBLICATION pub, more WITH (connect = false)",
    "ALTER SUBSCRIPTION subscribed ENABLE",
    "CREATE SUBSCRIPTION slotless CONNECTION 'dbname=x' PUBLICATION pub WITH (connect = false, slot_name = NONE)",
    "DROP SCHEMA IF EXISTS w CASCADE",
    "CREATE SCHEMA w",
    "SET search_path = w",
];

/// The text that has the statement run there. `None` for a block: that takes two messages.
fn text(place: Place, statement: &str) -> String {
    match place {
        Place::Block => statement.to_owned(),
        Place::Function => format!("DO $do$ BEGIN EXECUTE $execute${statement}$execute$; END $do$"),
        Place::BatchFirst => format!("{statement}; SELECT 1"),
        Place::BatchLater => format!("SELECT 1; {statement}"),
        Place::BatchAfterCommit => format!("SELECT 1; COMMIT; {statement}"),
    }
}

/// The SQLSTATE that the text is refused with, after what is given.
fn refusal(server: &LocalServer, one: &Given, begin: bool, text: &str) -> Option<String> {
    let mut client = server.connect("alone").unwrap();
    for statement in AROUND {
        let _ = client.batch_execute(statement);
    }
    client.batch_execute(&one.sql).unwrap_or_else(|error| panic!("{}: {error:?}", one.sql));
    if begin {
        client.batch_execute("BEGIN").unwrap();
    }
    let error = client.batch_execute(text).err()?;
    Some(error.code().unwrap_or_else(|| panic!("{text}: {error:?}")).code().to_owned())
}

/// Refused because of where it stands, not for what the statement itself is refused with.
fn is_refused(server: &LocalServer, one: &Given, place: Place, statement: &str) -> bool {
    let sqlstate = refusal(server, one, place == Place::Block, &text(place, statement));
    // 0A000 is PL/pgSQL's for commands of transactions.
    matches!(sqlstate.as_deref(), Some("25001" | "0A000"))
}

/// Each form and the places that refuse it.
fn observed(server: &LocalServer) -> Vec<(String, Vec<Place>)> {
    server.create_database("alone", None).unwrap();
    let all = witness::read_all(&["alone"]);
    let mut observed = Vec::new();
    for one in &all {
        for form in &one.forms {
            let places: Vec<Vec<Place>> = form
                .statements
                .iter()
                .map(|statement| {
                    let by_itself = refusal(server, one, false, statement);
                    assert!(!matches!(by_itself.as_deref(), Some("25001" | "0A000")), "{statement}: {by_itself:?}");
                    Place::ALL.into_iter().filter(|place| is_refused(server, one, *place, statement)).collect()
                })
                .collect();
            for (statement, other) in form.statements.iter().zip(&places) {
                assert_eq!(*other, places[0], "{} {}: {statement}", server.version(), form.name);
            }
            observed.push((form.name.clone(), places.into_iter().next().unwrap()));
        }
    }
    observed
}

/// `form versions places`; `-` for none.
fn lines(by_version: &[(u16, Vec<(String, Vec<Place>)>)]) -> Vec<String> {
    let mut lines = Vec::new();
    for at in 0..by_version[0].1.len() {
        let mut runs: Vec<(PostgresVersions, &Vec<Place>)> = Vec::new();
        for (major, forms) in by_version {
            match runs.last_mut() {
                Some((versions, places)) if **places == forms[at].1 => versions.newest = *major,
                _ => runs.push((PostgresVersions { oldest: *major, newest: *major }, &forms[at].1)),
            }
        }
        for (versions, places) in runs {
            let places: Vec<&str> = places.iter().map(|place| place.name()).collect();
            let places = if places.is_empty() { "-".to_owned() } else { places.join(" ") };
            lines.push(format!("{} {versions} {places}", by_version[0].1[at].0));
        }
    }
    lines
}

#[test]
fn what_runs_alone_is_what_the_table_says() {
    let servers = servers::of_every_version();
    let by_version: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = servers.iter().map(|(major, server)| (*major, scope.spawn(move || observed(server)))).collect();
        running.into_iter().map(|(major, thread)| (major, thread.join().unwrap())).collect()
    });
    tables::assert_table("versions/alone.txt", &lines(&by_version));
}

#[test]
fn every_witness_is_of_a_form_of_its_name() {
    let named: Vec<String> =
        witness::read_all(&["alone"]).iter().flat_map(|given| &given.forms).map(|form| form.name.clone()).collect();
    let forms: Vec<&str> = Alone::ALL.iter().map(|form| form.name()).collect();
    assert_eq!(named, forms);
}
