//! Units run as their runner runs them.

use crate::support::{breaks, replayer, run, unit};
use phasegate::op::{Op, SetParameter, SettingValue, Span};
use phasegate::prove::replay::{ReplayStatement, StatementOutcome};
use phasegate::source::Wrapping;

#[test]
fn a_wrapped_unit_that_fails_leaves_nothing() {
    let mut replayer = replayer("CREATE TABLE t (a int)");
    let outcome = replayer.run(&unit("1", Wrapping::Wrapped, &["DROP TABLE t", "SELECT 1 / 0", "SELECT 1"])).unwrap();
    let failure = outcome.failure.unwrap();
    assert_eq!((failure.statement, failure.sqlstate.as_str()), (Some(1), "22012"));
    assert_eq!(outcome.statements[1..], [StatementOutcome::Failed, StatementOutcome::NotReached]);
    assert!(outcome.snapshot.relations.contains_key("public.t"));
    // The next unit starts from there: the table is older again.
    let next = replayer.run(&unit("2", Wrapping::Wrapped, &["DROP TABLE t"])).unwrap();
    assert_eq!(breaks(&next.statements[0]), ["drop-relation public.t"]);
}

#[test]
fn an_unwrapped_unit_that_fails_keeps_what_ran_before() {
    let outcome = run("CREATE TABLE t (a int)", Wrapping::None, &["DROP TABLE t", "SELECT 1 / 0"]);
    assert!(outcome.failure.is_some());
    assert!(!outcome.snapshot.relations.contains_key("public.t"));
}

#[test]
fn a_batch_of_one_has_no_transaction_and_a_batch_of_two_has_one() {
    let alone = run("CREATE TABLE t (a int)", Wrapping::Batch, &["CREATE INDEX CONCURRENTLY i ON t (a)"]);
    assert_eq!((alone.failure, alone.without_transaction), (None, false));
    let two = run("CREATE TABLE t (a int)", Wrapping::Batch, &["DROP TABLE t", "SELECT 1 / 0"]);
    assert!(two.snapshot.relations.contains_key("public.t"));
}

#[test]
fn what_cannot_run_in_the_runners_transaction_runs_without_and_says_so() {
    let outcome = run("CREATE TABLE t (a int)", Wrapping::Wrapped, &["SELECT 1", "CREATE INDEX CONCURRENTLY i ON t (a)"]);
    assert_eq!((outcome.failure, outcome.without_transaction), (None, true));
    assert!(outcome.snapshot.relations["public.t"].indexes.as_ref().unwrap().contains_key("i"));
}

#[test]
fn a_file_with_its_own_transaction_is_seen_through() {
    let outcome = run(
        "CREATE TABLE t (a int, b int)",
        Wrapping::Explicit,
        &[
            "BEGIN ISOLATION LEVEL SERIALIZABLE",
            "ALTER TABLE t DROP a",
            "SAVEPOINT s",
            "ALTER TABLE t DROP b",
            "ROLLBACK TO s",
            "COMMIT",
        ],
    );
    assert_eq!(outcome.failure, None);
    let found: Vec<Vec<String>> = outcome.statements.iter().map(breaks).collect();
    assert_eq!(
        (found[1].clone(), found[3].clone()),
        (vec!["drop-column public.t.a".into()], vec!["drop-column public.t.b".into()])
    );
    let columns = outcome.snapshot.relations["public.t"].columns.clone().unwrap();
    assert_eq!(columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn settings_and_temporary_tables_end_with_the_file() {
    let mut replayer = replayer("CREATE SCHEMA app");
    let first = replayer
        .run(&unit(
            "1",
            Wrapping::None,
            &["SET search_path TO app", "CREATE TEMP TABLE scratch (a int)", "CREATE TABLE t (a int)"],
        ))
        .unwrap();
    assert_eq!(first.failure, None);
    let second = replayer.run(&unit("2", Wrapping::None, &["CREATE TABLE scratch (a int)", "CREATE TABLE t (a int)"])).unwrap();
    assert_eq!(second.failure, None);
    let names: Vec<&String> = second.snapshot.relations.keys().collect();
    assert_eq!(names, ["app.t", "public.scratch", "public.t"]);
}

#[test]
fn watching_changes_no_setting_of_the_migration() {
    let outcome = run(
        "CREATE SCHEMA app",
        Wrapping::Wrapped,
        &[
            "SET LOCAL search_path TO app",
            "CREATE TABLE t (a int)",
            "SET statement_timeout TO '7s'",
            "CREATE TABLE u (a int)",
            "DO $$ BEGIN ASSERT current_setting('search_path') = 'app' AND current_setting('statement_timeout') = '7s'; END $$",
        ],
    );
    assert_eq!(outcome.failure, None);
    assert!(outcome.snapshot.relations.contains_key("app.u"));
}

#[test]
fn a_commit_that_fails_is_the_units_failure() {
    let older = "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int REFERENCES p DEFERRABLE INITIALLY DEFERRED)";
    let outcome = run(older, Wrapping::Wrapped, &["INSERT INTO c VALUES (1)", "CREATE TABLE t (a int)"]);
    let failure = outcome.failure.unwrap();
    assert_eq!((failure.statement, failure.sqlstate.as_str()), (None, "23503"));
    assert!(!outcome.snapshot.relations.contains_key("public.t"));
}

#[test]
fn a_transaction_left_open_is_said_and_ends_with_the_file() {
    let mut replayer = replayer("");
    let open = replayer.run(&unit("1", Wrapping::Explicit, &["BEGIN", "CREATE TABLE t (a int)"])).unwrap();
    assert!(open.left_open && open.snapshot.relations.contains_key("public.t"));
    let next = replayer.run(&unit("2", Wrapping::Explicit, &["CREATE TABLE u (a int)"])).unwrap();
    assert!(!next.left_open);
    assert_eq!(next.snapshot.relations.keys().collect::<Vec<_>>(), ["public.u"]);
}

#[test]
fn a_setting_of_another_version_is_left_out_and_said() {
    let set = |name: &str| {
        let parameter =
            SetParameter { name: name.into(), value: SettingValue::Values(vec!["0".into()]), local: false, reset: false };
        ReplayStatement { sql: format!("SET {name} = 0"), copy_data: None, span: Span::default(), op: Some(Op::Set(parameter)) }
    };
    let mut unit = unit("1", Wrapping::Wrapped, &["CREATE TABLE t (a int)"]);
    unit.statements.extend([set("no_such_setting"), set("lock_timeout"), set("my.own")]);
    let outcome = replayer("").run(&unit).unwrap();
    assert_eq!(outcome.failure, None);
    assert!(matches!(outcome.statements[1], StatementOutcome::Skipped(why) if why.contains("no such setting")));
    assert_eq!(outcome.statements[2..], [StatementOutcome::Ran(vec![]), StatementOutcome::Ran(vec![])]);
}
