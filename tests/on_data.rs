//! A migration that only works on empty tables is found, with the rows that it fails on; one that works on rows too is not.

#[path = "support/proving.rs"]
mod proving;

use phasegate::finding::Level;
use phasegate::prove::evidence::Outcome;
use phasegate::prove::proofs::on_data::prove_on;
use proving::{Bench, checked, server};

const TABLE: &str =
    "CREATE TABLE t (id serial PRIMARY KEY, name text NOT NULL, note text, ref int); CREATE TABLE other (id int PRIMARY KEY)";

#[test]
fn what_any_row_makes_fail_is_an_error() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    for (sqlstate, words, units) in [
        ("23502", "public.t", vec!["ALTER TABLE t ADD COLUMN c int NOT NULL"]),
        ("23502", "c held NULL", vec!["ALTER TABLE t ADD COLUMN c int", "ALTER TABLE t ALTER COLUMN c SET NOT NULL"]),
        ("23505", "public.t", vec!["ALTER TABLE t ADD COLUMN c int DEFAULT 1 UNIQUE"]),
        ("23503", "public.t", vec!["ALTER TABLE t ADD COLUMN c int DEFAULT 999 REFERENCES other"]),
        ("21000", "rows in other", vec!["UPDATE other SET id = (SELECT id FROM t WHERE id > 0)"]),
        (
            "55006",
            "rows in t",
            vec![
                "ALTER TABLE t ADD COLUMN c int; ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES other DEFERRABLE INITIALLY DEFERRED",
                "UPDATE t SET c = (SELECT min(id) FROM other); ALTER TABLE t ADD COLUMN d int; CREATE INDEX ON t (d)",
            ],
        ),
    ] {
        let last = units.len();
        let mut history = vec![TABLE];
        history.extend(units);
        let said = bench.said(&history);
        assert_eq!(said.len(), 1, "{history:?}: {said:?}");
        let (level, unit, message) = &said[0];
        assert_eq!((*level, *unit), (Level::Error, Some(last)), "{message}");
        assert!(message.contains(sqlstate) && message.contains(words), "{message}");
    }
}

#[test]
fn what_hangs_on_values_that_were_made_up_is_a_warning_that_shows_them() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    for (sqlstate, words, unit) in [
        ("22P02", "name held 'name-", "ALTER TABLE t ALTER COLUMN name TYPE int USING name::int"),
        ("22001", "name held 'name-", "ALTER TABLE t ALTER COLUMN name TYPE varchar(2)"),
        ("23502", "note held", "ALTER TABLE t ALTER COLUMN note SET NOT NULL"),
        ("23514", "public.t", "ALTER TABLE t ADD CHECK (name LIKE 'Mr%')"),
        ("23503", "Key (ref)", "ALTER TABLE t ADD FOREIGN KEY (ref) REFERENCES other (id)"),
        (
            "P0001",
            "no ghosts",
            "DO $$ BEGIN IF EXISTS (SELECT FROM t WHERE note IS NULL) THEN RAISE EXCEPTION 'no ghosts'; END IF; END $$",
        ),
    ] {
        let said = bench.said(&[TABLE, unit]);
        assert_eq!(said.len(), 1, "{unit}: {said:?}");
        let (level, at, message) = &said[0];
        assert_eq!((*level, *at), (Level::Warning, Some(1)), "{message}");
        assert!(message.contains(sqlstate) && message.contains(words) && message.contains("generated"), "{message}");
    }
}

#[test]
fn what_a_unit_copies_from_made_up_rows_into_a_table_of_its_own_is_made_up_too() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    let units = [
        "CREATE TABLE documents (data text UNIQUE); CREATE TABLE templates (data text UNIQUE)",
        "CREATE TABLE envelopes (data text); INSERT INTO envelopes SELECT data FROM documents UNION ALL SELECT data FROM templates; \
         CREATE UNIQUE INDEX ON envelopes (data)",
    ];
    let said = bench.said(&units);
    assert_eq!(said.len(), 1, "{said:?}");
    let (level, unit, message) = &said[0];
    assert!(
        (*level, *unit) == (Level::Warning, Some(1)) && message.contains("23505") && message.contains("only you"),
        "{message}"
    );
}

#[test]
fn what_works_on_rows_is_silent() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    let found = bench.found(&[
        TABLE,
        "ALTER TABLE t ADD COLUMN a int",
        "UPDATE t SET a = 1 WHERE a IS NULL; ALTER TABLE t ALTER COLUMN a SET NOT NULL",
        "ALTER TABLE t ADD COLUMN b int NOT NULL DEFAULT 0",
        "CREATE UNIQUE INDEX ON t (id, name); ALTER TABLE t ADD CHECK (name <> '') NOT VALID",
        "ALTER TABLE t ALTER COLUMN name TYPE varchar(200); CREATE TABLE child (id int PRIMARY KEY REFERENCES t)",
        "DELETE FROM child; DROP TABLE child; TRUNCATE other",
    ]);
    assert_eq!(found, []);
}

#[test]
fn units_after_a_failure_are_covered_too() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    let said = bench.said(&[
        TABLE,
        "ALTER TABLE t ADD COLUMN c int NOT NULL",
        "SELECT 1",
        "ALTER TABLE other ADD COLUMN d int NOT NULL",
    ]);
    assert_eq!(said.iter().map(|(_, unit, _)| *unit).collect::<Vec<_>>(), [Some(1), Some(3)], "{said:?}");
    // The statement that fails is named.
    let found = bench.found(&[TABLE, "SELECT 1; ALTER TABLE t ADD COLUMN c int NOT NULL; SELECT 2"]);
    assert_eq!(found[0].statement, Some(1));
    assert!(found[0].help.contains("default"), "{}", found[0].help);
}

#[test]
fn released_units_are_applied_and_not_judged() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    let units = [TABLE, "ALTER TABLE t ADD COLUMN c int NOT NULL", "ALTER TABLE t ADD COLUMN d int NOT NULL"];
    let report = bench.report(&checked(&units, Some(2)), &[]);
    assert_eq!(report.found.iter().map(|found| found.unit).collect::<Vec<_>>(), [Some(2)]);
    assert_eq!(report.outcome, Outcome::Failed);
}

#[test]
fn a_unit_that_does_not_apply_at_all_ends_the_proof_and_is_no_finding_of_it() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    let report = bench.report(&checked(&[TABLE, "ALTER TABLE nowhere ADD COLUMN c int", "SELECT 1"], None), &[]);
    assert_eq!((report.found.as_slice(), report.coverage.done, report.coverage.of), (&[][..], 1, 3));
    assert!(matches!(&report.outcome, Outcome::NotRun(why) if why.contains("42P01")), "it did not pass: {:?}", report.outcome);
}

#[test]
fn seeds_are_rows_and_what_fails_on_them_is_an_error() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    let units = [TABLE, "ALTER TABLE t ADD CHECK (name <> 'Bob')", "ALTER TABLE t ADD CHECK (name <> 'Eve')"];
    let seed = [("people.sql", "INSERT INTO t (name) VALUES ('Bob'), ('Ann')"), ("late.sql", "INSERT INTO never VALUES (1)")];
    let report = bench.report(&checked(&units, None), &seed);
    assert_eq!(report.found.iter().map(|found| (found.unit, found.level)).collect::<Vec<_>>(), [(Some(1), Level::Error)]);
    assert!(!report.found[0].message.contains("generated"), "{}", report.found[0].message);
    assert!(report.remarks.iter().any(|remark| remark.contains("late.sql never ran")), "{:?}", report.remarks);
    // Its rows are what the new constraint refuses.
    assert!(report.remarks.iter().any(|remark| remark.contains("people.sql did not run again")), "{:?}", report.remarks);
}

#[test]
fn tables_that_could_not_be_filled_are_named() {
    let server = server();
    let bench = Bench::new(&server, prove_on);
    let units = ["CREATE TABLE t (id int NOT NULL, CHECK (id > 5 AND id < 3))", "SELECT 1"];
    let report = bench.report(&checked(&units, None), &[]);
    assert_eq!(report.outcome, Outcome::Passed);
    assert!(report.remarks.iter().any(|remark| remark.starts_with("public.t could not be filled")), "{:?}", report.remarks);
}
