use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::object::{Birth, Relation, Trigger};
use crate::finding::Level;
use crate::op::{ObjectKind, TriggerState};

pub const RULE: Rule = Rule { id: "drop-trigger", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        match &event.change {
            Change::TriggerDropped { relation, trigger } => {
                dropped(cx, event, ("trigger", relation, &trigger.name), trigger.birth, findings);
            }
            Change::RuleDropped { relation, rule } => {
                dropped(cx, event, ("rule", relation, &rule.name), rule.birth, findings);
            }
            Change::PolicyDropped { relation, policy, birth } => {
                dropped(cx, event, ("policy", relation, &policy.name), *birth, findings);
            }
            Change::OtherDropped { kind: ObjectKind::EventTrigger, name, birth } if cx.older(*birth) => {
                let again = cx.later(event).any(|later| {
                    matches!(&later.change, Change::OtherCreated { kind: ObjectKind::EventTrigger, name: other } if other == name)
                });
                report(cx, event, "event trigger", name.clone(), *birth, again, findings);
            }
            Change::TriggerStateChanged { relation, trigger, enabled: false } if cx.older_table(relation) => {
                let fired = trigger.as_ref().is_none_or(|trigger| cx.older(trigger.birth) && fired(cx, relation, trigger));
                if !fired || enabled_again(cx, event) {
                    continue;
                }
                let name = match trigger {
                    Some(trigger) => cx.part_label(relation, &trigger.name),
                    None => cx.label(relation),
                };
                let what = if trigger.is_some() { format!("trigger {name} is") } else { format!("the triggers of {name} are") };
                disabled(cx, event, name, &what, findings);
            }
            Change::RuleStateChanged { relation, name, enabled: false }
                if cx.older_relation(relation) && cx.older(rule_birth(cx, relation, name)) && !enabled_again(cx, event) =>
            {
                let name = cx.part_label(relation, name);
                let what = format!("rule {name} is");
                disabled(cx, event, name, &what, findings);
            }
            _ => {}
        }
    }
}

fn dropped(cx: &Context<'_>, event: &Event, (word, relation, name): (&str, &Relation, &str), birth: Birth, findings: &mut Findings) {
    if !cx.older_relation(relation) || !cx.older(birth) {
        return;
    }
    let again = cx.later(event).any(|later| match &later.change {
        Change::TriggerCreated { relation: on, trigger, .. } => word == "trigger" && on.id == relation.id && trigger.name == name,
        Change::RuleCreated { relation: on, rule } => word == "rule" && on.id == relation.id && rule.name == name,
        Change::PolicyCreated { relation: on, policy } => word == "policy" && on.id == relation.id && policy.name == name,
        _ => false,
    });
    report(cx, event, word, cx.part_label(relation, name), birth, again, findings);
}

fn report(cx: &Context<'_>, event: &Event, word: &str, name: String, birth: Birth, again: bool, findings: &mut Findings) {
    let (level, message, help) = if again {
        (
            Level::Note,
            format!("{word} {name} is dropped and created again in the same transaction"),
            "compare the two: what the old one did for the previous release, the new one must do".to_string(),
        )
    } else {
        let loss = if word == "policy" {
            "roles of the previous release see or write other rows than before"
        } else {
            "the previous release relies on what it does"
        };
        (
            Level::Error,
            format!("{word} {name} is dropped: {loss}"),
            format!("release code that does not need {name}, then drop it in a later release, in a migration tagged `-- phase contract`"),
        )
    };
    findings.push(cx.finding(RULE.id, level, event, name, message, help).related(cx.created(birth)));
}

fn disabled(cx: &Context<'_>, event: &Event, name: String, what: &str, findings: &mut Findings) {
    findings.push(cx.finding(
        RULE.id,
        Level::Warning,
        event,
        name,
        format!("{what} disabled: what the previous release writes from now on passes without it"),
        "enable it again in the same transaction, whose lock keeps other writers out meanwhile".into(),
    ));
}

/// False where the last release left it disabled.
fn fired(cx: &Context<'_>, relation: &Relation, trigger: &Trigger) -> bool {
    let before = cx.released_relation(relation.id);
    let before = before.and_then(|before| before.triggers.iter().find(|old| old.name == trigger.name && old.birth == trigger.birth));
    before.is_none_or(|before| before.state != TriggerState::Disabled)
}

fn rule_birth(cx: &Context<'_>, relation: &Relation, name: &str) -> Birth {
    let there = cx.after.relation(relation.id).or_else(|| cx.before.relation(relation.id));
    there.and_then(|relation| relation.rules.iter().find(|rule| rule.name == name)).map_or(Birth::UNSEEN, |rule| rule.birth)
}

/// Switched on again in the same transaction, in which nobody else can write.
fn enabled_again(cx: &Context<'_>, event: &Event) -> bool {
    cx.later(event).any(|later| match (&event.change, &later.change) {
        (
            Change::TriggerStateChanged { relation, trigger, .. },
            Change::TriggerStateChanged { relation: other, trigger: again, enabled: true },
        ) => {
            relation.id == other.id
                && (again.is_none() || trigger.as_ref().map(|t| &t.name) == again.as_ref().map(|t| &t.name))
        }
        (
            Change::RuleStateChanged { relation, name, .. },
            Change::RuleStateChanged { relation: other, name: again, enabled: true },
        ) => relation.id == other.id && name == again,
        _ => false,
    })
}
