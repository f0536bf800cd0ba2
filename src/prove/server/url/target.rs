//! Where a server of the user's is and who we are there, in whatever form that was said.
//!
//! What is said in the text wins over the environment (libpq's variables), which wins over libpq's defaults. A password is taken
//! from the environment or a file alone: the text is an argument, and every user of the machine can read those.

use super::super::{Login, Secret};
use super::pairs::{self, Pairs};
use super::password;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What is read from outside of the text.
pub trait Environment {
    /// A variable of the environment; `None` where it is not set or empty.
    fn variable(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Clone, Copy, Debug)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}

/// How a connection is encrypted, and how sure it has to be of the server: libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SslMode {
    Disable,
    /// Encrypted only where the server wants it.
    Allow,
    /// Encrypted where the server can.
    Prefer,
    Require,
    /// The server's certificate comes from an authority that we trust.
    VerifyCa,
    /// And it is of the host that we asked for.
    VerifyFull,
}

/// Whom the server's certificate has to come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootCertificate {
    /// The file of libpq (`~/.postgresql/root.crt`) where there is one, else what the system trusts.
    Default,
    System,
    /// A file in PEM format.
    File(PathBuf),
}

/// A server of the user's. Its `Display` is for messages and has no password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A name, an address, or the directory of a socket, which begins with a slash.
    pub host: String,
    pub port: u16,
    pub database: String,
    /// With an empty password where none was found: the server may want none.
    pub login: Login,
    pub ssl_mode: SslMode,
    pub root_certificate: RootCertificate,
    pub connect_timeout: Duration,
}

/// Why it is not clear which server is meant. No variant holds what was written.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    #[error("the database URL cannot be read: {0}")]
    Form(&'static str),
    #[error(
        "the database URL holds a password, which every user of this machine could read; leave it out and set PGPASSWORD, \
         PGPASSWORD_FILE or PGPASSFILE"
    )]
    Password,
    #[error("the database URL names {0}, which is not supported here")]
    Unsupported(String),
    #[error("{name} is not {expected}")]
    Value { name: &'static str, expected: &'static str },
    #[error("no user is named: say one in the database URL, or set PGUSER")]
    NoUser,
    #[error("cannot read the password file {}: {source}", path.display())]
    PasswordFile { path: PathBuf, source: std::io::Error },
    #[error("the password file {} can be read by others; run chmod 600 on it", path.display())]
    OpenPasswordFile { path: PathBuf },
    #[error("cannot use the root certificate {}: {why}", path.display())]
    RootCertificate { path: PathBuf, why: String },
    #[error("this system trusts no certificate authority that could be read; name one with sslrootcert: {0}")]
    NoAuthorities(String),
    #[error("{0} is no name that a certificate can have")]
    HostName(String),
}

/// Parameters that change nothing here.
const WITHOUT_EFFECT: [&str; 12] = [
    "application_name",
    "fallback_application_name",
    "client_encoding",
    "gssencmode",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "pooling",
    "minpoolsize",
    "maxpoolsize",
];

/// Where libpq has a variable for a parameter.
const VARIABLES: [(&str, &str); 8] = [
    ("host", "PGHOST"),
    ("port", "PGPORT"),
    ("dbname", "PGDATABASE"),
    ("user", "PGUSER"),
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("passfile", "PGPASSFILE"),
];

impl Target {
    /// Reads a libpq URL, libpq's `key=value` form, or Npgsql's `Key=Value;…`; without a text the environment says it all.
    ///
    /// Fails where the text holds a password or something that would be ignored, and where a file that is named cannot be read.
    pub fn parse(text: Option<&str>, environment: &dyn Environment) -> Result<Target, TargetError> {
        let pairs = text.map_or_else(|| Ok(Pairs::new()), pairs::parse)?;
        let holds_password =
            |(name, value): &(String, String)| matches!(name.as_str(), "password" | "sslpassword") && !value.is_empty();
        if pairs.iter().any(holds_password) {
            return Err(TargetError::Password);
        }
        for (name, _) in &pairs {
            let known = VARIABLES.iter().any(|(known, _)| known == name) || matches!(name.as_str(), "password" | "ssl");
            if !known && !WITHOUT_EFFECT.contains(&name.as_str()) {
                return Err(unsupported(name));
            }
        }
        let said = |name: &str| {
            let written = pairs.iter().rev().find(|(known, value)| known == name && !value.is_empty());
            let variable =
                || VARIABLES.iter().find(|(known, _)| *known == name).and_then(|(_, variable)| environment.variable(variable));
            written.map(|(_, value)| value.clone()).or_else(variable)
        };
        let host = said("host").unwrap_or_else(|| "localhost".to_owned());
        if host.contains(',') {
            return Err(TargetError::Unsupported("several hosts".to_owned()));
        }
        let port = match said("port") {
            Some(port) => port.parse().map_err(|_| TargetError::Value { name: "the port", expected: "a number up to 65535" })?,
            None => 5432,
        };
        let user = said("user").or_else(|| environment.variable("USER")).ok_or(TargetError::NoUser)?;
        let database = said("dbname").unwrap_or_else(|| user.clone());
        let root_certificate = match said("sslrootcert") {
            None => RootCertificate::Default,
            Some(name) if name == "system" => RootCertificate::System,
            Some(file) => RootCertificate::File(file.into()),
        };
        let ssl = pairs.iter().any(|(name, value)| name == "ssl" && value == "true");
        let ssl_mode = ssl_mode(said("sslmode").as_deref(), ssl, &root_certificate)?;
        let connect_timeout = match said("connect_timeout") {
            Some(seconds) => {
                seconds.parse().map_err(|_| TargetError::Value { name: "connect_timeout", expected: "a number of seconds" })?
            }
            None => 0,
        };
        let key = password::Key { host: &host, port, database: &database, user: &user };
        let password = password::find(&key, said("passfile"), environment)?;
        let login = Login::new(user, password.unwrap_or_else(|| Secret::new("")));
        // Zero is libpq's word for no limit; a proof that waits for ever is no use.
        let connect_timeout = Duration::from_secs(if connect_timeout == 0 { 30 } else { connect_timeout });
        Ok(Target { host, port, database, login, ssl_mode, root_certificate, connect_timeout })
    }

    /// True where the host is the directory of a socket.
    pub fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "database {} of {}:{} as {}", self.database, self.host, self.port, self.login.user)
    }
}

/// The name is shown only where it looks like one: what stands before an = may be a piece of something secret.
fn unsupported(name: &str) -> TargetError {
    if name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_') {
        TargetError::Unsupported(format!("the parameter {name}"))
    } else {
        TargetError::Unsupported("a parameter that is not known".to_owned())
    }
}

/// A root certificate that is named is used: with `require` too, as libpq does it.
fn ssl_mode(said: Option<&str>, ssl: bool, root: &RootCertificate) -> Result<SslMode, TargetError> {
    let name: Option<String> =
        said.map(|said| said.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect());
    let mode = match name.as_deref() {
        None if *root == RootCertificate::System => SslMode::VerifyFull,
        None if ssl => SslMode::Require,
        None => SslMode::Prefer,
        Some("disable") => SslMode::Disable,
        Some("allow") => SslMode::Allow,
        Some("prefer") => SslMode::Prefer,
        Some("require") => SslMode::Require,
        Some("verifyca") => SslMode::VerifyCa,
        Some("verifyfull") => SslMode::VerifyFull,
        Some(_) => {
            let expected = "one of disable, allow, prefer, require, verify-ca and verify-full";
            return Err(TargetError::Value { name: "sslmode", expected });
        }
    };
    if *root == RootCertificate::System && mode < SslMode::VerifyFull {
        return Err(TargetError::Value { name: "sslmode", expected: "verify-full, which sslrootcert=system needs" });
    }
    let named = matches!(root, RootCertificate::File(_));
    Ok(if mode == SslMode::Require && named { SslMode::VerifyCa } else { mode })
}

#[cfg(test)]
mod tests;
