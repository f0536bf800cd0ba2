//! What a unit says, statement by statement, those inside of bodies too: for rules that look at what is written rather than at what it
//! changes.

use crate::expr::Expr;
use crate::op::{AlterTableCommand, Body, Dml, Op, Query, Span, Step, TableElement};
use crate::rules::Context;

/// One thing that is said, and where.
#[derive(Clone, Copy)]
pub struct Said<'a> {
    /// Of the unit, from 0.
    pub statement: usize,
    /// The statement, or the one inside a body.
    pub span: Span,
    /// False in the body of a routine, in a view and in a rule: they are kept for whoever uses them.
    pub runs: bool,
    pub part: Part<'a>,
}

#[derive(Clone, Copy)]
pub enum Part<'a> {
    Statement(&'a Op),
    /// Any expression of a statement or a body, those inside of others too.
    Expression(&'a Expr),
}

/// Calls `f` on everything that the unit says, in order; a statement comes before what is in it.
pub fn walk<'a>(cx: &Context<'a>, f: &mut dyn FnMut(Said<'a>)) {
    for (index, statement) in cx.parsed.statements.iter().enumerate() {
        if let Ok(parsed) = &statement.outcome {
            Walk { statement: index, span: statement.span, runs: true, f }.op(&parsed.op);
        }
    }
}

struct Walk<'f, 'a> {
    statement: usize,
    span: Span,
    runs: bool,
    f: &'f mut dyn FnMut(Said<'a>),
}

impl<'a> Walk<'_, 'a> {
    fn say(&mut self, part: Part<'a>) {
        (self.f)(Said { statement: self.statement, span: self.span, runs: self.runs, part });
    }

    /// Runs `f` on what is only kept.
    fn kept(&mut self, f: impl FnOnce(&mut Self)) {
        let runs = std::mem::replace(&mut self.runs, false);
        f(self);
        self.runs = runs;
    }

    fn op(&mut self, op: &'a Op) {
        self.say(Part::Statement(op));
        match op {
            Op::CreateSchema { elements, .. } => elements.iter().for_each(|element| self.op(element)),
            Op::CreateTable(create) => {
                for element in &create.elements {
                    if let TableElement::Column(column) = element {
                        column.constraints.iter().for_each(|constraint| self.default(&constraint.kind));
                    }
                }
            }
            Op::AlterTable(alter) => alter.commands.iter().for_each(|command| self.command(command)),
            Op::CreateTableAs(create) => self.query(&create.query),
            Op::CreateView(create) => self.kept(|walk| walk.query(&create.query)),
            Op::CreateRoutine(create) => self.kept(|walk| walk.body(&create.body)),
            Op::CreateRule { actions, .. } => self.kept(|walk| actions.iter().for_each(|action| walk.op(action))),
            Op::Dml(dml) => self.dml(dml),
            Op::Select(query) => self.query(query),
            Op::Copy { query, .. } => query.iter().for_each(|query| self.query(query)),
            Op::Call { args, .. } => args.iter().for_each(|arg| self.expr(arg)),
            Op::Do(body) => self.body(body),
            Op::Explain { inner, .. } => self.op(inner),
            Op::CreateIndex(_) | Op::CreateSequence { .. } | Op::AlterSequence { .. } | Op::AlterAllInTablespace => {}
            Op::CreateType { .. } | Op::CreateDomain { .. } | Op::AlterEnum { .. } | Op::AlterDomain { .. } => {}
            Op::AlterRoutine { .. } | Op::CreateAggregate { .. } | Op::CreateTrigger(_) | Op::CreateEventTrigger { .. } => {}
            Op::AlterEventTrigger { .. } | Op::CreatePolicy(_) | Op::AlterPolicy(_) | Op::CreateExtension { .. } => {}
            Op::AlterExtension { .. } | Op::CreateOther { .. } | Op::AlterOther { .. } | Op::Drop { .. } | Op::Rename { .. } => {}
            Op::SetSchema { .. } | Op::SetOwner { .. } | Op::DependsOnExtension { .. } | Op::Comment { .. } => {}
            Op::SecurityLabel | Op::Grant(_) | Op::GrantRole { .. } | Op::CreateRole { .. } | Op::AlterRole { .. } => {}
            Op::AlterSettings { .. } | Op::DropRole { .. } | Op::DropOwned { .. } | Op::ReassignOwned { .. } => {}
            Op::CreatePublication { .. } | Op::AlterPublication { .. } | Op::CreateSubscription { .. } => {}
            Op::AlterSubscription { .. } | Op::Truncate { .. } | Op::Lock { .. } | Op::Transaction(_) | Op::Set(_) | Op::Show => {
            }
            Op::SetConstraints { .. } | Op::Discard { .. } | Op::Vacuum { .. } | Op::Cluster { .. } | Op::Reindex { .. } => {}
            Op::Refresh { .. } | Op::Session { .. } | Op::ImportForeignSchema { .. } | Op::Load { .. } => {}
            Op::Unclassified { .. } => {}
        }
    }

    fn command(&mut self, command: &'a AlterTableCommand) {
        match command {
            AlterTableCommand::AddColumn { column, .. } => {
                column.constraints.iter().for_each(|constraint| self.default(&constraint.kind));
            }
            AlterTableCommand::SetDefault { expr, .. } => self.expr(expr),
            AlterTableCommand::SetType { using: Some(expr), .. } => self.expr(expr),
            _ => {}
        }
    }

    fn default(&mut self, kind: &'a crate::op::ConstraintKind) {
        if let crate::op::ConstraintKind::Default(expr) = kind {
            self.expr(expr);
        }
    }

    fn dml(&mut self, dml: &'a Dml) {
        self.query(&dml.sources);
        dml.condition.iter().for_each(|condition| self.expr(condition));
    }

    fn query(&mut self, query: &'a Query) {
        let mut found = Vec::new();
        query.walk_exprs(&mut |expr| found.push(expr));
        found.into_iter().for_each(|expr| self.say(Part::Expression(expr)));
    }

    fn expr(&mut self, expr: &'a Expr) {
        let mut found = Vec::new();
        expr.walk(&mut |inner| found.push(inner));
        found.into_iter().for_each(|inner| self.say(Part::Expression(inner)));
    }

    fn body(&mut self, body: &'a Body) {
        let outer = self.span;
        self.steps(&body.steps);
        self.span = outer;
    }

    fn steps(&mut self, steps: &'a [Step]) {
        for step in steps {
            match step {
                Step::Sql(statement) => {
                    self.span = statement.span;
                    self.op(&statement.op);
                }
                Step::If { arms, otherwise, span } => {
                    for (condition, arm) in arms {
                        self.span = *span;
                        self.expr(condition);
                        self.steps(arm);
                    }
                    self.steps(otherwise);
                }
                Step::Loop { query, body, span } => {
                    self.span = *span;
                    query.iter().for_each(|query| self.query(query));
                    self.steps(body);
                }
                Step::Block { body, handlers, .. } => {
                    self.steps(body);
                    handlers.iter().for_each(|(_, handler)| self.steps(handler));
                }
                Step::Return { expr: Some(expr), span } | Step::Evaluate { expr, span, .. } => {
                    self.span = *span;
                    self.expr(expr);
                }
                Step::Return { expr: None, .. }
                | Step::Dynamic { .. }
                | Step::Raise { .. }
                | Step::Transaction { .. }
                | Step::Nothing => {}
            }
        }
    }
}
