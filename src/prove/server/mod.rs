//! Servers to prove things on: one interface, [`Server`], and a file for each kind.
//!
//! A disposable server is one that was started here, or one that the user named as disposable and that holds nothing. Anything else
//! is refused before the first statement.

mod account;
pub mod binaries;
mod choice;
mod claim;
pub mod container;
mod engine;
pub mod error;
pub mod interrupt;
pub mod local;
mod login;
mod place;
mod running;
mod settings;
pub mod shifted;
mod template;
pub mod url;
mod watchdog;

pub use binaries::Binaries;
pub use choice::{ServerChoice, start};
pub use container::{ContainerOptions, ContainerServer};
pub use error::ServerError;
pub use local::{LocalServer, LocalServerOptions};
pub use login::{Login, Secret};
use postgres::Client;
pub use settings::TEMP_FILE_LIMIT;
use std::path::PathBuf;
pub use url::{Target, UrlServer};

/// A PostgreSQL server that nobody will miss. Dropping it leaves nothing of it behind.
pub trait Server: std::fmt::Debug + Send + Sync {
    /// `server_version_num`: 150018 is 15.18.
    fn version(&self) -> u32;

    /// Which server this is, for people: "PostgreSQL 15.18, local, /usr/lib/postgresql/15/bin".
    fn description(&self) -> String;

    /// Who makes databases and roles here.
    fn administrator(&self) -> &Login;

    /// True where the administrator is a superuser.
    fn has_superuser(&self) -> bool;

    /// A database that is always there, to connect to for what belongs to no other.
    fn maintenance_database(&self) -> &str;

    /// Where clients, other programs included, reach it.
    fn endpoint(&self) -> Endpoint;

    /// A new connection.
    fn connect_as(&self, database: &str, login: &Login) -> Result<Client, ServerError>;

    /// The last lines of its log, where we can read it.
    fn log_end(&self) -> Option<String>;

    /// False once the server process is gone, as far as can be told without a connection.
    fn is_running(&self) -> bool;

    /// A second server like this one, empty, for work that goes on at the same time; `None` where that cannot be had or costs more than
    /// it brings.
    fn another(&self) -> Result<Option<Box<dyn Server>>, ServerError> {
        Ok(None)
    }

    /// A second server like this one, empty, whose clock is [`shifted::DAYS`] ahead. Fails where that cannot be had.
    fn in_another_month(&self) -> Result<Box<dyn Server>, ServerError> {
        Err(ServerError::NoOtherMonth { why: "only a local server's clock can be set" })
    }

    /// Leaves the server when we end, and says how to connect to a database of it and how to end it: one line for each. Fails where
    /// it cannot be left.
    fn keep(&self, database: &str, login: &Login) -> Result<Vec<String>, ServerError>;
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The directory of its Unix socket, and the number in the socket's name.
    Unix { directory: PathBuf, port: u16 },
    Tcp {
        host: String,
        port: u16,
        /// libpq's variables for its encryption: `PGSSLMODE` and the like.
        tls: Vec<(&'static str, String)>,
    },
}

impl Endpoint {
    /// What libpq and its kin read from the environment to connect: `PGHOST` … and `DATABASE_URL`.
    pub fn environment(&self, database: &str, login: &Login) -> Vec<(&'static str, String)> {
        let (host, port) = match self {
            Endpoint::Unix { directory, port } => (directory.to_string_lossy().into_owned(), *port),
            Endpoint::Tcp { host, port, .. } => (host.clone(), *port),
        };
        let mut variables = vec![
            ("PGHOST", host),
            ("PGPORT", port.to_string()),
            ("PGDATABASE", database.to_owned()),
            ("PGUSER", login.user.clone()),
            ("PGPASSWORD", login.password.reveal().to_owned()),
            ("DATABASE_URL", self.url(database, login)),
        ];
        if let Endpoint::Tcp { tls, .. } = self {
            variables.extend(tls.iter().cloned());
        }
        variables
    }

    /// `postgres://user:password@host:port/database`, with the socket's directory as `host` parameter.
    fn url(&self, database: &str, login: &Login) -> String {
        let user = format!("{}:{}", encoded(&login.user), encoded(login.password.reveal()));
        let database = encoded(database);
        match self {
            Endpoint::Unix { directory, port } => {
                let directory = encoded(&directory.to_string_lossy());
                format!("postgres://{user}@localhost:{port}/{database}?host={directory}&port={port}")
            }
            Endpoint::Tcp { host, port, tls } => {
                let parameter = |name: &str| tls.iter().find(|(known, _)| *known == name).map(|(_, value)| encoded(value));
                let mut parameters = Vec::new();
                parameters.extend(parameter("PGSSLMODE").map(|mode| format!("sslmode={mode}")));
                parameters.extend(parameter("PGSSLROOTCERT").map(|file| format!("sslrootcert={file}")));
                let query = if parameters.is_empty() { String::new() } else { format!("?{}", parameters.join("&")) };
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                format!("postgres://{user}@{host}:{port}/{database}{query}")
            }
        }
    }
}

/// Percent-encoded for any part of a URL.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
