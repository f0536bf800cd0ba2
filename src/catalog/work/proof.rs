//! What the server takes as proven from valid constraints, so that it need not scan (`ConstraintImpliedByRelConstraint`).

use super::implied::{Clause, Reader};
use crate::catalog::Catalog;
use crate::catalog::object::{Column, ConstraintType, Relation};
use crate::expr::Expr;

/// A valid, enforced CHECK says that the column holds no NULL. NO INHERIT does not matter: it is about this table.
pub(super) fn refuses_null(table: &Relation, column: &Column) -> bool {
    checks(table).any(|expr| proven_columns(expr).contains(&column.name.as_str()))
}

/// Every row satisfies this, by NOT NULL and valid CHECKs together.
pub(super) fn satisfies(c: &Catalog, table: &Relation, wanted: &Clause) -> bool {
    let reader = Reader { catalog: c, table };
    let not_null = |column: &&Column| column.not_null && column.pending_not_null.is_none();
    let not_null = table.columns.iter().filter(not_null).map(|column| Clause::NotNull(Expr::Column(vec![column.name.clone()])));
    Clause::And(not_null.chain(checks(table).map(|expr| reader.clause(expr))).collect()).implies(wanted)
}

fn checks(table: &Relation) -> impl Iterator<Item = &Expr> {
    table.constraints.iter().filter(|constraint| constraint.validated && constraint.enforced).filter_map(|constraint| {
        match &constraint.kind {
            ConstraintType::Check { expr, .. } => Some(expr),
            ConstraintType::NotNull { .. }
            | ConstraintType::Unique { .. }
            | ConstraintType::PrimaryKey { .. }
            | ConstraintType::Exclude { .. }
            | ConstraintType::ForeignKey { .. } => None,
        }
    })
}

/// Columns that a CHECK proves to be not null in the eyes of the server. It takes constants out, pushes NOT down and rows apart, but
/// looks into no operator and no test of a truth value (`predicate_implied_by`, which sees less than `implication::refuses_null`).
fn proven_columns(expr: &Expr) -> Vec<&str> {
    proven(expr, false)
}

/// The same of NOT the expression, where `negated`.
fn proven(expr: &Expr, negated: bool) -> Vec<&str> {
    match expr {
        Expr::Not(inner) => proven(inner, !negated),
        Expr::And(parts) | Expr::Or(parts) => {
            let all_hold = matches!(expr, Expr::And(_)) != negated;
            if all_hold {
                return parts.iter().flat_map(|part| proven(part, negated)).collect();
            }
            // One of them holds; it is not the one that never does.
            let never = |part: &&Expr| **part == Expr::Bool(negated);
            in_each(parts.iter().filter(|part| !never(part)).map(|part| proven(part, negated)))
        }
        Expr::IsNull { expr, negated: is_not } => match (expr.as_ref(), is_not, negated) {
            (_, true, false) => plain_columns(expr),
            // Not all of its fields are null.
            (Expr::Row(fields), false, true) => in_each(fields.iter().map(plain_columns)),
            (Expr::Row(_), true, true) => Vec::new(),
            (_, false, true) => plain_columns(expr),
            (_, is_not, negated) => {
                debug_assert!(*is_not == negated);
                Vec::new()
            }
        },
        Expr::IsDistinct { left, right, negated: is_not } if *is_not == negated => compared_with_null(left, right),
        Expr::Operator { name, args } => match (name.as_str(), args.as_slice()) {
            ("=", [truth, Expr::Bool(value)] | [Expr::Bool(value), truth]) => proven(truth, negated == *value),
            ("<>", [truth, Expr::Bool(value)] | [Expr::Bool(value), truth]) => proven(truth, negated != *value),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Names that stand in every one of the sets.
fn in_each<'e>(mut sets: impl Iterator<Item = Vec<&'e str>>) -> Vec<&'e str> {
    let first = sets.next().unwrap_or_default();
    sets.fold(first, |common, set| common.into_iter().filter(|name| set.contains(name)).collect())
}

fn compared_with_null<'e>(left: &'e Expr, right: &'e Expr) -> Vec<&'e str> {
    match (left, right) {
        (Expr::Null, other) | (other, Expr::Null) => plain_columns(other),
        _ => Vec::new(),
    }
}

/// A cast may be a call, and what it says of its argument nobody asks.
fn plain_columns(expr: &Expr) -> Vec<&str> {
    match expr {
        Expr::Column(path) => path.last().map(String::as_str).into_iter().collect(),
        Expr::Row(fields) => fields.iter().flat_map(plain_columns).collect(),
        _ => Vec::new(),
    }
}
