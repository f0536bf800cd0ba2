//! Who may do what, as far as GRANT statements of the history say.

use crate::catalog::Catalog;
use crate::catalog::object::{Relation, Routine};
use crate::rules::Context;

/// Roles other than the owner that hold a privilege on the whole relation. PUBLIC is `public`.
pub fn holders<'a>(relation: &'a Relation, privilege: &str) -> Vec<&'a str> {
    let mut roles: Vec<&str> = relation
        .grants
        .iter()
        .filter(|(grantee, granted, column)| granted == privilege && column.is_none() && relation.owner.as_ref() != Some(grantee))
        .map(|(grantee, ..)| grantee.as_str())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

/// As [`holders`], of those that hold it in the last release: a role that got it since is no old client. Where that is not known,
/// all.
pub fn old_holders<'a>(cx: &Context<'_>, relation: &'a Relation, privilege: &str) -> Vec<&'a str> {
    let mut roles = holders(relation, privilege);
    if let Some(before) = cx.released_relation(relation.id) {
        let known = holders(before, privilege);
        roles.retain(|role| known.contains(role));
    }
    roles
}

/// The role, one it is a member of, or PUBLIC holds the privilege, or the role owns the relation.
pub fn may(catalog: &Catalog, role: &str, relation: &Relation, privilege: &str) -> bool {
    let roles = with_memberships(catalog, role);
    relation.owner.as_ref().is_some_and(|owner| roles.contains(owner))
        || relation.grants.iter().any(|(grantee, granted, column)| {
            granted == privilege && column.is_none() && (grantee == "public" || roles.contains(grantee))
        })
}

pub fn may_execute(catalog: &Catalog, role: &str, routine: &Routine) -> bool {
    let roles = with_memberships(catalog, role);
    routine.owner.as_ref().is_some_and(|owner| roles.contains(owner))
        || routine
            .grants
            .iter()
            .any(|(grantee, granted)| granted == "execute" && (grantee == "public" || roles.contains(grantee)))
}

/// The role and all it is a member of.
fn with_memberships(catalog: &Catalog, role: &str) -> Vec<String> {
    let mut all = vec![role.to_string()];
    let mut at = 0;
    while at < all.len() {
        if let Some(found) = catalog.roles.get(&all[at]) {
            for group in &found.member_of {
                if !all.contains(group) {
                    all.push(group.clone());
                }
            }
        }
        at += 1;
    }
    all
}
