use super::{Check, Family, HistoryContext, Rule};
use crate::finding::{Finding, Level};
use crate::release::{Deviation, DeviationKind};

pub const RULE: Rule =
    Rule { id: "released-file-changed", family: Family::History, level: Level::Error, check: Check::History(check) };

fn check(cx: &HistoryContext<'_>, findings: &mut Vec<Finding>) {
    for Deviation { kind, path, unit, from } in &cx.releases.deviations {
        let (message, help) = match kind {
            DeviationKind::Edited => (
                format!("{path} is released and is not what {from} holds: databases that ran it never run the change"),
                format!("put the released text back, and change what it made in a new migration after it ({from} has it)"),
            ),
            DeviationKind::Refrozen => (
                format!("{path} was edited and frozen again: {from} holds another sum of it, and databases that ran it never run the change"),
                "put the released text and its line in the manifest back, and change what it made in a new migration".to_string(),
            ),
            DeviationKind::Renamed { was } => (
                format!("{path} is released as {was}: a runner that knows it by that name runs it again, or stops"),
                format!("give it back the name {was}"),
            ),
            DeviationKind::Removed => (
                format!("{path} is released and is gone: a fresh database lacks what it made, and runners stop at what they have applied and do not find"),
                "put it back; what it made is taken away in a new migration".to_string(),
            ),
            DeviationKind::ManifestRemoved => (
                format!("{path}, the manifest of released files, is gone: {from} holds it"),
                "put it back: what was released stays released".to_string(),
            ),
            DeviationKind::Unfrozen => (
                format!("{path} stands no longer in the manifest of released files: {from} lists it"),
                "put its line back: what was released stays released".to_string(),
            ),
        };
        findings.push(match unit.and_then(|at| cx.history.migrations.get(at)) {
            Some(unit) => cx.finding(RULE.id, Level::Error, unit, message, help),
            None => cx.finding_of_file(RULE.id, Level::Error, path, message, help),
        });
    }
}
