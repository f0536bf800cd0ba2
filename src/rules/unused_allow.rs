use super::{AllowsContext, Check, Family, Rule, is_hygiene, rule};
use crate::allow::{Applied, Covers, Fate, Nowhere, Said};
use crate::finding::{Finding, Level, Related};
use crate::op::Span;

pub const RULE: Rule = Rule { id: "unused-allow", family: Family::History, level: Level::Error, check: Check::Allows(check) };

fn check(cx: &AllowsContext<'_>, findings: &mut Vec<Finding>) {
    for said in cx.said {
        let Said::Allow(applied) = said else { continue };
        if applied.allow.reason.is_none() {
            continue;
        }
        for (named, fate) in applied.allow.rules.iter().zip(&applied.fates) {
            if *fate == Fate::Silenced || !was_asked(cx, &named.name) {
                continue;
            }
            let Some((why, help)) = why(cx, applied, *fate) else { continue };
            let message = format!("this allow of {} silences nothing: {why}", named.name);
            let mut finding = cx.finding(RULE.id, named.span, message, help.into());
            if let (Covers::Thing(thing), Fate::Idle) = (applied.covers, *fate) {
                let path = cx.migration.file.path.clone();
                finding.related.push(Related { path, span: thing.span, message: "this is what it covers".into() });
            }
            findings.push(finding);
        }
    }
}

/// About an entry of the baseline that no finding matches.
pub fn unused_entry(path: &str, span: Span, rule: &str, about: &str) -> Finding {
    let message = format!("this entry of the baseline silences nothing any more: {about} has no such finding of {rule}");
    let help = "run `phasegate baseline`, which takes it out".to_string();
    Finding { span, ..Finding::new(RULE.id, Level::Warning, path.to_owned(), message, help) }
}

/// False for a rule that had no chance to find anything: there is none, it waits to be switched on, or only a run would tell.
fn was_asked(cx: &AllowsContext<'_>, name: &str) -> bool {
    rule(name).is_some_and(|rule| cx.settings.levels.asks(rule) && rule.family != Family::Proof) && !is_hygiene(name)
}

/// Why an allow did nothing, and what to do. None where what it is about may be hidden behind a syntax error.
fn why(cx: &AllowsContext<'_>, applied: &Applied<'_>, fate: Fate) -> Option<(&'static str, &'static str)> {
    Some(match (applied.covers, fate) {
        (Covers::Nothing(Nowhere::Trailing), _) => (
            "it stands behind something else on its line",
            "write it on a line of its own above the statement that it is about",
        ),
        (Covers::Nothing(Nowhere::InsideBody), _) => (
            "it stands inside of a body",
            "write it above the statement that the body belongs to: that covers everything inside",
        ),
        (Covers::Nothing(Nowhere::InsideStatement), _) => {
            ("it stands inside of a statement", "write it above the statement: that covers the whole of it")
        }
        (Covers::Nothing(Nowhere::AfterLastStatement), _) => {
            ("no statement follows it", "write it above the statement that it is about")
        }
        (Covers::Nothing(Nowhere::BelowHeader), _) => (
            "`allow-file` stands behind the first statement",
            "move it above the first statement, or write `allow` for the statement that follows",
        ),
        (Covers::Unit | Covers::Thing(_), Fate::LeftToTag) => (
            "the phase tag of this migration does already",
            "remove it: it would go on silencing when the tag is gone",
        ),
        (Covers::Thing(thing), _) if thing.unread => return None,
        (Covers::Unit, _) if cx.has_unread() => return None,
        (Covers::Thing(_), _) => {
            ("the statement that follows has no such finding", "remove it, or write it right above the statement that it is about")
        }
        (Covers::Unit, _) => ("this migration has no such finding", "remove it"),
    })
}
