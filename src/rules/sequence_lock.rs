use super::shared::online;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::object::RelationKind;
use crate::catalog::work::Act;
use crate::effect::LockMode;
use crate::finding::Level;
use crate::op::{AlterTable, ObjectKind, Op, SequenceOption};

pub const RULE: Rule = Rule { id: "sequence-lock", family: Family::Blocking, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for work in cx.work {
        let Act::Lock(mode) = work.act else { continue };
        if mode < LockMode::ShareRowExclusiveLock || work.relation.kind != RelationKind::Sequence || !cx.older_relation(&work.relation) {
            continue;
        }
        let Some(op) = online::op(cx, work.statement, work.span).filter(|op| names_sequence(cx, op)) else { continue };
        let name = cx.label(&work.relation);
        let message = format!(
            "{} on {name} stops nextval, and with it INSERTs that take their number from it, until the transaction ends",
            mode.words()
        );
        let help = match restart(op) {
            Some(value) => format!("setval moves it and stops nobody:\nSELECT setval('{}', {value}, false);", name.replace('\'', "''")),
            None => format!(
                "give {name} a migration of its own, with a `lock_timeout`, so that the lock is held for a moment only"
            ),
        };
        findings.push(cx.finding(RULE.id, Level::Warning, work, name, message, help).related(cx.created(work.relation.birth)));
    }
}

/// The statement is about sequences themselves, not about a table that has one.
fn names_sequence(cx: &Context<'_>, op: &Op) -> bool {
    match op {
        Op::AlterSequence { .. } => true,
        Op::Rename { object, .. } | Op::SetSchema { object, .. } | Op::SetOwner { object, .. } => {
            object.kind == ObjectKind::Sequence
        }
        Op::AlterTable(AlterTable { name, .. }) => {
            let named = cx.before.resolve_relation(name).and_then(|id| cx.before.relation(id));
            named.is_some_and(|named| named.kind == RelationKind::Sequence)
        }
        _ => false,
    }
}

/// RESTART WITH a number, and nothing else.
fn restart(op: &Op) -> Option<i64> {
    match op {
        Op::AlterSequence { options, .. } => match options.as_slice() {
            [SequenceOption::Restart(value)] => *value,
            _ => None,
        },
        _ => None,
    }
}
