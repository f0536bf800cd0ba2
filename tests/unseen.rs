//! Objects that no visible statement created: a statement that succeeds proves that they were there before, so what it takes
//! from them is a break.

use phasegate::catalog::change::{Change, Nothing};
use phasegate::catalog::{Catalog, facts, replay};
use phasegate::op::Span;
use phasegate::source::{Migration, Phase, SourceFile, UnitKind, Wrapping};
use std::sync::Arc;

/// Runs the text as the only unit; its changes and its breaks.
fn run(sql: &str) -> (Vec<Change>, Vec<String>, Catalog) {
    let path = "0001.sql".to_string();
    let file = SourceFile { path: path.clone(), repo_path: path, bytes: sql.as_bytes().to_vec() };
    let migration = Migration {
        id: "0001".into(),
        file: Arc::new(file),
        parts: vec![Span { start: 0, end: sql.len() }],
        phase: Phase::Untagged,
        tag: None,
        directives: Vec::new(),
        wrapping: Wrapping::None,
        rewriting: Default::default(),
        kind: UnitKind::Sql,
        reported: true,
        version: None,
        down: None,
    };
    let parsed = phasegate::sql::parse::unit(&migration);
    let (before, mut after) = (Catalog::new(), Catalog::new());
    let replayed = replay::unit(&mut after, 1, &migration, &parsed);
    let effects = facts::of_unit(1, &replayed, &before, &after);
    let breaks = effects.iter().flat_map(|(effect, _)| &effect.breaks);
    let breaks = breaks.map(|found| format!("{} {}", serde_json::to_value(found.kind).unwrap().as_str().unwrap(), found.object));
    (replayed.events.into_iter().map(|event| event.change).collect(), breaks.collect(), after)
}

#[track_caller]
fn assert_breaks(sql: &str, expected: &[&str]) {
    let (_, breaks, catalog) = run(sql);
    assert_eq!(breaks, expected, "{sql}");
    assert!(catalog.incomplete, "{sql}: something was there before");
}

#[test]
fn renames_and_moves_of_unseen_objects_are_breaks() {
    assert_breaks("ALTER TABLE t RENAME TO u", &["rename-relation public.t"]);
    assert_breaks("ALTER VIEW app.v RENAME TO w", &["rename-relation app.v"]);
    assert_breaks("ALTER TABLE t RENAME COLUMN a TO b", &["rename-column public.t.a"]);
    assert_breaks("ALTER TABLE t SET SCHEMA app", &["rename-relation public.t"]);
    assert_breaks("ALTER TYPE mood RENAME TO feeling", &["drop-type public.mood"]);
    assert_breaks("ALTER FUNCTION f(int, text) RENAME TO g", &["drop-function public.f(integer, text)"]);
    assert_breaks("ALTER FUNCTION f SET SCHEMA app", &["drop-function public.f()"]);
    assert_breaks("ALTER SCHEMA app RENAME TO application", &["drop-schema app"]);
}

#[test]
fn triggers_policies_and_rules_that_nobody_created_can_be_dropped() {
    assert_breaks("DROP TRIGGER t ON users", &["drop-trigger public.users.t"]);
    assert_breaks("DROP POLICY p ON users", &["drop-policy public.users.p"]);
    assert_breaks("DROP RULE r ON users", &["drop-rule public.users.r"]);
    assert_breaks("ALTER TABLE users ENABLE ROW LEVEL SECURITY", &["enable-rls public.users"]);
    assert_breaks("DROP EXTENSION hstore", &["drop-extension hstore"]);
    assert_breaks("DROP FUNCTION f(uuid)", &["drop-function public.f(uuid)"]);
}

#[test]
fn a_privilege_on_an_unseen_object_may_have_been_there() {
    assert_breaks("REVOKE SELECT ON users FROM app", &["revoke public.users"]);
    assert_breaks("REVOKE EXECUTE ON FUNCTION f(int) FROM PUBLIC", &["revoke public.f(integer)"]);
    assert_breaks("REVOKE USAGE ON SCHEMA private FROM app", &["revoke private"]);
    assert_breaks("ALTER TABLE users OWNER TO app", &["change-owner public.users"]);
}

#[test]
fn what_was_granted_a_moment_ago_on_a_new_table_breaks_nobody() {
    let sql = "CREATE TABLE t (a int); GRANT SELECT ON t TO app; REVOKE SELECT ON t FROM app; REVOKE INSERT ON t FROM app";
    let (changes, breaks, catalog) = run(sql);
    assert_eq!(breaks, Vec::<String>::new());
    assert!(!catalog.incomplete);
    let had = |change: &Change| match change {
        Change::Revoked { had, .. } => Some(*had),
        _ => None,
    };
    assert_eq!(changes.iter().filter_map(had).collect::<Vec<_>>(), [Some(true), Some(false)]);
}

#[test]
fn if_exists_on_what_a_whole_history_never_created_says_so() {
    for sql in [
        "DROP VIEW IF EXISTS v",
        "ALTER TABLE IF EXISTS t RENAME TO u",
        "DROP EXTENSION IF EXISTS hstore",
        "DROP ROLE IF EXISTS r",
    ] {
        let (changes, breaks, catalog) = run(sql);
        assert!(breaks.is_empty() && !catalog.incomplete, "{sql}");
        let missing = |change: &Change| matches!(change, Change::NothingDone { why: Nothing::Missing { complete: true, .. } });
        assert!(changes.len() == 1 && missing(&changes[0]), "{sql}: {changes:?}");
    }
}

#[test]
fn a_new_routine_is_everyones_unless_default_privileges_say_otherwise() {
    let grants = |sql: &str| {
        let (_, _, catalog) = run(sql);
        let routine = catalog.routines.values().find(|routine| routine.name == "f").unwrap();
        routine.grants.clone()
    };
    let create = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'";
    let public = || ("public".to_string(), "execute".to_string());
    assert_eq!(grants(create), [public()]);
    assert_eq!(grants(&format!("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; {create}")), []);
    // Only a revoke for all schemas takes away what is implied (the documentation of ALTER DEFAULT PRIVILEGES).
    let in_schema = format!("ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; {create}");
    assert_eq!(grants(&in_schema), [public()]);
    let granted = format!("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO app; {create}");
    assert_eq!(grants(&granted), [public(), ("app".to_string(), "execute".to_string())]);
    // OR REPLACE keeps what was granted.
    let replaced = create.replace("CREATE", "CREATE OR REPLACE");
    assert_eq!(grants(&format!("{create}; REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC; {replaced}")), []);
}
