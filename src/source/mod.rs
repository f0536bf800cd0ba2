//! Find files, recognise the layout, order them, read tags: bytes on disk → [`History`] of [`Migration`] units.
//!
//! [`load`] is the way in. It lists a PATH ([`directory`]), finds the layouts there ([`recognition`], [`layouts`]), and makes units of
//! the steps they read ([`unit`]): their text ([`encoding`]), their phase ([`tag`]).
//!
//! A pure function of the bytes read. Nothing is dropped in silence: a file that is no step stands in [`History::skipped`] with why.

use crate::finding::Finding;
use crate::op::Span;
use allow::Directive;
use misnamed::Misnamed;
use std::sync::Arc;

pub mod allow;
mod comment;
pub mod compare;
pub mod directory;
mod encoding;
mod error;
mod focus;
pub mod git;
pub mod layouts;
pub mod misnamed;
mod name;
mod nearby;
pub mod origin;
mod path;
#[cfg(test)]
mod property_tests;
mod recognition;
mod report_path;
mod request;
mod scope;
mod script;
mod scripts;
pub mod tag;
mod unit;
mod version;

pub(crate) use directory::{in_repository, is_entered, repository_around};
pub use encoding::Undecodable;
pub use error::{Candidate, SourceError};
pub(crate) use name::nearest;
pub use origin::Origin;
pub(crate) use path::{ancestor, join, resolved, resolved_beside, shown};
pub use report_path::ReportPath;
pub(crate) use request::DEPTH;
pub use request::{Loaded, Request, load};
pub use scope::{Around, ConfiguredHistory, Scope};
pub(crate) use scripts::scripts;
pub use version::Version;

/// One history: all migrations of one PATH, in the order its runner applies them.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// What the configuration calls it.
    pub name: Option<String>,
    /// The PATH as given, `/` between parts; of several directories that form one history the deepest that holds them.
    pub path: String,
    /// The directories that form it, where they are several.
    pub paths: Vec<String>,
    /// Name of the recognised layout, as `--layout` takes it.
    pub layout: String,
    /// How the layout was recognised, for people: "3 of 3 files match …".
    pub recognised_by: String,
    pub migrations: Vec<Migration>,
    pub skipped: Vec<Skipped>,
    /// Those of the skipped files that were surely meant as migrations.
    pub misnamed: Vec<Misnamed>,
    /// Findings of this room: `not-utf8`, `malformed-phase-tag` …
    pub findings: Vec<Finding>,
    /// True when the files are known to be the whole history: false for standard input and for a lone file.
    pub whole: bool,
}

impl History {
    /// True where the layout's runner is psql, which understands its own commands in the files.
    pub fn is_run_by_psql(&self) -> bool {
        layouts::named(&self.layout).is_some_and(|layout| layout.is_run_by_psql())
    }
}

/// A file that is no step of the history, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    pub path: String,
    pub why: String,
}

/// One file as it is on disk. Several units may share it.
#[derive(Debug)]
pub struct SourceFile {
    /// As found from the PATH given, `/` between parts.
    pub path: String,
    /// Path below the repository root (or as given when there is none): what fingerprints hash.
    pub repo_path: String,
    /// The bytes as on disk. Spans count from its first byte, a BOM included.
    pub bytes: Vec<u8>,
}

/// One unit: what the runner records as one step.
#[derive(Clone, Debug)]
pub struct Migration {
    /// The runner's own id: `0002`, `V1_9`, an EF MigrationId, a directory name.
    pub id: String,
    /// What its runner orders it by; none where the order stands elsewhere (a plan, a journal, the text itself).
    pub version: Option<Version>,
    /// The part that undoes it.
    pub down: Option<DownPart>,
    pub file: Arc<SourceFile>,
    /// The parts of the file that run in this unit, in order: markers and down parts are outside. Usually one.
    pub parts: Vec<Span>,
    pub phase: Phase,
    /// The tag in full, where there is one.
    pub tag: Option<PhaseTag>,
    /// What its comments say to phasegate, in order.
    pub directives: Vec<Directive>,
    pub wrapping: Wrapping,
    pub rewriting: Rewriting,
    pub kind: UnitKind,
    /// False for units that are modelled but not reported (siblings of a single file).
    pub reported: bool,
}

#[cfg(test)]
impl Migration {
    /// A unit that is a whole file and says nothing about itself, for tests: SQL in the runner's transaction, reported.
    pub fn of_text(id: &str, path: &str, bytes: &[u8]) -> Migration {
        let file = SourceFile { path: path.into(), repo_path: path.into(), bytes: bytes.to_vec() };
        Migration {
            id: id.into(),
            version: None,
            down: None,
            parts: vec![Span { start: 0, end: bytes.len() }],
            file: Arc::new(file),
            phase: Phase::Untagged,
            tag: None,
            directives: Vec::new(),
            wrapping: Wrapping::Wrapped,
            rewriting: Rewriting::default(),
            kind: UnitKind::Sql,
            reported: true,
        }
    }
}

/// What undoes a unit: a file of its own, or a section of the same file.
#[derive(Clone, Debug)]
pub struct DownPart {
    pub file: Arc<SourceFile>,
    /// Bytes of the file.
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKind {
    Sql,
    /// A step in another language (Go, TypeScript …): what it creates is older and unknown.
    Unknown,
    /// A file that could not be read as text; it has a finding.
    Unreadable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Untagged,
    Contract,
    Expand,
}

/// `-- phase contract completes=… objects=… after=… reason="…"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseTag {
    pub span: Span,
    pub completes: Option<String>,
    pub objects: Vec<String>,
    pub after: Option<String>,
    pub reason: Option<String>,
}

/// The transaction the runner puts around a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Wrapping {
    /// The runner's own BEGIN … COMMIT.
    Wrapped,
    /// One simple-query message: an implicit transaction where there are several statements.
    Batch,
    /// Statement by statement, each its own transaction.
    None,
    /// The file's own BEGIN … COMMIT.
    Explicit,
}

/// What a runner does to a text before it sends it, beyond values for `${…}` and `{{ … }}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rewriting {
    #[default]
    None,
    /// `;;` stands for a semicolon that ends no statement of the runner's: Play evolutions.
    DoubledSemicolons,
    /// `:NAME` is a placeholder, whatever it is to psql: graphile-migrate.
    ColonNames,
    /// `${…}` for which it has no value stays as it is, so that in a string it is as a rule the data of somebody else's template:
    /// MyBatis, Liquibase.
    UnknownStays,
}
