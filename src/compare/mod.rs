//! Two reports held against each other: what a change adds, what it mends, and what was there before.
//!
//! Findings are matched by fingerprint, as often as each occurs, and only those that count: not suppressed, not off. A finding that is
//! suppressed in HEAD and was not in BASE is neither mended nor there: it is accepted. What HEAD no longer judges is said, never taken
//! for mended in silence.

mod read;

pub use read::{ReadError, ReadReport};

use crate::finding::Level;
use crate::report::model::Tool;
use crate::report::schema::written;
use read::{ReadFinding, ReadLock, ReadStatement};
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What two reports say of each other: version 1 of the machine form.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Comparison {
    pub version: u32,
    pub tool: Tool,
    pub base: Side,
    pub head: Side,
    pub summary: Counts,
    /// Findings of HEAD that BASE does not have.
    pub new: Vec<ComparedFinding>,
    /// Findings of BASE that HEAD does not have.
    pub fixed: Vec<FixedFinding>,
    /// Findings of both, as they are in HEAD.
    pub unchanged: Vec<UnchangedFinding>,
    /// Findings of BASE that are suppressed in HEAD.
    pub accepted: Vec<ComparedFinding>,
    /// Statements of HEAD that block, and that no statement of the same migration in BASE does the same way.
    pub blocking: Vec<BlockingStatement>,
    /// Proofs that end otherwise than in BASE.
    pub proofs: Vec<ProofChange>,
}

/// One of the two reports.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Side {
    /// The version of the phasegate that wrote it.
    pub tool_version: String,
    /// Histories that only this report is about: nothing can be said about their findings.
    pub alone: Vec<String>,
}

/// How many there are of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    pub new: usize,
    pub fixed: usize,
    pub unchanged: usize,
    pub accepted: usize,
    pub blocking: usize,
    pub proofs: usize,
}

/// A finding, in the words of the report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct ComparedFinding {
    pub path: String,
    pub line: usize,
    pub column: usize,
    pub rule: String,
    pub family: Option<String>,
    pub level: Level,
    pub migration: String,
    pub statement: Option<usize>,
    pub message: String,
    pub help: String,
    pub fingerprint: String,
}

/// A finding that is gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct FixedFinding {
    #[serde(flatten)]
    pub finding: ComparedFinding,
    /// False where HEAD has no such migration: it was removed, released since, or left out.
    pub is_judged: bool,
}

/// A finding of both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct UnchangedFinding {
    #[serde(flatten)]
    pub finding: ComparedFinding,
    /// Its level in BASE.
    pub base_level: Level,
}

/// A statement that stops writes, or more, for as long as a table is large.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct BlockingStatement {
    pub path: String,
    pub line: usize,
    pub migration: String,
    /// From 1 in its migration.
    pub statement: usize,
    pub rewrites: Vec<String>,
    pub scans: Vec<String>,
    pub index_builds: Vec<String>,
}

/// How a proof ended in both: `passed`, `failed`, `not-run`; `null` where it was not asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct ProofChange {
    pub history: String,
    pub proof: String,
    pub base: Option<String>,
    pub head: Option<String>,
}

/// The schema of a comparison, as `schemas/compare.v1.json` has it.
pub fn schema() -> Schema {
    written::<Comparison>("phasegate comparison, version 1", "What `phasegate compare --format json` writes.")
}

impl Comparison {
    /// Holds two reports against each other.
    pub fn new(base: &ReadReport, head: &ReadReport) -> Comparison {
        let mut before: HashMap<&str, Vec<&ReadFinding>> = HashMap::new();
        for finding in base.findings.iter().filter(|finding| finding.counts()).rev() {
            before.entry(&finding.fingerprint).or_default().push(finding);
        }
        let (mut new, mut unchanged) = (Vec::new(), Vec::new());
        for finding in head.findings.iter().filter(|finding| finding.counts()) {
            match before.get_mut(finding.fingerprint.as_str()).and_then(Vec::pop) {
                Some(earlier) => unchanged.push(UnchangedFinding { finding: compared(finding), base_level: earlier.level }),
                None => new.push(compared(finding)),
            }
        }
        let mut silenced: HashMap<&str, usize> = HashMap::new();
        for finding in head.findings.iter().filter(|finding| !finding.counts()) {
            *silenced.entry(&finding.fingerprint).or_default() += 1;
        }
        let judged: BTreeSet<(&str, &str)> =
            head.migrations.iter().map(|migration| (migration.path.as_str(), migration.id.as_str())).collect();
        let (mut fixed, mut accepted) = (Vec::new(), Vec::new());
        for finding in before.into_values().flatten() {
            if let Some(left) = silenced.get_mut(finding.fingerprint.as_str()).filter(|left| **left > 0) {
                *left -= 1;
                accepted.push(compared(finding));
            } else {
                // A finding that is about no migration is about what HEAD looks at all the same.
                let is_judged =
                    finding.migration.is_empty() || judged.contains(&(finding.path.as_str(), finding.migration.as_str()));
                fixed.push(FixedFinding { finding: compared(finding), is_judged });
            }
        }
        new.sort();
        fixed.sort();
        unchanged.sort();
        accepted.sort();
        let (blocking, proofs) = (blocking(base, head), proofs(base, head));
        Comparison {
            version: 1,
            tool: Tool { name: "phasegate", version: env!("CARGO_PKG_VERSION") },
            base: Side::new(base, head),
            head: Side::new(head, base),
            summary: Counts {
                new: new.len(),
                fixed: fixed.len(),
                unchanged: unchanged.len(),
                accepted: accepted.len(),
                blocking: blocking.len(),
                proofs: proofs.len(),
            },
            new,
            fixed,
            unchanged,
            accepted,
            blocking,
            proofs,
        }
    }

    /// True where a new finding is at `level` or above, or one that was there has risen to it.
    pub fn fails_at(&self, level: Level) -> bool {
        let has_risen = |one: &UnchangedFinding| one.finding.level >= level && one.base_level < level;
        self.new.iter().any(|finding| finding.level >= level) || self.unchanged.iter().any(has_risen)
    }
}

impl Side {
    fn new(own: &ReadReport, other: &ReadReport) -> Side {
        let paths = |report: &ReadReport| report.histories.iter().map(|one| one.path.clone()).collect::<BTreeSet<String>>();
        Side { tool_version: own.tool.version.clone(), alone: paths(own).difference(&paths(other)).cloned().collect() }
    }
}

fn compared(finding: &ReadFinding) -> ComparedFinding {
    let ReadFinding { rule, family, level, path, migration, statement, line, column, message, help, fingerprint, suppressed: _ } =
        finding;
    ComparedFinding {
        path: path.clone(),
        line: *line,
        column: *column,
        rule: rule.clone(),
        family: family.clone(),
        level: *level,
        migration: migration.clone(),
        statement: *statement,
        message: message.clone(),
        help: help.clone(),
        fingerprint: fingerprint.clone(),
    }
}

/// Blocking statements that are new. A statement is known by what it does in which migration: its number changes when another one is
/// put before it.
fn blocking(base: &ReadReport, head: &ReadReport) -> Vec<BlockingStatement> {
    type Work<'a> = (&'a [ReadLock], &'a [String], &'a [String], &'a [String]);
    fn work(statement: &ReadStatement) -> Work<'_> {
        (&statement.locks, &statement.rewrites, &statement.scans, &statement.index_builds)
    }
    let mut before: HashMap<(&str, &str, Work<'_>), usize> = HashMap::new();
    for migration in &base.migrations {
        for statement in migration.statements.iter().filter(|statement| statement.blocking) {
            *before.entry((&migration.path, &migration.id, work(statement))).or_default() += 1;
        }
    }
    let mut new = Vec::new();
    for migration in &head.migrations {
        for statement in migration.statements.iter().filter(|statement| statement.blocking) {
            match before.get_mut(&(migration.path.as_str(), migration.id.as_str(), work(statement))) {
                Some(left) if *left > 0 => *left -= 1,
                _ => new.push(BlockingStatement {
                    path: migration.path.clone(),
                    line: statement.line,
                    migration: migration.id.clone(),
                    statement: statement.index,
                    rewrites: statement.rewrites.clone(),
                    scans: statement.scans.clone(),
                    index_builds: statement.index_builds.clone(),
                }),
            }
        }
    }
    new.sort();
    new
}

fn proofs(base: &ReadReport, head: &ReadReport) -> Vec<ProofChange> {
    let mut ends: BTreeMap<(&str, &str), [Option<&str>; 2]> = BTreeMap::new();
    for (at, report) in [base, head].into_iter().enumerate() {
        for evidence in &report.evidence {
            for proof in &evidence.proofs {
                ends.entry((&evidence.history, &proof.proof)).or_default()[at] = Some(&proof.outcome);
            }
        }
    }
    let change = |((history, proof), [base, head]): ((&str, &str), [Option<&str>; 2])| ProofChange {
        history: history.to_owned(),
        proof: proof.to_owned(),
        base: base.map(str::to_owned),
        head: head.map(str::to_owned),
    };
    ends.into_iter().filter(|(_, [base, head])| base != head).map(change).collect()
}
