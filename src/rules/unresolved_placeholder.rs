use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::finding::Level;
use crate::sql::OddityKind;

pub const RULE: Rule =
    Rule { id: "unresolved-placeholder", family: Family::History, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for oddity in cx.parsed.oddities.iter().filter(|oddity| oddity.kind == OddityKind::Placeholder) {
        let statement = cx.statement_at(oddity.span);
        let finding = cx.finding_at(
            RULE.id,
            Level::Error,
            statement,
            oddity.span,
            format!("{} is a placeholder without a value: the SQL that will run is not known", oddity.text),
            format!("give {} a value in the configuration, or write the value into the file", oddity.text),
        );
        findings.push(Judged { finding, subjects: vec![oddity.text.clone()] });
    }
}
