use super::shared::{fallout, list};
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::object::{Id, Relation, Routine};
use crate::finding::Level;
use crate::op::Volatility;

pub const RULE: Rule = Rule { id: "replace-routine", family: Family::Contract, level: Level::Note, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        match &event.change {
            Change::RoutineReplaced { routine } if cx.older(routine.birth) => replaced(cx, event, routine, findings),
            Change::ViewReplaced { relation } if cx.older_relation(relation) => view_replaced(cx, event, relation, findings),
            Change::RoutineCreated { routine } => overload(cx, event, *routine, findings),
            _ => {}
        }
    }
}

fn replaced(cx: &Context<'_>, event: &Event, old: &Routine, findings: &mut Findings) {
    let Some(new) = cx.after.routines.get(&old.id) else { return };
    // What the previous release calls, whatever stood there in between.
    let old = cx.released.routines.get(&old.id).map_or(old, |released| released.as_ref());
    let mut changes = Vec::new();
    if old.volatility != new.volatility {
        changes.push(format!("it becomes {}", word(new.volatility)));
    }
    let defaults = |routine: &Routine| routine.args.iter().map(|arg| arg.has_default).collect::<Vec<_>>();
    if defaults(old) != defaults(new) {
        changes.push("its defaults change".into());
    }
    if old.security_definer && !new.security_definer {
        changes.push("SECURITY DEFINER is reset".into());
    }
    for (name, _) in old.settings.iter().filter(|(name, _)| !new.settings.iter().any(|(other, _)| other == name)) {
        changes.push(format!("SET {name} is reset"));
    }
    let name = cx.before.routine_label(old);
    let kind = fallout::routine_word(old.kind);
    let (level, message) = if changes.is_empty() {
        (Level::Note, format!("{kind} {name} is replaced: the previous release calls the new body from now on"))
    } else {
        (Level::Warning, format!("{kind} {name} is replaced, and {}, for the previous release too", list(&changes)))
    };
    let help = format!("keep what old calls of {name} mean, and restate SECURITY DEFINER and SET; or create the new one under another name");
    findings.push(cx.finding(RULE.id, level, event, name, message, help).related(cx.created(old.birth)));
}

fn word(volatility: Volatility) -> &'static str {
    match volatility {
        Volatility::Immutable => "IMMUTABLE",
        Volatility::Stable => "STABLE",
        Volatility::Volatile => "VOLATILE",
    }
}

fn view_replaced(cx: &Context<'_>, event: &Event, old: &Relation, findings: &mut Findings) {
    let Some(new) = cx.after.relation(old.id) else { return };
    let name = cx.label(old);
    let old = cx.released_relation(old.id).map_or(old, |released| released.as_ref());
    let lost: Vec<String> =
        old.options.iter().filter(|option| !new.options.contains(option)).map(|(option, _)| option.clone()).collect();
    let (level, message) = if lost.is_empty() {
        (Level::Note, format!("view {name} is replaced: the previous release reads the new query from now on"))
    } else {
        (Level::Warning, format!("view {name} is replaced without its option {}, which is reset", list(&lost)))
    };
    let help = format!("keep what old columns of {name} mean, and restate WITH (…); or create the new query under another name");
    findings.push(cx.finding(RULE.id, level, event, name, message, help).related(cx.created(old.birth)));
}

/// A new overload that takes as many arguments as an older one: unknown literals and implicit casts may no longer decide.
fn overload(cx: &Context<'_>, event: &Event, new: Id, findings: &mut Findings) {
    let Some(new) = cx.after.routines.get(&new) else { return };
    let counts = |routine: &Routine| {
        let inputs = routine.args.iter().filter(|arg| arg.mode.is_input());
        let variadic = routine.args.iter().any(|arg| arg.mode == crate::op::ArgMode::Variadic);
        let most = if variadic { usize::MAX } else { inputs.clone().count() };
        (inputs.filter(|arg| !arg.has_default).count(), most)
    };
    let (least, most) = counts(new);
    let older = cx.after.routines.values().find(|old| {
        let (old_least, old_most) = counts(old);
        old.id != new.id
            && cx.older(old.birth)
            && old.schema == new.schema
            && old.name == new.name
            && most > 0
            && least <= old_most
            && old_least <= most
    });
    let Some(older) = older else { return };
    let (name, other) = (cx.after.routine_label(new), cx.before.routine_label(older));
    findings.push(
        cx.finding(
            RULE.id,
            Level::Warning,
            event,
            name.clone(),
            format!("new overload {name} stands beside {other}: a call of the previous release may become ambiguous (42725) or go to the other one"),
            "give the new one another name, or another number of arguments without defaults".into(),
        )
        .related(cx.created(older.birth)),
    );
}
