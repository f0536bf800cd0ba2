//! The proxy: what it counts, where it cuts, what it holds.

use crate::pipeline::Speaker;
use crate::stage::{CLUSTER, LONG, Project, left_behind, rows, tables};
use phasegate::prove::cluster::Database;
use phasegate::prove::runner::proxy::{Action, Administrator, Event, EventKind, Proxy, Watch};
use phasegate::prove::runner::{BuiltIn, Call, CommandRunner, Ended, Runner};
use phasegate::prove::server::Endpoint;
use postgres::{Client, Config, NoTls};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn server() -> Endpoint {
    CLUSTER.server().endpoint()
}

fn proxy(watch: Watch) -> Proxy {
    Proxy::unix(&server(), watch.with_administrator(Administrator::of(&CLUSTER))).unwrap()
}

fn config(proxy: &Proxy, database: &Database<'_>) -> Config {
    let mut config = Config::new();
    match proxy.endpoint() {
        Endpoint::Unix { directory, port } => config.host_path(directory).port(*port),
        Endpoint::Tcp { host, port, .. } => config.host(host).port(*port),
    };
    config.user(&CLUSTER.owner().user).password(CLUSTER.owner().password.reveal()).dbname(database.name());
    config
}

fn connect(proxy: &Proxy, database: &Database<'_>) -> Client {
    config(proxy, database).connect(NoTls).unwrap()
}

fn tags(proxy: &Proxy) -> Vec<String> {
    let tag = |event: Event| if let EventKind::Completed { tag } = event.kind { Some(tag) } else { None };
    proxy.trace().into_iter().filter_map(tag).collect()
}

fn through(proxy: &Proxy, runner: &dyn Runner, project: &Project, database: &Database<'_>) -> Ended {
    let chain = project.chain();
    let call = Call { database, units: chain.units.len(), through: Some(proxy.endpoint()), limit: LONG };
    runner.run(&chain, &call).unwrap()
}

#[test]
fn every_statement_that_is_complete_is_a_boundary() {
    let database = CLUSTER.fresh().unwrap();
    for proxy in [proxy(Watch::nothing()), Proxy::tcp(&server(), Watch::nothing()).unwrap()] {
        let mut client = connect(&proxy, &database);
        client.batch_execute("CREATE TABLE IF NOT EXISTS made_one (id bigint)").unwrap();
        client.batch_execute("INSERT INTO made_one VALUES (1); ; SELECT 1; -- ;\nUPDATE made_one SET id = 2 -- ;").unwrap();
        let row = client.query_one("SELECT $1::bigint", &[&7_i64]).unwrap();
        assert_eq!(row.get::<_, i64>(0), 7);
        let mut copy = client.copy_in("COPY made_one FROM STDIN").unwrap();
        copy.write_all(b"3\n4\n").unwrap();
        assert_eq!(copy.finish().unwrap(), 2);
        let mut text = String::new();
        std::io::Read::read_to_string(&mut client.copy_out("COPY made_one TO STDOUT").unwrap(), &mut text).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(client.batch_execute("SELECT 1; SELECT 1/0; SELECT 2").is_err());
        client.execute("DELETE FROM made_one", &[]).unwrap();
        let expected =
            ["CREATE TABLE", "INSERT 0 1", "SELECT 1", "UPDATE 1", "SELECT 1", "COPY 2", "COPY 3", "SELECT 1", "DELETE 3"];
        assert_eq!((tags(&proxy), proxy.boundaries()), (expected.map(str::to_owned).to_vec(), expected.len()));
        let trace = proxy.trace();
        assert!(trace.iter().any(|event| event.kind == EventKind::Failed { sqlstate: "22012".into() }));
        assert!(trace.iter().any(|event| event.kind == EventKind::Ready { status: 'I' }));
        assert!(trace.iter().all(|event| event.connection == 1));
        assert!(trace.iter().any(|event| event.process.is_some()));
    }
}

#[test]
fn psql_goes_through_and_cancelling_too() {
    let (project, database) = (Project::new("plain", &[("1_one.sql", "SELECT 1;\n")]), CLUSTER.fresh().unwrap());
    let proxy = proxy(Watch::nothing());
    let line = format!(
        "/usr/lib/postgresql/{}/bin/psql -qXAt -c 'CREATE TABLE made_one (id int)' -c 'SELECT 6 * 7'",
        CLUSTER.server().version() / 10_000
    );
    let ended = through(&proxy, &CommandRunner::new(line), &project, &database);
    assert_eq!((ended.failure, ended.output.trim()), (None, "42"));
    assert_eq!(tags(&proxy), ["CREATE TABLE", "SELECT 1"]);
    let mut client = connect(&proxy, &database);
    let cancel = client.cancel_token();
    let waiting = std::thread::spawn(move || client.batch_execute("SELECT pg_sleep(60)").unwrap_err());
    while rows(&database, "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'").is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    cancel.cancel_query(NoTls).unwrap();
    assert_eq!(waiting.join().unwrap().code().unwrap().code(), "57014");
}

/// A batch that is one implicit transaction, single statements, and a transaction of the client's.
const SCRIPT: [&str; 6] = [
    "CREATE TABLE made_a (id int)",
    "CREATE TABLE made_b (id int); CREATE TABLE made_c (id int); CREATE TABLE made_d (id int)",
    "BEGIN",
    "CREATE TABLE made_e (id int)",
    "COMMIT",
    "CREATE TABLE made_f (id int)",
];

#[test]
fn a_cut_at_a_boundary_leaves_exactly_what_was_committed_by_then() {
    let counted = {
        let (database, proxy) = (CLUSTER.fresh().unwrap(), proxy(Watch::nothing()));
        let mut client = connect(&proxy, &database);
        SCRIPT.iter().for_each(|sql| client.batch_execute(sql).unwrap());
        proxy.boundaries()
    };
    assert_eq!(counted, 8);
    let left = ["a", "a", "a", "abcd", "abcd", "abcd", "abcde", "abcdef"];
    for (boundary, left) in (1..=counted).zip(left) {
        let (database, proxy) = (CLUSTER.fresh().unwrap(), proxy(Watch::cut_at(boundary)));
        let mut client = connect(&proxy, &database);
        let failed = SCRIPT.iter().position(|sql| client.batch_execute(sql).is_err());
        assert!(failed.is_some(), "boundary {boundary}");
        assert_eq!(proxy.trouble(), [] as [&str; 0]);
        assert_eq!(left_behind(&database), [] as [&str; 0], "boundary {boundary}");
        let expected: Vec<String> = left.chars().map(|name| format!("made_{name}")).collect();
        assert_eq!(tables(&database), expected, "boundary {boundary}");
        assert!(config(&proxy, &database).connect(NoTls).is_err(), "a killed process does not come back");
    }
}

#[test]
fn a_pipeline_of_the_extended_protocol_is_cut_inside_of_its_transaction() {
    // Statements with one Sync behind all of them, which the driver has no way to send: spoken by hand.
    let database = CLUSTER.fresh().unwrap();
    for (boundary, left) in [(1, vec![]), (2, vec![]), (9, vec!["made_one".to_owned(), "made_two".to_owned()])] {
        let proxy = proxy(Watch::cut_at(boundary));
        let Endpoint::Unix { directory, port } = proxy.endpoint() else { panic!() };
        let socket = std::os::unix::net::UnixStream::connect(directory.join(format!(".s.PGSQL.{port}"))).unwrap();
        let mut speaker = Speaker::log_in(socket, database.name(), CLUSTER.owner());
        for sql in ["CREATE TABLE made_one (id int)", "CREATE TABLE made_two (id int)"] {
            speaker.execute(sql);
        }
        let answered = speaker.sync();
        assert_eq!(answered, boundary == 9, "boundary {boundary}");
        assert_eq!((tables(&database), proxy.boundaries()), (left, boundary.min(2)));
    }
}

#[test]
fn a_connection_is_held_until_it_is_released() {
    let database = CLUSTER.fresh().unwrap();
    // Diesel has no lock: two come to the same place.
    let project = Project::new("diesel", &[("1_a/up.sql", "SELECT 1;\n")]);
    let racing = proxy(
        Watch::new(|event| match &event.kind {
            EventKind::Sends { writes_ledger: true, .. } => Action::Hold,
            _ => Action::Pass,
        })
        .with_ledger("__diesel_schema_migrations"),
    );
    let runner = BuiltIn::new("diesel");
    // The ledger is there: who makes it is another race.
    assert_eq!(
        through(&proxy(Watch::nothing()), &runner, &Project::new("diesel", &[("0_z/up.sql", "SELECT 1;\n")]), &database).failure,
        None
    );
    let ended: Vec<Ended> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..2).map(|_| scope.spawn(|| through(&racing, &runner, &project, &database))).collect();
        assert!(racing.await_held(2, Duration::from_secs(30)), "both are about to write the row");
        assert_eq!(rows(&database, "SELECT version FROM __diesel_schema_migrations"), ["0"]);
        racing.release();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let failed: Vec<_> = ended.iter().filter_map(|ended| ended.failure.as_ref()).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].sqlstate.as_deref(), Some("23505"));
    assert!(!racing.await_held(1, Duration::from_millis(10)));
}

#[test]
fn a_runner_is_cut_between_its_last_statement_and_its_row() {
    static WRITES: AtomicUsize = AtomicUsize::new(0);
    for (layout, file, atomic) in [("sqlx", "1_a.sql", true), ("refinery", "V1__a.sql", false)] {
        WRITES.store(0, Ordering::SeqCst);
        let (project, database) =
            (Project::new(layout, &[(file, "CREATE TABLE made_one (id int);\n")]), CLUSTER.fresh().unwrap());
        let runner = BuiltIn::new(layout);
        let watch = Watch::new(|event| match &event.kind {
            EventKind::Sends { writes_ledger: true, .. } if WRITES.fetch_add(1, Ordering::SeqCst) == 0 => Action::CutAll,
            _ => Action::Pass,
        });
        let proxy = proxy(watch.with_ledger(&runner.ledger().unwrap().table));
        let ended = through(&proxy, &runner, &project, &database);
        assert!(ended.failure.is_some() && ended.applied.is_empty(), "{layout}: {ended:?}");
        assert_eq!(WRITES.load(Ordering::SeqCst), 1, "{layout}");
        assert_eq!(tables(&database).is_empty(), atomic, "{layout}: what has no row must not be there");
        assert_eq!(left_behind(&database), [] as [&str; 0], "{layout}");
    }
}

#[test]
fn one_connection_is_cut_and_the_others_go_on() {
    let database = CLUSTER.fresh().unwrap();
    let proxy = proxy(Watch::new(|event| match event.kind {
        EventKind::Completed { .. } if event.connection == 1 && event.boundary > 1 => Action::Cut,
        _ => Action::Pass,
    }));
    let (mut first, mut second) = (connect(&proxy, &database), connect(&proxy, &database));
    first.batch_execute("SELECT 1").unwrap();
    second.batch_execute("SELECT 1").unwrap();
    assert!(first.batch_execute("CREATE TABLE made_one (id int)").is_err());
    second.batch_execute("CREATE TABLE made_two (id int)").unwrap();
    assert_eq!(tables(&database), ["made_one", "made_two"]);
    connect(&proxy, &database).batch_execute("SELECT 1").unwrap();
    drop(proxy);
    assert!(second.batch_execute("SELECT 1").is_err(), "nothing outlives the proxy");
}

#[test]
fn a_batch_that_fails_before_the_place_of_its_cut_fails_as_it_would() {
    let (database, proxy) = (CLUSTER.fresh().unwrap(), proxy(Watch::cut_at(2)));
    let mut client = connect(&proxy, &database);
    let error = client.batch_execute("SELECT 1/0; SELECT 1; SELECT 2").unwrap_err();
    assert_eq!(error.code().unwrap().code(), "22012");
    client.batch_execute("CREATE TABLE made_one (id int)").unwrap();
    assert_eq!(tables(&database), ["made_one"]);
}
