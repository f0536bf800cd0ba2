//! Conditions of bodies, evaluated against the catalog: true, false, or not known.
//!
//! Guards ask the server's own tables (`pg_type`, `information_schema.columns` …) whether something is there. The catalog
//! answers as the server would where it can; a question about rows of users' tables, about settings of the machine, or about an
//! object that nobody created while the history is not complete, is not known. What is not known is never guessed here.

mod columns;
mod comparison;
mod constraint_column;
mod expression;
mod function;
mod query;
mod rows;
mod table;
mod typed_column;
mod unseen_column;
mod value;

pub use comparison::parse_name;
pub use value::{Truth, Value};

use super::Catalog;
use crate::expr::Expr;
use crate::op::Query;
use expression::Scope;
use std::collections::BTreeMap;

/// Variables of a body by lower-case name, `$1` … for arguments by position.
pub type Variables = BTreeMap<String, Value<'static>>;

/// Evaluates an expression of a body.
pub fn evaluate(c: &Catalog, variables: &Variables, expr: &Expr) -> Value<'static> {
    Scope::outermost(c, variables).evaluate(expr).into_owned()
}

/// Whether a condition holds; `None` where that is not known.
pub fn holds(c: &Catalog, variables: &Variables, condition: &Expr) -> Option<bool> {
    Scope::outermost(c, variables).evaluate(condition).truth().holds()
}

/// Whether a query has a row: what FOUND is after it.
pub fn has_rows(c: &Catalog, variables: &Variables, query: &Query) -> Truth {
    Scope::outermost(c, variables).exists(query)
}
