//! Git repositories for tests, made with git itself in an environment that decides nothing.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository that goes away with the test.
pub struct Repo {
    root: tempfile::TempDir,
    path: PathBuf,
    commits: Cell<u32>,
}

/// What must not come in from outside.
pub const VARIABLES: [&str; 5] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_CEILING_DIRECTORIES"];

/// Migrations: a first one, one that breaks the previous release, one that does not.
pub const INIT: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n";
pub const DROP: &str = "ALTER TABLE users DROP name;\n";
pub const FINE: &str = "CREATE TABLE notes (id bigint PRIMARY KEY);\n";

/// Exit code, and all that was said.
pub fn outcome(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().expect("the process ended by itself"), text)
}

impl Repo {
    /// An empty repository on branch `main`.
    pub fn new() -> Repo {
        Repo::init(&[])
    }

    pub fn init(arguments: &[&str]) -> Repo {
        let repo = Repo::empty();
        repo.git(&[&["init", "--quiet", "--initial-branch=main"], arguments].concat());
        repo
    }

    /// `git clone` with these arguments; the source comes last.
    pub fn clone_of(arguments: &[&str]) -> Repo {
        let repo = Repo::empty();
        repo.git(&[&["-c", "protocol.file.allow=always", "clone", "--quiet"], arguments, &["."]].concat());
        repo
    }

    /// A directory that is no repository yet.
    pub fn empty() -> Repo {
        let root = tempfile::tempdir().unwrap();
        // As git resolves it: the system's temporary directory may be a link.
        let path = root.path().canonicalize().unwrap().join("repo");
        fs::create_dir(&path).unwrap();
        Repo { root, path, commits: Cell::new(0) }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn at(&self, below: &str) -> PathBuf {
        self.path.join(below)
    }

    /// Beside the repository, in a directory that goes away with it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(name)
    }

    pub fn url(&self) -> String {
        format!("file://{}", self.path.display())
    }

    /// Runs git at the top; what it prints, without the last line break.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.path, arguments)
    }

    pub fn git_in(&self, directory: &Path, arguments: &[&str]) -> String {
        let output = self.command(directory, arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "git {arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_string()
    }

    pub fn command(&self, directory: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(directory).args(arguments);
        isolate(&mut command);
        // Commits are a minute apart: what is newer must not depend on how fast the test runs.
        let minute = self.commits.get();
        self.commits.set(minute + 1);
        let date = format!("2024-01-01T{:02}:{:02}:00Z", minute / 60 % 24, minute % 60);
        command.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        command
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Repo {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub fn remove(&self, path: &str) -> &Repo {
        fs::remove_file(self.at(path)).unwrap();
        self
    }

    /// Commits all there is; the id of the commit.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// No configuration of the user or the system, and a name for commits.
pub fn isolate(command: &mut Command) {
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Ada").env(format!("GIT_{role}_EMAIL"), "ada@example.org");
    }
}
