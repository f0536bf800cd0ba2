//! Queries that a session is asked again and again in one message with others: prepared there in SQL, by names of ours.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What names of prepared statements of ours start with, those of the fingerprint too: who empties a session leaves them (`Tracer`).
const PREFIX: &str = "phasegate_";

/// No two of them in a session, whoever asks there.
static NEXT: AtomicUsize = AtomicUsize::new(1);

/// Queries and the names under which one session knows them.
#[derive(Debug, Default)]
pub struct Planned(HashMap<String, String>);

impl Planned {
    /// SQL that asks the queries in this order, and first prepares those that are new. It is to be sent; where the server then says
    /// that it does not know a name (26000), the session has lost them.
    pub fn text<'q>(&mut self, queries: impl Iterator<Item = &'q str>) -> String {
        let (mut preparing, mut asking) = (String::new(), String::new());
        for query in queries {
            let name = self.0.entry(query.to_owned()).or_insert_with(|| {
                let name = format!("{PREFIX}{}", NEXT.fetch_add(1, Ordering::Relaxed));
                let _ = write!(preparing, "PREPARE {name} AS {query}; ");
                name
            });
            let _ = write!(asking, "EXECUTE {name}; ");
        }
        preparing + &asking
    }

    /// The session knows none of them any more.
    pub fn forget(&mut self) {
        self.0.clear();
    }
}
