//! Comments that allow findings: SQL text in, report out.

use phasegate::check::{self, Checked, Request};
use phasegate::config::Settings;
use phasegate::finding::SuppressedBy;
use std::fs;
use std::path::Path;

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        fs::write(directory.join(name), text).unwrap();
    }
}

fn checked_in(directory: &Path, files: &[(&str, &str)], path: &str) -> Checked {
    write(directory, files);
    let checked = check::run(&Request::of_paths([directory.join(path)], Settings::default()));
    assert_eq!(checked.unusable, []);
    checked
}

/// The errors of these files: `rule:line`, with `=tag` or `=allow` behind it where something silenced it.
fn errors(files: &[(&str, &str)]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    listed(&checked_in(directory.path(), files, ""))
}

fn listed(checked: &Checked) -> Vec<String> {
    let text = |path: &str| fs::read_to_string(path).unwrap();
    let silenced = |finding: &phasegate::finding::Finding| match finding.suppressed.as_ref().map(|suppression| suppression.by) {
        None => "",
        Some(SuppressedBy::Tag) => "=tag",
        Some(SuppressedBy::Allow) => "=allow",
        Some(other) => panic!("{other:?}"),
    };
    let findings = checked.findings.iter().filter(|f| f.suppressed.is_some() || f.level == phasegate::finding::Level::Error);
    findings
        .map(|f| {
            let line = text(&f.path)[..f.span.start].matches('\n').count() + 1;
            format!("{}:{line}{}", f.rule, silenced(f))
        })
        .collect()
}

const INIT: (&str, &str) =
    ("0001_init.sql", "CREATE TABLE users (id bigint, name text, age int);\nCREATE TABLE carts (id bigint);\n");

/// The errors of one file after [`INIT`].
fn after_init(text: &str) -> Vec<String> {
    errors(&[INIT, ("0002_next.sql", text)])
}

#[test]
fn an_allow_covers_the_statement_that_follows_and_nothing_else() {
    let text = "-- phasegate: allow drop-table -- nobody reads it\n\n-- words\n\nDROP TABLE carts;\nDROP TABLE users;\n";
    assert_eq!(after_init(text), ["drop-table:5=allow", "drop-table:6"]);
}

#[test]
fn several_allows_may_stand_above_one_statement() {
    let text = "-- phasegate: allow drop-column -- unused\n/* phasegate: allow rename-table -- unused */\nDO $$ BEGIN\nALTER TABLE users DROP name;\nALTER TABLE carts RENAME TO c;\nEND $$;\n";
    assert_eq!(after_init(text), ["drop-column:4=allow", "rename-table:5=allow"]);
}

#[test]
fn line_ends_marks_and_case_do_not_matter() {
    let text = "-- PhaseGate allow drop-table -- nobody reads it\nDROP TABLE carts;\n";
    for text in [text.to_string(), text.replace('\n', "\r\n"), format!("\u{feff}{text}"), text.trim_end().replace(';', "")] {
        assert_eq!(after_init(&text), ["drop-table:2=allow"], "{text:?}");
    }
}

#[test]
fn the_reason_is_kept_and_the_nearest_comment_silences() {
    let directory = tempfile::tempdir().unwrap();
    let text = "-- phasegate: allow-file drop-table -- for all\n-- phasegate: allow drop-table -- for one\nDROP TABLE carts;\nDROP TABLE users;\n";
    let checked = checked_in(directory.path(), &[INIT, ("0002_next.sql", text)], "");
    let reasons: Vec<&str> = checked.findings.iter().filter_map(|f| f.suppressed.as_ref()?.reason.as_deref()).collect();
    assert_eq!(reasons, ["for one", "for all"]);
}

#[test]
fn of_two_comments_for_one_finding_the_second_is_unused() {
    let text = "-- phasegate: allow drop-table -- one\n-- phasegate: allow drop-table -- two\nDROP TABLE carts;\n";
    assert_eq!(after_init(text), ["unused-allow:2", "drop-table:3=allow"]);
}

#[test]
fn a_function_is_covered_as_a_whole() {
    let text = "-- phasegate: allow opaque-sql -- it only counts\nDO $$\nBEGIN\n  EXECUTE (SELECT 'x' FROM users);\nEND $$;\n";
    assert_eq!(after_init(text), ["opaque-sql:4=allow"]);
}

#[test]
fn what_is_no_statement_can_be_allowed_too() {
    let text = "-- phasegate: allow psql-command -- psql runs it\n\\connect shop\n-- phasegate: allow psql-command -- psql runs it\nCOPY users (id) FROM stdin;\n1\n2\n\\.\n\\echo done\n";
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &[("0001_init.up.sql", INIT.1), ("0002_next.up.sql", text)]);
    // By themselves these files would be taken for psql's own.
    let settings = Settings { layout: Some("golang-migrate".into()), ..Settings::default() };
    let found = listed(&check::run(&Request::of_paths([directory.path()], settings)));
    assert_eq!(found, ["psql-command:2=allow", "psql-command:5=allow", "psql-command:8"]);
}

#[test]
fn an_allow_for_the_file_covers_what_is_said_about_the_file() {
    let text = "BEGIN;\n-- phasegate: allow-file drop-table, malformed-phase-tag -- nobody reads them\nDROP TABLE carts;\nDROP TABLE users;\nCOMMIT;\n-- phase contract\n";
    let found = after_init(text);
    assert_eq!(found, ["drop-table:3=allow", "drop-table:4=allow", "malformed-phase-tag:6=allow"]);
}

#[test]
fn a_tag_comes_before_an_allow_and_leaves_other_families_to_it() {
    let text = "-- phase contract\n-- phasegate: allow drop-table -- unused\nDROP TABLE carts;\n-- phasegate: allow opaque-sql -- it only counts\nDO $$ BEGIN EXECUTE (SELECT 'x' FROM users); END $$;\n";
    assert_eq!(after_init(text), ["unused-allow:2", "drop-table:3=tag", "opaque-sql:5=allow"]);
}

#[test]
fn an_allow_may_be_about_what_a_syntax_error_hides() {
    let text =
        "-- phasegate: allow-file drop-column -- unused\n-- phasegate: allow drop-table -- unused\nDROP TABLE carts CASCAED;\n";
    assert_eq!(after_init(text), ["syntax-error:3"]);
    let text = "-- phasegate: allow syntax-error -- only our server understands it\nDROP TABLE carts CASCAED;\n";
    assert_eq!(after_init(text), ["syntax-error:2=allow"]);
}

#[test]
fn nothing_is_said_about_comments_of_units_that_are_not_reported() {
    let directory = tempfile::tempdir().unwrap();
    let bad = "-- phasegate: allow drop-table -- unused\n-- phasegate: alow\n-- phasegate: allow no-such\nSELECT 1;\n";
    let files = [INIT, ("0002_next.sql", bad), ("0003_last.sql", "DROP TABLE carts;\n")];
    assert_eq!(listed(&checked_in(directory.path(), &files, "0003_last.sql")), ["drop-table:1"]);
    assert_eq!(listed(&checked_in(directory.path(), &files, "")).len(), 5);
}

#[test]
fn each_unit_of_a_file_has_its_own_comments() {
    let block = |id: &str, sql: &str| {
        format!(
            "DO $EF$\nBEGIN\n    IF NOT EXISTS(SELECT 1 FROM \"__EFMigrationsHistory\" WHERE \"MigrationId\" = '{id}') THEN\n    {sql}\n    END IF;\nEND $EF$;\n"
        )
    };
    let text = format!(
        "-- phasegate: allow-file drop-table -- unused\n{}-- phasegate: allow drop-table -- unused\n{}{}-- phasegate: allow-file drop-table -- unused\n{}",
        block("1_a", "CREATE TABLE t (id int);"),
        block("1_a", "DROP TABLE carts;"),
        block("2_b", "DROP TABLE users;"),
        block("3_c", "DROP TABLE shops;")
    );
    let found = errors(&[("script.sql", &text)]);
    // The first unit: its header covers nothing that the nearer comment did not; the second unit has no comment.
    assert_eq!(found, ["unused-allow:1", "drop-table:12=allow", "drop-table:18", "drop-table:25=allow"]);
}

#[test]
fn a_header_before_a_marker_belongs_to_the_unit_and_a_down_section_to_none() {
    let text = "-- phasegate: allow-file drop-table -- unused\n-- +goose Up\n-- phasegate: allow drop-column -- unused\n-- +goose StatementBegin\nALTER TABLE users DROP name;\n-- +goose StatementEnd\nDROP TABLE carts;\n-- phasegate: allow drop-table -- nothing follows\n-- +goose Down\n-- phasegate: allow drop-view -- never judged\nDROP VIEW v;\n";
    let found = errors(&[
        ("1_init.sql", "-- +goose Up\nCREATE TABLE users (id int, name text);\nCREATE TABLE carts (id int);\n"),
        ("2_next.sql", text),
    ]);
    assert_eq!(found, ["drop-column:5=allow", "drop-table:7=allow", "unused-allow:8"]);
}
