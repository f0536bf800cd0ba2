//! What a proof says: whether it holds, what it cost, what it covered, and what it found.

use crate::finding::Level;
use serde::Serialize;

/// How a proof ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "why", rename_all = "kebab-case")]
pub enum Outcome {
    Passed,
    /// There are findings that say what is wrong.
    Failed,
    /// Nothing can be said, and why: a sentence without a full stop.
    NotRun(String),
}

/// How much of what there is was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    pub done: usize,
    pub of: usize,
    /// What is counted: "units", "statement boundaries", "rounds".
    pub what: &'static str,
}

/// One proof, as it went.
#[derive(Clone, Debug)]
pub struct ProofReport {
    pub outcome: Outcome,
    pub coverage: Coverage,
    /// What a reader has to know besides, one sentence each: what was left out and why, tables that could not be filled, that a lock
    /// was our own runner's.
    pub remarks: Vec<String>,
    pub found: Vec<Found>,
}

/// Something that a server did and should not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Id of a rule of the family `proof`.
    pub rule: &'static str,
    pub level: Level,
    /// Index into the chain (from 0); `None` where it is about the whole history.
    pub unit: Option<usize>,
    /// Statement of the unit, from 0.
    pub statement: Option<usize>,
    /// What and why, one sentence.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The SQL that showed it, where the unit's own text did not: an INSERT of the old release.
    pub shown_by: Option<String>,
}

impl ProofReport {
    /// Passed where nothing was found at the level of a warning or above.
    pub fn of(coverage: Coverage, remarks: Vec<String>, found: Vec<Found>) -> ProofReport {
        let failed = found.iter().any(|found| found.level >= Level::Warning);
        let outcome = if failed { Outcome::Failed } else { Outcome::Passed };
        ProofReport { outcome, coverage, remarks, found }
    }

    /// Nothing was proven: a sentence without a full stop.
    pub fn not_run(why: impl Into<String>) -> ProofReport {
        ProofReport {
            outcome: Outcome::NotRun(why.into()),
            coverage: Coverage::default(),
            remarks: Vec::new(),
            found: Vec::new(),
        }
    }
}
