use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::catalog::name::{MAX_BYTES, clip};
use crate::finding::{Level, Related};
use crate::op::Span;
use crate::source::Migration;
use crate::sql::code;
use std::collections::{BTreeMap, BTreeSet};

pub const RULE: Rule = Rule { id: "name-truncated", family: Family::History, level: Level::Warning, check: Check::Unit(check) };

/// What is left of a name → the name in full, and where it stands first.
type Known = BTreeMap<String, (String, String, Span)>;

fn check(cx: &Context<'_>, findings: &mut Findings) {
    let Ok(text) = cx.migration.file.text() else { return };
    let mut places: Vec<(usize, Span, String)> = Vec::new();
    // What the parser refuses may be no SQL at all.
    for (index, statement) in cx.parsed.statements.iter().enumerate().filter(|(_, statement)| statement.outcome.is_ok()) {
        code::identifiers(text, statement.span, &mut |span, name| {
            if is_long(name) {
                places.push((index, span, name.to_owned()));
            }
        });
    }
    if places.is_empty() {
        return;
    }
    let mut known = Known::new();
    for earlier in cx.history.migrations.iter().take((cx.unit as usize).saturating_sub(1)) {
        remember(earlier, &mut known);
    }
    let mut said: BTreeSet<String> = BTreeSet::new();
    for (statement, span, name) in places {
        let left = clip(&name, MAX_BYTES).to_owned();
        let path = cx.migration.file.path.clone();
        let (full, place, first) = known.entry(left.clone()).or_insert_with(|| (name.clone(), path, span)).clone();
        if !said.insert(name.clone()) {
            continue;
        }
        let bytes = name.len();
        let judged = if full == name {
            let message = format!("this name has {bytes} bytes, and the server keeps {MAX_BYTES} of them: {left}");
            cx.finding_at(RULE.id, Level::Warning, Some(statement), span, message, "give it a shorter name".into())
        } else {
            let message = format!("the server keeps {MAX_BYTES} bytes of a name, so this is the same as {full}: {left}");
            let help = "give one of them a name that differs earlier".into();
            let mut finding = cx.finding_at(RULE.id, Level::Error, Some(statement), span, message, help);
            finding.related.push(Related { path: place, span: first, message: "the other name".into() });
            finding
        };
        findings.push(Judged { finding: judged, subjects: vec![name] });
    }
}

fn remember(unit: &Migration, known: &mut Known) {
    let Ok(text) = unit.file.text() else { return };
    for part in &unit.parts {
        code::identifiers(text, *part, &mut |span, name| {
            if is_long(name) {
                let place = || (name.to_owned(), unit.file.path.clone(), span);
                known.entry(clip(name, MAX_BYTES).to_owned()).or_insert_with(place);
            }
        });
    }
}

/// How long a name is whose placeholder has no value yet is not known.
fn is_long(name: &str) -> bool {
    name.len() > MAX_BYTES && !name.contains("${") && !name.contains("{{")
}
