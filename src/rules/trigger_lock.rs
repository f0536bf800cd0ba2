use super::shared::online;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Cause, Change, Event};
use crate::catalog::object::{ConstraintType, Relation};
use crate::finding::Level;
use crate::op::{AlterTableCommand, TriggerState};

pub const RULE: Rule = Rule { id: "trigger-lock", family: Family::Blocking, level: Level::Note, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.events.iter().filter(|event| event.cause == Cause::Direct) {
        match &event.change {
            Change::TriggerCreated { relation, trigger, .. } if cx.older_table(relation) => {
                let table = cx.label(relation);
                findings.push(cx.finding(
                    RULE.id,
                    Level::Note,
                    event,
                    cx.part_label(relation, &trigger.name),
                    format!("CREATE TRIGGER takes SHARE ROW EXCLUSIVE on {table}, which stops writes until the transaction ends"),
                    format!("keep what takes long out of its migration, so that {table} is locked for a moment only"),
                ));
            }
            Change::TriggerStateChanged { relation, trigger: None, enabled: false }
                if cx.older_table(relation) && disables_all(cx, event) =>
            {
                all_disabled(cx, event, relation, findings);
            }
            _ => {}
        }
    }
}

fn all_disabled(cx: &Context<'_>, event: &Event, relation: &Relation, findings: &mut Findings) {
    let table = cx.label(relation);
    let own = relation.constraints.iter().any(|constraint| matches!(constraint.kind, ConstraintType::ForeignKey { .. }));
    let has_keys = own || !cx.after.foreign_keys_to(relation.id).is_empty() || !cx.before.foreign_keys_to(relation.id).is_empty();
    let (level, message, help) = if has_keys {
        (
            Level::Warning,
            format!(
                "DISABLE TRIGGER ALL on {table} stops the check of its foreign keys too: what is written meanwhile may refer to \
                 nothing, and nobody looks again"
            ),
            format!("leave the keys alone:\nALTER TABLE {table} DISABLE TRIGGER USER;"),
        )
    } else {
        (
            Level::Note,
            format!("DISABLE TRIGGER ALL takes SHARE ROW EXCLUSIVE on {table}, which stops writes until the transaction ends"),
            format!("keep what takes long out of its migration, so that {table} is locked for a moment only"),
        )
    };
    findings.push(cx.finding(RULE.id, level, event, table, message, help));
}

/// ALL, not USER.
fn disables_all(cx: &Context<'_>, event: &Event) -> bool {
    let alter = online::alter_table(cx, event.statement, event.span);
    alter.is_none_or(|alter| {
        alter.commands.iter().any(|command| {
            matches!(command, AlterTableCommand::EnableTrigger { name: None, state: TriggerState::Disabled, user_only: false })
        })
    })
}
