//! The wheel, built as pip builds it and run where there is no compiler; and pre-commit, the real one, with that wheel.
#![cfg(unix)]

#[path = "support/repository.rs"]
mod repository;

use repository::{DROP, FINE, INIT, Repo, VARIABLES, outcome};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// What a directory of `scripts/tools` is.
fn tools(which: &str) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/tools");
    let output = Command::new(script).arg(which).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
}

/// No configuration of pip and no index: what is installed is what these directories hold.
fn offline(command: &mut Command, wheels: &[&Path]) {
    let links: Vec<String> = wheels.iter().map(|one| one.display().to_string()).collect();
    command.env("PIP_CONFIG_FILE", "/dev/null").env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", links.join(" "));
    command.env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
}

/// One build at a time: each replaces what the others are reading. Between processes `.config/nextest.toml` sees to it.
static BUILDING: Mutex<()> = Mutex::new(());

/// The wheel of this tree, in `directory`: pip asks maturin for it, as for `pip install .`, but for a quick build that shares what
/// the tests were built from.
fn wheel(directory: &Path) -> PathBuf {
    let _alone = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    let bin = tools("path");
    let target = assert_cmd::cargo::cargo_bin!("phasegate").ancestors().nth(2).unwrap().to_path_buf();
    let mut pip = Command::new(bin.join("pip"));
    pip.args(["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir"]).arg(directory).arg(env!("CARGO_MANIFEST_DIR"));
    let path =
        std::env::join_paths(std::iter::once(bin.clone()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())));
    pip.env("PATH", path.unwrap()).env("MATURIN_PEP517_ARGS", "--profile dev").env("CARGO_TARGET_DIR", target);
    // What cargo tells its tests is not for the cargo in here: build scripts that look at it would run again.
    let told = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_", "CARGO_CFG_", "OUT_DIR"];
    for (name, _) in std::env::vars_os() {
        if told.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            pip.env_remove(name);
        }
    }
    offline(&mut pip, &[&tools("wheels")]);
    let (code, said) = outcome(&mut pip);
    assert_eq!(code, 0, "{said}");
    let mut built: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(built.len(), 1, "{built:?}");
    built.remove(0)
}

#[test]
fn the_wheel_brings_the_program_to_where_there_is_no_compiler() {
    let directory = tempfile::tempdir().unwrap();
    let wheels = directory.path().join("wheels");
    let wheel = wheel(&wheels);
    let name = wheel.file_name().unwrap().to_string_lossy().into_owned();
    let version = env!("CARGO_PKG_VERSION");
    assert!(name.starts_with(&format!("phasegate-{version}-py3-none-")), "any Python takes it: {name}");
    let environment = directory.path().join("environment");
    let (code, said) = outcome(Command::new(tools("path").join("python")).args(["-m", "venv"]).arg(&environment));
    assert_eq!(code, 0, "{said}");
    let mut pip = Command::new(environment.join("bin/pip"));
    offline(&mut pip, &[&wheels]);
    let (code, said) = outcome(pip.args(["install", "phasegate"]).env("PATH", "/nowhere"));
    assert_eq!(code, 0, "{said}");
    let mut program = Command::new(environment.join("bin/phasegate"));
    let (code, said) = outcome(program.arg("--version").env_clear());
    assert_eq!((code, said), (0, format!("phasegate {version}\n")));
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    let mut program = Command::new(environment.join("bin/phasegate"));
    let (code, said) = outcome(program.arg("check").arg(&demo).env_clear());
    assert!(code == 1 && said.contains("error[drop-column]") && said.contains("4 errors"), "{said}");
    // What a stranger reads before he installs it.
    let mut pip = Command::new(environment.join("bin/pip"));
    let (_, said) = outcome(pip.args(["show", "--verbose", "--files", "phasegate"]));
    for part in ["Version: 0.1.0", "MIT OR Apache-2.0", "LICENSE-APACHE", "bin/phasegate"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// A repository in which pre-commit is installed, and where the wheel and its own files come from.
struct PreCommitted {
    repo: Repo,
    wheels: PathBuf,
}

impl PreCommitted {
    fn new(configuration: &str) -> PreCommitted {
        let repo = Repo::new();
        let wheels = repo.beside("wheels");
        wheel(&wheels);
        repo.write(".pre-commit-config.yaml", configuration);
        repo.write("db/migrations/0010_init.sql", INIT).commit("first");
        let committed = PreCommitted { repo, wheels };
        let (code, said) =
            committed.run(&tools("path").join("pre-commit").display().to_string(), &["install", "--install-hooks"]);
        assert_eq!(code, 0, "{said}");
        committed
    }

    fn run(&self, program: &str, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.repo.path());
        repository::isolate(&mut command);
        for name in VARIABLES {
            command.env_remove(name);
        }
        offline(&mut command, &[&self.wheels, &tools("wheels")]);
        command.env("PRE_COMMIT_HOME", self.repo.beside("pre-commit")).env("PRE_COMMIT_COLOR", "never");
        outcome(&mut command)
    }

    /// Whether there is a commit, and what was said.
    fn commit(&self, arguments: &[&str]) -> (bool, String) {
        let (code, said) = self.run("git", &[&["commit", "--message", "x"], arguments].concat());
        (code == 0, said)
    }

    fn tells_good_from_bad_by_what_is_staged(&self) {
        let repo = &self.repo;
        repo.write("db/migrations/0020_new.sql", DROP).git(&["add", "."]);
        repo.write("db/migrations/0020_new.sql", FINE);
        let (made, said) = self.commit(&[]);
        assert!(!made && said.contains("validate migrations") && said.contains("error[drop-column]"), "{said}");
        assert!(said.contains("0020_new.sql:1:1"), "{said}");
        repo.git(&["add", "."]);
        repo.write("db/migrations/0020_new.sql", DROP);
        let (made, said) = self.commit(&[]);
        assert!(made && said.contains("Passed") && !said.contains("drop-column"), "{said}");
        assert_eq!(fs::read_to_string(repo.at("db/migrations/0020_new.sql")).unwrap(), DROP, "the work tree stays as it is");
        let (made, said) = self.commit(&["--all"]);
        assert!(!made && said.contains("error[drop-column]"), "{said}");
        repo.git(&["checkout", "--quiet", "HEAD", "--", "."]);
        // A path that is named is committed alone, whatever else is staged.
        repo.write("db/migrations/0030_bad.sql", DROP).write("README", "1").git(&["add", "."]);
        let (made, said) = self.commit(&["--only", "README"]);
        assert!(made, "{said}");
        let (made, said) = self.commit(&[]);
        assert!(!made && said.contains("0030_bad.sql:1:1"), "{said}");
    }
}

/// The block of the README that holds `mark`.
fn snippet(mark: &str) -> &'static str {
    let readme = include_str!("../README.md");
    let mut blocks = readme.split("\n```").skip(1).step_by(2).map(|block| block.split_once('\n').map_or("", |(_, text)| text));
    blocks.find(|block| block.contains(mark)).unwrap_or_else(|| panic!("the README has no block with {mark}"))
}

#[test]
fn pre_commit_takes_the_wheel_as_the_readme_shows() {
    let configuration = snippet("additional_dependencies");
    let version = format!("phasegate=={}", env!("CARGO_PKG_VERSION"));
    assert!(configuration.contains(&version), "{configuration}");
    PreCommitted::new(configuration).tells_good_from_bad_by_what_is_staged();
}

#[test]
fn pre_commit_runs_the_hook_that_this_repository_offers() {
    // A repository with the same hooks, whose package is the wheel: what building it from source comes to is the wheel as well.
    let offered = Repo::new();
    offered.write(".pre-commit-hooks.yaml", include_str!("../.pre-commit-hooks.yaml"));
    let version = env!("CARGO_PKG_VERSION");
    offered.write(
        "setup.py",
        format!(
            "from setuptools import setup\nsetup(name='offered', py_modules=[], install_requires=['phasegate=={version}'])\n"
        ),
    );
    let revision = offered.commit("hooks");
    let configuration = format!(
        "repos:\n- repo: {}\n  rev: {revision}\n  hooks:\n  - id: validate-migrations\n    args: [db/migrations]\n",
        offered.url()
    );
    PreCommitted::new(&configuration).tells_good_from_bad_by_what_is_staged();
}
