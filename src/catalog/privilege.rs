//! Grants.
//!
//! What PUBLIC has without a GRANT (EXECUTE on routines, USAGE on types and languages, CONNECT and TEMPORARY on databases) counts
//! as had when it is revoked. The owner's own privileges are not listed. Grantors are not modelled, so REVOKE … CASCADE takes
//! away only what it names.

use super::Catalog;
use super::change::{Change, Privileged};
use super::name::qualified;
use super::object::*;
use crate::op::{Grant, GrantTargets, ObjectKind, ObjectRef, RoutineKind};
use crate::sql::names::quote_identifier;
use std::sync::Arc;

/// One object whose privileges are in question, with what the journal says about it.
struct Target {
    object: Privileged,
    name: String,
    birth: Birth,
    /// What ALL means for it.
    all: &'static [&'static str],
}

/// GRANT and REVOKE on objects, and ALTER DEFAULT PRIVILEGES.
pub(super) fn grant(c: &mut Catalog, grant: &Grant) {
    // REVOKE GRANT OPTION FOR leaves the privilege itself.
    if !grant.is_grant && grant.grant_option {
        return;
    }
    match &grant.targets {
        GrantTargets::Objects { kind, objects } => {
            for object in objects {
                if let Some(target) = target(c, *kind, object) {
                    on_target(c, grant, &target);
                }
            }
        }
        GrantTargets::AllInSchema { kind, schemas } => {
            for target in all_in_schemas(c, *kind, schemas) {
                on_target(c, grant, &target);
            }
        }
        GrantTargets::Defaults { kind, schemas, .. } => super::default_privilege::change(c, grant, *kind, schemas),
    }
}

fn on_target(c: &mut Catalog, grant: &Grant, target: &Target) {
    let all: Vec<(String, Vec<String>)>;
    let privileges = if grant.privileges.is_empty() {
        all = target.all.iter().map(|privilege| (privilege.to_string(), Vec::new())).collect();
        &all
    } else {
        &grant.privileges
    };
    for grantee in &grant.grantees {
        for (privilege, columns) in privileges {
            let privilege_list: Vec<&str> = match privilege.as_str() {
                "all" | "all privileges" => target.all.to_vec(),
                one => vec![one],
            };
            for privilege in privilege_list {
                match columns.as_slice() {
                    [] => one(c, grant.is_grant, target, grantee, privilege, None),
                    columns => {
                        for column in columns {
                            one(c, grant.is_grant, target, grantee, privilege, Some(column));
                        }
                    }
                }
            }
        }
    }
}

/// One privilege of one role. On a column the journal names the column.
fn one(c: &mut Catalog, is_grant: bool, target: &Target, grantee: &str, privilege: &str, column: Option<&String>) {
    let name = match column {
        Some(column) => format!("{}.{}", target.name, quote_identifier(column)),
        None => target.name.clone(),
    };
    let (object, birth) = (target.object.clone(), target.birth);
    let (grantee_name, privilege_name) = (grantee.to_string(), privilege.to_string());
    if is_grant {
        put(c, target, grantee, privilege, column);
        c.record(Change::Granted { object, name, birth, grantee: grantee_name, privilege: privilege_name });
    } else {
        // A privilege on the whole relation goes with the same privilege on its columns (`ExecGrant_Relation`).
        if let (Privileged::Relation(id), None) = (&target.object, column) {
            for column in granted_columns(c, *id, grantee, privilege) {
                one(c, false, target, grantee, privilege, Some(&column));
            }
        }
        let had = take(c, target, grantee, privilege, column);
        c.record(Change::Revoked { object, name, birth, grantee: grantee_name, privilege: privilege_name, had });
    }
}

fn granted_columns(c: &Catalog, relation: Id, grantee: &str, privilege: &str) -> Vec<String> {
    let Some(relation) = c.relation(relation) else { return Vec::new() };
    let theirs = relation.grants.iter().filter(|(who, what, _)| who == grantee && what == privilege);
    theirs.filter_map(|(_, _, column)| column.clone()).collect()
}

fn put(c: &mut Catalog, target: &Target, grantee: &str, privilege: &str, column: Option<&String>) {
    let pair = (grantee.to_string(), privilege.to_string());
    let push = |list: &mut Vec<(String, String)>| {
        if !list.contains(&pair) {
            list.push(pair.clone());
        }
    };
    match &target.object {
        Privileged::Relation(id) => {
            if let Some(relation) = c.relation_mut(*id) {
                let entry = (pair.0, pair.1, column.cloned());
                if !relation.grants.contains(&entry) {
                    relation.grants.push(entry);
                }
            }
        }
        Privileged::Routine(id) => c.routine_mut(*id).map_or((), |routine| push(&mut routine.grants)),
        Privileged::Type(id) => c.type_mut(*id).map_or((), |object| push(&mut object.grants)),
        Privileged::Schema(name) => {
            if let Some(schema) = c.schemas.get_mut(name) {
                push(&mut Arc::make_mut(schema).grants);
            }
        }
        Privileged::Other(..) | Privileged::Defaults => {}
    }
}

/// Takes a privilege away; whether it was there, where that is known.
fn take(c: &mut Catalog, target: &Target, grantee: &str, privilege: &str, column: Option<&String>) -> Option<bool> {
    let unseen = target.birth == Birth::UNSEEN;
    let (had, owner) = match &target.object {
        Privileged::Relation(id) => {
            let relation = c.relation_mut(*id)?;
            let in_question = |entry: &(String, String, Option<String>)| {
                entry.0 == grantee && entry.1 == privilege && entry.2.as_ref() == column
            };
            let had = relation.grants.iter().any(in_question);
            relation.grants.retain(|entry| !in_question(entry));
            (had, relation.owner.clone())
        }
        Privileged::Routine(id) => {
            let routine = c.routine_mut(*id)?;
            (take_pair(&mut routine.grants, grantee, privilege), routine.owner.clone())
        }
        Privileged::Type(id) => {
            let object = c.type_mut(*id)?;
            (take_pair(&mut object.grants, grantee, privilege), object.owner.clone())
        }
        Privileged::Schema(name) => {
            let schema = Arc::make_mut(c.schemas.get_mut(name)?);
            let had = take_pair(&mut schema.grants, grantee, privilege);
            // `public` of a new database: USAGE alone for everyone, from 15 on.
            let initial = name == "public" && schema.birth == Birth::UNSEEN && schema.known && grantee == "public";
            if initial && !had {
                return Some(privilege == "usage");
            }
            (had, schema.owner.clone())
        }
        Privileged::Other(kind, _) => {
            let implied = match kind {
                ObjectKind::Database => matches!(privilege, "connect" | "temporary" | "temp"),
                ObjectKind::Language => privilege == "usage",
                _ => false,
            };
            return if implied && grantee == "public" { Some(true) } else { None };
        }
        Privileged::Defaults => return None,
    };
    if had || owner.as_deref() == Some(grantee) {
        return Some(true);
    }
    if unseen { None } else { Some(false) }
}

fn take_pair(list: &mut Vec<(String, String)>, grantee: &str, privilege: &str) -> bool {
    let before = list.len();
    list.retain(|(who, what)| !(who == grantee && what == privilege));
    list.len() != before
}

/// The named object, made up where no visible statement created it.
fn target(c: &mut Catalog, kind: ObjectKind, object: &ObjectRef) -> Option<Target> {
    match kind {
        ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::ForeignTable => {
            let id = c.relation_or_unseen(&object.name, RelationKind::Table)?;
            relation_target(c, id)
        }
        ObjectKind::Sequence => {
            let id = c.relation_or_unseen(&object.name, RelationKind::Sequence)?;
            relation_target(c, id)
        }
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
            let id = super::routine::routine_or_unseen(c, object)?;
            routine_target(c, id)
        }
        ObjectKind::Type | ObjectKind::Domain => {
            let id = super::type_object::resolve_or_unseen(c, &object.name, || TypeKind::Unknown)?;
            let found = c.types.get(&id)?;
            let name = qualified(&found.schema, &found.name);
            Some(Target { object: Privileged::Type(id), name, birth: found.birth, all: &["usage"] })
        }
        ObjectKind::Schema => {
            let name = &object.name.name;
            c.schema_or_unseen(name);
            let birth = c.schemas.get(name)?.birth;
            let object = Privileged::Schema(name.clone());
            Some(Target { object, name: quote_identifier(name), birth, all: &["usage", "create"] })
        }
        _ => {
            let name = super::other::label(c, object);
            let all: &'static [&'static str] = match kind {
                ObjectKind::Database => &["create", "connect", "temporary"],
                ObjectKind::Tablespace => &["create"],
                ObjectKind::LargeObject => &["select", "update"],
                ObjectKind::Parameter => &["set", "alter system"],
                _ => &["usage"],
            };
            let birth = c.others.iter().find(|other| other.kind == kind && other.name == name).map_or(Birth::UNSEEN, |o| o.birth);
            Some(Target { object: Privileged::Other(kind, name.clone()), name, birth, all })
        }
    }
}

fn relation_target(c: &Catalog, id: Id) -> Option<Target> {
    let relation = c.relation(id)?;
    let sequence = relation.kind == RelationKind::Sequence;
    Some(Target {
        object: Privileged::Relation(id),
        name: c.relation_label(relation),
        // A column of a made-up relation is not known either.
        birth: if relation.known { relation.birth } else { Birth::UNSEEN },
        all: if sequence {
            &["usage", "select", "update"]
        } else {
            &["select", "insert", "update", "delete", "truncate", "references", "trigger"]
        },
    })
}

fn routine_target(c: &Catalog, id: Id) -> Option<Target> {
    let routine = c.routines.get(&id)?;
    let name = c.routine_label(routine);
    Some(Target { object: Privileged::Routine(id), name, birth: routine.birth, all: &["execute"] })
}

/// What ALL … IN SCHEMA means at this moment (`objectsInSchemaToOids`): TABLES are tables, views, materialized and foreign ones.
fn all_in_schemas(c: &mut Catalog, kind: ObjectKind, schemas: &[String]) -> Vec<Target> {
    let mut targets = Vec::new();
    for schema in schemas {
        c.schema_or_unseen(schema);
        match kind {
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
                let wanted = |routine: &Routine| match kind {
                    ObjectKind::Function => routine.kind != RoutineKind::Procedure,
                    ObjectKind::Procedure => routine.kind == RoutineKind::Procedure,
                    _ => true,
                };
                let here = c.routines.values().filter(|r| r.schema == *schema && wanted(r));
                targets.extend(here.filter_map(|r| routine_target(c, r.id)));
            }
            _ => {
                let wanted = |relation: &Relation| match relation.kind {
                    RelationKind::Sequence => kind == ObjectKind::Sequence,
                    RelationKind::Composite => false,
                    RelationKind::Table
                    | RelationKind::PartitionedTable
                    | RelationKind::ForeignTable
                    | RelationKind::View
                    | RelationKind::MaterializedView => kind != ObjectKind::Sequence,
                };
                let here = c.relations.values().filter(|r| r.schema == *schema && wanted(r));
                targets.extend(here.filter_map(|r| relation_target(c, r.id)));
            }
        }
    }
    targets
}

/// Forgets every grant to a role, as DROP OWNED does; records what each object lost.
pub(super) fn revoke_everything(c: &mut Catalog, role: &str) {
    let mut lost: Vec<(Target, String, Option<String>)> = Vec::new();
    for relation in c.relations.values() {
        for (_, privilege, column) in relation.grants.iter().filter(|(who, _, _)| who == role) {
            if let Some(target) = relation_target(c, relation.id) {
                lost.push((target, privilege.clone(), column.clone()));
            }
        }
    }
    for routine in c.routines.values() {
        for (_, privilege) in routine.grants.iter().filter(|(who, _)| who == role) {
            if let Some(target) = routine_target(c, routine.id) {
                lost.push((target, privilege.clone(), None));
            }
        }
    }
    for object in c.types.values() {
        for (_, privilege) in object.grants.iter().filter(|(who, _)| who == role) {
            let name = qualified(&object.schema, &object.name);
            let privileged = Privileged::Type(object.id);
            let target = Target { object: privileged, name, birth: object.birth, all: &["usage"] };
            lost.push((target, privilege.clone(), None));
        }
    }
    for schema in c.schemas.values() {
        for (_, privilege) in schema.grants.iter().filter(|(who, _)| who == role) {
            let object = Privileged::Schema(schema.name.clone());
            let name = quote_identifier(&schema.name);
            let target = Target { object, name, birth: schema.birth, all: &["usage", "create"] };
            lost.push((target, privilege.clone(), None));
        }
    }
    for (target, privilege, column) in lost {
        one(c, false, &target, role, &privilege, column.as_ref());
    }
    c.default_grants.retain(|(_, _, grantee, _)| grantee != role);
}
