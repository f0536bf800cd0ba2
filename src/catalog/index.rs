//! Indexes.

use super::change::Change;
use super::name::{choose_name, join_columns};
use super::object::*;
use super::{Catalog, constraint, inheritance};
use crate::expr::Expr;
use crate::op::{CreateIndex, IndexElement, ObjectKind};

pub(super) fn create(c: &mut Catalog, create: &CreateIndex) {
    let Some(relation) = c.relation_or_unseen(&create.relation, RelationKind::Table) else { return };
    let Some(table) = c.relation(relation).cloned() else { return };
    if let (Some(name), true) = (&create.name, create.if_not_exists)
        && c.relation_name_taken(&table.schema, name)
    {
        c.nothing_exists(ObjectKind::Index, super::name::qualified(&table.schema, name));
        return;
    }
    let name = match &create.name {
        Some(name) => name.clone(),
        None => generated_name(c, &table, &create.elements, &create.including, "idx"),
    };
    let built =
        build(c, relation, &name, create.unique, &create.elements, &create.including, &create.method, create.predicate.as_ref());
    let Some(id) = built else { return };
    if let Some(index) = c.index_mut(id) {
        index.nulls_not_distinct = create.nulls_not_distinct;
    }
    // ON ONLY a partitioned table: invalid until every partition's index is attached.
    if create.only && table.kind == RelationKind::PartitionedTable {
        let childless = c.children_of(relation).is_empty();
        if let Some(index) = c.index_mut(id) {
            index.valid = childless;
        }
    }
    c.record(Change::IndexCreated { relation: table, index: id, concurrently: create.concurrently });
    if !create.only {
        inheritance::index_to_partitions(c, relation, id);
    }
}

/// `ChooseIndexName` for an index without a constraint (or one named after its columns).
pub(super) fn generated_name(
    c: &Catalog,
    table: &Relation,
    elements: &[IndexElement],
    including: &[String],
    label: &str,
) -> String {
    let mut names: Vec<String> = Vec::new();
    for element in elements {
        // `ChooseIndexColumnNames`: an expression's name is made unique within the index.
        let base = element_name(element);
        let mut name = base.clone();
        let mut number = 0;
        while names.contains(&name) {
            number += 1;
            name = format!("{base}{number}");
        }
        names.push(name);
    }
    let all = names.iter().map(String::as_str).chain(including.iter().map(String::as_str));
    choose_name(&table.name, Some(&join_columns(all)), label, |n| c.relation_name_taken(&table.schema, n))
}

/// The name the server gives an index column: the column's own, or `FigureIndexColname` of the expression, else `expr`.
pub(super) fn element_name(element: &IndexElement) -> String {
    match (&element.column, &element.expr) {
        (Some(column), _) => column.clone(),
        (None, Some(expr)) => figure_name(expr).unwrap_or_else(|| "expr".into()),
        (None, None) => "expr".into(),
    }
}

/// `FigureColname` of `parse_target.c`, for index expressions.
fn figure_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Call(call) => Some(call.name.name.clone()),
        Expr::Cast { expr, to } => figure_name(expr).or_else(|| Some(to.name.name.clone())),
        Expr::Collate { expr, .. } | Expr::Subscript { expr, .. } => figure_name(expr),
        Expr::Column(parts) => parts.last().cloned(),
        Expr::Field { field, .. } => Some(field.clone()),
        Expr::Coalesce(_) => Some("coalesce".into()),
        Expr::Case { otherwise, .. } => otherwise.as_deref().and_then(figure_name).or_else(|| Some("case".into())),
        Expr::NullIf { .. } => Some("nullif".into()),
        Expr::MinMax { greatest, .. } => Some(if *greatest { "greatest" } else { "least" }.into()),
        Expr::AtTimeZone { .. } => Some("timezone".into()),
        Expr::Array(_) => Some("array".into()),
        Expr::Row(_) => Some("row".into()),
        Expr::SqlValue(name) => Some(name.clone()),
        _ => None,
    }
}

pub(super) fn plain_element(column: &str) -> IndexElement {
    IndexElement {
        column: Some(column.to_string()),
        expr: None,
        opclass: None,
        collation: None,
        descending: false,
        nulls_first: None,
    }
}

/// Enters an index; the caller says what it is for. A valid one, unless changed afterwards.
#[expect(clippy::too_many_arguments, reason = "an index definition has this many parts")]
pub(super) fn build(
    c: &mut Catalog,
    relation: Id,
    name: &str,
    unique: bool,
    elements: &[IndexElement],
    including: &[String],
    method: &str,
    predicate: Option<&Expr>,
) -> Option<Id> {
    let schema = c.relation(relation)?.schema.clone();
    let mut keys = Vec::new();
    let mut expression_columns = Vec::new();
    for element in elements {
        let column = element.column.as_ref().and_then(|n| c.column_or_unseen(relation, n));
        if let Some(expr) = &element.expr {
            expression_columns.extend(constraint::columns_in(c, relation, expr));
        }
        keys.push(IndexKey { column, element: element.clone() });
    }
    if let Some(predicate) = predicate {
        expression_columns.extend(constraint::columns_in(c, relation, predicate));
    }
    let including = including.iter().filter_map(|n| c.column_or_unseen(relation, n)).collect();
    let id = c.new_id();
    let birth = c.birth();
    c.insert_index(Index {
        id,
        schema,
        name: name.to_string(),
        relation,
        unique,
        valid: true,
        nulls_not_distinct: false,
        method: method.to_string(),
        keys,
        including,
        predicate: predicate.cloned(),
        expression_columns,
        constraint: None,
        parent: None,
        birth,
    });
    Some(id)
}
