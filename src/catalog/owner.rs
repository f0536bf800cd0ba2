//! Owners. `None` is an owner that nobody named: who runs the migrations.

use super::Catalog;
use super::change::{Cause, Change, Privileged};
use super::name::qualified;
use super::object::*;
use crate::op::{ObjectKind, ObjectRef};
use crate::sql::names::quote_identifier;
use std::sync::Arc;

/// The role that a statement means by CURRENT_USER and the like, where the session said who it is.
fn named_role(c: &Catalog, role: &str) -> Option<String> {
    match role {
        "current_user" | "current_role" | "session_user" => c.current_role(),
        name => Some(name.to_string()),
    }
}

/// ALTER … OWNER TO.
pub(super) fn set_owner(c: &mut Catalog, object: &ObjectRef, role: &str) {
    let owner = named_role(c, role);
    match object.kind {
        ObjectKind::Table
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::ForeignTable
        | ObjectKind::Sequence
        | ObjectKind::Index => {
            let kind = if object.kind == ObjectKind::Sequence { RelationKind::Sequence } else { RelationKind::Table };
            if let Some(id) = c.relation_or_unseen(&object.name, kind) {
                set_relation_owner(c, id, role);
            }
        }
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
            let Some(id) = super::routine::routine_or_unseen(c, object) else { return };
            let Some(before) = c.routines.get(&id).cloned() else { return };
            if let Some(routine) = c.routine_mut(id) {
                routine.owner = owner.clone();
            }
            owner_changed(c, Privileged::Routine(id), c.routine_label(&before), before.birth, before.owner.clone(), role);
        }
        ObjectKind::Type | ObjectKind::Domain => {
            let Some(id) = super::type_object::resolve_or_unseen(c, &object.name, || TypeKind::Unknown) else { return };
            set_type_owner(c, id, role);
        }
        ObjectKind::Schema => {
            let name = &object.name.name;
            c.schema_or_unseen(name);
            let Some(schema) = c.schemas.get_mut(name) else { return };
            let before = schema.clone();
            Arc::make_mut(schema).owner = owner.clone();
            let object = Privileged::Schema(name.clone());
            owner_changed(c, object, quote_identifier(name), before.birth, before.owner.clone(), role);
        }
        kind => {
            let name = super::other::label(c, object);
            let birth = c.others.iter().find(|o| o.kind == kind && o.name == name).map_or(Birth::UNSEEN, |o| o.birth);
            owner_changed(c, Privileged::Other(kind, name.clone()), name, birth, None, role);
        }
    }
}

/// ALTER TABLE … OWNER TO and its kin: owned sequences follow (`change_owner_recurse_to_sequences`).
pub(super) fn set_relation_owner(c: &mut Catalog, id: Id, role: &str) {
    let owner = named_role(c, role);
    let Some(before) = c.relation(id).cloned() else { return };
    if let Some(relation) = c.relation_mut(id) {
        relation.owner = owner;
    }
    owner_changed(c, Privileged::Relation(id), c.relation_label(&before), before.birth, before.owner.clone(), role);
    for sequence in super::sequence::owned_by(c, id, None) {
        c.because(Cause::Cascade, |c| set_relation_owner(c, sequence, role));
    }
}

fn set_type_owner(c: &mut Catalog, id: Id, role: &str) {
    let owner = named_role(c, role);
    let Some(before) = c.types.get(&id).cloned() else { return };
    if let Some(object) = c.type_mut(id) {
        object.owner = owner.clone();
    }
    if let TypeKind::Composite { relation } = before.kind
        && let Some(relation) = c.relation_mut(relation)
    {
        relation.owner = owner.clone();
    }
    let name = qualified(&before.schema, &before.name);
    owner_changed(c, Privileged::Type(id), name, before.birth, before.owner.clone(), role);
}

/// Saying again who the owner is changes nothing.
fn owner_changed(c: &mut Catalog, object: Privileged, name: String, birth: Birth, from: Option<String>, to: &str) {
    if from.as_deref() != Some(to) {
        c.record(Change::OwnerChanged { object, name, birth, from, to: to.to_string() });
    }
}

/// REASSIGN OWNED: everything the roles own goes to another.
pub(super) fn reassign(c: &mut Catalog, roles: &[String], to: &str) {
    let owner = named_role(c, to);
    let owned = |owner: &Option<String>| owner.as_ref().is_some_and(|owner| roles.contains(owner));
    let relations: Vec<Id> = c.relations.values().filter(|r| owned(&r.owner)).map(|r| r.id).collect();
    let types: Vec<Id> = c.types.values().filter(|t| owned(&t.owner)).map(|t| t.id).collect();
    let routines: Vec<Id> = c.routines.values().filter(|r| owned(&r.owner)).map(|r| r.id).collect();
    let schemas: Vec<String> = c.schemas.values().filter(|s| owned(&s.owner)).map(|s| s.name.clone()).collect();
    relations.into_iter().for_each(|id| set_relation_owner(c, id, to));
    types.into_iter().for_each(|id| set_type_owner(c, id, to));
    for id in routines {
        let Some(before) = c.routines.get(&id).cloned() else { continue };
        if let Some(routine) = c.routine_mut(id) {
            routine.owner = owner.clone();
        }
        owner_changed(c, Privileged::Routine(id), c.routine_label(&before), before.birth, before.owner.clone(), to);
    }
    for name in schemas {
        let Some(schema) = c.schemas.get_mut(&name) else { continue };
        let before = schema.clone();
        Arc::make_mut(schema).owner = owner.clone();
        let label = quote_identifier(&name);
        owner_changed(c, Privileged::Schema(name), label, before.birth, before.owner.clone(), to);
    }
}
