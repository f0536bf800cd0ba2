//! Locks of statements that cannot run in a transaction: seen from outside, each time they wait.

use crate::witness::Given;
use crate::{Taken, given, record, sqlstate};
use phasegate::prove::server::LocalServer;
use postgres::Client;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Modes that others hold on a relation of the witness, one after the other: weak ones stop a statement late, strong ones at once.
const HELD: [&str; 4] = ["ACCESS SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "ACCESS EXCLUSIVE"];
/// Catalogs that statements write while they hold their locks.
const CATALOGS: [&str; 5] = ["pg_class", "pg_index", "pg_inherits", "pg_depend", "pg_constraint"];
const PATIENCE: Duration = Duration::from_secs(30);
const WAITING: &str = "SELECT pg_blocking_pids($1) FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'";
const LOCKS: &str = "SELECT relation, mode FROM pg_locks WHERE pid = $1 AND locktype = 'relation'";
/// Relations that LOCK TABLE takes.
const LOCKABLE: &str = "SELECT relname::text FROM pg_class WHERE relnamespace = 'w'::regnamespace AND relkind IN ('r', 'p')";

/// A session that holds something.
struct Holder {
    client: Client,
    pid: i32,
    hold: String,
    /// Held again when the statement waits for another one: it may have begun another of its transactions.
    again: bool,
    holds: bool,
}

impl Holder {
    fn new(server: &LocalServer, hold: String, again: bool) -> Holder {
        let mut client = server.connect("postgres").unwrap();
        let pid = client.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
        Holder { client, pid, hold, again, holds: false }
    }

    fn of_catalog(server: &LocalServer, catalog: &str) -> Holder {
        Holder::new(server, format!("BEGIN; LOCK TABLE {catalog} IN SHARE MODE NOWAIT"), true)
    }

    fn hold(&mut self) {
        self.holds = self.client.batch_execute(&self.hold).is_ok();
        if !self.holds {
            self.let_go();
        }
    }

    fn hold_again(&mut self) {
        if self.again && !self.holds {
            self.hold();
        }
    }

    fn let_go(&mut self) {
        self.client.batch_execute("ROLLBACK").unwrap();
        self.holds = false;
    }
}

/// The strongest locks that the statement was seen with, or what it was refused with.
pub fn taken(server: &LocalServer, one: &Given, statement: &str) -> Taken {
    let (mut client, _) = given(server, one);
    let lockable: Vec<String> = client.query(LOCKABLE, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    drop(client);
    let on_tables =
        lockable.iter().flat_map(|table| HELD.iter().map(move |mode| format!("BEGIN; LOCK TABLE w.{table} IN {mode} MODE")));
    let snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1".to_owned();
    let mut holders: Vec<Holder> = CATALOGS.iter().map(|catalog| Holder::of_catalog(server, catalog)).collect();
    holders.push(Holder::new(server, String::new(), false));
    let mut all = BTreeMap::new();
    let mut refused = None;
    for hold in on_tables.chain([snapshot]) {
        if let Some(last) = holders.last_mut() {
            last.hold = hold;
        }
        match attempt(server, one, statement, &mut holders) {
            Ok(taken) => {
                for (name, mode) in taken {
                    let strongest = all.entry(name).or_insert(mode);
                    *strongest = mode.max(*strongest);
                }
            }
            Err(sqlstate) => refused = Some(sqlstate),
        }
    }
    refused.map_or(Ok(all), Err)
}

/// One run of the statement past these holders: the catalogs', and one of a relation or a snapshot.
fn attempt(server: &LocalServer, one: &Given, statement: &str, holders: &mut [Holder]) -> Taken {
    let (mut client, relations) = given(server, one);
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
    let mut watcher = server.connect("postgres").unwrap();
    for holder in holders.iter_mut() {
        holder.hold();
        assert!(holder.holds, "{}", holder.hold);
    }
    let mut taken = BTreeMap::new();
    let started = Instant::now();
    let result = std::thread::scope(|scope| {
        let running = scope.spawn(move || client.batch_execute(statement));
        while !running.is_finished() {
            assert!(started.elapsed() < PATIENCE, "{statement} still waits");
            let waits = watcher.query_opt(WAITING, &[&pid]).unwrap();
            let blocking: Vec<i32> = waits.map(|row| row.get(0)).unwrap_or_default();
            if blocking.is_empty() {
                std::thread::sleep(Duration::from_millis(2));
                continue;
            }
            for row in watcher.query(LOCKS, &[&pid]).unwrap() {
                record(&mut taken, &relations, row.get(0), row.get(1));
            }
            let (in_the_way, others): (Vec<_>, Vec<_>) = holders.iter_mut().partition(|holder| blocking.contains(&holder.pid));
            others.into_iter().for_each(Holder::hold_again);
            in_the_way.into_iter().for_each(Holder::let_go);
        }
        running.join().unwrap()
    });
    holders.iter_mut().for_each(Holder::let_go);
    result.map(|()| taken).map_err(|error| sqlstate(statement, &error))
}
