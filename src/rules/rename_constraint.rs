use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::name::qualified;
use crate::catalog::object::{Birth, ConstraintType, Relation};
use crate::finding::Level;
use crate::op::ObjectKind;

pub const RULE: Rule = Rule { id: "rename-constraint", family: Family::Contract, level: Level::Note, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let (word, label, name, to, birth, arbiter) = match &event.change {
            Change::ConstraintRenamed { relation, constraint, to } if cx.older_relation(relation) => {
                let arbiter = matches!(
                    constraint.kind,
                    ConstraintType::Unique { .. } | ConstraintType::PrimaryKey { .. } | ConstraintType::Exclude { .. }
                );
                ("constraint", cx.part_label(relation, &constraint.name), &constraint.name, to, constraint.birth, arbiter)
            }
            Change::IndexRenamed { relation, index, to } if cx.older_relation(relation) => {
                ("index", qualified(&index.schema, &index.name), &index.name, to, index.birth, index.constraint.is_some())
            }
            Change::TriggerRenamed { relation, trigger, to } if cx.older_relation(relation) => {
                ("trigger", cx.part_label(relation, &trigger.name), &trigger.name, to, trigger.birth, false)
            }
            Change::PolicyRenamed { relation, name, to } if cx.older_relation(relation) => {
                ("policy", cx.part_label(relation, name), name, to, Birth::UNSEEN, false)
            }
            Change::OtherRenamed { kind: ObjectKind::EventTrigger, name, birth, to } => {
                ("event trigger", name.clone(), name, to, *birth, false)
            }
            Change::OtherRenamed { kind: ObjectKind::Rule, name, birth, to } => ("rule", name.clone(), name, to, *birth, false),
            _ => continue,
        };
        if !cx.older(birth) || named_as_before(cx, &event.change, to) {
            continue;
        }
        let (level, message) = if arbiter {
            let message = format!("{word} {label} is renamed to {to}: INSERT … ON CONFLICT ON CONSTRAINT {name} of the previous release fails (42704)");
            (Level::Warning, message)
        } else {
            (Level::Note, format!("{word} {label} is renamed to {to}: code that reads the name out of an error or the catalog misses it"))
        };
        findings.push(
            cx.finding(
                RULE.id,
                level,
                event,
                label,
                message,
                format!("keep the name {name} until no release says it any more"),
            )
            .related(cx.created(birth)),
        );
    }
}

/// Given back the name that the last release knows.
fn named_as_before(cx: &Context<'_>, change: &Change, to: &str) -> bool {
    let before = |relation: &Relation| cx.released_relation(relation.id);
    match change {
        Change::ConstraintRenamed { relation, constraint, .. } => {
            before(relation).and_then(|old| old.constraint(to)).is_some_and(|old| old.id == constraint.id)
        }
        Change::IndexRenamed { index, .. } => cx.released.indexes.get(&index.id).is_some_and(|old| old.name == to),
        Change::TriggerRenamed { relation, trigger, .. } => before(relation)
            .is_some_and(|old| old.triggers.iter().any(|old| old.name == to && old.birth == trigger.birth)),
        Change::PolicyRenamed { relation, .. } => {
            before(relation).is_some_and(|old| old.policies.iter().any(|old| old.policy.name == to))
        }
        _ => false,
    }
}
