//! CREATE TABLE and ALTER TABLE.

use super::change::Change;
use super::constraint::{self, Place};
use super::object::*;
use super::resolve::new_relation;
use super::types::DataType;
use super::{Catalog, alter_table, column, inheritance, like};
use crate::op::{AlterTable, ColumnDef, ConstraintDef, ConstraintKind, CreateTable, ObjectKind, Persistence, TableElement};

pub(super) fn create(c: &mut Catalog, create: &CreateTable) {
    let temporary = create.persistence == Persistence::Temporary;
    let schema = if temporary { "pg_temp".to_string() } else { c.creation_schema(&create.name) };
    let kind = match (&create.foreign_server, &create.partition_by) {
        (Some(_), _) => RelationKind::ForeignTable,
        (None, Some(_)) => RelationKind::PartitionedTable,
        (None, None) => RelationKind::Table,
    };
    if create.if_not_exists && c.relation_name_taken(&schema, &create.name.name) {
        c.nothing_exists(ObjectKind::Table, super::name::qualified(&schema, &create.name.name));
        return;
    }
    if !temporary {
        c.schema_or_unseen(&schema);
    }
    let parents: Vec<Id> = create.inherits.iter().filter_map(|name| c.relation_or_unseen(name, RelationKind::Table)).collect();
    let id = c.new_id();
    let mut relation = new_relation(id, &schema, &create.name.name, kind, c.birth());
    relation.persistence = create.persistence;
    relation.access_method = create.access_method.clone();
    relation.parents = parents.clone();
    relation.partition_bound = create.bound.clone();
    relation.partition_strategy = create.partition_by.as_ref().map(|by| by.strategy);
    relation.options = create.options.clone();
    relation.owner = c.current_role();
    relation.grants = super::default_privilege::initial_on_relation(c, kind, &schema);
    relation.known = parents.iter().all(|parent| c.relation(*parent).is_some_and(|r| r.known));
    c.insert_relation(relation);
    columns(c, id, create, &parents);
    partition_key(c, id, create);
    c.record(Change::RelationCreated { relation: id });
    constraints(c, id, create, &parents);
    if create.bound.is_some()
        && let Some(parent) = parents.first()
    {
        inheritance::adopt_partition(c, *parent, id);
    }
}

fn columns(c: &mut Catalog, id: Id, create: &CreateTable, parents: &[Id]) {
    inheritance::columns_from_parents(c, id, parents);
    if let Some(of_type) = &create.of_type {
        let type_id = c.resolve_type(of_type);
        if let Some(relation) = c.relation_mut(id) {
            relation.of_type = type_id;
            relation.known &= type_id.is_some();
        }
        let composite = type_id.and_then(|t| c.types.get(&t)).map(|t| t.kind.clone());
        if let Some(TypeKind::Composite { relation: source }) = composite {
            like::copy_columns(c, source, id);
        }
    }
    for element in &create.elements {
        match element {
            TableElement::Column(def) => {
                let existing = c.relation(id).and_then(|r| r.column(&def.name)).map(|column| column.id);
                match existing {
                    Some(existing) => merge_column(c, id, existing, def),
                    None => {
                        column::define(c, id, def);
                    }
                }
            }
            TableElement::Like { source, options } => like::copy(c, source, id, *options),
            TableElement::Constraint(_) => {}
        }
    }
}

/// A column that a parent or type already gave: only NOT NULL and DEFAULT are added.
fn merge_column(c: &mut Catalog, relation: Id, id: ColumnId, def: &ColumnDef) {
    for constraint in &def.constraints {
        match &constraint.kind {
            ConstraintKind::NotNull { .. } | ConstraintKind::PrimaryKey { .. } => {
                column::change(c, relation, id, |column| column.not_null = true);
            }
            ConstraintKind::Default(expr) => {
                let data_type = c
                    .relation(relation)
                    .and_then(|r| r.column_by_id(id))
                    .map_or(DataType::UNKNOWN, |column| column.data_type.clone());
                let stored = column::stored_default(c, &data_type, expr);
                column::change(c, relation, id, |column| column.default = stored);
            }
            _ => {}
        }
    }
    if def.type_ref.is_some() {
        column::change(c, relation, id, |column| column.is_local = true);
    }
}

fn partition_key(c: &mut Catalog, id: Id, create: &CreateTable) {
    let Some(by) = &create.partition_by else { return };
    let columns: Vec<Option<ColumnId>> =
        by.columns.iter().map(|name| name.as_ref().and_then(|n| c.column_or_unseen(id, n))).collect();
    if let Some(relation) = c.relation_mut(id) {
        relation.partition_columns = columns;
    }
}

/// All constraints of the statement in the order the server makes (and so names) them: checks with the table, then keys (the
/// primary key first), then foreign keys.
fn constraints(c: &mut Catalog, id: Id, create: &CreateTable, parents: &[Id]) {
    inheritance::checks_from_parents(c, id, parents);
    like::copy_checks(c, id, create);
    let mut all: Vec<(Option<ColumnId>, &ConstraintDef)> = Vec::new();
    for element in &create.elements {
        match element {
            TableElement::Column(def) => {
                let column = c.relation(id).and_then(|r| r.column(&def.name)).map(|column| column.id);
                all.extend(def.constraints.iter().map(|constraint| (column, constraint)));
            }
            TableElement::Constraint(def) => all.push((None, def)),
            TableElement::Like { .. } => {}
        }
    }
    let add = |c: &mut Catalog, column: Option<ColumnId>, def: &ConstraintDef| {
        constraint::add(c, Place { relation: id, column, recurse: true }, def);
    };
    let is_check = |def: &ConstraintDef| matches!(def.kind, ConstraintKind::Check(_));
    let is_primary = |def: &ConstraintDef| matches!(def.kind, ConstraintKind::PrimaryKey { .. });
    // Checks with a name come first: a made-up name gives way to them.
    all.iter().filter(|(_, def)| is_check(def) && def.name.is_some()).for_each(|(column, def)| add(c, *column, def));
    all.iter().filter(|(_, def)| is_check(def) && def.name.is_none()).for_each(|(column, def)| add(c, *column, def));
    all.iter().filter(|(_, def)| is_primary(def)).for_each(|(column, def)| add(c, *column, def));
    like::copy_indexes(c, id, create);
    let rest = all.iter().filter(|(_, def)| !is_check(def) && !is_primary(def));
    let (keys, others): (Vec<&Placed<'_>>, Vec<&Placed<'_>>) = rest.partition(|(_, def)| column::pass_of(&def.kind) == Some(0));
    for (position, (column, def)) in keys.iter().enumerate() {
        let mut repeated = all.iter().filter(|(_, d)| is_primary(d)).chain(keys[..position].iter().copied());
        if !repeated.any(|(other_column, other)| same_key(c, id, (*other_column, other), (*column, def))) {
            add(c, *column, def);
        }
    }
    for (column, def) in others {
        if matches!(def.kind, ConstraintKind::NotNull { .. }) && column.is_some() {
            continue;
        }
        add(c, *column, def);
    }
}

/// A constraint and the column it is written on, where it is one of a column definition.
type Placed<'a> = (Option<ColumnId>, &'a ConstraintDef);

/// Two keys over the same columns in one CREATE TABLE are one (`transformIndexConstraints`).
fn same_key(c: &Catalog, relation: Id, a: (Option<ColumnId>, &ConstraintDef), b: (Option<ColumnId>, &ConstraintDef)) -> bool {
    let columns = |(column, def): (Option<ColumnId>, &ConstraintDef)| -> Option<(Vec<String>, Vec<String>)> {
        let (listed, including) = match &def.kind {
            ConstraintKind::Unique { columns, including, using_index: None, .. }
            | ConstraintKind::PrimaryKey { columns, including, using_index: None, .. } => (columns, including),
            _ => return None,
        };
        let own = column.and_then(|id| Some(c.relation(relation)?.column_by_id(id)?.name.clone()));
        Some((if listed.is_empty() { own.into_iter().collect() } else { listed.clone() }, including.clone()))
    };
    let timing = |def: &ConstraintDef| (def.deferrable, def.initially_deferred);
    timing(a.1) == timing(b.1) && columns(a).is_some() && columns(a) == columns(b)
}

pub(super) fn alter(c: &mut Catalog, alter: &AlterTable) {
    alter_table::apply(c, alter);
}
