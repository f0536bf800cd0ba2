//! What applies migrations: [`built_in`], which does what the layout's own runner does, or [`command`], the user's own.

pub mod built_in;
pub mod command;
mod execute;
pub mod known;
mod ledger;
mod output;
mod partial;
pub mod proxy;
mod session;

pub use built_in::BuiltIn;
pub use command::CommandRunner;
pub use execute::{Along, Applied, Stopped, apply_unit, not_run, run, send};
pub use partial::Directory;

use super::chain::Chain;
use super::cluster::Database;
use super::server::Endpoint;
use std::time::Duration;

/// One way to apply what is pending. Several calls may go on at once, each as a process of its own would.
pub trait Runner: std::fmt::Debug + Send + Sync {
    /// For people: "built-in runner (as golang-migrate)", "`sqlx migrate run`".
    fn description(&self) -> String;

    /// True where its locks and its ledger are ours: what is proven of them is no evidence about the user's runner.
    fn is_built_in(&self) -> bool;

    /// The table in which it records what is applied, where that is known.
    fn ledger(&self) -> Option<&Ledger>;

    /// Applies what is pending of the first `call.units` units.
    ///
    /// The outer error means that nothing can be said; what a migration or the runner itself does wrong is in [`Ended`].
    fn run(&self, chain: &Chain<'_>, call: &Call<'_>) -> Result<Ended, RunnerError>;
}

/// One call of a runner.
#[derive(Debug)]
pub struct Call<'a> {
    pub database: &'a Database<'a>,
    /// How many units, from the first, are there to be applied.
    pub units: usize,
    /// Where to connect, where that is not the server itself: something that stands in between.
    pub through: Option<&'a Endpoint>,
    /// After this long it is stopped.
    pub limit: Duration,
}

/// How one call ended.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    /// Why it did not do everything. `None` is success.
    pub failure: Option<RunFailure>,
    /// Indexes of the units that it applied in this call, where the runner is one that says so.
    pub applied: Vec<usize>,
    /// What a command wrote, standard error included; its end where it was long.
    pub output: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFailure {
    /// Index of the unit, where it is known.
    pub unit: Option<usize>,
    /// Statement of it, from 0.
    pub statement: Option<usize>,
    /// Five letters and digits, where a server's answer was the reason.
    pub sqlstate: Option<String>,
    /// In the server's or the runner's words.
    pub message: String,
}

/// A runner's record of what is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Name as in SQL, quoted where it has to be, with its schema where that is not the first of the search path.
    pub table: String,
    /// The column that tells units apart.
    pub column: String,
}

/// Why nothing can be said about a runner.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    #[error("the runner {command} could not be started: {source}")]
    Start { command: String, source: std::io::Error },
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: std::path::PathBuf, source: std::io::Error },
    #[error("cannot stand between the runner and the server: {source}")]
    Proxy { source: std::io::Error },
    #[error("{path} holds units of before and after the place where the history is cut, not in order")]
    Cut { path: String },
    #[error("cannot {action}: {}", super::server::error::described(source))]
    Connection { action: &'static str, source: postgres::Error },
    #[error(transparent)]
    Server(#[from] super::server::ServerError),
}
