//! Which locks each form of a statement takes: src/versions/locks.txt is what servers of every known version say about the
//! witnesses in src/versions/locks/. With `PHASEGATE_BLESS=1` it is written anew. Fails, is not skipped, where a server is missing.
//!
//! A witness runs in an open transaction after what is given was committed; then `pg_locks` holds what it took. One that cannot run
//! in a transaction is held up instead: other sessions hold locks on the relations and on the catalogs it writes, each time it
//! waits what it holds is read, and who is in its way lets go. So every lock is seen that it holds at one of those moments.

#[path = "lock_levels/held_up.rs"]
mod held_up;
#[path = "support/servers.rs"]
mod servers;
#[path = "support/tables.rs"]
mod tables;
#[path = "support/witness.rs"]
mod witness;

use phasegate::effect::LockMode;
use phasegate::prove::server::LocalServer;
use phasegate::versions::PostgresVersions;
use phasegate::versions::locks::{Form, Role};
use postgres::Client;
use std::collections::BTreeMap;
use std::sync::Mutex;
use witness::{Given, Witness};

const FILES: [&str; 7] = [
    "locks/columns",
    "locks/constraints",
    "locks/tables",
    "locks/partitions",
    "locks/indexes",
    "locks/statements",
    "locks/types",
];

/// What every database has before something is given. Tablespaces lie inside of the data directory.
const ONCE: [&str; 7] = [
    "SET allow_in_place_tablespaces = on",
    "CREATE TABLESPACE elsewhere LOCATION ''",
    "CREATE ROLE a_role",
    "CREATE ROLE a_owner",
    "CREATE ACCESS METHOD other_heap TYPE TABLE HANDLER heap_tableam_handler",
    "CREATE FOREIGN DATA WRAPPER a_wrapper",
    "CREATE SERVER a_server FOREIGN DATA WRAPPER a_wrapper",
];
/// Removes what was given before. Some tests of the mark of an interrupted DETACH need more than one attempt to drop.
const CLEAN: &str =
    "SET client_min_messages = error; DROP SCHEMA IF EXISTS w, elsewhere CASCADE; DROP PUBLICATION IF EXISTS pub;";
/// Relations of the witness: those that are there before its statement runs.
const RELATIONS: &str = "SELECT c.oid, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'";
const OWN_LOCKS: &str = "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted";

/// The strongest mode on each relation by its name in the witness, or the SQLSTATE that the statement was refused with.
type Taken = Result<BTreeMap<String, LockMode>, String>;
/// Records a lock, where the relation is one of the witness.
fn record(taken: &mut BTreeMap<String, LockMode>, relations: &BTreeMap<u32, String>, relation: u32, mode: &str) {
    if let Some(name) = relations.get(&relation) {
        let mode = LockMode::named(mode).unwrap_or_else(|| panic!("no mode {mode}"));
        let strongest = taken.entry(name.clone()).or_insert(mode);
        *strongest = mode.max(*strongest);
    }
}

/// A session in which the names of the witness are found, and the relations that are there.
fn given(server: &LocalServer, given: &Given) -> (Client, BTreeMap<u32, String>) {
    let mut client = server.connect("postgres").unwrap();
    client.batch_execute(CLEAN).unwrap();
    client.batch_execute("CREATE SCHEMA w; CREATE SCHEMA elsewhere; SET search_path = w").unwrap();
    client.batch_execute(&given.sql).unwrap_or_else(|error| panic!("{}: {error:?}", given.sql));
    let rows = client.query(RELATIONS, &[]).unwrap();
    (client, rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn in_transaction(client: &mut Client, relations: &BTreeMap<u32, String>, statement: &str) -> Taken {
    client.batch_execute("BEGIN").unwrap();
    let result = client.batch_execute(statement);
    let taken = result.map_err(|error| sqlstate(statement, &error)).map(|()| {
        let mut taken = BTreeMap::new();
        for row in client.query(OWN_LOCKS, &[]).unwrap() {
            record(&mut taken, relations, row.get(0), row.get(1));
        }
        taken
    });
    client.batch_execute("ROLLBACK").unwrap();
    taken
}

fn sqlstate(statement: &str, error: &postgres::Error) -> String {
    error.code().unwrap_or_else(|| panic!("{statement}: {error:?}")).code().to_owned()
}

/// What every witness of every form took on this server, by form in the order of the files. All statements of a form must agree.
fn observed(server: &LocalServer, major: u16, all: &[Given], wrong: &Mutex<Vec<String>>) -> Vec<(String, Option<Taken>)> {
    let mut client = server.connect("postgres").unwrap();
    for statement in ONCE {
        client.batch_execute(statement).unwrap();
    }
    drop(client);
    let mut observed = Vec::new();
    for one in all {
        if major < one.since {
            observed.extend(one.forms.iter().map(|form| (form.name.clone(), None)));
            continue;
        }
        let (mut client, mut relations) = given(server, one);
        for Witness { name, alone, statements } in &one.forms {
            let taken: Vec<Taken> = statements
                .iter()
                .map(|statement| match alone {
                    true => held_up::taken(server, one, statement),
                    false => in_transaction(&mut client, &relations, statement),
                })
                .collect();
            for (statement, other) in statements.iter().zip(&taken) {
                if *other != taken[0] {
                    wrong.lock().unwrap().push(format!("{major} {name}: {statement} {other:?}, the first {:?}", taken[0]));
                }
            }
            if *alone {
                // The witness may have used up what was given.
                (client, relations) = given(server, one);
            }
            observed.push((name.clone(), taken.into_iter().next()));
        }
    }
    observed
}

/// What a form does in one version, as a line of the table says it: role and mode.
fn entries(taken: Option<&Taken>) -> Vec<(String, String)> {
    match taken {
        None => Vec::new(),
        Some(Err(sqlstate)) => vec![("-".to_owned(), format!("refused {sqlstate}"))],
        Some(Ok(locks)) if locks.is_empty() => vec![("-".to_owned(), "none".to_owned())],
        Some(Ok(locks)) => locks.iter().map(|(relation, mode)| (relation.clone(), mode.name().to_owned())).collect(),
    }
}

/// The server of 16 may be an early minor release, and fixes that changed locks went to all branches at once: where the versions
/// before and after it agree, it is taken to do the same.
fn trust_neighbours(by_version: &mut [(u16, Vec<(String, String)>)]) {
    for at in 1..by_version.len() - 1 {
        if by_version[at].0 == 16 && by_version[at - 1].1 == by_version[at + 1].1 {
            by_version[at].1 = by_version[at - 1].1.clone();
        }
    }
}

/// `form role versions mode`, one line for versions in a row that agree.
fn lines(name: &str, by_version: &[(u16, Vec<(String, String)>)]) -> Vec<String> {
    let mut runs: BTreeMap<(String, u16), (u16, String)> = BTreeMap::new();
    for (major, entries) in by_version {
        for (role, mode) in entries {
            let before = runs.iter_mut().rfind(|((of, _), _)| of == role);
            match before {
                Some((_, (newest, same))) if *newest + 1 == *major && same == mode => *newest = *major,
                _ => {
                    runs.insert((role.clone(), *major), (*major, mode.clone()));
                }
            }
        }
    }
    runs.into_iter()
        .map(|((role, oldest), (newest, mode))| {
            let versions = PostgresVersions { oldest, newest };
            format!("{name} {role} {versions} {mode}")
        })
        .collect()
}

#[test]
fn locks_are_what_the_table_says() {
    let all = witness::read_all(&FILES);
    let servers = servers::of_every_version();
    let wrong = Mutex::new(Vec::new());
    let by_version: Vec<(u16, Vec<(String, Option<Taken>)>)> = std::thread::scope(|scope| {
        let (all, wrong) = (&all, &wrong);
        let running: Vec<_> =
            servers.iter().map(|(major, server)| (*major, scope.spawn(move || observed(server, *major, all, wrong)))).collect();
        running.into_iter().map(|(major, thread)| (major, thread.join().unwrap())).collect()
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "not one form:\n{}", wrong.join("\n"));
    let names = all.iter().flat_map(|given| given.forms.iter()).map(|form| &form.name);
    let mut table = Vec::new();
    for (at, name) in names.enumerate() {
        let mut of_form: Vec<_> = by_version.iter().map(|(major, forms)| (*major, entries(forms[at].1.as_ref()))).collect();
        trust_neighbours(&mut of_form);
        table.extend(lines(name, &of_form));
    }
    let is_role = |line: &&String| line.split(' ').nth(1).is_some_and(|role| role == "-" || Role::named(role).is_some());
    let nameless: Vec<&String> = table.iter().filter(|line| !is_role(line)).collect();
    assert!(nameless.is_empty(), "relations without a role: {nameless:#?}");
    tables::assert_table("versions/locks.txt", &table);
}

#[test]
fn every_form_has_a_witness_and_every_witness_a_form() {
    let all = witness::read_all(&FILES);
    let mut witnessed: Vec<String> = all.iter().flat_map(|given| &given.forms).map(|form| form.name.clone()).collect();
    witnessed.sort_unstable();
    let mut forms: Vec<String> = Form::ALL.iter().map(|form| form.name()).collect();
    forms.sort_unstable();
    let missing = |of: &[String], in_these: &[String]| -> Vec<String> {
        of.iter().filter(|name| !in_these.contains(name)).cloned().collect()
    };
    assert_eq!((missing(&witnessed, &forms), missing(&forms, &witnessed)), (Vec::new(), Vec::new()));
    assert_eq!(witnessed, forms, "a name stands twice");
}
