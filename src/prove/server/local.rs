//! A disposable PostgreSQL of our own: a data directory in a temporary place, a Unix socket, and nothing left behind.
//!
//! Invariants: no TCP port unless the settings ask for one; only the user who started it reaches the socket, and there too only
//! with a password, which is another one at each start, because SQL of a migration runs as the very user of the server. The
//! directory is gone when the server is, also when we panic, are interrupted ([`super::interrupt`]) or killed (the watchdog); and
//! if that is killed too, the next start finds what is left. As root the server runs as an unprivileged user, because PostgreSQL
//! refuses to run as root.
//!
//! A server that is dropped is asked for a fast shutdown, and made to stop if that takes too long. After us, if we are killed, it
//! is stopped at once: nobody will read its data.

use super::binaries::Binaries;
use super::error::{ServerError, described, io_error};
use super::interrupt::{self, Registration};
use super::place::{self, Place};
use super::running::{Running, initdb_arguments, new_password};
use super::shifted;
use super::template::Template;
use super::watchdog::Watchdog;
use super::{Endpoint, Login, Secret, Server};
use postgres::{Client, Config, NoTls};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const PORT: u16 = 5432;
pub(super) const SUPERUSER: &str = "postgres";
/// A start takes 0.1 s on an idle machine; this is for one that is anything but.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How to start a [`LocalServer`].
#[derive(Clone, Debug, Default)]
pub struct LocalServerOptions {
    /// Directory of `initdb` and `postgres`; `None` looks on `PATH`, then in the places where packages put them, newest first.
    pub binaries: Option<PathBuf>,
    /// Major version (15, 17) that it must be; `None` takes any.
    pub version: Option<u32>,
    /// Further settings, as in `postgresql.conf`; they win over the built-in ones. `port` names the socket, and is the TCP port
    /// where `listen_addresses` asks for one.
    pub settings: Vec<(String, String)>,
    /// Its clock is [`shifted::DAYS`] ahead.
    pub is_shifted: bool,
}

/// A running server that is ours alone. Dropping it stops it and removes everything it wrote.
#[derive(Debug)]
pub struct LocalServer {
    running: Shared,
    // Last: what it would run is what dropping does.
    _interrupt: Registration,
    directory: PathBuf,
    log: PathBuf,
    port: u16,
    version: u32,
    administrator: Login,
    /// As it was started, the directory of its programs found.
    options: LocalServerOptions,
}

/// `None` once it was stopped, by us or by a signal.
type Shared = Arc<Mutex<Option<Running>>>;

impl LocalServer {
    /// Makes a new cluster and starts it; returns once a query has been answered. Takes about 0.2 s where a server of this version
    /// was started before, else about a second.
    ///
    /// Fails when there is no PostgreSQL here, when nobody is there to run it as, or when it does not come up.
    pub fn start(options: &LocalServerOptions) -> Result<LocalServer, ServerError> {
        let path = std::env::var_os("PATH");
        let binaries = Binaries::find(options.binaries.as_deref(), options.version, path.as_deref())?;
        let port = options.settings.iter().rev().find(|(name, _)| name == "port");
        let port = port.and_then(|(_, value)| value.parse().ok()).unwrap_or(PORT);
        // Asking the program takes as long as all the rest before the copy.
        let (version, prepared) = std::thread::scope(|scope| {
            let version = scope.spawn(|| binaries.version());
            let prepared = prepare(port);
            (version.join().unwrap_or(Err(ServerError::Interrupted)), prepared)
        });
        let (place, watchdog) = prepared?;
        let (directory, log, data) = (place.run.clone(), place.log(), place.data());
        let account = place.account;
        let running: Shared = Arc::new(Mutex::new(Some(Running { process: None, watchdog, place })));
        let to_stop = Arc::clone(&running);
        let mut server = LocalServer {
            _interrupt: interrupt::register(move || drop(lock(&to_stop).take())),
            running,
            directory,
            log,
            port,
            version: 0,
            administrator: Login::new(SUPERUSER, new_password()?),
            options: LocalServerOptions { binaries: Some(binaries.directory().to_owned()), ..options.clone() },
        };
        let arguments = initdb_arguments();
        let template = Template::of(&version?, &arguments);
        if let Some(password) = template.as_ref().and_then(|template| template.copy_to(&data, account).ok()) {
            let started = server.launch(&binaries, password);
            // A copy that does not start may have been broken: what a new cluster says is the truth.
            if !matches!(
                started,
                Err(ServerError::Stopped { .. } | ServerError::NotReady { .. } | ServerError::Connection { .. })
            ) {
                return started.map(|()| server);
            }
            server.with_running(Running::stop)?;
        }
        if data.exists() {
            std::fs::remove_dir_all(&data).map_err(io_error("remove", &data))?;
        }
        let password = server.with_running(|running| running.initialise(&binaries, &arguments))??;
        if let Some(template) = template {
            // Without a copy for the next start, that one takes longer.
            let _ = template.keep(&data, &password);
        }
        server.launch(&binaries, password)?;
        Ok(server)
    }

    /// Starts the postmaster on the data that is there, whose superuser has this password, and gives it the one of this start.
    fn launch(&mut self, binaries: &Binaries, password: Secret) -> Result<(), ServerError> {
        let fresh = std::mem::replace(&mut self.administrator.password, password);
        let port = self.port;
        let options = self.options.clone();
        self.with_running(|running| running.spawn(binaries, port, &options))??;
        let mut client = self.wait_until_ready()?;
        // The server's log must not show the password either, should the statement fail.
        client
            .batch_execute(&format!(
                "SET log_min_error_statement = panic; SET log_statement = none; ALTER ROLE {SUPERUSER} PASSWORD '{}'",
                fresh.reveal()
            ))
            .map_err(|source| ServerError::Connection { action: "set the superuser's password".to_owned(), source })?;
        self.administrator.password = fresh;
        Ok(())
    }

    /// Fails once the server was stopped.
    fn with_running<T>(&self, work: impl FnOnce(&mut Running) -> T) -> Result<T, ServerError> {
        lock(&self.running).as_mut().map(work).ok_or(ServerError::Interrupted)
    }

    /// `server_version_num`: 150018 is 15.18.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// How to connect to `database` as superuser, for any client of the `postgres` crate.
    pub fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host_path(&self.directory).port(self.port).dbname(database).application_name("phasegate");
        config.user(&self.administrator.user).password(self.administrator.password.reveal());
        config
    }

    /// The directory of the socket, which is what libpq calls the host.
    pub fn socket_directory(&self) -> &Path {
        &self.directory
    }

    /// A new connection to `database` as superuser.
    pub fn connect(&self, database: &str) -> Result<Client, ServerError> {
        self.config(database)
            .connect(NoTls)
            .map_err(|source| ServerError::Connection { action: format!("connect to database {database}"), source })
    }

    /// Makes a database, as a copy of `template` where one is given.
    pub fn create_database(&self, name: &str, template: Option<&str>) -> Result<(), ServerError> {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let template = template.map(|template| format!(" TEMPLATE {}", quoted(template))).unwrap_or_default();
        self.connect(SUPERUSER)?
            .batch_execute(&format!("CREATE DATABASE {}{template}", quoted(name)))
            .map_err(|source| ServerError::Connection { action: format!("create database {name}"), source })
    }

    /// Ready means that a query is answered: the socket is there long before that.
    fn wait_until_ready(&mut self) -> Result<Client, ServerError> {
        let started = Instant::now();
        loop {
            if !self.with_running(Running::is_alive)? {
                return Err(ServerError::Stopped { log: self.log_end() });
            }
            let answer = self.config(SUPERUSER).connect(NoTls).and_then(|mut client| {
                let row = client.query_one("SELECT current_setting('server_version_num')::int", &[])?;
                Ok((row.try_get::<_, i32>(0)?, client))
            });
            match answer {
                Ok((version, client)) => {
                    self.version = version.unsigned_abs();
                    return Ok(client);
                }
                Err(error) if started.elapsed() > START_LIMIT => {
                    return Err(ServerError::NotReady {
                        seconds: START_LIMIT.as_secs(),
                        answer: described(&error),
                        log: self.log_end(),
                    });
                }
                // A wrong password is no server that is still starting: its data is not what it should be.
                Err(source) if source.code() == Some(&postgres::error::SqlState::INVALID_PASSWORD) => {
                    return Err(ServerError::Connection { action: "log in as superuser".to_owned(), source });
                }
                Err(_) => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }

    /// The last lines of the server's log, for messages.
    pub fn log_end(&self) -> String {
        last_lines(&std::fs::read(&self.log).unwrap_or_default())
    }
}

/// A place to work in, which is removed from here on however we end.
fn prepare(port: u16) -> Result<(Place, Watchdog), ServerError> {
    place::remove_orphans();
    let place = Place::new(port)?;
    let watchdog = Watchdog::start(&place.claim).map_err(io_error("start a shell for", place.claim.path()))?;
    Ok((place, watchdog))
}

/// The end of a log, for messages.
pub(super) fn last_lines(log: &[u8]) -> String {
    const LINES: usize = 10;
    let text = String::from_utf8_lossy(log);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

impl Server for LocalServer {
    fn version(&self) -> u32 {
        self.version
    }

    fn description(&self) -> String {
        let programs = self.options.binaries.as_deref().unwrap_or(Path::new(""));
        format!("PostgreSQL {}.{}, local, {}", self.version / 10_000, self.version % 10_000, programs.display())
    }

    fn administrator(&self) -> &Login {
        &self.administrator
    }

    fn has_superuser(&self) -> bool {
        true
    }

    fn maintenance_database(&self) -> &str {
        SUPERUSER
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Unix { directory: self.directory.clone(), port: self.port }
    }

    fn connect_as(&self, database: &str, login: &Login) -> Result<Client, ServerError> {
        let mut config = self.config(database);
        config.user(&login.user).password(login.password.reveal());
        config
            .connect(NoTls)
            .map_err(|source| ServerError::Connection { action: format!("connect to database {database}"), source })
    }

    fn log_end(&self) -> Option<String> {
        Some(LocalServer::log_end(self))
    }

    fn is_running(&self) -> bool {
        self.with_running(Running::is_alive).unwrap_or(false)
    }

    fn another(&self) -> Result<Option<Box<dyn Server>>, ServerError> {
        // A port of its own, or of nobody's, is all that two of them could be at odds about.
        if self.options.settings.iter().any(|(name, _)| matches!(name.as_str(), "listen_addresses" | "port")) {
            return Ok(None);
        }
        Ok(Some(Box::new(LocalServer::start(&self.options)?)))
    }

    fn in_another_month(&self) -> Result<Box<dyn Server>, ServerError> {
        if shifted::library().is_none() {
            return Err(ServerError::NoOtherMonth { why: "libfaketime is not installed (apt-get install faketime)" });
        }
        Ok(Box::new(LocalServer::start(&LocalServerOptions { is_shifted: true, ..self.options.clone() })?))
    }

    fn keep(&self, database: &str, login: &Login) -> Result<Vec<String>, ServerError> {
        let mut running = lock(&self.running).take().ok_or(ServerError::Interrupted)?;
        let directory = running.place.claim.path().to_owned();
        running.watchdog.keep().map_err(io_error("leave", &directory))?;
        let passwords = directory.join("pgpass");
        let lines = format!("*:*:*:{}:{}\n", login.user, login.password.reveal());
        write_private(&passwords, &lines).map_err(io_error("write", &passwords))?;
        running.place.claim.give_up().map_err(io_error("give up", &directory))?;
        let process = running.process.take().map(|process| process.id()).unwrap_or_default();
        Ok(vec![
            format!(
                "PGPASSFILE={} psql -h {} -p {} -U {} {database}",
                passwords.display(),
                self.directory.display(),
                self.port,
                login.user
            ),
            format!("to end it: kill -INT {process} && rm -rf {}", directory.display()),
        ])
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        drop(lock(&self.running).take());
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, Option<Running>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For nobody else's eyes from its first byte on.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::File::options().write(true).create_new(true).mode(0o600).open(path)?;
    std::io::Write::write_all(&mut file, text.as_bytes())
}
