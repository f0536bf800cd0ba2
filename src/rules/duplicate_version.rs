use super::shared::numbering::{self, Form, Numbering};
use super::{Check, Family, HistoryContext, Rule};
use crate::finding::{Finding, Level, Related};
use crate::op::Span;
use crate::source::{Migration, Version, layouts};
use std::collections::BTreeMap;

pub const RULE: Rule =
    Rule { id: "duplicate-version", family: Family::History, level: Level::Error, check: Check::History(check) };

fn check(cx: &HistoryContext<'_>, findings: &mut Vec<Finding>) {
    let layout = layouts::named(&cx.history.layout);
    let Some(consequence) = layout.and_then(|layout| layout.on_same_version()) else { return };
    let mut versions: BTreeMap<&Version, Vec<(usize, &Migration)>> = BTreeMap::new();
    for (at, unit) in cx.history.migrations.iter().enumerate() {
        if let Some(version) = unit.version.as_ref().filter(|_| !is_day(cx, unit)) {
            versions.entry(version).or_default().push((at, unit));
        }
    }
    for units in versions.into_values().filter(|units| units.len() > 1) {
        // What is released keeps its version.
        let keeper = units.iter().find(|(at, _)| cx.releases.is_released(*at)).or(units.first()).copied();
        let Some((kept_at, kept)) = keeper else { continue };
        for (at, unit) in units {
            if at == kept_at || !cx.pending().any(|(pending, _)| pending == at) {
                continue;
            }
            let file = kept.file.path.rsplit('/').next().unwrap_or(&kept.file.path);
            let name = if matches!(file, "up.sql" | "migration.sql") { &kept.id } else { file };
            let message = format!("version {} is that of {name} already: {consequence}", unit.id);
            let help = "give it a version of its own, above the last one".into();
            let mut finding = cx.finding(RULE.id, Level::Error, unit, message, help);
            let place = Related { path: kept.file.path.clone(), span: Span::default(), message: "the same version".into() };
            finding.related.push(place);
            findings.push(finding);
        }
    }
}

/// A day is nobody's own where files are ordered by name: several of one day are told apart by the rest of it.
fn is_day(cx: &HistoryContext<'_>, unit: &Migration) -> bool {
    let orders_by_name = layouts::named(&cx.history.layout).is_some_and(|layout| layout.orders_by_name());
    let is_day = matches!(numbering::of_unit(unit), Some(Numbering::Moment(moment)) if moment.form == Form::Day);
    orders_by_name && is_day
}
