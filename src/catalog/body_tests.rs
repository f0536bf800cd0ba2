//! Bodies and transactions from SQL text: what is known only on paper, beside `tests/server`, which holds them against a server.

use super::Catalog;
use super::change::{Change, Event};
use super::replay::{self, Circumstances, TransactionNoteKind, UnitReplay};
use crate::source::{Migration, UnitKind, Wrapping};

fn run(catalog: &mut Catalog, unit: u32, sql: &str, wrapping: Wrapping) -> UnitReplay {
    let migration = Migration { wrapping, ..Migration::of_text("case", "case.sql", sql.as_bytes()) };
    let parsed = crate::sql::parse::unit(&migration);
    assert!(parsed.statements.iter().all(|statement| statement.outcome.is_ok()), "{sql}");
    replay::unit(catalog, unit, &migration, &parsed)
}

/// A few words for each entry of the journal.
fn words(events: &[Event], catalog: &Catalog) -> Vec<String> {
    events
        .iter()
        .map(|event| match &event.change {
            Change::RelationCreated { relation } => {
                format!("create {}", catalog.relation(*relation).map_or("(not in the state)", |found| &found.name))
            }
            Change::RelationDropped { relation } => format!("drop {}", relation.name),
            Change::ColumnAdded { column, .. } => format!("add {}", column.name),
            Change::ColumnDropped { column, .. } => format!("drop {}", column.name),
            Change::NotNullSet { column, .. } => format!("require {}", column.name),
            Change::RowsChanged { relation, how } => {
                format!("{how:?} {}", relation.as_ref().map_or("?", |relation| relation.name.as_str()))
            }
            Change::Opaque { text } => format!("opaque {text}"),
            Change::UnknownCall { name } => format!("call {name}"),
            Change::SequenceAltered { relation, what } => format!("{} {}", what.join(" "), relation.name),
            other => format!("{other:?}").split([' ', '{']).next().unwrap_or_default().to_string(),
        })
        .collect()
}

/// What a unit does after another one, the journal of the second in words.
fn journal(before: &str, sql: &str) -> Vec<String> {
    let mut catalog = Catalog::new();
    run(&mut catalog, 1, before, Wrapping::Wrapped);
    let replayed = run(&mut catalog, 2, sql, Wrapping::Wrapped);
    words(&replayed.events, &catalog)
}

const TABLES: &str = "CREATE TABLE t (a int, b int); CREATE TABLE u (a int)";

#[test]
fn what_may_happen_happens_and_both_arms_are_facts() {
    let body = "DO $$ BEGIN IF EXISTS (SELECT 1 FROM t) THEN DROP TABLE u; ELSE ALTER TABLE t DROP COLUMN b; END IF; END $$";
    assert_eq!(journal(TABLES, body), ["drop u", "drop b"]);
    // The state is that of the first arm.
    let mut catalog = Catalog::new();
    run(&mut catalog, 1, TABLES, Wrapping::Wrapped);
    run(&mut catalog, 2, body, Wrapping::Wrapped);
    let t = catalog.resolve_relation(&crate::op::ObjectName::bare("t")).and_then(|id| catalog.relation(id)).unwrap();
    assert_eq!(t.columns.len(), 2);
    assert!(catalog.resolve_relation(&crate::op::ObjectName::bare("u")).is_none());
    assert!(catalog.incomplete);
}

#[test]
fn an_arm_that_changes_no_schema_leaves_the_next_one_to_run() {
    let body =
        "DO $$ BEGIN IF EXISTS (SELECT 1 FROM t) THEN RAISE NOTICE 'x'; ELSE ALTER TABLE t ALTER a SET NOT NULL; END IF; END $$";
    assert_eq!(journal(TABLES, body), ["require a"]);
    let body = "DO $$ BEGIN IF EXISTS (SELECT 1 FROM t) THEN UPDATE t SET a = 1; END IF; DROP TABLE u; END $$";
    assert_eq!(journal(TABLES, body), ["Update { bounded: false } t", "drop u"]);
}

#[test]
fn a_check_that_raises_is_assumed_to_pass() {
    let body = "DO $$ BEGIN
        IF EXISTS (SELECT 1 FROM t WHERE a IS NULL) THEN DROP TABLE u; RAISE EXCEPTION 'clean up first'; END IF;
        ALTER TABLE t ALTER a SET NOT NULL;
    END $$";
    assert_eq!(journal(TABLES, body), ["require a"]);
}

#[test]
fn a_return_that_may_not_be_reached_ends_nothing() {
    let body = "DO $$ BEGIN IF (SELECT count(*) FROM t) = 0 THEN RETURN; END IF; DROP TABLE u; END $$";
    assert_eq!(journal(TABLES, body), ["drop u"]);
    let known = "DO $$ BEGIN IF to_regclass('t') IS NOT NULL THEN RETURN; END IF; DROP TABLE u; END $$";
    assert_eq!(journal(TABLES, known), [""; 0]);
}

#[test]
fn the_history_guard_of_an_idempotent_script_is_no_reason_to_skip() {
    let body = "DO $EF$ BEGIN
        IF NOT EXISTS(SELECT 1 FROM \"__EFMigrationsHistory\" WHERE \"MigrationId\" = '1_a') THEN ALTER TABLE t DROP COLUMN b; END IF;
    END $EF$";
    let mut catalog = Catalog::new();
    run(&mut catalog, 1, TABLES, Wrapping::Wrapped);
    let replayed = run(&mut catalog, 2, body, Wrapping::Wrapped);
    assert_eq!(words(&replayed.events, &catalog), ["drop b"]);
    // Nor is the ledger a sign that something was not seen.
    run(&mut catalog, 3, "INSERT INTO \"__EFMigrationsHistory\" VALUES ('1_a', '9')", Wrapping::Wrapped);
    assert!(!catalog.incomplete);
}

#[test]
fn text_made_at_run_time_is_opaque_where_it_runs() {
    let body = "DO $$ DECLARE r record; BEGIN FOR r IN SELECT relname FROM pg_class LOOP EXECUTE 'DROP TABLE ' || r.relname; END LOOP; END $$";
    assert_eq!(journal(TABLES, body), ["opaque 'DROP TABLE ' || r.relname"]);
    let function = "CREATE FUNCTION f(x text) RETURNS void LANGUAGE plpgsql AS $f$ BEGIN EXECUTE x; END $f$";
    assert_eq!(journal(TABLES, function), ["RoutineCreated"]);
    assert_eq!(journal(&format!("{TABLES}; {function}"), "SELECT f('DROP TABLE t')"), ["opaque x"]);
    // A loop over rows that are known not to be there never runs.
    let empty = "DO $$ DECLARE r record; BEGIN FOR r IN SELECT conname FROM pg_constraint WHERE conrelid = 't'::regclass LOOP
        EXECUTE 'ALTER TABLE t DROP CONSTRAINT ' || r.conname; END LOOP; END $$";
    assert_eq!(journal(TABLES, empty), [""; 0]);
}

#[test]
fn routines_that_nobody_created_are_named_and_those_of_the_server_are_not() {
    assert_eq!(journal(TABLES, "SELECT cron.schedule('x', 'y', 'z')"), ["call cron.schedule"]);
    assert_eq!(journal(TABLES, "SELECT now(), uuid_generate_v4(), pg_catalog.lower('X'), coalesce(1, 2)"), [""; 0]);
    assert_eq!(journal(TABLES, "DO $$ BEGIN PERFORM create_hypertable('t', 'a'); END $$"), ["call create_hypertable"]);
    // In DML a call computes a value.
    assert_eq!(journal(TABLES, "INSERT INTO t (a) SELECT helper(1)"), ["Insert t"]);
}

#[test]
fn rows_change_with_what_bounds_them() {
    assert_eq!(journal(TABLES, "UPDATE t SET a = 1 WHERE true"), ["Update { bounded: false } t"]);
    assert_eq!(journal(TABLES, "DELETE FROM t WHERE a = 1"), ["Delete { bounded: true } t"]);
    assert_eq!(
        journal(TABLES, "WITH gone AS (DELETE FROM t RETURNING a) INSERT INTO u SELECT a FROM gone"),
        ["Delete { bounded: false } t", "Insert u"]
    );
    assert_eq!(journal(TABLES, "UPDATE pg_attribute SET atttypmod = 54"), ["opaque direct change of pg_catalog.pg_attribute"]);
}

#[test]
fn truncate_takes_along_what_the_server_truncates() {
    let before = "CREATE TABLE p (id serial PRIMARY KEY); CREATE TABLE c (p int REFERENCES p); CREATE TABLE q (a int) PARTITION BY LIST (a);
        CREATE TABLE q1 PARTITION OF q FOR VALUES IN (1)";
    assert_eq!(journal(before, "TRUNCATE p RESTART IDENTITY CASCADE"), ["Truncate p", "Truncate c", "restart p_id_seq"]);
    assert_eq!(journal(before, "TRUNCATE q"), ["Truncate q", "Truncate q1"]);
}

#[test]
fn setval_finds_its_sequence_however_it_is_named() {
    let before = "CREATE TABLE t (id serial)";
    for argument in ["'t_id_seq'", "'public.t_id_seq'::regclass", "pg_get_serial_sequence('t', 'id')"] {
        assert_eq!(journal(before, &format!("SELECT setval({argument}, 100)")), ["setval t_id_seq"], "{argument}");
    }
}

#[test]
fn entries_of_a_block_have_their_statement_and_entries_of_a_call_have_the_call() {
    let sql = "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DROP TABLE u'; DO $$ BEGIN DROP TABLE t; PERFORM f(); END $$";
    let mut catalog = Catalog::new();
    run(&mut catalog, 1, TABLES, Wrapping::Wrapped);
    let replayed = run(&mut catalog, 2, sql, Wrapping::Wrapped);
    let texts: Vec<&str> = replayed.events[1..].iter().map(|event| &sql[event.span.start..event.span.end]).collect();
    assert_eq!(texts, ["DROP TABLE t", "PERFORM f()"]);
    assert!(replayed.events[1..].iter().all(|event| event.statement == 1));
}

#[test]
fn statements_know_their_transaction_and_whether_it_was_rolled_back() {
    let numbers = |wrapping: Wrapping, sql: &str| {
        let replayed = run(&mut Catalog::new(), 1, sql, wrapping);
        let of = |f: fn(&Circumstances) -> u32| replayed.circumstances.iter().map(f).collect::<Vec<_>>();
        (of(|c| c.transaction), of(|c| u32::from(c.rolled_back)), replayed.notes)
    };
    let kinds = |notes: Vec<replay::TransactionNote>| notes.iter().map(|note| (note.statement, note.kind)).collect::<Vec<_>>();
    let (transactions, _, notes) = numbers(Wrapping::Wrapped, "SELECT 1; SELECT 2");
    assert_eq!((transactions, notes), (vec![0, 0], vec![]));
    let (transactions, _, notes) = numbers(Wrapping::None, "SELECT 1; BEGIN; SELECT 2; COMMIT; SELECT 3");
    assert_eq!((transactions, notes), (vec![0, 1, 1, 1, 2], vec![]));
    let (transactions, rolled_back, notes) = numbers(Wrapping::Wrapped, "SELECT 1; BEGIN; ROLLBACK; SELECT 2; COMMIT");
    assert_eq!((transactions, rolled_back), (vec![0, 0, 0, 1, 2], vec![1, 1, 0, 0, 0]));
    assert_eq!(
        kinds(notes),
        [
            (1, TransactionNoteKind::NestedBegin),
            (2, TransactionNoteKind::EndsRunnersTransaction),
            (4, TransactionNoteKind::NoTransaction)
        ]
    );
    let (transactions, _, notes) = numbers(Wrapping::Batch, "SELECT 1; COMMIT; SELECT 2; SELECT 3; SAVEPOINT s");
    assert_eq!(transactions, [0, 0, 1, 1, 1]);
    assert_eq!(kinds(notes), [(1, TransactionNoteKind::EndsImplicitTransaction), (4, TransactionNoteKind::SavepointOutside)]);
    let (_, _, notes) = numbers(Wrapping::None, "BEGIN; ROLLBACK TO nowhere; SELECT 1");
    assert_eq!(kinds(notes), [(1, TransactionNoteKind::UnknownSavepoint), (0, TransactionNoteKind::Unclosed)]);
    let (transactions, _, _) = numbers(Wrapping::Batch, "SELECT 1");
    assert_eq!(transactions, [0]);
}

#[test]
fn a_step_that_cannot_be_read_leaves_the_history_incomplete() {
    let mut catalog = Catalog::new();
    let sql = "CREATE TABLE t (a int); SELEC 1; CREATE TABLE u (a int)";
    let mut migration = Migration { wrapping: Wrapping::None, ..Migration::of_text("case", "case.sql", sql.as_bytes()) };
    let parsed = crate::sql::parse::unit(&migration);
    let replayed = replay::unit(&mut catalog, 1, &migration, &parsed);
    assert_eq!(words(&replayed.events, &catalog), ["create t", "create u"]);
    assert_eq!(replayed.circumstances.iter().map(|c| c.transaction).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(catalog.incomplete);
    let mut catalog = Catalog::new();
    migration.kind = UnitKind::Unknown;
    replay::unit(&mut catalog, 1, &migration, &crate::sql::ParsedUnit::default());
    assert!(catalog.incomplete);
}
