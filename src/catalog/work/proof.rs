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

/// Columns that a CHECK proves to be not null in the eyes of the server, which sees less than [`implication::refuses_null`].
fn proven_columns(expr: &Expr) -> Vec<&str> {
    match expr {
        Expr::BooleanTest { .. } => Vec::new(),
        Expr::And(parts) => parts.iter().flat_map(proven_columns).collect(),
        Expr::Or(parts) => {
            let mut sets = parts.iter().map(proven_columns);
            let first = sets.next().unwrap_or_default();
            sets.fold(first, |common, set| common.into_iter().filter(|name| set.contains(name)).collect())
        }
        _ => implication::refuses_null(expr),
    }
}
