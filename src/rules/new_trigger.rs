use super::shared::trigger_body::{self, Refusal};
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "new-trigger", family: Family::Contract, level: Level::Note, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::TriggerCreated { relation, trigger, .. } = &event.change else { continue };
        if !cx.older_relation(relation) {
            continue;
        }
        let name = cx.part_label(relation, &trigger.name);
        let function = trigger_body::function(cx.after, trigger);
        // The same function under the same name already fired for the previous release.
        let before = cx.released_relation(relation.id).is_some_and(|before| {
            before.triggers.iter().any(|old| {
                old.name == trigger.name
                    && old.function_name == trigger.function_name
                    && old.function == trigger.function
                    && old.events == trigger.events
                    && old.timing == trigger.timing
                    && old.when == trigger.when
            })
        });
        let refusal = function.filter(|_| !before).and_then(|routine| trigger_body::refusal(trigger, &routine.body));
        let (level, message) = match refusal {
            Some(Refusal::Raises) => {
                (Level::Warning, format!("trigger {name} can RAISE EXCEPTION: what the previous release writes to {} may fail", cx.label(relation)))
            }
            Some(Refusal::SkipsRow) => {
                (Level::Warning, format!("trigger {name} can RETURN NULL: rows that the previous release writes to {} are dropped in silence", cx.label(relation)))
            }
            None if function.is_none_or(|routine| routine.body.opaque.is_some()) => {
                (Level::Note, format!("trigger {name} fires for the previous release too; what its function does is not known here"))
            }
            None => (Level::Note, format!("trigger {name} fires for the previous release too")),
        };
        findings.push(
            cx.finding(
                RULE.id,
                level,
                event,
                name,
                message,
                "a trigger that keeps old and new columns in step belongs here; one that refuses rows belongs in a later release, \
                 when no old client writes such rows"
                    .into(),
            )
            .related(cx.created(relation.birth)),
        );
    }
}
