//! Every example of every rule that only a run can find: what a server shows is what the document announces.

#[path = "support/prover.rs"]
mod prover;

use phasegate::finding::Level;
use phasegate::prove::evidence::Outcome;
use phasegate::prove::proofs::PROOFS;
use phasegate::prove::server::LocalServer;
use phasegate::report::Report;
use phasegate::report::model::FindingEntry;
use phasegate::rules::document::{self, RuleDocument};
use phasegate::rules::example::Example;
use phasegate::rules::{self, Check, Family};
use std::fs;

fn documents() -> impl Iterator<Item = &'static RuleDocument> {
    document::all().unwrap().iter().filter(|document| document.family == Family::Proof)
}

/// The proofs that may find a rule.
fn finders(rule: &str) -> Vec<&'static str> {
    PROOFS.iter().filter(|proof| proof.rules().contains(&rule)).map(|proof| proof.name()).collect()
}

fn mismatches(server: &LocalServer, document: &RuleDocument, section: &str, example: &Example) -> Vec<String> {
    let place = format!("rules/{}.md:{}, {section} example", document.id, example.line);
    let directory = tempfile::tempdir().unwrap();
    for file in &example.files {
        let path = directory.path().join(&file.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file.bytes()).unwrap();
    }
    let request = prover::request(&finders(&document.id));
    let (checked, evidence) = prover::prove(server, &request, directory.path(), example.layout.as_deref());
    let mut wrong = Vec::new();
    let announces_failure = example.announcements().any(|one| ["apply-failed", "needs-superuser"].contains(&one.rule.as_str()));
    for proof in evidence.iter().flat_map(|one| &one.proofs) {
        if let (Outcome::NotRun(why), false) = (&proof.outcome, announces_failure) {
            wrong.push(format!("{place}: {} was not run: {why}", proof.proof));
        }
    }
    let report = Report::new(&checked, Default::default());
    let mut found: Vec<&FindingEntry> = report.findings.iter().filter(|finding| finding.family == Some(Family::Proof)).collect();
    for file in &example.files {
        for announced in &file.announcements {
            let level = announced.level.or_else(|| document::find(&announced.rule).map(|document| document.level));
            let is_it = |finding: &&FindingEntry| {
                let stands_there = announced
                    .line
                    .is_none_or(|line| finding.start == finding.end || (finding.line..=finding.end_line).contains(&line));
                finding.rule == announced.rule && Some(finding.level) == level && stands_there
            };
            match found.iter().position(is_it) {
                Some(at) => drop(found.remove(at)),
                None => wrong.push(format!("{place}: announced and not found: {}@{level:?} in {}", announced.rule, file.name)),
            }
        }
    }
    // Notes of other rules stand at nearly every migration.
    found.retain(|finding| finding.rule == document.id || finding.level > Level::Note);
    wrong.extend(
        found.iter().map(|one| format!("{place}: found and not announced: {}@{:?}: {}", one.rule, one.level, one.message)),
    );
    wrong
}

#[test]
fn every_example_shows_on_a_server_what_it_announces() {
    let server = prover::server();
    let mut wrong = Vec::new();
    for document in documents() {
        for (section, examples) in [("Bad", &document.bad), ("Good", &document.good)] {
            for example in examples {
                wrong.extend(mismatches(&server, document, section, example));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_that_only_a_run_finds_is_found_by_a_proof_and_every_proof_names_its_rules() {
    for rule in rules::RULES.iter().filter(|rule| matches!(rule.check, Check::Proof)) {
        assert!(!finders(rule.id).is_empty(), "no proof finds {}", rule.id);
    }
    for proof in PROOFS {
        for rule in proof.rules() {
            assert_eq!(rules::family_of(rule), Some(Family::Proof), "{} of {}", rule, proof.name());
        }
    }
}
