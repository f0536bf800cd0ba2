use super::shared::recreation::{self, Recreation};
use super::shared::{fallout, list};
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::finding::Level;
use crate::op::ObjectKind;

pub const RULE: Rule = Rule { id: "drop-routine", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        let (word, name, birth, recreation) = match &event.change {
            Change::RoutineDropped { routine } => {
                let word = fallout::routine_word(routine.kind);
                (word, cx.before.routine_label(routine), routine.birth, recreation::routine(cx, event, routine))
            }
            Change::OtherDropped { kind: kind @ (ObjectKind::Operator | ObjectKind::Cast | ObjectKind::Aggregate), name, birth } => {
                let word = match kind {
                    ObjectKind::Operator => "operator",
                    ObjectKind::Cast => "cast",
                    _ => "aggregate",
                };
                (word, name.clone(), *birth, recreated(cx, event, *kind, name))
            }
            _ => continue,
        };
        if !cx.older(birth) {
            continue;
        }
        let along = fallout::along(cx, event);
        let (level, message, help) = match recreation {
            Recreation::Same => (
                Level::Note,
                format!("{word} {name} is dropped and created again with the same signature{along}"),
                format!("CREATE OR REPLACE keeps {name}, its grants and what depends on it"),
            ),
            Recreation::Lost(lost) => (
                Level::Warning,
                format!("{word} {name} is dropped and created again without {}{along}", list(&lost)),
                format!("use CREATE OR REPLACE, or restate in the same transaction: {}", list(&lost)),
            ),
            Recreation::Different(why) => (
                Level::Error,
                format!("{word} {name} is dropped, and {why}: calls of the previous release fail or mean something else{along}"),
                format!("create the new shape under another name, and drop {name} in a later release, in a migration tagged `-- phase contract`"),
            ),
            Recreation::Missing => (
                Level::Error,
                format!("{word} {name} is dropped while the previous release may still use it (42883){along}"),
                format!("stop using {name} in one release, then drop it in a later one, in a migration tagged `-- phase contract`"),
            ),
        };
        findings.push(cx.finding(RULE.id, level, event, name, message, help).related(cx.created(birth)));
    }
}

/// An operator, cast or aggregate that comes back under the same name and argument types.
fn recreated(cx: &Context<'_>, event: &Event, dropped: ObjectKind, dropped_name: &str) -> Recreation {
    let again = cx.later(event).any(|later| {
        matches!(&later.change, Change::OtherCreated { kind, name } if *kind == dropped && name == dropped_name)
    });
    if again { Recreation::Same } else { Recreation::Missing }
}
