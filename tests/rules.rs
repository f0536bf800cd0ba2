//! Every example of every rule document, run with all rules on: what it gives is exactly what it announces.

use phasegate::check::{self, Request};
use phasegate::config::{self, FileChoice, Flags, Wanted};
use phasegate::finding::Level;
use phasegate::report::Report;
use phasegate::report::model::FindingEntry;
use phasegate::rules::Family;
use phasegate::rules::document::{self, RuleDocument};
use phasegate::rules::example::{Announcement, Example};
use phasegate::versions::PostgresVersions;
use std::fs;
use std::path::Path;

/// What is wrong with one example, for people.
fn mismatches(document: &RuleDocument, section: &str, example: &Example) -> Vec<String> {
    let place = format!("rules/{}.md:{}, {section} example", document.id, example.line);
    let directory = tempfile::tempdir().unwrap();
    for file in &example.files {
        let path = directory.path().join(&file.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file.bytes()).unwrap();
    }
    let parse = |text: &str| text.parse::<PostgresVersions>().unwrap_or_else(|error| panic!("{place}: {error}"));
    let postgres = example.postgres.as_deref().map(parse);
    let configuration = directory.path().join(config::FILE_NAME);
    let plan = config::plan(&Wanted {
        paths: vec![directory.path().to_path_buf()],
        file: if configuration.exists() { FileChoice::Named(configuration) } else { FileChoice::Without },
        flags: Flags { layout: example.layout.clone(), postgres, ..Flags::default() },
    });
    let mut wrong: Vec<String> = plan.errors.iter().map(|error| format!("{place}: {error}: {}", error.help())).collect();
    let histories = plan.histories.into_iter().map(|planned| planned.request).collect();
    let checked = check::run(&Request { histories, ..Request::default() });
    wrong.extend(checked.unusable.iter().map(|unusable| format!("{place}: could not be used: {}", unusable.why)));
    let report = Report::new(&checked, postgres.unwrap_or_default());
    let mut findings: Vec<&FindingEntry> = report.findings.iter().filter(|finding| finding.suppressed.is_none()).collect();
    for file in &example.files {
        for announced in &file.announcements {
            let is_it = |finding: &&FindingEntry| {
                below(directory.path(), finding.path.given()) == file.name && matches(announced, finding)
            };
            match findings.iter().position(is_it) {
                Some(found) => drop(findings.remove(found)),
                None => wrong.push(format!(
                    "rules/{}.md:{}: announced and not found: {} at {:?} in {}",
                    document.id,
                    announced.document_line,
                    announced.rule,
                    expected_level(announced),
                    file.name
                )),
            }
        }
    }
    let own = question(document.family);
    findings.retain(|finding| finding.family.is_none_or(|family| question(family) == own));
    // Nearly every migration has this note: only its own document has to announce it.
    let is_everywhere = |finding: &&FindingEntry| finding.rule == "not-rerunnable" && finding.level == Level::Note;
    findings.retain(|finding| document.id == finding.rule || !is_everywhere(finding));
    let unannounced = findings.into_iter().map(|finding| {
        let FindingEntry { rule, level, line, message, .. } = finding;
        format!(
            "{place}: found and not announced: {rule} at {level:?} in {}:{line}: {message}",
            below(directory.path(), finding.path.given())
        )
    });
    wrong.extend(unannounced);
    wrong
}

/// An example is about one of two questions: what old clients lose, or what it costs to run. It need not announce what it says about
/// the other.
fn question(family: Family) -> &'static str {
    match family {
        Family::Blocking | Family::Retry => "cost",
        Family::Contract | Family::Phase | Family::History | Family::Access | Family::Style | Family::Proof => "loss",
    }
}

/// The path of a finding as the example names its files.
fn below<'a>(directory: &Path, path: &'a str) -> &'a str {
    path.strip_prefix(directory.to_str().unwrap()).unwrap_or(path).trim_start_matches('/')
}

fn matches(announced: &Announcement, finding: &FindingEntry) -> bool {
    // The end is the place after the last character: a span that ends with a line does not touch the next one.
    let last_line =
        if finding.end_column == 1 && finding.end_line > finding.line { finding.end_line - 1 } else { finding.end_line };
    let touches = match announced.line {
        Some(line) => (finding.line..=last_line).contains(&line),
        None => finding.start == finding.end,
    };
    touches && finding.rule == announced.rule && expected_level(announced) == Some(finding.level)
}

/// The announced level, or that of the rule's document; `None` where there is no such rule.
fn expected_level(announced: &Announcement) -> Option<Level> {
    announced.level.or_else(|| document::find(&announced.rule).map(|document| document.level))
}

#[test]
fn every_example_gives_exactly_the_findings_that_it_announces() {
    let documents = document::all().unwrap_or_else(|error| panic!("{error}"));
    let mut examples = 0;
    let mut wrong = Vec::new();
    // What only a run finds is shown on a server: tests/proof_rules.rs.
    for document in documents.iter().filter(|document| document.family != Family::Proof) {
        for (section, list) in [("Bad", &document.bad), ("Good", &document.good)] {
            for example in list {
                examples += 1;
                wrong.extend(mismatches(document, section, example));
            }
        }
    }
    assert!(examples >= documents.len() + documents.len() / 2, "most documents have a bad and a good example: {examples}");
    assert!(wrong.is_empty(), "{} of the announcements of {examples} examples do not hold:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_announced_rule_has_a_document() {
    for document in document::all().unwrap_or_else(|error| panic!("{error}")) {
        for example in document.bad.iter().chain(&document.good) {
            for announced in example.announcements() {
                assert!(
                    document::find(&announced.rule).is_some(),
                    "rules/{}.md:{}: there is no rule `{}`",
                    document.id,
                    announced.document_line,
                    announced.rule
                );
            }
        }
    }
}
