//! Mistakes that were made once: SQL text in, findings out. Units are separated by `---`; the last one is judged.

use phasegate::check::{self, Request};
use phasegate::config::Settings;
use phasegate::effect::BreakKind;
use phasegate::finding::Level;
use phasegate::rules::{self, Family};
use std::fs;

struct Outcome {
    /// `rule@level`, of the last unit.
    findings: Vec<String>,
    breaks: Vec<(BreakKind, String)>,
}

fn check(history: &str) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    let units: Vec<&str> = history.split("---\n").collect();
    for (number, sql) in units.iter().enumerate() {
        fs::write(directory.path().join(format!("{:04}_step.sql", number + 1)), sql).unwrap();
    }
    let checked = check::run(&Request::of_paths([directory.path()], Settings::default()));
    assert!(checked.unusable.is_empty(), "{:?}", checked.unusable);
    let last = format!("{:04}", units.len());
    let spell = |level: Level| format!("{level:?}").to_lowercase();
    let cost = |rule: &str| matches!(rules::family_of(rule), Some(Family::Blocking | Family::Retry));
    let findings = checked.findings.iter().filter(|f| f.migration == last && f.level > Level::Note && !cost(f.rule));
    let facts = checked.histories[0].units.last().unwrap();
    Outcome {
        findings: findings.map(|f| format!("{}@{}", f.rule, spell(f.level))).collect(),
        breaks: facts.iter().flat_map(|s| &s.effect.breaks).map(|b| (b.kind, b.object.clone())).collect(),
    }
}

#[track_caller]
fn assert_findings(history: &str, expected: &[&str]) {
    let outcome = check(history);
    assert_eq!(outcome.findings, expected, "{history}\n{:?}", outcome.breaks);
}

#[test]
fn a_retyped_column_does_not_swallow_another_that_is_dropped() {
    let history = "CREATE TABLE t (a int, b int);\n---\nALTER TABLE t DROP a, ALTER b TYPE text;\n";
    assert_findings(history, &["drop-column@error", "retype-column@error"]);
}

#[test]
fn a_temporary_table_hides_nothing_from_the_next_unit() {
    let history = "CREATE TABLE t (a int);\n---\nCREATE TEMP TABLE t (a int);\n---\nALTER TABLE t ALTER a SET NOT NULL;\n";
    assert_findings(history, &["set-not-null@error"]);
}

#[test]
fn what_was_refused_before_the_unit_is_no_news() {
    let history = "CREATE TABLE t (a int CONSTRAINT ck CHECK (a IS NOT NULL));\n---\n\
                   ALTER TABLE t DROP CONSTRAINT ck, ALTER a SET NOT NULL;\n";
    assert_findings(history, &[]);
}

#[test]
fn a_role_that_never_could_log_in_loses_nothing() {
    assert_findings("CREATE ROLE r;\n---\nALTER ROLE r NOLOGIN;\n", &[]);
    assert_findings("CREATE ROLE r LOGIN;\n---\nALTER ROLE r NOLOGIN;\n", &["revoke@error"]);
}

#[test]
fn public_has_no_create_on_its_schema_to_lose() {
    assert_findings("CREATE TABLE t (a int);\n---\nREVOKE CREATE ON SCHEMA public FROM PUBLIC;\n", &[]);
    assert_findings("CREATE TABLE t (a int);\n---\nREVOKE USAGE ON SCHEMA public FROM PUBLIC;\n", &["revoke@error"]);
}

#[test]
fn a_view_that_shows_other_columns_under_the_old_names_stands_in_for_nothing() {
    let renamed =
        |view: &str| format!("CREATE TABLE t (a int, b text);\n---\nALTER TABLE t RENAME TO t2; CREATE VIEW t AS {view};\n");
    assert_findings(&renamed("SELECT a, a AS b FROM t2"), &["rename-table@error"]);
    assert_findings(&renamed("SELECT a, b FROM t2"), &["rename-table@warning"]);
}

#[test]
fn a_default_that_the_same_statement_sets_again_is_not_lost() {
    let history = "CREATE TABLE t (s varchar(10) DEFAULT 'x');\n---\n\
                   ALTER TABLE t ALTER s DROP DEFAULT, ALTER s TYPE text, ALTER s SET DEFAULT 'x';\n";
    let lost = check(history).breaks.into_iter().filter(|(kind, _)| *kind == BreakKind::DropDefault).count();
    assert_eq!(lost, 0);
}

#[test]
fn a_domains_default_matters_where_a_column_is_not_null() {
    let history = "CREATE DOMAIN d AS int DEFAULT 3; CREATE TABLE t (c d NOT NULL);\n---\nALTER DOMAIN d DROP DEFAULT;\n";
    assert_findings(history, &["drop-default@error"]);
}

#[test]
fn a_unique_constraint_that_nobody_saw_made_is_one_by_its_name() {
    assert_findings("SELECT 1;\n---\nALTER TABLE users DROP CONSTRAINT users_email_key;\n", &["drop-unique@error"]);
}

#[test]
fn an_explicit_null_default_wins_over_the_domains() {
    let history =
        "CREATE DOMAIN d AS int DEFAULT 0; CREATE TABLE t (a int);\n---\nALTER TABLE t ADD s d NOT NULL DEFAULT NULL;\n";
    assert_eq!(check(history).breaks, [(BreakKind::RequiredColumn, "public.t.s".to_string())]);
}

#[test]
fn a_syntax_error_in_a_body_names_the_token() {
    let directory = tempfile::tempdir().unwrap();
    let sql = "CREATE TABLE t (a int);\nDO $$\nBEGIN\n  PERFORM 1;\n  ALTER TABLE t ADD x int NOT NUL;\nEND $$;\n";
    fs::write(directory.path().join("0001_step.sql"), sql).unwrap();
    let checked = check::run(&Request::of_paths([directory.path()], Settings::default()));
    let [finding] = checked.findings.iter().filter(|f| f.rule == "syntax-error").collect::<Vec<_>>()[..] else {
        panic!("{:?}", checked.findings);
    };
    assert_eq!(&sql[finding.span.start..finding.span.end], "NUL");
}

#[test]
fn a_prepared_statement_that_runs_is_not_passed_in_silence() {
    assert_findings("CREATE TABLE t (a int);\n---\nPREPARE x AS DELETE FROM t; EXECUTE x;\n", &["opaque-sql@error"]);
}
