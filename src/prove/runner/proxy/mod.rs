//! A proxy between a runner and the server: it sees the boundaries between statements, and can cut or hold a connection at one.
//!
//! It speaks PostgreSQL's protocol, version 3: encryption is answered with "no" towards the client, start-up, authentication and
//! cancelling pass through. A cut ends the backend first, by an administrator's connection, and then both sides, so that nothing runs
//! on behind it. Dropping the proxy ends everything that goes through it.

mod relay;
mod stream;
mod watch;

pub use watch::{Action, Administrator, Event, EventKind, Watch};

use super::RunnerError;
use crate::prove::server::Endpoint;
use relay::Link;
use std::fs::Permissions;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use stream::Stream;
use tempfile::TempDir;

/// How often a listener is asked for a new client.
const POLL: Duration = Duration::from_millis(2);
/// How long connections have to notice that they are over.
const PARTING: Duration = Duration::from_secs(1);
/// The number in the name of our own socket.
const PORT: u16 = 5432;
/// Bytes of a directory's name that leave room for our own and the socket's in it: a socket's path has 103 at most.
const LONGEST: usize = 70;

/// Stands in front of a server.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    endpoint: Endpoint,
    accepting: Option<JoinHandle<()>>,
    /// Holds the socket.
    _directory: Option<TempDir>,
}

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    upstream: Endpoint,
    watch: Watch,
    state: Mutex<State>,
    changed: Condvar,
    boundaries: AtomicUsize,
    is_over: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    links: Vec<Arc<Link>>,
    trace: Vec<Event>,
    held: usize,
    /// How often was released: who is held waits for the next one.
    releases: usize,
    is_killed: bool,
    /// What went wrong while a backend was to be ended.
    trouble: Vec<String>,
}

impl Proxy {
    /// Listens on a port of 127.0.0.1 that the system chooses.
    pub fn tcp(upstream: &Endpoint, watch: Watch) -> Result<Proxy, RunnerError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let endpoint = Endpoint::Tcp { host: Ipv4Addr::LOCALHOST.to_string(), port, tls: Vec::new() };
        let accept = move || {
            let (stream, _) = listener.accept()?;
            stream.set_nonblocking(false)?;
            stream.set_nodelay(true)?;
            Ok(Stream::Tcp(stream))
        };
        Ok(Proxy::start(upstream, watch, endpoint, None, accept))
    }

    /// Listens on a Unix socket in a directory of its own, which only this user may enter. Where it can be, that is in the directory
    /// of the server's own socket: whoever removes a server that was left behind removes it too.
    pub fn unix(upstream: &Endpoint, watch: Watch) -> Result<Proxy, RunnerError> {
        let beside = match upstream {
            Endpoint::Unix { directory, .. } if directory.as_os_str().len() < LONGEST => private_directory(directory).ok(),
            Endpoint::Unix { .. } | Endpoint::Tcp { .. } => None,
        };
        let directory = match beside {
            Some(directory) => directory,
            None => private_directory(&std::env::temp_dir()).map_err(failed)?,
        };
        let listener = UnixListener::bind(directory.path().join(format!(".s.PGSQL.{PORT}"))).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let endpoint = Endpoint::Unix { directory: directory.path().to_owned(), port: PORT };
        let accept = move || {
            let (stream, _) = listener.accept()?;
            stream.set_nonblocking(false)?;
            Ok(Stream::Unix(stream))
        };
        Ok(Proxy::start(upstream, watch, endpoint, Some(directory), accept))
    }

    fn start(
        upstream: &Endpoint,
        watch: Watch,
        endpoint: Endpoint,
        directory: Option<TempDir>,
        accept: impl Fn() -> io::Result<Stream> + Send + 'static,
    ) -> Proxy {
        let shared = Arc::new(Shared {
            upstream: upstream.clone(),
            watch,
            state: Mutex::default(),
            changed: Condvar::new(),
            boundaries: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || of_thread.accept(accept));
        Proxy { shared, endpoint, accepting: Some(accepting), _directory: directory }
    }

    /// Where clients connect.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What went by until now, in order.
    pub fn trace(&self) -> Vec<Event> {
        self.shared.state().trace.clone()
    }

    /// Statements that were completed.
    pub fn boundaries(&self) -> usize {
        self.shared.boundaries()
    }

    /// Why a backend could not be ended, where one could not: what the proof then saw is not what it meant to see.
    pub fn trouble(&self) -> Vec<String> {
        self.shared.state().trouble.clone()
    }

    /// Waits until this many connections are held. False where that took too long.
    pub fn await_held(&self, connections: usize, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        let mut state = self.shared.state();
        while state.held < connections {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Lets go on what is held now.
    pub fn release(&self) {
        self.shared.release();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.shared.release();
        let links = self.shared.state().links.clone();
        links.iter().for_each(|link| link.shut());
        if let Some(accepting) = self.accepting.take() {
            // It ends by itself, and a panic in it was said when it happened.
            let _ = accepting.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, accept: impl Fn() -> io::Result<Stream>) {
        let mut connections = Vec::new();
        let mut number = 0;
        while !self.is_over.load(Ordering::SeqCst) {
            match accept() {
                Ok(client) => {
                    number += 1;
                    let shared = Arc::clone(self);
                    // A client that goes away in the middle of its start is its own business.
                    connections.push(std::thread::spawn(move || drop(relay::serve(&shared, client, number))));
                }
                Err(_) => std::thread::sleep(POLL),
            }
        }
        // Who connected and never said a word is left to itself.
        let links = self.state().links.clone();
        links.iter().for_each(|link| link.shut());
        let end = Instant::now() + PARTING;
        for connection in connections {
            while !connection.is_finished() && Instant::now() < end {
                std::thread::sleep(POLL);
            }
        }
    }

    /// False where nobody is let in any more.
    fn add(&self, link: &Arc<Link>) -> bool {
        let mut state = self.state();
        let is_open = !state.is_killed && !self.is_over.load(Ordering::SeqCst);
        if is_open {
            state.links.push(Arc::clone(link));
        }
        is_open
    }

    fn remove(&self, link: &Link) {
        self.state().links.retain(|known| known.number != link.number);
    }

    fn boundaries(&self) -> usize {
        self.boundaries.load(Ordering::SeqCst)
    }

    /// Notes an event and does what is wanted there. False where the connection ends with it.
    fn at(&self, link: &Link, kind: EventKind) -> bool {
        let boundary = match kind {
            EventKind::Completed { .. } => self.boundaries.fetch_add(1, Ordering::SeqCst) + 1,
            EventKind::Sends { .. } | EventKind::Failed { .. } | EventKind::Ready { .. } => self.boundaries(),
        };
        let event = Event { connection: link.number, process: link.process(), boundary, kind };
        let action = match event.kind {
            EventKind::Sends { .. } | EventKind::Completed { .. } => self.watch.action(&event),
            EventKind::Failed { .. } | EventKind::Ready { .. } => Action::Pass,
        };
        self.state().trace.push(event);
        match action {
            Action::Pass => true,
            Action::Cut | Action::CutAll => {
                self.cut(link, action);
                false
            }
            Action::Hold => {
                self.hold(link);
                !link.is_cut.load(Ordering::SeqCst)
            }
        }
    }

    fn hold(&self, link: &Link) {
        let mut state = self.state();
        let releases = state.releases;
        state.held += 1;
        self.changed.notify_all();
        while state.releases == releases && !self.is_over.load(Ordering::SeqCst) && !link.is_cut.load(Ordering::SeqCst) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.held -= 1;
    }

    fn release(&self) {
        self.state().releases += 1;
        self.changed.notify_all();
    }

    /// Ends a connection, or all of them, with their backends.
    fn cut(&self, link: &Link, action: Action) {
        let links = {
            let mut state = self.state();
            state.is_killed |= action == Action::CutAll;
            let is_meant = |known: &&Arc<Link>| action == Action::CutAll || known.number == link.number;
            state.links.iter().filter(is_meant).cloned().collect::<Vec<_>>()
        };
        links.iter().for_each(|link| link.is_cut.store(true, Ordering::SeqCst));
        for link in &links {
            if let (Some(administrator), Some(process)) = (&self.watch.administrator, link.process())
                && let Err(error) = administrator.end(process)
            {
                self.state().trouble.push(format!("the backend {process} could not be ended: {error}"));
            }
        }
        links.iter().for_each(|link| link.shut());
        // Who is held there is held no more. The lock is taken so that nobody is between looking and waiting.
        drop(self.state());
        self.changed.notify_all();
    }

    /// Waits until the backend has come to the sleep that was put into its query.
    fn sleeps(&self, link: &Link, gives_up: impl Fn() -> bool) -> bool {
        let (Some(administrator), Some(process)) = (&self.watch.administrator, link.process()) else { return true };
        match administrator.await_sleep(process, gives_up) {
            Ok(sleeps) => sleeps,
            Err(error) => {
                self.state().trouble.push(format!("the backend {process} could not be watched: {error}"));
                true
            }
        }
    }
}

fn private_directory(parent: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("proxy-").permissions(Permissions::from_mode(0o700)).tempdir_in(parent)
}

fn failed(source: io::Error) -> RunnerError {
    RunnerError::Proxy { source }
}
