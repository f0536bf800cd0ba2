use super::shared::arbiter::{self, Arbiter};
use super::shared::evaluation::{self, Value};
use super::shared::insert;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::object::{Column, ColumnId, Constraint, ConstraintType, Id, Relation};
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "required-column", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::ColumnAdded { relation, column } = &event.change else { continue };
        if !cx.older_table(relation) {
            continue;
        }
        let Some((now, there)) = cx.after.relation(relation.id).and_then(|r| Some((r, r.column_by_id(column.id)?))) else { continue };
        // Old INSERTs already give a column of this name, if they always had to.
        let given = cx.before.relation(relation.id).and_then(|before| {
            let column = before.column(&there.name)?;
            Some(insert::needs_value(cx.before, before, column))
        });
        if given != Some(true) && insert::needs_value(cx.after, now, there) {
            let made = last_change(cx, relation.id, column.id).unwrap_or(event);
            report(cx, made, now, there, "nothing fills it", None, findings);
        }
    }
    for event in cx.told() {
        refused_by_index(cx, event, findings);
        let Change::ConstraintAdded { relation, constraint } = &event.change else { continue };
        refused_by_constraint(cx, event, relation, constraint, findings);
    }
}

/// The statement after which an INSERT that omits the column fails: the last that took away what filled it or let NULL pass.
fn last_change<'a>(cx: &Context<'a>, relation: Id, column: ColumnId) -> Option<&'a Event> {
    cx.events.iter().rev().find(|event| match &event.change {
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
    })
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
    let known = arbiter::already_unique(cx.before, relation.id, None, &Arbiter::of_index(index));
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
