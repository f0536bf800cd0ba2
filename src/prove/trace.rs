//! Holds predicted costs against a server: the locks, rewrites, scans and index builds of every statement.
//!
//! A transaction shows which locks it holds, not which statement took them. So each statement runs in a transaction of its own,
//! whatever the file says, and what the unit SET LOCAL before is set again. A unit that rolls back is run as it is written and
//! not traced; that is counted, and so is what can only run outside of a transaction, where nobody sees the locks.

use super::answer::rows;
use super::judge::{JudgeError, JudgeOptions};
use super::observe::objects;
use super::observe::trace::{self, Held, TELL_STATISTICS, Trace};
use super::observe::{Catalogs, ENDING, Look, Observer, breaks};
use super::replay::{Failure, ReplayError, ReplayStatement, ReplayUnit, described_failure, skipped, while_trying};
use super::runner::{RunFailure, RunnerError, apply_unit};
use super::server::LocalServer;
pub use super::trace_judgement::{Mismatch, Seen, TraceJudgement, Traced};
use crate::check::CheckedHistory;
use crate::effect::Effect;
use crate::op::{Op, Persistence, TransactionCommand};
use postgres::error::SqlState;
use postgres::{Client, SimpleQueryMessage};
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
    observer: Observer,
    /// The catalogs as the last committed statement left them; `None` where somebody else may have changed them.
    now: Option<Catalogs>,
    /// What old clients lose and which objects come and go is told, too.
    watches: bool,
}

impl Tracer {
    /// What is there counts as older.
    pub fn new(client: Client, afterwards: Afterwards) -> Tracer {
        let observer = Observer::default().with_files();
        Tracer { client, afterwards, changed: false, local: Vec::new(), observer, now: None, watches: false }
    }

    /// Sees the catalogs too: which objects come and go, what old clients lose.
    pub fn watching(mut self) -> Tracer {
        self.watches = true;
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
        self.new_session()?;
        let start = self.catalogs()?;
        // A judge wants to see each statement; a proof goes on whatever a unit's transaction means to its temporary tables.
        let is_bound = |statement: &ReplayStatement| rolls_back(statement) || (self.watches && makes_temporary(statement));
        if unit.statements.iter().any(is_bound) {
            judgement.untraced += unit.statements.len();
            self.changed = true;
            self.now = None;
            return self.as_written(unit);
        }
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
            match self.statement(statement, &start)? {
                Ok(trace) => {
                    judgement.add((unit, at), statement, predicted.get(at).unwrap_or(&nothing), trace);
                }
                Err(error) => return described_failure(Some(at), error).map(Some),
            }
        }
        Ok(None)
    }

    /// One unit that nobody asks about: as a runner does it.
    pub fn unit_as_written(&mut self, unit: &ReplayUnit) -> Result<Option<Failure>, ReplayError> {
        self.new_session()?;
        self.changed = true;
        self.now = None;
        self.as_written(unit)
    }

    /// What one file set is gone with it: settings, roles, temporary tables, but not what we prepared ourselves.
    fn new_session(&mut self) -> Result<(), ReplayError> {
        const ACTION: &str = "begin a new session";
        const DISCARD: &str = "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
            SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES; \
            SELECT pg_catalog.format('DEALLOCATE %I', name) FROM pg_catalog.pg_prepared_statements \
            WHERE from_sql AND NOT pg_catalog.starts_with(name, 'phasegate_')";
        let answer = self.client.simple_query(DISCARD).map_err(while_trying(ACTION))?;
        for deallocate in rows(&answer).filter_map(|row| row.get(0)).filter(|text| text.starts_with("DEALLOCATE")) {
            self.client.batch_execute(deallocate).map_err(while_trying(ACTION))?;
        }
        self.local.clear();
        Ok(())
    }

    /// As they are now, outside of a transaction.
    fn catalogs(&mut self) -> Result<Catalogs, ReplayError> {
        if let Some(now) = &self.now {
            return Ok(now.clone());
        }
        self.observer.everything_may_have_changed();
        let now = self.observer.observe(&mut self.client).map_err(while_trying(READING))?;
        // Whatever ran before: what is counted from here on is the next transaction's.
        self.client.batch_execute(TELL_STATISTICS).map_err(while_trying(READING))?;
        self.now = Some(now.clone());
        Ok(now)
    }

    /// One statement of a unit that began with these catalogs. The inner error is the server's answer to it.
    fn statement(
        &mut self,
        statement: &ReplayStatement,
        start: &Catalogs,
    ) -> Result<Result<(Trace, Option<Seen>), postgres::Error>, ReplayError> {
        let before = self.catalogs()?;
        let wal = self.begin(&before)?;
        let started = Instant::now();
        match self.client.batch_execute(&statement.sql) {
            Ok(()) => {
                let time = started.elapsed();
                let Look { catalogs: after, answer } =
                    self.observer.look(&mut self.client, &[trace::QUESTION, WAL]).map_err(while_trying(READING))?;
                let cost = trace::difference(&before, &after, &Held::read(&answer), &start.files);
                let written = end_of_log(&answer).saturating_sub(wal);
                let seen = self.watches.then(|| seen((start, &before, &after), time, written));
                if self.afterwards == Afterwards::RollBack {
                    return self.undo().map(|()| Ok((cost, seen)));
                }
                self.changed = true;
                self.now = None;
                match self.client.batch_execute(&format!("{ENDING}; COMMIT; {TELL_STATISTICS}")) {
                    Ok(()) => {
                        self.now = Some(after);
                        Ok(Ok((cost, seen)))
                    }
                    Err(error) => self.undo().map(|()| Err(error)),
                }
            }
            Err(error) if wants_no_transaction(&error) => {
                self.undo()?;
                self.changed = true;
                self.now = None;
                let wal = self.wal()?;
                let started = Instant::now();
                match self.client.batch_execute(&statement.sql) {
                    Ok(()) => {
                        let time = started.elapsed();
                        let written = self.wal()?.saturating_sub(wal);
                        let after = self.catalogs()?;
                        let cost = trace::difference_afterwards(&before, &after, &start.files);
                        let seen = self.watches.then(|| seen((start, &before, &after), time, written));
                        Ok(Ok((cost, seen)))
                    }
                    Err(error) => Ok(Err(error)),
                }
            }
            Err(error) => self.undo().map(|()| Err(error)),
        }
    }

    /// A transaction with what the unit SET LOCAL. Answers the end of the log.
    fn begin(&mut self, before: &Catalogs) -> Result<u64, ReplayError> {
        let opening = std::iter::once("BEGIN").chain(self.local.iter().map(String::as_str)).chain(std::iter::once(WAL));
        let opening: String = opening.flat_map(|statement| [statement, ";\n"]).collect();
        let answer = self.client.simple_query(&opening).map_err(while_trying("begin a transaction"))?;
        self.observer.begin(before);
        Ok(end_of_log(&answer))
    }

    /// Where the write-ahead log ends, in bytes.
    fn wal(&mut self) -> Result<u64, ReplayError> {
        Ok(end_of_log(&self.client.simple_query(WAL).map_err(while_trying("read the end of the log"))?))
    }

    fn undo(&mut self) -> Result<(), ReplayError> {
        self.client.batch_execute(&format!("ROLLBACK; {TELL_STATISTICS}")).map_err(while_trying("roll back"))
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

/// The end of the write-ahead log.
const WAL: &str = "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0') AS log";
const READING: &str = "read the catalogs";

/// The answer to [`WAL`], in bytes.
fn end_of_log(answer: &[SimpleQueryMessage]) -> u64 {
    rows(answer).find_map(|row| row.try_get("log").ok().flatten()).and_then(|end| end.parse().ok()).unwrap_or(0)
}

fn seen((start, before, after): (&Catalogs, &Catalogs, &Catalogs), time: Duration, wal: u64) -> Seen {
    Seen { breaks: breaks::difference(start, before, after), objects: objects::difference(before, after), time, wal }
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
