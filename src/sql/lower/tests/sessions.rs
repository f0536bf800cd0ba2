use super::*;
use crate::effect::LockMode;
use crate::op::{SetParameter, SettingValue, TransactionCommand};

fn values(list: &[&str]) -> SettingValue {
    SettingValue::Values(list.iter().map(|&value| value.to_owned()).collect())
}

#[test]
fn settings_have_one_name_in_all_spellings() {
    for (sql, parameter, value) in [
        (r#"SET search_path TO a, "B""#, "search_path", values(&["a", "B"])),
        ("SET SCHEMA 'x'", "search_path", values(&["x"])),
        ("SET Statement_Timeout = 5", "statement_timeout", values(&["5"])),
        ("SET lock_timeout = '5s'", "lock_timeout", values(&["5s"])),
        ("SET TIME ZONE 'UTC'", "timezone", values(&["UTC"])),
        ("SET TIME ZONE -5", "timezone", values(&["-5"])),
        ("SET TIME ZONE INTERVAL '1' HOUR TO MINUTE", "timezone", values(&["1"])),
        ("SET TIME ZONE LOCAL", "timezone", SettingValue::Default),
        ("SET NAMES 'utf8'", "client_encoding", values(&["utf8"])),
        ("SET ROLE bob", "role", values(&["bob"])),
        ("SET ROLE NONE", "role", values(&["none"])),
        ("SET SESSION AUTHORIZATION DEFAULT", "session_authorization", SettingValue::Default),
        ("SET x.y FROM CURRENT", "x.y", SettingValue::FromCurrent),
        ("SET a = on", "a", values(&["on"])),
        ("SET a = 1.5", "a", values(&["1.5"])),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "transaction", values(&["transaction_isolation = serializable"])),
        (
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            "session_characteristics",
            values(&["transaction_read_only = 1"]),
        ),
    ] {
        let expected = SetParameter { name: parameter.into(), value, local: false, reset: false };
        assert_eq!(op(sql), Op::Set(expected), "{sql}");
    }
    assert!(take!(op("SET LOCAL lock_timeout = 1"), Op::Set(parameter) => parameter.local));
    for (sql, parameter) in [("RESET ALL", "all"), ("RESET x", "x"), ("RESET TIME ZONE", "timezone"), ("RESET ROLE", "role")] {
        let found = take!(op(sql), Op::Set(parameter) => parameter);
        assert!(found.reset && found.name == parameter, "{sql}: {found:?}");
    }
}

#[test]
fn transaction_commands_have_one_name_in_all_spellings() {
    for (sql, expected) in [
        ("BEGIN", TransactionCommand::Begin),
        ("START TRANSACTION READ ONLY", TransactionCommand::Begin),
        ("COMMIT", TransactionCommand::Commit),
        ("END", TransactionCommand::Commit),
        ("ROLLBACK", TransactionCommand::Rollback),
        ("ABORT", TransactionCommand::Rollback),
        ("SAVEPOINT a", TransactionCommand::Savepoint("a".into())),
        ("RELEASE a", TransactionCommand::Release("a".into())),
        ("ROLLBACK TO a", TransactionCommand::RollbackTo("a".into())),
        ("PREPARE TRANSACTION 'x'", TransactionCommand::TwoPhase),
        ("COMMIT PREPARED 'x'", TransactionCommand::TwoPhase),
        ("ROLLBACK PREPARED 'x'", TransactionCommand::TwoPhase),
    ] {
        assert_eq!(op(sql), Op::Transaction(expected), "{sql}");
    }
}

#[test]
fn a_lock_has_the_mode_that_it_names() {
    for (sql, mode) in [
        ("LOCK s.t", LockMode::AccessExclusiveLock),
        ("LOCK TABLE s.t IN ACCESS SHARE MODE", LockMode::AccessShareLock),
        ("LOCK TABLE s.t IN SHARE ROW EXCLUSIVE MODE", LockMode::ShareRowExclusiveLock),
    ] {
        assert_eq!(op(sql), Op::Lock { relations: vec![name("s.t")], mode, nowait: false }, "{sql}");
    }
    assert!(matches!(op("LOCK t, u NOWAIT"), Op::Lock { nowait: true, relations, .. } if relations.len() == 2));
}

#[test]
fn copies_say_where_the_data_comes_from() {
    for (sql, from, program, stdin, file) in [
        ("COPY s.t (a) FROM STDIN", true, false, true, None),
        ("COPY s.t (a) FROM '/x' WITH (FORMAT csv)", true, false, false, Some("/x")),
        ("COPY s.t (a) FROM PROGRAM 'x'", true, true, false, Some("x")),
        ("COPY s.t (a) TO STDOUT", false, false, false, None),
        ("COPY s.t (a) TO PROGRAM 'x'", false, true, false, Some("x")),
    ] {
        let file = file.map(String::from);
        assert_eq!(
            op(sql),
            Op::Copy { relation: Some(name("s.t")), columns: vec!["a".into()], from, program, stdin, file, query: None },
            "{sql}"
        );
    }
    let query = take!(op("COPY (DELETE FROM t RETURNING a) TO STDOUT"), Op::Copy { query: Some(query), .. } => query);
    assert_eq!(query.modifying.len(), 1);
    let filter = take!(op("COPY t FROM STDIN WHERE a"), Op::Copy { query: Some(query), .. } => query);
    assert_eq!((filter.conditions, filter.has_where), (vec![column("a")], true));
    assert!(matches!(op("COPY (SELECT 1) TO STDOUT"), Op::Copy { query: Some(query), .. } if query.targets.len() == 1));
}

#[test]
fn maintenance_commands_keep_what_decides_their_locks() {
    for (sql, expected) in [
        ("VACUUM (FULL, ANALYZE) s.t", Op::Vacuum { relations: vec![name("s.t")], full: true, analyze_only: false }),
        ("VACUUM FULL", Op::Vacuum { relations: vec![], full: true, analyze_only: false }),
        ("VACUUM (FULL off) t", Op::Vacuum { relations: vec![name("t")], full: false, analyze_only: false }),
        ("ANALYZE t (a)", Op::Vacuum { relations: vec![name("t")], full: false, analyze_only: true }),
        ("CLUSTER s.t USING i", Op::Cluster { relation: Some(name("s.t")) }),
        ("CLUSTER", Op::Cluster { relation: None }),
        (
            "TRUNCATE a, ONLY s.b RESTART IDENTITY CASCADE",
            Op::Truncate { relations: vec![name("a"), name("s.b")], only: false, restart_identity: true, cascade: true },
        ),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY s.v", Op::Refresh { name: name("s.v"), concurrently: true, with_data: true }),
        ("REFRESH MATERIALIZED VIEW v WITH NO DATA", Op::Refresh { name: name("v"), concurrently: false, with_data: false }),
        ("DISCARD ALL", Op::Discard { all: true }),
        ("DISCARD TEMP", Op::Discard { all: false }),
        ("SET CONSTRAINTS ALL IMMEDIATE", Op::SetConstraints { names: vec![], deferred: false }),
        ("SET CONSTRAINTS s.a, b DEFERRED", Op::SetConstraints { names: vec![name("s.a"), name("b")], deferred: true }),
        ("LOAD 'x'", Op::Load { library: "x".into() }),
    ] {
        assert_eq!(op(sql), expected, "{sql}");
    }
    let (analyze, inner) = take!(op("EXPLAIN ANALYZE DELETE FROM t"), Op::Explain { analyze, inner } => (analyze, inner));
    assert!(analyze && matches!(*inner, Op::Dml(_)));
    assert!(matches!(op("EXPLAIN (ANALYZE off) SELECT 1"), Op::Explain { analyze: false, .. }));
}

#[test]
fn commands_without_schema_keep_their_word() {
    for (sql, word) in [
        ("PREPARE x AS SELECT 1", "prepare"),
        ("EXECUTE x", "execute"),
        ("DEALLOCATE x", "deallocate"),
        ("DECLARE c CURSOR FOR SELECT 1", "declare"),
        ("FETCH c", "fetch"),
        ("MOVE c", "move"),
        ("CLOSE c", "close"),
        ("LISTEN x", "listen"),
        ("UNLISTEN *", "unlisten"),
        ("NOTIFY x", "notify"),
        ("CHECKPOINT", "checkpoint"),
    ] {
        assert_eq!(op(sql), Op::Session { command: word.into() }, "{sql}");
    }
}

#[test]
fn schemas_keep_owner_and_elements() {
    let (schema, owner, elements) = take!(
        op("CREATE SCHEMA AUTHORIZATION bob CREATE TABLE t (a int) CREATE VIEW v AS SELECT 1"),
        Op::CreateSchema { name, owner, elements, .. } => (name, owner, elements)
    );
    assert_eq!((schema.as_str(), owner.as_deref(), elements.len()), ("bob", Some("bob"), 2));
    assert!(matches!(op("CREATE SCHEMA IF NOT EXISTS s"), Op::CreateSchema { if_not_exists: true, owner: None, .. }));
}
