//! Statements that change, or copy, the rows of an older table without a bound on how many.

use super::bound;
use super::running::{self, Running, What};
use crate::catalog::change::{Change, Event, RowChange};
use crate::catalog::object::{Relation, RelationKind};
use crate::op::{Dml, DmlKind, Op, Query};
use crate::rules::Context;
use std::sync::Arc;

/// One such statement.
pub struct Backfill<'a> {
    pub event: &'a Event,
    /// The older table whose rows it goes through.
    pub table: Arc<Relation>,
    /// `None` in a routine that is called: its text stands elsewhere.
    pub dml: Option<&'a Dml>,
    pub how: RowChange,
}

/// All of a unit, in order. What was rolled back is not among them.
pub fn all<'a>(cx: &Context<'a>) -> Vec<Backfill<'a>> {
    let running = running::all(cx);
    let mut found = Vec::new();
    for event in cx.events {
        let Change::RowsChanged { relation: Some(relation), how } = &event.change else { continue };
        let here = running.iter().find(|one| one.statement == event.statement && one.span == event.span);
        let dml = here.and_then(|one| statement(cx, *one, relation));
        if let Some(table) = gone_through(cx, here.copied(), relation, *how, dml) {
            found.push(Backfill { event, table, dml, how: *how });
        }
    }
    found
}

fn gone_through<'a>(
    cx: &Context<'a>,
    here: Option<Running<'a>>,
    target: &Arc<Relation>,
    how: RowChange,
    dml: Option<&Dml>,
) -> Option<Arc<Relation>> {
    let bounded = |dml: &Dml| bound::is_bounded(cx.before, target, dml);
    let is_older = cx.older_table(target) && !crate::catalog::is_ledger(&target.name);
    match (how, dml) {
        (RowChange::Update { bounded: true } | RowChange::Delete { bounded: true }, None) => None,
        (RowChange::Update { .. } | RowChange::Delete { .. }, None) => is_older.then(|| target.clone()),
        (RowChange::Update { .. } | RowChange::Delete { .. }, Some(dml)) => (is_older && !bounded(dml)).then(|| target.clone()),
        (RowChange::Insert | RowChange::Merge, Some(dml)) if !dml.values => source(cx, here?, &dml.sources),
        (RowChange::Insert | RowChange::Merge | RowChange::Truncate | RowChange::Copy, _) => None,
    }
}

/// The older table that rows are taken from, where nothing says how many.
fn source<'a>(cx: &Context<'a>, here: Running<'a>, query: &'a Query) -> Option<Arc<Relation>> {
    let sources = here.sources(cx, query);
    let borrowed: Vec<&Relation> = sources.iter().map(AsRef::as_ref).collect();
    if bound::is_bounded_query(cx.before, &borrowed, query) || is_one_row(query) {
        return None;
    }
    let is_older = |table: &&Arc<Relation>| {
        (cx.older_table(table) || (table.kind == RelationKind::MaterializedView && cx.older_relation(table)))
            && !crate::catalog::is_ledger(&table.name)
    };
    sources.iter().find(is_older).cloned()
}

/// `SELECT count(*) FROM t`: however many are read, one row comes out.
fn is_one_row(query: &Query) -> bool {
    use crate::expr::Expr;
    const AGGREGATES: &[&str] = &["count", "max", "min", "sum", "avg", "bool_and", "bool_or", "array_agg", "string_agg"];
    let is_aggregate =
        |expr: &Expr| matches!(expr, Expr::Call(call) if !call.window && AGGREGATES.contains(&call.name.name.as_str()));
    let holds_one = |expr: &Expr| {
        let mut found = false;
        expr.walk(&mut |inner| found |= is_aggregate(inner));
        found
    };
    !query.grouped && query.set_arms.is_empty() && query.targets.iter().any(|target| holds_one(&target.expr))
}

/// The statement that changes the relation, which may stand in WITH.
fn statement<'a>(cx: &Context<'a>, here: Running<'a>, relation: &Relation) -> Option<&'a Dml> {
    let is_it = |dml: &&Dml| {
        dml.relation.name == relation.name || here.relation(cx, &dml.relation).is_some_and(|resolved| resolved.id == relation.id)
    };
    match here.what {
        What::Op(Op::Dml(dml)) => Some(dml).filter(is_it).or_else(|| modifying(&dml.sources).into_iter().find(is_it)),
        What::Op(Op::Select(query)) | What::Query(query) => modifying(query).into_iter().find(is_it),
        What::Op(_) | What::Expr(_) | What::End => None,
    }
}

fn modifying(query: &Query) -> Vec<&Dml> {
    let below = query.ctes.iter().flat_map(|(_, _, inner)| modifying(inner));
    query.modifying.iter().chain(below).collect()
}

impl Backfill<'_> {
    /// What it does, as the beginning of a sentence about the table.
    pub fn verb(&self) -> &'static str {
        match (self.how, self.dml.map(|dml| dml.kind)) {
            (RowChange::Update { .. }, _) => "updates",
            (RowChange::Delete { .. }, _) => "deletes",
            (RowChange::Merge, _) | (_, Some(DmlKind::Merge)) => "merges",
            (RowChange::Insert | RowChange::Truncate | RowChange::Copy, _) => "copies",
        }
    }
}
