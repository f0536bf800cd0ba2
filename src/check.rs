//! The whole way of the data, as one pure function: histories in, facts and findings out. No clock, no socket, no environment.

use crate::effect::StatementFacts;
use crate::finding::Finding;
use crate::source::History;

/// The result of `check`, before any report format.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    pub histories: Vec<CheckedHistory>,
    /// Sorted by (path, span, rule). Suppressed ones are here too.
    pub findings: Vec<Finding>,
}

#[derive(Clone, Debug)]
pub struct CheckedHistory {
    pub history: History,
    /// For each of `history.migrations`, its statements.
    pub units: Vec<Vec<StatementFacts>>,
}
