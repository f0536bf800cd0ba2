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
