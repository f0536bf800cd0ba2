use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event, Nothing};
use crate::catalog::name::qualified;
use crate::finding::Level;

pub const RULE: Rule =
    Rule { id: "exists-of-unknown", family: Family::Contract, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::NothingDone { why: Nothing::Missing { name, complete: false, .. } } = &event.change else { continue };
        if comes_back(cx, event, name) {
            continue;
        }
        findings.push(cx.finding(
            RULE.id,
            Level::Warning,
            event,
            name.clone(),
            format!("IF EXISTS names {name}, which no migration seen here creates; if it is there, the previous release may use it"),
            format!("give the whole history or a schema dump (--schema), or judge {name} as if it existed"),
        ));
    }
}

/// The same transaction creates a part of a table under that name: had it been there, it would have been recreated.
fn comes_back(cx: &Context<'_>, event: &Event, name: &str) -> bool {
    cx.later(event).any(|later| match &later.change {
        Change::TriggerCreated { relation, trigger, .. } => cx.part_label(relation, &trigger.name) == name,
        Change::PolicyCreated { relation, policy } => cx.part_label(relation, &policy.name) == name,
        Change::RuleCreated { relation, rule } => cx.part_label(relation, &rule.name) == name,
        Change::ConstraintAdded { relation, constraint } => cx.part_label(relation, &constraint.name) == name,
        Change::IndexCreated { index, .. } => {
            cx.after.indexes.get(index).is_some_and(|index| qualified(&index.schema, &index.name) == name)
        }
        _ => false,
    })
}
