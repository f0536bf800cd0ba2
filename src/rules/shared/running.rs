//! What a unit runs, statement by statement: top-level statements, those inside of DO blocks, and what EXPLAIN ANALYZE carries out.
//! Bodies of routines, views and rules are kept for whoever uses them, and are not here.

use crate::catalog::object::Relation;
use crate::expr::Expr;
use crate::op::{FromItem, ObjectName, Op, Query, Span, Step};
use crate::rules::Context;
use std::sync::Arc;

/// One thing that runs, and where.
#[derive(Clone, Copy)]
pub struct Running<'a> {
    /// Of the unit, from 0.
    pub statement: usize,
    /// The statement, or the one inside a DO block.
    pub span: Span,
    pub what: What<'a>,
}

#[derive(Clone, Copy)]
pub enum What<'a> {
    Op(&'a Op),
    /// The query of a FOR loop.
    Query(&'a Query),
    /// An assignment, PERFORM, a condition.
    Expr(&'a Expr),
    /// COMMIT or ROLLBACK inside a DO block.
    End,
}

/// Everything that the unit runs, in order.
pub fn all<'a>(cx: &Context<'a>) -> Vec<Running<'a>> {
    let mut found = Vec::new();
    for (statement, parsed) in cx.parsed.statements.iter().enumerate() {
        if let Ok(inner) = &parsed.outcome {
            op(&inner.op, statement, inner.span, &mut found);
        }
    }
    found
}

/// What runs at a place.
pub fn at<'a>(running: &[Running<'a>], statement: usize, span: Span) -> Option<What<'a>> {
    running.iter().find(|one| one.statement == statement && one.span == span).map(|one| one.what)
}

/// True where a DO block commits or rolls back between two places of one statement, or after the first of them.
pub fn ends_between(running: &[Running<'_>], statement: usize, from: Span, to: Span) -> bool {
    let between = |end: &Running<'_>| end.span.start > from.start && (end.span.start < to.start || to.start <= from.start);
    running.iter().any(|end| matches!(end.what, What::End) && end.statement == statement && between(end))
}

fn op<'a>(op_: &'a Op, statement: usize, span: Span, found: &mut Vec<Running<'a>>) {
    match op_ {
        Op::Do(body) => steps(&body.steps, statement, found),
        Op::Explain { analyze: true, inner } => op(inner, statement, span, found),
        Op::Explain { analyze: false, .. } => {}
        other => found.push(Running { statement, span, what: What::Op(other) }),
    }
}

fn steps<'a>(list: &'a [Step], statement: usize, found: &mut Vec<Running<'a>>) {
    for step in list {
        match step {
            Step::Sql(inner) => op(&inner.op, statement, inner.span, found),
            Step::If { arms, otherwise, span } => {
                for (condition, arm) in arms {
                    found.push(Running { statement, span: *span, what: What::Expr(condition) });
                    steps(arm, statement, found);
                }
                steps(otherwise, statement, found);
            }
            Step::Loop { query, body, span } => {
                found.extend(query.iter().map(|query| Running { statement, span: *span, what: What::Query(query) }));
                steps(body, statement, found);
            }
            Step::Block { body, handlers, .. } => {
                steps(body, statement, found);
                handlers.iter().for_each(|(_, handler)| steps(handler, statement, found));
            }
            Step::Evaluate { expr: Expr::Scalar(query), span, .. } => {
                found.push(Running { statement, span: *span, what: What::Query(query) });
            }
            Step::Return { expr: Some(expr), span } | Step::Evaluate { expr, span, .. } => {
                found.push(Running { statement, span: *span, what: What::Expr(expr) });
            }
            Step::Transaction { span, .. } => found.push(Running { statement, span: *span, what: What::End }),
            Step::Return { expr: None, .. } | Step::Dynamic { .. } | Step::Raise { .. } | Step::Nothing => {}
        }
    }
}

impl<'a> Running<'a> {
    /// The query, where it is one.
    pub fn query(self) -> Option<&'a Query> {
        match self.what {
            What::Op(Op::Select(query)) | What::Query(query) => Some(query),
            What::Op(_) | What::Expr(_) | What::End => None,
        }
    }

    /// Calls `f` on every expression of a query, of rows that are changed, and of what a block evaluates.
    pub fn walk(self, f: &mut dyn FnMut(&'a Expr)) {
        match self.what {
            What::Op(Op::Select(query)) | What::Query(query) => query.walk_exprs(f),
            What::Op(Op::Dml(dml)) => {
                dml.sources.walk_exprs(f);
                dml.condition.iter().for_each(|condition| condition.walk(f));
            }
            What::Op(Op::CreateTableAs(create)) => create.query.walk_exprs(f),
            What::Op(Op::Copy { query: Some(query), .. }) => query.walk_exprs(f),
            What::Op(Op::Call { args, .. }) => args.iter().for_each(|arg| arg.walk(f)),
            What::Expr(expr) => expr.walk(f),
            What::Op(_) | What::End => {}
        }
    }

    /// The relation that a name means there; of two that had the name one after the other, the earlier.
    pub fn relation(self, cx: &Context<'a>, name: &ObjectName) -> Option<Arc<Relation>> {
        let settings = &cx.circumstances.get(self.statement)?.settings;
        [cx.before, cx.after].into_iter().find_map(|catalog| {
            let mut there = catalog.clone();
            there.settings = settings.clone();
            there.relation(there.resolve_relation(name)?).cloned()
        })
    }

    /// The relations that a query itself names, not those of queries inside it.
    pub fn sources(self, cx: &Context<'a>, query: &Query) -> Vec<Arc<Relation>> {
        let of_query = |name: &ObjectName| name.schema.is_some() || !query.ctes.iter().any(|(cte, _, _)| *cte == name.name);
        let named = query.from.iter().filter_map(|item| match item {
            FromItem::Relation { name, .. } if of_query(name) => self.relation(cx, name),
            FromItem::Relation { .. } | FromItem::Subquery { .. } | FromItem::Function { .. } | FromItem::Other { .. } => None,
        });
        named.chain(query.set_arms.iter().flat_map(|arm| self.sources(cx, arm))).collect()
    }
}
