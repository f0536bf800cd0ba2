//! What can go wrong between asking for a server and having one.

use std::path::{Path, PathBuf};

/// Why there is no server, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("no PostgreSQL server programs (initdb, postgres) found in {searched}; install PostgreSQL or name their directory")]
    NotFound { searched: String },
    #[error("there is no PostgreSQL {wanted} in {searched}, only {found}; install it, or name another version or a directory")]
    NoSuchVersion { wanted: u32, found: String, searched: String },
    #[error("{} has no executable {program}; name the directory that holds initdb and postgres", directory.display())]
    Incomplete { directory: PathBuf, program: &'static str },
    #[error("PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as")]
    NoUnprivilegedUser,
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("initdb failed: {output}")]
    Initdb { output: String },
    #[error("the server stopped while starting: {log}")]
    Stopped { log: String },
    #[error("the server was not ready after {seconds} s; last answer: {answer}; its log ends: {log}")]
    NotReady { seconds: u64, answer: String, log: String },
    #[error(
        "no container engine answers at {searched}: {answer}; install Docker (or one that speaks its language), start its daemon and \
         see that you may use it, or name another with DOCKER_HOST"
    )]
    NoContainerEngine { searched: String, answer: String },
    #[error("the image {image} is not here, and it could not be pulled: {answer}; name one that is here, or pull it yourself")]
    NoImage { image: String, answer: String },
    #[error("the container engine could not {action}: {answer}")]
    ContainerEngine { action: &'static str, answer: String },
    #[error(transparent)]
    Target(#[from] super::url::target::TargetError),
    #[error("{target} was not said to be disposable: what is run there may be lost, so say so if nobody will miss it")]
    NotDisposable { target: String },
    #[error("{target} is refused, because its cluster is somebody's: it holds {in_the_way}; nothing was changed there")]
    NotEmpty { target: String, in_the_way: String },
    #[error(
        "{target} is refused: {user} may not {what} there, and everything is run in databases and as a role that are made for it"
    )]
    NoRight { target: String, user: String, what: &'static str },
    #[error("no server to be had: {local}; and {container}")]
    Nowhere { local: Box<ServerError>, container: Box<ServerError> },
    #[error("the server was stopped by a signal")]
    Interrupted,
    #[error("the socket path {} is longer than the {limit} bytes that a Unix socket allows", path.display())]
    SocketPath { path: PathBuf, limit: usize },
    #[error("{why}")]
    NoOtherMonth { why: &'static str },
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

pub(super) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ServerError + use<> {
    let path = path.to_owned();
    move |source| ServerError::Io { action, path, source }
}
