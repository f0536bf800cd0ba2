//! Holds predicted costs against a server: the locks, rewrites, scans and index builds of every statement.
//!
//! A transaction shows which locks it holds, not which statement took them. So each statement runs in a transaction of its own,
//! whatever the file says, and what the unit SET LOCAL before is set again. A unit that rolls back is run as it is written and
//! not traced; that is counted, and so is what can only run outside of a transaction, where nobody sees the locks.

use super::judge::{JudgeError, JudgeOptions, Tally, first_line};
use super::observe::objects::{self, Objects};
use super::observe::trace::{Relations, Trace};
use super::observe::{Catalogs, Observer, breaks};
use super::replay::{Failure, ReplayError, ReplayStatement, ReplayUnit, described_failure, skipped, while_trying};
use super::server::LocalServer;
use crate::check::CheckedHistory;
use crate::effect::{Break, Effect, LockMode};
use crate::op::{Op, Persistence, Step, TransactionCommand};
use postgres::Client;
use postgres::error::SqlState;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

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

    fn add(
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

/// Traces one history on a server of its own.
pub fn trace_history(checked: &CheckedHistory, options: &JudgeOptions) -> Result<TraceJudgement, JudgeError> {
    const DATABASE: &str = "trace";
    let server = LocalServer::start(&options.server)?;
    server.create_database(DATABASE, None)?;
    let mut client = server.connect(DATABASE)?;
    if let Some(sql) = &options.set_up {
        client.batch_execute(sql).map_err(while_trying("run the set-up"))?;
    }
    Ok(Tracer::new(client, Afterwards::Commit).history(checked, options.keep_going)?)
}

/// What becomes of a statement once it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    Commit,
    /// It is undone, so that the next one meets what this one met.
    RollBack,
}

/// A database in which statements are traced.
pub struct Tracer {
    client: Client,
    afterwards: Afterwards,
    /// Something was committed.
    pub changed: bool,
    /// SET LOCAL of the unit so far.
    local: Vec<String>,
    watch: Option<Watch>,
}

/// The catalogs as a tracer watches them.
#[derive(Debug, Default)]
struct Watch {
    observer: Observer,
    /// At the beginning of the unit.
    start: Catalogs,
    now: Catalogs,
}

impl Watch {
    fn look(&mut self, client: &mut Client) -> Result<(), ReplayError> {
        self.now = self.observer.observe(client).map_err(while_trying("read the catalogs"))?;
        Ok(())
    }

    /// What happened since the last look.
    fn step(&mut self, client: &mut Client) -> Result<(Vec<Break>, Objects), ReplayError> {
        let before = self.now.clone();
        self.look(client)?;
        Ok((breaks::difference(&self.start, &before, &self.now), objects::difference(&before, &self.now)))
    }
}

impl Tracer {
    /// What is there counts as older.
    pub fn new(client: Client, afterwards: Afterwards) -> Tracer {
        Tracer { client, afterwards, changed: false, local: Vec::new(), watch: None }
    }

    /// Sees the catalogs too: which objects come and go, what old clients lose.
    pub fn watching(mut self) -> Tracer {
        self.watch = Some(Watch::default());
        self
    }

    /// Every unit of a history. Without `keep_going` the first that is refused is the last.
    pub fn history(&mut self, checked: &CheckedHistory, keep_going: bool) -> Result<TraceJudgement, ReplayError> {
        let units = ReplayUnit::of_history(&checked.history);
        let mut judgement = TraceJudgement::default();
        for (number, unit) in units.iter().enumerate() {
            let facts = checked.units.get(number).map_or(&[][..], Vec::as_slice);
            let effects: Vec<Effect> = facts.iter().map(|facts| facts.effect.clone()).collect();
            if let Some(failure) = self.unit(unit, &effects, &mut judgement)? {
                judgement.failures.push((unit.path.clone(), failure));
                if !keep_going {
                    judgement.not_run = units.len() - number - 1;
                    break;
                }
            }
        }
        Ok(judgement)
    }

    /// One unit, held against what was predicted of each of its statements.
    pub fn unit(
        &mut self,
        unit: &ReplayUnit,
        predicted: &[Effect],
        judgement: &mut TraceJudgement,
    ) -> Result<Option<Failure>, ReplayError> {
        let nothing = Effect::default();
        self.client.batch_execute("DISCARD ALL").map_err(while_trying("begin a new session"))?;
        self.local.clear();
        if let Some(watch) = &mut self.watch {
            watch.observer.everything_may_have_changed();
            watch.look(&mut self.client)?;
            watch.start = watch.now.clone();
        }
        // A judge wants to see each statement; a proof goes on whatever a unit's transaction means to its temporary tables.
        let is_bound =
            |statement: &ReplayStatement| rolls_back(statement) || (self.watch.is_some() && makes_temporary(statement));
        if unit.statements.iter().any(is_bound) {
            judgement.untraced += unit.statements.len();
            self.changed = true;
            return self.as_written(unit);
        }
        let older = Relations::read(&mut self.client).map_err(while_trying("read the relations"))?;
        for (at, statement) in unit.statements.iter().enumerate() {
            if skipped(statement).is_some() {
                judgement.skipped += 1;
                continue;
            }
            match &statement.op {
                Some(Op::Transaction(_) | Op::SetConstraints { .. }) => continue,
                Some(Op::Set(parameter)) if parameter.local => {
                    self.local.push(statement.sql.clone());
                    continue;
                }
                Some(Op::Set(_) | Op::Discard { .. }) => {
                    if let Err(error) = self.client.batch_execute(&statement.sql) {
                        return described_failure(Some(at), error).map(Some);
                    }
                    continue;
                }
                Some(_) | None => {}
            }
            match self.statement(statement, &older)? {
                Ok(trace) => {
                    judgement.add((unit, at), statement, predicted.get(at).unwrap_or(&nothing), trace);
                }
                Err(error) => return described_failure(Some(at), error).map(Some),
            }
        }
        Ok(None)
    }

    /// The inner error is the server's answer to the statement.
    fn statement(
        &mut self,
        statement: &ReplayStatement,
        older: &Relations,
    ) -> Result<Result<(Trace, Option<Seen>), postgres::Error>, ReplayError> {
        let reading = "read the relations";
        self.client.batch_execute("BEGIN").map_err(while_trying("begin a transaction"))?;
        for set in &self.local {
            self.client.batch_execute(set).map_err(while_trying("set what the unit set"))?;
        }
        let before = Relations::read(&mut self.client).map_err(while_trying(reading))?;
        let mut wal = self.wal()?;
        let mut started = Instant::now();
        match self.client.batch_execute(&statement.sql) {
            Ok(()) => {
                let time = started.elapsed();
                let trace = before.trace(&mut self.client, older).map_err(while_trying(reading))?;
                let trace = (trace, self.seen(time, wal)?);
                if self.afterwards == Afterwards::RollBack {
                    return self.undo().map(|()| Ok(trace));
                }
                self.changed = true;
                match self.client.batch_execute("COMMIT") {
                    Ok(()) => Ok(Ok(trace)),
                    Err(error) => self.undo().map(|()| Err(error)),
                }
            }
            Err(error) if wants_no_transaction(&error) => {
                self.undo()?;
                self.changed = true;
                wal = self.wal()?;
                started = Instant::now();
                match self.client.batch_execute(&statement.sql) {
                    Ok(()) => {
                        let time = started.elapsed();
                        let trace = before.trace_afterwards(&mut self.client, older).map_err(while_trying(reading))?;
                        if let Some(watch) = &mut self.watch {
                            watch.observer.everything_may_have_changed();
                        }
                        Ok(Ok((trace, self.seen(time, wal)?)))
                    }
                    Err(error) => Ok(Err(error)),
                }
            }
            Err(error) => self.undo().map(|()| Err(error)),
        }
    }

    /// What else was seen of the statement that has just run.
    fn seen(&mut self, time: Duration, wal: u64) -> Result<Option<Seen>, ReplayError> {
        let written = self.wal()?.saturating_sub(wal);
        let Some(watch) = &mut self.watch else { return Ok(None) };
        let (breaks, objects) = watch.step(&mut self.client)?;
        Ok(Some(Seen { breaks, objects, time, wal: written }))
    }

    /// Where the write-ahead log ends, in bytes; 0 unless the catalogs are watched.
    fn wal(&mut self) -> Result<u64, ReplayError> {
        const QUERY: &str = "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::bigint";
        if self.watch.is_none() {
            return Ok(0);
        }
        let row = self.client.query_one(QUERY, &[]).map_err(while_trying("read the end of the log"))?;
        let end: i64 = row.try_get(0).map_err(while_trying("read the end of the log"))?;
        Ok(end.unsigned_abs())
    }

    fn undo(&mut self) -> Result<(), ReplayError> {
        self.client.batch_execute("ROLLBACK").map_err(while_trying("roll back"))
    }

    fn as_written(&mut self, unit: &ReplayUnit) -> Result<Option<Failure>, ReplayError> {
        let wrapped = matches!(unit.wrapping, crate::source::Wrapping::Wrapped | crate::source::Wrapping::Batch);
        if wrapped {
            self.client.batch_execute("BEGIN").map_err(while_trying("begin a transaction"))?;
        }
        for (at, statement) in unit.statements.iter().enumerate().filter(|(_, statement)| skipped(statement).is_none()) {
            if let Err(error) = self.client.batch_execute(&statement.sql) {
                let failure = described_failure(Some(at), error)?;
                self.undo()?;
                return Ok(Some(failure));
            }
        }
        self.client.batch_execute("COMMIT").map_err(while_trying("commit"))?;
        Ok(None)
    }
}

fn rolls_back(statement: &ReplayStatement) -> bool {
    matches!(
        statement.op,
        Some(Op::Transaction(TransactionCommand::Rollback | TransactionCommand::RollbackTo(_) | TransactionCommand::TwoPhase))
    )
}

/// It makes a table that may end with its transaction.
fn makes_temporary(statement: &ReplayStatement) -> bool {
    match &statement.op {
        Some(Op::CreateTable(table)) => table.persistence == Persistence::Temporary,
        Some(Op::CreateTableAs(table)) => table.persistence == Persistence::Temporary,
        _ => false,
    }
}

/// CONCURRENTLY and the like, and a body that ends transactions.
fn wants_no_transaction(error: &postgres::Error) -> bool {
    [SqlState::ACTIVE_SQL_TRANSACTION, SqlState::INVALID_TRANSACTION_TERMINATION].iter().any(|state| error.code() == Some(state))
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
