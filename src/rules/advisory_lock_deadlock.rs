use super::shared::outside::is_alone;
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::finding::Level;
use crate::op::{Op, Span};
use crate::source::layouts;
use crate::sql::lex::{self, TokenKind};

pub const RULE: Rule =
    Rule { id: "advisory-lock-deadlock", family: Family::Retry, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    let Some(layout) = layouts::named(&cx.history.layout).filter(|layout| layout.waits_for_advisory_lock()) else { return };
    let Some((index, span, name)) = first(cx) else { return };
    if told_before(cx) {
        return;
    }
    let level = if cx.settings.runners_start_together { Level::Error } else { Level::Warning };
    let message = format!(
        "{name} waits for every older transaction, and an instance of {} that waits for the migration lock is one: with two of them \
         started together, each waits for the other until the server breaks it up (40P01), and an invalid index is left",
        layout.name()
    );
    let help = "start one instance only for this migration (a job before the rollout), or build the index outside of the runner";
    let finding = cx.finding_at(RULE.id, level, Some(index), span, message, help.into());
    findings.push(Judged { finding, subjects: Vec::new() });
}

/// Builds of an index that wait for old snapshots. DROP INDEX CONCURRENTLY waits for those who use the table only.
fn first(cx: &Context<'_>) -> Option<(usize, Span, &'static str)> {
    cx.parsed.statements.iter().enumerate().find_map(|(index, statement)| {
        let name = match &statement.outcome.as_ref().ok()?.op {
            Op::CreateIndex(create) if create.concurrently => "CREATE INDEX CONCURRENTLY",
            Op::Reindex { concurrently: true, .. } => "REINDEX CONCURRENTLY",
            _ => return None,
        };
        // Inside of a transaction it fails before it waits: another rule's.
        is_alone(cx, index).then_some((index, statement.span, name))
    })
}

/// Once per history: an earlier unit that is reported has one too.
fn told_before(cx: &Context<'_>) -> bool {
    let own = (cx.unit as usize).saturating_sub(1);
    cx.history.migrations.iter().enumerate().take(own).any(|(position, unit)| {
        unit.reported && !cx.releases.is_released(position) && unit.file.text().is_ok_and(|text| unit.parts.iter().any(|part| builds(text, *part)))
    })
}

fn builds(text: &str, part: Span) -> bool {
    let text = text.get(part.start..part.end.min(text.len())).unwrap_or_default();
    if !text.as_bytes().windows(12).any(|word| word.eq_ignore_ascii_case(b"concurrently")) {
        return false;
    }
    let words: Vec<String> = lex::tokens(text)
        .filter(|token| !token.is_blank())
        .map(|token| if token.kind == TokenKind::Word { token.text(text).to_ascii_lowercase() } else { String::new() })
        .collect();
    words.iter().enumerate().any(|(at, word)| {
        let before = |back: usize| at.checked_sub(back).map_or("", |at| words[at].as_str());
        word == "concurrently"
            && ((before(1) == "index" && matches!(before(2), "create" | "unique")) || before(2) == "reindex")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_found_in_text_that_is_not_parsed() {
        let builds = |text: &str| super::builds(text, Span { start: 0, end: text.len() });
        for text in ["create unique index concurrently i on t (a)", "CREATE INDEX /* x */ CONCURRENTLY ON t (a)", "REINDEX TABLE CONCURRENTLY t"] {
            assert!(builds(text), "{text}");
        }
        for text in ["DROP INDEX CONCURRENTLY i", "-- CREATE INDEX CONCURRENTLY i ON t (a)", "SELECT 'CREATE INDEX CONCURRENTLY'"] {
            assert!(!builds(text), "{text}");
        }
    }
}
