use super::shared::{list, privilege, trigger_body};
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::finding::Level;
use crate::op::{DmlKind, TriggerEvent};

pub const RULE: Rule =
    Rule { id: "trigger-privileges", family: Family::Contract, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::TriggerCreated { relation, trigger, .. } = &event.change else { continue };
        let (Some(now), Some(routine)) = (cx.after.relation(relation.id), trigger_body::function(cx.after, trigger)) else { continue };
        if !cx.older_relation(relation) || routine.security_definer {
            continue;
        }
        let mut firing: Vec<&str> = trigger.events.iter().flat_map(|on| privilege::old_holders(cx, now, fired_by(*on))).collect();
        firing.sort_unstable();
        firing.dedup();
        for (target, kind) in trigger_body::writes(&routine.body) {
            let Some(target) = cx.after.resolve_relation(target).and_then(|id| cx.after.relation(id)) else { continue };
            let needed = needed_for(kind);
            let barred: Vec<&str> = firing
                .iter()
                .copied()
                .filter(|role| needed.iter().any(|privilege| !privilege::may(cx.after, role, target, privilege)))
                .collect();
            if barred.is_empty() {
                continue;
            }
            let (name, table) = (cx.part_label(relation, &trigger.name), cx.label(target));
            let needed = needed.join(", ").to_uppercase();
            let roles = list(&barred);
            findings.push(
                cx.finding(
                    RULE.id,
                    Level::Warning,
                    event,
                    format!("{name} on {table}"),
                    format!("trigger {name} writes {table} as the role that fires it, and {roles} may not: its old statements fail (42501)"),
                    format!("declare {} SECURITY DEFINER with SET search_path, or GRANT {needed} ON {table} TO {roles}", cx.after.routine_label(routine)),
                )
                .related(cx.created(relation.birth)),
            );
        }
    }
}

fn fired_by(event: TriggerEvent) -> &'static str {
    match event {
        TriggerEvent::Insert => "insert",
        TriggerEvent::Update => "update",
        TriggerEvent::Delete => "delete",
        TriggerEvent::Truncate => "truncate",
    }
}

fn needed_for(kind: DmlKind) -> &'static [&'static str] {
    match kind {
        DmlKind::Insert => &["insert"],
        DmlKind::Update => &["update"],
        DmlKind::Delete => &["delete"],
        DmlKind::Merge => &["insert", "update"],
    }
}
