//! Unique indexes as `ON CONFLICT` finds them.

use crate::catalog::Catalog;
use crate::catalog::change::{Change, Event};
use crate::catalog::object::{ColumnId, Constraint, ConstraintType, Id, Index, Relation};
use crate::expr::Expr;
use crate::op::{ObjectName, OnConflict, Op, Step};
use crate::rules::Context;
use crate::rules::shared::trigger_body::walk;

/// Key parts of a unique index, in no order: arbiters are inferred from the set.
#[derive(Clone, Debug, PartialEq)]
pub struct Arbiter {
    columns: Vec<ColumnId>,
    expressions: Vec<Expr>,
    predicate: Option<Expr>,
    nulls_not_distinct: bool,
}

impl Arbiter {
    pub fn of_index(index: &Index) -> Self {
        let mut columns: Vec<ColumnId> = index.keys.iter().filter_map(|key| key.column).collect();
        columns.sort_unstable();
        columns.dedup();
        Arbiter {
            columns,
            expressions: index.keys.iter().filter_map(|key| key.element.expr.clone()).collect(),
            predicate: index.predicate.clone(),
            nulls_not_distinct: index.nulls_not_distinct,
        }
    }
    /// UNIQUE and PRIMARY KEY; `None` for constraints that are no arbiter by columns.
    pub fn of_constraint(constraint: &Constraint) -> Option<Self> {
        let (ConstraintType::Unique { columns, .. } | ConstraintType::PrimaryKey { columns, .. }) = &constraint.kind else {
            return None;
        };
        let mut columns = columns.clone();
        columns.sort_unstable();
        columns.dedup();
        Some(Arbiter { columns, expressions: Vec::new(), predicate: None, nulls_not_distinct: false })
    }
    /// An index without a predicate, or with the same one, serves every `ON CONFLICT` that this one served.
    fn served_by(&self, index: &Index) -> bool {
        let other = Arbiter::of_index(index);
        index.unique
            && index.valid
            && self.columns == other.columns
            && same_parts(&self.expressions, &other.expressions)
            && (other.predicate.is_none() || other.predicate == self.predicate)
            && self.nulls_not_distinct == other.nulls_not_distinct
    }
}

fn same_parts(left: &[Expr], right: &[Expr]) -> bool {
    left.len() == right.len() && left.iter().all(|part| right.contains(part))
}

/// Another index that serves instead of the one that `event` takes: there before, or made later in the same transaction.
pub fn equal_by_then(cx: &Context<'_>, event: &Event, relation: Id, dropped: Id, arbiter: &Arbiter) -> bool {
    let made_in_time = |index: &Index| {
        let mut made = cx.earlier(event).iter().chain(cx.later(event)).chain(cx.same_command(event));
        cx.existed(index.birth)
            || made.any(|other| match &other.change {
                Change::IndexCreated { index: id, .. } => *id == index.id,
                Change::ConstraintAdded { constraint, .. } => constraint.kind.index() == Some(index.id),
                _ => false,
            })
    };
    cx.after.indexes_of(relation).iter().any(|index| {
        index.id != dropped && arbiter.served_by(index) && !deferrable(cx.after, relation, index) && made_in_time(index)
    })
}

/// There is a unique index for these columns already, apart from `but`.
pub fn already_unique(catalog: &Catalog, relation: Id, but: Option<Id>, arbiter: &Arbiter) -> bool {
    catalog.indexes_of(relation).iter().any(|index| Some(index.id) != but && arbiter.served_by(index))
}

fn deferrable(catalog: &Catalog, relation: Id, index: &Index) -> bool {
    let constraints = catalog.relation(relation).map(|relation| relation.constraints.as_slice()).unwrap_or_default();
    constraints.iter().any(|constraint| constraint.kind.index() == Some(index.id) && constraint.deferrable)
}

/// Older routines that say `ON CONFLICT ON CONSTRAINT name` about the relation, and still do at the end of the unit.
pub fn users_of_name(cx: &Context<'_>, relation: &Relation, name: &str) -> Vec<String> {
    let mut users = Vec::new();
    for routine in cx.after.routines.values().filter(|routine| cx.older(routine.birth)) {
        let mut uses = false;
        walk(&routine.body.steps, &mut |step| {
            if let Step::Sql(statement) = step {
                uses |= names_constraint(&statement.op, relation, name);
            }
        });
        if uses {
            users.push(cx.after.routine_label(routine));
        }
    }
    users
}

fn names_constraint(op: &Op, relation: &Relation, name: &str) -> bool {
    let same_table = |target: &ObjectName| {
        target.name == relation.name && target.schema.as_ref().is_none_or(|schema| *schema == relation.schema)
    };
    match op {
        Op::Dml(dml) => same_table(&dml.relation) && dml.on_conflict == Some(OnConflict::Constraint(name.to_string())),
        Op::Select(query) => {
            let constraint = OnConflict::Constraint(name.to_string());
            query.modifying.iter().any(|dml| same_table(&dml.relation) && dml.on_conflict.as_ref() == Some(&constraint))
        }
        _ => false,
    }
}
