//! Releases told in git history that git itself made; the binary is run as a user runs it.

#[path = "support/repository.rs"]
mod repository;

use assert_cmd::Command;
use repository::{Repo, VARIABLES};
use std::fs;
use std::path::Path;

/// `phasegate` in an environment that decides nothing.
fn phasegate(directory: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"));
    for name in ["NO_COLOR", "COLUMNS", "TERM", "CLICOLOR_FORCE"].iter().chain(&VARIABLES) {
        command.env_remove(name);
    }
    command.current_dir(directory);
    command
}

/// What a run said.
struct Outcome {
    code: i32,
    out: String,
    err: String,
}

fn run(command: &mut Command) -> Outcome {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// `phasegate check --format json` with these arguments.
fn check(directory: &Path, arguments: &[&str]) -> Checked {
    let outcome = run(phasegate(directory).args(["check", "--format", "json"]).args(arguments));
    let report = serde_json::from_str(&outcome.out).unwrap_or_else(|error| panic!("{error}: {}{}", outcome.out, outcome.err));
    Checked { code: outcome.code, err: outcome.err, report }
}

struct Checked {
    code: i32,
    err: String,
    report: serde_json::Value,
}

impl Checked {
    /// `rule level file statement` of the findings above a note that nothing silenced.
    fn findings(&self) -> Vec<String> {
        self.all().into_iter().filter(|finding| !finding.contains(" note ")).collect()
    }

    fn all(&self) -> Vec<String> {
        let list = self.report["findings"].as_array().unwrap();
        // What it costs to run is not what these tests are about.
        let asked = |finding: &&serde_json::Value| !["blocking", "retry"].contains(&finding["family"].as_str().unwrap());
        let counted = list.iter().filter(|finding| finding["suppressed"].is_null()).filter(asked);
        counted
            .map(|finding| {
                let text = |key: &str| finding[key].as_str().unwrap().to_string();
                let file = text("path").rsplit('/').next().unwrap().to_string();
                format!("{} {} {file}", text("rule"), text("level"))
            })
            .collect()
    }

    /// Ids of the units that were reported on.
    fn units(&self) -> Vec<&str> {
        self.report["migrations"].as_array().unwrap().iter().map(|unit| unit["id"].as_str().unwrap()).collect()
    }

    fn message(&self, rule: &str) -> &str {
        let list = self.report["findings"].as_array().unwrap();
        list.iter().find(|finding| finding["rule"] == rule).unwrap()["message"].as_str().unwrap()
    }

    /// Nothing that these tests ask about, and nothing that could not be used.
    fn is_clean(&self) -> bool {
        (self.code < 2, self.err.as_str(), self.findings().is_empty()) == (true, "", true)
    }
}

const INIT: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n";
const EXPAND: &str = "ALTER TABLE users ADD COLUMN full_name text;\nUPDATE users SET full_name = name WHERE id < 1000;\n";
const DROP: &str = "ALTER TABLE users DROP COLUMN name;\n";
const CONTRACT: &str = "-- phase contract completes=0020\nALTER TABLE users DROP COLUMN name;\n";
const PHONE: &str = "ALTER TABLE users ADD COLUMN phone text;\n";

/// A repository with the first migrations committed on `main`.
fn repository(files: &[(&str, &str)]) -> Repo {
    let repo = Repo::new();
    for (name, text) in files {
        repo.write(name, text);
    }
    repo.commit("begin");
    repo
}

#[test]
fn four_releases_are_told() {
    let repo = Repo::new();
    let at = |arguments: &[&str]| check(repo.path(), arguments);
    let freeze = || run(phasegate(repo.path()).args(["freeze", "db"]));
    let release = |tag: &str| {
        let frozen = freeze();
        assert_eq!((frozen.code, frozen.err.as_str()), (0, ""), "{}", frozen.out);
        repo.commit(tag);
        repo.git(&["tag", tag]);
        frozen.out
    };

    // 1: the beginning.
    repo.write("db/0010_init.sql", INIT).commit("init");
    assert!(at(&["db"]).is_clean());
    assert_eq!(release("v1.0"), "froze 1 migration (1 file) into db/released.sha256: 0010\n");
    let checked = at(&["db"]);
    assert_eq!(
        checked.report["histories"][0]["releases"],
        serde_json::json!({"migrations": 1, "sources": ["db/released.sha256"]})
    );
    assert_eq!((checked.units(), checked.report["summary"]["released"].as_u64()), (vec![], Some(1)));
    let below = check(&repo.path().join("db"), &["."]);
    assert_eq!(below.report["histories"][0]["releases"]["sources"], serde_json::json!(["db/released.sha256"]), "below the root");

    // 2: expand, and somebody contracts in the same release.
    repo.git(&["checkout", "--quiet", "-b", "full-name"]);
    repo.write("db/0020_add_full_name.sql", EXPAND).write("db/0030_drop_name.sql", DROP).commit("expand and drop");
    assert_eq!(at(&["db"]).findings(), ["drop-column error 0030_drop_name.sql"]);
    repo.write("db/0030_drop_name.sql", CONTRACT);
    let early = at(&["db"]);
    assert_eq!((early.code, early.findings()), (1, vec!["contract-too-early error 0030_drop_name.sql".to_string()]));
    assert!(early.message("contract-too-early").contains("0020, which is not released itself"), "{}", early.report);
    // Without its name it is seen by what the backfill reads.
    repo.write("db/0030_drop_name.sql", format!("-- phase contract\n{DROP}"));
    assert_eq!(at(&["db"]).findings(), ["contract-too-early error 0030_drop_name.sql"]);
    assert_eq!(at(&["--since", "main", "db"]).findings(), ["contract-too-early error 0030_drop_name.sql"]);
    let refused = freeze();
    assert_eq!(refused.code, 1, "{}", refused.out);
    assert!(refused.err.contains("nothing is frozen: the check has errors"), "{}", refused.err);
    repo.remove("db/0030_drop_name.sql").commit("expand only");
    assert!(at(&["--since", "main", "db"]).is_clean());
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["merge", "--quiet", "full-name"]);
    assert_eq!(release("v2.0"), "froze 1 migration (1 file) into db/released.sha256: 0020\n");

    // 3: now the contract is right.
    repo.write("db/0030_drop_name.sql", CONTRACT).commit("contract");
    let right = at(&["db"]);
    assert!(right.is_clean(), "{}", right.report);
    assert_eq!(right.units(), ["0030"]);
    release("v3.0");

    // 4: a released file is edited …
    repo.git(&["checkout", "--quiet", "-b", "edit"]);
    repo.write("db/0020_add_full_name.sql", EXPAND.replace("text;", "varchar(200);"));
    let edited = at(&["db"]);
    assert_eq!((edited.code, edited.findings()), (1, vec!["released-file-changed error 0020_add_full_name.sql".to_string()]));
    let refused = freeze();
    assert_eq!(refused.code, 1);
    assert!(refused.out.contains("released-file-changed") && refused.err.contains("nothing is frozen"), "{}", refused.err);
    // … and frozen again by hand: its own manifest agrees, that of the base does not.
    let sums =
        std::process::Command::new("sh").args(["-c", "sha256sum *.sql > released.sha256"]).current_dir(repo.at("db")).status();
    assert!(sums.unwrap().success());
    repo.commit("edit and freeze again");
    assert!(at(&["db"]).is_clean(), "by itself the manifest is right");
    for base in ["main", "v3.0", "HEAD~1"] {
        let refrozen = at(&["--since", base, "db"]);
        assert_eq!(
            (refrozen.code, refrozen.findings()),
            (1, vec!["released-file-changed error 0020_add_full_name.sql".to_string()]),
            "{base}"
        );
        assert!(refrozen.message("released-file-changed").contains("edited and frozen again"), "{}", refrozen.report);
    }
    repo.write("phasegate.toml", "[releases]\ntags = \"v*\"\n");
    assert_eq!(at(&["db"]).findings(), ["released-file-changed error 0020_add_full_name.sql"]);
    repo.remove("phasegate.toml");
    repo.git(&["checkout", "--quiet", "main"]);

    // … and a low number comes late.
    repo.write("db/0015_late.sql", PHONE);
    let late = at(&["db"]);
    assert_eq!((late.code, late.findings()), (1, vec!["out-of-order error 0015_late.sql".to_string()]));
    assert!(late.message("out-of-order").contains("0015 sorts before 0030, which is released already"), "{}", late.report);
    repo.git(&["mv", "--force", "db/0020_add_full_name.sql", "db/0021_add_full_name.sql"]);
    assert_eq!(
        at(&["db"]).findings(),
        ["out-of-order error 0015_late.sql", "released-file-changed error 0021_add_full_name.sql"]
    );
}

#[test]
fn the_same_is_said_by_a_ref_by_tags_and_by_an_id() {
    let repo = repository(&[("db/0010_init.sql", INIT), ("db/0020_add_full_name.sql", EXPAND)]);
    repo.git(&["tag", "v1.0"]);
    repo.git(&["checkout", "--quiet", "-b", "work"]);
    repo.write("db/0030_drop_name.sql", DROP).commit("drop");
    for source in ["base = \"main\"", "tags = \"v*\"", "through = \"0020\"", "base = \"main\"\ntags = \"v*\"\nthrough = \"0020\""]
    {
        repo.write("phasegate.toml", format!("[releases]\n{source}\n"));
        let checked = check(repo.path(), &["db"]);
        assert_eq!((checked.code, checked.findings()), (1, vec!["drop-column error 0030_drop_name.sql".to_string()]), "{source}");
        assert_eq!(checked.units(), ["0030"], "{source}");
        assert_eq!(checked.report["histories"][0]["releases"]["migrations"], 2, "{source}");
    }
    // What the pending units created themselves may go.
    repo.write("phasegate.toml", "[releases]\nthrough = \"0010\"\n")
        .write("db/0030_drop_name.sql", "ALTER TABLE users DROP COLUMN full_name;\n");
    let checked = check(repo.path(), &["db"]);
    assert!(checked.is_clean(), "{}", checked.report);
}

#[test]
fn sources_that_disagree_are_named_with_the_first_migration() {
    let repo = repository(&[("db/0010_init.sql", INIT), ("db/0020_add_full_name.sql", EXPAND)]);
    repo.git(&["tag", "v1.0"]);
    for (through, yes, no) in [("0010", "tag v1.0", "through"), ("0030", "through", "tag v1.0")] {
        repo.write("db/0030_phone.sql", PHONE);
        repo.write("phasegate.toml", format!("[releases]\ntags = \"v*\"\nthrough = \"{through}\"\n"));
        let checked = check(repo.path(), &["db"]);
        assert_eq!(checked.code, 2, "{}", checked.report);
        let unit = if through == "0010" { "0020" } else { "0030" };
        for part in ["does not agree", &format!("{unit} is released by"), yes, no, "leave one of them out"] {
            assert!(checked.err.contains(part), "{part}: {}", checked.err);
        }
        assert_eq!(checked.units(), [""; 0], "nothing is judged by a guess");
    }
}

#[test]
fn what_cannot_be_used_exits_with_2_and_says_what_to_do() {
    let repo = repository(&[("db/0010_init.sql", INIT), ("db/0020_add_full_name.sql", EXPAND)]);
    let sum = phasegate::source::compare::sha256(INIT.as_bytes());
    let cases: &[(&str, &str, &[&str], &[&str])] = &[
        ("", "", &["--since", "mian", "db"], &["`mian` is no commit", "did you mean `main`?"]),
        ("tags = \"release-*\"", "", &["db"], &["no tag that HEAD holds matches `release-*`", "git fetch --tags"]),
        ("through = \"20\"", "", &["db"], &["`through` names `20`", "did you mean `0020`?", "from `0010` to `0020`"]),
        ("manifest = \"frozen.sha256\"", "", &["db"], &["frozen.sha256: there is no such manifest", "phasegate freeze"]),
        ("", "0010_init.sql", &["db"], &["db/released.sha256:1 is not of the form", "sha256sum"]),
        (
            "",
            &format!("{sum}  0010_init.sql\n\n{sum} *./0010_init.sql\n"),
            &["db"],
            &["0010_init.sql stands in it twice, in lines 1 and 3"],
        ),
        (
            "",
            &format!("{sum}  0005_gone.sql\n{sum}  0010_init.sql\n"),
            &["db"],
            &["db/released.sha256:1 names 0005_gone.sql, which is not there", "put the released file back"],
        ),
        ("base = \"orign/main\"", "", &["db"], &["`orign/main` is no commit", "git fetch"]),
    ];
    for (releases, manifest, arguments, parts) in cases {
        repo.write("phasegate.toml", format!("[releases]\n{releases}\n"));
        if !manifest.is_empty() {
            repo.write("db/released.sha256", manifest);
        }
        let checked = check(repo.path(), arguments);
        assert_eq!(checked.code, 2, "{releases}{manifest}: {}", checked.report);
        for part in *parts {
            assert!(checked.err.contains(part), "{part}: {}", checked.err);
        }
        assert!(
            checked.report["skipped"].as_array().unwrap().iter().any(|one| checked.err.contains(one["why"].as_str().unwrap()))
        );
        let _ = fs::remove_file(repo.at("db/released.sha256"));
    }
    repo.remove("phasegate.toml");
    let nowhere = Repo::empty();
    nowhere.write("0010_init.sql", INIT);
    for flag in [&["--since", "main"][..], &["--staged"]] {
        let checked = check(nowhere.path(), flag);
        assert_eq!(checked.code, 2);
        assert!(checked.err.contains("is in no git repository"), "{}", checked.err);
    }
    let unborn = Repo::new();
    unborn.write("0010_init.sql", INIT);
    let checked = check(unborn.path(), &["--since", "HEAD"]);
    assert_eq!(checked.code, 2);
    assert!(checked.err.contains("no commits yet"), "{}", checked.err);
    let outcome = run(phasegate(repo.path()).args(["check", "--since", "main", "--staged", "db"]));
    assert_eq!(outcome.code, 2);
    assert!(outcome.err.contains("--since"), "{}", outcome.err);
    let outcome = run(phasegate(repo.path()).args(["check", "--since", "main", "-"]).write_stdin(DROP));
    assert_eq!(outcome.code, 2);
    assert!(outcome.err.contains("standard input has no history in git"), "{}", outcome.err);
}

#[test]
fn since_reports_on_what_is_new_or_changed_and_models_the_rest() {
    let repo = repository(&[("db/0010_init.sql", INIT), ("db/0020_bad.sql", DROP), ("db/0030_more.sql", PHONE)]);
    let everything = check(repo.path(), &["db"]);
    assert_eq!(everything.findings(), ["drop-column error 0020_bad.sql"]);
    assert!(check(repo.path(), &["--since", "main", "db"]).is_clean(), "what is there is there");
    repo.git(&["checkout", "--quiet", "-b", "work"]);
    repo.write("db/0040_committed.sql", "ALTER TABLE users DROP COLUMN phone;\n").commit("work");
    repo.write("db/0050_untracked.sql", "DROP TABLE users;\n");
    let checked = check(repo.path(), &["--since", "main", "db"]);
    assert_eq!(checked.findings(), ["drop-column error 0040_committed.sql", "drop-table error 0050_untracked.sql"]);
    assert_eq!(checked.units(), ["0040", "0050"]);
    let releases = &checked.report["histories"][0]["releases"];
    assert_eq!(releases["migrations"], 3);
    assert!(releases["sources"][0].as_str().unwrap().starts_with("the merge base of main and HEAD ("), "{releases}");
    // Edited, renamed, deleted.
    repo.write("db/0010_init.sql", INIT.replace("name text", "name varchar(9)"));
    fs::rename(repo.at("db/0030_more.sql"), repo.at("db/0031_more.sql")).unwrap();
    repo.remove("db/0020_bad.sql");
    assert_eq!(
        check(repo.path(), &["--since", "main", "db"]).findings(),
        [
            "released-file-changed error 0010_init.sql",
            "released-file-changed error 0020_bad.sql",
            "released-file-changed error 0031_more.sql",
            "drop-column error 0040_committed.sql",
            "drop-table error 0050_untracked.sql",
        ]
    );
    // A single file: the history around it is modelled.
    let one = check(repo.path(), &["--since", "main", "db/0050_untracked.sql"]);
    assert_eq!(one.findings(), ["drop-table error 0050_untracked.sql"]);
    assert_eq!(
        check(repo.path(), &["--since", "main", "db/0010_init.sql"]).findings(),
        ["released-file-changed error 0010_init.sql"]
    );
}

#[test]
fn with_releases_since_only_says_what_is_reported() {
    let repo = repository(&[("db/0010_init.sql", INIT), ("db/0020_open.sql", EXPAND)]);
    repo.write("phasegate.toml", "[releases]\nthrough = \"0010\"\n").commit("releases");
    repo.git(&["checkout", "--quiet", "-b", "work"]);
    repo.write("db/0030_new.sql", "ALTER TABLE users DROP COLUMN full_name;\n");
    let checked = check(repo.path(), &["--since", "main", "db"]);
    assert!(checked.is_clean(), "0020 is pending, so its column is new: {}", checked.report);
    assert_eq!(checked.units(), ["0030"]);
    let history = &checked.report["histories"][0];
    assert_eq!(history["releases"]["migrations"], 1);
    assert_eq!(history["unchanged"]["migrations"], 1);
    let human = run(phasegate(repo.path()).args(["check", "--since", "main", "db"])).out;
    assert!(human.contains("1 migration released, modelled and not judged: through = \"0010\""), "{human}");
    assert!(human.contains("1 migration unchanged, modelled and not judged"), "{human}");
    // An open file may change, and is judged again.
    repo.write("db/0020_open.sql", format!("{EXPAND}{DROP}"));
    assert_eq!(check(repo.path(), &["--since", "main", "db"]).findings(), ["drop-column error 0020_open.sql"]);
}

#[test]
fn staged_reads_the_index_and_never_the_work_tree() {
    let repo = repository(&[("db/0010_init.sql", INIT), ("db/0020_drop.sql", DROP)]);
    let staged = || check(repo.path(), &["--staged", "db"]);
    assert_eq!((staged().units(), staged().code), (vec![], 0), "nothing is staged");
    // Staged in part, as after `git add --patch`: the work tree says something else.
    repo.write("db/0030_new.sql", PHONE).git(&["add", "db"]);
    repo.write("db/0030_new.sql", format!("{PHONE}DROP TABLE users;\n")).write("db/0040_untracked.sql", "DROP TABLE users;\n");
    repo.remove("db/0010_init.sql");
    let checked = staged();
    assert!(checked.is_clean(), "{}{}", checked.report, checked.err);
    assert_eq!(checked.units(), ["0030"]);
    assert_eq!(checked.report["histories"][0]["unchanged"]["migrations"], 2);
    repo.git(&["add", "db/0030_new.sql"]);
    assert_eq!(staged().findings(), ["drop-table error 0030_new.sql"]);
    // Taken back in the work tree, still staged.
    repo.write("db/0030_new.sql", PHONE);
    assert_eq!(staged().findings(), ["drop-table error 0030_new.sql"]);
    assert_eq!(check(repo.path(), &["--staged", "db/0030_new.sql"]).findings(), ["drop-table error 0030_new.sql"]);
    let missing = check(repo.path(), &["--staged", "db/0040_untracked.sql"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("is not in the index") && missing.err.contains("git add"), "{}", missing.err);
    // From below, and of the whole repository.
    assert_eq!(check(&repo.at("db"), &["--staged"]).findings(), ["drop-table error 0030_new.sql"]);
    assert_eq!(check(repo.path(), &["--staged"]).findings(), ["drop-table error 0030_new.sql"]);
}

#[test]
fn before_the_first_commit_everything_staged_is_new() {
    let repo = Repo::new();
    repo.write("0010_init.sql", INIT).write("0020_drop.sql", DROP).git(&["add", "0010_init.sql"]);
    assert_eq!(check(repo.path(), &["--staged"]).units(), ["0010"]);
    repo.git(&["add", "."]);
    assert_eq!(check(repo.path(), &["--staged"]).findings(), ["drop-column error 0020_drop.sql"]);
}

#[test]
fn a_released_file_is_held_against_head_when_it_is_staged_with_its_manifest() {
    let repo = repository(&[("db/0010_init.sql", INIT)]);
    assert_eq!(run(phasegate(repo.path()).args(["freeze", "db"])).code, 0);
    repo.commit("frozen");
    let changed = INIT.replace("name text", "name varchar");
    repo.write("db/0010_init.sql", &changed).git(&["add", "db"]);
    assert_eq!(check(repo.path(), &["--staged", "db"]).findings(), ["released-file-changed error 0010_init.sql"]);
    let sum = phasegate::source::compare::sha256(changed.as_bytes());
    repo.write("db/released.sha256", format!("{sum}  0010_init.sql\n"));
    assert!(check(repo.path(), &["db"]).is_clean());
    repo.git(&["add", "db"]);
    let staged = check(repo.path(), &["--staged", "db"]);
    assert!(staged.message("released-file-changed").contains("frozen again"), "{}", staged.report);
    // Taken out of the manifest, it is released all the same.
    repo.write("db/released.sha256", "").write("db/0010_init.sql", INIT).git(&["add", "db"]);
    let unfrozen = check(repo.path(), &["--staged", "db"]);
    assert!(unfrozen.message("released-file-changed").contains("no longer in the manifest"), "{}", unfrozen.report);
    assert_eq!(unfrozen.report["histories"][0]["releases"]["migrations"], 1);
    // Nor does it help to remove the manifest.
    repo.remove("db/released.sha256").git(&["add", "db"]);
    let removed = check(repo.path(), &["--staged", "db"]);
    assert!(removed.message("released-file-changed").contains("the manifest of released files, is gone"), "{}", removed.report);
}

/// A hook that runs the binary in a commit of git's own.
fn install_hook(repo: &Repo, hooks: &Path, arguments: &str) {
    let binary = assert_cmd::cargo::cargo_bin!("phasegate");
    let hook = hooks.join("pre-commit");
    fs::create_dir_all(hooks).unwrap();
    fs::write(&hook, format!("#!/bin/sh\nexec '{}' check --staged {arguments}\n", binary.display())).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let _ = repo;
}

#[cfg(unix)]
#[test]
fn a_pre_commit_hook_sees_what_this_commit_would_hold() {
    let repo = repository(&[("db/0010_init.sql", INIT), ("db/0020_phone.sql", PHONE)]);
    install_hook(&repo, &repo.at(".git/hooks"), "db");
    let commits = |directory: &Path, arguments: &[&str]| {
        let output = repo.command(directory, &[&["commit", "--quiet", "--message", "x"], arguments].concat()).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
    };
    repo.write("db/0030_drop.sql", DROP).write("db/0040_fine.sql", "CREATE TABLE notes (id bigint);\n");
    repo.git(&["add", "db/0030_drop.sql"]);
    let (committed, said) = commits(repo.path(), &[]);
    assert!(!committed && said.contains("drop-column"), "{said}");
    // Only this path: git hands the hook an index of its own (GIT_INDEX_FILE), without the other file.
    repo.git(&["add", "db/0040_fine.sql"]);
    let (committed, said) = commits(&repo.at("db"), &["0040_fine.sql"]);
    assert!(committed, "{said}");
    // All that is tracked: git locks the index and hands over the lock.
    repo.write("db/0020_phone.sql", "DROP TABLE users;\n");
    repo.git(&["reset", "--quiet", "db/0030_drop.sql"]);
    let (committed, said) = commits(repo.path(), &["--all"]);
    assert!(!committed && said.contains("drop-table"), "{said}");
    // In a linked worktree, where git sets GIT_DIR.
    let other = repo.beside("other");
    repo.git(&["worktree", "add", "--quiet", "-b", "side", &other.to_string_lossy()]);
    fs::write(other.join("db/0050_drop.sql"), DROP).unwrap();
    repo.git_in(&other, &["add", "db"]);
    let (committed, said) = commits(&other, &[]);
    assert!(!committed && said.contains("0050_drop.sql") && !said.contains("0020_phone.sql:"), "{said}");
}

#[test]
fn an_index_named_by_git_index_file_is_read() {
    let repo = repository(&[("db/0010_init.sql", INIT)]);
    repo.write("db/0020_drop.sql", DROP);
    fs::copy(repo.at(".git/index"), repo.at(".git/other")).unwrap();
    let mut add = repo.command(repo.path(), &["add", "db"]);
    assert!(add.env("GIT_INDEX_FILE", ".git/other").status().unwrap().success());
    let with = |file: &Path, directory: &Path, path: &str| {
        let outcome = run(phasegate(directory).args(["check", "--format", "json", "--staged", path]).env("GIT_INDEX_FILE", file));
        serde_json::from_str::<serde_json::Value>(&outcome.out).unwrap()["summary"]["errors"].as_u64()
    };
    assert_eq!(with(Path::new(".git/other"), repo.path(), "db"), Some(1));
    assert_eq!(with(&repo.at(".git/other"), repo.path(), "db"), Some(1));
    assert_eq!(with(Path::new(".git/other"), &repo.at("db"), "."), Some(1), "relative to the top, wherever one stands");
    assert_eq!(with(&repo.at(".git/index"), repo.path(), "db"), Some(0));
}

#[test]
fn of_a_script_with_many_migrations_only_the_changed_ones_are_reported() {
    let block = |id: &str, statement: &str| {
        format!(
            "START TRANSACTION;\nDO $EF$\nBEGIN\n    IF NOT EXISTS(SELECT 1 FROM \"__EFMigrationsHistory\" WHERE \"MigrationId\" = '{id}') THEN\n    {statement}\n    END IF;\nEND $EF$;\nCOMMIT;\n\n"
        )
    };
    let first = block("1_Init", "CREATE TABLE users (id bigint PRIMARY KEY, name text);");
    let second = block("2_Phone", "ALTER TABLE users ADD phone text;");
    let third = block("3_Drop", "ALTER TABLE users DROP COLUMN name;");
    let repo = repository(&[("script.sql", &format!("{first}{second}"))]);
    repo.write("script.sql", format!("{first}{second}{third}"));
    for arguments in [&["--since", "main"][..], &["--staged"]] {
        repo.git(&["add", "."]);
        let checked = check(repo.path(), arguments);
        assert_eq!(checked.units(), ["3_Drop"], "{arguments:?}: {}", checked.err);
        assert_eq!(checked.findings(), ["drop-column error script.sql"]);
    }
    // Of the released ones each is compared by itself.
    repo.write("script.sql", format!("{first}{}{third}", second.replace("phone text", "phone bigint")));
    let checked = check(repo.path(), &["--since", "main"]);
    assert_eq!(checked.findings(), ["released-file-changed error script.sql", "drop-column error script.sql"]);
    assert!(
        checked.report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["rule"] == "released-file-changed" && one["migration"] == "2_Phone")
    );
}

#[test]
fn line_endings_are_no_change() {
    let repo = repository(&[("db/0010_init.sql", &format!("{INIT}-- end\n"))]);
    assert_eq!(run(phasegate(repo.path()).args(["freeze", "db"])).code, 0);
    repo.commit("frozen");
    let windows = Repo::clone_of(&["--config", "core.autocrlf=true", &repo.url()]);
    assert!(fs::read_to_string(windows.at("db/0010_init.sql")).unwrap().contains("\r\n"));
    for arguments in [&["db"][..], &["--since", "origin/main", "db"], &["--staged", "db"]] {
        let checked = check(windows.path(), arguments);
        assert!(checked.is_clean() && checked.units().is_empty(), "{arguments:?}: {}", checked.report);
    }
}

#[test]
fn a_shallow_clone_is_told_how_to_get_the_rest() {
    let repo = repository(&[("db/0010_init.sql", INIT)]);
    repo.git(&["checkout", "--quiet", "-b", "work"]);
    repo.write("db/0020_drop.sql", DROP).commit("work");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("other", "x").commit("main goes on");
    let shallow = Repo::clone_of(&["--depth=1", "--no-single-branch", "--branch=work", &repo.url()]);
    let checked = check(shallow.path(), &["--since", "origin/main", "db"]);
    assert_eq!(checked.code, 2, "{}", checked.report);
    for part in ["this clone is shallow", "git fetch --unshallow", "fetch-depth: 0"] {
        assert!(checked.err.contains(part), "{part}: {}", checked.err);
    }
    shallow.git(&["-c", "protocol.file.allow=always", "fetch", "--quiet", "--unshallow"]);
    assert_eq!(check(shallow.path(), &["--since", "origin/main", "db"]).findings(), ["drop-column error 0020_drop.sql"]);
}

#[test]
fn worktrees_and_submodules_are_repositories_of_their_own() {
    let inner = repository(&[("0010_init.sql", INIT)]);
    let outer = Repo::new();
    outer.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &inner.url(), "db"]);
    outer.commit("outer");
    outer.write("db/0020_drop.sql", DROP);
    let checked = check(outer.path(), &["--since", "origin/main", "db"]);
    assert_eq!(checked.findings(), ["drop-column error 0020_drop.sql"]);
    outer.git_in(&outer.at("db"), &["add", "."]);
    assert_eq!(check(outer.path(), &["--staged", "db"]).findings(), ["drop-column error 0020_drop.sql"]);
    let from_above = check(outer.path(), &["--staged", "."]);
    assert_eq!(from_above.code, 2, "the outer repository has no migration");
    assert_eq!(check(outer.path(), &["--staged"]).code, 0, "and a hook that names no path has nothing to say about it");
    let worktree = inner.beside("worktree");
    inner.git(&["worktree", "add", "--quiet", "-b", "side", &worktree.to_string_lossy()]);
    fs::write(worktree.join("0020_drop.sql"), DROP).unwrap();
    assert_eq!(check(&worktree, &["--since", "main"]).findings(), ["drop-column error 0020_drop.sql"]);
    assert!(check(inner.path(), &["--since", "main"]).is_clean());
}

#[test]
fn a_migration_that_was_overtaken_on_the_base_is_out_of_order() {
    let repo = repository(&[("db/0010_init.sql", INIT)]);
    repo.git(&["checkout", "--quiet", "-b", "work"]);
    repo.write("db/0020_mine.sql", PHONE).commit("mine");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("db/0030_theirs.sql", "CREATE TABLE notes (id bigint);\n").commit("theirs");
    repo.git(&["checkout", "--quiet", "work"]);
    let checked = check(repo.path(), &["--since", "main", "db"]);
    assert_eq!(checked.findings(), ["out-of-order error 0020_mine.sql"]);
    assert!(checked.message("out-of-order").contains("0020 sorts before 0030, which is on main already"), "{}", checked.report);
    repo.git(&["mv", "db/0020_mine.sql", "db/0030_mine.sql"]);
    let same = check(repo.path(), &["--since", "main", "db"]);
    assert!(same.message("out-of-order").contains("has the version of db/0030_theirs.sql"), "{}", same.report);
    repo.git(&["mv", "db/0030_mine.sql", "db/0040_mine.sql"]);
    assert!(check(repo.path(), &["--since", "main", "db"]).is_clean());
}

#[test]
fn what_the_runner_runs_again_may_change_and_is_judged() {
    let view = "CREATE OR REPLACE VIEW names AS SELECT id, name FROM users;\n";
    let repo = repository(&[("db/V1__init.sql", INIT), ("db/R__names.sql", view)]);
    repo.write("db/V2__phone.sql", PHONE);
    let with = |text: &str| {
        repo.write("db/R__names.sql", text);
        check(repo.path(), &["--since", "main", "db"])
    };
    let unchanged = with(view);
    assert!(unchanged.is_clean(), "{}", unchanged.report);
    assert_eq!(unchanged.units(), ["V2"]);
    let replaced = with("CREATE OR REPLACE VIEW names AS SELECT id, name, phone FROM users;\n");
    assert!(replaced.is_clean(), "{}", replaced.report);
    assert_eq!(replaced.units(), ["V2", "R__names"]);
    assert!(replaced.all().contains(&"replace-routine note R__names.sql".to_string()), "the view is older: {:?}", replaced.all());
    let dropped = with("DROP VIEW IF EXISTS names;\nCREATE VIEW names AS SELECT id FROM users;\n");
    assert_eq!(dropped.findings(), ["drop-view error R__names.sql"]);
    // The manifest has a sum, not the text: what the file makes is older all the same.
    repo.write("db/R__names.sql", view).remove("db/V2__phone.sql");
    assert_eq!(run(phasegate(repo.path()).args(["freeze", "db"])).code, 0);
    repo.write("db/R__names.sql", "CREATE OR REPLACE VIEW names AS SELECT id, name FROM users WHERE id > 0;\n")
        .write("db/V3__drop.sql", "DROP VIEW names;\n");
    let checked = check(repo.path(), &["db"]);
    assert_eq!(checked.findings(), ["drop-view error V3__drop.sql"], "{}", checked.report);
}

#[test]
fn a_directory_that_moved_is_the_same_history() {
    let repo = repository(&[
        ("db/migrations/0010_init.sql", INIT),
        ("db/migrations/0020_phone.sql", PHONE),
        ("db/seed.sql", "SELECT 1;\n"),
    ]);
    repo.git(&["checkout", "--quiet", "-b", "work"]);
    fs::create_dir_all(repo.at("server")).unwrap();
    repo.git(&["mv", "db/migrations", "server/migrations"]);
    repo.write("server/migrations/0030_drop.sql", DROP).commit("moved");
    let checked = check(repo.path(), &["--since", "main", "server/migrations"]);
    assert_eq!(checked.findings(), ["drop-column error 0030_drop.sql"]);
    assert_eq!(checked.units(), ["0030"]);
    repo.write("server/migrations/0020_phone.sql", "SELECT 1;\n");
    let edited = check(repo.path(), &["--since", "main", "server/migrations"]);
    assert_eq!(edited.findings(), ["released-file-changed error 0020_phone.sql", "drop-column error 0030_drop.sql"]);
    // A history that begins here was nowhere before.
    repo.write("other/0001_first.sql", "CREATE TABLE other (id bigint);\n");
    assert_eq!(check(repo.path(), &["--since", "main", "other"]).units(), ["0001"]);
}

#[test]
fn a_late_unit_is_judged_after_what_is_released() {
    let repo = repository(&[("db/0010_init.sql", INIT), ("db/0030_notes.sql", "CREATE TABLE notes (id bigint, text text);\n")]);
    repo.write("db/0020_late.sql", "ALTER TABLE notes DROP COLUMN text;\n");
    let checked = check(repo.path(), &["--since", "main", "db"]);
    assert_eq!(checked.findings(), ["out-of-order error 0020_late.sql", "drop-column error 0020_late.sql"], "{}", checked.report);
}

#[test]
fn freeze_writes_what_sha256sum_checks_and_keeps_what_is_there() {
    let repo = Repo::empty();
    repo.write("db/000001_init.up.sql", INIT).write("db/000001_init.down.sql", "DROP TABLE users;\n").write("db/notes.md", "x");
    let freeze = |path: &str| run(phasegate(repo.path()).args(["freeze", path]));
    let verified = || {
        let output = std::process::Command::new("sha256sum")
            .args(["--check", "--strict", "--quiet", "released.sha256"])
            .current_dir(repo.at("db"))
            .output();
        output.unwrap().status.success()
    };
    let manifest = || fs::read_to_string(repo.at("db/released.sha256")).unwrap();
    assert_eq!(freeze("db").out, "froze 1 migration (2 files) into db/released.sha256: 000001\n");
    assert!(verified());
    assert_eq!(
        manifest().lines().map(|line| line.split_once("  ").unwrap().1).collect::<Vec<_>>(),
        ["000001_init.down.sql", "000001_init.up.sql"]
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &str| fs::metadata(repo.at(path)).unwrap().permissions().mode();
        assert_eq!(mode("db/released.sha256"), mode("db/notes.md"), "as any file that is made here");
    }
    // Again: nothing to do.
    let before = fs::metadata(repo.at("db/released.sha256")).unwrap().modified().unwrap();
    let again = freeze("db");
    assert_eq!((again.code, again.out.as_str()), (0, "nothing to freeze: db/released.sha256 lists all there is (2 files)\n"));
    assert_eq!(fs::metadata(repo.at("db/released.sha256")).unwrap().modified().unwrap(), before);
    // A manifest in another form, without the files that undo, stays so.
    let sum = phasegate::source::compare::sha256(INIT.as_bytes());
    repo.write("db/released.sha256", format!("{sum} *./000001_init.up.sql\n"));
    repo.write("db/000002_phone.up.sql", PHONE).write("db/000002_phone.down.sql", "SELECT 1;\n");
    assert_eq!(freeze("db").out, "froze 1 migration (1 file) into db/released.sha256: 000002\n");
    let names: Vec<String> = manifest().lines().map(|line| line[64..].to_string()).collect();
    assert_eq!(names, [" *./000001_init.up.sql", " *./000002_phone.up.sql"]);
    assert!(verified());
    // A file that undoes a released one may be listed, and is held to it.
    let down = phasegate::source::compare::sha256(b"DROP TABLE users;\n");
    repo.write("db/released.sha256", format!("{}{down} *./000001_init.down.sql\n", manifest()));
    assert!(check(repo.path(), &["db"]).is_clean());
    repo.write("db/000001_init.down.sql", "SELECT 2;\n");
    assert_eq!(check(repo.path(), &["db"]).findings(), ["released-file-changed error 000001_init.down.sql"]);
    let refused = freeze("db");
    assert_eq!(refused.code, 1, "{}", refused.err);
}

#[test]
fn freeze_writes_where_the_configuration_says_and_refuses_what_it_cannot_know() {
    let repo = Repo::empty();
    repo.write("phasegate.toml", "[releases]\nmanifest = \"frozen/all.sha256\"\n");
    repo.write("a/migrations/0001_a.sql", "CREATE TABLE a (id bigint);\n")
        .write("b/migrations/0001_b.sql", "CREATE TABLE b (id bigint);\n");
    fs::create_dir_all(repo.at("frozen")).unwrap();
    let frozen = run(phasegate(repo.path()).args(["freeze", "."]));
    assert_eq!(
        (frozen.code, frozen.out.as_str()),
        (0, "froze 2 migrations (2 files) into frozen/all.sha256: 0001, 0001\n"),
        "{}",
        frozen.err
    );
    let text = fs::read_to_string(repo.at("frozen/all.sha256")).unwrap();
    assert!(text.contains("  ../a/migrations/0001_a.sql\n") && text.contains("  ../b/migrations/0001_b.sql\n"), "{text}");
    let checked = check(repo.path(), &["."]);
    assert!(checked.is_clean(), "{}", checked.report);
    assert_eq!(checked.report["summary"]["released"], 2);
    for (arguments, part) in
        [(&["a/migrations/0001_a.sql"][..], "is a file"), (&["-"], "standard input"), (&["nowhere"], "nothing is frozen")]
    {
        let refused = run(phasegate(repo.path()).arg("freeze").args(arguments));
        assert_eq!(refused.code, 2, "{arguments:?}: {}", refused.err);
        assert!(refused.err.contains(part), "{part}: {}", refused.err);
    }
    // A level in the configuration does not open what is frozen.
    repo.write("phasegate.toml", "[releases]\nmanifest = \"frozen/all.sha256\"\n[rules]\nreleased-file-changed = \"off\"\n");
    repo.write("a/migrations/0001_a.sql", "CREATE TABLE a (id int);\n");
    let refused = run(phasegate(repo.path()).args(["freeze", "."]));
    assert_eq!(refused.code, 1, "{}", refused.out);
    assert!(refused.err.contains("released files"), "{}", refused.err);
}

#[test]
fn what_was_there_before_the_first_freeze_is_told_by_its_id() {
    let repo = Repo::empty();
    repo.write("db/0001_init.sql", INIT).write("db/0002_drop.sql", DROP);
    let refused = run(phasegate(repo.path()).args(["freeze", "db"]));
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("through = \"<id>\""), "{}", refused.err);
    repo.write("phasegate.toml", "[releases]\nthrough = \"0002\"\n").write("db/0003_phone.sql", PHONE);
    let frozen = run(phasegate(repo.path()).args(["freeze", "db"]));
    assert_eq!(frozen.code, 0, "{}", frozen.err);
    assert!(
        frozen.out.contains("froze 3 migrations (3 files)") && frozen.out.contains("take it out of the configuration"),
        "{}",
        frozen.out
    );
    let disagreeing = check(repo.path(), &["db"]);
    assert_eq!(disagreeing.code, 2);
    assert!(
        disagreeing.err.contains("0003 is released by db/released.sha256, and not by through = \"0002\""),
        "{}",
        disagreeing.err
    );
    repo.remove("phasegate.toml");
    assert!(check(repo.path(), &["db"]).is_clean());
}
