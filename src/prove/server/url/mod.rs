//! A server of the user's that nobody will miss.
//!
//! Invariants: nothing is sent before the user has said that the server is disposable, and nothing that changes anything before the
//! whole cluster was looked at and found to be nobody's. A password is never shown.

mod pairs;
mod password;
pub mod standing;
pub mod target;
mod tls;

pub use standing::{Difference, Standing};
pub use target::{Environment, ProcessEnvironment, RootCertificate, SslMode, Target, TargetError};

use super::{Endpoint, Login, Server, ServerError};
use postgres::{Client, Config, NoTls};
use std::fmt;
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long a server that is there takes to accept a connection.
const ACCEPT_LIMIT: Duration = Duration::from_secs(5);
/// So many of what is in the way are named.
const NAMED: usize = 8;

/// A server that the user named. It is left running, with what stands there.
pub struct UrlServer {
    target: Target,
    tls: Option<MakeRustlsConnect>,
    version: u32,
    has_superuser: bool,
    before: Standing,
}

impl UrlServer {
    /// Connects and looks at the cluster.
    ///
    /// Fails where the user did not say that it is `disposable`, where anything stands in it that a new one would not have, where
    /// the login may make no databases and roles, and where there is no connection as it was asked for.
    pub fn open(target: Target, disposable: bool) -> Result<UrlServer, ServerError> {
        if !disposable {
            return Err(ServerError::NotDisposable { target: target.to_string() });
        }
        let tls = tls::connector(&target, home())?;
        let mut server = UrlServer { target, tls, version: 0, has_superuser: false, before: Standing::default() };
        let mut client = server.connect_as(&server.target.database, &server.target.login)?;
        // The server holds us to it that we only look.
        let read_only = "SET default_transaction_read_only = on; SET search_path = pg_catalog";
        client.batch_execute(read_only).map_err(asking)?;
        server.refuse_what_is_somebody_s(&mut client)?;
        server.ask_for_rights(&mut client)?;
        server.before = Standing::read(&mut client)?;
        Ok(server)
    }

    fn refuse_what_is_somebody_s(&self, client: &mut Client) -> Result<(), ServerError> {
        let mut in_the_way = standing::in_the_way(client, &self.target.database, &self.target.login.user)?;
        let others =
            "SELECT datname FROM pg_database WHERE datallowconn AND datname IN ('postgres', 'template1') AND datname <> $1";
        let others = client.query(others, &[&self.target.database]).map_err(asking)?;
        let inside = |found: Vec<String>, database: &str| {
            found.into_iter().map(move |name| format!("{name} in {database}")).collect::<Vec<_>>()
        };
        in_the_way.extend(inside(standing::made_here(client)?, &self.target.database));
        for row in others {
            let database: String = row.try_get(0).map_err(asking)?;
            // One that cannot be looked into may hold anything.
            match self.connect_as(&database, &self.target.login) {
                Ok(mut client) => {
                    let read_only = "SET default_transaction_read_only = on; SET search_path = pg_catalog";
                    client.batch_execute(read_only).map_err(asking)?;
                    in_the_way.extend(inside(standing::made_here(&mut client)?, &database));
                }
                Err(error) => in_the_way.push(format!("database {database}, which cannot be looked into ({error})")),
            }
        }
        if in_the_way.is_empty() {
            return Ok(());
        }
        let more = in_the_way.len().saturating_sub(NAMED);
        in_the_way.truncate(NAMED);
        let mut named = in_the_way.join(", ");
        if more > 0 {
            named = format!("{named}, and {more} more");
        }
        Err(ServerError::NotEmpty { target: self.target.to_string(), in_the_way: named })
    }

    fn ask_for_rights(&mut self, client: &mut Client) -> Result<(), ServerError> {
        let rights = "SELECT rolsuper, rolcreatedb, rolcreaterole, current_setting('server_version_num')::int \
                      FROM pg_roles WHERE rolname = current_user";
        let row = client.query_one(rights, &[]).map_err(asking)?;
        let is = |column: usize| row.try_get::<_, bool>(column).map_err(asking);
        self.has_superuser = is(0)?;
        self.version = row.try_get::<_, i32>(3).map_err(asking)?.unsigned_abs();
        let refused = |what| ServerError::NoRight { target: self.target.to_string(), user: self.target.login.user.clone(), what };
        match (self.has_superuser || is(1)?, self.has_superuser || is(2)?) {
            (false, _) => Err(refused("make databases")),
            (_, false) => Err(refused("make roles")),
            _ => Ok(()),
        }
    }

    /// What stands in the cluster now and did not when it was opened, and the other way round.
    ///
    /// Fails where the server does not answer.
    pub fn difference(&self) -> Result<Difference, ServerError> {
        let mut client = self.connect_as(&self.target.database, &self.target.login)?;
        Ok(self.before.difference(&Standing::read(&mut client)?))
    }

    fn config(&self, database: &str, login: &Login) -> Config {
        let mut config = Config::new();
        if self.target.is_socket() {
            config.host_path(&self.target.host);
        } else {
            config.host(&self.target.host);
        }
        config.port(self.target.port).dbname(database).user(&login.user).application_name("phasegate");
        config.connect_timeout(self.target.connect_timeout);
        if !login.password.reveal().is_empty() {
            config.password(login.password.reveal());
        }
        config
    }

    fn connect(&self, mut config: Config) -> Result<Client, postgres::Error> {
        use postgres::config::SslMode as Wire;
        let Some(tls) = &self.tls else { return config.ssl_mode(Wire::Disable).connect(NoTls) };
        match self.target.ssl_mode {
            SslMode::Disable => config.ssl_mode(Wire::Disable).connect(NoTls),
            SslMode::Allow => {
                let plain = config.ssl_mode(Wire::Disable).connect(NoTls);
                plain.or_else(|_| config.ssl_mode(Wire::Require).connect(tls.clone()))
            }
            SslMode::Prefer => config.ssl_mode(Wire::Prefer).connect(tls.clone()),
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => config.ssl_mode(Wire::Require).connect(tls.clone()),
        }
    }
}

impl Server for UrlServer {
    fn version(&self) -> u32 {
        self.version
    }

    fn description(&self) -> String {
        format!("PostgreSQL {}.{}, {}", self.version / 10_000, self.version % 10_000, self.target)
    }

    fn administrator(&self) -> &Login {
        &self.target.login
    }

    fn has_superuser(&self) -> bool {
        self.has_superuser
    }

    fn maintenance_database(&self) -> &str {
        &self.target.database
    }

    fn endpoint(&self) -> Endpoint {
        if self.target.is_socket() {
            return Endpoint::Unix { directory: PathBuf::from(&self.target.host), port: self.target.port };
        }
        let mode = match self.target.ssl_mode {
            SslMode::Disable => "disable",
            SslMode::Allow => "allow",
            SslMode::Prefer => "prefer",
            SslMode::Require => "require",
            SslMode::VerifyCa => "verify-ca",
            SslMode::VerifyFull => "verify-full",
        };
        let mut tls = vec![("PGSSLMODE", mode.to_owned())];
        match &self.target.root_certificate {
            // Where libpq would look for its own file and fail, it is told what we do.
            RootCertificate::Default if self.target.ssl_mode == SslMode::VerifyFull && tls::libpq_file(home()).is_none() => {
                tls.push(("PGSSLROOTCERT", "system".to_owned()));
            }
            RootCertificate::Default => {}
            RootCertificate::System => tls.push(("PGSSLROOTCERT", "system".to_owned())),
            RootCertificate::File(file) => tls.push(("PGSSLROOTCERT", file.display().to_string())),
        }
        Endpoint::Tcp { host: self.target.host.clone(), port: self.target.port, tls }
    }

    fn connect_as(&self, database: &str, login: &Login) -> Result<Client, ServerError> {
        self.connect(self.config(database, login)).map_err(|source| ServerError::Connection {
            action: format!("connect to database {database} of {}", self.place()),
            source,
        })
    }

    fn log_end(&self) -> Option<String> {
        None
    }

    fn keep(&self, database: &str, login: &Login) -> Result<Vec<String>, ServerError> {
        Ok(vec![
            format!("the database {database} stays: connect with the login that you gave"),
            format!("to end it: DROP DATABASE {database}, and what else was made, the role {} last", login.user),
        ])
    }

    fn is_running(&self) -> bool {
        if self.target.is_socket() {
            let socket = Path::new(&self.target.host).join(format!(".s.PGSQL.{}", self.target.port));
            return std::os::unix::net::UnixStream::connect(socket).is_ok();
        }
        let addresses = (self.target.host.as_str(), self.target.port).to_socket_addrs();
        addresses.is_ok_and(|mut all| all.any(|address| std::net::TcpStream::connect_timeout(&address, ACCEPT_LIMIT).is_ok()))
    }
}

impl UrlServer {
    fn place(&self) -> String {
        format!("{}:{}", self.target.host, self.target.port)
    }
}

impl fmt::Debug for UrlServer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("UrlServer").field("target", &self.target).field("version", &self.version).finish_non_exhaustive()
    }
}

fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from)
}

fn asking(source: postgres::Error) -> ServerError {
    ServerError::Connection { action: "look at the cluster".to_owned(), source }
}
