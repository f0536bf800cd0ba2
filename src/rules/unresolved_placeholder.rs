use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::finding::Level;
use crate::op::Span;
use crate::config::{FILE_NAME, toml_key};
use crate::sql::{Oddity, OddityKind, placeholder, psql};
use std::collections::BTreeMap;

pub const RULE: Rule =
    Rule { id: "unresolved-placeholder", family: Family::History, level: Level::Error, check: Check::Unit(check) };

/// Once for each placeholder of the unit, where it stands first: a value for one resolves all its places.
fn check(cx: &Context<'_>, findings: &mut Findings) {
    let mut places: BTreeMap<&str, (&str, Span, usize)> = BTreeMap::new();
    for oddity in &cx.parsed.oddities {
        if let Some(name) = name(oddity, cx.has_variables()) {
            places.entry(name).or_insert((&oddity.text, oddity.span, 0)).2 += 1;
        }
    }
    for (name, (text, span, count)) in places {
        let statement = cx.statement_at(span);
        let often = if count > 1 { format!(" ({count} times in this migration)") } else { String::new() };
        let finding = cx.finding_at(
            RULE.id,
            Level::Error,
            statement,
            span,
            format!("{text} is a placeholder without a value{often}: the SQL that will run is not known"),
            format!(
                "write `{} = \"…\"` under [placeholders] in {FILE_NAME}, with the value that the runner has for it: without one the rest is judged as if {text} were a name",
                toml_key(name)
            ),
        );
        findings.push(Judged { finding, subjects: vec![text.to_string()] });
    }
}

/// The name that a value would be given for.
fn name(oddity: &Oddity, has_variables: bool) -> Option<&str> {
    match oddity.kind {
        OddityKind::Placeholder => placeholder::key(&oddity.text),
        OddityKind::Variable if has_variables => placeholder::key(&oddity.text).filter(|name| !psql::is_built_in(name)),
        OddityKind::Variable | OddityKind::MetaCommand | OddityKind::CopyData => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::rules::testing::judged;

    #[test]
    fn the_key_to_write_is_ready_to_paste() {
        for name in ["schema", "flyway:defaultSchema", "index .Options \"Namespace\"", "env('A')", ".X"] {
            let line = format!("{} = \"x\"", toml_key(name));
            let table: toml::Table = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(table.get(name).and_then(toml::Value::as_str), Some("x"), "{line}");
        }
    }

    #[test]
    fn variables_of_psql_are_placeholders_where_psql_runs_the_file() {
        let text = "\\set known 1\nSELECT :known, :'unknown', :unknown, :DBNAME, :{?asked};";
        let found = |runner_is_psql| {
            let found = judged(&[text], Settings { runner_is_psql, ..Settings::default() });
            found.into_iter().filter(|finding| finding.rule == RULE.id).map(|finding| finding.message).collect::<Vec<_>>()
        };
        let of_psql = found(true);
        assert_eq!(of_psql.len(), 1, "{of_psql:?}");
        assert!(of_psql[0].starts_with(":'unknown' is a placeholder without a value (2 times"), "{of_psql:?}");
        assert!(found(false).is_empty());
    }
}
