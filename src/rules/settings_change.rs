use super::shared::list;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::object::Birth;
use crate::finding::Level;

pub const RULE: Rule =
    Rule { id: "settings-change", family: Family::Contract, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let (object, birth, message) = match &event.change {
            Change::SettingsAltered { scope, target, parameter } => {
                let place = match target {
                    Some(target) => format!("{scope} {target}"),
                    None => scope.clone(),
                };
                let birth = match (scope.as_str(), target) {
                    ("role", Some(role)) => cx.after.roles.get(role).map_or(Birth::UNSEEN, |role| role.birth),
                    _ => Birth::UNSEEN,
                };
                let message = format!("{parameter} of {place} changes: new sessions of the previous release start with it");
                (format!("{place}.{parameter}"), birth, message)
            }
            Change::RoutineAltered { routine, changes } => {
                let name = cx.before.routine_label(routine);
                let message = format!("{name} changes ({}), for calls of the previous release too", list(changes));
                (name, routine.birth, message)
            }
            Change::OptionsChanged { relation, options } if relation.is_view() => {
                let name = cx.label(relation);
                let message = format!("{} of view {name} changes, for queries of the previous release too", list(options));
                (name, relation.birth, message)
            }
            _ => continue,
        };
        if !cx.older(birth) {
            continue;
        }
        findings.push(
            cx.finding(
                RULE.id,
                Level::Warning,
                event,
                object,
                message,
                "make sure that the previous release works with both; or set it in the session, role or view of the new release only"
                    .into(),
            )
            .related(cx.created(birth)),
        );
    }
}
