//! Report version 1, as it is serialised. Field order is part of it; fields may be added, never renamed or retyped.
//!
//! Offsets are bytes of the file as it is on disk, `start` inclusive and `end` exclusive. Lines and columns start at 1; columns
//! count characters; `end_line` and `end_column` are the place after the last character.

use crate::effect::{Break, Lock, Verdict};
use crate::finding::{Level, Suppression};
use crate::recipe::Recipe;
use crate::rules::document::Family;
use crate::source::{Phase, ReportPath, Wrapping};
use schemars::JsonSchema;
use serde::Serialize;

/// Name and version of the program that wrote the report.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Tool {
    pub name: &'static str,
    pub version: &'static str,
}

/// One checked history: all migrations of one PATH.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HistoryEntry {
    /// The PATH that was given.
    pub path: ReportPath,
    /// Name of the layout, as `--layout` takes it.
    pub layout: String,
    /// What is released of it; `null` where nothing says so.
    pub releases: Option<ReleasesEntry>,
    /// What was left out because it did not change; `null` without `--since` and `--staged`.
    pub unchanged: Option<UnchangedEntry>,
    /// What the configuration calls it.
    pub name: Option<String>,
    /// Its directories: `path`, or several that form one history, with `path` around them.
    pub paths: Vec<ReportPath>,
    /// The server versions that it was checked for.
    pub postgres: String,
}

/// Released units: modelled, not judged, and not in the list of migrations.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReleasesEntry {
    pub migrations: usize,
    /// What says that they are: the path of a manifest, a tag, a merge base, `through = "0042"`.
    pub sources: Vec<String>,
    /// The same for people: a manifest by its path as it was given.
    #[serde(skip)]
    pub shown: Vec<String>,
}

/// Units that are not released and did not change: modelled, not judged, and not in the list of migrations.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UnchangedEntry {
    pub migrations: usize,
    /// Against what they were compared.
    pub since: String,
}

/// Counts over the whole report. Suppressed findings and findings of level off are not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// Units that were reported on.
    pub migrations: usize,
    pub statements: usize,
    pub errors: usize,
    pub warnings: usize,
    pub notes: usize,
    /// Released units, which were modelled and not judged.
    pub released: usize,
}

/// One unit: what the runner records as one step.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MigrationEntry {
    /// The runner's own id.
    pub id: String,
    pub path: ReportPath,
    pub phase: Phase,
    /// The transaction that it runs in.
    pub transaction: Wrapping,
    pub statements: Vec<StatementEntry>,
}

/// One statement and the facts about it, whatever the findings say. Objects are those from before the unit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StatementEntry {
    /// From 1 in its unit.
    pub index: usize,
    pub start: usize,
    pub end: usize,
    pub line: usize,
    pub column: usize,
    pub verdict: Verdict,
    /// True where it stops writes, or more, for as long as a table is large.
    pub blocking: bool,
    pub locks: Vec<Lock>,
    pub rewrites: Vec<String>,
    pub scans: Vec<String>,
    pub index_builds: Vec<String>,
    /// What it takes away from old clients.
    pub breaks: Vec<Break>,
}

/// One rule's judgement about one place.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FindingEntry {
    pub rule: &'static str,
    /// `null` only for a rule without a document, which the tests rule out.
    pub family: Option<Family>,
    pub level: Level,
    pub path: ReportPath,
    /// Id of the unit; empty where the finding is about a file or a directory.
    pub migration: String,
    /// From 1 in the unit; `null` where the finding is about no statement.
    pub statement: Option<usize>,
    pub start: usize,
    pub end: usize,
    pub line: usize,
    pub column: usize,
    pub end_line: usize,
    pub end_column: usize,
    /// What and why.
    pub message: String,
    /// What to do.
    pub help: String,
    /// 32 hexadecimal digits that do not depend on line numbers.
    pub fingerprint: String,
    /// What to write in place of the statement, as migrations in their order; `null` where there is no such text. It is in `help`, too.
    pub recipe: Option<Recipe>,
    pub related: Vec<RelatedEntry>,
    /// What silenced it, if anything did.
    pub suppressed: Option<Suppression>,
}

/// Another place that the finding is about.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RelatedEntry {
    pub path: ReportPath,
    pub line: usize,
    pub column: usize,
    pub message: String,
}

/// Something that was found and not checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct SkippedEntry {
    pub path: ReportPath,
    pub why: String,
}
