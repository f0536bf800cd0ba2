use super::shared::list;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event, Privileged};
use crate::catalog::object::Birth;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "revoke", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        let (object, birth, message) = match &event.change {
            Change::Revoked { object, name, birth, grantee, .. } => {
                let taken = taken_with(cx, event);
                if taken.is_empty() {
                    continue;
                }
                let what = taken.join(", ").to_uppercase();
                let message = match object {
                    Privileged::Defaults => {
                        format!("default privilege {what} is revoked from {grantee}: objects that are created from now on lack it")
                    }
                    _ => format!("{what} on {name} is revoked from {grantee}, which the previous release may run as (42501)"),
                };
                (format!("{name} from {grantee}"), *birth, message)
            }
            Change::OwnerChanged { name, birth, from, to, .. } if from.as_ref() != Some(to) => {
                let from = from.as_deref().map(|role| format!(" from {role}")).unwrap_or_default();
                (name.clone(), *birth, format!("the owner of {name} changes{from} to {to}: the old owner loses its rights (42501)"))
            }
            Change::RoleAltered { name, birth, options } => {
                let mut taken = attributes_taken(options);
                // What a role of the history never had cannot be taken from it.
                if let Some(role) = cx.released.roles.get(name) {
                    taken.retain(|word| match *word {
                        "NOLOGIN" => role.login,
                        "NOSUPERUSER" => role.superuser,
                        "NOBYPASSRLS" => role.bypass_rls,
                        _ => true,
                    });
                }
                if taken.is_empty() {
                    continue;
                }
                (name.clone(), *birth, format!("role {name} becomes {}: a release that runs as it fails", list(&taken)))
            }
            Change::RoleGranted { role, member, granted: false } => {
                let birth = cx.before.roles.get(member).map_or(Birth::UNSEEN, |found| found.birth);
                // A membership of after the last release is missed by nobody.
                if cx.released.roles.get(member).is_some_and(|known| known.birth != Birth::UNSEEN && !known.member_of.contains(role)) {
                    continue;
                }
                let message = format!("{member} is no longer a member of {role} and loses what {role} may do (42501)");
                if cx.after.roles.get(member).is_some_and(|found| found.member_of.contains(role) || !cx.older(found.birth)) {
                    continue;
                }
                (format!("{role} from {member}"), birth, message)
            }
            Change::RoleDropped { name, birth } => {
                (name.clone(), *birth, format!("role {name} is dropped: a release that connects as it, or relies on its grants, fails"))
            }
            _ => continue,
        };
        if !cx.older(birth) {
            continue;
        }
        findings.push(
            cx.finding(
                RULE.id,
                Level::Error,
                event,
                object,
                message,
                "move every client to the other role or right in one release, then take this away in a later one, tagged \
                 `-- phase contract`"
                    .into(),
            )
            .related(cx.created(birth)),
        );
    }
}

/// What the same command revokes of one object from one grantee, told at its first event: without what was never granted in a
/// history that is known, and without what the same transaction grants again.
fn taken_with<'a>(cx: &Context<'a>, event: &Event) -> Vec<&'a str> {
    let Change::Revoked { object, name, grantee, .. } = &event.change else { return Vec::new() };
    let mut taken = Vec::new();
    for other in cx.same_command(event) {
        let Change::Revoked { object: same, name: same_name, grantee: from, privilege, had, .. } = &other.change else { continue };
        if same != object || same_name != name || from != grantee || *had == Some(false) || is_new(cx, other) {
            continue;
        }
        let given_back = cx.later(other).any(|later| {
            matches!(&later.change, Change::Granted { object: to, name: on, grantee: role, privilege: granted, .. }
                if to == object && on == name && role == grantee && granted == privilege)
        });
        if !given_back && !taken.contains(&privilege.as_str()) {
            taken.push(privilege.as_str());
        }
    }
    taken
}

/// It was granted after the last release: nobody counts on it.
fn is_new(cx: &Context<'_>, event: &Event) -> bool {
    let Change::Revoked { object, birth, grantee, privilege, .. } = &event.change else { return false };
    let pair = |list: &[(String, String)]| list.iter().any(|(who, what)| who == grantee && what == privilege);
    let (had, owner) = match object {
        Privileged::Relation(id) => match cx.released.relation(*id) {
            Some(old) => (old.grants.iter().any(|(who, what, _)| who == grantee && what == privilege), &old.owner),
            None => return false,
        },
        Privileged::Routine(id) => match cx.released.routines.get(id) {
            Some(old) => (pair(&old.grants), &old.owner),
            None => return false,
        },
        Privileged::Type(id) => match cx.released.types.get(id) {
            Some(old) => (pair(&old.grants), &old.owner),
            None => return false,
        },
        Privileged::Schema(_) | Privileged::Other(..) | Privileged::Defaults => return false,
    };
    // Of what no visible statement created, nobody knows who was granted what.
    *birth != Birth::UNSEEN && !had && owner.as_ref() != Some(grantee)
}

/// Attributes that ALTER ROLE takes from a role.
fn attributes_taken(options: &[(String, Option<String>)]) -> Vec<&'static str> {
    const ATTRIBUTES: &[(&str, &str)] = &[
        ("canlogin", "NOLOGIN"),
        ("superuser", "NOSUPERUSER"),
        ("bypassrls", "NOBYPASSRLS"),
        ("createrole", "NOCREATEROLE"),
        ("createdb", "NOCREATEDB"),
        ("isreplication", "NOREPLICATION"),
    ];
    let off = |value: &Option<String>| matches!(value.as_deref(), Some("false" | "f" | "off" | "0"));
    ATTRIBUTES
        .iter()
        .filter(|(name, word)| {
            options.iter().any(|(option, value)| (option == name && off(value)) || option.eq_ignore_ascii_case(word))
        })
        .map(|(_, word)| *word)
        .collect()
}
