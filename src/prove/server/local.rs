//! A disposable PostgreSQL of our own: a data directory in a temporary place, a Unix socket, and nothing left behind.
//!
//! Invariants: no TCP port; only the user who started it can connect; the directory is gone when the server is, also when we
//! panic or are killed. As root the server runs as an unprivileged user, because PostgreSQL refuses to run as root.

use super::binaries::Binaries;
use super::error::{ServerError, described};
use super::watchdog::Watchdog;
use super::{Endpoint, Login, Secret, Server};
use postgres::{Client, Config, NoTls};
use std::fs::{File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PORT: u16 = 5432;
const SUPERUSER: &str = "postgres";
/// A start takes 0.1 s on an idle machine; this is for one that is anything but.
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(15);
/// `sizeof(sockaddr_un.sun_path)` less the terminating zero, on the stricter systems.
const SOCKET_PATH_LIMIT: usize = 103;

/// Settings of every disposable server. Durability is off: a crash loses a server that was going to be thrown away. Time zone and
/// messages are fixed so that what a run says does not depend on the machine.
const SETTINGS: [(&str, &str); 9] = [
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
    ("autovacuum", "off"),
    ("wal_level", "logical"),
    ("TimeZone", "UTC"),
    ("lc_messages", "C"),
];

/// How to start a [`LocalServer`].
#[derive(Clone, Debug, Default)]
pub struct LocalServerOptions {
    /// Directory of `initdb` and `postgres`; `None` looks on `PATH`, then in the places where packages put them, newest first.
    pub binaries: Option<PathBuf>,
    /// Further settings, as in `postgresql.conf`; they win over the built-in ones.
    pub settings: Vec<(String, String)>,
}

/// A running server that is ours alone. Dropping it stops it and removes everything it wrote.
#[derive(Debug)]
pub struct LocalServer {
    directory: PathBuf,
    process: Child,
    watchdog: Watchdog,
    version: u32,
    administrator: Login,
    /// The directory of its programs.
    programs: PathBuf,
}

impl LocalServer {
    /// Makes a new cluster and starts it; returns once a query has been answered. Takes about half a second.
    ///
    /// Fails when there is no PostgreSQL here, when nobody is there to run it as, or when it does not come up.
    pub fn start(options: &LocalServerOptions) -> Result<LocalServer, ServerError> {
        let binaries = Binaries::find(options.binaries.as_deref(), std::env::var_os("PATH").as_deref())?;
        let (directory, account) = working_directory()?;
        let mut watchdog = Watchdog::start(&directory).map_err(io_error("start a shell for", &directory))?;
        initialise(&binaries, &directory, account, &mut watchdog)?;
        let process = spawn(&binaries, &directory, account, &options.settings)?;
        let administrator = Login::new(SUPERUSER, Secret::new(""));
        let programs = binaries.postgres.parent().unwrap_or(&binaries.postgres).to_owned();
        let mut server = LocalServer { directory, process, watchdog, version: 0, administrator, programs };
        server.watchdog.watch(&server.process).map_err(io_error("watch over", &server.directory))?;
        server.wait_until_ready()?;
        Ok(server)
    }

    /// `server_version_num`: 150018 is 15.18.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// How to connect to `database` as superuser, for any client of the `postgres` crate.
    pub fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host_path(&self.directory).port(PORT).user(SUPERUSER).dbname(database).application_name("phasegate");
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
    fn wait_until_ready(&mut self) -> Result<(), ServerError> {
        let started = Instant::now();
        loop {
            let stopped = self.process.try_wait().map_err(io_error("wait for the server in", &self.directory))?;
            if stopped.is_some() {
                self.watchdog.forget().map_err(io_error("watch over", &self.directory))?;
                return Err(ServerError::Stopped { log: self.log_end() });
            }
            let answer = self.config(SUPERUSER).connect(NoTls).and_then(|mut client| {
                client.query_one("SELECT current_setting('server_version_num')::int", &[])?.try_get::<_, i32>(0)
            });
            match answer {
                Ok(version) => {
                    self.version = version.unsigned_abs();
                    return Ok(());
                }
                Err(error) if started.elapsed() > START_LIMIT => {
                    return Err(ServerError::NotReady {
                        seconds: START_LIMIT.as_secs(),
                        answer: described(&error),
                        log: self.log_end(),
                    });
                }
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// The last lines of the server's log, for messages.
    pub fn log_end(&self) -> String {
        const LINES: usize = 10;
        let bytes = std::fs::read(self.directory.join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}

impl Server for LocalServer {
    fn version(&self) -> u32 {
        self.version
    }

    fn description(&self) -> String {
        format!("PostgreSQL {}.{}, local, {}", self.version / 10_000, self.version % 10_000, self.programs.display())
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
        Endpoint::Unix { directory: self.directory.clone(), port: PORT }
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
        Path::new(&format!("/proc/{}", self.process.id())).exists()
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        self.watchdog.release();
        let asked = Instant::now();
        // Waiting also takes the process off the table, which is what the watchdog looks at.
        while let Ok(None) = self.process.try_wait() {
            if asked.elapsed() > STOP_LIMIT {
                // Already gone is as good as killed.
                let _ = self.process.kill();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// User and group the server runs as, where it is not our own.
#[derive(Clone, Copy, Debug)]
struct Account {
    user: u32,
    group: u32,
}

/// A new directory that the server's user owns, short enough for a socket in it, and that user where it is not ours.
fn working_directory() -> Result<(PathBuf, Option<Account>), ServerError> {
    let preferred = std::env::temp_dir();
    let make = |parent: &Path| {
        tempfile::Builder::new()
            .prefix("phasegate-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)
            .map_err(io_error("make a directory in", parent))
    };
    let mut directory = make(&preferred)?;
    let owner = std::fs::metadata(directory.path()).map_err(io_error("look at", directory.path()))?.uid();
    let account = if owner == 0 { Some(unprivileged_account()?) } else { None };
    // Another user may not be let into our TMPDIR, and a long one leaves no room for the name of the socket.
    if account.is_some() || socket_path(directory.path()).as_os_str().len() > SOCKET_PATH_LIMIT {
        directory = make(Path::new("/tmp"))?;
    }
    let socket = socket_path(directory.path());
    if socket.as_os_str().as_bytes().len() > SOCKET_PATH_LIMIT {
        return Err(ServerError::SocketPath { path: socket, limit: SOCKET_PATH_LIMIT });
    }
    if let Some(account) = account {
        chown(directory.path(), Some(account.user), Some(account.group)).map_err(io_error("hand over", directory.path()))?;
    }
    Ok((directory.keep(), account))
}

fn socket_path(directory: &Path) -> PathBuf {
    directory.join(format!(".s.PGSQL.{PORT}.lock"))
}

/// The first of the users that a server may run as; `id` asks whatever directory service the machine has.
fn unprivileged_account() -> Result<Account, ServerError> {
    let number = |flag: &str, name: &str| -> Option<u32> {
        let output = Command::new("id").args([flag, name]).stderr(Stdio::null()).output().ok()?;
        std::str::from_utf8(&output.stdout).ok()?.trim().parse().ok()
    };
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| Some(Account { user: number("-u", name)?, group: number("-g", name)? }))
        .filter(|account| account.user != 0)
        .ok_or(ServerError::NoUnprivilegedUser)
}

/// A command that runs as `account` in `directory`, out of reach of the terminal's signals and of PG* variables of ours.
fn command(program: &Path, directory: &Path, account: Option<Account>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).stdin(Stdio::null()).process_group(0).env("TZ", "UTC").env("LC_ALL", "C");
    for variable in ["PGDATA", "PGPORT", "PGHOST", "PGUSER", "PGDATABASE", "PGOPTIONS"] {
        command.env_remove(variable);
    }
    if let Some(account) = account {
        command.uid(account.user).gid(account.group);
    }
    command
}

fn initialise(
    binaries: &Binaries,
    directory: &Path,
    account: Option<Account>,
    watchdog: &mut Watchdog,
) -> Result<(), ServerError> {
    let process = command(&binaries.initdb, directory, account)
        .args(["--pgdata=data", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"])
        .arg(format!("--username={SUPERUSER}"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(io_error("run", &binaries.initdb))?;
    watchdog.watch(&process).map_err(io_error("watch over", directory))?;
    let output = process.wait_with_output().map_err(io_error("wait for", &binaries.initdb))?;
    watchdog.forget().map_err(io_error("watch over", directory))?;
    if output.status.success() {
        return Ok(());
    }
    Err(ServerError::Initdb { output: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}

fn spawn(
    binaries: &Binaries,
    directory: &Path,
    account: Option<Account>,
    settings: &[(String, String)],
) -> Result<Child, ServerError> {
    let path = directory.join("log");
    let log = File::create(&path).map_err(io_error("create", &path))?;
    let log_for_errors = log.try_clone().map_err(io_error("open", &path))?;
    let mut command = command(&binaries.postgres, directory, account);
    command.arg("-D").arg("data").arg("-k").arg(directory).args(["-p", &PORT.to_string()]);
    for (name, value) in SETTINGS {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    for (name, value) in settings {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    command.stdout(log).stderr(log_for_errors).spawn().map_err(io_error("run", &binaries.postgres))
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ServerError + use<> {
    let path = path.to_owned();
    move |source| ServerError::Io { action, path, source }
}
