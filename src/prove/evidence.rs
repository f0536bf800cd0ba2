//! What a proof says: whether it holds, what it cost, what it covered, and what it found.

use crate::effect::{Break, Lock};
use crate::finding::Level;
use crate::source::ReportPath;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// Everything that was seen of one history.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Evidence {
    /// The PATH of the history, as in the report's `histories`.
    pub history: ReportPath,
    /// "PostgreSQL 15.18, local, …"; where no server was to be had, why: then no proof was run.
    pub server: String,
    /// `server_version_num`; 0 where there was no server.
    pub version: u32,
    pub runner: String,
    /// True where the runner is ours: what is proven of its lock and its ledger is no evidence about the user's.
    pub built_in_runner: bool,
    pub proofs: Vec<Proven>,
    /// What the server was seen to do, by unit; empty where the proof `trace` was not run.
    pub observed: Vec<ObservedUnit>,
}

/// One proof of one history.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Proven {
    pub proof: &'static str,
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long it took.
    pub seconds: f64,
    pub coverage: Coverage,
    pub remarks: Vec<String>,
    /// The rules of the findings that it made: what of them counts is in the report.
    #[serde(skip)]
    pub rules: BTreeSet<&'static str>,
}

impl Evidence {
    /// True where something was asked and not proven.
    pub fn is_incomplete(&self) -> bool {
        self.proofs.iter().any(|proof| matches!(proof.outcome, Outcome::NotRun(_)))
    }
}

/// One unit as a server was seen to run it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ObservedUnit {
    pub path: ReportPath,
    pub migration: String,
    /// SHA-256 of its text as it is in the file, hexadecimal: what was seen holds for this text and no other.
    pub sha256: String,
    pub statements: Vec<ObservedStatement>,
}

/// What one statement did.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct ObservedStatement {
    /// From 1 in its unit.
    pub index: usize,
    /// On relations that were there before; `null` where it runs outside of a transaction and nobody sees its locks.
    pub locks: Option<Vec<Lock>>,
    pub rewrites: Vec<String>,
    pub scans: Vec<String>,
    pub index_builds: Vec<String>,
    /// What it took from old clients.
    pub breaks: Vec<Break>,
    /// "table public.t", "column public.t.a": what is there after it and was not before.
    pub created: Vec<String>,
    pub dropped: Vec<String>,
    /// `from → to`.
    pub renamed: Vec<String>,
    pub changed: Vec<String>,
    pub milliseconds: f64,
    /// Bytes of write-ahead log.
    pub wal_bytes: u64,
}

/// How a proof ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "outcome", content = "why", rename_all = "kebab-case")]
pub enum Outcome {
    Passed,
    /// There are findings that say what is wrong.
    Failed,
    /// Nothing can be said, and why: a sentence without a full stop.
    NotRun(String),
}

/// How much of what there is was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
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
    pub observed: Vec<ObservedUnit>,
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
        ProofReport { outcome, coverage, remarks, found, observed: Vec::new() }
    }

    /// Not proven where there is a reason why a part of the history was left out: a sentence without a full stop. What was found
    /// stays.
    pub fn unless(self, why: Option<String>) -> ProofReport {
        match why {
            Some(why) => ProofReport { outcome: Outcome::NotRun(why), ..self },
            None => self,
        }
    }

    /// Nothing was proven: a sentence without a full stop.
    pub fn not_run(why: impl Into<String>) -> ProofReport {
        ProofReport {
            outcome: Outcome::NotRun(why.into()),
            coverage: Coverage::default(),
            remarks: Vec::new(),
            found: Vec::new(),
            observed: Vec::new(),
        }
    }
}
