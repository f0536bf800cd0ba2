use super::shared::frame;
use super::shared::trigger_body::walk;
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::object::Id;
use crate::finding::Level;
use crate::op::{Span, Step};
use crate::source::Phase;

pub const RULE: Rule = Rule { id: "opaque-sql", family: Family::Phase, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.events {
        match &event.change {
            // What cannot be read because of a syntax error is told as that.
            Change::Opaque { .. } if refused(cx, event) => {}
            Change::Opaque { text } if frame::only_adds(text) => findings.push(cx.finding(
                RULE.id,
                Level::Note,
                event,
                text.clone(),
                format!("this SQL is built at run time, but whatever its names are, it only adds to the schema: {}", excerpt(text)),
                "nothing is to be done; what it creates is not known to later migrations here".into(),
            )),
            Change::Opaque { text } if cx.seen.is_some_and(|seen| seen.statement(event.statement).is_some()) => {
                witnessed(cx, event, text, findings);
            }
            Change::Opaque { text } => findings.push(cx.finding(
                RULE.id,
                Level::Error,
                event,
                text.clone(),
                format!("this SQL is built at run time and runs now, so it cannot be judged from the file: {}", excerpt(text)),
                "write the statements out, or build them from constants with format(); evidence of a run replaces this finding".into(),
            )),
            Change::UnknownCall { name } => findings.push(cx.finding(
                RULE.id,
                Level::Warning,
                event,
                name.clone(),
                format!("{name} is called now, and no migration seen here creates it: what it does to the schema is not known"),
                format!("give the whole history or a schema dump (--schema), or say in the file what {name} does"),
            )),
            Change::RoutineCreated { routine } => kept_for_later(cx, event, *routine, findings),
            Change::RoutineReplaced { routine } => kept_for_later(cx, event, routine.id, findings),
            _ => {}
        }
    }
}

/// A run saw what it does: that takes the place of not knowing.
fn witnessed(cx: &Context<'_>, event: &Event, text: &str, findings: &mut Findings) {
    let Some((unit, seen)) = cx.seen.and_then(|unit| Some((unit, unit.statement(event.statement)?))) else { return };
    let (taken, stopped) = (seen.taken(), seen.stopped());
    let mut what = Vec::new();
    if !taken.is_empty() {
        what.push(format!("take from old clients: {}", taken.join(", ")));
    }
    if !stopped.is_empty() {
        what.push(format!("work through tables while writes stand still: {}", stopped.join(", ")));
    }
    // What a tag says is the contract's part; nobody may stop traffic.
    let is_contract = cx.migration.phase == Phase::Contract;
    let level = if stopped.is_empty() && (taken.is_empty() || is_contract) { Level::Note } else { Level::Error };
    let saw = if what.is_empty() { "take nothing and stop nobody".to_owned() } else { what.join("; ") };
    findings.push(cx.finding(
        RULE.id,
        level,
        event,
        text.to_owned(),
        format!("this SQL is built at run time ({}); a run on {} saw its statement {saw}", excerpt(text), unit.server),
        "what was seen holds for the schema and the rows of that run; prove it again when either is another".into(),
    ));
}

/// The parser refuses something in this place.
fn refused(cx: &Context<'_>, event: &Event) -> bool {
    cx.parsed.statements.get(event.statement).is_some_and(|statement| {
        statement.inner_errors.iter().any(|error| event.span.start <= error.span.start && error.span.end <= event.span.end)
    })
}

/// SQL text built in a body that does not run now.
fn kept_for_later(cx: &Context<'_>, event: &Event, routine: Id, findings: &mut Findings) {
    let Some(routine) = cx.after.routines.get(&routine) else { return };
    let mut places: Vec<(Span, &str)> = Vec::new();
    walk(&routine.body.steps, &mut |step| {
        if let Step::Dynamic { span, text } = step {
            places.push((*span, text));
        }
    });
    let name = cx.after.routine_label(routine);
    for (span, text) in places {
        let finding = cx.finding_at(
            RULE.id,
            Level::Note,
            Some(event.statement),
            span,
            format!("{name} builds SQL at run time: {}; whoever calls it later runs what is not judged here", excerpt(text)),
            "nothing is to be done for this migration; a call of it from a migration will be an error".into(),
        );
        findings.push(Judged { finding, subjects: vec![name.clone()] });
    }
}

/// The first words of a text, on one line.
fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line,
    }
}
