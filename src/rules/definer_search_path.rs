use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::object::{Birth, Id, Routine};
use crate::catalog::types::BaseType;
use crate::finding::Level;
use crate::op::RoutineKind;

pub const RULE: Rule =
    Rule { id: "definer-search-path", family: Family::Access, level: Level::Warning, check: Check::Unit(check) };

/// Judged as the unit leaves a routine: ALTER FUNCTION … SET and REVOKE may follow.
fn check(cx: &Context<'_>, findings: &mut Findings) {
    let mut seen: Vec<Id> = Vec::new();
    // The last statement that says something about a routine is the one to be mended.
    for event in cx.events.iter().rev() {
        let Some(id) = touched(event) else { continue };
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        let Some(routine) = cx.after.routines.get(&id).filter(|routine| routine.security_definer && is_open(routine)) else {
            continue;
        };
        tell(cx, routine, event, findings);
    }
}

/// The routine that a statement defines anew, makes SECURITY DEFINER, or takes a setting from.
fn touched(event: &Event) -> Option<Id> {
    match &event.change {
        Change::RoutineCreated { routine } => Some(*routine),
        Change::RoutineReplaced { routine } => Some(routine.id),
        Change::RoutineAltered { routine, changes } => changes
            .iter()
            .any(|change| matches!(change.as_str(), "security definer" | "reset search_path" | "reset all"))
            .then_some(routine.id),
        _ => None,
    }
}

/// Code that is known and looks names up when it runs.
fn is_open(routine: &Routine) -> bool {
    routine.birth != Birth::UNSEEN
        && routine.extension.is_none() && !routine.body.bound && !matches!(routine.language.as_str(), "c" | "internal")
}

fn tell(cx: &Context<'_>, routine: &Routine, event: &Event, findings: &mut Findings) {
    let name = cx.after.routine_label(routine);
    let word = match routine.kind {
        RoutineKind::Procedure => "PROCEDURE",
        RoutineKind::Function | RoutineKind::Aggregate => "FUNCTION",
    };
    let public = is_public(routine);
    let has_path = routine.settings.iter().any(|(setting, _)| setting == "search_path");
    let revoke = format!("REVOKE EXECUTE ON {word} {name} FROM PUBLIC;");
    if !has_path {
        let who = if public { ", and PUBLIC may execute it" } else { "" };
        let message = format!(
            "{name} runs with the rights of its owner but looks names up by the search_path of its caller{who}: a caller who \
             puts an object of the same name in front has it run as the owner"
        );
        let set = format!("ALTER {word} {name} SET search_path = pg_catalog, pg_temp;");
        let help = format!("qualify the names in its body and add {set}{}", if public { format!(" {revoke}") } else { String::new() });
        findings.push(cx.finding(RULE.id, Level::Warning, event, name, message, help));
    } else if public && !matches!(event.change, Change::RoutineReplaced { .. }) {
        let message = format!("PUBLIC may execute {name}, which runs with the rights of its owner: every new routine is born so");
        let help = format!("where not every role is to call it: {revoke} GRANT EXECUTE ON {word} {name} TO app;");
        findings.push(cx.finding(RULE.id, Level::Note, event, name, message, help));
    }
}

/// PUBLIC may call it; functions of triggers are called by nobody.
fn is_public(routine: &Routine) -> bool {
    let of_trigger = routine.returns.as_ref().is_some_and(|returns| {
        matches!(&returns.base, BaseType::Builtin(name) if matches!(&**name, "trigger" | "event_trigger"))
    });
    !of_trigger && routine.grants.iter().any(|(grantee, privilege)| grantee == "public" && privilege == "execute")
}
