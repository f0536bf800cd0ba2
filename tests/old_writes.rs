//! What the previous release writes is tried before and after each migration: what stops working is found, what goes on is not.

#[path = "support/proving.rs"]
mod proving;

use phasegate::finding::Level;
use phasegate::prove::evidence::Outcome;
use phasegate::prove::proofs::old_writes::prove_on;
use proving::{Bench, checked, server};

const TABLE: &str = "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL, email text UNIQUE, \
     age int DEFAULT 1, mood mood NOT NULL DEFAULT 'good', \"Odd name\" text); CREATE VIEW names AS SELECT id, name FROM users; \
     CREATE TABLE orders (id serial PRIMARY KEY, user_id int NOT NULL REFERENCES users, total numeric(9,2) NOT NULL)";

#[test]
fn each_kind_of_break_is_one_error_that_names_its_rule_and_statement() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    for (unit, rule, words) in [
        ("SELECT 1; ALTER TABLE users DROP COLUMN age", "drop-column", "42703"),
        ("SELECT 1; ALTER TABLE users RENAME COLUMN email TO mail", "rename-column", "42703"),
        ("SELECT 1; ALTER TABLE orders RENAME TO purchases", "rename-table", "42P01"),
        ("SELECT 1; DROP TABLE orders", "drop-table", "42P01"),
        ("SELECT 1; ALTER TABLE users ALTER COLUMN email SET NOT NULL", "set-not-null", "23502"),
        ("SELECT 1; ALTER TABLE orders ADD COLUMN c int NOT NULL", "required-column", "23502"),
        ("SELECT 1; ALTER TABLE users ALTER COLUMN mood DROP DEFAULT", "drop-default", "23502"),
        ("SELECT 1; ALTER TABLE users ALTER COLUMN age TYPE bigint", "retype-column", "age is bigint now and was integer"),
        ("SELECT 1; ALTER TABLE users DROP CONSTRAINT users_email_key", "drop-unique", "42P10"),
        (
            "SELECT 1; ALTER TABLE orders ALTER COLUMN total DROP NOT NULL, ALTER COLUMN total ADD GENERATED ALWAYS AS IDENTITY",
            "",
            "",
        ),
    ] {
        if rule.is_empty() {
            continue;
        }
        // So that a NOT NULL is no matter of the rows.
        let clean = "UPDATE users SET email = 'x' || id WHERE email IS NULL; DELETE FROM orders; SELECT 2";
        let found = bench.found(&[TABLE, clean, unit]);
        let of_unit: Vec<_> = found.iter().filter(|found| !found.message.contains("public.names")).collect();
        assert_eq!(of_unit.len(), 1, "{unit}: {found:#?}");
        let found = of_unit[0];
        assert_eq!((found.level, found.unit, found.statement), (Level::Error, Some(2), Some(1)), "{unit}: {found:#?}");
        assert!(
            found.help.contains(&format!("explain {rule}")) && found.help.contains("check says the same"),
            "{unit}: {found:#?}"
        );
        assert!(found.message.contains(words), "{unit}: {found:#?}");
        assert!(found.shown_by.as_ref().is_some_and(|sql| sql.contains("public.")), "{unit}: {found:#?}");
    }
}

#[test]
fn what_takes_nothing_away_is_silent() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    let found = bench.found(&[
        TABLE,
        "ALTER TABLE users ADD COLUMN a int; ALTER TABLE users ADD COLUMN b int NOT NULL DEFAULT 0",
        "CREATE INDEX ON users (name); CREATE UNIQUE INDEX ON users (id, name)",
        "ALTER TABLE users ALTER COLUMN email TYPE varchar(500); ALTER TABLE orders ALTER COLUMN total TYPE numeric(12,2)",
        "CREATE TABLE logins (id serial PRIMARY KEY, user_id int NOT NULL REFERENCES users)",
        "ALTER TYPE mood ADD VALUE 'fair'; CREATE VIEW more AS SELECT * FROM names",
        "ALTER TABLE users ALTER COLUMN name DROP NOT NULL; INSERT INTO users (name) VALUES ('x'); UPDATE users SET age = 3",
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; \
         CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch()",
        "ALTER TABLE users RENAME TO people; CREATE VIEW users AS SELECT * FROM people",
    ]);
    // A view under the old name takes what the table took; its ON CONFLICT too, for a view of one table.
    assert_eq!(found, []);
}

#[test]
fn a_new_constraint_that_other_values_satisfy_is_a_warning() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    for unit in [
        "ALTER TABLE users ADD CONSTRAINT polite CHECK (name ~ '^(Mr|Ms)-[a-z]+$') NOT VALID",
        "ALTER TABLE users ADD CONSTRAINT short CHECK (length(name) = 3) NOT VALID",
    ] {
        let found = bench.found(&[TABLE, unit]);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].level, Level::Warning, "{found:#?}");
        assert!(found[0].message.contains("23514") && found[0].help.contains("tighten-constraint"), "{found:#?}");
    }
}

#[test]
fn a_trigger_that_refuses_everything_is_an_error_and_one_in_a_dependent_place_is_seen() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'closed'; END $$; \
         CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse()";
    let found = bench.found(&[TABLE, refuse]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].level, found[0].statement), (Level::Error, Some(1)));
    assert!(found[0].message.contains("closed") && found[0].help.contains("new-trigger"), "{found:#?}");
    // The table of the trigger is left alone, its function is not.
    let log = "CREATE TABLE log (what text); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ('x'); RETURN NEW; END $$; \
         CREATE TRIGGER note AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note()";
    let found = bench.found(&[TABLE, log, "ALTER TABLE log RENAME TO journal"]);
    assert!(found.iter().any(|found| found.message.contains("public.orders") && found.message.contains("42P01")), "{found:#?}");
    let found = bench.found(&[
        TABLE,
        log,
        "CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$",
    ]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].message.contains("public.orders"), "{found:#?}");
}

#[test]
fn a_view_that_loses_a_column_is_found() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    let found = bench.found(&[TABLE, "DROP VIEW names; CREATE VIEW names AS SELECT id FROM users"]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].message.contains("public.names") && found[0].message.contains("SELECT of name"), "{found:#?}");
}

#[test]
fn what_comes_after_a_unit_that_does_not_apply_is_not_proven() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    let units = [TABLE, "ALTER TABLE users DROP COLUMN age", "ALTER TABLE nowhere ADD COLUMN c int"];
    let report = bench.report(&checked(&units, None), &[]);
    assert_eq!(report.found.len(), 1, "what was found until then stays: {:#?}", report.found);
    assert!(matches!(&report.outcome, Outcome::NotRun(why) if why.contains("42P01")), "{:?}", report.outcome);
}

#[test]
fn a_contract_unit_may_break() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    let report = bench.report(&checked(&[TABLE, "-- phase contract\nALTER TABLE users DROP COLUMN age"], None), &[]);
    assert_eq!(report.found.iter().map(|found| found.level).collect::<Vec<_>>(), [Level::Note]);
    assert_eq!(report.outcome, Outcome::Passed);
}

#[test]
fn with_releases_the_previous_release_stays_the_same_and_a_break_is_reported_once() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    let units = [
        TABLE,
        "ALTER TABLE users ADD COLUMN a int",
        "ALTER TABLE users DROP COLUMN a; CREATE TABLE fresh (id int)",
        "DROP TABLE fresh; ALTER TABLE users DROP COLUMN age",
        "ALTER TABLE users ADD COLUMN z int",
    ];
    let report = bench.report(&checked(&units, Some(1)), &[]);
    assert_eq!(report.found.iter().map(|found| found.unit).collect::<Vec<_>>(), [Some(3)], "{:#?}", report.found);
    assert_eq!(report.coverage.done, 5);
}

#[test]
fn one_cause_is_one_finding_for_each_relation() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    let found = bench.found(&[TABLE, "ALTER TABLE users DROP COLUMN age, DROP COLUMN \"Odd name\""]);
    assert_eq!(found.len(), 2, "{found:#?}");
    let words: Vec<bool> =
        ["age", "Odd name"].iter().map(|name| found.iter().any(|found| found.message.contains(name))).collect();
    assert_eq!(words, [true, true], "{found:#?}");
}
