//! Lower libpg_query's protobuf nodes to [`crate::op`]. One file per family of statements.

use crate::expr::Expr;
use crate::op::{Op, Query};
use crate::sql::SyntaxError;
use crate::sql::position::PositionMap;
use pg_query::protobuf;
use std::cell::RefCell;

/// What lowering needs besides the node: the parsed text, for literal bodies and normalised definitions, and where it stands.
pub struct Lowering<'a> {
    /// The text that was parsed; node locations are byte offsets into it.
    pub text: &'a str,
    pub positions: &'a PositionMap,
    /// Syntax errors of bodies opened on the way.
    pub errors: RefCell<Vec<SyntaxError>>,
}

/// Lowers one statement. `start..end` is its range in `cx.text`.
pub fn statement(node: &protobuf::Node, start: usize, end: usize, cx: &Lowering<'_>) -> Op {
    let _ = (node, start, end, cx);
    Op::Unclassified { node: "stub".into() }
}

/// Lowers an expression.
pub fn expr(node: &protobuf::Node, cx: &Lowering<'_>) -> Expr {
    let _ = (node, cx);
    Expr::Null
}

/// Lowers a SELECT, VALUES or set operation.
pub fn query(node: &protobuf::SelectStmt, cx: &Lowering<'_>) -> Query {
    let _ = (node, cx);
    Query::default()
}
