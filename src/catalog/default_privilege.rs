//! Privileges that objects are born with: what PUBLIC has by itself, and ALTER DEFAULT PRIVILEGES.

use super::Catalog;
use super::change::{Change, Privileged};
use super::object::*;
use crate::op::{Grant, ObjectKind};
use crate::sql::names::quote_identifier;

/// The kind under which default privileges are kept: one for all relations but sequences, one for all routines.
fn default_kind(kind: ObjectKind) -> ObjectKind {
    match kind {
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => ObjectKind::Function,
        ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::ForeignTable => ObjectKind::Table,
        ObjectKind::Domain => ObjectKind::Type,
        other => other,
    }
}

/// What PUBLIC gets on a new object without anybody saying so.
fn implied(kind: ObjectKind) -> Option<&'static str> {
    match kind {
        ObjectKind::Function => Some("execute"),
        ObjectKind::Type => Some("usage"),
        _ => None,
    }
}

/// ALTER DEFAULT PRIVILEGES. Roles are not told apart: migrations run as one role. That PUBLIC no longer gets what is implied is
/// kept as the privilege with `-` before it; only a revoke for all schemas can do that.
pub(super) fn change(c: &mut Catalog, grant: &Grant, kind: ObjectKind, schemas: &[String]) {
    let kind = default_kind(kind);
    let all: &[&str] = match kind {
        ObjectKind::Sequence => &["usage", "select", "update"],
        ObjectKind::Function => &["execute"],
        ObjectKind::Type => &["usage"],
        ObjectKind::Schema => &["usage", "create"],
        _ => &["select", "insert", "update", "delete", "truncate", "references", "trigger"],
    };
    let named: Vec<&str> = grant.privileges.iter().map(|(privilege, _)| privilege.as_str()).collect();
    let privileges = if named.is_empty() || named.contains(&"all") { all.to_vec() } else { named };
    let everywhere = [String::new()];
    for schema in if schemas.is_empty() { &everywhere } else { schemas } {
        for grantee in &grant.grantees {
            for privilege in &privileges {
                one_default(c, grant.is_grant, (kind, schema.clone(), grantee.clone(), privilege.to_string()));
            }
        }
    }
}

fn one_default(c: &mut Catalog, is_grant: bool, entry: (ObjectKind, String, String, String)) {
    let (kind, schema, grantee, privilege) = entry.clone();
    let is_implied = schema.is_empty() && grantee == "public" && implied(kind) == Some(privilege.as_str());
    let taken = (kind, schema.clone(), grantee.clone(), format!("-{privilege}"));
    let name = if schema.is_empty() { "default privileges".into() } else { quote_identifier(&schema) };
    if is_grant {
        c.default_grants.retain(|other| *other != taken);
        if !is_implied && !c.default_grants.contains(&entry) {
            c.default_grants.push_back(entry);
        }
        c.record(Change::Granted { object: Privileged::Defaults, name, birth: Birth::UNSEEN, grantee, privilege });
    } else {
        let had = if is_implied {
            let had = !c.default_grants.contains(&taken);
            if had {
                c.default_grants.push_back(taken);
            }
            Some(had)
        } else if c.default_grants.contains(&entry) {
            c.default_grants.retain(|other| *other != entry);
            Some(true)
        } else if c.incomplete {
            None
        } else {
            Some(false)
        };
        c.record(Change::Revoked { object: Privileged::Defaults, name, birth: Birth::UNSEEN, grantee, privilege, had });
    }
}

/// Privileges (grantee, privilege) that an object of this kind is born with in this schema: PUBLIC's implied ones and ALTER
/// DEFAULT PRIVILEGES. `kind` is Table (for every relation but sequences), Sequence, Function, Type or Schema.
pub(super) fn initial(c: &Catalog, kind: ObjectKind, schema: &str) -> Vec<(String, String)> {
    let kind = default_kind(kind);
    let mut list: Vec<(String, String)> = Vec::new();
    if let Some(privilege) = implied(kind) {
        let taken = (kind, String::new(), "public".to_string(), format!("-{privilege}"));
        if !c.default_grants.contains(&taken) {
            list.push(("public".into(), privilege.into()));
        }
    }
    for (of, place, grantee, privilege) in &c.default_grants {
        let applies = *of == kind && (place.is_empty() || place == schema) && !privilege.starts_with('-');
        let pair = (grantee.clone(), privilege.clone());
        if applies && !list.contains(&pair) {
            list.push(pair);
        }
    }
    list
}

/// The same in the form that a relation keeps.
pub(super) fn initial_on_relation(c: &Catalog, kind: RelationKind, schema: &str) -> Vec<(String, String, Option<String>)> {
    let kind = if kind == RelationKind::Sequence { ObjectKind::Sequence } else { ObjectKind::Table };
    initial(c, kind, schema).into_iter().map(|(grantee, privilege)| (grantee, privilege, None)).collect()
}
