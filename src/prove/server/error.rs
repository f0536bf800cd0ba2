//! What can go wrong between asking for a server and having one.

use std::path::PathBuf;

/// Why there is no server, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("no PostgreSQL server programs (initdb, postgres) found in {searched}; install PostgreSQL or name their directory")]
    NotFound { searched: String },
    #[error("{} has no executable {program}; name the directory that holds initdb and postgres", directory.display())]
    Incomplete { directory: PathBuf, program: &'static str },
    #[error("PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as")]
    NoUnprivilegedUser,
    #[error("cannot {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("initdb failed: {output}")]
    Initdb { output: String },
    #[error("the server stopped while starting: {log}")]
    Stopped { log: String },
    #[error("the server was not ready after {seconds} s; last answer: {answer}; its log ends: {log}")]
    NotReady { seconds: u64, answer: String, log: String },
    #[error("the socket path {} is longer than the {limit} bytes that a Unix socket allows", path.display())]
    SocketPath { path: PathBuf, limit: usize },
    #[error("cannot {action}: {}", described(source))]
    Connection { action: String, source: postgres::Error },
}

/// The server's own words where there are any: `postgres::Error` alone only says `db error`.
pub fn described(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(answer) => format!("{} {}", answer.code().code(), answer.message()),
        None => std::error::Error::source(error).map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}")),
    }
}
