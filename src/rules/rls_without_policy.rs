use super::shared::list;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::object::{Id, Relation};
use crate::finding::Level;
use crate::op::Persistence;
use crate::sql::names::quote_identifier;

pub const RULE: Rule = Rule { id: "rls-without-policy", family: Family::Access, level: Level::Warning, check: Check::Unit(check) };

/// How the two halves of row level security fail to meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    /// On, and nothing lets a row pass.
    NoPolicy,
    /// Policies that nobody asks.
    Off,
}

/// Units run while clients are served, so that what counts is how a unit leaves a table.
fn check(cx: &Context<'_>, findings: &mut Findings) {
    let mut seen: Vec<Id> = Vec::new();
    for event in cx.events {
        let Some(table) = touched(event) else { continue };
        if seen.contains(&table) {
            continue;
        }
        seen.push(table);
        let Some(after) = cx.after.relation(table).filter(|table| is_judged(table)) else { continue };
        let Some(half) = half(after) else { continue };
        if cx.before.relation(table).and_then(|before| self::half(before)) == Some(half) {
            continue;
        }
        if let Some(cause) = cause(cx, table, half) {
            tell(cx, after, half, cause, findings);
        }
    }
}

/// A table that other sessions see and whose policies are known.
fn is_judged(table: &Relation) -> bool {
    table.known && table.persistence != Persistence::Temporary && table.extension.is_none()
}

fn touched(event: &Event) -> Option<Id> {
    match &event.change {
        Change::RlsChanged { relation, .. }
        | Change::PolicyCreated { relation, .. }
        | Change::PolicyDropped { relation, .. }
        | Change::PolicyAltered { relation, .. } => Some(relation.id),
        _ => None,
    }
}

fn half(table: &Relation) -> Option<Half> {
    match (table.rls_enabled, table.policies.as_slice()) {
        // Restrictive policies only take rows away.
        (true, policies) if policies.iter().all(|found| !found.policy.permissive) => Some(Half::NoPolicy),
        (true, _) | (false, []) => None,
        (false, _) => Some(Half::Off),
    }
}

/// The statement that left it so.
fn cause<'a>(cx: &Context<'a>, table: Id, half: Half) -> Option<&'a Event> {
    let of_table = || cx.events.iter().filter(|event| touched(event) == Some(table));
    let last = |is: &dyn Fn(&Change) -> bool| of_table().filter(|event| is(&event.change)).last();
    match half {
        Half::NoPolicy => last(&|change| {
            matches!(change, Change::RlsChanged { enabled: true, .. } | Change::PolicyDropped { .. })
        }),
        Half::Off => last(&|change| matches!(change, Change::RlsChanged { enabled: false, .. }))
            .or_else(|| last(&|change| matches!(change, Change::PolicyCreated { .. }))),
    }
}

fn tell(cx: &Context<'_>, table: &Relation, half: Half, event: &Event, findings: &mut Findings) {
    let name = cx.after.relation_label(table);
    let (level, message, help) = match half {
        // Rows come through the parent, whose policies are the ones that are asked.
        Half::NoPolicy if has_guarded_parent(cx, table) => return,
        Half::NoPolicy => {
            let whom = if table.rls_forced { "every role, its owner too," } else { "every role but its owner" };
            let why = if table.policies.is_empty() { "it has no policy" } else { "its policies are all restrictive" };
            let message = format!(
                "row level security is on for {name} and {why}: {whom} reads no row and its writes are refused (42501), unless it \
                 has BYPASSRLS"
            );
            let policy = quote_identifier(&format!("{}_read", table.name));
            let help = format!(
                "say who may what, here or before: CREATE POLICY {policy} ON {name} FOR SELECT TO app USING (…); where only \
                 the owner is to reach the table, allow this with that reason"
            );
            (Level::Warning, message, help)
        }
        Half::Off => {
            let policies: Vec<String> = table.policies.iter().map(|found| quote_identifier(&found.policy.name)).collect();
            let one = policies.len() == 1;
            let subject = match policies.len() {
                1 => format!("policy {} of {name} is", policies[0]),
                2..=4 => format!("policies {} of {name} are", list(&policies)),
                count => format!("{count} policies of {name} are"),
            };
            let message = format!(
                "{subject} never asked, since row level security is off there: whoever has a privilege on the table reaches every row"
            );
            let drop = if one { format!("or drop {}", policies[0]) } else { "or drop them".to_string() };
            let help = format!("ALTER TABLE {name} ENABLE ROW LEVEL SECURITY; in the same transaction, {drop}");
            // On a table with clients the policy may be the first step, and taking rows away the next.
            let prepared = cx.older(table.birth) && matches!(event.change, Change::PolicyCreated { .. });
            (if prepared { Level::Warning } else { Level::Error }, message, help)
        }
    };
    // What builds SQL at run time may have made the other half.
    let unread = cx.events.iter().any(|other| matches!(other.change, Change::Opaque { .. }));
    let level = match level {
        Level::Error if unread => Level::Warning,
        Level::Warning if unread => Level::Note,
        level => level,
    };
    findings.push(cx.finding(RULE.id, level, event, name, message, help).related(cx.created(table.birth)));
}

fn has_guarded_parent(cx: &Context<'_>, table: &Relation) -> bool {
    table.parents.iter().any(|parent| {
        cx.after.relation(*parent).is_some_and(|parent| {
            (parent.rls_enabled && half(parent).is_none()) || has_guarded_parent(cx, parent)
        })
    })
}
