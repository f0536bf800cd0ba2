use super::{Check, Family, HistoryContext, Rule};
use crate::finding::{Finding, Level};
use crate::source::{UnitKind, layouts};

pub const RULE: Rule = Rule { id: "missing-down", family: Family::History, level: Level::Off, check: Check::History(check) };

fn check(cx: &HistoryContext<'_>, findings: &mut Vec<Finding>) {
    let Some(layout) = layouts::named(&cx.history.layout).filter(|layout| layout.has_down_parts()) else { return };
    for (_, unit) in cx.pending() {
        // A program may well undo itself; what has no version is run again and never undone.
        if unit.kind != UnitKind::Sql || unit.down.is_some() || unit.version.is_none() {
            continue;
        }
        findings.push(cx.finding(
            RULE.id,
            Level::Off,
            unit,
            format!("nothing undoes {}: {} cannot take it back", unit.id, layout.name()),
            "write the part that undoes it, or leave this rule off: going forward is the safer way back".into(),
        ));
    }
}
