//! What a run saw of migrations: a report of `prove`, read again by `check --evidence`.
//!
//! It is bound to the text of each migration by its hash: of a migration that was changed since, nothing is known.

use crate::source::Migration;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// What was seen, by the hash of a migration's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Testimony {
    units: HashMap<String, SeenUnit>,
}

/// One migration as a server ran it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenUnit {
    /// "PostgreSQL 15.18, …"
    pub server: String,
    /// By statement, from 1.
    statements: HashMap<usize, SeenStatement>,
}

impl SeenUnit {
    /// What was seen of a statement (from 0).
    pub fn statement(&self, at: usize) -> Option<&SeenStatement> {
        self.statements.get(&(at + 1))
    }
}

/// One statement as a server ran it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SeenStatement {
    index: usize,
    locks: Option<Vec<SeenLock>>,
    rewrites: Vec<String>,
    scans: Vec<String>,
    index_builds: Vec<String>,
    breaks: Vec<SeenBreak>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
struct SeenLock {
    relation: String,
    mode: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
struct SeenBreak {
    kind: String,
    object: String,
}

impl SeenStatement {
    /// "drop-column public.users.name", of what old clients lost.
    pub fn taken(&self) -> Vec<String> {
        self.breaks.iter().map(|one| format!("{} {}", one.kind, one.object)).collect()
    }

    /// Tables that it worked through while writes stood still. Where nobody saw the locks, tables that it worked through.
    pub fn stopped(&self) -> Vec<String> {
        let stops = |relation: &&String| match &self.locks {
            None => true,
            Some(locks) => locks.iter().any(|lock| {
                lock.relation == **relation && crate::effect::LockMode::named(&lock.mode).is_none_or(|mode| mode.stops_writes())
            }),
        };
        let mut stopped: Vec<String> =
            self.rewrites.iter().chain(&self.scans).chain(&self.index_builds).filter(stops).cloned().collect();
        stopped.sort();
        stopped.dedup();
        stopped
    }
}

/// Why a file is no testimony.
#[derive(Debug, thiserror::Error)]
pub enum TestimonyError {
    #[error("is no report of `phasegate prove --format json`: {0}")]
    Form(#[from] serde_json::Error),
    #[error("is a report without evidence: only `phasegate prove` runs migrations, and its proof `trace` sees what they do")]
    Empty,
}

impl Testimony {
    /// Reads a JSON report of `prove`.
    pub fn read(json: &[u8]) -> Result<Testimony, TestimonyError> {
        #[derive(Deserialize)]
        struct Report {
            #[serde(default)]
            evidence: Vec<Evidence>,
        }
        #[derive(Deserialize)]
        struct Evidence {
            server: String,
            observed: Vec<Observed>,
        }
        #[derive(Deserialize)]
        struct Observed {
            sha256: String,
            statements: Vec<SeenStatement>,
        }
        let report: Report = serde_json::from_slice(json)?;
        let mut units = HashMap::new();
        for Evidence { server, observed } in report.evidence {
            for Observed { sha256, statements } in observed {
                let statements = statements.into_iter().map(|one| (one.index, one)).collect();
                units.insert(sha256, SeenUnit { server: server.clone(), statements });
            }
        }
        if units.is_empty() { Err(TestimonyError::Empty) } else { Ok(Testimony { units }) }
    }

    /// What was seen of exactly this text.
    pub fn of(&self, migration: &Migration) -> Option<&SeenUnit> {
        if self.units.is_empty() { None } else { self.units.get(&hash(migration)) }
    }
}

/// SHA-256 of what of the file runs in this migration, as 64 hexadecimal digits.
pub fn hash(migration: &Migration) -> String {
    let mut hash = Sha256::new();
    for part in &migration.parts {
        hash.update(migration.file.bytes.get(part.start..part.end).unwrap_or_default());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"evidence": [{"server": "PostgreSQL 15.18", "observed": [{"sha256": "HASH", "statements": [
        {"index": 2, "locks": [{"relation": "public.t", "mode": "AccessExclusiveLock"}, {"relation": "public.u", "mode": "ShareUpdateExclusiveLock"}],
         "rewrites": ["public.t"], "scans": ["public.u"], "index_builds": [], "breaks": [{"kind": "drop-column", "object": "public.t.a"}]}]}]}]}"#;

    #[test]
    fn what_was_seen_holds_for_the_same_text_only() {
        let seen = Migration::of_text("1", "1.sql", b"SELECT 1; DO $$ $$");
        let testimony = Testimony::read(REPORT.replace("HASH", &hash(&seen)).as_bytes()).unwrap();
        let unit = testimony.of(&seen).unwrap();
        assert!(unit.statement(0).is_none());
        let statement = unit.statement(1).unwrap();
        assert_eq!(statement.taken(), ["drop-column public.t.a"]);
        assert_eq!(statement.stopped(), ["public.t"], "a scan under a weak lock stops nobody");
        assert!(testimony.of(&Migration::of_text("1", "1.sql", b"SELECT 2; DO $$ $$")).is_none());
    }

    #[test]
    fn a_report_without_evidence_is_an_error() {
        assert!(matches!(Testimony::read(br#"{"evidence": []}"#), Err(TestimonyError::Empty)));
        assert!(matches!(Testimony::read(b"not JSON"), Err(TestimonyError::Form(_))));
    }
}
