//! Does an INSERT that omits a column fail?

use super::trigger_body;
use crate::catalog::Catalog;
use crate::catalog::object::{Column, Relation, TypeKind};
use crate::catalog::types::{BaseType, DataType};
use crate::expr::Expr;

/// The column must be given: NULL is refused and nothing fills it.
pub fn needs_value(catalog: &Catalog, relation: &Relation, column: &Column) -> bool {
    (column.not_null || domain_refuses_null(catalog, &column.data_type))
        && column.identity.is_none()
        && column.generated.is_none()
        && !has_default(catalog, column)
        && !trigger_body::fills(catalog, relation, &column.name)
}

/// A default that is not NULL, of the column or of its domain.
pub fn has_default(catalog: &Catalog, column: &Column) -> bool {
    match &column.default {
        Some(default) => !is_null(default),
        None => domain_default(catalog, &column.data_type),
    }
}

/// The constant NULL, also `NULL::text`: as good as no default.
pub fn is_null(expr: &Expr) -> bool {
    matches!(crate::catalog::implication::bare(expr), Expr::Null)
}

/// NOT NULL of the domain or of one below it.
pub fn domain_refuses_null(catalog: &Catalog, data_type: &DataType) -> bool {
    domains(catalog, data_type).any(|(not_null, _)| not_null)
}

fn domain_default(catalog: &Catalog, data_type: &DataType) -> bool {
    // The outermost default wins.
    domains(catalog, data_type).find_map(|(_, default)| default).is_some_and(|default| !is_null(default))
}

/// (not null, default) of the domain and those below it, outermost first.
fn domains<'a>(catalog: &'a Catalog, data_type: &DataType) -> impl Iterator<Item = (bool, Option<&'a Expr>)> {
    let mut current = Some(data_type.clone());
    std::iter::from_fn(move || {
        let DataType { base: BaseType::User(id), array: false, .. } = current.take()? else { return None };
        match &catalog.types.get(&id)?.kind {
            TypeKind::Domain { base, not_null, default, .. } => {
                current = Some(base.clone());
                Some((*not_null, default.as_ref()))
            }
            _ => None,
        }
    })
}
