//! Ends sessions of a server, and waits until they are gone. The server's own ways to wait look every 100 ms only, and a session that
//! was told to end is gone after one or two.

use postgres::types::ToSql;
use postgres::{Client, Error};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Ends the sessions that a condition on `pg_stat_activity` is true of, but never the one that asks. Sessions that are still there
/// after `patience` are left: whoever needs them gone is told by the server.
pub fn end(client: &mut Client, condition: &str, parameters: &[&(dyn ToSql + Sync)], patience: Duration) -> Result<(), Error> {
    let query = client.prepare(&format!(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
         WHERE pid <> pg_catalog.pg_backend_pid() AND {condition}"
    ))?;
    let begun = Instant::now();
    while !client.query(&query, parameters)?.is_empty() && begun.elapsed() < patience {
        sleep(Duration::from_millis(1));
    }
    // It is no longer listed a moment before it is gone.
    sleep(Duration::from_millis(1));
    Ok(())
}
