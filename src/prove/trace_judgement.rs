//! What a traced history comes to: prediction beside observation, statement by statement, and what does not agree.

use super::judge::{Tally, first_line};
use super::observe::objects::Objects;
use super::observe::trace::Trace;
use super::replay::{Failure, ReplayStatement, ReplayUnit};
use crate::effect::{Break, Effect, LockMode};
use crate::op::{Op, Step};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// One statement that does not cost what was predicted.
#[derive(Clone, Debug)]
pub struct Mismatch {
    pub path: String,
    /// 0-based.
    pub statement: usize,
    /// First line of it.
    pub sql: String,
    /// What differs: `locks public.t: predicted ShareLock, observed nothing`.
    pub what: Vec<String>,
}

/// One statement that ran, and what it cost, as far as prediction and observation can be held against each other.
#[derive(Clone, Debug)]
pub struct Traced {
    pub path: String,
    /// 0-based.
    pub statement: usize,
    pub observed: Trace,
    pub predicted: Trace,
    /// `None` unless the tracer watches the catalogs.
    pub seen: Option<Seen>,
}

/// What else was seen of a statement.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub breaks: Vec<Break>,
    pub objects: Objects,
    pub time: Duration,
    /// Bytes of write-ahead log, those of other sessions included.
    pub wal: u64,
}

/// The result over one history, or over several added up.
#[derive(Clone, Debug, Default)]
pub struct TraceJudgement {
    /// Statements that ran and were looked at.
    pub statements: usize,
    /// Statements that ran without a transaction, whose locks and scans nobody saw.
    pub without_locks: usize,
    /// Statements of units that were run as they are written, because they roll back.
    pub untraced: usize,
    pub skipped: usize,
    pub blocking: Tally,
    /// Statements that lock, by observation or prediction, and those where every lock is equal.
    pub locking: usize,
    pub locking_equal: usize,
    pub rewrites: Tally,
    pub scans: Tally,
    pub index_builds: Tally,
    pub mismatches: Vec<Mismatch>,
    /// Every statement that was looked at, in order.
    pub traced: Vec<Traced>,
    /// Path of the unit, and why the server refused it.
    pub failures: Vec<(String, Failure)>,
    pub not_run: usize,
}

impl TraceJudgement {
    /// True when everything ran and cost what was predicted.
    pub fn is_agreed(&self) -> bool {
        self.mismatches.is_empty() && self.failures.is_empty() && self.not_run == 0
    }

    /// Adds another history's result.
    pub fn merge(&mut self, other: TraceJudgement) {
        self.statements += other.statements;
        self.without_locks += other.without_locks;
        self.untraced += other.untraced;
        self.skipped += other.skipped;
        self.blocking.add(&other.blocking);
        self.locking += other.locking;
        self.locking_equal += other.locking_equal;
        self.rewrites.add(&other.rewrites);
        self.scans.add(&other.scans);
        self.index_builds.add(&other.index_builds);
        self.mismatches.extend(other.mismatches);
        self.traced.extend(other.traced);
        self.failures.extend(other.failures);
        self.not_run += other.not_run;
    }

    pub(super) fn add(
        &mut self,
        (unit, at): (&ReplayUnit, usize),
        statement: &ReplayStatement,
        predicted: &Effect,
        (observed, seen): (Trace, Option<Seen>),
    ) {
        self.statements += 1;
        let comparison = Comparison::of(statement.op.as_ref(), predicted, observed);
        let count = |tally: &mut Tally, predicted: &BTreeSet<String>, observed: &BTreeSet<String>| {
            tally.predicted += predicted.len();
            tally.observed += observed.len();
            tally.matched += predicted.intersection(observed).count();
        };
        count(&mut self.rewrites, &comparison.predicted.rewrites, &comparison.observed.rewrites);
        count(&mut self.scans, &comparison.predicted.scans, &comparison.observed.scans);
        count(&mut self.index_builds, &comparison.predicted.index_builds, &comparison.observed.index_builds);
        match (&comparison.predicted.locks, &comparison.observed.locks) {
            (Some(predicted), Some(observed)) => {
                self.locking += usize::from(!predicted.is_empty() || !observed.is_empty());
                self.locking_equal += usize::from((!predicted.is_empty() || !observed.is_empty()) && predicted == observed);
            }
            _ => self.without_locks += 1,
        }
        if let (Some(predicted), Some(observed)) = (comparison.predicted_blocking, comparison.observed.blocking()) {
            self.blocking.predicted += usize::from(predicted);
            self.blocking.observed += usize::from(observed);
            self.blocking.matched += usize::from(predicted && observed);
        }
        let what = comparison.differences();
        if !what.is_empty() {
            let sql = first_line(&statement.sql);
            self.mismatches.push(Mismatch { path: unit.path.clone(), statement: at, sql, what });
        }
        let Comparison { predicted, observed, .. } = comparison;
        self.traced.push(Traced { path: unit.path.clone(), statement: at, observed, predicted, seen });
    }
}

/// A prediction and an observation, without what the one or the other cannot know.
struct Comparison {
    predicted: Trace,
    predicted_blocking: Option<bool>,
    observed: Trace,
}

impl Comparison {
    fn of(op: Option<&Op>, effect: &Effect, mut observed: Trace) -> Comparison {
        let mut predicted = Trace {
            locks: Some(effect.locks.iter().map(|lock| (lock.relation.clone(), lock.mode)).collect()),
            rewrites: effect.rewrites.iter().cloned().collect(),
            scans: effect.scans.iter().cloned().collect(),
            index_builds: effect.index_builds.iter().cloned().collect(),
        };
        let query = op.is_none_or(queries);
        if op.is_some_and(truncates) {
            // New files, but nothing that takes longer the larger the table is.
            observed.rewrites.clear();
            observed.index_builds.clear();
        }
        if query {
            // Which rows a query meets decides what else it locks weakly and whether it scans: that is not predicted.
            observed.scans.retain(|relation| predicted.scans.contains(relation));
            let (ours, theirs) = (&mut predicted.locks, &mut observed.locks);
            if let (Some(ours), Some(theirs)) = (ours, theirs) {
                let weak = |mode: &LockMode| *mode <= LockMode::RowExclusiveLock;
                // A row that refers to another locks it, and so makes more of a lock that reading alone takes.
                for (relation, mode) in ours.iter_mut() {
                    if let Some(more) = theirs.get(relation).filter(|more| weak(more) && *more > mode) {
                        *mode = *more;
                    }
                }
                theirs.retain(|relation, mode| !weak(mode) || ours.contains_key(relation));
                ours.retain(|relation, mode| !weak(mode) || theirs.contains_key(relation));
            }
        }
        for relation in &effect.scans_where_referred {
            if !observed.scans.contains(relation) {
                predicted.scans.remove(relation);
            }
        }
        let predicted_blocking = observed.locks.as_ref().map(|_| predicted.blocking() == Some(true));
        if observed.locks.is_none() {
            predicted.locks = None;
            predicted.scans.clear();
        }
        Comparison { predicted, predicted_blocking, observed }
    }

    fn differences(&self) -> Vec<String> {
        let mut what = Vec::new();
        let none = BTreeMap::new();
        let (ours, theirs) = (self.predicted.locks.as_ref().unwrap_or(&none), self.observed.locks.as_ref().unwrap_or(&none));
        let relations: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        for relation in relations {
            let (predicted, observed) = (ours.get(relation), theirs.get(relation));
            if predicted != observed {
                let name = |mode: Option<&LockMode>| mode.map_or("nothing", |mode| mode.name());
                what.push(format!("lock on {relation}: predicted {}, observed {}", name(predicted), name(observed)));
            }
        }
        let lists = [
            ("rewrite", &self.predicted.rewrites, &self.observed.rewrites),
            ("scan", &self.predicted.scans, &self.observed.scans),
            ("index build", &self.predicted.index_builds, &self.observed.index_builds),
        ];
        for (word, predicted, observed) in lists {
            what.extend(predicted.difference(observed).map(|relation| format!("{word} of {relation}: predicted, not observed")));
            what.extend(observed.difference(predicted).map(|relation| format!("{word} of {relation}: observed, not predicted")));
        }
        what
    }
}

/// Runs queries, whose weak locks and scans depend on rows and plans.
fn queries(op: &Op) -> bool {
    matches!(
        op,
        Op::Dml(_)
            | Op::Select(_)
            | Op::Copy { .. }
            | Op::Call { .. }
            | Op::Do(_)
            | Op::Explain { .. }
            | Op::CreateTableAs(_)
            | Op::Refresh { .. }
            | Op::Session { .. }
            | Op::Truncate { .. }
    )
}

fn truncates(op: &Op) -> bool {
    let in_step = |step: &Step| matches!(step, Step::Sql(statement) if truncates(&statement.op));
    match op {
        Op::Truncate { .. } => true,
        Op::Do(body) => body.steps.iter().any(in_step),
        _ => false,
    }
}

impl fmt::Display for TraceJudgement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mismatch in &self.mismatches {
            writeln!(out, "{} statement {}: {}", mismatch.path, mismatch.statement + 1, mismatch.sql)?;
            for what in &mismatch.what {
                writeln!(out, "    {what}")?;
            }
        }
        for (path, failure) in &self.failures {
            let at = failure.statement.map_or(0, |at| at + 1);
            writeln!(out, "{path} FAILED at statement {at}: {} {}", failure.sqlstate, failure.message)?;
        }
        writeln!(
            out,
            "{} statements traced ({} without locks), {} of units that roll back, {} skipped, {} units not run",
            self.statements, self.without_locks, self.untraced, self.skipped, self.not_run
        )?;
        writeln!(out, "locks equal on {} of {} statements that lock", self.locking_equal, self.locking)?;
        let lists = [
            ("blocking", &self.blocking),
            ("rewrites", &self.rewrites),
            ("scans", &self.scans),
            ("index builds", &self.index_builds),
        ];
        for (name, tally) in lists {
            writeln!(
                out,
                "{name:<14}{:>7} observed{:>7} predicted{:>7} matched  recall {:.4}  precision {:.4}",
                tally.observed,
                tally.predicted,
                tally.matched,
                tally.recall(),
                tally.precision()
            )?;
        }
        Ok(())
    }
}
