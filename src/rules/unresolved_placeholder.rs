use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::finding::Level;
use crate::op::Span;
use crate::sql::OddityKind;
use std::collections::BTreeMap;

pub const RULE: Rule =
    Rule { id: "unresolved-placeholder", family: Family::History, level: Level::Error, check: Check::Unit(check) };

/// Once for each placeholder of the unit, where it stands first: a value for one resolves all its places.
fn check(cx: &Context<'_>, findings: &mut Findings) {
    let mut places: BTreeMap<&str, (Span, usize)> = BTreeMap::new();
    for oddity in cx.parsed.oddities.iter().filter(|oddity| oddity.kind == OddityKind::Placeholder) {
        places.entry(&oddity.text).or_insert((oddity.span, 0)).1 += 1;
    }
    for (text, (span, count)) in places {
        let statement = cx.statement_at(span);
        let often = if count > 1 { format!(" ({count} times in this migration)") } else { String::new() };
        let finding = cx.finding_at(
            RULE.id,
            Level::Error,
            statement,
            span,
            format!("{text} is a placeholder without a value{often}: the SQL that will run is not known"),
            format!("write the value into the file: this version has no configuration to take it from, and judges the rest as if {text} were a name"),
        );
        findings.push(Judged { finding, subjects: vec![text.to_string()] });
    }
}
