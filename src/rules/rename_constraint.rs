use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::name::qualified;
use crate::catalog::object::{Birth, ConstraintType};
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
        if !cx.older(birth) {
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
