//! A history as its runner sends it: units in order, their statements as text, and what was predicted of each.

use super::replay::ReplayUnit;
use crate::check::CheckedHistory;
use crate::effect::Effect;
use crate::sql::ParsedUnit;

/// Everything that the proofs run.
#[derive(Clone, Debug)]
pub struct Chain<'a> {
    pub checked: &'a CheckedHistory,
    /// One for each of `checked.history.migrations`.
    pub units: Vec<ReplayUnit>,
}

impl<'a> Chain<'a> {
    /// The chain of a history that was checked, and what the SQL room found in each of its units, with the same values of
    /// placeholders.
    pub fn new(checked: &'a CheckedHistory, parsed: &[ParsedUnit]) -> Chain<'a> {
        let units = checked.history.migrations.iter().zip(parsed);
        Chain { checked, units: units.map(|(migration, parsed)| ReplayUnit::new(migration, parsed)).collect() }
    }

    /// What check says of a statement; nothing where it says nothing.
    pub fn predicted(&self, unit: usize, statement: usize) -> Option<&Effect> {
        Some(&self.checked.units.get(unit)?.get(statement)?.effect)
    }
}
