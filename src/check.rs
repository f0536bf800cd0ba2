//! The whole way of the data, as one function of the bytes read: histories in, facts and findings out. No clock, no socket, no
//! environment.

use crate::effect::StatementFacts;
use crate::finding::Finding;
use crate::source::History;
use crate::versions::PostgresVersions;
use std::path::PathBuf;

/// What to check, as the command line means it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Directories and files; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// The bytes of standard input, where `-` is among the paths.
    pub stdin: Option<Vec<u8>>,
    /// Name of a layout that is used instead of recognising one.
    pub layout: Option<String>,
    pub postgres: PostgresVersions,
    /// A `pg_dump --schema-only` file: the schema before the first unit.
    pub schema_dump: Option<PathBuf>,
}

/// The result of `check`, before any report format.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    pub histories: Vec<CheckedHistory>,
    /// All of them, those of [`History::findings`] included, sorted by (path, span, rule). Suppressed ones are here too.
    pub findings: Vec<Finding>,
    /// What could not be used. The rest was checked all the same.
    pub unusable: Vec<Unusable>,
}

/// Something that was asked for and could not be used: a path that cannot be opened or holds no migration, an unknown layout.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unusable {
    /// As given; empty where it is about no path.
    pub path: String,
    /// What failed and what to do, a sentence that does not repeat the path.
    pub why: String,
}

#[derive(Clone, Debug)]
pub struct CheckedHistory {
    pub history: History,
    /// For each of `history.migrations`, its statements.
    pub units: Vec<Vec<StatementFacts>>,
}

/// Checks everything that the request names.
pub fn run(request: &Request) -> Checked {
    let _ = request;
    Checked::default()
}
