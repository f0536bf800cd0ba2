//! INSERT, UPDATE, DELETE, MERGE.

use super::expression::{list, optional, or_null};
use super::from::from_items;
use super::node::relation_of;
use super::select::{common_tables, subquery, take_sources, targets};
use super::{Lowering, expr};
use crate::expr::Expr;
use crate::op::{Dml, DmlKind, FromItem, ObjectName, OnConflict, Query, Target};
use pg_query::NodeEnum;
use pg_query::protobuf::{
    DeleteStmt, InsertStmt, MergeStmt, Node, OnConflictClause, RangeVar, ResTarget, ReturningClause, UpdateStmt, WithClause,
};

/// Lowers a data-modifying statement, and what it returns as a query over its target; `None` for any other node.
pub fn lower(node: &NodeEnum, cx: &Lowering<'_>) -> Option<(Dml, Query)> {
    let (dml, range, returning) = match node {
        NodeEnum::InsertStmt(stmt) => (insert(stmt, cx), stmt.relation.as_ref(), stmt.returning_clause.as_ref()),
        NodeEnum::UpdateStmt(stmt) => (update(stmt, cx), stmt.relation.as_ref(), stmt.returning_clause.as_ref()),
        NodeEnum::DeleteStmt(stmt) => (delete(stmt, cx), stmt.relation.as_ref(), stmt.returning_clause.as_ref()),
        NodeEnum::MergeStmt(stmt) => (merge(stmt, cx), stmt.relation.as_ref(), stmt.returning_clause.as_ref()),
        _ => return None,
    };
    let returned = returned(returning, range, &dml.sources, cx);
    Some((dml, returned))
}

/// Lowers a whole data-modifying statement: what it returns goes to nobody, but the calls in it act.
pub fn statement(node: &NodeEnum, cx: &Lowering<'_>) -> Option<Dml> {
    let (mut dml, returned) = lower(node, cx)?;
    dml.sources.conditions.extend(returned.targets.into_iter().map(|target| target.expr));
    Some(dml)
}

fn insert(stmt: &InsertStmt, cx: &Lowering<'_>) -> Dml {
    let select = stmt.select_stmt.as_deref();
    let mut sources = select.map_or_else(Query::default, |select| subquery(select, cx));
    let own = std::mem::take(&mut sources.ctes);
    with(stmt.with_clause.as_ref(), &mut sources, cx);
    sources.ctes.extend(own);
    let on_conflict = stmt.on_conflict_clause.as_deref().map(|clause| on_conflict(clause, &mut sources, cx));
    Dml {
        columns: assigned(&stmt.cols, &mut Vec::new(), cx).into_iter().filter_map(|target| target.name).collect(),
        values: match select.and_then(|node| node.node.as_ref()) {
            Some(NodeEnum::SelectStmt(select)) => !select.values_lists.is_empty(),
            _ => true,
        },
        on_conflict,
        ..start(DmlKind::Insert, stmt.relation.as_ref(), sources, None, stmt.returning_clause.as_ref())
    }
}

fn update(stmt: &UpdateStmt, cx: &Lowering<'_>) -> Dml {
    let mut sources = Query::default();
    with(stmt.with_clause.as_ref(), &mut sources, cx);
    take_sources(&mut sources, from_items(&stmt.from_clause, cx));
    sources.targets = assigned(&stmt.target_list, &mut sources.conditions, cx);
    let columns = sources.targets.iter().filter_map(|target| target.name.clone()).collect();
    let condition = optional(stmt.where_clause.as_deref(), cx);
    Dml { columns, ..start(DmlKind::Update, stmt.relation.as_ref(), sources, condition, stmt.returning_clause.as_ref()) }
}

fn delete(stmt: &DeleteStmt, cx: &Lowering<'_>) -> Dml {
    let mut sources = Query::default();
    with(stmt.with_clause.as_ref(), &mut sources, cx);
    take_sources(&mut sources, from_items(&stmt.using_clause, cx));
    let condition = optional(stmt.where_clause.as_deref(), cx);
    start(DmlKind::Delete, stmt.relation.as_ref(), sources, condition, stmt.returning_clause.as_ref())
}

/// MERGE: `condition` is the ON condition, `columns` what any branch assigns.
fn merge(stmt: &MergeStmt, cx: &Lowering<'_>) -> Dml {
    let mut sources = Query::default();
    with(stmt.with_clause.as_ref(), &mut sources, cx);
    if let Some(source) = stmt.source_relation.as_deref() {
        take_sources(&mut sources, from_items(std::slice::from_ref(source), cx));
    }
    let mut columns: Vec<String> = Vec::new();
    for node in &stmt.merge_when_clauses {
        let Some(NodeEnum::MergeWhenClause(clause)) = &node.node else { continue };
        sources.conditions.extend(optional(clause.condition.as_deref(), cx));
        for target in assigned(&clause.target_list, &mut sources.conditions, cx) {
            columns.extend(target.name.filter(|name| !columns.contains(name)));
            // The column list of an INSERT branch has no values of its own.
            sources.conditions.extend(Some(target.expr).filter(|value| *value != Expr::Null));
        }
        sources.conditions.extend(list(&clause.values, cx));
    }
    let condition = optional(stmt.join_condition.as_deref(), cx);
    Dml {
        columns,
        has_where: false,
        ..start(DmlKind::Merge, stmt.relation.as_ref(), sources, condition, stmt.returning_clause.as_ref())
    }
}

fn start(
    kind: DmlKind,
    range: Option<&RangeVar>,
    sources: Query,
    condition: Option<Expr>,
    returning: Option<&ReturningClause>,
) -> Dml {
    Dml {
        kind,
        relation: relation_of(range),
        columns: Vec::new(),
        sources,
        values: false,
        on_conflict: None,
        has_where: condition.is_some(),
        condition,
        returning: returning.is_some(),
    }
}

fn with(clause: Option<&WithClause>, sources: &mut Query, cx: &Lowering<'_>) {
    if let Some(clause) = clause {
        common_tables(clause, sources, cx);
    }
}

/// The columns of SET or of an INSERT's column list with what they get. Subscripts of targets, and sources of
/// `(a, b) = (…)` after the first column, go to `conditions` or nowhere: the source is one node shared by all its columns.
fn assigned(nodes: &[Node], conditions: &mut Vec<Expr>, cx: &Lowering<'_>) -> Vec<Target> {
    let resolved = nodes.iter().filter_map(|node| match &node.node {
        Some(NodeEnum::ResTarget(target)) => Some(target.as_ref()),
        _ => None,
    });
    let mut targets = Vec::new();
    for target in resolved {
        conditions.extend(subscripts(target, cx));
        let value = match target.val.as_deref() {
            Some(Node { node: Some(NodeEnum::MultiAssignRef(shared)) }) => shared_value(shared, cx),
            value => or_null(value, cx),
        };
        targets.push(Target { name: Some(target.name.clone()), expr: value });
    }
    targets
}

/// One column's part of `(a, b) = ROW(x, y)`; of a subquery all columns share, the first one carries it.
fn shared_value(shared: &pg_query::protobuf::MultiAssignRef, cx: &Lowering<'_>) -> Expr {
    let Some(source) = shared.source.as_deref() else { return Expr::Null };
    match &source.node {
        Some(NodeEnum::RowExpr(row)) => {
            let place = usize::try_from(shared.colno).unwrap_or(1).saturating_sub(1);
            or_null(row.args.get(place), cx)
        }
        _ if shared.colno <= 1 => expr(source, cx),
        _ => super::expression::other("MultiAssignRef", Vec::new()),
    }
}

fn subscripts(target: &ResTarget, cx: &Lowering<'_>) -> Vec<Expr> {
    target
        .indirection
        .iter()
        .filter_map(|step| match &step.node {
            Some(NodeEnum::AIndices(index)) => Some(index),
            _ => None,
        })
        .flat_map(|index| index.lidx.iter().chain(&index.uidx).map(|bound| expr(bound, cx)).collect::<Vec<_>>())
        .collect()
}

fn on_conflict(clause: &OnConflictClause, sources: &mut Query, cx: &Lowering<'_>) -> OnConflict {
    let assignments = assigned(&clause.target_list, &mut sources.conditions, cx);
    sources.conditions.extend(assignments.into_iter().map(|target| target.expr));
    sources.conditions.extend(optional(clause.where_clause.as_deref(), cx));
    let Some(infer) = clause.infer.as_deref() else { return OnConflict::Any };
    sources.conditions.extend(optional(infer.where_clause.as_deref(), cx));
    if !infer.conname.is_empty() {
        return OnConflict::Constraint(infer.conname.clone());
    }
    let mut columns = Vec::new();
    let mut has_expression = false;
    for node in &infer.index_elems {
        if let Some(NodeEnum::IndexElem(element)) = &node.node {
            match element.expr.as_deref() {
                Some(key) => {
                    has_expression = true;
                    sources.conditions.push(expr(key, cx));
                }
                None => columns.push(element.name.clone()),
            }
        }
    }
    if has_expression { OnConflict::Expressions } else { OnConflict::Columns(columns) }
}

/// RETURNING as a query over the target and the other sources.
fn returned(returning: Option<&ReturningClause>, range: Option<&RangeVar>, sources: &Query, cx: &Lowering<'_>) -> Query {
    let Some(returning) = returning else { return Query::default() };
    let alias = range.and_then(|range| range.alias.as_ref()).map(|alias| alias.aliasname.clone());
    let name: ObjectName = relation_of(range);
    let mut from = vec![FromItem::Relation { name, alias, column_aliases: Vec::new(), only: false }];
    from.extend(sources.from.iter().cloned());
    Query { targets: targets(&returning.exprs, cx), from, ..Query::default() }
}
