use super::shared::arbiter::{self, Arbiter};
use super::shared::evaluation::{self, Value};
use super::shared::insert;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Cause, Change, Event};
use crate::catalog::object::{Column, ColumnId, Constraint, ConstraintType, Id, Relation};
use crate::finding::Level;
use std::collections::BTreeSet;

pub const RULE: Rule = Rule { id: "required-column", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for (now, there) in new_columns(cx) {
        // Old INSERTs already give a column of this name, if they always had to.
        let given = cx.released_relation(now.id).and_then(|released| {
            let column = released.column(&there.name)?;
            Some(insert::needs_value(cx.released, released, column))
        });
        // One that had to be given before this unit was said where that began.
        let begins = cx.before.relation(now.id).is_none_or(|before| {
            before.column_by_id(there.id).is_none_or(|column| !insert::needs_value(cx.before, before, column))
        });
        if given != Some(true)
            && begins
            && insert::needs_value(cx.after, now, there)
            && let Some(made) = last_change(cx, now.id, there.id)
        {
            report(cx, made, now, there, "nothing fills it", None, findings);
        }
    }
    for event in cx.told() {
        refused_by_index(cx, event, findings);
        refused_by_default(cx, event, findings);
        let Change::ConstraintAdded { relation, constraint } = &event.change else { continue };
        refused_by_constraint(cx, event, relation, constraint, findings);
    }
}

/// Columns, as they are at the end of the unit, that older tables gained since the last release and that this unit had to do with.
fn new_columns<'a>(cx: &Context<'a>) -> Vec<(&'a Relation, &'a Column)> {
    let mut columns: Vec<(&Relation, &Column)> = Vec::new();
    let mut seen = BTreeSet::new();
    for event in cx.events {
        let relation = match (&event.change, event.column()) {
            (Change::ConstraintAdded { relation, .. } | Change::TriggerDropped { relation, .. }, _) => relation,
            (Change::TriggerStateChanged { relation, enabled: false, .. }, _) => relation,
            (_, Some((relation, _))) => relation,
            _ => continue,
        };
        if !seen.insert(relation.id) || !cx.older_table(relation) {
            continue;
        }
        let Some(now) = cx.after.relation(relation.id) else { continue };
        columns.extend(now.columns.iter().filter(|column| !cx.older(column.birth)).map(|column| (now.as_ref(), column)));
    }
    columns
}

/// The statement after which an INSERT that omits the column fails: the last that took away what filled it or let NULL pass.
fn last_change<'a>(cx: &Context<'a>, relation: Id, column: ColumnId) -> Option<&'a Event> {
    let own = || cx.events.iter().rev().filter(|event| event.cause != Cause::Inherited);
    let of_column = own().find(|event| match &event.change {
        Change::ConstraintAdded { relation: on, constraint } => {
            on.id == relation
                && constraint.kind.columns().contains(&column)
                && matches!(constraint.kind, ConstraintType::PrimaryKey { .. } | ConstraintType::NotNull { .. })
                && on.column_by_id(column).is_some_and(|column| !column.not_null)
        }
        Change::ColumnAdded { .. }
        | Change::NotNullSet { .. }
        | Change::DefaultDropped { .. }
        | Change::DefaultSet { .. }
        | Change::IdentityChanged { .. }
        | Change::ExpressionDropped { .. }
        | Change::ColumnRetyped { .. } => event.column().is_some_and(|(on, id)| on.id == relation && id == column),
        _ => false,
    });
    // A trigger filled it.
    of_column.or_else(|| {
        own().find(|event| match &event.change {
            Change::TriggerDropped { relation: on, .. } | Change::TriggerStateChanged { relation: on, enabled: false, .. } => {
                on.id == relation
            }
            _ => false,
        })
    })
}

/// A default of a new column that a CHECK of an earlier unit of the same release refuses.
fn refused_by_default(cx: &Context<'_>, event: &Event, findings: &mut Findings) {
    let (Change::DefaultSet { relation, column, .. } | Change::DefaultDropped { relation, column }) = &event.change else { return };
    if !cx.older_table(relation) || cx.older(column.birth) {
        return;
    }
    let (Some(now), Some(before)) = (cx.after.relation(relation.id), cx.before.relation(relation.id)) else { return };
    let fails = |relation: &Relation, constraint: &Constraint| {
        let is_new = |column: &Column| !cx.older(column.birth);
        constraint.enforced
            && matches!(&constraint.kind, ConstraintType::Check { expr, .. }
                if evaluation::always_fails(expr, &evaluation::omitted_values(relation, is_new)))
    };
    for constraint in now.constraints.iter().filter(|constraint| cx.existed(constraint.birth) && !cx.older(constraint.birth)) {
        let known = before.constraints.iter().find(|old| old.id == constraint.id);
        if constraint.kind.columns().contains(&column.id) && fails(now, constraint) && known.is_none_or(|old| !fails(before, old)) {
            let label = Some(cx.part_label(relation, &constraint.name));
            report(cx, event, now, column, "what is put there breaks its CHECK (23514)", label, findings);
        }
    }
}

/// A CHECK that the row of an old INSERT never meets, a UNIQUE that the second such row violates.
fn refused_by_constraint(cx: &Context<'_>, event: &Event, relation: &Relation, constraint: &Constraint, findings: &mut Findings) {
    let Some(now) = cx.after.relation(relation.id) else { return };
    if !cx.older_table(relation) || !constraint.enforced || now.constraint(&constraint.name).is_none() {
        return;
    }
    let is_new = |column: &Column| !cx.older(column.birth);
    let new = constraint.kind.columns().iter().filter_map(|id| now.column_by_id(*id)).find(|column| is_new(column));
    let Some(column) = new else { return };
    let why = match &constraint.kind {
        ConstraintType::Check { expr, .. } if evaluation::always_fails(expr, &evaluation::omitted_values(now, is_new)) => {
            "what is put there breaks its CHECK (23514)"
        }
        ConstraintType::Unique { columns, index } if repeats(cx, now, columns, Some(*index)) => {
            "its default is the same in every row and it is UNIQUE (23505)"
        }
        ConstraintType::PrimaryKey { columns, index } if repeats(cx, now, columns, Some(*index)) => {
            "its default is the same in every row and it is the primary key (23505)"
        }
        _ => return,
    };
    report(cx, event, now, column, why, Some(cx.part_label(relation, &constraint.name)), findings);
}

fn refused_by_index(cx: &Context<'_>, event: &Event, findings: &mut Findings) {
    let Change::IndexCreated { relation, index, .. } = &event.change else { return };
    let (Some(now), Some(index)) = (cx.after.relation(relation.id), cx.after.indexes.get(index)) else { return };
    if !cx.older_table(relation) || !index.unique || index.predicate.is_some() {
        return;
    }
    let columns: Option<Vec<ColumnId>> = index.keys.iter().map(|key| key.column).collect();
    let Some(columns) = columns else { return };
    let Some(column) = columns.first().and_then(|id| now.column_by_id(*id)) else { return };
    let known = arbiter::already_unique(cx.released, relation.id, None, &Arbiter::of_index(index));
    if !known && repeats(cx, now, &columns, Some(index.id)) {
        let label = crate::catalog::name::qualified(&index.schema, &index.name);
        report(cx, event, now, column, "its default is the same in every row and it is UNIQUE (23505)", Some(label), findings);
    }
}

/// Old INSERTs give none of the columns, and each gets one value that is the same in every row.
fn repeats(cx: &Context<'_>, now: &Relation, columns: &[ColumnId], index: Option<Id>) -> bool {
    let nulls_repeat = index.and_then(|id| cx.after.indexes.get(&id)).is_some_and(|index| index.nulls_not_distinct);
    columns.iter().all(|id| {
        let Some(column) = now.column_by_id(*id) else { return false };
        let same = match evaluation::omitted(column) {
            Value::Bool(_) | Value::Number(_) | Value::Text(_) => true,
            Value::Null => nulls_repeat,
            Value::Present | Value::Unknown => false,
        };
        !cx.older(column.birth) && same
    })
}

fn report(
    cx: &Context<'_>,
    event: &Event,
    relation: &Relation,
    column: &Column,
    why: &str,
    constraint: Option<String>,
    findings: &mut Findings,
) {
    let name = cx.part_label(relation, &column.name);
    let mut judged = cx.finding(
        RULE.id,
        Level::Error,
        event,
        name.clone(),
        format!("an INSERT of the previous release, which does not know {name}, fails: {why}"),
        format!(
            "add {name} nullable or with a default that holds for every row; when every release writes it, tighten it in a later one, \
             in a migration tagged `-- phase contract`"
        ),
    );
    judged.subjects.extend(constraint);
    findings.push(judged.related(cx.created(relation.birth)));
}
