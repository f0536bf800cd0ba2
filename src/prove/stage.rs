//! What every proof works with.

use super::chain::Chain;
use super::cluster::Cluster;
use super::evidence::ProofReport;
use super::replay::ReplayError;
use super::runner::{Runner, RunnerError};
use super::server::ServerError;
use std::time::{Duration, Instant};

/// The server, the history and the runner, and what was asked.
#[derive(Clone, Copy, Debug)]
pub struct Stage<'a> {
    pub cluster: &'a Cluster<'a>,
    pub chain: &'a Chain<'a>,
    pub runner: &'a dyn Runner,
    pub wanted: &'a Wanted,
    pub progress: &'a dyn Progress,
}

/// How far proofs go.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// How many runners start together.
    pub runners: usize,
    /// How often they do.
    pub rounds: usize,
    /// After this long a proof that could go on for ever (runners, crash) goes on with a spread only.
    pub budget: Duration,
    /// One call of a runner is stopped after this long.
    pub runner_limit: Duration,
    /// What is not the same after a second run of its SQL is an error in every unit.
    pub idempotent: bool,
    /// Rows for the proof on data: file and SQL. Without any they are generated.
    pub seed: Vec<(String, String)>,
}

/// Told what is being done, for people who wait.
pub trait Progress: std::fmt::Debug + Send + Sync {
    /// A proof works on this unit (id) now.
    fn unit(&self, id: &str);
}

/// One thing that is proven. One file each, one line in [`super::proofs::PROOFS`].
pub trait Proof: Sync {
    /// As `--only` and reports name it.
    fn name(&self) -> &'static str;

    /// What it proves, one sentence without a full stop.
    fn summary(&self) -> &'static str;

    /// Tries. What the migrations or the runner do wrong is in the report; an error means that the server or we ourselves failed.
    fn prove(&self, stage: &Stage<'_>) -> Result<ProofReport, ProveError>;
}

/// Why a proof broke off. It says nothing about the migrations.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Runner(#[from] RunnerError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error("cannot {action}: {}", super::server::error::described(source))]
    Connection { action: &'static str, source: postgres::Error },
}

/// For `map_err` of what a proof asks a server.
pub fn while_proving(action: &'static str) -> impl FnOnce(postgres::Error) -> ProveError {
    move |source| ProveError::Connection { action, source }
}

/// The end of a time budget.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    pub fn after(budget: Duration) -> Deadline {
        Deadline(Instant::now() + budget)
    }

    pub fn is_over(&self) -> bool {
        Instant::now() >= self.0
    }
}
