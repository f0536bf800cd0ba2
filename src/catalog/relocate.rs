//! SET SCHEMA, and what a schema's new name does to everything in it.

use super::change::{Cause, Change};
use super::object::*;
use super::resolve::is_system_schema;
use super::{Catalog, other, rename, role, routine, sequence, type_object};
use crate::op::{ObjectKind, ObjectName, ObjectRef};
use std::sync::Arc;

/// ALTER … SET SCHEMA.
pub(super) fn set_schema(c: &mut Catalog, object: &ObjectRef, schema: &str, if_exists: bool) {
    if !is_system_schema(schema) {
        c.schema_or_unseen(schema);
    }
    match object.kind {
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Index
        | ObjectKind::Sequence => {
            if let Some(id) = rename::relation_of(c, object, if_exists) {
                move_relation(c, id, schema);
            }
        }
        ObjectKind::Type | ObjectKind::Domain => {
            if let Some(id) = type_object::resolve_or_unseen(c, &object.name, || TypeKind::Unknown)
                && let Some(name) = c.types.get(&id).map(|found| found.name.clone())
            {
                move_type(c, id, schema, &name);
            }
        }
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
            if let Some(id) = routine::routine_or_unseen(c, object)
                && let Some(name) = c.routines.get(&id).map(|found| found.name.clone())
            {
                move_routine(c, id, schema, &name);
            }
        }
        ObjectKind::Extension => super::extension::set_schema(c, &object.name.name, schema),
        ObjectKind::Operator
        | ObjectKind::OperatorClass
        | ObjectKind::OperatorFamily
        | ObjectKind::Collation
        | ObjectKind::Conversion
        | ObjectKind::Statistics
        | ObjectKind::TextSearch => {
            let name = other::label(c, object);
            let to = other::label_as(c, object, ObjectName::qualified(schema, object.name.name.clone()));
            other::relabel(c, object.kind, &name, to);
        }
        // These are in no schema, or move with what they hang on: the grammar has no SET SCHEMA for them.
        ObjectKind::Schema
        | ObjectKind::Cast
        | ObjectKind::Language
        | ObjectKind::Trigger
        | ObjectKind::EventTrigger
        | ObjectKind::Rule
        | ObjectKind::Policy
        | ObjectKind::Column
        | ObjectKind::Attribute
        | ObjectKind::TableConstraint
        | ObjectKind::DomainConstraint
        | ObjectKind::Role
        | ObjectKind::Database
        | ObjectKind::Tablespace
        | ObjectKind::Publication
        | ObjectKind::Subscription
        | ObjectKind::ForeignServer
        | ObjectKind::ForeignDataWrapper
        | ObjectKind::UserMapping
        | ObjectKind::AccessMethod
        | ObjectKind::Transform
        | ObjectKind::LargeObject
        | ObjectKind::Parameter => {}
    }
}

/// Another name or schema for a type; the relation behind a composite one goes along.
pub(super) fn move_type(c: &mut Catalog, id: Id, schema: &str, name: &str) {
    let Some(before) = c.types.get(&id).cloned() else { return };
    if before.schema == schema && before.name == name {
        return;
    }
    c.rename_type_entry(id, schema, name);
    if let TypeKind::Composite { relation } = before.kind {
        c.rename_relation_entry(relation, schema, name);
    }
    c.record(Change::TypeRenamed { object: before, schema: schema.to_string(), name: name.to_string() });
}

pub(super) fn move_routine(c: &mut Catalog, id: Id, schema: &str, name: &str) {
    let Some(before) = c.routines.get(&id).cloned() else { return };
    if before.schema == schema && before.name == name {
        return;
    }
    c.rename_routine_entry(id, schema, name);
    c.record(Change::RoutineRenamed { routine: before, schema: schema.to_string(), name: name.to_string() });
}

/// SET SCHEMA of a relation takes indexes, constraints and owned sequences along (`AlterTableNamespaceInternal`).
fn move_relation(c: &mut Catalog, id: Id, schema: &str) {
    let Some(before) = c.relation(id).cloned() else { return };
    if before.schema == schema {
        return;
    }
    let sequences = sequence::owned_by(c, id, None);
    move_relation_entry(c, id, schema);
    c.record(Change::RelationRenamed { name: before.name.clone(), relation: before, schema: schema.to_string() });
    for sequence in sequences {
        c.because(Cause::Cascade, |c| move_relation(c, sequence, schema));
    }
}

/// Moves the entries of a relation and its indexes, and records nothing.
pub(super) fn move_relation_entry(c: &mut Catalog, id: Id, schema: &str) {
    let Some(before) = c.relation(id).cloned() else { return };
    c.rename_relation_entry(id, schema, &before.name);
    for index in c.indexes_of(id) {
        c.rename_index_entry(index.id, schema, &index.name);
    }
}

/// ALTER SCHEMA … RENAME: everything in it has another name now.
pub(super) fn rename_schema(c: &mut Catalog, name: &str, to: &str) {
    c.schema_or_unseen(name);
    let Some(before) = c.schemas.remove(name) else { return };
    c.schemas.insert(to.to_string(), Arc::new(SchemaObject { name: to.to_string(), ..SchemaObject::clone(&before) }));
    c.record(Change::SchemaRenamed { schema: before, to: to.to_string() });
    c.because(Cause::Cascade, |c| move_members(c, name, to));
    let moved = |schema: &mut String| *schema = to.to_string();
    role::change_where(&mut c.extensions, |extension| extension.schema == name, |extension| moved(&mut extension.schema));
    let published = |publication: &Publication| publication.schemas.iter().any(|schema| schema == name);
    role::change_where(&mut c.publications, published, |publication| {
        publication.schemas.iter_mut().filter(|schema| *schema == name).for_each(moved);
    });
    for (_, schema, _, _) in c.default_grants.iter_mut() {
        if schema == name {
            *schema = to.to_string();
        }
    }
}

fn move_members(c: &mut Catalog, from: &str, to: &str) {
    let relations: Vec<Arc<Relation>> = c.relations.values().filter(|r| r.schema == from).cloned().collect();
    for relation in relations {
        move_relation_entry(c, relation.id, to);
        // A composite type is told as a type.
        if relation.kind != RelationKind::Composite && relation.extension.is_none() {
            c.record(Change::RelationRenamed { name: relation.name.clone(), relation, schema: to.to_string() });
        }
    }
    let types: Vec<Arc<TypeObject>> = c.types.values().filter(|t| t.schema == from).cloned().collect();
    for object in types {
        c.rename_type_entry(object.id, to, &object.name);
        if object.extension.is_none() {
            c.record(Change::TypeRenamed { name: object.name.clone(), object, schema: to.to_string() });
        }
    }
    let routines: Vec<Arc<Routine>> = c.routines.values().filter(|r| r.schema == from).cloned().collect();
    for routine in routines {
        c.rename_routine_entry(routine.id, to, &routine.name);
        if routine.extension.is_none() {
            c.record(Change::RoutineRenamed { name: routine.name.clone(), routine, schema: to.to_string() });
        }
    }
}
