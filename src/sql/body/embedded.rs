//! SQL inside a body: slices of its source are parsed and lowered, with their places in the file.

use crate::expr::Expr;
use crate::op::{Query, Span, Statement};
use crate::sql::ffi::{self, Mode, Refusal};
use crate::sql::lower::{self, Lowering};
use crate::sql::newer::{self, Use};
use crate::sql::position::PositionMap;
use crate::sql::{SyntaxError, parse};
use pg_query::Node;
use pg_query::protobuf::node::Node as Kind;
use pg_query::protobuf::{ResTarget, SelectStmt};
use std::cell::RefCell;

/// The source of one body.
pub struct Source<'a> {
    /// The decoded text.
    pub text: &'a str,
    /// Where it stands in the file.
    pub positions: &'a PositionMap,
    /// Errors inside bodies inside this one.
    pub errors: &'a RefCell<Vec<SyntaxError>>,
    /// What the SQL uses that is newer than some server.
    pub newer: &'a RefCell<Vec<Use>>,
}

/// An expression as plpgsql takes it: a SELECT without the word, which may have FROM and WHERE.
pub struct Expression {
    select: SelectStmt,
}

impl Expression {
    /// The one value, where it is no query.
    pub fn value(&self) -> Option<&Node> {
        let SelectStmt { target_list, from_clause, where_clause, group_clause, having_clause, sort_clause, .. } = &self.select;
        let is_plain = from_clause.is_empty()
            && where_clause.is_none()
            && group_clause.is_empty()
            && having_clause.is_none()
            && sort_clause.is_empty()
            && self.select.limit_count.is_none()
            && self.select.limit_offset.is_none()
            && self.select.values_lists.is_empty()
            && self.select.larg.is_none();
        match target_list.as_slice() {
            [target] if is_plain => target_value(target),
            _ => None,
        }
    }

    /// The SELECT.
    pub fn select(&self) -> &SelectStmt {
        &self.select
    }
}

/// What a target of a SELECT list computes.
pub fn target_value(target: &Node) -> Option<&Node> {
    match &target.node {
        Some(Kind::ResTarget(target)) => {
            let ResTarget { val, .. } = target.as_ref();
            val.as_deref()
        }
        _ => None,
    }
}

impl Source<'_> {
    /// A range of the body in the file.
    pub fn place(&self, span: Span) -> Span {
        self.positions.span(span.start, span.end)
    }

    /// Parses and lowers the statements at `span`; `text` is what to read there, of the same length.
    pub fn statements(&self, text: &str, span: Span) -> Result<Vec<Statement>, Refusal> {
        let positions = self.positions.part(span.start, span.end);
        self.lower(text, &positions)
    }

    /// Parses and lowers a text that the statement at `whole` of the file runs.
    pub fn folded(&self, text: &str, positions: &PositionMap, whole: Span) -> Result<Vec<Statement>, Refusal> {
        let before = self.newer.borrow().len();
        let mut statements = self.lower(text, positions)?;
        for statement in &mut statements {
            statement.span = whole;
        }
        let mut newer = self.newer.borrow_mut();
        let executed: Vec<Use> = newer.drain(before..).map(Use::in_executed_text).collect();
        newer.extend(executed);
        Ok(statements)
    }

    fn lower(&self, text: &str, positions: &PositionMap) -> Result<Vec<Statement>, Refusal> {
        let tree = ffi::parse(text, Mode::Statements)?;
        let cx = Lowering::new(text, positions);
        let mut statements = Vec::new();
        for (span, node) in tree.stmts.into_iter().filter_map(|raw| parse::located(raw, text)) {
            let op = lower::statement(&node, span.start, span.end, &cx);
            statements.push(Statement { span: positions.span(span.start, span.end), op });
            self.newer.borrow_mut().extend(newer::uses(&node, text, span.start, span.end, positions));
        }
        self.newer.borrow_mut().append(&mut cx.newer.into_inner());
        self.errors.borrow_mut().append(&mut cx.errors.into_inner());
        Ok(statements)
    }

    /// Parses the expression at `span`.
    pub fn expression(&self, span: Span) -> Result<Expression, Refusal> {
        let text = &self.text[span.start..span.end];
        let expression = select(text, Mode::Expression)?;
        self.note_newer(&expression, text, span);
        Ok(expression)
    }

    /// Parses `text`, which stands for what is at `span`, as a query. `None` where it is a statement that returns rows and no
    /// SELECT.
    pub fn query(&self, text: &str, span: Span) -> Result<Option<Expression>, Refusal> {
        match select(text, Mode::Statements) {
            Ok(select) => {
                self.note_newer(&select, text, span);
                Ok(Some(select))
            }
            Err(refusal) if refusal.message == NO_SELECT => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    fn note_newer(&self, expression: &Expression, text: &str, span: Span) {
        let positions = self.positions.part(span.start, span.end);
        self.newer.borrow_mut().extend(newer::uses(&expression.select, text, 0, text.len(), &positions));
    }

    /// Lowers an expression that was parsed from the text at `span`.
    pub fn lower_at(&self, expression: &Expression, span: Span) -> Expr {
        self.lower_expression(expression, &self.text[span.start..span.end], span)
    }

    /// Lowers an expression that was parsed from `text`, which stands for what is at `span`.
    pub fn lower_expression(&self, expression: &Expression, text: &str, span: Span) -> Expr {
        let positions = self.positions.part(span.start, span.end);
        let cx = Lowering::new(text, &positions);
        match expression.value() {
            Some(value) => lower::expr(value, &cx),
            None => Expr::Scalar(Box::new(lower::query(&expression.select, &cx))),
        }
    }

    /// Lowers a query that was parsed from the text at `span`.
    pub fn lower_query(&self, query: &Expression, span: Span) -> Query {
        let positions = self.positions.part(span.start, span.end);
        let text = &self.text[span.start..span.end];
        lower::query(&query.select, &Lowering::new(text, &positions))
    }

    /// What a refusal of the text at `span` means in the file.
    pub fn syntax_error(&self, refusal: &Refusal, span: Span) -> SyntaxError {
        let mut error = parse::syntax_error(refusal, &self.text[..span.end], span);
        error.span = self.place(error.span);
        error
    }
}

const NO_SELECT: &str = "not a SELECT";

/// Parses a text that is one SELECT.
pub fn select(text: &str, mode: Mode) -> Result<Expression, Refusal> {
    let tree = ffi::parse(text, mode)?;
    match tree.stmts.into_iter().next().and_then(|raw| raw.stmt).and_then(|node| node.node) {
        Some(Kind::SelectStmt(select)) => Ok(Expression { select: *select }),
        _ => Err(Refusal { message: NO_SELECT.into(), at: None }),
    }
}
