//! The binary, run as a user runs it.

use assert_cmd::Command;
use std::fs;
use std::process::Stdio;

/// `phasegate` in an environment that decides nothing.
fn phasegate() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"));
    for name in ["NO_COLOR", "COLUMNS", "TERM", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

/// Exit code, standard output, standard error.
fn outcome(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().expect("the process ended by itself"), text(output.stdout), text(output.stderr))
}

const INIT: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n";
const DROP: &str = "ALTER TABLE users DROP name;\n";

/// A directory with migrations of these names and texts.
fn history(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

#[test]
fn a_history_without_findings_exits_with_0() {
    let directory = history(&[("0001_init.sql", "CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name text);\n")]);
    let (code, report, complaints) = outcome(phasegate().arg("check").arg(directory.path()));
    assert_eq!((code, complaints.as_str()), (0, ""), "{report}");
    assert!(report.ends_with("no findings in 1 migration (1 statement)\n"), "{report}");
}

#[test]
fn an_untagged_contract_exits_with_1_and_a_tagged_one_with_0() {
    let directory = history(&[("0001_init.sql", INIT), ("0002_drop.sql", DROP)]);
    let (code, report, _) = outcome(phasegate().arg("check").arg(directory.path()));
    assert_eq!(code, 1, "{report}");
    assert!(report.contains("error[drop-column]") && report.contains("0002_drop.sql:1:1"), "{report}");
    fs::write(directory.path().join("0002_drop.sql"), format!("-- phase contract\n{DROP}")).unwrap();
    let (code, report, _) = outcome(phasegate().arg("check").arg(directory.path()));
    assert_eq!(code, 0, "{report}");
}

#[test]
fn a_path_that_is_not_there_exits_with_2_and_the_others_are_still_reported() {
    let directory = history(&[("0001_init.sql", INIT), ("0002_drop.sql", DROP)]);
    let missing = directory.path().join("missing");
    let (code, report, complaints) = outcome(phasegate().arg("check").arg(directory.path()).arg(&missing));
    assert_eq!(code, 2, "{report}");
    assert!(complaints.contains("missing"), "{complaints}");
    assert!(report.contains("error[drop-column]"), "{report}");
    let (code, report, _) = outcome(phasegate().args(["check", "--format", "json"]).arg(directory.path()).arg(&missing));
    assert_eq!(code, 2);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["summary"]["errors"], 1);
    assert!(report["skipped"].as_array().unwrap().iter().any(|skipped| skipped["path"].as_str().unwrap().ends_with("missing")));
}

#[test]
fn arguments_that_mean_nothing_exit_with_2_and_say_why() {
    let directory = history(&[("0001_init.sql", INIT)]);
    let cases: [(&[&str], &str); 6] = [
        (&["--postgres", "14"], "15..18"),
        (&["--postgres", "18..15"], "ends before it starts"),
        (&["--format", "xml"], "human"),
        (&["--fail-on", "never"], "warning"),
        (&["--layout", "no-such-layout"], "no-such-layout"),
        (&["--no-such-flag"], "--no-such-flag"),
    ];
    for (arguments, hint) in cases {
        let (code, _, complaints) = outcome(phasegate().arg("check").arg(directory.path()).args(arguments));
        assert_eq!(code, 2, "{arguments:?}: {complaints}");
        assert!(complaints.contains(hint), "{arguments:?}: {complaints}");
    }
    assert_eq!(outcome(&mut phasegate()).0, 2, "no subcommand");
}

#[test]
fn a_schema_that_cannot_be_read_exits_with_2() {
    let directory = history(&[("0001_init.sql", INIT)]);
    let (code, _, complaints) = outcome(phasegate().arg("check").arg(directory.path()).args(["--schema", "no-such-dump.sql"]));
    assert_eq!(code, 2);
    assert!(complaints.contains("no-such-dump.sql"), "{complaints}");
}

#[test]
fn fail_on_decides_the_exit_code_and_nothing_else() {
    let directory =
        history(&[("0001_init.sql", INIT), ("0002_drop.sql", "ALTER TABLE users ADD CHECK (name <> '') NOT VALID;\n")]);
    let reports: Vec<_> = ["error", "warning", "note"]
        .map(|level| outcome(phasegate().args(["check", "--format", "json", "--fail-on", level]).arg(directory.path())))
        .into();
    assert_eq!(reports.iter().map(|report| report.0).collect::<Vec<_>>(), [0, 1, 1], "{}", reports[0].1);
    assert_eq!(reports[0].1, reports[2].1);
}

#[test]
fn standard_input_is_a_history_of_one_file() {
    let (code, report, complaints) = outcome(phasegate().args(["check", "-"]).write_stdin(DROP));
    assert_eq!((code, complaints.as_str()), (1, ""), "{report}");
    assert!(report.contains("[-:1:1]"), "{report}");
}

#[test]
fn the_current_directory_is_checked_where_no_path_is_given() {
    let directory = history(&[("0001_init.sql", INIT), ("0002_drop.sql", DROP)]);
    let (code, report, complaints) = outcome(phasegate().arg("check").current_dir(directory.path()));
    assert_eq!((code, complaints.as_str()), (1, ""), "{report}");
}

#[test]
fn the_same_bytes_give_the_same_report() {
    let directory = history(&[("0001_init.sql", INIT), ("0002_drop.sql", DROP)]);
    let report = || outcome(phasegate().args(["check", "--format", "json"]).arg(directory.path()));
    let first = report();
    assert_eq!(first.0, 1);
    assert_eq!(first, report());
}

#[test]
fn color_follows_the_flag_and_never_reaches_a_pipe_by_itself() {
    let directory = history(&[("0001_init.sql", INIT), ("0002_drop.sql", DROP)]);
    let report = |color: &str| outcome(phasegate().args(["check", "--color", color]).arg(directory.path())).1;
    assert!(!report("auto").contains('\u{1b}') && !report("never").contains('\u{1b}'));
    assert!(report("always").contains('\u{1b}'));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    // Far more than a pipe holds, so that the write after the reader left really happens.
    let many = "ALTER TABLE users DROP name;\n".repeat(5000);
    let directory = history(&[("0001_drop.sql", &many)]);
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("phasegate"))
        .args(["check", "--format", "json"])
        .arg(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "the verdict stays what it is");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn a_full_disk_exits_with_2() {
    let output = std::process::Command::new(assert_cmd::cargo::cargo_bin!("phasegate"))
        .arg("rules")
        .stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("could not be written"));
}

#[test]
fn explain_prints_the_document_within_the_width() {
    let (code, page, _) = outcome(phasegate().args(["explain", "drop-column"]).env("COLUMNS", "50"));
    assert_eq!(code, 0);
    for heading in ["drop-column\n", "What it catches\n", "Why it hurts\n", "Bad\n", "Good\n", "Recipe\n"] {
        assert!(page.contains(heading), "{heading}: {page}");
    }
    assert!(page.lines().filter(|line| !line.starts_with("    ")).all(|line| line.chars().count() <= 50), "{page}");
    assert!(!page.contains('\u{1b}'));
}

#[test]
fn explain_of_an_unknown_rule_suggests_and_exits_with_2() {
    let (code, page, complaints) = outcome(phasegate().args(["explain", "drop-colunm"]));
    assert_eq!((code, page.as_str()), (2, ""));
    assert!(complaints.contains("did you mean drop-column"), "{complaints}");
    let (code, _, complaints) = outcome(phasegate().args(["explain", "\u{1b}[2J"]));
    assert_eq!(code, 2);
    assert!(!complaints.contains('\u{1b}'), "{complaints}");
}

#[test]
fn rules_lists_every_document() {
    let names = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/rules")).unwrap().map(|entry| entry.unwrap().file_name());
    let documents = names.filter(|name| name.to_str().is_some_and(|name| name.ends_with(".md") && name != "README.md")).count();
    let (code, list, _) = outcome(phasegate().arg("rules"));
    assert_eq!((code, list.lines().count()), (0, documents));
    assert!(list.lines().any(|line| line.starts_with("drop-column ") && line.contains("  error    contract  ")), "{list}");
    let (_, json, _) = outcome(phasegate().args(["rules", "--format", "json"]));
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(rows.len(), documents);
    assert!(rows.iter().any(|row| row["id"] == "drop-column" && row["breaks"][0] == "drop-column"));
}

#[test]
fn help_and_version_are_asked_for_and_exit_with_0() {
    let (code, help, complaints) = outcome(phasegate().args(["check", "--help"]));
    assert_eq!((code, complaints.as_str()), (0, ""));
    assert!(help.contains("2 beats 1"), "{help}");
    assert_eq!(outcome(phasegate().arg("--version")).1, format!("phasegate {}\n", env!("CARGO_PKG_VERSION")));
}
