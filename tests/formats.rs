//! Every format through the front door: one report, several files, paths below the repository, forms that others define.

use assert_cmd::Command;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const FORMATS: [&str; 7] = ["human", "json", "sarif", "gitlab", "github", "junit", "markdown"];

/// Exit code, standard output, standard error.
fn phasegate(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"));
    let output =
        command.current_dir(directory).env("COLUMNS", "100").env_remove("GITHUB_ACTIONS").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Fails with every place where the value is not of the form.
fn validate(schema: &Value, value: &Value, about: &str) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{about}:\n{}", errors.join("\n"));
}

fn schema(path: &str) -> Value {
    json(&fs::read_to_string(Path::new(ROOT).join(path)).unwrap())
}

/// Every small history in `fixtures`.
fn histories() -> Vec<PathBuf> {
    let mut all = vec![PathBuf::from("fixtures/demo")];
    let layouts = fs::read_dir(Path::new(ROOT).join("fixtures/layouts")).unwrap();
    all.extend(layouts.map(|entry| Path::new("fixtures/layouts").join(entry.unwrap().file_name())));
    all.sort();
    all
}

/// A repository with a history in `services/shop/db` that has an error, a warning, a note and a suppressed finding.
fn repository() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join(".git/objects")).unwrap();
    fs::create_dir_all(directory.path().join(".git/refs")).unwrap();
    fs::write(directory.path().join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    let db = directory.path().join("services/shop/db");
    fs::create_dir_all(&db).unwrap();
    fs::write(db.join("0001_init.sql"), "CREATE TABLE users (id bigint PRIMARY KEY, name text, nick text);\n").unwrap();
    fs::write(db.join("0002_drop a.sql"), "SET LOCAL lock_timeout = '5s';\nALTER TABLE users DROP name;\n").unwrap();
    fs::write(db.join("0003_drop.sql"), "-- phase contract\nALTER TABLE users DROP nick;\n").unwrap();
    directory
}

/// After a change that is meant, run with `PHASEGATE_BLESS=1` and read the difference.
#[test]
fn the_schemas_are_the_ones_checked_in() {
    for (form, file) in [("report", "report.v1.json"), ("compare", "compare.v1.json"), ("config", "config.json")] {
        let path = Path::new(ROOT).join("schemas").join(file);
        let (code, printed, _) = phasegate(Path::new(ROOT), &["schema", form]);
        assert_eq!(code, 0);
        if std::env::var_os("PHASEGATE_BLESS").is_some() {
            fs::write(&path, &printed).unwrap();
        }
        let checked_in = fs::read_to_string(&path).unwrap_or_default();
        assert!(checked_in == printed, "{} is not what is printed; PHASEGATE_BLESS=1 writes it anew", path.display());
        assert!(jsonschema::meta::is_valid(&json(&printed)), "{form}");
    }
    assert_eq!(phasegate(Path::new(ROOT), &["schema"]).1, phasegate(Path::new(ROOT), &["schema", "report"]).1);
}

#[test]
fn the_report_of_every_history_is_of_the_form_that_the_schemas_say() {
    let (report, sarif) = (schema("schemas/report.v1.json"), schema("tests/sarif/sarif-schema-2.1.0.json"));
    for history in histories() {
        let history = history.to_str().unwrap();
        let (_, out, _) = phasegate(Path::new(ROOT), &["check", history, "--format", "json"]);
        validate(&report, &json(&out), history);
        let (_, out, _) = phasegate(Path::new(ROOT), &["check", history, "--format", "sarif"]);
        validate(&sarif, &json(&out), history);
        let (_, out, _) = phasegate(Path::new(ROOT), &["check", history, "--format", "junit"]);
        roxmltree::Document::parse(&out).unwrap();
    }
    // The schema is able to refuse.
    assert!(!jsonschema::is_valid(&report, &serde_json::json!({ "version": 2 })));
}

#[test]
fn paths_are_below_the_root_of_the_repository_wherever_the_run_began() {
    let repository = repository();
    let root = repository.path();
    let inside = root.join("services/shop");
    let absolute = inside.join("db");
    for format in FORMATS {
        let (code, from_root, _) = phasegate(root, &["check", "services/shop/db", "--format", format]);
        let (_, from_inside, _) = phasegate(&inside, &["check", "db", "--format", format]);
        let (_, from_absolute, _) = phasegate(Path::new("/"), &["check", absolute.to_str().unwrap(), "--format", format]);
        assert_eq!(code, 1);
        if format == "human" {
            assert!(from_inside.contains("[db/0002_drop a.sql:2:1]"), "people see what they gave: {from_inside}");
            continue;
        }
        assert_eq!(from_root, from_inside, "{format}");
        assert_eq!(from_root, from_absolute, "{format}");
        let (_, missing, _) = phasegate(&inside, &["check", "db", "nowhere", "--format", format]);
        // Code Quality knows no problems of a run.
        assert!(missing.contains("services/shop/nowhere") || format == "gitlab", "{format}: {missing}");
        let path = if format == "sarif" { "services/shop/db/0002_drop%20a.sql" } else { "services/shop/db/0002_drop a.sql" };
        assert!(from_root.contains(path), "{format}: {from_root}");
    }
}

#[test]
fn one_run_writes_several_reports_and_standard_output_is_pure() {
    let repository = repository();
    let arguments = ["check", "services/shop/db", "--output", "sarif=out/deep/a.sarif", "--output", "junit=out/b.xml"];
    let (code, human, _) = phasegate(repository.path(), &arguments);
    assert_eq!(code, 1);
    assert!(human.contains("error[drop-column]"), "{human}");
    for (format, file) in [("sarif", "out/deep/a.sarif"), ("junit", "out/b.xml")] {
        let (_, alone, complaints) = phasegate(repository.path(), &["check", "services/shop/db", "--format", format]);
        assert_eq!(fs::read_to_string(repository.path().join(file)).unwrap(), alone, "{format}");
        assert_eq!(complaints, "");
    }
    let left: Vec<_> = fs::read_dir(repository.path().join("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "nothing else is left: {left:?}");
    let (_, json_out, _) = phasegate(repository.path(), &["check", "services/shop/db", "--output", "json=-"]);
    assert_eq!(json(&json_out)["version"], 1);
}

#[cfg(unix)]
#[test]
fn a_written_report_has_the_rights_of_any_file_and_a_link_stays_one() {
    use std::os::unix::fs::PermissionsExt;
    let repository = repository();
    let root = repository.path();
    fs::write(root.join("plain"), "").unwrap();
    fs::write(root.join("real.json"), "old").unwrap();
    std::os::unix::fs::symlink("real.json", root.join("link.json")).unwrap();
    let outputs = ["check", "services/shop/db", "--output", "json=new.json", "--output", "json=link.json"];
    assert_eq!(phasegate(root, &outputs).0, 1);
    let mode = |name: &str| fs::metadata(root.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("new.json"), mode("plain"));
    assert!(fs::symlink_metadata(root.join("link.json")).unwrap().is_symlink());
    assert_eq!(json(&fs::read_to_string(root.join("real.json")).unwrap())["version"], 1);
    let (_, out, errors) = phasegate(root, &["check", "services/shop/db", "--output", "gitlab=/dev/stderr", "--format", "junit"]);
    assert!(out.starts_with("<?xml") && json(&errors).is_array(), "{errors}");
}

#[test]
fn a_file_that_cannot_be_written_exits_with_2_and_the_others_are_written() {
    let repository = repository();
    fs::write(repository.path().join("file"), "").unwrap();
    let arguments = [
        "check",
        "services/shop/db",
        "--format",
        "gitlab",
        "--output",
        "sarif=file/below.sarif",
        "--output",
        "json=good.json",
        "--output",
        "junit=services",
    ];
    let (code, out, complaints) = phasegate(repository.path(), &arguments);
    assert_eq!(code, 2, "{complaints}");
    assert!(complaints.contains("file/below.sarif: the report could not be written (sarif): "), "{complaints}");
    assert!(complaints.contains("services: the report could not be written (junit): "), "{complaints}");
    assert!(json(&out).is_array());
    assert_eq!(json(&fs::read_to_string(repository.path().join("good.json")).unwrap())["version"], 1);
}

#[test]
fn outputs_that_contradict_each_other_exit_with_2_before_anything_is_checked() {
    let repository = repository();
    let cases: [(&[&str], &str); 6] = [
        (&["--output", "json=-", "--output", "sarif=-"], "both mean standard output"),
        (&["--output", "json=-", "--format", "sarif"], "both mean standard output"),
        (&["--output", "json=a", "--output", "sarif=a"], "two reports would be written to a"),
        (&["--output", "yaml=a"], "`yaml` is no format; there are human, json"),
        (&["--output", "json"], "FORMAT=PATH"),
        (&["--output", "json="], "no path"),
    ];
    for (arguments, why) in cases {
        let (code, out, complaints) = phasegate(repository.path(), &[&["check", "services"], arguments].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(complaints.contains(why), "{arguments:?}: {complaints}");
    }
    assert!(!repository.path().join("a").exists());
}

#[test]
fn sarif_describes_every_rule_and_says_what_silenced_a_finding() {
    let repository = repository();
    let (_, out, _) = phasegate(repository.path(), &["check", "services/shop/db", "missing", "--format", "sarif"]);
    let log = json(&out);
    validate(&schema("tests/sarif/sarif-schema-2.1.0.json"), &log, "sarif");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), phasegate::rules::RULES.len());
    for rule in rules {
        let id = rule["id"].as_str().unwrap();
        assert_eq!(rule["helpUri"], format!("https://gitlab.com/phasegate/phasegate/-/blob/main/rules/{id}.md"));
        assert!(rule["help"]["markdown"].as_str().unwrap().contains("## Recipe"), "{id}");
        assert!(!rule["fullDescription"]["text"].as_str().unwrap().is_empty(), "{id}");
    }
    let results = run["results"].as_array().unwrap();
    let of = |file: &str| {
        let is_it = |result: &&Value| {
            let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
            result["ruleId"] == "drop-column" && uri.ends_with(file)
        };
        results.iter().find(is_it).unwrap()
    };
    let dropped = of("0002_drop%20a.sql");
    assert_eq!(rules[usize::try_from(dropped["ruleIndex"].as_u64().unwrap()).unwrap()]["id"], "drop-column");
    assert_eq!((&dropped["level"], &dropped["suppressions"]), (&"error".into(), &Value::Null));
    let place = &dropped["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    let region = serde_json::json!({
        "startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 28, "byteOffset": 31, "byteLength": 27
    });
    assert_eq!(place["region"], region);
    assert_eq!(dropped["relatedLocations"][0]["physicalLocation"]["region"]["startLine"], 1);
    assert_eq!(dropped["partialFingerprints"]["phasegate/v1"].as_str().unwrap().len(), 32);
    let tagged = of("0003_drop.sql");
    assert_eq!(tagged["suppressions"][0]["kind"], "inSource");
    assert_eq!(tagged["suppressions"][0]["properties"]["by"], "tag");
    assert_eq!(run["invocations"][0]["executionSuccessful"], false, "a path is not there");
    let notifications = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert!(
        notifications.iter().any(|one| one["descriptor"]["id"] == "not-checked" && one["level"] == "error"),
        "{notifications:?}"
    );
}

#[test]
fn suppressed_findings_are_in_no_format_that_does_not_know_of_them() {
    let repository = repository();
    let arguments = |format| ["check", "services/shop/db", "--notes", "--format", format];
    for format in ["gitlab", "github", "junit"] {
        let (_, out, _) = phasegate(repository.path(), &arguments(format));
        let about: Vec<&str> = out.match_indices("drop-column").map(|(at, _)| &out[at.saturating_sub(60)..at]).collect();
        assert!(!about.is_empty() && !about.iter().any(|before| before.contains("0003_drop")), "{format}: {out}");
    }
    let issues = json(&phasegate(repository.path(), &arguments("gitlab")).1);
    let issues = issues.as_array().unwrap();
    let fingerprints: BTreeSet<&str> = issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(fingerprints.len(), issues.len());
    for issue in issues {
        assert!(["info", "major", "critical"].contains(&issue["severity"].as_str().unwrap()));
        assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() >= 1);
        assert!(!issue["description"].as_str().unwrap().is_empty() && !issue["check_name"].as_str().unwrap().is_empty());
    }
}

#[test]
fn junit_is_red_where_the_exit_code_says_so() {
    let repository = repository();
    let failed = |fail_on: &str| {
        let (code, out, _) =
            phasegate(repository.path(), &["check", "services/shop/db", "--format", "junit", "--fail-on", fail_on]);
        let document = roxmltree::Document::parse(&out).unwrap();
        let root = document.root_element();
        let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
        let failures = cases.clone().filter(|case| case.children().any(|node| node.has_tag_name("failure")));
        assert_eq!(root.attribute("tests").unwrap(), cases.count().to_string());
        let names: Vec<String> = failures.map(|case| case.attribute("name").unwrap().to_owned()).collect();
        assert_eq!(root.attribute("failures").unwrap(), names.len().to_string());
        (code, names)
    };
    assert_eq!(failed("error"), (1, vec!["0002".to_owned()]));
    let (code, all) = failed("note");
    assert!(code == 1 && all.len() > 1, "{all:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure_of_any_format() {
    let repository = repository();
    for format in FORMATS {
        let line = format!("\"$0\" check services/shop/db --format {format} | true; echo ${{PIPESTATUS[0]}}");
        let binary = assert_cmd::cargo::cargo_bin!("phasegate");
        let output =
            std::process::Command::new("bash").current_dir(repository.path()).args(["-c", &line]).arg(binary).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "1", "{format}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{format}");
    }
}

#[test]
fn proofs_stand_in_every_format() {
    let repository = repository();
    let arguments = [
        "prove",
        "services/shop/db",
        "--only",
        "apply,second-run,trace",
        "--format",
        "json",
        "--output",
        "junit=junit.xml",
        "--output",
        "markdown=note.md",
        "--output",
        "sarif=report.sarif",
    ];
    let (code, out, complaints) = phasegate(repository.path(), &arguments);
    assert_eq!(code, 1, "{complaints}");
    let report = json(&out);
    validate(&schema("schemas/report.v1.json"), &report, "prove");
    assert_eq!(report["evidence"][0]["history"], "services/shop/db");
    assert_eq!(report["evidence"][0]["observed"][1]["path"], "services/shop/db/0002_drop a.sql");
    let junit = fs::read_to_string(repository.path().join("junit.xml")).unwrap();
    let document = roxmltree::Document::parse(&junit).unwrap();
    let proofs: Vec<&str> = document
        .descendants()
        .filter(|node| node.attribute("classname") == Some("services/shop/db proofs"))
        .map(|node| node.attribute("name").unwrap())
        .collect();
    assert_eq!(proofs, ["apply", "second-run", "trace"]);
    let note = fs::read_to_string(repository.path().join("note.md")).unwrap();
    assert!(note.contains("| apply | ✅ passed | 3 units |"), "{note}");
    validate(
        &schema("tests/sarif/sarif-schema-2.1.0.json"),
        &json(&fs::read_to_string(repository.path().join("report.sarif")).unwrap()),
        "sarif",
    );
}

#[test]
fn what_was_not_proven_is_skipped_in_junit_and_no_success_in_sarif() {
    let repository = repository();
    // A server that dies proves nothing.
    let runner = "kill -9 $(head -n 1 \"$PGHOST/.s.PGSQL.$PGPORT.lock\")";
    let arguments = [
        "prove",
        "services/shop/db",
        "--only",
        "apply",
        "--runner",
        runner,
        "--format",
        "junit",
        "--output",
        "sarif=report.sarif",
        "--output",
        "github=github.txt",
        "--output",
        "markdown=note.md",
    ];
    let (code, junit, complaints) = phasegate(repository.path(), &arguments);
    assert_eq!(code, 3, "{complaints}");
    let document = roxmltree::Document::parse(&junit).unwrap();
    let case = document.descendants().find(|node| node.attribute("classname") == Some("services/shop/db proofs")).unwrap();
    assert!(case.children().any(|node| node.has_tag_name("skipped")), "{junit}");
    let read = |file: &str| fs::read_to_string(repository.path().join(file)).unwrap();
    let log = json(&read("report.sarif"));
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(invocation["toolExecutionNotifications"][0]["descriptor"]["id"], "not-proven");
    let annotations = read("github.txt");
    assert!(annotations.lines().any(|line| line.starts_with("::error title=phasegate::services/shop/db: apply is not proven: ")));
    assert!(read("note.md").contains("| apply | ⚠️ not run: "));
}

#[test]
fn the_note_of_the_demo_reads_as_it_is_shown_to_reviewers() {
    let (code, note, _) = phasegate(Path::new(ROOT), &["check", "fixtures/demo", "--format", "markdown"]);
    assert_eq!(code, 1);
    assert!(note.starts_with("<!-- phasegate:note -->\n"));
    insta::assert_snapshot!(note);
}
