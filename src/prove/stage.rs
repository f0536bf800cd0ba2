//! What every proof works with.

use super::chain::Chain;
use super::cluster::{Cluster, Database};
use super::disk::megabytes;
use super::evidence::ProofReport;
use super::proofs::Reference;
use super::replay::ReplayError;
use super::runner::{RunFailure, Runner, RunnerError};
use super::server::ServerError;
use std::cell::{OnceCell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The server, the history and the runner, and what was asked.
#[derive(Clone, Debug)]
pub struct Stage<'a> {
    pub cluster: &'a Cluster<'a>,
    pub chain: &'a Chain<'a>,
    pub runner: &'a dyn Runner,
    pub wanted: &'a Wanted,
    pub progress: &'a dyn Progress,
    /// What one proof leaves for the next.
    pub memory: Rc<Memory<'a>>,
}

/// What one proof leaves for the next, so that nothing is run twice to know the same.
#[derive(Debug, Default)]
pub struct Memory<'a> {
    /// The database in which the runner has applied everything, until somebody takes it.
    pub applied: RefCell<Option<Applied<'a>>>,
    /// What one runner alone leaves, or why it does not get there.
    pub reference: OnceCell<Result<Reference, RunFailure>>,
}

/// A database in which the runner has applied everything.
#[derive(Debug)]
pub struct Applied<'a> {
    pub database: Database<'a>,
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
    /// Several runners do start at the same time where this is deployed.
    pub start_together: bool,
    /// What is not the same after a second run of its SQL is an error in every unit.
    pub idempotent: bool,
    /// Rows for the proof on data: file and SQL. Without any they are generated.
    pub seed: Vec<(String, String)>,
}

/// Where people who wait see what is being done.
pub trait Screen: std::fmt::Debug + Send + Sync {
    /// A place on it for proofs that run one after the other. Dropping it clears the place.
    fn place(&self) -> Box<dyn Progress>;
}

/// Told what is being done.
pub trait Progress: std::fmt::Debug + Send + Sync {
    /// This proof begins.
    fn proof(&self, name: &str);

    /// It works on this unit (id) now.
    fn unit(&self, id: &str);
}

/// One thing that is proven. One file each, one line in [`super::proofs::PROOFS`].
pub trait Proof: std::fmt::Debug + Sync {
    /// As `--only` and reports name it.
    fn name(&self) -> &'static str;

    /// What it proves, one sentence without a full stop.
    fn summary(&self) -> &'static str;

    /// The rules of the family `proof` that it may find something of.
    fn rules(&self) -> &'static [&'static str];

    /// True where it calls the runner. No two such proofs go on at the same time: a user's command may not bear that.
    fn calls_the_runner(&self) -> bool {
        false
    }

    /// True where it runs only when it is asked for by name.
    fn is_opt_in(&self) -> bool {
        false
    }

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
    #[error(
        "the databases grew to {}, over the limit of {}: what the migrations write is more than a disposable server is given (--disk-limit)",
        megabytes(*size),
        megabytes(*limit)
    )]
    DiskLimit { size: u64, limit: u64 },
    #[error("a thread of the proof ended early")]
    Thread,
    #[error("{0}")]
    Trouble(String),
    #[error("`{0}` names no ledger: write `table(column)`, as in `public.schema_migrations(version)`")]
    Ledger(String),
    #[error("cannot copy the ledger: {source}")]
    Copy { source: std::io::Error },
    #[error("the server has stopped")]
    ServerGone,
    #[error("cannot read {}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
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
        self.left().is_zero()
    }

    /// What is left until then.
    pub fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}
