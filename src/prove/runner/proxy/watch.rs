//! What a proxy sees, and what it is told to do about it.

use crate::prove::cluster::Cluster;
use crate::prove::server::{Endpoint, Login};
use crate::prove::sessions;
use postgres::{Client, Config, NoTls};
use std::fmt;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a backend has to come to the place where it is ended.
const PATIENCE: Duration = Duration::from_secs(60);

/// Something that went by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Connections through the proxy, from 1.
    pub connection: usize,
    /// The server's process, once it said so.
    pub process: Option<i32>,
    /// How many statements were completed through the proxy by then, this one included.
    pub boundary: usize,
    pub kind: EventKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A client is about to send this: the first words, and whether it writes to the ledger. It has not reached the server yet.
    Sends { words: String, writes_ledger: bool },
    /// A statement is complete, with this tag: a boundary. The client does not know yet.
    Completed { tag: String },
    /// The server refused something, with this SQLSTATE.
    Failed { sqlstate: String },
    /// The server waits for the next message; `I` is idle, `T` in a transaction, `E` in a failed one.
    Ready { status: char },
}

/// What to do at an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Pass,
    /// Ends this connection and its backend.
    Cut,
    /// Ends all connections and their backends, and takes no new one: the client's process was killed.
    CutAll,
    /// Lets it go on when the proxy is told to release.
    Hold,
}

type Decide = dyn Fn(&Event) -> Action + Send + Sync;

/// What a proxy looks for.
pub struct Watch {
    decide: Box<Decide>,
    ledger: Option<String>,
    pub(super) administrator: Option<Administrator>,
}

impl Watch {
    /// Lets everything pass; it is traced all the same.
    pub fn nothing() -> Watch {
        Watch::new(|_| Action::Pass)
    }

    /// Asks `decide` at every event that is no answer of readiness or failure. A boundary inside of a simple query of several
    /// statements is asked about before the query is sent, since the server answers for all of them at once: it can be cut there, and
    /// held at its end only.
    pub fn new(decide: impl Fn(&Event) -> Action + Send + Sync + 'static) -> Watch {
        Watch { decide: Box::new(decide), ledger: None, administrator: None }
    }

    /// Ends everything at the boundary of this number, from 1.
    pub fn cut_at(boundary: usize) -> Watch {
        Watch::new(move |event| match event.kind {
            EventKind::Completed { .. } if event.boundary == boundary => Action::CutAll,
            _ => Action::Pass,
        })
    }

    /// With the table of a ledger, so that writes to it are told.
    pub fn with_ledger(self, table: &str) -> Watch {
        let bare = table.rsplit('.').next().unwrap_or(table).trim_matches('"');
        Watch { ledger: Some(bare.to_lowercase()), ..self }
    }

    /// With somebody who ends backends. Without one only connections are cut, and a backend may go on until it notices.
    pub fn with_administrator(self, administrator: Administrator) -> Watch {
        Watch { administrator: Some(administrator), ..self }
    }

    pub(super) fn action(&self, event: &Event) -> Action {
        (self.decide)(event)
    }

    /// True for a text that writes to the ledger.
    pub(super) fn writes_ledger(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let writes = ["insert", "update", "delete", "truncate", "merge", "copy"].iter().any(|verb| text.contains(verb));
        writes && self.ledger.as_ref().is_some_and(|ledger| text.contains(ledger.as_str()))
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Watch").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

/// Who ends backends: by connections of its own, straight to the server.
#[derive(Clone, Debug)]
pub struct Administrator {
    endpoint: Endpoint,
    login: Login,
    database: String,
}

impl Administrator {
    pub fn of(cluster: &Cluster<'_>) -> Administrator {
        let server = cluster.server();
        Administrator {
            endpoint: server.endpoint(),
            login: server.administrator().clone(),
            database: server.maintenance_database().to_owned(),
        }
    }

    fn connect(&self) -> Result<Client, postgres::Error> {
        let mut config = Config::new();
        match &self.endpoint {
            Endpoint::Unix { directory, port } => config.host_path(directory).port(*port),
            Endpoint::Tcp { host, port, .. } => config.host(host).port(*port),
        };
        config.user(&self.login.user).password(self.login.password.reveal()).dbname(&self.database).connect(NoTls)
    }

    /// Ends a backend and waits until it is gone.
    pub(super) fn end(&self, process: i32) -> Result<(), postgres::Error> {
        sessions::end(&mut self.connect()?, "pid = $1", &[&process], PATIENCE)
    }

    /// Waits until a backend sleeps, is gone, or `gives_up` says so. True where it sleeps.
    pub(super) fn await_sleep(&self, process: i32, gives_up: impl Fn() -> bool) -> Result<bool, postgres::Error> {
        let mut client = self.connect()?;
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && !gives_up() {
            let query = "SELECT wait_event = 'PgSleep' FROM pg_catalog.pg_stat_activity WHERE pid = $1";
            let Some(row) = client.query_opt(query, &[&process])? else { return Ok(false) };
            if row.try_get::<_, Option<bool>>(0)? == Some(true) {
                return Ok(true);
            }
            sleep(Duration::from_millis(2));
        }
        Ok(false)
    }
}
