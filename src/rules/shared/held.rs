//! Locks that other sessions notice, and how long a transaction holds them.

use super::running::{self, Running};
use crate::catalog::change::Change;
use crate::catalog::object::{Id, Relation, RelationKind};
use crate::catalog::replay::Circumstances;
use crate::catalog::work::{Act, Work};
use crate::effect::LockMode;
use crate::op::Span;
use crate::rules::Context;
use std::sync::Arc;

/// A lock on an older relation.
#[derive(Clone, Copy)]
pub struct Lock<'a> {
    pub work: &'a Work,
    pub mode: LockMode,
}

impl<'a> Lock<'a> {
    pub fn relation(&self) -> &'a Arc<Relation> {
        &self.work.relation
    }
    /// By what the lock makes others wait for.
    pub fn stops(&self) -> &'static str {
        stops(self.mode)
    }
}

/// What waits for a lock of this mode, as the end of a sentence.
pub fn stops(mode: LockMode) -> &'static str {
    if mode.stops_reads() { "reads and writes" } else { "writes" }
}

/// What one unit locks, with what is needed to tell for how long.
pub struct Held<'a> {
    circumstances: &'a [Circumstances],
    running: Vec<Running<'a>>,
    /// In the order they are taken, of every transaction.
    pub locks: Vec<Lock<'a>>,
}

impl<'a> Held<'a> {
    pub fn of(cx: &Context<'a>) -> Held<'a> {
        let older = |work: &&Work| cx.older_relation(&work.relation);
        let locks = cx.work.iter().filter(older).filter_map(|work| match work.act {
            Act::Lock(mode) => Some(Lock { work, mode }),
            Act::LockIndex(..) | Act::Rewrite(_) | Act::Scan(_) | Act::Build(_) => None,
        });
        Held { circumstances: cx.circumstances, running: running::all(cx), locks: locks.collect() }
    }

    /// The locks that stop writes to tables and materialized views which are still there at the end of the unit: what is dropped
    /// has no users that wait.
    pub fn strong_on_tables(&self, cx: &Context<'_>) -> Vec<Lock<'a>> {
        let dropped: Vec<Id> = cx
            .events
            .iter()
            .filter_map(|event| match &event.change {
                Change::RelationDropped { relation } => Some(relation.id),
                _ => None,
            })
            .collect();
        let kept = |lock: &&Lock<'a>| {
            stops_someone(lock.relation(), lock.mode) && has_rows(lock.relation()) && !dropped.contains(&lock.relation().id)
        };
        self.locks.iter().filter(kept).copied().collect()
    }

    pub fn transaction(&self, statement: usize) -> Option<u32> {
        self.circumstances.get(statement).map(|circumstances| circumstances.transaction)
    }

    /// What was taken at the first place is still held at the second: the same transaction, no COMMIT between them inside of a DO
    /// block, and no savepoint that was returned to.
    pub fn lasts(&self, from: (usize, Span), to: (usize, Span)) -> bool {
        let rolled_back = |at: usize| self.circumstances.get(at).is_some_and(|circumstances| circumstances.rolled_back);
        from.0 <= to.0
            && self.transaction(from.0).is_some()
            && self.transaction(from.0) == self.transaction(to.0)
            && (!rolled_back(from.0) || rolled_back(to.0))
            && !(from.0 == to.0 && running::ends_between(&self.running, from.0, from.1, to.1))
    }
}

/// Clients wait for the lock. Nobody but REFRESH writes to a materialized view.
pub fn stops_someone(relation: &Relation, mode: LockMode) -> bool {
    if relation.kind == RelationKind::MaterializedView { mode.stops_reads() } else { mode.stops_writes() }
}

/// Tables and materialized views.
pub fn has_rows(relation: &Relation) -> bool {
    relation.is_table() || relation.kind == RelationKind::MaterializedView
}

/// The topmost partitioned table above a partition: one table to those who use it.
pub fn whole_table(cx: &Context<'_>, relation: &Arc<Relation>) -> Arc<Relation> {
    let mut top = relation.clone();
    while top.partition_bound.is_some()
        && let Some(parent) = top.parents.first().and_then(|id| cx.before.relation(*id).or_else(|| cx.after.relation(*id)))
    {
        top = parent.clone();
    }
    top
}
