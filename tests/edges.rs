//! Every edge of a contract, phase, history, access, blocking or retry row has an example or a test that shows it: `rules/edges.toml`.

use phasegate::finding::Level;
use phasegate::rules::RULES;
use phasegate::rules::document::{self, Family};
use phasegate::rules::example::Example;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edges {
    edge: Vec<Edge>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edge {
    rule: String,
    edge: String,
    bad: Option<String>,
    good: Option<String>,
    level: Option<String>,
    test: Option<UnitTest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitTest {
    file: String,
    name: String,
}

fn edges() -> Vec<Edge> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/edges.toml")).unwrap();
    toml::from_str::<Edges>(&text).unwrap().edge
}

fn level(name: &str) -> Level {
    match name {
        "error" => Level::Error,
        "warning" => Level::Warning,
        "note" => Level::Note,
        other => panic!("`{other}` is no level"),
    }
}

/// What is announced of the rule on a line that holds the text, or of a file whose name holds it, in any of the examples: one entry
/// per such line or file.
fn announced(examples: &[Example], rule: &str, text: &str, default: Level) -> Vec<Vec<Level>> {
    let mut lines = Vec::new();
    for file in examples.iter().flat_map(|example| &example.files) {
        if file.name.contains(text) {
            let whole = file.announcements.iter().filter(|a| a.rule == rule && a.line.is_none());
            lines.push(whole.map(|a| a.level.unwrap_or(default)).collect());
        }
        for (at, _) in file.text.lines().enumerate().filter(|(_, line)| line.contains(text)) {
            let here = file.announcements.iter().filter(|a| a.rule == rule && a.line == Some(at + 1));
            lines.push(here.map(|a| a.level.unwrap_or(default)).collect());
        }
    }
    lines
}

/// What is wrong with an edge.
fn gap(edge: &Edge) -> Option<String> {
    let Some(document) = document::find(&edge.rule) else { return Some("there is no such rule".into()) };
    match (&edge.bad, &edge.good, &edge.test) {
        (Some(text), None, None) => {
            let wanted = edge.level.as_deref().map_or(document.level, level);
            let lines = announced(&document.bad, &edge.rule, text, document.level);
            (!lines.iter().any(|levels| levels.contains(&wanted)))
                .then(|| format!("no bad example announces it at {wanted:?} on a line with `{text}`"))
        }
        (None, Some(text), None) => {
            let lines = announced(&document.good, &edge.rule, text, document.level);
            lines.is_empty().then(|| format!("no good example holds `{text}`"))
        }
        (None, None, Some(test)) => {
            let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&test.file)).unwrap_or_default();
            // In a module of tests, or in a file of them.
            let there = ["    ", ""].iter().any(|indent| source.contains(&format!("#[test]\n{indent}fn {}()", test.name)));
            (!there).then(|| format!("{} has no test `{}`", test.file, test.name))
        }
        _ => Some("an edge has one of `bad`, `good` and `test`".into()),
    }
}

#[test]
fn every_edge_is_shown_by_an_example_or_a_test() {
    let gaps: Vec<String> =
        edges().iter().filter_map(|edge| Some(format!("{}, {}: {}", edge.rule, edge.edge, gap(edge)?))).collect();
    assert!(gaps.is_empty(), "{} edges are not shown:\n{}", gaps.len(), gaps.join("\n"));
}

#[test]
fn every_rule_of_these_families_has_edges_and_no_edge_stands_twice() {
    let edges = edges();
    let mut seen = BTreeSet::new();
    for edge in &edges {
        assert!(seen.insert((edge.rule.as_str(), edge.edge.as_str())), "{}, {} stands twice", edge.rule, edge.edge);
    }
    for rule in RULES.iter().filter(|rule| {
        matches!(
            rule.family,
            Family::Contract | Family::Phase | Family::History | Family::Access | Family::Blocking | Family::Retry
        )
    }) {
        assert!(edges.iter().any(|edge| edge.rule == rule.id), "{} has no edge", rule.id);
    }
}
