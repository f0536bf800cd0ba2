//! How much the databases of a proof may grow. Migrations come from anywhere: one that fills the disk, or the memory that stands for
//! it, is stopped before the machine suffers.

use super::cluster::{OWNER, PREFIX};
use super::server::Server;
use super::{limit, sessions};
use postgres::Client;
use std::time::Duration;

/// A short work is not looked at.
const BEGINNING: Duration = Duration::from_millis(250);
/// How long a session that was ended may take until it is looked again.
const PATIENCE: Duration = Duration::from_secs(1);

/// Does `work`, and ends the sessions of the migrations whenever the databases are larger than `most` bytes together. Also says how
/// large they were when that was first seen.
///
/// Who cannot look (a server that is gone) stops nothing: then there is nothing to stop.
pub fn within<T>(server: &dyn Server, most: u64, work: impl FnOnce() -> T) -> (T, Option<u64>) {
    let mut exceeded = None;
    let mut session: Option<Client> = None;
    let look = || {
        if session.is_none() {
            session = server.connect_as(server.maintenance_database(), server.administrator()).ok();
        }
        match session.as_mut().map(|session| stop_beyond(session, most)) {
            Some(Ok(size)) => exceeded = exceeded.or(size),
            Some(Err(_)) => session = None,
            None => {}
        }
    };
    let (outcome, _) = limit::within(BEGINNING, look, work);
    (outcome, exceeded)
}

/// The size of all our databases, where it is over the limit; then their sessions are ended.
fn stop_beyond(client: &mut Client, most: u64) -> Result<Option<u64>, postgres::Error> {
    let query = format!(
        "SELECT coalesce(sum(pg_catalog.pg_database_size(oid)), 0)::bigint FROM pg_catalog.pg_database \
         WHERE pg_catalog.starts_with(datname::text, '{PREFIX}')"
    );
    let size: i64 = client.query_one(&query, &[])?.try_get(0)?;
    if size.unsigned_abs() <= most {
        return Ok(None);
    }
    sessions::end(client, &format!("pg_catalog.starts_with(datname::text, '{PREFIX}') AND usename = '{OWNER}'"), &[], PATIENCE)?;
    Ok(Some(size.unsigned_abs()))
}

/// As people say it, in powers of 1,000.
pub fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}
