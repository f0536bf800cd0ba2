//! Inheritance and partitions: what comes down from a parent, and what ties a child to it.

use super::change::{Cause, Change};
use super::constraint::{self};
use super::object::*;
use super::resolve::push_column;
use super::{Catalog, column, index, trigger};
use crate::expr::Expr;
use crate::op::{ConstraintDef, ConstraintKind, ObjectName, PartitionBound, Span};
use std::sync::Arc;

/// The child's columns of the same names, in order. `None` where one is missing.
pub(super) fn map_columns(c: &Catalog, parent: Id, child: Id, columns: &[ColumnId]) -> Option<Vec<ColumnId>> {
    let (parent, child) = (c.relation(parent)?, c.relation(child)?);
    columns.iter().map(|id| Some(child.column(&parent.column_by_id(*id)?.name)?.id)).collect()
}

/// Brings a parent's new column to a child, or merges it with one of that name.
pub(super) fn column_to_child(c: &mut Catalog, parent: Id, id: ColumnId, child: Id) {
    let Some(column) = c.relation(parent).and_then(|r| r.column_by_id(id)).cloned() else { return };
    let Some(before) = c.relation(child).cloned() else { return };
    if let Some(existing) = before.column(&column.name).map(|existing| existing.id) {
        column::change(c, child, existing, |existing| existing.inherited += 1);
        return;
    }
    let birth = c.birth();
    let Some(relation) = c.relation_mut(child) else { return };
    let new = push_column(relation, &column.name, column.data_type.clone(), birth);
    inherit_column(c, child, new, &column);
    if let Some(added) = c.relation(child).and_then(|r| r.column_by_id(new)).cloned() {
        c.record(Change::ColumnAdded { relation: before, column: added });
    }
    for grandchild in c.children_of(child) {
        column_to_child(c, child, new, grandchild);
    }
}

fn inherit_column(c: &mut Catalog, child: Id, id: ColumnId, from: &Column) {
    let partition = c.relation(child).is_some_and(|r| r.partition_bound.is_some());
    column::change(c, child, id, |column| {
        column.is_local = false;
        column.inherited = 1;
        column.not_null = from.not_null;
        column.default = from.default.clone();
        column.generated = from.generated.clone();
        column.collation = from.collation.clone();
        // Identity comes down to partitions (from 17 on), not to inheriting tables.
        column.identity = if partition { from.identity } else { None };
    });
}

/// CREATE TABLE … INHERITS / PARTITION OF: the parents' columns come first.
pub(super) fn columns_from_parents(c: &mut Catalog, child: Id, parents: &[Id]) {
    for parent in parents {
        let Some(parent) = c.relation(*parent).cloned() else { continue };
        for column in &parent.columns {
            if let Some(existing) = c.relation(child).and_then(|r| r.column(&column.name)).map(|existing| existing.id) {
                column::change(c, child, existing, |existing| {
                    existing.inherited += 1;
                    existing.not_null |= column.not_null;
                });
                continue;
            }
            let birth = c.birth();
            let Some(relation) = c.relation_mut(child) else { continue };
            let id = push_column(relation, &column.name, column.data_type.clone(), birth);
            inherit_column(c, child, id, column);
        }
    }
}

/// The parents' CHECK constraints, under their own names.
pub(super) fn checks_from_parents(c: &mut Catalog, child: Id, parents: &[Id]) {
    for parent in parents {
        let Some(parent) = c.relation(*parent).cloned() else { continue };
        for constraint in &parent.constraints {
            if let (ConstraintType::Check { expr, .. }, false) = (&constraint.kind, constraint.no_inherit) {
                let def = definition_of(constraint);
                c.because(Cause::Inherited, |c| constraint::add_named_check(c, child, &def, &constraint.name, expr, false));
            }
        }
    }
}

/// A parent's new CHECK goes to all children.
pub(super) fn check_to_children(c: &mut Catalog, parent: Id, def: &ConstraintDef, name: &str, expr: &Expr) {
    for child in c.children_of(parent) {
        c.because(Cause::Inherited, |c| {
            constraint::add_named_check(c, child, def, name, expr, false);
            check_to_children(c, child, def, name, expr);
        });
    }
}

/// An index or key of a partitioned table: each partition gets its own, or lends one that matches.
pub(super) fn index_to_partitions(c: &mut Catalog, parent: Id, index: Id) {
    if c.relation(parent).is_none_or(|r| r.kind != RelationKind::PartitionedTable) {
        return;
    }
    for child in c.children_of(parent) {
        c.because(Cause::Inherited, |c| index_to_partition(c, index, child));
    }
}

fn index_to_partition(c: &mut Catalog, parent_index: Id, child: Id) {
    let Some(template) = c.indexes.get(&parent_index).cloned() else { return };
    let parent_constraint = template.constraint.and_then(|id| {
        let relation = c.relation(template.relation)?;
        relation.constraints.iter().find(|k| k.id == id).cloned()
    });
    let Some(table) = c.relation(child).cloned() else { return };
    if table.kind == RelationKind::ForeignTable {
        return;
    }
    if let Some(existing) = c.indexes_of(child).iter().find(|i| i.parent.is_none() && same_shape(c, &template, i)).map(|i| i.id) {
        if let Some(index) = c.index_mut(existing) {
            index.parent = Some(parent_index);
        }
        return;
    }
    let elements: Vec<_> = template.keys.iter().map(|k| k.element.clone()).collect();
    let including: Vec<String> = {
        let Some(parent) = c.relation(template.relation) else { return };
        template.including.iter().filter_map(|id| parent.column_by_id(*id)).map(|column| column.name.clone()).collect()
    };
    let name = match &parent_constraint {
        Some(k) => {
            let taken = |n: &str| c.relation_name_taken(&table.schema, n) || c.constraint_name_taken(&table.schema, n);
            let names: Vec<String> = elements.iter().map(index::element_name).chain(including.iter().cloned()).collect();
            let addition = super::name::join_columns(names.iter().map(String::as_str));
            match k.kind {
                ConstraintType::PrimaryKey { .. } => super::name::choose_name(&table.name, None, "pkey", taken),
                ConstraintType::Exclude { .. } => super::name::choose_name(&table.name, Some(&addition), "excl", taken),
                _ => super::name::choose_name(&table.name, Some(&addition), "key", taken),
            }
        }
        None => index::generated_name(c, &table, &elements, &including, "idx"),
    };
    let predicate = template.predicate.clone();
    let built = index::build(c, child, &name, template.unique, &elements, &including, &template.method, predicate.as_ref());
    let Some(id) = built else { return };
    if let Some(index) = c.index_mut(id) {
        index.parent = Some(parent_index);
        index.nulls_not_distinct = template.nulls_not_distinct;
    }
    match parent_constraint {
        Some(k) => {
            let Some(columns) = map_columns(c, template.relation, child, k.kind.columns()) else { return };
            let kind = match k.kind {
                ConstraintType::PrimaryKey { .. } => ConstraintType::PrimaryKey { columns, index: id },
                ConstraintType::Exclude { .. } => ConstraintType::Exclude { columns, index: id },
                _ => ConstraintType::Unique { columns, index: id },
            };
            constraint::push(c, child, &definition_of(&k), name, kind, false);
        }
        None => c.record(Change::IndexCreated { relation: table, index: id, concurrently: false }),
    }
    index_to_partitions(c, child, id);
}

/// The child has an index that would be attached to this one of a partitioned parent.
pub(super) fn has_index_like(c: &Catalog, parent_index: Id, child: Id) -> bool {
    let Some(template) = c.indexes.get(&parent_index) else { return false };
    c.indexes_of(child).iter().any(|index| index.parent.is_none() && same_shape(c, template, index))
}

/// The child has a foreign key that would be taken for this one of a partitioned parent.
pub(super) fn has_foreign_key(c: &Catalog, parent: Id, child: Id, constraint: &Constraint) -> bool {
    let ConstraintType::ForeignKey { columns, references, ref_columns, .. } = &constraint.kind else { return false };
    let Some(columns) = map_columns(c, parent, child, columns) else { return false };
    c.relation(child).is_some_and(|relation| {
        relation.constraints.iter().any(|own| {
            matches!(&own.kind, ConstraintType::ForeignKey { columns: mine, references: target, ref_columns: keys, .. }
                if *mine == columns && target == references && keys == ref_columns)
        })
    })
}

fn same_shape(c: &Catalog, a: &Index, b: &Index) -> bool {
    // A column is the one of the same name; an expression is the same where it is written alike.
    let keys = |index: &Index| -> Option<Vec<Result<String, Option<Expr>>>> {
        let relation = c.relation(index.relation)?;
        let key = |key: &IndexKey| match key.column {
            Some(id) => relation.column_by_id(id).map(|column| Ok(column.name.clone())),
            None => Some(Err(key.element.expr.clone())),
        };
        index.keys.iter().map(key).collect()
    };
    let key = |index: &Index| c.relation(index.relation).map(|r| r.constraints.iter().any(|k| k.kind.index() == Some(index.id)));
    a.unique == b.unique
        && a.method == b.method
        && a.predicate == b.predicate
        && keys(a).is_some()
        && keys(a) == keys(b)
        && (key(a) != Some(true) || key(b) == Some(true))
}

/// The definition that would create this constraint again, but for its columns.
pub(super) fn definition_of(constraint: &Constraint) -> ConstraintDef {
    ConstraintDef {
        name: Some(constraint.name.clone()),
        kind: ConstraintKind::Null,
        deferrable: constraint.deferrable,
        initially_deferred: constraint.initially_deferred,
        not_valid: !constraint.validated,
        enforced: constraint.enforced,
        no_inherit: constraint.no_inherit,
        span: Span::default(),
    }
}

/// A new or attached partition takes the parent's indexes, keys, foreign keys and row triggers.
pub(super) fn adopt_partition(c: &mut Catalog, parent: Id, child: Id) {
    for index in c.indexes_of(parent) {
        c.because(Cause::Inherited, |c| index_to_partition(c, index.id, child));
    }
    let Some(above) = c.relation(parent).cloned() else { return };
    for constraint in &above.constraints {
        if matches!(constraint.kind, ConstraintType::ForeignKey { .. }) {
            let def = definition_of(constraint);
            c.because(Cause::Inherited, |c| {
                constraint::clone_foreign_key(c, parent, child, &def, &constraint.name, &constraint.kind);
            });
        }
    }
    c.because(Cause::Inherited, |c| trigger::clone_to_partition(c, parent, child));
}

/// ALTER TABLE … ATTACH PARTITION.
pub(super) fn attach(c: &mut Catalog, parent: Id, partition: &ObjectName, bound: &PartitionBound) {
    let Some(child) = c.relation_or_unseen(partition, RelationKind::Table) else { return };
    let (Some(above), Some(below)) = (c.relation(parent).cloned(), c.relation(child).cloned()) else { return };
    if let Some(relation) = c.relation_mut(child) {
        relation.parents = vec![parent];
        relation.partition_bound = Some(bound.clone());
        for column in &mut relation.columns {
            column.inherited += 1;
            column.is_local = false;
        }
    }
    c.link_child(parent, child);
    merge_checks(c, &above, child);
    c.record(Change::PartitionAttached { parent: above, partition: below });
    adopt_partition(c, parent, child);
}

fn merge_checks(c: &mut Catalog, parent: &Relation, child: Id) {
    let names: Vec<String> = parent
        .constraints
        .iter()
        .filter(|k| matches!(k.kind, ConstraintType::Check { .. }) && !k.no_inherit)
        .map(|k| k.name.clone())
        .collect();
    if let Some(relation) = c.relation_mut(child) {
        for constraint in relation.constraints.iter_mut().filter(|k| names.contains(&k.name)) {
            constraint.inherited += 1;
        }
    }
}

/// DETACH PARTITION and NO INHERIT: what came down stays, as the child's own.
fn release(c: &mut Catalog, parent: Id, child: Id) -> Option<(Arc<Relation>, Arc<Relation>)> {
    let (above, below) = (c.relation(parent)?.clone(), c.relation(child)?.clone());
    c.unlink_child(parent, child);
    let parent_indexes: Vec<Id> = c.indexes_of(parent).iter().map(|i| i.id).collect();
    for index in c.indexes_of(child) {
        if index.parent.is_some_and(|p| parent_indexes.contains(&p))
            && let Some(index) = c.index_mut(index.id)
        {
            index.parent = None;
        }
    }
    let relation = c.relation_mut(child)?;
    relation.parents.retain(|id| *id != parent);
    let was_partition = relation.partition_bound.take().is_some();
    for column in relation.columns.iter_mut().filter(|col| above.column(&col.name).is_some()) {
        column.inherited = column.inherited.saturating_sub(1);
        column.is_local |= column.inherited == 0;
        if was_partition {
            column.identity = None;
        }
    }
    for constraint in &mut relation.constraints {
        constraint.inherited = constraint.inherited.saturating_sub(1);
        constraint.is_local |= constraint.inherited == 0;
    }
    if was_partition {
        trigger::forget_clones(c, child);
    }
    Some((above, below))
}

pub(super) fn detach(c: &mut Catalog, parent: Id, partition: &ObjectName, concurrently: bool) {
    let Some(child) = c.relation_or_unseen(partition, RelationKind::Table) else { return };
    if let Some((parent, partition)) = release(c, parent, child) {
        c.record(Change::PartitionDetached { parent, partition, concurrently });
    }
}

pub(super) fn inherit(c: &mut Catalog, child: Id, parent: &ObjectName) {
    let Some(parent) = c.relation_or_unseen(parent, RelationKind::Table) else { return };
    let (Some(above), Some(below)) = (c.relation(parent).cloned(), c.relation(child).cloned()) else { return };
    if let Some(relation) = c.relation_mut(child) {
        relation.parents.push(parent);
        for column in relation.columns.iter_mut().filter(|col| above.column(&col.name).is_some()) {
            column.inherited += 1;
        }
    }
    c.link_child(parent, child);
    merge_checks(c, &above, child);
    c.record(Change::InheritAdded { parent: above, child: below });
}

pub(super) fn no_inherit(c: &mut Catalog, child: Id, parent: &ObjectName) {
    let Some(parent) = c.relation_or_unseen(parent, RelationKind::Table) else { return };
    if let Some((parent, child)) = release(c, parent, child) {
        c.record(Change::InheritRemoved { parent, child });
    }
}

/// ALTER INDEX … ATTACH PARTITION: the parent is valid once every partition has one.
pub(super) fn attach_index(c: &mut Catalog, parent: Id, child: Id) {
    if let Some(index) = c.index_mut(child) {
        index.parent = Some(parent);
    }
    let Some(table) = c.indexes.get(&parent).map(|i| i.relation) else { return };
    let complete = c.children_of(table).iter().all(|t| c.indexes_of(*t).iter().any(|i| i.parent == Some(parent)));
    if complete && let Some(index) = c.index_mut(parent) {
        index.valid = true;
    }
}
