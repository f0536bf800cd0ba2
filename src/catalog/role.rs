//! Roles. They belong to the cluster, so that one no visible statement created says nothing about the schema.

use super::Catalog;
use super::change::{Cause, Change};
use super::object::*;
use crate::op::{ObjectKind, ObjectName, ObjectRef, RoutineKind, TypeRef};
use crate::sql::names::quote_identifier;
use imbl::OrdMap;
use std::sync::Arc;

/// GRANT / REVOKE of membership.
pub(super) fn grant(c: &mut Catalog, is_grant: bool, roles: &[String], members: &[String]) {
    for role in roles {
        for member in members {
            let mut changed = Role::clone(&role_or_unseen(c, member));
            changed.member_of.retain(|other| other != role);
            if is_grant {
                changed.member_of.push(role.clone());
            }
            c.roles.insert(member.clone(), Arc::new(changed));
            c.record(Change::RoleGranted { role: role.clone(), member: member.clone(), granted: is_grant });
        }
    }
}

/// CREATE ROLE / USER / GROUP. Options are the parser's: `canlogin`, `superuser`, `bypassrls`, `addroleto` …
pub(super) fn create(c: &mut Catalog, name: &str, options: &[(String, Option<String>)]) {
    let mut role = new_role(name, c.birth());
    set_options(&mut role, options);
    let list = |wanted: &[&str]| -> Vec<String> {
        let found = options.iter().filter(|(option, _)| wanted.contains(&option.as_str()));
        found.flat_map(|(_, value)| value.iter().flat_map(|v| v.split(", ")).map(str::to_string)).collect()
    };
    role.member_of.extend(list(&["addroleto"]));
    let members = list(&["rolemembers", "adminmembers"]);
    let role = Arc::new(role);
    c.roles.insert(name.to_string(), role.clone());
    c.record(Change::RoleCreated { role });
    grant(c, true, &[name.to_string()], &members);
}

/// ALTER ROLE … options (ALTER GROUP … ADD USER is a grant).
pub(super) fn alter(c: &mut Catalog, name: &str, options: &[(String, Option<String>)]) {
    let before = role_or_unseen(c, name);
    let mut after = Role::clone(&before);
    set_options(&mut after, options);
    c.roles.insert(name.to_string(), Arc::new(after));
    c.record(Change::RoleAltered { name: name.to_string(), birth: before.birth, options: options.to_vec() });
}

fn set_options(role: &mut Role, options: &[(String, Option<String>)]) {
    for (name, value) in options {
        let on = !value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case("false"));
        match name.as_str() {
            "canlogin" => role.login = on,
            "superuser" => role.superuser = on,
            "bypassrls" => role.bypass_rls = on,
            _ => {}
        }
    }
}

/// DROP ROLE. Its memberships go with it.
pub(super) fn drop(c: &mut Catalog, names: &[String], if_exists: bool) {
    for name in names {
        let birth = match c.roles.remove(name) {
            Some(role) => role.birth,
            None if if_exists => {
                c.nothing_missing(ObjectKind::Role, quote_identifier(name));
                continue;
            }
            None => Birth::UNSEEN,
        };
        let members: Vec<String> =
            c.roles.values().filter(|role| role.member_of.contains(name)).map(|role| role.name.clone()).collect();
        for member in members {
            if let Some(role) = c.roles.get_mut(&member) {
                Arc::make_mut(role).member_of.retain(|other| other != name);
            }
        }
        c.record(Change::RoleDropped { name: name.clone(), birth });
    }
}

/// ALTER ROLE … RENAME. Grants, owners and memberships are by identity, so they follow.
pub(super) fn rename(c: &mut Catalog, name: &str, to: &str) {
    let before = role_or_unseen(c, name);
    c.roles.remove(name);
    c.roles.insert(to.to_string(), Arc::new(Role { name: to.to_string(), ..Role::clone(&before) }));
    let follow = |text: &mut String| {
        if text == name {
            *text = to.to_string();
        }
    };
    let is = |owner: &Option<String>| owner.as_deref() == Some(name);
    let among = |grants: &[(String, String)]| grants.iter().any(|(who, _)| who == name);
    change_where(
        &mut c.relations,
        |r| {
            let in_policy = |found: &RowPolicy| found.policy.roles.iter().any(|role| role == name);
            is(&r.owner) || r.grants.iter().any(|(who, _, _)| who == name) || r.policies.iter().any(in_policy)
        },
        |relation| {
            relation.owner.iter_mut().for_each(follow);
            relation.grants.iter_mut().for_each(|(who, _, _)| follow(who));
            relation.policies.iter_mut().flat_map(|found| &mut found.policy.roles).for_each(follow);
        },
    );
    change_where(
        &mut c.routines,
        |routine| is(&routine.owner) || among(&routine.grants),
        |routine| {
            routine.owner.iter_mut().for_each(follow);
            routine.grants.iter_mut().for_each(|(who, _)| follow(who));
        },
    );
    change_where(
        &mut c.types,
        |object| is(&object.owner) || among(&object.grants),
        |object| {
            object.owner.iter_mut().for_each(follow);
            object.grants.iter_mut().for_each(|(who, _)| follow(who));
        },
    );
    change_where(
        &mut c.schemas,
        |schema| is(&schema.owner) || among(&schema.grants),
        |schema| {
            schema.owner.iter_mut().for_each(follow);
            schema.grants.iter_mut().for_each(|(who, _)| follow(who));
        },
    );
    change_where(
        &mut c.roles,
        |role| role.member_of.iter().any(|other| other == name),
        |role| role.member_of.iter_mut().for_each(follow),
    );
    c.default_grants.iter_mut().for_each(|(_, _, grantee, _)| follow(grantee));
    c.record(Change::RoleRenamed { name: name.to_string(), birth: before.birth, to: to.to_string() });
}

/// DROP OWNED: everything the roles own in this database goes, and every privilege they were granted. What would keep an object
/// from going is not looked at: the statement is assumed to succeed.
pub(super) fn drop_owned(c: &mut Catalog, roles: &[String]) {
    for role in roles {
        c.record(Change::OwnedDropped { role: role.clone() });
        c.because(Cause::Cascade, |c| {
            super::privilege::revoke_everything(c, role);
            for object in owned(c, role) {
                // Something that fell with what was dropped before is not there any more: IF EXISTS.
                super::drop::objects(c, &[object], true, true, false);
            }
        });
    }
}

/// REASSIGN OWNED.
pub(super) fn reassign_owned(c: &mut Catalog, roles: &[String], to: &str) {
    for role in roles {
        c.record(Change::OwnedReassigned { role: role.clone(), to: to.to_string() });
    }
    c.because(Cause::Cascade, |c| super::owner::reassign(c, roles, to));
}

/// What a role is known to own.
fn owned(c: &Catalog, role: &str) -> Vec<ObjectRef> {
    let is = |owner: &Option<String>| owner.as_deref() == Some(role);
    let object = |kind, schema: &str, name: &str| ObjectRef {
        kind,
        name: ObjectName::qualified(schema, name),
        sub: None,
        args: None,
        cast: None,
    };
    let mut list = Vec::new();
    for relation in c.relations.values().filter(|r| is(&r.owner)) {
        let kind = match relation.kind {
            RelationKind::Table | RelationKind::PartitionedTable => ObjectKind::Table,
            RelationKind::ForeignTable => ObjectKind::ForeignTable,
            RelationKind::View => ObjectKind::View,
            RelationKind::MaterializedView => ObjectKind::MaterializedView,
            RelationKind::Sequence => ObjectKind::Sequence,
            RelationKind::Composite => ObjectKind::Type,
        };
        list.push(object(kind, &relation.schema, &relation.name));
    }
    let composite = |t: &TypeObject| matches!(t.kind, TypeKind::Composite { .. });
    for found in c.types.values().filter(|t| is(&t.owner) && !composite(t)) {
        list.push(object(ObjectKind::Type, &found.schema, &found.name));
    }
    for routine in c.routines.values().filter(|r| is(&r.owner)) {
        let kind = match routine.kind {
            RoutineKind::Function => ObjectKind::Function,
            RoutineKind::Procedure => ObjectKind::Procedure,
            RoutineKind::Aggregate => ObjectKind::Aggregate,
        };
        let args: Option<Vec<TypeRef>> = routine.input_types().map(|t| type_reference(c, t)).collect();
        list.push(ObjectRef { args, ..object(kind, &routine.schema, &routine.name) });
    }
    for schema in c.schemas.values().filter(|s| is(&s.owner)) {
        list.push(ObjectRef { name: ObjectName::bare(schema.name.clone()), ..object(ObjectKind::Schema, "", &schema.name) });
    }
    list
}

/// A resolved type as a statement would write it; `None` where it is unknown.
fn type_reference(c: &Catalog, data_type: &super::types::DataType) -> Option<TypeRef> {
    use super::types::BaseType;
    let name = match &data_type.base {
        BaseType::Builtin(name) => ObjectName::bare(name.to_string()),
        BaseType::User(id) => c.types.get(id).map(|t| ObjectName::qualified(t.schema.clone(), t.name.clone()))?,
        BaseType::Row(id) => c.relation(*id).map(|r| ObjectName::qualified(r.schema.clone(), r.name.clone()))?,
        BaseType::Unknown => return None,
    };
    Some(TypeRef {
        name,
        typmods: Vec::new(),
        modifier_words: Vec::new(),
        array_dims: u8::from(data_type.array),
        setof: false,
        percent_type: false,
    })
}

fn role_or_unseen(c: &mut Catalog, name: &str) -> Arc<Role> {
    if let Some(role) = c.roles.get(name) {
        return role.clone();
    }
    let role = Arc::new(new_role(name, Birth::UNSEEN));
    c.roles.insert(name.to_string(), role.clone());
    role
}

fn new_role(name: &str, birth: Birth) -> Role {
    Role { name: name.to_string(), birth, login: false, superuser: false, bypass_rls: false, member_of: Vec::new() }
}

/// Changes the objects of a map that are concerned; the rest stay shared with older catalogs.
pub(super) fn change_where<K: Ord + Clone, V: Clone>(
    map: &mut OrdMap<K, Arc<V>>,
    concerned: impl Fn(&V) -> bool,
    change: impl Fn(&mut V),
) {
    let keys: Vec<K> = map.iter().filter(|(_, value)| concerned(value)).map(|(key, _)| key.clone()).collect();
    for key in keys {
        if let Some(value) = map.get_mut(&key) {
            change(Arc::make_mut(value));
        }
    }
}
