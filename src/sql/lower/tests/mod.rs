//! SQL text in, [`Op`] out: every statement goes through the real parser.

use super::{Lowering, statement, text};
use crate::expr::Expr;
use crate::op::{ObjectName, Op, Span, TypeRef};
use crate::sql::position::PositionMap;

mod alterations;
mod coverage;
mod expressions;
mod objects;
mod privileges;
mod queries;
mod routines;
mod sessions;
mod tables;
mod types;

/// Parses and lowers all statements of `sql`, which stands at byte `base` of its file.
fn ops_at(sql: &str, base: usize) -> Vec<Op> {
    let parsed = pg_query::parse(sql, 0).unwrap_or_else(|error| panic!("{error}: {sql:.300}"));
    let positions = PositionMap::Linear(base);
    let cx = Lowering::new(sql, &positions);
    let lowered = parsed.protobuf.stmts.iter().map(|raw| {
        let start = usize::try_from(raw.stmt_location).unwrap();
        let length = usize::try_from(raw.stmt_len).unwrap();
        let end = if length == 0 { sql.len() } else { start + length };
        let (start, end) = text::trimmed(sql, start, end);
        statement(raw.stmt.as_ref().unwrap(), start, end, &cx)
    });
    lowered.collect()
}

/// Parses and lowers the one statement of `sql`.
fn op(sql: &str) -> Op {
    let mut found = ops_at(sql, 0);
    assert_eq!(found.len(), 1, "{sql}");
    found.remove(0)
}

/// Lowers one expression.
fn expr(sql: &str) -> Expr {
    query(&format!("SELECT {sql}")).targets.remove(0).expr
}

/// Lowers one query.
fn query(sql: &str) -> crate::op::Query {
    match op(sql) {
        Op::Select(query) => query,
        other => panic!("{sql}: {other:?}"),
    }
}

/// Takes the fields of one variant, or fails with the whole value.
macro_rules! take {
    ($value:expr, $pattern:pat => $result:expr) => {
        match $value {
            $pattern => $result,
            other => panic!("{other:?}"),
        }
    };
}
use take;

fn column(name: &str) -> Expr {
    Expr::Column(vec![name.into()])
}

fn name(text: &str) -> ObjectName {
    match text.split_once('.') {
        Some((schema, name)) => ObjectName::qualified(schema, name),
        None => ObjectName::bare(text),
    }
}

/// A type without modifiers.
fn type_named(text: &str) -> TypeRef {
    TypeRef {
        name: name(text),
        typmods: Vec::new(),
        modifier_words: Vec::new(),
        array_dims: 0,
        setof: false,
        percent_type: false,
    }
}

fn cut(sql: &str, span: Span) -> &str {
    &sql[span.start..span.end]
}
