use super::shared::touch;
use super::{Check, Context, Family, Findings, Judged, Rule, takes_away};
use crate::finding::Level;
use crate::op::Span;
use crate::source::{Migration, Phase, nearest};

pub const RULE: Rule =
    Rule { id: "contract-too-early", family: Family::Phase, level: Level::Error, check: Check::AfterOthers(check) };

const HELP: &str = "ship the expand migration and the code that no longer needs the old shape in one release, and this contract in a later one";

fn check(cx: &Context<'_>, others: &[Judged], findings: &mut Findings) {
    let Some(tag) = cx.migration.tag.as_ref().filter(|_| cx.migration.phase == Phase::Contract) else { return };
    match &tag.completes {
        Some(name) => completed(cx, name, tag.span, findings),
        None => touched(cx, others, findings),
    }
}

/// The tag names what the contract completes.
fn completed(cx: &Context<'_>, name: &str, span: Span, findings: &mut Findings) {
    let id = &cx.migration.id;
    let units = &cx.history.migrations;
    let (message, help) = match units.iter().position(|unit| is_called(unit, name)) {
        None if !cx.history.whole => return,
        None => {
            let likely = nearest(name, units.iter().map(|unit| unit.id.as_str()));
            let meant = likely.map(|likely| format!("; did you mean `{likely}`?")).unwrap_or_default();
            (format!("{id} says that it completes `{name}`, and no migration has this id"), format!("write the id as reports show it{meant}"))
        }
        Some(at) if at + 1 == cx.unit as usize || !is_before(cx, at) => (
            format!("{id} says that it completes {}, which does not come before it", units[at].id),
            "name the expand migration that made the new shape, in an earlier release".to_string(),
        ),
        Some(at) if cx.releases.are_known() && !cx.releases.is_released(at) => (
            format!("{id} completes {}, which is not released itself: the previous release still needs what this takes away", units[at].id),
            HELP.to_string(),
        ),
        Some(_) => return,
    };
    let finding = cx.finding_at(RULE.id, Level::Error, None, span, message, help);
    findings.push(Judged { finding, subjects: vec![id.clone()] });
}

/// By its id, or by its file.
fn is_called(unit: &Migration, name: &str) -> bool {
    let file = unit.file.path.rsplit('/').next().unwrap_or_default();
    unit.id == name || file == name || file.strip_suffix(".sql") == Some(name)
}

fn is_before(cx: &Context<'_>, at: usize) -> bool {
    // What is released ran before all that is not, whatever sorts between.
    cx.releases.is_released(at) || at + 1 < cx.unit as usize
}

/// It names nothing: then the last unit that had to do with what it takes away must be released.
fn touched(cx: &Context<'_>, others: &[Judged], findings: &mut Findings) {
    for judged in others.iter().filter(|judged| takes_away(&judged.finding)) {
        let Some(statement) = judged.finding.statement.map(|number| number - 1) else { continue };
        let taken = cx.events.iter().filter(|event| event.statement == statement && event.span == judged.finding.span);
        let taken = touch::targets(cx, taken);
        let Some(unit) = cx.pending.iter().rev().find(|unit| touch::touches(cx, unit, &taken)) else { continue };
        let Some(last) = cx.history.migrations.get(unit.position) else { continue };
        let object = judged.subjects.first().cloned().unwrap_or_default();
        let message = format!(
            "{object} is taken away ({}), and {}, the last migration that had to do with it, is not released itself",
            judged.finding.rule, last.id
        );
        let help = format!("{HELP}; where {} is not its expand migration, name that one with completes=…", last.id);
        let finding = cx.finding_at(RULE.id, Level::Error, Some(statement), judged.finding.span, message, help);
        findings.push(Judged { finding, subjects: vec![object] });
    }
}
