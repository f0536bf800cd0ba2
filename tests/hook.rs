//! `phasegate init --hook`: the hook that is written, run by git itself in commits of every kind.
#![cfg(unix)]

#[path = "support/repository.rs"]
mod repository;

use repository::{DROP, FINE, INIT, Repo, VARIABLES, outcome};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// `phasegate` in an environment that decides nothing.
fn phasegate(directory: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"));
    for name in ["NO_COLOR", "COLUMNS", "TERM"].iter().chain(&VARIABLES) {
        command.env_remove(name);
    }
    repository::isolate(&mut command);
    outcome(command.args(arguments).current_dir(directory))
}

/// A repository with a migration on `main`, and the hook.
fn hooked() -> Repo {
    let repo = Repo::new();
    repo.write("db/migrations/0010_init.sql", INIT).commit("first");
    let (code, said) = phasegate(repo.path(), &["init", "--hook"]);
    assert!(code == 0 && said.starts_with("wrote ") && said.contains(".git/hooks/pre-commit"), "{said}");
    repo
}

/// `git commit` with these arguments; whether there is a commit, and what was said.
fn commit(repo: &Repo, arguments: &[&str]) -> (bool, String) {
    let before = repo.git(&["rev-parse", "--verify", "--quiet", "HEAD"]);
    let (code, said) = outcome(&mut repo.command(repo.path(), &[&["commit", "--quiet", "--message", "x"], arguments].concat()));
    let is_made = before != repo.git(&["rev-parse", "HEAD"]);
    assert_eq!(code == 0, is_made, "{said}");
    (is_made, said)
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 == 0o111)
}

#[test]
fn a_commit_is_judged_by_what_is_staged_and_not_by_what_is_on_disk() {
    let repo = hooked();
    repo.write("db/migrations/0020_new.sql", DROP).git(&["add", "."]);
    // The work tree is fine again; what would be committed is not.
    repo.write("db/migrations/0020_new.sql", FINE);
    let (made, said) = commit(&repo, &[]);
    assert!(!made && said.contains("error[drop-column]") && said.contains("0020_new.sql:1:1"), "{said}");
    // The other way round: nothing is said at all.
    repo.git(&["add", "."]);
    repo.write("db/migrations/0020_new.sql", DROP);
    assert_eq!(commit(&repo, &[]), (true, String::new()));
    // `--all` commits what is tracked, as it is on disk.
    let (made, said) = commit(&repo, &["--all"]);
    assert!(!made && said.contains("error[drop-column]"), "{said}");
    let (made, said) = commit(&repo, &["--all", "--no-verify"]);
    assert!(made, "{said}");
}

#[test]
fn of_some_hunks_and_of_some_paths_only_those_are_judged() {
    let repo = hooked();
    let filler: String = (0..20).map(|number| format!("-- line {number}\n")).collect();
    repo.write("db/migrations/0020_new.sql", format!("{FINE}{filler}")).git(&["add", "."]);
    assert_eq!(commit(&repo, &[]), (true, String::new()));
    // Two hunks, of which `git commit --patch` takes the first, then only the second.
    let hunks = format!("CREATE TABLE more (id bigint PRIMARY KEY);\n{FINE}{filler}{DROP}");
    repo.write("db/migrations/0020_new.sql", hunks);
    let patch = |answers: &str| {
        let mut command = repo.command(repo.path(), &["commit", "--quiet", "--message", "x", "--patch"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), answers.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), said)
    };
    let (made, said) = patch("y\nn\n");
    assert!(made && !said.contains("drop-column"), "{said}");
    let (made, said) = patch("y\n");
    assert!(!made && said.contains("error[drop-column]"), "{said}");
    repo.git(&["checkout", "--quiet", "--", "."]);
    // With a bad file staged, a path that is named is committed alone: git hands the hook an index of its own.
    repo.write("db/migrations/0030_bad.sql", DROP).write("db/migrations/0040_fine.sql", FINE.replace("notes", "others"));
    repo.git(&["add", "."]);
    assert_eq!(commit(&repo, &["--only", "db/migrations/0040_fine.sql"]), (true, String::new()));
    let (made, said) = commit(&repo, &["--include", "db/migrations/0040_fine.sql"]);
    assert!(!made && said.contains("0030_bad.sql:1:1"), "{said}");
}

#[test]
fn a_commit_without_migrations_passes_in_silence() {
    let repo = Repo::new();
    assert_eq!(phasegate(repo.path(), &["init", "--hook"]).0, 0, "before the first commit");
    repo.write("README", "1").git(&["add", "."]);
    let (code, said) = outcome(&mut repo.command(repo.path(), &["commit", "--quiet", "--message", "x"]));
    assert_eq!((code, said.as_str()), (0, ""), "the first commit of all, without any migration");
    repo.write("README", "2").git(&["add", "."]);
    assert_eq!(commit(&repo, &[]), (true, String::new()));
    assert_eq!(commit(&repo, &["--allow-empty"]), (true, String::new()));
    repo.write("db/migrations/0010_init.sql", INIT).git(&["add", "."]);
    assert_eq!(commit(&repo, &[]), (true, String::new()), "the first migration");
    repo.write("README", "3").git(&["add", "."]);
    assert_eq!(commit(&repo, &[]), (true, String::new()));
    // A first migration that no runner would find is no silence.
    let other = Repo::new();
    assert_eq!(phasegate(other.path(), &["init", "--hook"]).0, 0);
    other.write("README", "1").commit("first");
    other.write("db/migrations/first migration.sql", INIT).git(&["add", "."]);
    let (made, said) = commit(&other, &[]);
    assert!(!made && said.contains("named like no layout's migrations"), "{said}");
}

#[test]
fn a_merge_is_judged_by_what_is_new_in_it() {
    let repo = hooked();
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.write("db/migrations/0020_side.sql", DROP).write("notes", "side").git(&["add", "."]);
    assert!(commit(&repo, &["--no-verify"]).0, "it was let through on its branch");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("notes", "main").git(&["add", "."]);
    assert!(commit(&repo, &[]).0);
    let (code, said) = outcome(&mut repo.command(repo.path(), &["merge", "--quiet", "side"]));
    assert!(code == 1 && said.contains("CONFLICT"), "{said}");
    repo.write("notes", "both").git(&["add", "."]);
    // What the other side brings as it is there was that side's to answer for.
    assert_eq!(commit(&repo, &[]), (true, String::new()));
    // What the merge itself adds is this commit's.
    repo.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    outcome(&mut repo.command(repo.path(), &["merge", "--quiet", "side"]));
    repo.write("notes", "both").write("db/migrations/0030_merge.sql", "DROP TABLE users;\n").git(&["add", "."]);
    let (made, said) = commit(&repo, &[]);
    assert!(!made && said.contains("0030_merge.sql:1:1") && !said.contains("0020_side.sql:"), "{said}");
}

#[test]
fn a_migration_in_conflict_is_not_committed() {
    let repo = hooked();
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.write("db/migrations/0020_new.sql", FINE).commit("side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("db/migrations/0020_new.sql", FINE.replace("notes", "others")).commit("main");
    outcome(&mut repo.command(repo.path(), &["merge", "--quiet", "side"]));
    let (code, said) = phasegate(repo.path(), &["check", "--staged"]);
    assert!(code != 0 && said.contains("resolve it"), "{said}");
}

#[test]
fn a_hook_goes_where_git_looks_for_it() {
    // From below, in a linked worktree, whose hooks are those of the repository.
    let repo = Repo::new();
    repo.write("db/migrations/0010_init.sql", INIT).commit("first");
    let other = repo.beside("other");
    repo.git(&["worktree", "add", "--quiet", "-b", "side", &other.to_string_lossy()]);
    assert_eq!(phasegate(&other.join("db"), &["init", "--hook"]).0, 0);
    assert!(is_executable(&repo.at(".git/hooks/pre-commit")));
    fs::write(other.join("db/migrations/0020_drop.sql"), DROP).unwrap();
    repo.git_in(&other, &["add", "."]);
    let (code, said) = outcome(&mut repo.command(&other, &["commit", "--quiet", "--message", "x"]));
    assert!(code == 1 && said.contains("error[drop-column]"), "{said}");
    // A directory of hooks that the repository itself has: relative to the top, wherever one stands.
    let repo = Repo::new();
    repo.write("db/migrations/0010_init.sql", INIT).commit("first");
    repo.git(&["config", "core.hooksPath", "tools/hooks"]);
    assert_eq!(phasegate(&repo.at("db"), &["init", "--hook", "migrations"]).0, 0);
    let hook = repo.at("tools/hooks/pre-commit");
    assert!(is_executable(&hook) && !repo.at(".git/hooks/pre-commit").exists());
    let text = fs::read_to_string(hook).unwrap();
    assert!(!text.contains(env!("CARGO_MANIFEST_DIR")), "what is committed names no path of this machine: {text}");
    // A submodule's are in the repository around it.
    let inner = repo.url();
    let outer = Repo::new();
    outer.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &inner, "below"]);
    assert_eq!(phasegate(&outer.at("below"), &["init", "--hook"]).0, 0);
    assert!(is_executable(&outer.at(".git/modules/below/hooks/pre-commit")));
}

#[test]
fn hooks_that_all_repositories_share_are_left_alone() {
    let repo = Repo::new();
    let shared = repo.beside("shared");
    fs::create_dir(&shared).unwrap();
    let configuration = repo.beside("gitconfig");
    fs::write(&configuration, format!("[core]\n\thooksPath = {}\n", shared.display())).unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"));
    repository::isolate(&mut command);
    let (code, said) =
        outcome(command.env("GIT_CONFIG_GLOBAL", &configuration).args(["init", "--hook"]).current_dir(repo.path()));
    assert!(code == 2 && said.contains("global") && said.contains("git config core.hooksPath"), "{said}");
    assert_eq!(fs::read_dir(&shared).unwrap().count(), 0);
}

#[test]
fn a_hook_that_is_there_is_never_overwritten() {
    for (text, hint) in [
        ("#!/bin/sh\nmake lint\n", "add this line to it: phasegate check --staged --quiet || exit 1"),
        ("#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\n", ".pre-commit-config.yaml"),
        ("#!/bin/sh\n# call_lefthook\n", "lefthook.yml"),
        ("#!/bin/sh\n# Written by `phasegate init --hook`, long ago\n", "remove it"),
    ] {
        let repo = Repo::new();
        let hook = repo.at(".git/hooks/pre-commit");
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, text).unwrap();
        let (code, said) = phasegate(repo.path(), &["init", "--hook"]);
        assert!(code == 2 && said.contains("is there already") && said.contains(hint), "{said}");
        assert_eq!(fs::read_to_string(&hook).unwrap(), text);
    }
    // A link that leads nowhere is a hook of somebody's as well.
    let repo = Repo::new();
    fs::create_dir_all(repo.at(".git/hooks")).unwrap();
    std::os::unix::fs::symlink("/nowhere/hook", repo.at(".git/hooks/pre-commit")).unwrap();
    assert_eq!(phasegate(repo.path(), &["init", "--hook"]).0, 2);
    // Our own, as it would be written: nothing is to be done.
    let repo = hooked();
    let (code, said) = phasegate(repo.path(), &["init", "--hook"]);
    assert!(code == 0 && said.ends_with("is there already\n"), "{said}");
    // The line that is told to others does what it says.
    let line = "phasegate check --staged --quiet || exit 1";
    let program = assert_cmd::cargo::cargo_bin!("phasegate");
    let hook = format!("#!/bin/sh\nPATH='{}':$PATH\n{line}\necho after\n", program.parent().unwrap().display());
    fs::write(repo.at(".git/hooks/pre-commit"), hook).unwrap();
    repo.write("db/migrations/0020_drop.sql", DROP).git(&["add", "."]);
    let (made, said) = commit(&repo, &[]);
    assert!(!made && said.contains("drop-column") && !said.contains("after"), "{said}");
}

#[test]
fn a_dry_run_writes_the_hook_to_standard_output_only() {
    let repo = Repo::new();
    let (code, text) = phasegate(repo.path(), &["init", "--hook", "--dry-run"]);
    assert!(code == 0 && text.starts_with("#!/bin/sh\n") && text.contains("check --staged --quiet"), "{text}");
    assert!(!repo.at(".git/hooks/pre-commit").exists());
}

#[test]
fn what_is_no_work_tree_gets_no_hook() {
    let nothing = Repo::empty();
    let (code, said) = phasegate(nothing.path(), &["init", "--hook"]);
    assert!(code == 2 && said.contains("not a git repository"), "{said}");
    let bare = Repo::init(&["--bare"]);
    let (code, said) = phasegate(bare.path(), &["init", "--hook"]);
    assert!(code == 2 && said.contains("work tree"), "{said}");
    let (code, said) = phasegate(nothing.path(), &["init", "--hook", "--force"]);
    assert!(code == 2 && said.contains("cannot be used with"), "{said}");
}

/// A directory for PATH with these programs, and nothing else that is installed here.
fn path_with(directory: &Path, programs: &[&str]) -> OsString {
    fs::create_dir_all(directory).unwrap();
    for program in programs {
        let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
            .map(|one| one.join(program))
            .find(|one| one.exists())
            .unwrap_or_else(|| PathBuf::from("/bin").join(program));
        std::os::unix::fs::symlink(found, directory.join(program)).unwrap();
    }
    directory.into()
}

#[test]
fn a_hook_finds_the_program_or_says_what_to_install() {
    let repo = Repo::new();
    repo.write("db/migrations/0010_init.sql", INIT).commit("first");
    // Installed where only this hook knows.
    let program = repo.beside("a place's own").join("phasegate");
    fs::create_dir(program.parent().unwrap()).unwrap();
    fs::copy(assert_cmd::cargo::cargo_bin!("phasegate"), &program).unwrap();
    let mut command = Command::new(&program);
    repository::isolate(&mut command);
    let (code, said) = outcome(command.args(["init", "--hook"]).current_dir(repo.path()));
    assert_eq!(code, 0, "{said}");
    repo.write("db/migrations/0020_drop.sql", DROP).git(&["add", "."]);
    let path = path_with(&repo.beside("bin"), &["git", "sh"]);
    let home = repo.beside("home");
    let commit = || {
        let mut command = repo.command(repo.path(), &["commit", "--quiet", "--message", "x"]);
        outcome(command.env("PATH", &path).env("HOME", &home))
    };
    let (code, said) = commit();
    assert!(code == 1 && said.contains("error[drop-column]"), "{said}");
    fs::remove_file(&program).unwrap();
    let (code, said) = commit();
    assert!(code == 1 && said.contains("phasegate is not installed here") && said.contains("--no-verify"), "{said}");
    // Installed for this user, in a place that is on no PATH of an editor.
    let user = home.join(".local/bin/phasegate");
    fs::create_dir_all(user.parent().unwrap()).unwrap();
    fs::copy(assert_cmd::cargo::cargo_bin!("phasegate"), &user).unwrap();
    let (code, said) = commit();
    assert!(code == 1 && said.contains("error[drop-column]"), "{said}");
}
