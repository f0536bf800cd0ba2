//! `phasegate compare`: two reports, and what lies between them.

use assert_cmd::Command;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

fn phasegate(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"));
    let output = command.current_dir(directory).env("COLUMNS", "100").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

const INIT: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name text, nick text, mail text);\n";

/// A directory with `base.json` about two dropped columns, and what `change` made of it in `head.json`.
fn reports(change: impl FnOnce(&Path)) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let db = directory.path().join("db");
    fs::create_dir(&db).unwrap();
    fs::write(db.join("0001_init.sql"), INIT).unwrap();
    fs::write(db.join("0002_drop.sql"), "ALTER TABLE users DROP name;\n").unwrap();
    fs::write(db.join("0003_drop.sql"), "ALTER TABLE users DROP nick;\n").unwrap();
    phasegate(directory.path(), &["check", "db", "--output", "json=base.json"]);
    change(&db);
    phasegate(directory.path(), &["check", "db", "--output", "json=head.json"]);
    directory
}

fn compared(directory: &Path) -> (i32, Value) {
    let (code, out, complaints) = phasegate(directory, &["compare", "base.json", "head.json", "--format", "json"]);
    assert_eq!(complaints, "");
    (code, serde_json::from_str(&out).unwrap())
}

/// "path rule" of those that are errors.
fn errors(findings: &Value) -> Vec<String> {
    let findings = findings.as_array().unwrap().iter().filter(|finding| finding["level"] == "error");
    findings.map(|one| format!("{} {}", one["path"].as_str().unwrap(), one["rule"].as_str().unwrap())).collect()
}

#[test]
fn the_same_report_twice_has_nothing_new() {
    let directory = reports(|_| {});
    let (code, comparison) = compared(directory.path());
    assert_eq!(code, 0);
    assert_eq!((&comparison["summary"]["new"], &comparison["summary"]["fixed"]), (&json!(0), &json!(0)));
    assert_eq!(errors(&comparison["unchanged"]), ["db/0002_drop.sql drop-column", "db/0003_drop.sql drop-column"]);
}

#[test]
fn what_is_new_fixed_accepted_and_unchanged_is_told_apart_and_lines_may_move() {
    let directory = reports(|db| {
        fs::write(db.join("0002_drop.sql"), "-- a comment\n\nALTER TABLE users\n  DROP name;\n").unwrap();
        fs::write(db.join("0003_drop.sql"), "-- phase contract\nALTER TABLE users DROP nick;\n").unwrap();
        fs::write(db.join("0004_drop.sql"), "ALTER TABLE users DROP mail;\nCREATE INDEX i ON users (id);\n").unwrap();
    });
    let (code, comparison) = compared(directory.path());
    assert_eq!(code, 1);
    assert_eq!(errors(&comparison["unchanged"]), ["db/0002_drop.sql drop-column"]);
    assert_eq!(errors(&comparison["accepted"]), ["db/0003_drop.sql drop-column"]);
    assert!(errors(&comparison["new"]).contains(&"db/0004_drop.sql drop-column".to_owned()), "{comparison}");
    assert_eq!(comparison["blocking"][0]["index_builds"], json!(["public.users"]));
    assert_eq!(comparison["blocking"][0]["statement"], 2);
    let schema = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/compare.v1.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    jsonschema::validate(&schema, &comparison).unwrap();
    let (code, human, _) = phasegate(directory.path(), &["compare", "base.json", "head.json"]);
    assert_eq!(code, 1);
    assert!(human.contains("new: error[drop-column] db/0004_drop.sql:1:1: "), "{human}");
    assert!(human.contains("accepted: error[drop-column] db/0003_drop.sql"), "{human}");
    let narrow = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"))
        .current_dir(directory.path())
        .env("COLUMNS", "40")
        .args(["compare", "base.json", "head.json"])
        .output()
        .unwrap();
    let narrow = String::from_utf8(narrow.stdout).unwrap();
    assert!(narrow.lines().all(|line| line.chars().count() <= 40) && narrow.contains("    "), "{narrow}");
    let (code, note, _) = phasegate(directory.path(), &["compare", "base.json", "head.json", "--format", "markdown"]);
    assert_eq!(code, 1);
    assert!(note.starts_with("<!-- phasegate:compare -->\n## ❌ phasegate: "), "{note}");
    assert!(note.contains("at `db/0004_drop.sql:1`: column `public.users.mail` is dropped"), "{note}");
    assert!(note.contains("- `db/0004_drop.sql:2` builds an index on `public.users`\n"), "{note}");
    // The other way round the new ones are fixed, and their migration is gone.
    let (code, out, _) = phasegate(directory.path(), &["compare", "head.json", "base.json", "--format", "json"]);
    let back: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 1, "what was accepted is new again");
    assert!(errors(&back["fixed"]).contains(&"db/0004_drop.sql drop-column".to_owned()));
    assert!(back["fixed"].as_array().unwrap().iter().all(|finding| finding["is_judged"] == false), "{back}");
}

#[test]
fn the_level_of_new_findings_decides_the_exit_code() {
    let directory = reports(|db| fs::write(db.join("0004_add.sql"), "ALTER TABLE users ADD c int;\n").unwrap());
    let code = |level| phasegate(directory.path(), &["compare", "base.json", "head.json", "--fail-on", level]).0;
    assert_eq!((code("error"), code("note")), (0, 1));
}

#[test]
fn a_file_that_is_no_report_or_of_another_version_exits_with_2_and_is_named() {
    let directory = reports(|_| {});
    let root = directory.path();
    let base = fs::read_to_string(root.join("base.json")).unwrap();
    let mut other: Value = serde_json::from_str(&base).unwrap();
    other["version"] = json!(2);
    fs::write(root.join("v2.json"), other.to_string()).unwrap();
    fs::write(root.join("text.json"), "not JSON").unwrap();
    fs::write(root.join("empty.json"), "{\"version\": 1}").unwrap();
    fs::write(root.join("cut.json"), &base[..base.len() / 2]).unwrap();
    let cases = [
        ("v2.json", "v2.json: is a report of version 2; this phasegate compares version 1"),
        ("text.json", "text.json: is no report of `phasegate check --format json`"),
        ("empty.json", "empty.json: is no report"),
        ("cut.json", "cut.json: is no report"),
        ("missing.json", "missing.json: cannot be read"),
        ("db", "db: cannot be read"),
    ];
    for (file, why) in cases {
        for arguments in [["compare", file, "base.json"], ["compare", "base.json", file]] {
            let (code, out, complaints) = phasegate(root, &arguments);
            assert_eq!((code, out.as_str()), (2, ""), "{file}");
            assert!(complaints.contains(why), "{file}: {complaints}");
        }
    }
}

#[test]
fn another_phasegate_another_history_and_another_end_of_a_proof_are_said() {
    let directory = reports(|_| {});
    let root = directory.path();
    let mut base: Value = serde_json::from_str(&fs::read_to_string(root.join("base.json")).unwrap()).unwrap();
    let evidence = |outcome: &str| {
        json!([{ "history": "db", "server": "", "version": 0, "runner": "", "built_in_runner": true, "observed": [],
            "proofs": [{ "proof": "apply", "outcome": outcome, "seconds": 1, "coverage": {}, "remarks": [] }] }])
    };
    base["tool"]["version"] = json!("0.0.1");
    base["evidence"] = evidence("passed");
    fs::write(root.join("base.json"), base.to_string()).unwrap();
    let mut head: Value = serde_json::from_str(&fs::read_to_string(root.join("head.json")).unwrap()).unwrap();
    head["evidence"] = evidence("failed");
    let mut other = head["histories"][0].clone();
    other["path"] = json!("other\u{1b}[2J@all");
    head["histories"].as_array_mut().unwrap().push(other);
    fs::write(root.join("head.json"), head.to_string()).unwrap();
    let (_, comparison) = compared(root);
    assert_eq!(comparison["proofs"], json!([{ "history": "db", "proof": "apply", "base": "passed", "head": "failed" }]));
    let (_, human, _) = phasegate(root, &["compare", "base.json", "head.json"]);
    assert!(human.contains("proof apply of db: passed, now failed"), "{human}");
    assert!(human.contains("BASE was written by phasegate 0.0.1"), "{human}");
    assert!(human.contains("other\\u{1b}[2J@all is in HEAD and not in BASE"), "{human}");
    let (_, note, _) = phasegate(root, &["compare", "base.json", "head.json", "--format", "markdown"]);
    assert!(note.contains("<code>other&#92;u") && !note.contains("@all"), "{note}");
}

#[test]
fn a_note_about_very_many_new_findings_is_cut_and_says_so() {
    let directory = reports(|_| {});
    let root = directory.path();
    let mut head: Value = serde_json::from_str(&fs::read_to_string(root.join("head.json")).unwrap()).unwrap();
    let one = head["findings"][0].clone();
    for at in 0..2000 {
        let mut another = one.clone();
        another["fingerprint"] = json!(format!("{at:032}"));
        another["level"] = json!(if at % 2 == 0 { "warning" } else { "error" });
        head["findings"].as_array_mut().unwrap().push(another);
    }
    fs::write(root.join("head.json"), head.to_string()).unwrap();
    let (code, note, _) = phasegate(root, &["compare", "base.json", "head.json", "--format", "markdown"]);
    assert_eq!(code, 1);
    assert!(note.chars().count() < 60_000);
    let shown = note.lines().filter(|line| line.starts_with("- **error** ")).count();
    assert!(shown > 50 && !note.contains("**warning**"), "the worst come first: {shown}");
    assert!(note.contains(&format!("- and {} more, not shown", 2000 - shown)), "{}", &note[note.len() - 400..]);
}
