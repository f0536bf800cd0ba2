use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::object::{Constraint, ConstraintType, Id, Relation};
use crate::finding::Level;
use crate::op::{FkAction, Persistence};

pub const RULE: Rule =
    Rule { id: "referenced-by-new", family: Family::Contract, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        match &event.change {
            Change::RelationCreated { relation } => {
                let Some(relation) = cx.after.relation(*relation) else { continue };
                for constraint in &relation.constraints {
                    // One that a later statement added is told there.
                    if constraint.birth.span == relation.birth.span {
                        foreign_key(cx, event, relation, constraint, findings);
                    }
                }
            }
            Change::ConstraintAdded { relation, constraint } => {
                let Some(now) = cx.after.relation(relation.id) else { continue };
                let from_new = !cx.older(now.birth)
                    || constraint.kind.columns().iter().any(|id| now.column_by_id(*id).is_some_and(|c| !cx.older(c.birth)));
                if from_new && now.constraint(&constraint.name).is_some() {
                    foreign_key(cx, event, now, constraint, findings);
                }
            }
            _ => {}
        }
    }
}

fn foreign_key(cx: &Context<'_>, event: &Event, relation: &Relation, constraint: &Constraint, findings: &mut Findings) {
    let ConstraintType::ForeignKey { references, on_delete, .. } = &constraint.kind else { return };
    let Some(target) = cx.after.relation(*references).filter(|target| cx.older_table(target) && target.id != relation.id) else { return };
    if relation.persistence == Persistence::Temporary || !constraint.enforced {
        return;
    }
    let truncate = !referenced_before(cx, target.id);
    let delete = matches!(on_delete, FkAction::NoAction | FkAction::Restrict | FkAction::SetDefault);
    let (name, table) = (cx.part_label(relation, &constraint.name), cx.label(target));
    let message = match (truncate, delete) {
        (true, true) => format!("{name} refers to {table}: an old TRUNCATE of {table} fails at once (0A000), an old DELETE or key change once rows refer (23503)"),
        (true, false) => format!("{name} refers to {table}: an old TRUNCATE of {table} without CASCADE fails at once (0A000)"),
        (false, true) => format!("{name} refers to {table}: an old DELETE or key change fails once rows refer (23503)"),
        (false, false) => return,
    };
    findings.push(
        cx.finding(
            RULE.id,
            Level::Warning,
            event,
            name,
            message,
            format!("make sure that no old client deletes from {table} what new rows refer to, or say ON DELETE CASCADE or SET NULL"),
        )
        .related(cx.created(target.birth)),
    );
}

/// Another table referred to it before: TRUNCATE failed already.
fn referenced_before(cx: &Context<'_>, target: Id) -> bool {
    cx.released.relations.values().filter(|relation| relation.id != target).any(|relation| {
        relation.constraints.iter().any(|constraint| {
            matches!(&constraint.kind, ConstraintType::ForeignKey { references, .. } if *references == target)
        })
    })
}
