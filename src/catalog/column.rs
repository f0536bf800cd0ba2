//! Columns: defining and altering them, on the table and on what inherits from it.

use super::change::{Cause, Change};
use super::constraint::{self, Place};
use super::object::*;
use super::resolve::push_column;
use super::types::{BaseType, DataType, serial_type};
use super::{Catalog, inheritance, sequence};
use crate::expr::Expr;
use crate::op::{ColumnDef, ConstraintKind, GeneratedKind, IdentityKind, ObjectKind, ObjectName, SequenceOption, TypeRef};

/// Enters a column with its type, default, NOT NULL, identity and generation. Its other constraints come after all columns
/// are there (see [`add_constraints`]), as on the server.
pub(super) fn define(c: &mut Catalog, relation: Id, def: &ColumnDef) -> Option<ColumnId> {
    let type_ref = def.type_ref.as_ref();
    let data_type = type_ref.map_or(DataType::UNKNOWN, |t| declared_type(c, t));
    let birth = c.birth();
    let id = push_column(c.relation_mut(relation)?, &def.name, data_type.clone(), birth);
    let collation = def.collation.as_ref().map(|name| name.name.clone());
    change(c, relation, id, |column| column.collation = collation.clone());
    if type_ref.is_some_and(|t| serial_type(t).is_some()) {
        let created = sequence::create_owned(c, relation, id, data_type.clone(), false, &[]);
        let default = created.and_then(|s| sequence::nextval_default(c, s));
        change(c, relation, id, |column| {
            column.not_null = true;
            column.default = default.clone();
        });
    }
    for constraint in &def.constraints {
        match &constraint.kind {
            ConstraintKind::NotNull { .. } => change(c, relation, id, |column| column.not_null = true),
            ConstraintKind::Default(expr) => {
                let stored = stored_default(c, &data_type, expr);
                change(c, relation, id, |column| column.default = stored);
            }
            ConstraintKind::Identity { kind, options } => {
                sequence::create_owned(c, relation, id, data_type.clone(), true, options);
                change(c, relation, id, |column| {
                    column.not_null = true;
                    column.identity = Some(*kind);
                });
            }
            ConstraintKind::Generated { kind, expr } => {
                change(c, relation, id, |column| column.generated = Some((*kind, expr.clone())));
            }
            ConstraintKind::PrimaryKey { .. } => change(c, relation, id, |column| column.not_null = true),
            ConstraintKind::Null
            | ConstraintKind::Check(_)
            | ConstraintKind::Unique { .. }
            | ConstraintKind::Exclude { .. }
            | ConstraintKind::ForeignKey { .. } => {}
        }
    }
    Some(id)
}

/// The default as the server keeps it. A constant NULL is no default (`AddRelationNewConstraints`), unless the column's length,
/// precision or domain, or a cast to another type, makes it a call.
pub(super) fn stored_default(c: &Catalog, data_type: &DataType, expr: &Expr) -> Option<Expr> {
    let is_domain = match data_type.base {
        BaseType::User(id) => c.types.get(&id).is_some_and(|object| matches!(object.kind, TypeKind::Domain { .. })),
        BaseType::Builtin(_) | BaseType::Row(_) | BaseType::Unknown => false,
    };
    let is_call = match expr {
        Expr::Cast { to, .. } => c.data_type(to).without_typmods() != data_type.without_typmods(),
        _ => false,
    };
    (!expr.is_null() || !data_type.typmods.is_empty() || is_domain || is_call).then(|| expr.clone())
}

/// A type nobody declared is unknown, and the history incomplete.
pub(super) fn declared_type(c: &mut Catalog, type_ref: &TypeRef) -> DataType {
    let data_type = c.data_type(type_ref);
    if data_type.is_unknown() {
        c.incomplete = true;
    }
    data_type
}

pub(super) fn change(c: &mut Catalog, relation: Id, column: ColumnId, f: impl FnOnce(&mut Column)) {
    if let Some(column) = c.relation_mut(relation).and_then(|r| r.columns.iter_mut().find(|col| col.id == column)) {
        f(column);
    }
}

/// The relation and column as they are now, for the journal.
pub(super) fn both(c: &Catalog, relation: Id, column: ColumnId) -> Option<(std::sync::Arc<Relation>, Column)> {
    let relation = c.relation(relation)?.clone();
    let column = relation.column_by_id(column)?.clone();
    Some((relation, column))
}

/// ALTER TABLE … ADD COLUMN.
pub(super) fn add(c: &mut Catalog, relation: Id, def: &ColumnDef, if_not_exists: bool, recurse: bool) -> Option<ColumnId> {
    let before = c.relation(relation)?.clone();
    if before.column(&def.name).is_some() {
        if if_not_exists {
            let label = format!("{}.{}", c.relation_label(&before), def.name);
            c.nothing_exists(ObjectKind::Column, label);
        }
        return None;
    }
    if if_not_exists && !before.known {
        // The relation is from before all we see: whether it has the column is not known. It is added.
        c.incomplete = true;
    }
    let id = define(c, relation, def)?;
    let column = c.relation(relation)?.column_by_id(id)?.clone();
    c.record(Change::ColumnAdded { relation: before, column });
    if recurse {
        for child in c.children_of(relation) {
            c.because(Cause::Inherited, |c| inheritance::column_to_child(c, relation, id, child));
        }
    }
    Some(id)
}

/// UNIQUE, PRIMARY KEY, CHECK, REFERENCES of a column definition, in the server's order: indexes, checks, foreign keys.
pub(super) fn add_constraints(c: &mut Catalog, relation: Id, column: ColumnId, def: &ColumnDef, recurse: bool) {
    for wanted in [0, 1, 2] {
        for constraint in &def.constraints {
            if pass_of(&constraint.kind) == Some(wanted) {
                constraint::add(c, Place { relation, column: Some(column), recurse }, constraint);
            }
        }
    }
}

/// The order in which constraints of one statement are made; `None` for those that are part of the column.
pub(super) fn pass_of(kind: &ConstraintKind) -> Option<u8> {
    match kind {
        ConstraintKind::Unique { .. } | ConstraintKind::PrimaryKey { .. } | ConstraintKind::Exclude { .. } => Some(0),
        ConstraintKind::Check(_) => Some(1),
        ConstraintKind::ForeignKey { .. } => Some(2),
        ConstraintKind::Null
        | ConstraintKind::NotNull { .. }
        | ConstraintKind::Default(_)
        | ConstraintKind::Identity { .. }
        | ConstraintKind::Generated { .. } => None,
    }
}

pub(super) fn set_type(
    c: &mut Catalog,
    relation: Id,
    name: &str,
    type_ref: &TypeRef,
    collation: Option<&ObjectName>,
    using: Option<&Expr>,
    recurse: bool,
) {
    let to = declared_type(c, type_ref);
    if c.column_or_unseen(relation, name).is_some() {
        retype_tree(c, relation, name, &Retype { to, collation: collation.map(|name| name.name.clone()), using }, recurse);
    }
}

struct Retype<'a> {
    to: DataType,
    collation: Option<String>,
    using: Option<&'a Expr>,
}

fn retype_tree(c: &mut Catalog, relation: Id, name: &str, new: &Retype<'_>, recurse: bool) {
    if let Some(id) = c.relation(relation).and_then(|r| r.column(name)).map(|column| column.id) {
        retype(c, relation, id, new);
    }
    if recurse {
        for child in c.children_of(relation) {
            c.because(Cause::Inherited, |c| retype_tree(c, child, name, new, true));
        }
    }
}

/// The name of a column's type, where it is one of the modelled schema.
fn column_type_name(c: &Catalog, relation: Id, id: ColumnId) -> Option<TypeRef> {
    let column = c.relation(relation)?.column_by_id(id)?;
    let BaseType::User(object) = column.data_type.base else { return None };
    let object = c.types.get(&object)?;
    Some(TypeRef::of(ObjectName::qualified(object.schema.clone(), object.name.clone())))
}

fn retype(c: &mut Catalog, relation: Id, id: ColumnId, new: &Retype<'_>) {
    let Retype { to, collation: new_collation, using } = new;
    let old_type = column_type_name(c, relation, id);
    let Some((before, column)) = both(c, relation, id) else { return };
    change(c, relation, id, |column| {
        column.data_type = to.clone();
        column.collation = new_collation.clone();
        // The default is cast along, and so goes on needing the old type.
        if let (Some(default), Some(old)) = (column.default.take(), old_type) {
            column.default = Some(Expr::Cast { expr: Box::new(default), to: old });
        }
    });
    // The sequence of an identity column follows the column's type; that of a serial does not.
    if column.identity.is_some() {
        for sequence in sequence::owned_by(c, relation, Some(id)) {
            if let Some(state) = c.relation_mut(sequence).and_then(|r| r.sequence.as_mut()) {
                state.data_type = to.clone();
            }
        }
    }
    if column.collation != *new_collation {
        c.record(Change::CollationChanged { relation: before.clone(), column: column.clone() });
    }
    if column.data_type != *to || to.is_unknown() {
        c.record(Change::ColumnRetyped { relation: before, column, to: to.clone(), using: using.cloned() });
    }
}

pub(super) fn set_default(c: &mut Catalog, relation: Id, name: &str, expr: Option<&Expr>, recurse: bool) {
    let Some(id) = c.column_or_unseen(relation, name) else { return };
    let Some((before, column)) = both(c, relation, id) else { return };
    let new = expr.and_then(|e| stored_default(c, &column.data_type, e));
    change(c, relation, id, |column| column.default = new.clone());
    match new {
        Some(to) => c.record(Change::DefaultSet { relation: before.clone(), column, to }),
        None if column.default.is_some() || column.data_type.is_unknown() || !before.known => {
            c.record(Change::DefaultDropped { relation: before.clone(), column });
        }
        None => {}
    }
    if recurse {
        for child in c.children_of(relation) {
            c.because(Cause::Inherited, |c| set_default(c, child, name, expr, true));
        }
    }
}

/// SET NOT NULL, also by PRIMARY KEY or identity.
pub(super) fn set_not_null(c: &mut Catalog, relation: Id, id: ColumnId, recurse: bool) {
    let Some((before, column)) = both(c, relation, id) else { return };
    let name = column.name.clone();
    if !column.not_null {
        change(c, relation, id, |column| column.not_null = true);
        c.record(Change::NotNullSet { relation: before, column });
    } else if column.pending_not_null.is_some() {
        change(c, relation, id, |column| column.pending_not_null = None);
    }
    if recurse {
        for child in c.children_of(relation) {
            if let Some(id) = c.relation(child).and_then(|r| r.column(&name)).map(|column| column.id) {
                c.because(Cause::Inherited, |c| set_not_null(c, child, id, true));
            }
        }
    }
}

pub(super) fn drop_not_null(c: &mut Catalog, relation: Id, name: &str, recurse: bool) {
    let Some(id) = c.column_or_unseen(relation, name) else { return };
    let Some((before, column)) = both(c, relation, id) else { return };
    // The server refuses it for a column of the primary key and for an identity.
    let is_key = before.primary_key().is_some_and(|key| key.kind.columns().contains(&id));
    if is_key || column.identity.is_some() {
        return;
    }
    if column.not_null || !before.known {
        change(c, relation, id, |column| {
            column.not_null = false;
            column.pending_not_null = None;
        });
        c.record(Change::NotNullDropped { relation: before, column });
    }
    if recurse {
        for child in c.children_of(relation) {
            c.because(Cause::Inherited, |c| drop_not_null(c, child, name, true));
        }
    }
}

pub(super) fn add_identity(c: &mut Catalog, relation: Id, name: &str, kind: IdentityKind, options: &[SequenceOption]) {
    let Some(id) = c.column_or_unseen(relation, name) else { return };
    let Some((before, column)) = both(c, relation, id) else { return };
    sequence::create_owned(c, relation, id, column.data_type.clone(), true, options);
    change(c, relation, id, |column| column.identity = Some(kind));
    c.record(Change::IdentityChanged { relation: before, column, to: Some(kind) });
}

pub(super) fn set_identity(c: &mut Catalog, relation: Id, name: &str, kind: Option<IdentityKind>, options: &[SequenceOption]) {
    let Some(id) = c.column_or_unseen(relation, name) else { return };
    let Some((before, column)) = both(c, relation, id) else { return };
    for sequence in sequence::owned_by(c, relation, Some(id)) {
        sequence::alter_by_id(c, sequence, options);
    }
    if let Some(kind) = kind {
        change(c, relation, id, |column| column.identity = Some(kind));
        c.record(Change::IdentityChanged { relation: before, column, to: Some(kind) });
    }
}

pub(super) fn drop_identity(c: &mut Catalog, relation: Id, name: &str, if_exists: bool) {
    let Some(id) = c.column_or_unseen(relation, name) else { return };
    let Some((before, column)) = both(c, relation, id) else { return };
    if column.identity.is_none() && (if_exists || before.known) {
        return;
    }
    for sequence in sequence::owned_by(c, relation, Some(id)) {
        c.because(Cause::Cascade, |c| super::drop::relation(c, sequence, false));
    }
    change(c, relation, id, |column| column.identity = None);
    c.record(Change::IdentityChanged { relation: before, column, to: None });
}

pub(super) fn set_expression(c: &mut Catalog, relation: Id, name: &str, expr: &Expr) {
    let Some(id) = c.column_or_unseen(relation, name) else { return };
    let Some((before, column)) = both(c, relation, id) else { return };
    let kind = column.generated.as_ref().map_or(GeneratedKind::Stored, |(kind, _)| *kind);
    change(c, relation, id, |column| column.generated = Some((kind, expr.clone())));
    c.record(Change::ExpressionSet { relation: before, column });
}

pub(super) fn drop_expression(c: &mut Catalog, relation: Id, name: &str) {
    let Some(id) = c.column_or_unseen(relation, name) else { return };
    let Some((before, column)) = both(c, relation, id) else { return };
    if column.generated.is_some() || !before.known {
        change(c, relation, id, |column| column.generated = None);
        c.record(Change::ExpressionDropped { relation: before, column });
    }
    for child in c.children_of(relation) {
        c.because(Cause::Inherited, |c| drop_expression(c, child, name));
    }
}
