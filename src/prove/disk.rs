//! How much the databases of a proof may grow. Migrations come from anywhere: one that fills the disk, or the memory that stands for
//! it, is stopped before the machine suffers.

use super::cluster::{OWNER, PREFIX};
use super::server::Server;
use postgres::Client;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// How often it is looked.
const INTERVAL: Duration = Duration::from_millis(250);

/// Does `work`, and ends the sessions of the migrations whenever the databases are larger than `limit` bytes together. Also says how
/// large they were when that was first seen.
///
/// Who cannot look (a server that is gone) stops nothing: then there is nothing to stop.
pub fn within<T>(server: &dyn Server, limit: u64, work: impl FnOnce() -> T) -> (T, Option<u64>) {
    let exceeded = AtomicU64::new(0);
    let (done, ended) = mpsc::channel::<()>();
    let outcome = std::thread::scope(|scope| {
        let exceeded = &exceeded;
        scope.spawn(move || {
            let mut client = None;
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(INTERVAL) {
                client = client.or_else(|| server.connect_as(server.maintenance_database(), server.administrator()).ok());
                let Some(session) = &mut client else { continue };
                match look(session, limit) {
                    Ok(None) => {}
                    Ok(Some(size)) => {
                        let _ = exceeded.compare_exchange(0, size, Ordering::Relaxed, Ordering::Relaxed);
                    }
                    Err(_) => client = None,
                }
            }
        });
        // A panic of the work ends the watch as well.
        let _done = done;
        work()
    });
    let size = exceeded.load(Ordering::Relaxed);
    (outcome, (size > 0).then_some(size))
}

/// The size of all our databases, where it is over the limit; then their sessions are ended.
fn look(client: &mut Client, limit: u64) -> Result<Option<u64>, postgres::Error> {
    let query = format!(
        "SELECT coalesce(sum(pg_catalog.pg_database_size(oid)), 0)::bigint FROM pg_catalog.pg_database \
         WHERE pg_catalog.starts_with(datname::text, '{PREFIX}')"
    );
    let size: i64 = client.query_one(&query, &[])?.try_get(0)?;
    if size.unsigned_abs() <= limit {
        return Ok(None);
    }
    let end = format!(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
         WHERE pg_catalog.starts_with(datname::text, '{PREFIX}') AND usename = '{OWNER}'"
    );
    client.batch_execute(&end)?;
    Ok(Some(size.unsigned_abs()))
}

/// As people say it, in powers of 1,000.
pub fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}
