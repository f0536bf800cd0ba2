//! The history of the README: what a stranger sees first.

use assert_cmd::Command;

fn check(format: &str) -> std::process::Output {
    Command::new(assert_cmd::cargo::cargo_bin!("phasegate"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("COLUMNS", "100")
        .args(["check", "fixtures/demo", "--color", "never", "--format", format])
        .output()
        .unwrap()
}

#[test]
fn the_demo_ends_with_three_untagged_contracts_and_an_index_that_blocks() {
    let output = check("json");
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let found: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["level"] != "note" || !finding["suppressed"].is_null())
        .map(|finding| {
            let file = finding["path"].as_str().unwrap().trim_start_matches("fixtures/demo/");
            (
                file.split('_').next().unwrap().to_owned(),
                finding["rule"].as_str().unwrap().to_owned(),
                finding["suppressed"]["by"].clone(),
            )
        })
        .collect();
    let expected = [
        ("000003", "drop-column", serde_json::Value::Null),
        ("000004", "rename-column", serde_json::Value::Null),
        ("000005", "required-column", serde_json::Value::Null),
        ("000006", "drop-column", "tag".into()),
        ("000007", "index-blocks-writes", serde_json::Value::Null),
    ];
    assert_eq!(found, expected.map(|(file, rule, by)| (file.to_owned(), rule.to_owned(), by)));
    assert_eq!(report["histories"][0]["layout"], "golang-migrate");
    assert_eq!(report["skipped"].as_array().unwrap().len(), 7, "the down parts");
    // The words of findings are in the other snapshot: here they would only repeat what each rule's own tests say.
    insta::assert_json_snapshot!(report, {
        ".tool.version" => "VERSION",
        ".findings[].message" => "MESSAGE",
        ".findings[].help" => "HELP",
    });
}

#[test]
fn the_demo_reads_as_in_the_readme() {
    let output = check("human");
    assert_eq!(output.status.code(), Some(1));
    let report = String::from_utf8(output.stdout).unwrap();
    let readme = include_str!("../README.md");
    let (first, _) = report.split_once("\n\nerror[rename-column]").unwrap();
    let last = report.trim_end().lines().next_back().unwrap();
    assert!(readme.contains(&format!("```text\n{first}\n\n…\n\n{last}\n```\n")), "{first}\n\n…\n\n{last}");
    insta::assert_snapshot!(report);
}

/// `scripts/picture` draws it; a line of the picture may be cut where its colour changes.
#[test]
fn the_picture_shows_what_the_demo_prints() {
    let picture = include_str!("../docs/demo.svg");
    let document = roxmltree::Document::parse(picture).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text")).filter_map(|node| node.text());
    let drawn: String = texts.flat_map(str::chars).filter(|letter| !letter.is_whitespace()).collect();
    let report = String::from_utf8(check("human").stdout).unwrap();
    for line in report.lines() {
        let letters: String = line.chars().filter(|letter| !letter.is_whitespace()).collect();
        assert!(drawn.contains(&letters), "not in the picture, draw it anew with scripts/picture: {line}");
    }
}

/// The SQL of the README, each block as the pending migration of a history that has what it is about.
#[test]
fn the_sql_of_the_readme_is_accepted_as_it_says() {
    const BEFORE: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name text, email text);\n\
        CREATE UNIQUE INDEX users_email_key ON users (email);\n";
    let blocks: Vec<&str> =
        include_str!("../README.md").split("```sql\n").skip(1).map(|block| block.split_once("```").unwrap().0).collect();
    assert!(blocks.len() >= 2, "{blocks:?}");
    for block in blocks {
        let directory = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| std::fs::write(directory.path().join(file), text).unwrap();
        write("000001_users.up.sql", BEFORE);
        write("000002_full_name.up.sql", "SET LOCAL lock_timeout = '5s';\nALTER TABLE users ADD COLUMN full_name text;\n");
        write("000003_block.up.sql", block);
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"));
        let output = command.args(["check", "--format", "json"]).arg(directory.path()).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let of_block = |finding: &&serde_json::Value| finding["migration"] == "000003";
        let findings: Vec<&serde_json::Value> = report["findings"].as_array().unwrap().iter().filter(of_block).collect();
        assert!(findings.iter().any(|finding| !finding["suppressed"].is_null()), "it silences something: {block}\n{findings:#?}");
        let is_error = |finding: &&&serde_json::Value| finding["level"] == "error" && finding["suppressed"].is_null();
        assert_eq!(findings.iter().find(is_error), None, "{block}");
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("phasegate"));
        let output = command.args(["prove", "--only", "apply", "--format", "json"]).arg(directory.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{block}");
    }
}
