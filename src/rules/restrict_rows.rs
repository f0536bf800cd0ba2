use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::object::{Birth, Relation};
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "restrict-rows", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let (relation, object, level, message) = match &event.change {
            Change::RlsChanged { relation, enabled: true } if !relation.rls_enabled && !was(cx, relation, |old| old.rls_enabled) => {
                let table = cx.label(relation);
                let message = format!("row level security is switched on for {table}: clients that do not own it see and write only what policies let pass, without one nothing");
                (relation, table, Level::Error, message)
            }
            Change::RlsForced { relation, forced: true } if !relation.rls_forced && !was(cx, relation, |old| old.rls_forced) => {
                let table = cx.label(relation);
                (relation, table.clone(), Level::Error, format!("row level security of {table} is forced on its owner too: a release that runs as the owner loses rows"))
            }
            // A policy that came after the last release lets nothing pass that its clients count on.
            Change::PolicyAltered { relation, policy } if cx.older(policy_birth(cx, relation, &policy.name)) => {
                let name = cx.part_label(relation, &policy.name);
                (relation, name.clone(), Level::Error, format!("policy {name} changes: rows that the previous release sees or writes may be refused"))
            }
            Change::PolicyCreated { relation, policy } if !policy.permissive => {
                let name = cx.part_label(relation, &policy.name);
                (relation, name.clone(), Level::Error, format!("restrictive policy {name} takes rows away that the previous release sees or writes"))
            }
            Change::PolicyCreated { relation, policy } => {
                let name = cx.part_label(relation, &policy.name);
                // The one that the last release has was dropped before, in this unit or in one of the same release.
                let replaced = cx
                    .released_relation(relation.id)
                    .and_then(|old| old.policies.iter().find(|old| old.policy.name == policy.name))
                    .map(|old| &old.policy);
                match replaced {
                    Some(old) if !same(old, policy) => {
                        (relation, name.clone(), Level::Error, format!("policy {name} comes back with other conditions: rows that the previous release sees or writes may be refused"))
                    }
                    Some(_) => continue,
                    None if relation.rls_enabled => {
                        (relation, name.clone(), Level::Note, format!("policy {name} lets more rows pass: the previous release meets rows that it never saw"))
                    }
                    None => continue,
                }
            }
            _ => continue,
        };
        if !cx.older_table(relation) {
            continue;
        }
        findings.push(
            cx.finding(
                RULE.id,
                level,
                event,
                object,
                message,
                "create permissive policies that keep every row of the previous release in reach first, and restrict in a later \
                 release, in a migration tagged `-- phase contract`"
                    .into(),
            )
            .related(cx.created(relation.birth)),
        );
    }
}

/// True where the last release left the table so.
fn was(cx: &Context<'_>, relation: &Relation, state: impl Fn(&Relation) -> bool) -> bool {
    cx.released_relation(relation.id).is_some_and(|old| state(old))
}

fn policy_birth(cx: &Context<'_>, relation: &Relation, name: &str) -> Birth {
    let there = cx.after.relation(relation.id).or_else(|| cx.before.relation(relation.id));
    let found = there.and_then(|relation| relation.policies.iter().find(|other| other.policy.name == name));
    found.map_or(Birth::UNSEEN, |found| found.birth)
}

/// The same rows for the same roles and commands.
fn same(old: &crate::op::Policy, new: &crate::op::Policy) -> bool {
    old.permissive == new.permissive
        && old.command == new.command
        && old.roles == new.roles
        && old.using == new.using
        && old.check == new.check
}
