//! Sessions that are used again: beginning one, with a password, takes longer than what it is mostly wanted for.

use postgres::Client;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a session may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(1);

/// Sessions of one role in one database that nobody uses now.
#[derive(Default)]
pub struct Idle(Mutex<Vec<Client>>);

impl Idle {
    /// One that still answers: its server may have ended it.
    pub fn take(&self) -> Option<Client> {
        let pop = || self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        std::iter::from_fn(pop).find_map(|mut client| client.is_valid(PATIENCE).is_ok().then_some(client))
    }

    /// Takes back one that holds nothing: no transaction, no setting, no lock.
    pub fn put(&self, client: Client) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(client);
    }
}

impl fmt::Debug for Idle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Idle")
    }
}
