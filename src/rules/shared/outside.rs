//! Statements that refuse a transaction, and the part of a unit that has none around it.

use crate::catalog::Catalog;
use crate::catalog::change::Change;
use crate::op::{Op, ReindexKind};
use crate::rules::Context;
use crate::versions::alone::{Alone, Place};

/// What the operation is, where servers refuse it in this place.
pub fn refused_in(cx: &Context<'_>, op: &Op, place: Place) -> Option<Alone> {
    let partitioned = [cx.after, cx.before].into_iter().any(|catalog| is_partitioned(catalog, op));
    Alone::of(op, partitioned).filter(|alone| alone.refused_in(place, cx.settings.postgres.unwrap_or_default()))
}

/// What the operation is, where servers refuse it in a transaction block.
pub fn refusing(cx: &Context<'_>, op: &Op) -> Option<Alone> {
    refused_in(cx, op, Place::Block)
}

/// Whether the table that REINDEX or CLUSTER is about is partitioned, as far as the catalog knows it.
fn is_partitioned(catalog: &Catalog, op: &Op) -> bool {
    let relation = match op {
        Op::Reindex { kind: ReindexKind::Index, name: Some(name), .. } => {
            catalog.resolve_index(name).and_then(|index| catalog.indexes.get(&index)).map(|index| index.relation)
        }
        Op::Reindex { kind: ReindexKind::Table, name: Some(name), .. } | Op::Cluster { relation: Some(name) } => {
            catalog.resolve_relation(name)
        }
        _ => None,
    };
    relation.and_then(|relation| catalog.relation(relation)).is_some_and(|relation| relation.partition_strategy.is_some())
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
