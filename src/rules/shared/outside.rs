//! Statements that refuse a transaction, and the part of a unit that has none around it.

use crate::catalog::change::Change;
use crate::op::{AlterTableCommand, ObjectKind, Op, ReindexKind};
use crate::rules::Context;

/// How a statement is called that the server refuses inside of a transaction (`PreventInTransactionBlock`); none for the others.
pub fn refusing(op: &Op) -> Option<&'static str> {
    match op {
        Op::CreateIndex(create) if create.concurrently => Some("CREATE INDEX CONCURRENTLY"),
        Op::Drop { concurrently: true, .. } => Some("DROP INDEX CONCURRENTLY"),
        Op::Reindex { concurrently: true, .. } => Some("REINDEX CONCURRENTLY"),
        Op::Reindex { kind: ReindexKind::Schema | ReindexKind::System | ReindexKind::Database, .. } => Some("REINDEX"),
        Op::AlterTable(alter) => alter.commands.iter().find_map(|command| match command {
            AlterTableCommand::DetachPartition { concurrently: true, .. } => Some("DETACH PARTITION CONCURRENTLY"),
            _ => None,
        }),
        Op::Vacuum { analyze_only: false, .. } => Some("VACUUM"),
        Op::Cluster { relation: None } => Some("CLUSTER"),
        Op::Discard { all: true } => Some("DISCARD ALL"),
        Op::AlterSettings { scope, .. } if scope == "system" => Some("ALTER SYSTEM"),
        Op::CreateOther { object, .. } if object.kind == ObjectKind::Database => Some("CREATE DATABASE"),
        Op::CreateOther { object, .. } if object.kind == ObjectKind::Tablespace => Some("CREATE TABLESPACE"),
        Op::Drop { objects, .. } => objects.iter().find_map(|object| match object.kind {
            ObjectKind::Database => Some("DROP DATABASE"),
            ObjectKind::Tablespace => Some("DROP TABLESPACE"),
            ObjectKind::Subscription => Some("DROP SUBSCRIPTION"),
            _ => None,
        }),
        Op::CreateSubscription { .. } => Some("CREATE SUBSCRIPTION"),
        _ => None,
    }
}

/// The statement (from 0) changes the schema or rows: no setting, no transaction control, nothing that only looks.
pub fn acts(cx: &Context<'_>, statement: usize, op: &Op) -> bool {
    match op {
        Op::Set(_) | Op::Show | Op::SetConstraints { .. } | Op::Transaction(_) | Op::Session { .. } | Op::Lock { .. } => false,
        Op::Discard { .. } | Op::Load { .. } | Op::Comment { .. } | Op::Vacuum { analyze_only: true, .. } => false,
        Op::Select(_) | Op::Do(_) | Op::Call { .. } | Op::Explain { .. } => cx
            .events
            .iter()
            .any(|event| event.statement == statement && !matches!(event.change, Change::NothingDone { .. } | Change::Commented)),
        _ => !records(op),
    }
}

/// The statement is the runner's record of the migration, in a script that holds it.
pub fn records(op: &Op) -> bool {
    const LEDGERS: &[&str] = &["alembic_version", "__EFMigrationsHistory", "__ef_migrations_history", "django_migrations"];
    matches!(op, Op::Dml(dml) if LEDGERS.contains(&dml.relation.name.as_str()))
}

/// No transaction is around the statement but its own.
pub fn is_alone(cx: &Context<'_>, statement: usize) -> bool {
    cx.circumstances.get(statement).is_some_and(|circumstances| circumstances.block.is_none())
}
