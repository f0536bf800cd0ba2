use super::shared::held::Held;
use super::shared::online;
use super::shared::running::{self, Running, What};
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event, RowChange};
use crate::catalog::object::{ConstraintType, Id, Relation};
use crate::finding::{Level, Related};
use crate::op::{FkAction, Op, Span, TriggerEvent, TriggerState};
use std::sync::Arc;

pub const RULE: Rule =
    Rule { id: "pending-trigger-events", family: Family::Blocking, level: Level::Error, check: Check::Unit(check) };

/// A check that waits for the end of the transaction.
struct Pending {
    table: Arc<Relation>,
    constraint: String,
    statement: usize,
    span: Span,
}

fn check(cx: &Context<'_>, findings: &mut Findings) {
    let held = Held::of(cx);
    let running = running::all(cx);
    let mut said: Vec<(usize, Span)> = Vec::new();
    for event in cx.events {
        for pending in queued(cx, &running, &held, event) {
            let at = (pending.statement, pending.span);
            let after = |one: &&Running<'_>| (one.statement, one.span.start) > (at.0, at.1.start);
            for one in running.iter().filter(after).filter(|one| held.lasts(at, (one.statement, one.span))) {
                if sets(one, &pending.constraint) == Some(false) {
                    break;
                }
                let Some(verb) = refused(cx, one, pending.table.id) else { continue };
                if !said.contains(&(one.statement, one.span)) {
                    said.push((one.statement, one.span));
                    report(cx, &pending, one, verb, findings);
                }
                break;
            }
        }
    }
}

fn report(cx: &Context<'_>, pending: &Pending, one: &Running<'_>, verb: &str, findings: &mut Findings) {
    let table = cx.label(&pending.table);
    let name = cx.part_label(&pending.table, &pending.constraint);
    let finding = cx.finding_at(
        RULE.id,
        Level::Error,
        Some(one.statement),
        one.span,
        format!("the server refuses {verb} of {table} here (55006): the check of {name} waits for the end of the transaction"),
        "let the checks run first:\nSET CONSTRAINTS ALL IMMEDIATE;".to_string(),
    );
    let judged = super::Judged { finding, subjects: vec![table.clone()] };
    findings.push(judged.related(Some(Related {
        path: cx.migration.file.path.clone(),
        span: pending.span,
        message: format!("rows of {table} are changed here"),
    })));
}

/// `Some(true)` where SET CONSTRAINTS defers the constraint, `Some(false)` where it makes it immediate.
fn sets(one: &Running<'_>, constraint: &str) -> Option<bool> {
    match one.what {
        What::Op(Op::SetConstraints { names, deferred }) => {
            (names.is_empty() || names.iter().any(|name| name.name == constraint)).then_some(*deferred)
        }
        _ => None,
    }
}

/// ALTER TABLE (RENAME and SET SCHEMA aside), CREATE INDEX, CLUSTER, TRUNCATE and DROP look for what is pending; CREATE TRIGGER,
/// REINDEX, DROP INDEX, policies and rules do not (15, 17 and 18).
fn refused(cx: &Context<'_>, one: &Running<'_>, table: Id) -> Option<&'static str> {
    let What::Op(op) = one.what else { return None };
    let works_on = cx.work.iter().any(|work| work.statement == one.statement && work.span == one.span && work.relation.id == table);
    let verb = match op {
        Op::AlterTable(_) => "ALTER TABLE",
        Op::CreateIndex(create) if !create.concurrently => "CREATE INDEX",
        Op::Cluster { .. } => "CLUSTER",
        Op::Truncate { .. } => "TRUNCATE",
        Op::Drop { .. } => {
            let dropped = cx.events.iter().any(|event| {
                event.statement == one.statement
                    && event.span == one.span
                    && matches!(&event.change, Change::RelationDropped { relation } if relation.id == table)
            });
            return dropped.then_some("DROP TABLE");
        }
        _ => return None,
    };
    works_on.then_some(verb)
}

/// The deferred checks that a change of rows leaves behind.
fn queued(cx: &Context<'_>, running: &[Running<'_>], held: &Held<'_>, event: &Event) -> Vec<Pending> {
    let Change::RowsChanged { relation: Some(relation), how } = &event.change else { return Vec::new() };
    let pending = |constraint: &str| Pending {
        table: relation.clone(),
        constraint: constraint.to_string(),
        statement: event.statement,
        span: event.span,
    };
    let deferred = |name: &str, initially: bool| is_deferred(running, held, event, name, initially);
    let changed = changed_columns(cx, event);
    let mut found = Vec::new();
    for constraint in &relation.constraints {
        let ConstraintType::ForeignKey { columns, .. } = &constraint.kind else { continue };
        let names = columns.iter().filter_map(|id| relation.column_by_id(*id)).map(|column| &column.name);
        let checks = match how {
            RowChange::Insert | RowChange::Copy => true,
            RowChange::Update { .. } | RowChange::Merge => changed.as_ref().is_some_and(|set| names.into_iter().any(|name| set.contains(name))),
            RowChange::Delete { .. } | RowChange::Truncate => false,
        };
        if checks && constraint.deferrable && constraint.enforced && deferred(&constraint.name, constraint.initially_deferred) {
            found.push(pending(&constraint.name));
        }
    }
    for (referencing, constraint) in cx.before.foreign_keys_to(relation.id) {
        let ConstraintType::ForeignKey { ref_columns, on_delete, on_update, .. } = &constraint.kind else { continue };
        let names = ref_columns.iter().filter_map(|id| relation.column_by_id(*id)).map(|column| &column.name);
        // Actions other than NO ACTION are never deferred.
        let checks = match how {
            RowChange::Delete { .. } => *on_delete == FkAction::NoAction,
            RowChange::Update { .. } => {
                *on_update == FkAction::NoAction
                    && changed.as_ref().is_some_and(|set| names.into_iter().any(|name| set.contains(name)))
            }
            RowChange::Insert | RowChange::Merge | RowChange::Truncate | RowChange::Copy => false,
        };
        let is_there = cx.after.relation(referencing).is_some_and(|table| table.constraint(&constraint.name).is_some());
        if checks && is_there && constraint.deferrable && deferred(&constraint.name, constraint.initially_deferred) {
            found.push(pending(&constraint.name));
        }
    }
    for trigger in relation.triggers.iter().filter(|trigger| trigger.constraint && trigger.state != TriggerState::Disabled) {
        let fires = match how {
            RowChange::Insert | RowChange::Copy => trigger.events.contains(&TriggerEvent::Insert),
            RowChange::Update { .. } => {
                let set = changed.as_ref();
                trigger.events.contains(&TriggerEvent::Update)
                    && (trigger.update_columns.is_empty()
                        || set.is_some_and(|set| trigger.update_columns.iter().any(|name| set.contains(name))))
            }
            RowChange::Delete { .. } => trigger.events.contains(&TriggerEvent::Delete),
            RowChange::Merge | RowChange::Truncate => false,
        };
        if fires && trigger.when.is_none() && trigger.deferrable && deferred(&trigger.name, trigger.initially_deferred) {
            found.push(pending(&trigger.name));
        }
    }
    found
}

/// The columns that an UPDATE sets; `None` where its text is not in sight.
fn changed_columns<'a>(cx: &Context<'a>, event: &Event) -> Option<&'a Vec<String>> {
    match online::op(cx, event.statement, event.span)? {
        Op::Dml(dml) => Some(&dml.columns),
        _ => None,
    }
}

/// As the constraint is made, unless the transaction said something else before.
fn is_deferred(running: &[Running<'_>], held: &Held<'_>, event: &Event, name: &str, initially: bool) -> bool {
    let before = |one: &&Running<'_>| {
        (one.statement, one.span.start) < (event.statement, event.span.start)
            && held.lasts((one.statement, one.span), (event.statement, event.span))
    };
    running.iter().filter(before).filter_map(|one| sets(one, name)).next_back().unwrap_or(initially)
}
