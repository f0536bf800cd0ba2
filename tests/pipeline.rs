//! The GitLab component and the GitHub action: their scripts run as the services run them, with inputs filled in, on the demo.
#![cfg(unix)]

#[path = "support/repository.rs"]
mod repository;

use repository::Repo;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use yaml_rust2::{Yaml, YamlLoader};

const FINE: &str = "-- A table of its own is nobody's yet.\nCREATE TABLE IF NOT EXISTS notes (id bigint PRIMARY KEY);\n";

/// A file of this project.
fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn yaml(text: &str) -> Vec<Yaml> {
    YamlLoader::load_from_str(text).unwrap()
}

/// A value as both services turn it into text.
fn text(value: &Yaml) -> String {
    match value {
        Yaml::String(text) => text.clone(),
        Yaml::Boolean(value) => value.to_string(),
        other => panic!("{other:?}"),
    }
}

/// The inputs of a `spec` or an action: what is given, else the default. An input that there is not is a mistake.
fn inputs(declared: &Yaml, given: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut inputs = BTreeMap::new();
    for (name, input) in declared.as_hash().unwrap() {
        assert!(input["description"].as_str().is_some(), "{name:?} is not described");
        inputs.insert(text(name), text(&input["default"]));
    }
    for (name, value) in given {
        assert!(inputs.insert((*name).to_owned(), (*value).to_owned()).is_some(), "there is no input {name}");
    }
    inputs
}

fn filled(text: &str, inputs: &BTreeMap<String, String>, open: &str, close: &str) -> String {
    let done =
        inputs.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{open} inputs.{name} {close}"), value));
    assert!(!done.contains(open), "an input is not declared: {done}");
    done
}

/// A clone whose origin has the demo on `main`, on a branch of its own.
struct Project {
    _origin: Repo,
    clone: Repo,
}

impl Project {
    fn new() -> Project {
        let origin = Repo::new();
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo")).unwrap() {
            let path = entry.unwrap().path();
            origin.write(&format!("db/{}", path.file_name().unwrap().to_string_lossy()), fs::read(&path).unwrap());
        }
        origin.commit("the demo");
        let clone = Repo::clone_of(&[&origin.url()]);
        clone.git(&["checkout", "--quiet", "-b", "work"]);
        clone.write("db/000008_notes.up.sql", FINE).commit("notes");
        Project { _origin: origin, clone }
    }

    /// Runs a script as the services do: stopped by the first command that fails. Exit code, standard output, all that was said.
    fn run(&self, script: &str, variables: &BTreeMap<String, String>) -> (i32, String, String) {
        let mut shell = Command::new("bash");
        shell.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).current_dir(self.clone.path());
        repository::isolate(&mut shell);
        let program = assert_cmd::cargo::cargo_bin!("phasegate").parent().unwrap().to_path_buf();
        let path = std::env::split_paths(&std::env::var_os("PATH").unwrap()).collect::<Vec<PathBuf>>();
        shell.env("PATH", std::env::join_paths([program].into_iter().chain(path)).unwrap());
        for name in ["CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "GITHUB_BASE_REF"] {
            shell.env_remove(name);
        }
        let output = shell.envs(variables).output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let all = format!("{out}{}", String::from_utf8_lossy(&output.stderr));
        (output.status.code().unwrap(), out, all)
    }

    fn report(&self, name: &str) -> String {
        fs::read_to_string(self.clone.at("phasegate-reports").join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.report(name)).unwrap()
    }
}

/// The component's job with these inputs: its script, and the variables that GitLab gives it.
fn component(given: &[(&str, &str)]) -> (Yaml, String, BTreeMap<String, String>) {
    let whole = file("templates/validate-migrations.yml");
    let (header, body) = whole.split_once("\n---\n").unwrap();
    let inputs = inputs(&yaml(header)[0]["spec"]["inputs"], given);
    let documents = yaml(&filled(body, &inputs, "$[[", "]]"));
    let jobs = documents[0].as_hash().unwrap();
    assert_eq!(jobs.len(), 1, "one job, and no default that would change others");
    let (name, job) = jobs.front().unwrap();
    assert_eq!(name.as_str(), Some("validate-migrations"));
    let lines: Vec<String> = job["script"].as_vec().unwrap().iter().map(text).collect();
    let variables = job["variables"].as_hash().unwrap().iter().map(|(name, value)| (text(name), text(value))).collect();
    (job.clone(), lines.join("\n"), variables)
}

#[test]
fn the_component_is_red_on_the_demo_and_says_so_in_every_report() {
    let project = Project::new();
    let (job, script, variables) = component(&[("paths", "db"), ("prove-arguments", "--only apply,second-run")]);
    let (code, _, said) = project.run(&script, &variables);
    assert!(code == 1 && said.contains("error[drop-column]"), "{said}");
    let report = project.json("phasegate.json");
    assert!(report["summary"]["errors"].as_u64() >= Some(4), "{report}");
    let proofs = report["evidence"][0]["proofs"].as_array().expect("the report is that of prove");
    assert_eq!(proofs.len(), 2, "{proofs:?}");
    let quality = project.json("codequality.json");
    let found = quality.as_array().unwrap().iter().any(|one| {
        one["check_name"] == "drop-column" && one["location"]["path"].as_str().is_some_and(|path| path.starts_with("db/000003"))
    });
    assert!(found, "{quality}");
    assert!(project.report("junit.xml").contains("<failure"));
    assert!(project.report("note.md").starts_with("<!-- phasegate:note -->\n"));
    // What is published is what the script writes, also of a job that fails.
    let artifacts = &job["artifacts"];
    assert_eq!(artifacts["when"].as_str(), Some("always"));
    for published in artifacts["reports"].as_hash().unwrap().values() {
        assert!(project.clone.at(&text(published)).exists(), "{published:?}");
    }
    assert_eq!(variables["GIT_DEPTH"], "0");
}

#[test]
fn the_component_is_green_where_a_merge_request_only_adds() {
    let project = Project::new();
    let (_, script, mut variables) = component(&[("paths", "db"), ("prove-arguments", "--only apply,second-run")]);
    variables.insert("CI_MERGE_REQUEST_TARGET_BRANCH_NAME".to_owned(), "main".to_owned());
    // The server of a job is started by whoever runs it; a shell without bash's extensions does as well.
    let (code, _, said) = project.run(&script, &variables);
    assert_eq!(code, 0, "{said}");
    let report = project.json("phasegate.json");
    assert_eq!(report["summary"]["errors"], 0);
    assert_eq!(report["summary"]["migrations"], 1, "only what the branch adds is judged: {}", report["summary"]);
    assert_eq!(project.json("codequality.json"), serde_json::json!([]));
    let (code, _, said) = project.run(&format!("exec sh -e -c '{}'", script.replace('\'', r"'\''")), &variables);
    assert_eq!(code, 0, "{said}");
    // A branch that takes something away is red again.
    project.clone.write("db/000009_drop.up.sql", "ALTER TABLE orders DROP COLUMN total_cents;\n").commit("drop");
    let (code, _, said) = project.run(&script, &variables);
    assert!(code != 0 && said.contains("000009_drop.up.sql"), "{said}");
}

#[test]
fn what_cannot_be_used_or_proven_is_no_green_job() {
    let project = Project::new();
    let run = |given: &[(&str, &str)]| {
        let (_, script, variables) = component(given);
        project.run(&script, &variables)
    };
    let (code, _, said) = run(&[("paths", "db"), ("base", "origin/nowhere"), ("prove", "false")]);
    assert!(code == 2 && said.contains("origin/nowhere"), "{said}");
    let (code, _, said) = run(&[("paths", "db"), ("base", "origin/main"), ("postgres-version", "9")]);
    assert_eq!(code, 3, "{said}");
    assert_eq!(project.json("phasegate.json")["summary"]["errors"], 0, "what was checked is in the report all the same");
    // An input is never read as a command.
    let (code, _, said) = run(&[("paths", "db; touch hacked $(touch hacked)"), ("prove", "false")]);
    assert!(code == 2 && !project.clone.at("hacked").exists(), "{said}");
}

/// The step of the action that judges, with these inputs: its script, and its variables.
fn action(given: &[(&str, &str)]) -> (String, BTreeMap<String, String>) {
    let documents = yaml(&file("action.yml"));
    let action = &documents[0];
    let inputs = inputs(&action["inputs"], given);
    let steps = action["runs"]["steps"].as_vec().unwrap();
    assert!(steps.iter().all(|step| !text(&step["run"]).contains("${{")), "a value would be read as a command");
    let step = steps.iter().find(|step| step["id"].as_str() == Some("validate")).unwrap();
    let variables = step["env"].as_hash().unwrap();
    let variables = variables.iter().map(|(name, value)| (text(name), filled(&text(value), &inputs, "${{", "}}"))).collect();
    (text(&step["run"]), variables)
}

#[test]
fn the_action_annotates_what_a_pull_request_takes_away() {
    let project = Project::new();
    let (script, mut variables) = action(&[("paths", "db"), ("prove-arguments", "--only apply")]);
    for (name, file) in [("GITHUB_OUTPUT", "output"), ("GITHUB_STEP_SUMMARY", "summary")] {
        variables.insert(name.to_owned(), project.clone.beside(file).display().to_string());
    }
    variables.insert("GITHUB_BASE_REF".to_owned(), "main".to_owned());
    let (code, out, said) = project.run(&script, &variables);
    assert_eq!(code, 0, "{said}");
    assert!(!out.contains("::error"), "{out}");
    project.clone.write("db/000009_drop.up.sql", "ALTER TABLE orders DROP COLUMN total_cents;\n").commit("drop");
    let (code, out, said) = project.run(&script, &variables);
    assert!(code != 0, "{said}");
    let annotation = out.lines().find(|line| line.starts_with("::error ")).unwrap_or_else(|| panic!("{out}"));
    assert!(annotation.contains("file=db/000009_drop.up.sql"), "{annotation}");
    assert_eq!(project.json("phasegate.sarif")["version"], "2.1.0");
    assert!(project.report("junit.xml").contains("<failure"));
    let read = |name: &str| fs::read_to_string(project.clone.beside(name)).unwrap();
    assert!(read("output").contains("reports=phasegate-reports\n"));
    assert!(read("summary").contains("000009_drop.up.sql"));
}

/// What the runner of GitHub takes for commands in a log: `::name …::` at the start of a line, `##[name …]` anywhere in one.
fn commands(log: &str) -> Vec<&str> {
    let mut stopped: Option<&str> = None;
    let mut found = Vec::new();
    for line in log.lines() {
        let start = line.trim_start();
        let name = start.strip_prefix("::").and_then(|rest| rest.split_once("::")).map(|(command, _)| command);
        match (stopped, name) {
            (Some(token), _) => stopped = if name == Some(token) { None } else { stopped },
            (None, Some("stop-commands")) => stopped = start.strip_prefix("::stop-commands::"),
            (None, name) if name.is_some() || line.contains("##[") => found.push(line),
            (None, _) => {}
        }
    }
    found
}

#[test]
fn what_a_migration_says_is_no_command_of_the_workflow() {
    let project = Project::new();
    let (script, mut variables) = action(&[("paths", "db"), ("base", "origin/main"), ("prove-arguments", "--only apply")]);
    for name in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
        variables.insert(name.to_owned(), project.clone.beside(name).display().to_string());
    }
    let hostile =
        "ALTER TABLE orders DROP COLUMN total_cents; -- ##[error]spoofed\nDROP TABLE \"##[add-mask]e ::error::spoofed\";\n";
    project.clone.write("db/000009_drop.up.sql", hostile).commit("drop");
    let (code, out, said) = project.run(&script, &variables);
    assert!(code != 0, "{said}");
    assert!(out.contains("##["), "the log quotes the migration: {out}");
    let found = commands(&out);
    assert!(found.iter().any(|line| line.contains("000009_drop.up.sql")), "{found:?}");
    let annotation = |line: &&str| ["::error ", "::warning ", "::notice "].iter().any(|start| line.starts_with(start));
    assert!(found.iter().all(annotation), "{found:#?}");
}

#[test]
fn this_project_runs_its_own_component_on_the_demo() {
    let documents = yaml(&file(".gitlab-ci.yml"));
    let include = &documents[0]["include"][0];
    assert_eq!(include["local"].as_str(), Some("templates/validate-migrations.yml"));
    let given: Vec<(String, String)> =
        include["inputs"].as_hash().unwrap().iter().map(|(name, value)| (text(name), text(value))).collect();
    let given: Vec<(&str, &str)> = given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let (job, ..) = component(&given);
    assert_eq!(job["image"]["name"].as_str(), Some("rust:1-bookworm"));
    // The demo has findings, and nothing else may be wrong with it.
    assert_eq!(documents[0]["validate-migrations"]["allow_failure"]["exit_codes"][0].as_i64(), Some(1));
}
