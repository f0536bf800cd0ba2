//! Forms that only newer servers take where the relation is of some kind: the text alone does not tell.

use super::trigger_body::walk;
use crate::catalog::object::{Relation, RelationKind};
use crate::op::{
    AlterTable, AlterTableCommand, Body, ConstraintDef, ConstraintKind, DmlKind, ObjectName, Op, Span, Statement, Step,
    TriggerEvent,
};
use crate::rules::Context;
use crate::sql::newer::When;

/// Calls `f` with each place, the id of the form and when older servers refuse it. Bodies are opened too.
pub fn each(cx: &Context<'_>, statement: &Statement, f: &mut dyn FnMut(Span, &'static str, When)) {
    inside(cx, statement, When::Now, f);
}

fn inside(cx: &Context<'_>, statement: &Statement, when: When, f: &mut dyn FnMut(Span, &'static str, When)) {
    let is = |name: &ObjectName, kind| relation(cx, name).is_some_and(|relation| relation.kind == kind);
    let mut in_body = |body: &Body, when| {
        walk(&body.steps, &mut |step| {
            if let Step::Sql(inner) = step {
                inside(cx, inner, when, f);
            }
        });
    };
    match &statement.op {
        Op::Do(body) => in_body(body, when),
        Op::CreateRoutine(routine) => in_body(&routine.body, When::Called),
        Op::AlterTable(alter) => {
            if let Some(relation) = relation(cx, &alter.name).filter(|relation| relation.kind == RelationKind::PartitionedTable) {
                let forms = alter.commands.iter().filter_map(|command| of_partitioned(cx, relation, alter, command));
                forms.for_each(|(span, id)| f(span.unwrap_or(statement.span), id, when));
            }
        }
        Op::Dml(dml) if dml.kind == DmlKind::Merge && is(&dml.relation, RelationKind::View) => {
            f(statement.span, "merge-into-view", when);
        }
        Op::Copy { relation: Some(name), from: false, .. } if is(name, RelationKind::MaterializedView) => {
            f(statement.span, "copy-materialized-view", when);
        }
        Op::CreateTrigger(trigger)
            if trigger.events.contains(&TriggerEvent::Truncate) && is(&trigger.relation, RelationKind::ForeignTable) =>
        {
            f(statement.span, "foreign-truncate-trigger", when);
        }
        _ => {}
    }
}

fn of_partitioned(
    cx: &Context<'_>,
    relation: &Relation,
    alter: &AlterTable,
    command: &AlterTableCommand,
) -> Option<(Option<Span>, &'static str)> {
    let has_partitions = || [cx.before, cx.after].iter().any(|catalog| !catalog.children_of(relation.id).is_empty());
    match command {
        AlterTableCommand::SetAccessMethod { method: Some(_) } => Some((None, "partitioned-access-method")),
        AlterTableCommand::AddConstraint(ConstraintDef { kind, not_valid, span, .. }) => match kind {
            ConstraintKind::ForeignKey { .. } if *not_valid => Some((Some(*span), "partitioned-not-valid")),
            ConstraintKind::Exclude { .. } => Some((Some(*span), "partitioned-exclusion")),
            _ => None,
        },
        AlterTableCommand::AddColumn { column, .. } => {
            let is_identity = column.constraints.iter().any(|c| matches!(c.kind, ConstraintKind::Identity { .. }));
            (is_identity && has_partitions()).then_some((Some(column.span), "partitioned-identity"))
        }
        AlterTableCommand::DropConstraint { .. } => (alter.only && has_partitions()).then_some((None, "partitioned-drop-only")),
        _ => None,
    }
}

/// As it was before the unit, or as the unit left it.
fn relation<'a>(cx: &Context<'a>, name: &ObjectName) -> Option<&'a Relation> {
    [cx.before, cx.after].into_iter().find_map(|catalog| Some(catalog.relation(catalog.resolve_relation(name)?)?.as_ref()))
}
