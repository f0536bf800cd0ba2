//! `phasegate.toml` as users write it: what holds for which path, and every way to get it wrong.

mod mistakes;
mod paths;
mod settings;
mod shown;

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::Path;

const INIT: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n";
const DROP: &str = "ALTER TABLE users DROP name;\n";

/// A directory with these files, which is a repository: no configuration above it counts.
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join(".git")).unwrap();
    for (name, text) in files {
        write(directory.path(), name, text);
    }
    directory
}

fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

struct Outcome {
    code: i32,
    out: String,
    errors: String,
}

/// `phasegate` with these arguments, in a directory.
fn phasegate(directory: &Path, arguments: &[&str]) -> Outcome {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"));
    for name in ["NO_COLOR", "COLUMNS", "TERM", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    let output = command.current_dir(directory).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome { code: output.status.code().unwrap(), out: text(output.stdout), errors: text(output.stderr) }
}

/// The JSON report of `check`, and its exit code.
fn checked(directory: &Path, arguments: &[&str]) -> (i32, Value) {
    let Outcome { code, out, errors } = phasegate(directory, &[&["check", "--format", "json"], arguments].concat());
    (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out} {errors}")))
}

/// `path:line rule@level`, `-` behind what is suppressed; how long it stops others is not asked here.
fn findings(report: &Value) -> Vec<String> {
    let of_finding = |finding: &Value| {
        let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let silenced = if finding["suppressed"].is_null() { "" } else { "-" };
        format!("{}:{} {}@{}{silenced}", text("path"), finding["line"], text("rule"), text("level"))
    };
    let is_asked = |finding: &&Value| finding["family"] != "blocking";
    report["findings"].as_array().unwrap().iter().filter(is_asked).map(of_finding).collect()
}

/// Without notes, which are many.
fn loud(report: &Value) -> Vec<String> {
    findings(report).into_iter().filter(|finding| !finding.ends_with("@note") && !finding.ends_with("@note-")).collect()
}

fn paths(entries: &Value) -> Vec<&str> {
    entries.as_array().unwrap().iter().map(|entry| entry["path"].as_str().unwrap()).collect()
}

fn skipped(report: &Value) -> Vec<String> {
    let of_entry = |entry: &Value| format!("{}: {}", entry["path"].as_str().unwrap(), entry["why"].as_str().unwrap());
    report["skipped"].as_array().unwrap().iter().map(of_entry).collect()
}

const MONOREPO: &str = r#"
postgres = "16..18"
[rules]
drop-column = "warning"
[[histories]]
name = "shop"
paths = ["services/shop/db"]
[[histories]]
name = "pay"
paths = ["services/pay/db"]
postgres = "18"
rules = { drop-column = "note" }
"#;

fn monorepo() -> tempfile::TempDir {
    tree(&[
        ("phasegate.toml", MONOREPO),
        ("services/shop/db/0001_init.sql", INIT),
        ("services/shop/db/0002_drop.sql", DROP),
        ("services/pay/db/0001_init.sql", INIT),
        ("services/pay/db/0002_drop.sql", DROP),
        ("services/shop/report.sql", "SELECT 1;"),
        ("tools/0001_init.sql", INIT),
        ("tools/0002_drop.sql", DROP),
        ("docs/x.md", ""),
    ])
}

/// Histories as `name path versions`.
fn histories(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let of = |one: &Value| format!("{} {} {}", text(&one["name"]), text(&one["path"]), text(&one["postgres"]));
    report["histories"].as_array().unwrap().iter().map(of).collect()
}
