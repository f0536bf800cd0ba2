//! What the program is to a shell: completions, manual, how much it says, and what it says when something was mistyped.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Exit code, standard output, standard error.
fn phasegate(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"));
    for name in ["NO_COLOR", "COLUMNS", "TERM", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    outcome(command.args(arguments).current_dir(directory))
}

fn outcome(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().expect("the process ended by itself"), text(output.stdout), text(output.stderr))
}

const INIT: &str = "CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name text);\n";
const DROP: &str = "ALTER TABLE users DROP name;\n";

/// A directory with these files.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn subcommands() -> Vec<String> {
    let (code, help, _) = phasegate(Path::new("."), &["--help"]);
    assert_eq!(code, 0);
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let first = |line: &str| line.starts_with("  ").then(|| line[2..].split(' ').next().unwrap().to_owned());
    list.lines().filter_map(first).filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_shell_gets_a_script_with_the_names_that_can_be_typed() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, complaints) = phasegate(Path::new("."), &["completions", shell]);
        assert_eq!((code, complaints.as_str()), (0, ""));
        let known: &[&str] = match shell {
            // Both know what stands without a flag as well.
            "bash" | "zsh" => &["check", "staged", "golang-migrate", "old-writes", "drop-column"],
            "fish" => &["check", "staged", "golang-migrate", "old-writes"],
            _ => &["check", "staged"],
        };
        for word in known {
            assert!(script.contains(word), "{shell} does not offer {word}");
        }
    }
    let (code, _, complaints) = phasegate(Path::new("."), &["completions", "bsh"]);
    assert!(code == 2 && complaints.contains("'bash'"), "{complaints}");
}

#[test]
fn bash_completes_what_was_begun() {
    let (_, script, _) = phasegate(Path::new("."), &["completions", "bash"]);
    let directory = project(&[("phasegate.bash", &script)]);
    let complete = |words: &str| {
        let ask = format!(
            "source phasegate.bash; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _phasegate phasegate \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        let (code, said, complaints) = outcome(Command::new("bash").args(["--norc", "-c", &ask]).current_dir(directory.path()));
        assert_eq!((code, complaints.as_str()), (0, ""), "{words}");
        said.trim_end().to_owned()
    };
    assert_eq!(complete("phasegate che"), "check");
    assert_eq!(complete("phasegate check --stag"), "--staged");
    assert_eq!(complete("phasegate check --layout gol"), "golang-migrate");
    assert_eq!(complete("phasegate explain drop-col"), "drop-column");
    assert_eq!(complete("phasegate prove --only on-d"), "on-data");
}

#[test]
fn the_manual_has_a_page_for_every_subcommand() {
    let directory = project(&[]);
    let pages = directory.path().join("share/man1");
    let (code, _, complaints) = phasegate(directory.path(), &["man", "share/man1"]);
    assert_eq!((code, complaints.as_str()), (0, ""));
    let mut expected: Vec<String> =
        subcommands().iter().filter(|name| *name != "help").map(|name| format!("phasegate-{name}.1")).collect();
    expected.push("phasegate.1".to_owned());
    let mut written: Vec<String> =
        fs::read_dir(&pages).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    expected.sort();
    written.sort();
    assert_eq!(written, expected);
    let page = fs::read_to_string(pages.join("phasegate-check.1")).unwrap();
    assert!(page.contains(".TH phasegate-check 1") && page.contains("staged") && page.contains("db/migrations"), "{page}");
    let (_, page, _) = phasegate(directory.path(), &["man"]);
    assert!(page.contains(".TH phasegate 1") && page.contains("phasegate\\-check(1)"), "{page}");
    let (code, _, complaints) = phasegate(directory.path(), &["man", "/dev/null/man"]);
    assert!(code == 2 && complaints.contains("could not be written"), "{complaints}");
}

#[test]
fn quiet_says_nothing_where_nothing_decides_the_exit_code() {
    let directory = project(&[("db/0001_init.sql", INIT)]);
    for arguments in [&["check", "--quiet", "db"][..], &["-q", "check", "db"], &["init", "--quiet"], &["freeze", "-q", "db"]] {
        assert_eq!(phasegate(directory.path(), arguments), (0, String::new(), String::new()), "{arguments:?}");
    }
    assert!(directory.path().join("phasegate.toml").exists() && directory.path().join("db/released.sha256").exists());
    // What does decide it is said, and nothing below it.
    let directory = project(&[("db/0001_init.sql", INIT), ("db/0002_drop.sql", DROP)]);
    let (code, all, _) = phasegate(directory.path(), &["check", "db"]);
    assert!(code == 1 && all.contains("error[drop-column]") && all.contains("warning["), "{all}");
    let (code, said, _) = phasegate(directory.path(), &["check", "-q", "db"]);
    assert!(code == 1 && said.contains("error[drop-column]") && !said.contains("warning["), "{said}");
    // A program gets its report, and complaints are never silenced.
    let (code, report, _) = phasegate(directory.path(), &["check", "-q", "--format", "json", "db/0001_init.sql"]);
    assert!(code == 0 && serde_json::from_str::<serde_json::Value>(&report).is_ok_and(|report| report["version"] == 1));
    let (code, _, complaints) = phasegate(directory.path(), &["check", "-q", "nowhere"]);
    assert!(code == 2 && complaints.contains("nowhere: no such file"), "{complaints}");
    assert_eq!(phasegate(directory.path(), &["check", "-q", "-v"]).0, 2, "both is neither");
}

#[test]
fn verbose_says_what_was_recognised_and_what_it_cost_beside_the_same_report() {
    let directory = project(&[("db/0001_init.up.sql", INIT), ("db/0002_drop.up.sql", DROP), ("db/notes.sql", "SELECT 1;\n")]);
    let (_, report, silence) = phasegate(directory.path(), &["check", "db"]);
    let (code, same, said) = phasegate(directory.path(), &["check", "--verbose", "db"]);
    assert_eq!((code, same, silence.as_str()), (1, report, ""));
    assert!(said.contains("db: layout golang-migrate, because of"), "{said}");
    assert!(said.contains("2 migrations, 2 statements; 2 judged") && said.contains("  skipped db/notes.sql: "), "{said}");
    let took = said.lines().find(|line| line.trim_start().starts_with("took ")).unwrap();
    let milliseconds: f64 = took.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(milliseconds > 0.0 && milliseconds < 60_000.0, "{took}");
}

#[test]
fn what_was_mistyped_brings_what_was_meant() {
    let directory = project(&[
        ("services/shop/db/migrations/0001_init.sql", INIT),
        ("services/post/migrations/0001_init.sql", INIT),
        ("src/main.rs", ""),
    ]);
    for (arguments, meant) in [
        (&["chek"][..], "'check'"),
        (&["check", "--stagd"], "'--staged'"),
        (&["check", "--format", "jsn"], "'json'"),
        (&["check", "--layout", "golang-migrat", "."], "did you mean `golang-migrate`"),
        (&["prove", "--only", "reruns"], "did you mean `rerun`"),
        (&["explain", "drop-colum"], "did you mean drop-column"),
        (&["check", "services/shop/migrations"], "services/shop/db/migrations holds migrations"),
        (&["check", "db/migrations"], "services/shop/db/migrations, services/post/migrations hold migrations"),
    ] {
        let (code, _, complaints) = phasegate(directory.path(), arguments);
        assert!(code == 2 && complaints.contains(meant), "{arguments:?}: {complaints}");
    }
    // What lies above the working directory is nobody's suggestion.
    let (code, _, complaints) = phasegate(&directory.path().join("src"), &["check", "../nowhere"]);
    assert!(code == 2 && !complaints.contains("holds migrations"), "{complaints}");
}
