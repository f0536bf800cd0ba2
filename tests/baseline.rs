//! `phasegate baseline`, and `check` with what it wrote, run as a user runs them.

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::Path;

const INIT: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name text);\nCREATE TABLE carts (id bigint);\n";
const DROP: &str = "SET LOCAL lock_timeout = '5s'; ALTER TABLE users DROP name;\n";
const CHECK: &str = "SET LOCAL lock_timeout = '5s'; ALTER TABLE users ADD CHECK (name <> '') NOT VALID;\n";
const FILE: &str = "phasegate.baseline.json";

/// Exit code, standard output, standard error of the program in that directory.
fn run(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"));
    for name in ["NO_COLOR", "COLUMNS", "TERM", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    let output = command.current_dir(directory).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let file = directory.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

/// A repository with a history of three files in `db`: an error and a warning.
fn repository() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join(".git")).unwrap();
    write(directory.path(), &[("db/0001_init.sql", INIT), ("db/0002_check.sql", CHECK), ("db/0003_drop.sql", DROP)]);
    directory
}

/// Writes the baseline; what was said.
fn accept(directory: &Path, arguments: &[&str]) -> String {
    let (code, said, complaints) = run(directory, &[&["baseline"], arguments].concat());
    assert_eq!((code, complaints.as_str()), (0, ""), "{said}");
    said
}

fn entries(directory: &Path) -> Vec<Value> {
    let baseline: Value = serde_json::from_str(&fs::read_to_string(directory.join(FILE)).unwrap()).unwrap();
    assert_eq!(baseline["version"], 1);
    baseline["entries"].as_array().unwrap().clone()
}

/// `rule path:line=level`, with what silenced it behind.
fn findings(directory: &Path, arguments: &[&str]) -> Vec<String> {
    let (code, report, complaints) = run(directory, &[&["check", "--format", "json"], arguments].concat());
    assert!(code < 2, "{complaints}");
    let report: Value = serde_json::from_str(&report).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let listed = report["findings"].as_array().unwrap().iter().filter(|f| f["level"] != "note" || f["suppressed"] != Value::Null);
    // What it costs to run is not what these tests are about.
    let listed = listed.filter(|f| !["blocking", "retry"].contains(&f["family"].as_str().unwrap_or_default()));
    listed
        .map(|f| {
            let by = text(&f["suppressed"]["by"]);
            format!("{} {}:{}={}{by}", text(&f["rule"]), text(&f["path"]), f["line"], text(&f["level"]), by = by)
        })
        .collect()
}

#[test]
fn accepted_findings_are_silenced_and_new_ones_are_not() {
    let repository = repository();
    let said = accept(repository.path(), &["db"]);
    assert_eq!(said, format!("{FILE}: 2 findings accepted (1 error, 1 warning)\n"));
    assert_eq!(run(repository.path(), &["check", "db", "--fail-on", "warning"]).0, 0);
    let (_, report, _) = run(repository.path(), &["check", "db"]);
    assert!(report.contains("suppressed: 2 by baseline"), "{report}");
    // Lines move, blanks change, and the file is read from elsewhere: it stays the same finding.
    let moved = format!("-- words\n\n{}", DROP.replace(' ', "  "));
    write(repository.path(), &[("db/0003_drop.sql", &moved), ("db/0004_drop.sql", "DROP TABLE carts;\n")]);
    assert_eq!(
        findings(&repository.path().join("db"), &["."]),
        [
            "tighten-constraint db/0002_check.sql:1=warningbaseline",
            "drop-column db/0003_drop.sql:3=errorbaseline",
            "drop-table db/0004_drop.sql:1=error"
        ]
    );
}

#[test]
fn the_file_is_sorted_and_always_the_same() {
    let repository = repository();
    accept(repository.path(), &["db"]);
    let first = fs::read_to_string(repository.path().join(FILE)).unwrap();
    insta::assert_snapshot!(first);
    let said = accept(&repository.path().join("db"), &[]);
    assert!(said.ends_with("2 findings accepted (1 error, 1 warning); 0 new, 0 gone\n"), "{said}");
    assert_eq!(fs::read_to_string(repository.path().join(FILE)).unwrap(), first);
}

#[test]
fn an_entry_that_nothing_matches_is_a_warning_at_its_line_until_it_is_taken_out() {
    let repository = repository();
    accept(repository.path(), &["db"]);
    write(repository.path(), &[("db/0003_drop.sql", &format!("-- phase contract\n{DROP}"))]);
    let found = findings(repository.path(), &["db"]);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.contains(&format!("unused-allow {FILE}:11=warning")), "{found:?}");
    assert_eq!(run(repository.path(), &["check", "db"]).0, 0);
    assert_eq!(run(repository.path(), &["check", "db", "--fail-on", "warning"]).0, 1);
    let (_, report, _) = run(repository.path(), &["check", "db", "--format", "json"]);
    assert!(report.contains("db/0003_drop.sql has no such finding of drop-column"), "{report}");
    let said = accept(repository.path(), &["db"]);
    assert!(said.ends_with("0 new, 1 gone\n"), "{said}");
    assert_eq!(run(repository.path(), &["check", "db", "--fail-on", "warning"]).0, 0);
}

#[test]
fn a_reason_written_by_hand_stays_and_stands_in_the_report() {
    let repository = repository();
    accept(repository.path(), &["db"]);
    let file = repository.path().join(FILE);
    let mut baseline: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    baseline["entries"][1]["reason"] = "before our time".into();
    baseline["entries"][1]["message"] = "old words".into();
    fs::write(&file, serde_json::to_string(&baseline).unwrap()).unwrap();
    let (_, report, _) = run(repository.path(), &["check", "db", "--format", "json"]);
    assert!(report.contains(r#""suppressed":{"by":"baseline","reason":"before our time"}"#), "{report}");
    accept(repository.path(), &["db"]);
    let entries = entries(repository.path());
    assert_eq!(entries[1]["reason"], "before our time");
    assert_ne!(entries[1]["message"], "old words");
    assert!(entries[0].get("reason").is_none());
}

#[test]
fn nothing_is_said_about_entries_that_this_run_did_not_look_at() {
    let repository = repository();
    write(repository.path(), &[("other/0001_drop.sql", "SET LOCAL lock_timeout = '5s'; DROP TABLE shops;\n")]);
    accept(repository.path(), &["db", "other"]);
    write(repository.path(), &[("db/0003_drop.sql", "SELECT 1;\n")]);
    for path in ["db/0002_check.sql", "other"] {
        assert!(findings(repository.path(), &[path]).iter().all(|found| !found.starts_with("unused-allow")), "{path}");
    }
    assert_eq!(entries(repository.path()).len(), 3);
    // Nor are they taken out.
    let said = accept(repository.path(), &["other"]);
    assert!(
        said.contains("1 finding accepted") && said.ends_with("0 gone; 2 about paths that this run did not look at kept\n"),
        "{said}"
    );
    assert_eq!(entries(repository.path()).len(), 3);
    accept(repository.path(), &["db/0003_drop.sql"]);
    assert_eq!(entries(repository.path()).len(), 2);
}

#[test]
fn a_file_that_is_gone_has_no_findings_wherever_it_was() {
    let repository = repository();
    accept(repository.path(), &["db"]);
    fs::rename(repository.path().join("db"), repository.path().join("database")).unwrap();
    let found = findings(repository.path(), &["database"]);
    assert_eq!(found.iter().filter(|found| found.starts_with("unused-allow")).count(), 2, "{found:?}");
    assert!(found.contains(&"drop-column database/0003_drop.sql:1=error".to_string()), "{found:?}");
}

#[test]
fn the_file_lies_beside_the_configuration_or_where_that_says() {
    let repository = repository();
    write(repository.path(), &[("db/phasegate.toml", "")]);
    accept(repository.path(), &["db"]);
    assert!(repository.path().join("db").join(FILE).exists());
    assert_eq!(run(repository.path(), &["check", "db"]).0, 0);
    assert_eq!(run(repository.path(), &["check", "db", "--no-config"]).0, 1, "without configuration it would be at the root");
    write(repository.path(), &[("db/phasegate.toml", "baseline = \"accepted/findings.json\"\n")]);
    let (code, _, complaints) = run(repository.path(), &["check", "db"]);
    assert_eq!(code, 2);
    assert!(complaints.contains("db/accepted/findings.json: no such file; `phasegate baseline` writes it"), "{complaints}");
    fs::create_dir(repository.path().join("db/accepted")).unwrap();
    accept(repository.path(), &["db"]);
    assert_eq!(run(repository.path(), &["check", "db"]).0, 0);
    accept(repository.path(), &["db", "--baseline", "mine.json"]);
    assert_eq!(run(repository.path(), &["check", "db", "--baseline", "mine.json"]).0, 0);
}

#[test]
fn without_a_repository_the_file_lies_in_the_working_directory() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &[("db/0001_init.sql", INIT), ("db/0002_drop.sql", DROP)]);
    accept(directory.path(), &["db"]);
    assert!(directory.path().join(FILE).exists());
    assert_eq!(run(directory.path(), &["check", "db"]).0, 0);
}

#[test]
fn a_level_says_what_is_accepted() {
    let repository = repository();
    accept(repository.path(), &["db", "--level", "error"]);
    assert_eq!(entries(repository.path()).len(), 1);
    write(repository.path(), &[("db/0004_add.sql", "SET LOCAL lock_timeout = '5s'; ALTER TABLE users ADD mail text;\n")]);
    accept(repository.path(), &["db"]);
    assert_eq!(entries(repository.path()).len(), 2);
    accept(repository.path(), &["db", "--level", "note"]);
    assert!(entries(repository.path()).len() > 2);
}

#[test]
fn what_silences_first_is_named() {
    let repository = repository();
    accept(repository.path(), &["db"]);
    write(
        repository.path(),
        &[
            ("db/0003_drop.sql", "-- phasegate: allow drop-column -- unused\nALTER TABLE users DROP name;\n"),
            ("phasegate.toml", "[rules]\ntighten-constraint = \"off\"\n"),
        ],
    );
    let found = findings(repository.path(), &["db"]);
    assert!(found.contains(&"drop-column db/0003_drop.sql:2=errorallow".to_string()), "{found:?}");
    assert!(found.contains(&"tighten-constraint db/0002_check.sql:1=warningbaseline".to_string()), "{found:?}");
    assert!(found.iter().any(|found| found.starts_with("unused-allow")), "the entry of 0003 does nothing any more: {found:?}");
}

#[test]
fn what_is_wrong_with_comments_is_mended_and_never_accepted() {
    let repository = repository();
    write(repository.path(), &[("db/0004_next.sql", "-- phasegate: allow no-such-rule -- x\nSELECT 1;\n")]);
    accept(repository.path(), &["db"]);
    assert_eq!(entries(repository.path()).len(), 2);
    assert_eq!(run(repository.path(), &["check", "db"]).0, 1);
}

#[test]
fn a_baseline_that_cannot_be_used_exits_with_2_and_says_what_to_do() {
    let repository = repository();
    let cases = [
        ("{\"version\": 2, \"entries\": []}", "phasegate.baseline.json: is a baseline of version 2"),
        ("{\"version\": 1, \"entries\": [", "phasegate.baseline.json: 1:27: is no baseline"),
        ("{\"version\": 1, \"entries\": [{\"fingerprint\": \"x\"}]}", "missing field `rule`"),
    ];
    for (text, hint) in cases {
        write(repository.path(), &[(FILE, text)]);
        for command in ["check", "baseline"] {
            let (code, _, complaints) = run(repository.path(), &[command, "db"]);
            assert_eq!(code, 2, "{command} {text}");
            assert!(complaints.contains(hint) && complaints.contains("remove it and run `phasegate baseline`"), "{complaints}");
        }
        assert_eq!(fs::read_to_string(repository.path().join(FILE)).unwrap(), text, "it is not overwritten");
    }
    fs::remove_file(repository.path().join(FILE)).unwrap();
    let (code, report, complaints) = run(repository.path(), &["check", "db", "--baseline", "missing.json"]);
    assert_eq!(code, 2);
    assert!(complaints.contains("missing.json: no such file") && report.contains("drop-column"), "{complaints}");
}

#[test]
fn nothing_is_written_where_something_could_not_be_used() {
    let repository = repository();
    for (arguments, hint) in [
        (&["baseline", "db", "missing"] as &[&str], "missing: no such file"),
        (&["baseline", "-"], "standard input"),
        (&["baseline", "db", "--baseline", "no/such/place.json"], "cannot be written"),
        (&["baseline", "db", "--layout", "nonsense"], "nonsense"),
    ] {
        let (code, _, complaints) = run(repository.path(), arguments);
        assert_eq!(code, 2, "{arguments:?}");
        assert!(complaints.contains(hint) && complaints.contains("nothing was written"), "{complaints}");
    }
    assert!(!repository.path().join(FILE).exists());
}

#[test]
fn paths_of_several_baselines_are_refused() {
    let repository = repository();
    write(
        repository.path(),
        &[
            ("db/phasegate.toml", ""),
            ("other/phasegate.toml", ""),
            ("other/0001_drop.sql", "SET LOCAL lock_timeout = '5s'; DROP TABLE shops;\n"),
        ],
    );
    let (code, _, complaints) = run(repository.path(), &["baseline", "db", "other"]);
    assert_eq!(code, 2);
    assert!(complaints.contains("several baselines"), "{complaints}");
    // A check reads both.
    accept(repository.path(), &["db"]);
    accept(repository.path(), &["other"]);
    assert_eq!(run(repository.path(), &["check", "db", "other"]).0, 0);
}
