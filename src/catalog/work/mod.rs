//! What statements cost the relations they are about: locks, rewrites, scans and index builds, in the order they happen.
//!
//! This is kept apart from the journal of changes, because it also happens where nothing changes, and stays where a transaction
//! was rolled back. Each entry carries the relation as it was. Lock modes come from the table that was read off servers
//! (`versions::locks`); whether a relation is from before the unit is asked later, when facts are made.

pub(super) mod altering;
pub(super) mod facts;

mod fallout;
mod implied;
mod maintenance;
mod naming;
mod new_column;
mod own_lock;
mod partition;
mod proof;
mod query;
mod retype;
mod statement;
mod volatile;

use super::Catalog;
use super::object::{ColumnId, Id, Index, Relation, RelationKind, TypeKind};
use crate::effect::LockMode;
use crate::op::{Op, Span};
use crate::versions::locks::{self, Form, Role};
use std::sync::Arc;

/// One lock, or one piece of work that takes longer the larger the relation is.
#[derive(Clone, Debug)]
pub struct Work {
    /// Index of the statement in its unit, from 0.
    pub statement: usize,
    /// The statement, or the one inside a body that does it.
    pub span: Span,
    /// As it is before.
    pub relation: Arc<Relation>,
    pub act: Act,
}

/// What is done to the relation.
#[derive(Clone, Debug)]
pub enum Act {
    Lock(LockMode),
    /// Every row is written anew, into a new file.
    Rewrite(Rewrite),
    /// Every row is read.
    Scan(Scan),
    /// An index on it is built from its rows.
    Build(Build),
    /// One of its indexes is locked.
    LockIndex(Arc<Index>, LockMode),
}

/// Why a relation is rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// A new column whose value is another in each row: a volatile default, a sequence.
    VolatileDefault {
        column: ColumnId,
    },
    /// A new column with an identity or of a serial type.
    Identity {
        column: ColumnId,
    },
    /// A new STORED generated column, or a new expression of one.
    Generated {
        column: ColumnId,
    },
    /// A new column of a domain with constraints.
    ConstrainedDomain {
        column: ColumnId,
    },
    /// The type of a column, in a way that changes what is stored.
    Retype {
        column: ColumnId,
    },
    /// SET LOGGED, SET UNLOGGED.
    Persistence,
    AccessMethod,
    /// The files are copied; indexes stay where they are.
    Tablespace,
    Cluster,
    VacuumFull,
    Refresh,
}

/// Why a relation is scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scan {
    /// A CHECK of this name, new or validated.
    Check { constraint: String, validate: bool },
    /// A foreign key of this name, new or validated. `referenced`: this is the side that it points to.
    ForeignKey { constraint: String, referenced: bool, validate: bool },
    /// SET NOT NULL, a primary key, or a NOT NULL constraint that is validated, where nothing proves that there are no NULLs.
    NotNull { column: ColumnId, validate: bool },
    /// A new column that is NOT NULL and has no default: the server looks whether there is any row.
    RequiredColumn { column: ColumnId },
    /// A constraint of a domain that a column uses.
    Domain { column: ColumnId, validate: bool },
    /// ATTACH PARTITION: whether each row belongs into the new partition.
    PartitionBound,
    /// Whether no row of the default partition belongs into a new one.
    DefaultPartition,
}

/// Which index is built, and why.
#[derive(Clone, Debug)]
pub enum Build {
    /// CREATE INDEX. `concurrently`: without stopping writes.
    Index { index: Id, concurrently: bool },
    /// The index of a UNIQUE, PRIMARY KEY or EXCLUDE constraint.
    Constraint,
    /// A missing index of a partition that is attached, or of one below a table that gets an index.
    Partition { index: Id },
    /// It is there and built anew because a column that it uses changed its type or collation.
    Retype { index: Id },
    /// All of the relation's indexes, because it is rewritten.
    Rewrite,
    /// REINDEX.
    Reindex { concurrently: bool },
}

/// Carries out a statement by `apply`, and notes what it costs.
pub(super) fn of_statement(c: &mut Catalog, op: &Op, apply: impl FnOnce(&mut Catalog)) {
    let span = c.span;
    let mark = c.journal.len();
    let earlier = c.clone();
    statement::before(c, op);
    apply(c);
    // Bodies have told what is in them, statement by statement.
    if !matches!(op, Op::Do(_) | Op::Call { .. } | Op::Select(_) | Op::Explain { .. }) && mark <= c.journal.len() {
        statement::after(c, op, mark);
        fallout::lock(c, &earlier, mark);
    }
    c.span = span;
}

impl Catalog {
    /// The lock that a form of statement takes on a relation in this role, on the worst of the target versions.
    fn take(&mut self, relation: Id, form: Form, role: Role) {
        if let Some(mode) = locks::mode(form, role, self.versions) {
            self.lock(relation, mode);
        }
    }
    /// The same for an index, told apart from its table.
    fn take_index(&mut self, index: Id, form: Form, role: Role) {
        if let Some(mode) = locks::mode(form, role, self.versions) {
            self.lock_index(index, mode);
        }
    }
    /// The tables of a composite type, where the relation is one.
    fn typed_tables(&self, relation: Id) -> Vec<Id> {
        let is_it = |ty: &Id| {
            let kind = self.types.get(ty).map(|object| &object.kind);
            matches!(kind, Some(TypeKind::Composite { relation: of }) if *of == relation)
        };
        if self.relation(relation).is_none_or(|found| found.kind != RelationKind::Composite) {
            return Vec::new();
        }
        let typed = |table: &&Arc<Relation>| table.of_type.as_ref().is_some_and(is_it);
        self.relations.values().filter(typed).map(|table| table.id).collect()
    }
    /// A partitioned table and all its partitions; of any other relation itself alone.
    fn with_descendants_if_partitioned(&self, relation: Id) -> Vec<Id> {
        match self.relation(relation).map(|found| found.kind) {
            Some(RelationKind::PartitionedTable) => self.with_descendants(relation),
            _ => vec![relation],
        }
    }

    /// The statement takes a lock on a relation; one that is not there any more is locked by nobody.
    pub(super) fn lock(&mut self, relation: Id, mode: LockMode) {
        self.work_on(relation, Act::Lock(mode));
    }
    pub(super) fn rewrite(&mut self, relation: Id, why: Rewrite) {
        self.work_on(relation, Act::Rewrite(why));
    }
    pub(super) fn scan(&mut self, relation: Id, why: Scan) {
        self.work_on(relation, Act::Scan(why));
    }
    pub(super) fn build_index(&mut self, relation: Id, what: Build) {
        self.work_on(relation, Act::Build(what));
    }
    pub(super) fn lock_index(&mut self, index: Id, mode: LockMode) {
        if let Some(index) = self.indexes.get(&index).cloned() {
            self.work_on(index.relation, Act::LockIndex(index, mode));
        }
    }

    fn work_on(&mut self, relation: Id, act: Act) {
        if let Some(relation) = self.relation(relation).cloned() {
            self.work_on_former(relation, act);
        }
    }

    /// As [`Catalog::lock`] and its kin, for a relation that the statement has already taken away.
    pub(super) fn work_on_former(&mut self, relation: Arc<Relation>, act: Act) {
        self.work.push(Work { statement: self.statement, span: self.span, relation, act });
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::catalog::{Catalog, facts, replay};
    use crate::effect::Effect;
    use crate::source::Migration;

    /// What the statements of a wrapped unit cost, behind a unit that made what is older.
    pub fn effects(older: &str, sql: &str) -> Vec<Effect> {
        let mut catalog = Catalog::new();
        let mut last = Vec::new();
        for (text, number) in [older, sql].into_iter().zip(1..) {
            let before = catalog.clone();
            let migration = Migration::of_text("case", "case.sql", text.as_bytes());
            let replayed = replay::unit(&mut catalog, number, &migration, &crate::sql::parse::unit(&migration));
            last = facts::of_unit(number, &replayed, &before, &catalog).into_iter().map(|(effect, _)| effect).collect();
        }
        last
    }

    /// What the last of them costs.
    pub fn effect(older: &str, sql: &str) -> Effect {
        effects(older, sql).pop().unwrap()
    }

    #[test]
    fn a_table_that_is_rolled_back_never_was_and_the_older_one_of_its_name_is_locked() {
        let sql = "SAVEPOINT s; DROP TABLE t; CREATE TABLE t (a int); ROLLBACK TO s; CREATE INDEX i ON t (a)";
        let found = effect("CREATE TABLE t (a int)", sql);
        assert_eq!((found.blocking, found.index_builds), (true, vec!["public.t".to_string()]));
        let found = effect(
            "SELECT 1",
            "SAVEPOINT s; CREATE TABLE t (a int); ROLLBACK TO s; CREATE TABLE t (a int); CREATE INDEX i ON t (a)",
        );
        assert_eq!((found.blocking, found.locks), (false, vec![]));
    }

    #[test]
    fn what_is_rolled_back_has_cost_what_it_cost() {
        let sql = "SAVEPOINT s; CREATE INDEX i ON t (a); ROLLBACK TO s";
        let all = effects("CREATE TABLE t (a int)", sql);
        assert_eq!(all.iter().map(|effect| effect.blocking).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn work_under_a_lock_of_an_earlier_statement_blocks_and_by_itself_it_does_not() {
        let older = "CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0)); ALTER TABLE t ADD CONSTRAINT d CHECK (a > 1) NOT VALID";
        assert!(!effect(older, "ALTER TABLE t VALIDATE CONSTRAINT d").blocking);
        assert!(effect(older, "ALTER TABLE t ADD b int; ALTER TABLE t VALIDATE CONSTRAINT d").blocking);
    }
}
