use super::{Check, Context, Family, Findings, Judged, Rule, family_of};
use crate::finding::Level;
use crate::source::Phase;

pub const RULE: Rule =
    Rule { id: "stale-contract-tag", family: Family::Phase, level: Level::Warning, check: Check::AfterOthers(check) };

fn check(cx: &Context<'_>, others: &[Judged], findings: &mut Findings) {
    if cx.migration.phase != Phase::Contract {
        return;
    }
    let contracts = |judged: &Judged| {
        judged.finding.level >= Level::Warning && family_of(judged.finding.rule) == Some(Family::Contract)
    };
    // What could not be read may be what the tag is about.
    let unread = |judged: &Judged| matches!(judged.finding.rule, "opaque-sql" | "unclassified-statement" | "syntax-error");
    if others.iter().any(|judged| contracts(judged) || unread(judged)) {
        return;
    }
    let span = cx.migration.tag.as_ref().map(|tag| tag.span).unwrap_or_default();
    let finding = cx.finding_at(
        RULE.id,
        Level::Warning,
        None,
        span,
        format!("{} is tagged as a contract, but nothing in it takes anything from the previous release", cx.migration.id),
        "remove the tag: it would hide a contract that is added to this file later".into(),
    );
    findings.push(Judged { finding, subjects: vec![cx.migration.id.clone()] });
}
