//! Holds predicted costs against a server: the locks, rewrites, scans and index builds of every statement.
//!
//! A transaction shows which locks it holds, not which statement took them. So each statement runs in a transaction of its own,
//! whatever the file says, and what the unit SET LOCAL before is set again. A unit that rolls back is run as it is written and
//! not traced; that is counted, and so is what can only run outside of a transaction, where nobody sees the locks.

use super::judge::{JudgeError, JudgeOptions};
use super::observe::objects::{self, Objects};
use super::observe::trace::{Relations, Trace};
use super::observe::{Catalogs, Observer, breaks};
use super::replay::{Failure, ReplayError, ReplayStatement, ReplayUnit, described_failure, skipped, while_trying};
use super::runner::{RunFailure, RunnerError, apply_unit};
use super::server::LocalServer;
pub use super::trace_judgement::{Mismatch, Seen, TraceJudgement, Traced};
use crate::check::CheckedHistory;
use crate::effect::{Break, Effect};
use crate::op::{Op, Persistence, TransactionCommand};
use postgres::Client;
use postgres::error::SqlState;
use std::time::{Duration, Instant};

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

    /// As a runner does it, with nobody looking in between.
    fn as_written(&mut self, unit: &ReplayUnit) -> Result<Option<Failure>, ReplayError> {
        let answer = apply_unit(&mut self.client, unit).map_err(|error| match error {
            RunnerError::Connection { action, source } => ReplayError::Connection { action, source },
            other => ReplayError::Runner(Box::new(other)),
        })?;
        let failure = |failure: RunFailure| Failure {
            statement: failure.statement,
            sqlstate: failure.sqlstate.unwrap_or_default(),
            message: failure.message,
        };
        Ok(answer.err().map(failure))
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
