//! Row level security: policies, and whether they are asked at all.

use super::Catalog;
use super::change::Change;
use super::object::*;
use crate::op::Policy;

/// CREATE POLICY.
pub(super) fn create(c: &mut Catalog, create: &Policy) {
    let Some(id) = c.relation_or_unseen(&create.relation, RelationKind::Table) else { return };
    let Some(before) = c.relation(id).cloned() else { return };
    let mut policy = create.clone();
    if policy.roles.is_empty() {
        policy.roles.push("public".into());
    }
    let birth = c.birth();
    if let Some(relation) = c.relation_mut(id) {
        relation.policies.push(RowPolicy { policy: policy.clone(), birth });
    }
    c.record(Change::PolicyCreated { relation: before, policy });
}

/// ALTER POLICY: roles and expressions that are not given stay. `Change::PolicyAltered` carries the policy as it was.
pub(super) fn alter(c: &mut Catalog, alter: &Policy) {
    let Some(id) = c.relation_or_unseen(&alter.relation, RelationKind::Table) else { return };
    policy_or_unseen(c, id, alter);
    let Some(before) = c.relation(id).cloned() else { return };
    let Some(policy) = before.policies.iter().find(|p| p.policy.name == alter.name).map(|p| p.policy.clone()) else { return };
    if let Some(place) = c.relation_mut(id).and_then(|r| r.policies.iter_mut().find(|p| p.policy.name == alter.name)) {
        if !alter.roles.is_empty() {
            place.policy.roles = alter.roles.clone();
        }
        if alter.using.is_some() {
            place.policy.using = alter.using.clone();
        }
        if alter.check.is_some() {
            place.policy.check = alter.check.clone();
        }
    }
    c.record(Change::PolicyAltered { relation: before, policy });
}

/// DROP POLICY. A policy that no visible statement created is made up: it existed, else the statement would have failed.
pub(super) fn drop_policy(c: &mut Catalog, relation: Id, name: &str) {
    unseen_by_name(c, relation, name);
    let Some(before) = c.relation(relation).cloned() else { return };
    let Some(found) = before.policies.iter().find(|p| p.policy.name == name).cloned() else { return };
    if let Some(relation) = c.relation_mut(relation) {
        relation.policies.retain(|p| p.policy.name != name);
    }
    c.record(Change::PolicyDropped { relation: before, policy: found.policy, birth: found.birth });
}

/// ALTER POLICY … RENAME.
pub(super) fn rename_policy(c: &mut Catalog, relation: Id, name: &str, to: &str) {
    unseen_by_name(c, relation, name);
    let Some(before) = c.relation(relation).cloned() else { return };
    if let Some(place) = c.relation_mut(relation).and_then(|r| r.policies.iter_mut().find(|p| p.policy.name == name)) {
        place.policy.name = to.to_string();
    }
    c.record(Change::PolicyRenamed { relation: before, name: name.to_string(), to: to.to_string() });
}

/// ENABLE / DISABLE ROW LEVEL SECURITY. Saying again what is so changes nothing, unless it is not known what was so.
pub(super) fn set_rls(c: &mut Catalog, relation: Id, enabled: bool) {
    let Some(before) = c.relation(relation).cloned() else { return };
    if before.known && before.rls_enabled == enabled {
        return;
    }
    if let Some(relation) = c.relation_mut(relation) {
        relation.rls_enabled = enabled;
    }
    c.record(Change::RlsChanged { relation: before, enabled });
}

/// [NO] FORCE ROW LEVEL SECURITY.
pub(super) fn force_rls(c: &mut Catalog, relation: Id, forced: bool) {
    let Some(before) = c.relation(relation).cloned() else { return };
    if before.known && before.rls_forced == forced {
        return;
    }
    if let Some(relation) = c.relation_mut(relation) {
        relation.rls_forced = forced;
    }
    c.record(Change::RlsForced { relation: before, forced });
}

fn unseen_by_name(c: &mut Catalog, relation: Id, name: &str) {
    let Some(found) = c.relation(relation) else { return };
    let policy = Policy {
        name: name.to_string(),
        relation: crate::op::ObjectName::qualified(found.schema.clone(), found.name.clone()),
        permissive: true,
        command: "all".into(),
        roles: vec!["public".into()],
        using: None,
        check: None,
    };
    policy_or_unseen(c, relation, &policy);
}

fn policy_or_unseen(c: &mut Catalog, relation: Id, policy: &Policy) {
    if c.relation(relation).is_none_or(|r| r.policies.iter().any(|p| p.policy.name == policy.name)) {
        return;
    }
    c.incomplete = true;
    if let Some(relation) = c.relation_mut(relation) {
        relation.policies.push(RowPolicy { policy: policy.clone(), birth: Birth::UNSEEN });
    }
}
