//! A unit that runs a second time, after it has run: which statements fail then, and which do their work twice.
//!
//! The model is asked, so that guards count however they are written: DROP … IF EXISTS before CREATE, a DO block with the right
//! handler, IF NOT EXISTS around it.

use super::Catalog;
use super::failure::{self, Failure};
use crate::expr::Expr;
use crate::op::{AlterDomain, AlterTableCommand, ConstraintKind, Dml, DmlKind, ObjectKind, Op, PublicationChange, Span};
use crate::sql::ParsedUnit;

/// A statement that does not bear a second run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated {
    /// From 0.
    pub statement: usize,
    /// The statement, or the one inside a body.
    pub span: Span,
    pub outcome: Outcome,
}

/// What a second run of a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server's error with this SQLSTATE.
    Fails(&'static str),
    /// No error, and twice the result; what that is, as the end of a sentence.
    Twice(&'static str),
}

/// Runs the unit on what it left behind. `before` and `after` are around its first run, which is taken to have succeeded.
pub fn second_run(before: &Catalog, after: &Catalog, parsed: &ParsedUnit) -> Vec<Repeated> {
    let second = run(after, parsed, true);
    if second.iter().all(|repeated| matches!(repeated.outcome, Outcome::Twice(_))) {
        return second;
    }
    // What the model would refuse the first time too is not understood.
    let first = run(before, parsed, false);
    let is_news = |repeated: &Repeated| matches!(repeated.outcome, Outcome::Twice(_)) || !first.contains(repeated);
    second.into_iter().filter(is_news).collect()
}

fn run(start: &Catalog, parsed: &ParsedUnit, again: bool) -> Vec<Repeated> {
    let mut catalog = start.clone();
    // All that the unit needs was there the first time.
    catalog.incomplete = false;
    let mut found = Vec::new();
    for (index, statement) in parsed.statements.iter().enumerate() {
        let Ok(parsed) = &statement.outcome else { continue };
        (catalog.statement, catalog.span) = (index, statement.span);
        if matches!(parsed.op, Op::Transaction(_)) {
            continue;
        }
        let mut push = |span: Span, outcome: Outcome| found.push(Repeated { statement: index, span, outcome });
        match failure::of(&catalog, &parsed.op).map(Failure::sqlstate).or_else(|| if again { fails(&parsed.op) } else { None }) {
            Some(sqlstate) => {
                push(statement.span, Outcome::Fails(sqlstate));
                continue;
            }
            None => {
                if let Some(what) = twice(&parsed.op) {
                    push(statement.span, Outcome::Twice(what));
                }
            }
        }
        catalog.running.refused = Some(Vec::new());
        catalog.apply(&parsed.op);
        for (span, failure) in catalog.running.refused.take().unwrap_or_default() {
            push(span, Outcome::Fails(failure.sqlstate()));
        }
        catalog.journal.clear();
        catalog.work.clear();
        catalog.incomplete = false;
    }
    found
}

/// Statements that fail on what they themselves made, and that the model does not keep track of.
fn fails(op: &Op) -> Option<&'static str> {
    match op {
        Op::CreateOther { object, or_replace: false, if_not_exists: false, .. } => match object.kind {
            ObjectKind::Operator | ObjectKind::Routine => Some("42723"),
            ObjectKind::Database => Some("42P04"),
            // Without a name the server makes one up.
            ObjectKind::Statistics if object.name.name.is_empty() => None,
            _ => Some("42710"),
        },
        Op::CreateAggregate { or_replace: false, .. } => Some("42723"),
        Op::CreateEventTrigger { .. } | Op::CreateSubscription { .. } => Some("42710"),
        Op::AlterPublication { change: PublicationChange::Add { .. }, .. } => Some("42710"),
        Op::AlterTable(alter) => alter.commands.iter().find_map(|command| match command {
            AlterTableCommand::AttachPartition { .. } => Some("42809"),
            AlterTableCommand::DetachPartition { .. } | AlterTableCommand::NoInherit { .. } => Some("42P01"),
            AlterTableCommand::Inherit { .. } => Some("42P07"),
            AlterTableCommand::AddIdentity { .. } => Some("55000"),
            _ => None,
        }),
        _ => None,
    }
}

/// Statements that succeed and do their work again.
fn twice(op: &Op) -> Option<&'static str> {
    match op {
        Op::Dml(dml) => dml_twice(dml),
        Op::Copy { from: true, relation: Some(_), .. } => Some("its rows are loaded again"),
        Op::CreateIndex(create) if create.name.is_none() => Some("a second index is made beside it, under another name"),
        Op::AlterTable(alter) => alter.commands.iter().find_map(|command| match command {
            AlterTableCommand::AddConstraint(constraint) if constraint.name.is_none() => match &constraint.kind {
                ConstraintKind::Check(_) | ConstraintKind::ForeignKey { .. } | ConstraintKind::Exclude { .. } => {
                    Some("a second constraint is made beside it, under another name")
                }
                ConstraintKind::Unique { using_index: None, .. } => {
                    Some("a second constraint is made beside it, under another name")
                }
                _ => None,
            },
            _ => None,
        }),
        Op::AlterDomain { change: AlterDomain::AddConstraint(constraint), .. } if constraint.name.is_none() => {
            Some("a second constraint is made beside it, under another name")
        }
        _ => None,
    }
}

fn dml_twice(dml: &Dml) -> Option<&'static str> {
    match dml.kind {
        DmlKind::Insert if dml.on_conflict.is_some() || is_guarded(dml) => None,
        DmlKind::Insert => Some("its rows are inserted again, or refused as duplicates"),
        DmlKind::Update => {
            // `n = n + 1`; where the condition asks for the same column, it may be its own guard.
            let asked = |column: &str| dml.condition.as_ref().is_some_and(|condition| names(condition, column));
            let again = dml.columns.iter().zip(&dml.sources.targets).any(|(column, target)| {
                matches!(&target.expr, Expr::Operator { args, .. } if args.iter().any(|arg| names(arg, column))) && !asked(column)
            });
            again.then_some("its values are computed again from what it made of them")
        }
        DmlKind::Delete | DmlKind::Merge => None,
    }
}

/// The rows come from a query that looks whether they are there.
fn is_guarded(dml: &Dml) -> bool {
    let mut guarded = false;
    dml.sources.walk_exprs(&mut |expr| {
        guarded |= match expr {
            Expr::Not(inner) => matches!(**inner, Expr::Exists(_) | Expr::QueryTest { .. }),
            Expr::IsNull { negated: false, .. } => true,
            _ => false,
        }
    });
    !dml.values && guarded
}

fn names(expr: &Expr, column: &str) -> bool {
    let mut found = false;
    expr.walk(&mut |part| found |= matches!(part, Expr::Column(parts) if parts.last().is_some_and(|last| last == column)));
    found
}
