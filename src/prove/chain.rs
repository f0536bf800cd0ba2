//! A history as its runner sends it: units in order, their statements as text, and what was predicted of each.

use super::replay::ReplayUnit;
use super::runner::not_run;
use crate::check::CheckedHistory;
use crate::effect::Effect;
use crate::op::Op;
use crate::source::layouts;
use crate::source::{UnitKind, Wrapping};
use crate::sql::ParsedUnit;
use crate::versions::PostgresVersions;
use crate::versions::alone::{Alone, Place};
use std::collections::BTreeMap;

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
        let is_assumed = layouts::named(&checked.history.layout).is_none_or(|layout| layout.assumes_transaction());
        let units = checked.history.migrations.iter().zip(parsed).map(|(migration, parsed)| {
            let mut unit = ReplayUnit::new(migration, parsed);
            // Whoever writes a file of nothing else has a runner for it.
            if is_assumed && unit.wrapping == Wrapping::Wrapped && is_kept_apart(&unit) {
                unit.wrapping = Wrapping::None;
            }
            unit
        });
        Chain { checked, units: units.collect() }
    }

    /// What of the history is not run, one sentence each without a full stop.
    pub fn left_out(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let steps = self.checked.history.migrations.iter().filter(|migration| migration.kind != UnitKind::Sql);
        let paths: Vec<&str> = steps.map(|migration| migration.file.path.as_str()).collect();
        if let Some(first) = paths.first() {
            remarks.push(format!(
                "{} no SQL and not run: {first}{}",
                counted(paths.len(), "step is", "steps are"),
                more(paths.len())
            ));
        }
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for unit in &self.units {
            for why in unit.statements.iter().filter_map(not_run) {
                reasons.entry(why).or_default().push(&unit.path);
            }
        }
        for (why, paths) in reasons {
            let number = counted(paths.len(), "statement is", "statements are");
            remarks.push(format!("{number} not run: {why}: {}{}", paths.first().unwrap_or(&""), more(paths.len())));
        }
        remarks
    }

    /// What check says of a statement; nothing where it says nothing.
    pub fn predicted(&self, unit: usize, statement: usize) -> Option<&Effect> {
        Some(&self.checked.units.get(unit)?.get(statement)?.effect)
    }
}

/// The unit holds nothing but statements that refuse a transaction, and settings for them.
fn is_kept_apart(unit: &ReplayUnit) -> bool {
    let refuses = |op: &Op| Alone::of(op, false).is_some_and(|alone| alone.refused_in(Place::Block, PostgresVersions::default()));
    Alone::are_kept_apart(unit.statements.iter().map(|statement| statement.op.as_ref()), refuses)
}

fn counted(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

/// After the first of several.
fn more(number: usize) -> &'static str {
    if number > 1 { " and others" } else { "" }
}
