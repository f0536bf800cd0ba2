use super::{Check, Family, HistoryContext, Rule};
use crate::finding::{Finding, Level};
use crate::release::Overtaken;
use crate::source::Migration;
use crate::source::layouts::{self, Late};

pub const RULE: Rule = Rule { id: "out-of-order", family: Family::History, level: Level::Error, check: Check::History(check) };

fn check(cx: &HistoryContext<'_>, findings: &mut Vec<Finding>) {
    let layout = layouts::named(&cx.history.layout);
    for (at, unit) in cx.pending() {
        let Some(Overtaken { by, place, same_version }) = cx.releases.overtaken.get(&at) else { continue };
        // Where the other one of a version is here, too, that is the finding: duplicate-version.
        let is_other = |(other, one): (usize, &Migration)| other != at && one.version == unit.version;
        if *same_version && cx.history.migrations.iter().enumerate().any(is_other) {
            continue;
        }
        let (level, then) = match layout.map_or(Late::Unknown, |layout| layout.late(unit)) {
            Late::Skipped => (Level::Error, "the runner never goes back, so it will not run there"),
            Late::Refused => (Level::Error, "the runner stops at it"),
            Late::Applied => (Level::Warning, "it runs after that one there, and before it on a fresh database"),
            Late::Unknown => {
                (Level::Error, "a runner skips it, stops at it, or runs it in another order than on a fresh database")
            }
            Late::Meant | Late::Repeated => continue,
        };
        let message = if *same_version {
            format!("{} has the version of {by}, which {place}: {then}", unit.id)
        } else {
            format!("{} sorts before {by}, which {place}: {then}", unit.id)
        };
        let help = format!("give it a version after {by}");
        findings.push(cx.finding(RULE.id, level, unit, message, help));
    }
}
