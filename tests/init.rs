//! `phasegate init`, run as a user runs it, in directories and repositories that the tests make.

#[path = "support/repository.rs"]
mod repository;

use assert_cmd::Command;
use repository::{Repo, VARIABLES};
use std::fs;
use std::path::Path;

/// Exit code, standard output, standard error.
fn phasegate(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"));
    for name in ["NO_COLOR", "COLUMNS", "TERM"].iter().chain(&VARIABLES) {
        command.env_remove(name);
    }
    let output = command.args(arguments).current_dir(directory).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().expect("the process ended by itself"), text(output.stdout), text(output.stderr))
}

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

const INIT: (&str, &str) = ("db/migrations/0001_init.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n");
const EARLY: (&str, &str) = ("db/migrations/0002_drop.sql", "ALTER TABLE users DROP name;\nALTER TABLE users ADD age int;\n");

#[test]
fn without_git_judging_starts_after_the_last_migration() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &[INIT, EARLY]);
    assert_eq!(phasegate(directory.path(), &["check"]).0, 1, "the history has an error before");
    let (code, said, complaints) = phasegate(directory.path(), &["init"]);
    assert_eq!((code, complaints.as_str()), (0, ""), "{said}");
    assert!(
        said.contains("history   db/migrations (2 migrations)") && said.contains("released  everything through 0002"),
        "{said}"
    );
    assert!(said.contains("2 released, 0 pending, no errors"), "{said}");
    let written = fs::read_to_string(directory.path().join("phasegate.toml")).unwrap();
    assert!(
        written.contains("paths = [\"db/migrations\"]") && written.contains("releases = { through = \"0002\" }"),
        "{written}"
    );
    let (code, report, _) = phasegate(directory.path(), &["check"]);
    assert_eq!(code, 0, "{report}");
    write(directory.path(), &[("db/migrations/0003_bad.sql", "ALTER TABLE users RENAME age TO years;\n")]);
    let (code, report, _) = phasegate(directory.path(), &["check"]);
    assert_eq!(code, 1, "{report}");
    assert!(report.contains("error[rename-column]") && !report.contains("drop-column"), "{report}");
}

#[test]
fn with_a_remote_what_its_branch_holds_is_released() {
    let origin = Repo::new();
    for (path, text) in [INIT, EARLY] {
        origin.write(path, text);
    }
    origin.commit("first");
    let repo = Repo::clone_of(&[&origin.url()]);
    let clone = repo.path().to_path_buf();
    let (code, said, complaints) = phasegate(&clone.join("db"), &["init"]);
    assert_eq!((code, complaints.as_str()), (0, ""), "{said}");
    assert!(said.contains("what the merge base with origin/main holds"), "{said}");
    let written = fs::read_to_string(clone.join("phasegate.toml")).expect("it goes to the top of the repository");
    assert!(written.contains("releases = { base = \"origin/main\" }"), "{written}");
    write(&clone, &[("db/migrations/0003_bad.sql", "ALTER TABLE users ADD email text NOT NULL;\n")]);
    let (code, report, _) = phasegate(&clone, &["check"]);
    assert_eq!(code, 1, "{report}");
    assert!(report.contains("error[required-column]") && report.contains("1 error"), "{report}");
}

#[test]
fn a_manifest_that_is_there_is_left_to_say_what_is_released() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &[INIT]);
    assert_eq!(phasegate(directory.path(), &["freeze", "db/migrations"]).0, 0);
    write(directory.path(), &[EARLY]);
    let (code, said, _) = phasegate(directory.path(), &["init"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("what released.sha256 lists") && said.contains("1 released, 1 pending, 1 errors"), "{said}");
}

#[test]
fn a_configuration_that_is_there_is_not_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &[INIT, ("phasegate.toml", "# mine\n")]);
    let (code, _, complaints) = phasegate(directory.path(), &["init"]);
    assert_eq!(code, 2);
    assert!(complaints.contains("--force"), "{complaints}");
    assert_eq!(fs::read_to_string(directory.path().join("phasegate.toml")).unwrap(), "# mine\n");
    assert_eq!(phasegate(directory.path(), &["init", "--force"]).0, 0);
    assert!(fs::read_to_string(directory.path().join("phasegate.toml")).unwrap().contains("[[histories]]"));
}

#[test]
fn a_dry_run_writes_the_file_to_standard_output_only() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &[INIT]);
    let (code, text, _) = phasegate(directory.path(), &["init", "--dry-run"]);
    assert_eq!(code, 0);
    assert!(text.parse::<toml::Table>().is_ok_and(|table| table.contains_key("histories")), "{text}");
    assert!(!directory.path().join("phasegate.toml").exists());
}

#[test]
fn what_cannot_be_used_exits_with_2_and_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &[("notes.txt", "")]);
    for (arguments, hint) in [
        (&["init"][..], "holds no migration"),
        (&["init", "notes.txt"], "is a file"),
        (&["init", "missing"], "No such file"),
        (&["init", "--layout", "flywa"], "did you mean `flyway`"),
    ] {
        let (code, _, complaints) = phasegate(directory.path(), arguments);
        assert_eq!(code, 2, "{arguments:?}");
        assert!(complaints.contains(hint), "{arguments:?}: {complaints}");
    }
    assert!(!directory.path().join("phasegate.toml").exists());
}

#[test]
fn placeholders_without_a_value_are_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &[("V1__a.sql", "CREATE TABLE ${schema}.users (id bigint);\n")]);
    let (code, said, _) = phasegate(directory.path(), &["init"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("values    missing for schema"), "{said}");
    let written = fs::read_to_string(directory.path().join("phasegate.toml")).unwrap();
    assert!(written.contains("[placeholders]\n# \"schema\" = \"\""), "{written}");
}
