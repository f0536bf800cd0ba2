//! A change that is kept open so that runners run into it, and let go when they all wait.
//!
//! Who changes the same row of a shared catalog waits for the other's transaction. When that is undone, the first of those that wait
//! goes on and the next one finds the row changed under it: "tuple concurrently updated". With a lock around the change only one runner
//! waits here, and nothing happens. The ledger works the same way where no event trigger can be made: who has looked and found
//! no table waits for ours, and when that is undone all of them make it.

use super::super::reference::Reference;
use crate::prove::cluster::Database;
use crate::prove::server::Login;
use crate::prove::stage::{Deadline, ProveError, Stage, while_proving};
use crate::sql::names::quote_identifier;
use postgres::Client;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long the runners may take to run into it, from their start.
const PATIENCE: Duration = Duration::from_secs(15);

/// Open transactions, and a session that sees who waits for them.
pub struct Hold {
    holding: Vec<Client>,
    watching: Option<Client>,
}

impl Hold {
    /// What is held in a round. Roles where nothing is pending: a runner that changes one does so each time.
    pub fn of_round(
        stage: &Stage<'_>,
        database: &Database<'_>,
        reference: &Reference,
        nothing_pending: bool,
    ) -> Result<Hold, ProveError> {
        let mut hold = Hold { holding: Vec::new(), watching: None };
        if nothing_pending {
            for role in &reference.changed_roles {
                let sql = format!("ALTER ROLE {} CONNECTION LIMIT -1", quote_identifier(role));
                hold.open(database, stage.cluster.server().administrator(), &sql)?;
            }
        } else if !stage.cluster.server().has_superuser()
            && let Some(ledger) = stage.runner.ledger()
        {
            hold.open(database, stage.cluster.owner(), &format!("CREATE TABLE {} ()", ledger.table))?;
        }
        Ok(hold)
    }

    fn open(&mut self, database: &Database<'_>, login: &Login, sql: &str) -> Result<(), ProveError> {
        let server = database.cluster().server();
        if self.watching.is_none() {
            self.watching = Some(server.connect_as(database.name(), server.administrator())?);
        }
        let mut client = server.connect_as(database.name(), login)?;
        client.batch_execute("BEGIN").map_err(while_proving("hold a change open"))?;
        // What is there already cannot be held: then there is no such window.
        if client.batch_execute(sql).is_ok() {
            self.holding.push(client);
        }
        Ok(())
    }

    /// Waits until all runners wait for something or have ended, or for [`PATIENCE`], and undoes what is held.
    pub fn release_when_met(mut self, runners: usize, ended: &AtomicUsize) -> Result<(), ProveError> {
        const WAITING: &str = "SELECT count(DISTINCT l.pid) FROM pg_catalog.pg_locks l \
             JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
             WHERE NOT l.granted AND a.datname = pg_catalog.current_database()";
        let patience = Deadline::after(PATIENCE);
        if let (Some(watching), false) = (&mut self.watching, self.holding.is_empty()) {
            while !patience.is_over() {
                let row = watching.query_one(WAITING, &[]).map_err(while_proving("see who waits"))?;
                let waiting: i64 = row.try_get(0).map_err(while_proving("see who waits"))?;
                if usize::try_from(waiting).is_ok_and(|waiting| waiting + ended.load(Ordering::SeqCst) >= runners) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        for mut client in self.holding {
            client.batch_execute("ROLLBACK").map_err(while_proving("let a change go"))?;
        }
        Ok(())
    }
}
