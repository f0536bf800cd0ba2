//! A history as its runner sends it: units in order, their statements as text, and what was predicted of each.

use super::replay::ReplayUnit;
use crate::check::CheckedHistory;
use crate::effect::Effect;

/// Everything that the proofs run.
#[derive(Clone, Debug)]
pub struct Chain<'a> {
    pub checked: &'a CheckedHistory,
    /// One for each of `checked.history.migrations`.
    pub units: Vec<ReplayUnit>,
}

impl Chain<'_> {
    /// What check says of a statement; nothing where it says nothing.
    pub fn predicted(&self, unit: usize, statement: usize) -> Option<&Effect> {
        Some(&self.checked.units.get(unit)?.get(statement)?.effect)
    }
}
