//! Runs a history on a server, statement by statement, the way its runner would, and watches the catalogs.
//!
//! Invariants: statements run in order on one connection as superuser; a unit that fails is rolled back as far as its
//! transaction reaches and says where and why; what is not run (psql commands, COPY data, programs) is said too. Session state
//! ends with the file: runners differ in that, and a file that needs another's settings is not one to rely on.

use super::observe::required::RequiredColumns;
use super::observe::{Catalogs, Observer, breaks, snapshot};
use super::server::error::described;
use crate::catalog::snapshot::Snapshot;
use crate::effect::Break;
use crate::op::{Op, Span, Statement, TransactionCommand};
use crate::source::{History, Migration, Wrapping};
use crate::sql::{Oddity, OddityKind, ParsedUnit, parse};
use postgres::Client;
use postgres::error::{DbError, SqlState};
use std::collections::HashSet;

/// One unit, ready to run.
#[derive(Clone, Debug)]
pub struct ReplayUnit {
    pub id: String,
    pub path: String,
    pub wrapping: Wrapping,
    pub statements: Vec<ReplayStatement>,
}

#[derive(Clone, Debug)]
pub struct ReplayStatement {
    /// As the runner sends it, without the semicolon.
    pub sql: String,
    /// What stands behind a `COPY … FROM stdin` for it to read, without the line `\.` that ends it.
    pub copy_data: Option<Vec<u8>>,
    /// Bytes of the file.
    pub span: Span,
    /// `None` where it does not parse: the server is asked all the same.
    pub op: Option<Op>,
}

impl ReplayUnit {
    /// Every unit of a history, in order. A step that is no SQL is a unit without statements.
    pub fn of_history(history: &History) -> Vec<ReplayUnit> {
        history.migrations.iter().map(|migration| ReplayUnit::new(migration, &parse::unit(migration))).collect()
    }

    /// A unit of a history with what the SQL room found in it.
    pub fn new(migration: &Migration, parsed: &ParsedUnit) -> ReplayUnit {
        let text = |span: Span| {
            let bytes = migration.file.bytes.get(span.start..span.end).unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        };
        let statements = parsed.statements.iter().enumerate().map(|(at, statement)| ReplayStatement {
            sql: statement.sent.clone().unwrap_or_else(|| text(statement.span)),
            copy_data: copy_data(migration, parsed, at),
            span: statement.span,
            op: statement.outcome.as_ref().ok().map(|parsed| parsed.op.clone()),
        });
        ReplayUnit {
            id: migration.id.clone(),
            path: migration.file.path.clone(),
            wrapping: migration.wrapping,
            statements: statements.collect(),
        }
    }
}

/// What the COPY that is the statement at `at` reads, where it stands behind it.
fn copy_data(migration: &Migration, parsed: &ParsedUnit, at: usize) -> Option<Vec<u8>> {
    let statement = parsed.statements.get(at)?;
    let Ok(Statement { op: Op::Copy { from: true, stdin: true, .. }, .. }) = &statement.outcome else { return None };
    let until = parsed.statements.get(at + 1).map_or(usize::MAX, |next| next.span.start);
    let follows = |oddity: &&Oddity| {
        oddity.kind == OddityKind::CopyData && oddity.span.start >= statement.span.end && oddity.span.start < until
    };
    let span = parsed.oddities.iter().find(follows)?.span;
    let data = migration.file.bytes.get(span.start..span.end)?;
    let last_line = data.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let ends_here = data.get(last_line..).is_some_and(|line| line.trim_ascii_end() == b"\\.");
    Some(if ends_here { data.get(..last_line).unwrap_or_default() } else { data }.to_vec())
}

/// What happened to one statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementOutcome {
    /// It ran, and this is what it took away.
    Ran(Vec<Break>),
    /// It was not run, and why.
    Skipped(&'static str),
    Failed,
    /// An earlier one failed.
    NotReached,
}

/// Why a unit did not apply, in the server's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// 0-based; `None` when the COMMIT of the runner failed.
    pub statement: Option<usize>,
    /// Five letters and digits.
    pub sqlstate: String,
    pub message: String,
}

#[derive(Clone, Debug)]
pub struct UnitOutcome {
    /// One for each statement of the unit.
    pub statements: Vec<StatementOutcome>,
    /// The schema when the unit was over.
    pub snapshot: Snapshot,
    pub failure: Option<Failure>,
    /// True when the server refused a statement inside the runner's transaction and the unit was run again without one.
    pub without_transaction: bool,
    /// True when the file's own transaction is still open. Its next unit may end it; otherwise it is rolled back with the session.
    pub left_open: bool,
}

/// What makes going on impossible: everything a migration itself does wrong is a [`Failure`] instead.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("cannot {action}: {}", described(source))]
    Connection { action: &'static str, source: postgres::Error },
    #[error(transparent)]
    Runner(Box<super::runner::RunnerError>),
}

pub(super) fn while_trying(action: &'static str) -> impl FnOnce(postgres::Error) -> ReplayError {
    move |source| ReplayError::Connection { action, source }
}

/// One connection and what is known of its catalogs.
pub struct Replayer {
    client: Client,
    observer: Observer,
    catalogs: Catalogs,
    path: Option<String>,
    /// Names of the server's settings, lower case.
    settings: HashSet<String>,
    made_by_set_up: Snapshot,
}

impl Replayer {
    /// Takes over a connection to a database in which everything there now counts as older.
    pub fn new(mut client: Client) -> Result<Replayer, ReplayError> {
        let mut observer = Observer::default();
        let catalogs = observer.observe(&mut client).map_err(while_trying("read the catalogs"))?;
        let rows = client.query("SELECT lower(name) FROM pg_catalog.pg_settings", &[]);
        let settings = rows
            .and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect())
            .map_err(while_trying("read the names of the settings"))?;
        Ok(Replayer { client, observer, catalogs, path: None, settings, made_by_set_up: Snapshot::default() })
    }

    /// Runs what a history expects to find: roles, schemas, the runner's own table. It counts as older.
    pub fn set_up(&mut self, sql: &str) -> Result<(), ReplayError> {
        let before = self.snapshot();
        self.client.batch_execute(sql).map_err(while_trying("run the set-up"))?;
        self.new_session()?;
        self.refresh()?;
        self.made_by_set_up = self.snapshot();
        self.made_by_set_up.leave_out(&before, &Snapshot::default());
        Ok(())
    }

    /// What only [`Replayer::set_up`] made.
    pub fn made_by_set_up(&self) -> &Snapshot {
        &self.made_by_set_up
    }

    /// The schema as it is now.
    pub fn snapshot(&self) -> Snapshot {
        snapshot::snapshot(&self.catalogs)
    }

    /// Runs one unit. A later unit may follow, whether it failed or not.
    pub fn run(&mut self, unit: &ReplayUnit) -> Result<UnitOutcome, ReplayError> {
        if self.path.as_ref() != Some(&unit.path) {
            self.new_session()?;
            self.path = Some(unit.path.clone());
        }
        let runnable = unit.statements.iter().filter(|statement| self.skipped(statement).is_none()).count();
        let in_transaction = match unit.wrapping {
            Wrapping::Wrapped => true,
            Wrapping::Batch => runnable > 1,
            Wrapping::None | Wrapping::Explicit => false,
        };
        let (mut statements, mut failure) = self.attempt(unit, in_transaction)?;
        let refused = failure.as_ref().is_some_and(|failure| failure.sqlstate == SqlState::ACTIVE_SQL_TRANSACTION.code());
        let without_transaction = in_transaction && refused;
        if without_transaction {
            (statements, failure) = self.attempt(unit, false)?;
        }
        self.refresh()?;
        let left_open = self.observer.is_in_transaction();
        Ok(UnitOutcome { statements, snapshot: self.snapshot(), failure, without_transaction, left_open })
    }

    /// What one file set is gone with it: open transactions, settings, roles, temporary tables.
    fn new_session(&mut self) -> Result<(), ReplayError> {
        self.client
            .batch_execute("ROLLBACK")
            .and_then(|()| self.client.batch_execute("DISCARD ALL"))
            .map_err(while_trying("begin a new session"))?;
        if self.observer.is_in_transaction() { self.refresh() } else { Ok(()) }
    }

    fn refresh(&mut self) -> Result<(), ReplayError> {
        self.observer.everything_may_have_changed();
        self.catalogs = self.observer.observe(&mut self.client).map_err(while_trying("read the catalogs"))?;
        Ok(())
    }

    fn attempt(
        &mut self,
        unit: &ReplayUnit,
        in_transaction: bool,
    ) -> Result<(Vec<StatementOutcome>, Option<Failure>), ReplayError> {
        let start = self.catalogs.clone();
        let mut outcomes = Vec::new();
        let mut required = RequiredColumns::default();
        let mut open = false;
        for (at, statement) in unit.statements.iter().enumerate() {
            if let Some(why) = self.skipped(statement) {
                outcomes.push(StatementOutcome::Skipped(why));
                continue;
            }
            if in_transaction && !open {
                self.client.batch_execute("BEGIN").map_err(while_trying("begin a transaction"))?;
                open = true;
            }
            let before = self.catalogs.clone();
            match self.statement(statement) {
                Ok(after) => {
                    let transaction = matches!(statement.op, Some(Op::Transaction(_)));
                    if ends_transaction(statement) {
                        open = false;
                    }
                    // What a rollback undoes was not taken from anyone.
                    let found = if transaction { Vec::new() } else { breaks::difference(&start, &before, &after) };
                    required.note(at, &start, &before, &after);
                    outcomes.push(StatementOutcome::Ran(found));
                    self.catalogs = after;
                }
                Err(error) => {
                    let failure = self.roll_back(Some(at), error)?;
                    outcomes.push(StatementOutcome::Failed);
                    outcomes.resize(unit.statements.len(), StatementOutcome::NotReached);
                    return Ok((outcomes, Some(failure)));
                }
            }
        }
        if open && let Err(error) = self.client.batch_execute("COMMIT") {
            let failure = self.roll_back(None, error)?;
            return Ok((outcomes, Some(failure)));
        }
        for (statement, found) in required.at_the_end(&self.catalogs) {
            if let Some(StatementOutcome::Ran(breaks)) = outcomes.get_mut(statement) {
                breaks.push(found);
                breaks.sort();
            }
        }
        Ok((outcomes, None))
    }

    /// As [`skipped`], and a SET of what only another version has: `pg_dump` writes such, and psql goes on after it.
    fn skipped(&self, statement: &ReplayStatement) -> Option<&'static str> {
        if let Some(Op::Set(parameter)) = &statement.op {
            // SET ROLE and the like are not listed as settings; a dot makes one the user's own.
            let special = ["role", "session_authorization", "transaction", "session_characteristics", "all"];
            let name = parameter.name.as_str();
            let is_known = name.contains('.') || special.contains(&name) || self.settings.contains(name);
            return (!is_known).then_some("this version of the server has no such setting");
        }
        skipped(statement)
    }

    fn statement(&mut self, statement: &ReplayStatement) -> Result<Catalogs, postgres::Error> {
        self.client.batch_execute(&statement.sql)?;
        match &statement.op {
            Some(op) if leaves_catalogs_alone(op) => return Ok(self.catalogs.clone()),
            Some(Op::Transaction(_)) => self.observer.everything_may_have_changed(),
            _ => {}
        }
        self.observer.observe(&mut self.client)
    }

    /// Undoes what is open; an error that is not the server's own answer ends the replay.
    fn roll_back(&mut self, statement: Option<usize>, error: postgres::Error) -> Result<Failure, ReplayError> {
        let failure = described_failure(statement, error)?;
        self.client.batch_execute("ROLLBACK").map_err(while_trying("roll back"))?;
        self.refresh()?;
        Ok(failure)
    }
}

/// The server's answer. An error that is none ends the replay.
pub(super) fn described_failure(statement: Option<usize>, error: postgres::Error) -> Result<Failure, ReplayError> {
    let Some(answer) = error.as_db_error() else {
        return Err(ReplayError::Connection { action: "run a statement", source: error });
    };
    Ok(Failure { statement, sqlstate: answer.code().code().to_owned(), message: message(answer) })
}

pub(super) fn message(answer: &DbError) -> String {
    match answer.detail() {
        Some(detail) => format!("{} ({detail})", answer.message()),
        None => answer.message().to_owned(),
    }
}

/// Why a statement is not run, where it is not. COPY changes no schema; its data stands outside of the statement, and a program
/// is somebody else's command on this machine.
pub(super) fn skipped(statement: &ReplayStatement) -> Option<&'static str> {
    match &statement.op {
        Some(Op::Copy { program: true, .. }) => Some("COPY … PROGRAM runs a command on the server's machine"),
        Some(Op::Copy { stdin: true, .. }) => Some("COPY data is not sent"),
        Some(Op::Copy { from: false, .. }) => Some("COPY … TO writes outside of the database"),
        _ => None,
    }
}

fn ends_transaction(statement: &ReplayStatement) -> bool {
    match &statement.op {
        Some(Op::Transaction(command)) => match command {
            TransactionCommand::Commit | TransactionCommand::Rollback | TransactionCommand::TwoPhase => true,
            TransactionCommand::Begin
            | TransactionCommand::Savepoint(_)
            | TransactionCommand::Release(_)
            | TransactionCommand::RollbackTo(_) => false,
        },
        _ => false,
    }
}

/// True for statements that cannot write to a catalog. Some must not even be followed by a query: SET TRANSACTION has to be the
/// first of its transaction. A kind that is missing here costs a look at the server, nothing else.
fn leaves_catalogs_alone(op: &Op) -> bool {
    matches!(
        op,
        Op::Transaction(TransactionCommand::Begin | TransactionCommand::Savepoint(_) | TransactionCommand::Release(_))
            | Op::Set(_)
            | Op::Show
            | Op::SetConstraints { .. }
            | Op::Lock { .. }
    )
}
