//! What the server takes as proven from valid constraints, so that it need not scan (`ConstraintImpliedByRelConstraint`).

use crate::catalog::implication;
use crate::catalog::object::{Column, ConstraintType, Relation};
use crate::expr::Expr;

/// A valid, enforced CHECK says that the column holds no NULL. NO INHERIT does not matter: it is about this table.
pub(super) fn refuses_null(table: &Relation, column: &Column) -> bool {
    checks(table).any(|expr| proven_columns(expr).contains(&column.name.as_str()))
}

/// Every row satisfies all of these, by NOT NULL and valid CHECKs together.
pub(super) fn satisfies(table: &Relation, wanted: &[Expr]) -> bool {
    wanted.iter().all(|wanted| match wanted {
        Expr::IsNull { expr, negated: true } => {
            let Expr::Column(path) = expr.as_ref() else { return false };
            let Some(column) = path.last().and_then(|name| table.column(name)) else { return false };
            column.not_null || refuses_null(table, column)
        }
        wanted => checks(table).any(|expr| implication::implies(expr, wanted)),
    })
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
/// looks into no operator and no test of a truth value (`predicate_implied_by`, which sees less than [`implication::refuses_null`]).
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
            (_, true, false) => implication::plain_columns(expr),
            // Not all of its fields are null.
            (Expr::Row(fields), false, true) => in_each(fields.iter().map(implication::plain_columns)),
            (Expr::Row(_), true, true) => Vec::new(),
            (_, false, true) => implication::plain_columns(expr),
            (_, is_not, negated) => {
                debug_assert!(*is_not == negated);
                Vec::new()
            }
        },
        Expr::IsDistinct { left, right, negated: is_not } if *is_not == negated => implication::compared_with_null(left, right),
        Expr::Operator { name, args } => match (name.as_str(), args.as_slice()) {
            ("=", [truth, Expr::Bool(value)] | [Expr::Bool(value), truth]) => proven(truth, negated != !value),
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
