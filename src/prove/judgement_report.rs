//! A judgement for people: per unit what differs, then a table of kinds.

use super::judge::{Judgement, StatementJudgement, Tally, UnitJudgement};
use crate::effect::BreakKind;
use std::collections::BTreeMap;
use std::fmt;

pub struct Report<'a> {
    pub judgement: &'a Judgement,
    /// Also what agrees.
    pub verbose: bool,
    /// Only the last lines.
    pub only_totals: bool,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for unit in self.judgement.units.iter().filter(|_| !self.only_totals) {
            self.unit(out, unit)?;
        }
        self.totals(out)
    }
}

impl Report<'_> {
    fn unit(&self, out: &mut fmt::Formatter<'_>, unit: &UnitJudgement) -> fmt::Result {
        let differs = !unit.new_differences.is_empty() || unit.failure.is_some();
        let says = |found: &&StatementJudgement| {
            self.verbose || found.skipped.is_some() || !found.missed.is_empty() || !found.invented.is_empty()
        };
        let statements: Vec<&StatementJudgement> = unit.statements.iter().filter(says).collect();
        if !differs && statements.is_empty() && !self.verbose && !unit.without_transaction && !unit.left_open {
            return Ok(());
        }
        writeln!(out, "{} ({})", unit.path, unit.id)?;
        if unit.without_transaction {
            writeln!(out, "  run again without a transaction: the server refused a statement inside one")?;
        }
        if unit.left_open {
            writeln!(out, "  a transaction is still open at the end")?;
        }
        if let Some(failure) = &unit.failure {
            let place = failure.statement.map_or("COMMIT".to_owned(), |at| format!("statement {}", at + 1));
            writeln!(out, "  FAILED at {place}: {} {}", failure.sqlstate, failure.message)?;
        }
        for found in &unit.new_differences {
            writeln!(out, "  schema: {}: model {}, server {}", found.path, found.model, found.server)?;
        }
        for found in statements {
            writeln!(out, "  statement {}: {}", found.statement + 1, found.sql)?;
            if let Some(why) = found.skipped {
                writeln!(out, "    skipped: {why}")?;
            }
            let lists = [
                ("missed", &found.missed, true),
                ("invented", &found.invented, true),
                ("observed", &found.observed, self.verbose),
            ];
            for (word, breaks, shown) in lists {
                for found in breaks.iter().filter(|_| shown) {
                    writeln!(out, "    {word}: {} {}", kind_name(found.kind), found.object)?;
                }
            }
        }
        Ok(())
    }

    fn totals(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = &self.judgement.units;
        let count = |counts: &dyn Fn(&&UnitJudgement) -> bool| units.iter().filter(counts).count();
        let equal = count(&|unit| unit.schema.as_ref().is_some_and(|schema| schema.differences.is_empty()));
        let unpredicted = count(&|unit| unit.schema.is_none());
        let failed = count(&|unit| unit.failure.is_some());
        let schemas = || units.iter().filter_map(|unit| unit.schema.as_ref());
        let compared: usize = schemas().map(|schema| schema.compared).sum();
        let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
        for (field, count) in schemas().flat_map(|schema| &schema.unknown) {
            *unknown.entry(field).or_default() += count;
        }
        writeln!(
            out,
            "{} units: schema equal after {equal}, no schema predicted after {unpredicted}, {failed} failed, {} not run; \
             {compared} values compared, {} unknown to the model",
            units.len(),
            self.judgement.not_run,
            unknown.values().sum::<usize>()
        )?;
        if !unknown.is_empty() {
            let fields: Vec<String> = unknown.iter().map(|(field, count)| format!("{field} {count}")).collect();
            writeln!(out, "unknown to the model: {}", fields.join(", "))?;
        }
        writeln!(out, "{:<22}{:>9}{:>10}{:>9}{:>9}{:>11}", "breaks", "observed", "predicted", "matched", "recall", "precision")?;
        let mut line = |name: &str, tally: &Tally| {
            writeln!(
                out,
                "{name:<22}{:>9}{:>10}{:>9}{:>9.4}{:>11.4}",
                tally.observed,
                tally.predicted,
                tally.matched,
                tally.recall(),
                tally.precision()
            )
        };
        for (kind, tally) in &self.judgement.tallies {
            line(&kind_name(*kind), tally)?;
        }
        line("the promised kinds", &self.judgement.promised())?;
        line("all kinds", &self.judgement.all())?;
        if self.judgement.unobservable > 0 {
            writeln!(out, "{} predicted breaks are of kinds that catalogs do not show", self.judgement.unobservable)?;
        }
        Ok(())
    }
}

/// As in the report: `drop-relation`.
fn kind_name(kind: BreakKind) -> String {
    serde_json::to_value(kind).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_else(|| format!("{kind:?}"))
}
