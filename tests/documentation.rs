//! The migrations of docs/expand-contract.md: what the page recommends is clean and applies, what it warns of is found.

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// One kind of change.
struct Kind<'a> {
    title: &'a str,
    /// File and text, in order.
    migrations: Vec<(&'a str, String)>,
    /// The rule and the migration that it finds.
    wrong: (&'a str, String),
}

fn kinds(page: &str) -> Vec<Kind<'_>> {
    let sections = page.split("\n## ").skip(1);
    let kind = |section| {
        let (title, text): (&str, &str) = str::split_once(section, '\n').unwrap();
        let mut migrations = Vec::new();
        let mut wrong = None;
        for block in text.split("```sql").skip(1) {
            let (information, rest) = block.split_once('\n').unwrap();
            let body = rest.split_once("```").unwrap().0;
            // A block in a list is indented.
            let body: String = body.lines().map(|line| format!("{}\n", line.strip_prefix("   ").unwrap_or(line))).collect();
            match information.trim().strip_prefix("wrong ") {
                Some(rule) => wrong = Some((rule, body)),
                None => {
                    let file = rest.trim_start().lines().next().unwrap().trim().strip_prefix("-- file: ").unwrap();
                    migrations.push((file, body.split_once('\n').unwrap().1.to_owned()));
                }
            }
        }
        Kind { title, migrations, wrong: wrong.unwrap_or_else(|| panic!("{title}: what not to do is missing")) }
    };
    sections.map(kind).collect()
}

fn write(directory: &Path, migrations: &[(&str, String)]) {
    for (file, text) in migrations {
        fs::write(directory.join(file), text).unwrap();
    }
}

/// The rules and levels that are found and not suppressed, notes left out, and the exit code.
fn found(directory: &Path, arguments: &[&str]) -> (Vec<String>, Option<i32>) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"));
    let output = command.args(arguments).args(["--format", "json", "--layout", "dbmate"]).arg(directory).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let counts = |finding: &&Value| finding["suppressed"].is_null() && finding["level"] != "note" && finding["level"] != "off";
    let told = |finding: &Value| format!("{} {}: {}", finding["rule"].as_str().unwrap(), finding["path"], finding["message"]);
    (report["findings"].as_array().unwrap().iter().filter(counts).map(told).collect(), output.status.code())
}

#[test]
fn each_kind_of_change_is_clean_in_five_steps_and_applies_and_is_found_in_one() {
    let page = include_str!("../docs/expand-contract.md");
    let kinds = kinds(page);
    assert!(kinds.len() >= 10, "{} kinds", kinds.len());
    let mut trouble = Vec::new();
    for Kind { title, migrations, wrong: (rule, text) } in kinds {
        let right = tempfile::tempdir().unwrap();
        write(right.path(), &migrations);
        let (findings, code) = found(right.path(), &["check"]);
        if !findings.is_empty() || code != Some(0) {
            trouble.push(format!("{title}: {findings:#?}"));
        }
        let (findings, code) = found(right.path(), &["prove", "--only", "apply,second-run"]);
        if !findings.is_empty() || code != Some(0) {
            trouble.push(format!("{title} on a server: {findings:#?}"));
        }
        let wrong = tempfile::tempdir().unwrap();
        write(wrong.path(), &migrations[..1]);
        write(wrong.path(), &[("000002_wrong.sql", format!("-- migrate:up\n{text}"))]);
        let (findings, _) = found(wrong.path(), &["check"]);
        if !findings.iter().any(|finding| finding.starts_with(&format!("{rule} "))) {
            trouble.push(format!("{title}, wrong: no {rule} in {findings:#?}"));
        }
    }
    assert!(trouble.is_empty(), "{}", trouble.join("\n"));
}

#[test]
fn each_kind_of_change_has_five_steps() {
    for section in include_str!("../docs/expand-contract.md").split("\n## ").skip(1) {
        for step in 1..=5 {
            assert!(section.contains(&format!("\n{step}. ")), "step {step} of {section}");
        }
    }
}
