//! RENAME.
//!
//! Identity stays, so what refers to an object by id follows by itself: views keep their column names, triggers their function.
//! What follows by name (children of a renamed column, clones of a trigger) is done here.

use super::Catalog;
use super::change::{Cause, Change};
use super::object::*;
use super::{other, policy, relocate, role, routine, trigger, type_object};
use crate::op::{ObjectKind, ObjectName, ObjectRef};
use crate::sql::names::quote_identifier;
use std::sync::Arc;

/// ALTER … RENAME.
pub(super) fn object(c: &mut Catalog, object: &ObjectRef, to: &str, if_exists: bool) {
    let sub = object.sub.as_deref().unwrap_or_default();
    match object.kind {
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Index
        | ObjectKind::Sequence => relation_or_index(c, object, to, if_exists),
        ObjectKind::Column | ObjectKind::Attribute => {
            if let Some(id) = relation_of(c, object, if_exists) {
                column(c, id, sub, to);
            }
        }
        ObjectKind::TableConstraint => {
            if let Some(id) = relation_of(c, object, if_exists) {
                constraint(c, id, sub, to);
            }
        }
        ObjectKind::DomainConstraint => domain_constraint(c, &object.name, sub, to),
        ObjectKind::Trigger => {
            if let Some(id) = relation_of(c, object, if_exists) {
                trigger::rename_trigger(c, id, sub, to);
            }
        }
        ObjectKind::Policy => {
            if let Some(id) = relation_of(c, object, if_exists) {
                policy::rename_policy(c, id, sub, to);
            }
        }
        ObjectKind::Rule => {
            if let Some(id) = relation_of(c, object, if_exists) {
                rule(c, id, sub, to);
            }
        }
        ObjectKind::Type | ObjectKind::Domain => {
            if let Some(id) = type_object::resolve_or_unseen(c, &object.name, || TypeKind::Unknown)
                && let Some(schema) = c.types.get(&id).map(|found| found.schema.clone())
            {
                relocate::move_type(c, id, &schema, to);
            }
        }
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
            if let Some(id) = routine::routine_or_unseen(c, object)
                && let Some(schema) = c.routines.get(&id).map(|found| found.schema.clone())
            {
                relocate::move_routine(c, id, &schema, to);
            }
        }
        ObjectKind::Schema => relocate::rename_schema(c, &object.name.name, to),
        ObjectKind::Role => role::rename(c, &object.name.name, to),
        ObjectKind::Publication => {
            if let Some(publication) = c.publications.remove(&object.name.name) {
                let renamed = Publication { name: to.to_string(), ..Publication::clone(&publication) };
                c.publications.insert(to.to_string(), Arc::new(renamed));
                c.record(Change::OtherRenamed {
                    kind: object.kind,
                    name: quote_identifier(&publication.name),
                    birth: publication.birth,
                    to: quote_identifier(to),
                });
            } else {
                other::relabel(c, object.kind, &quote_identifier(&object.name.name), quote_identifier(to));
            }
        }
        // The server has no RENAME for these: nothing to follow.
        ObjectKind::Extension | ObjectKind::Cast | ObjectKind::Transform | ObjectKind::LargeObject | ObjectKind::Parameter => {}
        ObjectKind::Operator
        | ObjectKind::OperatorClass
        | ObjectKind::OperatorFamily
        | ObjectKind::Collation
        | ObjectKind::Conversion
        | ObjectKind::Language
        | ObjectKind::EventTrigger
        | ObjectKind::Database
        | ObjectKind::Tablespace
        | ObjectKind::Subscription
        | ObjectKind::ForeignServer
        | ObjectKind::ForeignDataWrapper
        | ObjectKind::UserMapping
        | ObjectKind::Statistics
        | ObjectKind::TextSearch
        | ObjectKind::AccessMethod => {
            let name = other::label(c, object);
            let to = other::label_as(c, object, ObjectName { schema: object.name.schema.clone(), name: to.to_string() });
            other::relabel(c, object.kind, &name, to);
        }
    }
}

/// The relation that the statement names, or that its column, constraint, trigger … hangs on. With IF EXISTS one that is not
/// there is noted, else it is made up.
pub(super) fn relation_of(c: &mut Catalog, object: &ObjectRef, if_exists: bool) -> Option<Id> {
    if let Some(id) = c.resolve_relation(&object.name) {
        return Some(id);
    }
    let kind = match object.kind {
        ObjectKind::View => RelationKind::View,
        ObjectKind::MaterializedView => RelationKind::MaterializedView,
        ObjectKind::Sequence => RelationKind::Sequence,
        ObjectKind::ForeignTable => RelationKind::ForeignTable,
        ObjectKind::Attribute => RelationKind::Composite,
        _ => RelationKind::Table,
    };
    if if_exists {
        let schema = c.creation_schema(&object.name);
        let kind = if object.sub.is_some() { ObjectKind::Table } else { object.kind };
        c.nothing_missing(kind, super::name::qualified(&schema, &object.name.name));
        return None;
    }
    c.relation_or_unseen(&object.name, kind)
}

/// ALTER TABLE and its kin take the name of any relation, an index too.
fn relation_or_index(c: &mut Catalog, object: &ObjectRef, to: &str, if_exists: bool) {
    if let Some(id) = c.resolve_index(&object.name) {
        return index(c, id, to);
    }
    if object.kind == ObjectKind::Index && c.resolve_relation(&object.name).is_none() {
        // The table of an index that nobody created is not known, so there is nothing to hang it on.
        if if_exists {
            let schema = c.creation_schema(&object.name);
            c.nothing_missing(object.kind, super::name::qualified(&schema, &object.name.name));
        } else {
            c.incomplete = true;
        }
        return;
    }
    let Some(id) = relation_of(c, object, if_exists) else { return };
    let Some(before) = c.relation(id).cloned() else { return };
    c.rename_relation_entry(id, &before.schema, to);
    let schema = before.schema.clone();
    c.record(Change::RelationRenamed { relation: before, schema, name: to.to_string() });
}

/// An index that backs a constraint takes the constraint's name along (`RenameRelationInternal`).
fn index(c: &mut Catalog, id: Id, to: &str) {
    let Some(before) = c.indexes.get(&id).cloned() else { return };
    let Some(relation) = c.relation(before.relation).cloned() else { return };
    if let Some(found) = relation.constraints.iter().find(|other| other.kind.index() == Some(id)) {
        return constraint(c, relation.id, &found.name, to);
    }
    c.rename_index_entry(id, &before.schema, to);
    c.record(Change::IndexRenamed { relation, index: before, to: to.to_string() });
}

/// RENAME COLUMN / ATTRIBUTE, in all children too (`renameatt_internal`).
fn column(c: &mut Catalog, id: Id, name: &str, to: &str) {
    if c.column_or_unseen(id, name).is_none() {
        return;
    }
    for (at, relation) in c.with_descendants(id).into_iter().enumerate() {
        let cause = if at == 0 { c.cause } else { Cause::Inherited };
        c.because(cause, |c| one_column(c, relation, name, to));
    }
}

fn one_column(c: &mut Catalog, id: Id, name: &str, to: &str) {
    let Some(before) = c.relation(id).cloned() else { return };
    let Some(column) = before.column(name).cloned() else { return };
    if let Some(relation) = c.relation_mut(id) {
        let renamed = |text: &mut String| {
            if text == name {
                *text = to.to_string();
            }
        };
        relation.columns.iter_mut().map(|column| &mut column.name).for_each(renamed);
        relation.triggers.iter_mut().flat_map(|trigger| &mut trigger.update_columns).for_each(renamed);
        relation.grants.iter_mut().filter_map(|(_, _, column)| column.as_mut()).for_each(renamed);
        rewrite_expressions(relation, name, to);
    }
    for index in c.indexes_of(id) {
        if let Some(index) = c.index_mut(index.id) {
            for key in &mut index.keys {
                if key.element.column.as_deref() == Some(name) {
                    key.element.column = Some(to.to_string());
                }
                if let Some(expr) = &mut key.element.expr {
                    expr.rename_column(name, to);
                }
            }
            if let Some(predicate) = &mut index.predicate {
                predicate.rename_column(name, to);
            }
        }
    }
    c.record(Change::ColumnRenamed { relation: before, column, to: to.to_string() });
}

/// Stored expressions are by attribute number on a server; here they hold names, which follow.
fn rewrite_expressions(relation: &mut Relation, name: &str, to: &str) {
    for constraint in &mut relation.constraints {
        if let ConstraintType::Check { expr, .. } = &mut constraint.kind {
            expr.rename_column(name, to);
        }
    }
    for column in &mut relation.columns {
        if let Some((_, expr)) = &mut column.generated {
            expr.rename_column(name, to);
        }
    }
    for found in &mut relation.policies {
        for expr in found.policy.using.iter_mut().chain(&mut found.policy.check) {
            expr.rename_column(name, to);
        }
    }
}

/// RENAME CONSTRAINT: the index of a unique constraint is renamed with it, an inherited CHECK in the children
/// (`rename_constraint_internal`). One that no visible statement created changes nothing that is modelled.
fn constraint(c: &mut Catalog, id: Id, name: &str, to: &str) {
    let Some(before) = c.relation(id).cloned() else { return };
    let Some(found) = before.constraint(name).cloned() else {
        c.incomplete = true;
        return;
    };
    c.forget_constraint_name(&before.schema, name);
    c.remember_constraint_name(&before.schema, to);
    if let Some(place) = c.relation_mut(id).and_then(|r| r.constraints.iter_mut().find(|other| other.id == found.id)) {
        place.name = to.to_string();
    }
    if let Some(index) = found.kind.index() {
        c.rename_index_entry(index, &before.schema, to);
    }
    let inheritable = matches!(found.kind, ConstraintType::Check { .. }) && !found.no_inherit;
    c.record(Change::ConstraintRenamed { relation: before, constraint: found, to: to.to_string() });
    if inheritable {
        for child in c.children_of(id) {
            c.because(Cause::Inherited, |c| {
                if c.relation(child).is_some_and(|r| r.constraint(name).is_some_and(|check| check.inherited > 0)) {
                    constraint(c, child, name, to);
                }
            });
        }
    }
}

/// ALTER DOMAIN … RENAME CONSTRAINT.
fn domain_constraint(c: &mut Catalog, domain: &ObjectName, name: &str, to: &str) {
    let Some(id) = type_object::resolve_or_unseen(c, domain, || TypeKind::Unknown) else { return };
    let Some(object) = c.type_mut(id) else { return };
    let label = super::name::qualified(&object.schema, &object.name);
    let mut birth = Birth::UNSEEN;
    if let TypeKind::Domain { constraints, .. } = &mut object.kind
        && let Some(found) = constraints.iter_mut().find(|constraint| constraint.name == name)
    {
        found.name = to.to_string();
        birth = found.birth;
    }
    c.record(Change::OtherRenamed {
        kind: ObjectKind::DomainConstraint,
        name: format!("{label} {}", quote_identifier(name)),
        birth,
        to: format!("{label} {}", quote_identifier(to)),
    });
}

fn rule(c: &mut Catalog, relation: Id, name: &str, to: &str) {
    let Some(before) = c.relation(relation).cloned() else { return };
    let place = c.relation_mut(relation).and_then(|r| r.rules.iter_mut().find(|rule| rule.name == name));
    let birth = match place {
        Some(rule) => {
            rule.name = to.to_string();
            rule.birth
        }
        None => Birth::UNSEEN,
    };
    let label = c.relation_label(&before);
    c.record(Change::OtherRenamed {
        kind: ObjectKind::Rule,
        name: format!("{label} {}", quote_identifier(name)),
        birth,
        to: format!("{label} {}", quote_identifier(to)),
    });
}
