use super::*;
use crate::op::{
    AlterTable, AlterTableCommand as Command, ConstraintKind, CreateIndex, IdentityKind, ObjectKind, ReindexKind,
    ReplicaIdentity, SequenceOption, TriggerState,
};

fn alter(sql: &str) -> AlterTable {
    take!(op(sql), Op::AlterTable(alter) => alter)
}

/// The one command of `ALTER TABLE t …`.
fn command(sql: &str) -> Command {
    let mut commands = alter(&format!("ALTER TABLE t {sql}")).commands;
    assert_eq!(commands.len(), 1, "{sql}");
    commands.remove(0)
}

#[test]
fn the_word_after_alter_is_kept() {
    for (sql, kind) in [
        ("ALTER TABLE x SET (a = 1)", ObjectKind::Table),
        ("ALTER INDEX x SET (a = 1)", ObjectKind::Index),
        ("ALTER VIEW x SET (a = 1)", ObjectKind::View),
        ("ALTER MATERIALIZED VIEW x SET (a = 1)", ObjectKind::MaterializedView),
        ("ALTER SEQUENCE x OWNER TO y", ObjectKind::Sequence),
        ("ALTER FOREIGN TABLE x OPTIONS (a 'b')", ObjectKind::ForeignTable),
        ("ALTER TYPE x DROP ATTRIBUTE a", ObjectKind::Type),
    ] {
        assert_eq!(alter(sql).kind, kind, "{sql}");
    }
    let table = alter("ALTER TABLE IF EXISTS ONLY s.t ADD a int, DROP b");
    assert!(table.if_exists && table.only);
    assert_eq!((table.name, table.commands.len()), (name("s.t"), 2));
}

#[test]
fn every_subcommand_has_a_name() {
    let text = |text: &str| text.to_owned();
    let some = |text: &str| Some(text.to_owned());
    let trigger =
        |name: Option<&str>, state, user_only| Command::EnableTrigger { name: name.map(str::to_owned), state, user_only };
    let cases = [
        ("DROP COLUMN IF EXISTS b CASCADE", Command::DropColumn { name: text("b"), if_exists: true, cascade: true }),
        ("DROP c", Command::DropColumn { name: text("c"), if_exists: false, cascade: false }),
        ("ALTER e SET DEFAULT 1", Command::SetDefault { column: text("e"), expr: Expr::Int(1) }),
        ("ALTER e DROP DEFAULT", Command::DropDefault { column: text("e") }),
        ("ALTER e SET NOT NULL", Command::SetNotNull { column: text("e") }),
        ("ALTER e DROP NOT NULL", Command::DropNotNull { column: text("e") }),
        ("ALTER e SET EXPRESSION AS (a)", Command::SetExpression { column: text("e"), expr: column("a") }),
        ("ALTER e DROP EXPRESSION IF EXISTS", Command::DropExpression { column: text("e"), if_exists: true }),
        (
            "ALTER e ADD GENERATED ALWAYS AS IDENTITY (START 3)",
            Command::AddIdentity { column: text("e"), kind: IdentityKind::Always, options: vec![SequenceOption::Start(3)] },
        ),
        (
            "ALTER e SET GENERATED ALWAYS SET START 5 RESTART WITH 7",
            Command::SetIdentity {
                column: text("e"),
                kind: Some(IdentityKind::Always),
                options: vec![SequenceOption::Start(5), SequenceOption::Restart(Some(7))],
            },
        ),
        ("ALTER e RESTART", Command::SetIdentity { column: text("e"), kind: None, options: vec![SequenceOption::Restart(None)] }),
        ("ALTER e DROP IDENTITY IF EXISTS", Command::DropIdentity { column: text("e"), if_exists: true }),
        ("ALTER e SET STATISTICS 10", Command::SetStatistics { column: some("e") }),
        ("ALTER e SET (n_distinct = 1)", Command::SetColumnOptions { column: text("e") }),
        ("ALTER e RESET (n_distinct)", Command::SetColumnOptions { column: text("e") }),
        ("ALTER e SET STORAGE external", Command::SetStorage { column: text("e") }),
        ("ALTER e SET COMPRESSION lz4", Command::SetCompression { column: text("e") }),
        ("VALIDATE CONSTRAINT c", Command::ValidateConstraint { name: text("c") }),
        ("DROP CONSTRAINT IF EXISTS c CASCADE", Command::DropConstraint { name: text("c"), if_exists: true, cascade: true }),
        (
            "ALTER CONSTRAINT c DEFERRABLE",
            Command::AlterConstraint {
                name: text("c"),
                deferrable: Some(true),
                initially_deferred: Some(false),
                enforced: None,
                no_inherit: None,
            },
        ),
        (
            "ALTER CONSTRAINT c NOT ENFORCED",
            Command::AlterConstraint {
                name: text("c"),
                deferrable: None,
                initially_deferred: None,
                enforced: Some(false),
                no_inherit: None,
            },
        ),
        ("CLUSTER ON i", Command::ClusterOn { index: some("i") }),
        ("SET WITHOUT CLUSTER", Command::ClusterOn { index: None }),
        ("SET LOGGED", Command::SetLogged),
        ("SET UNLOGGED", Command::SetUnlogged),
        ("SET WITHOUT OIDS", Command::GenericOptions { options: Vec::new() }),
        (
            "OPTIONS (SET a 'b', DROP c)",
            Command::GenericOptions { options: vec![(text("a"), some("b")), (text("drop c"), None)] },
        ),
        ("SET ACCESS METHOD heap", Command::SetAccessMethod { method: some("heap") }),
        ("SET ACCESS METHOD DEFAULT", Command::SetAccessMethod { method: None }),
        ("SET TABLESPACE x", Command::SetTablespace { tablespace: text("x") }),
        ("SET (fillfactor = 1)", Command::SetOptions { options: vec![(text("fillfactor"), some("1"))] }),
        ("RESET (fillfactor)", Command::ResetOptions { options: vec![text("fillfactor")] }),
        ("ENABLE TRIGGER a", trigger(Some("a"), TriggerState::Enabled, false)),
        ("ENABLE ALWAYS TRIGGER a", trigger(Some("a"), TriggerState::Always, false)),
        ("ENABLE REPLICA TRIGGER a", trigger(Some("a"), TriggerState::Replica, false)),
        ("DISABLE TRIGGER a", trigger(Some("a"), TriggerState::Disabled, false)),
        ("DISABLE TRIGGER ALL", trigger(None, TriggerState::Disabled, false)),
        ("ENABLE TRIGGER USER", trigger(None, TriggerState::Enabled, true)),
        ("ENABLE RULE r", Command::EnableRule { name: text("r"), state: TriggerState::Enabled }),
        ("DISABLE RULE r", Command::EnableRule { name: text("r"), state: TriggerState::Disabled }),
        ("INHERIT s.p", Command::Inherit { parent: name("s.p") }),
        ("NO INHERIT p", Command::NoInherit { parent: name("p") }),
        ("OF s.ty", Command::OfType { name: name("s.ty") }),
        ("NOT OF", Command::NotOf),
        ("REPLICA IDENTITY FULL", Command::ReplicaIdentity(ReplicaIdentity::Full)),
        ("REPLICA IDENTITY NOTHING", Command::ReplicaIdentity(ReplicaIdentity::Nothing)),
        ("REPLICA IDENTITY DEFAULT", Command::ReplicaIdentity(ReplicaIdentity::Default)),
        ("REPLICA IDENTITY USING INDEX x", Command::ReplicaIdentity(ReplicaIdentity::Index(text("x")))),
        ("ENABLE ROW LEVEL SECURITY", Command::EnableRls),
        ("DISABLE ROW LEVEL SECURITY", Command::DisableRls),
        ("FORCE ROW LEVEL SECURITY", Command::ForceRls),
        ("NO FORCE ROW LEVEL SECURITY", Command::NoForceRls),
        ("OWNER TO current_user", Command::Owner { role: text("current_user") }),
        (
            "DETACH PARTITION s.p CONCURRENTLY",
            Command::DetachPartition { partition: name("s.p"), concurrently: true, finalize: false },
        ),
        ("DETACH PARTITION p FINALIZE", Command::DetachPartition { partition: name("p"), concurrently: false, finalize: true }),
    ];
    for (sql, expected) in cases {
        assert_eq!(command(sql), expected, "{sql}");
    }
}

#[test]
fn columns_are_added_and_retyped_with_all_they_carry() {
    let (added, if_not_exists) = take!(
        command("ADD COLUMN IF NOT EXISTS a varchar(9) NOT NULL DEFAULT 'x'"),
        Command::AddColumn { column, if_not_exists } => (column, if_not_exists)
    );
    assert!(if_not_exists);
    assert_eq!((added.name.as_str(), added.constraints.len()), ("a", 2));
    assert_eq!(
        command(r#"ALTER d TYPE bigint COLLATE "C" USING d::bigint"#),
        Command::SetType {
            column: "d".into(),
            type_ref: type_named("int8"),
            collation: Some(name("C")),
            using: Some(Expr::Cast { expr: Box::new(column("d")), to: type_named("int8") }),
        }
    );
}

#[test]
fn added_constraints_say_how_they_are_checked() {
    let added = |sql: &str| take!(command(sql), Command::AddConstraint(added) => added);
    assert!(added("ADD CHECK (a > 0) NOT VALID").not_valid);
    assert!(added("ADD CONSTRAINT n NOT NULL a NOT VALID").not_valid);
    assert!(added("ADD FOREIGN KEY (a) REFERENCES b NOT VALID").not_valid);
    assert!(!added("ADD FOREIGN KEY (a) REFERENCES b").not_valid);
    assert!(!added("ADD FOREIGN KEY (a) REFERENCES b NOT ENFORCED").enforced);
    let unique = added("ADD CONSTRAINT c UNIQUE USING INDEX i DEFERRABLE");
    assert!(unique.deferrable);
    assert!(matches!(unique.kind, ConstraintKind::Unique { using_index: Some(index), .. } if index == "i"));
}

#[test]
fn attaching_a_partition_differs_from_attaching_an_index() {
    assert!(matches!(
        command("ATTACH PARTITION p FOR VALUES FROM (1) TO (2)"),
        Command::AttachPartition { partition, .. } if partition == name("p")
    ));
    assert_eq!(alter("ALTER INDEX i ATTACH PARTITION s.j").commands, [Command::AttachIndex { index: name("s.j") }]);
    assert_eq!(alter("ALTER INDEX i ALTER 1 SET STATISTICS 5").commands, [Command::SetStatistics { column: None }]);
    assert_eq!(op("ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b"), Op::AlterAllInTablespace);
}

#[test]
fn indexes_keep_their_elements_in_order() {
    let sql = r#"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY s.t USING gin
        (a s.ops, lower(b) COLLATE "C" DESC NULLS FIRST, (a+1) ASC NULLS LAST) INCLUDE (c) NULLS NOT DISTINCT WHERE d"#;
    let index: CreateIndex = take!(op(sql), Op::CreateIndex(index) => index);
    assert!(index.unique && index.concurrently && index.if_not_exists && index.only && index.nulls_not_distinct);
    assert_eq!((index.name.as_deref(), index.relation, index.method.as_str()), (Some("i"), name("s.t"), "gin"));
    assert_eq!((index.including, index.predicate), (vec!["c".to_owned()], Some(column("d"))));
    let [a, lower, sum] = index.elements.as_slice() else { panic!("{:?}", index.elements) };
    assert_eq!((a.column.as_deref(), &a.opclass), (Some("a"), &Some(name("s.ops"))));
    assert!(lower.column.is_none() && lower.descending && lower.nulls_first == Some(true) && lower.collation.is_some());
    assert!(sum.expr.is_some() && !sum.descending && sum.nulls_first == Some(false));
    let plain = take!(op("CREATE INDEX ON t (a)"), Op::CreateIndex(index) => index);
    assert_eq!((plain.name, plain.method.as_str(), plain.only), (None, "btree", false));
}

#[test]
fn reindex_reads_its_options_as_the_server_does() {
    for (sql, kind, target, concurrently) in [
        ("REINDEX TABLE s.t", ReindexKind::Table, Some("s.t"), false),
        ("REINDEX (CONCURRENTLY false) INDEX i", ReindexKind::Index, Some("i"), false),
        ("REINDEX (CONCURRENTLY) INDEX i", ReindexKind::Index, Some("i"), true),
        ("REINDEX INDEX CONCURRENTLY i", ReindexKind::Index, Some("i"), true),
        ("REINDEX SCHEMA x", ReindexKind::Schema, Some("x"), false),
        ("REINDEX DATABASE", ReindexKind::Database, None, false),
        ("REINDEX SYSTEM d", ReindexKind::System, Some("d"), false),
    ] {
        assert_eq!(op(sql), Op::Reindex { kind, name: target.map(name), concurrently }, "{sql}");
    }
}
