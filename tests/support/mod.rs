//! A server for tests, and histories written by hand.

use phasegate::catalog::snapshot::Snapshot;
use phasegate::op::Span;
use phasegate::prove::replay::{ReplayStatement, ReplayUnit, Replayer, StatementOutcome, UnitOutcome};
use phasegate::prove::server::{LocalServer, LocalServerOptions};
use phasegate::source::Wrapping;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One server for all tests of this process. A static is never dropped, but the server's watchdog sees us go.
pub static SERVER: LazyLock<LocalServer> = LazyLock::new(|| match LocalServer::start(&options()) {
    Ok(server) => server,
    Err(error) => panic!("these tests need a PostgreSQL server: {error}"),
});

/// `PHASEGATE_PG_BIN` chooses the version that is tested.
pub fn options() -> LocalServerOptions {
    LocalServerOptions { binaries: std::env::var_os("PHASEGATE_PG_BIN").map(PathBuf::from), ..LocalServerOptions::default() }
}

/// The name of a new, empty database.
pub fn new_database() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("case_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    SERVER.create_database(&name, None).unwrap();
    name
}

/// A replayer on a new database in which `older` has run.
pub fn replayer(older: &str) -> Replayer {
    let mut client = SERVER.connect(&new_database()).unwrap();
    client.batch_execute(older).unwrap();
    client.batch_execute("DISCARD ALL").unwrap();
    Replayer::new(client).unwrap()
}

/// A unit of statements as they stand here, in a file of its own.
pub fn unit(id: &str, wrapping: Wrapping, statements: &[&str]) -> ReplayUnit {
    let statement = |sql: &&str| ReplayStatement { sql: (*sql).to_owned(), copy_data: None, span: Span::default(), op: None };
    ReplayUnit { id: id.to_owned(), path: format!("{id}.sql"), wrapping, statements: statements.iter().map(statement).collect() }
}

/// `drop-column public.users.name`, sorted.
pub fn breaks(outcome: &StatementOutcome) -> Vec<String> {
    match outcome {
        StatementOutcome::Ran(breaks) => breaks
            .iter()
            .map(|found| format!("{} {}", serde_json::to_value(found.kind).unwrap().as_str().unwrap(), found.object))
            .collect(),
        other => panic!("{other:?}"),
    }
}

/// Runs the statements as one wrapped unit over `older`; the breaks of each. A failure fails the test.
pub fn observed(older: &str, statements: &[&str]) -> Vec<Vec<String>> {
    let outcome = run(older, Wrapping::Wrapped, statements);
    assert_eq!(outcome.failure, None, "{statements:?}");
    outcome.statements.iter().map(breaks).collect()
}

/// The breaks of the last of `statements`; the others must have none.
pub fn last_observed(older: &str, statements: &[&str]) -> Vec<String> {
    let mut found = observed(older, statements);
    let last = found.pop().unwrap();
    assert!(found.iter().all(Vec::is_empty), "{statements:?}: {found:?}");
    last
}

/// Each statement as a unit of its own over the same `older`, undone afterwards by a failure, which is cheaper than a database for
/// each. What a unit requires at its end is not seen this way.
pub fn each_observed(older: &str, cases: &[(&str, Vec<&str>)]) {
    let mut replayer = replayer(older);
    for (statement, expected) in cases {
        let outcome = replayer.run(&unit(statement, Wrapping::Wrapped, &[statement, "SELECT 1 / 0"])).unwrap();
        assert_eq!(outcome.failure.and_then(|failure| failure.statement), Some(1), "{statement}: {:?}", outcome.statements);
        assert_eq!(breaks(&outcome.statements[0]), *expected, "{statement}");
    }
}

pub fn run(older: &str, wrapping: Wrapping, statements: &[&str]) -> UnitOutcome {
    replayer(older).run(&unit("0001", wrapping, statements)).unwrap()
}

pub fn snapshot(sql: &str) -> Snapshot {
    replayer(sql).snapshot()
}
