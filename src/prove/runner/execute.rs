//! Runs one unit the way its wrapping says, and says at which statement it stopped.
//!
//! A file never reaches psql, and no command of psql's is run. What is not sent is said: programs of COPY, data that is not there.

use super::{RunFailure, RunnerError};
use crate::op::Op;
use crate::prove::replay::{self, ReplayStatement, ReplayUnit};
use crate::prove::server::error::described;
use crate::source::Wrapping;
use postgres::Client;
use postgres::error::SqlState;
use std::io::Write;

/// What a unit that ran left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Statements (from 0) that were not sent, and why.
    pub skipped: Vec<(usize, &'static str)>,
}

/// A statement that did not run, and the error.
#[derive(Debug)]
pub struct Stopped {
    /// From 0; none where it is not known, or where it was the COMMIT of the runner.
    pub statement: Option<usize>,
    pub error: postgres::Error,
}

/// What else is written with a unit, and what is not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Along<'a> {
    /// In the runner's transaction around the unit, where it opens one.
    pub in_transaction: Option<&'a str>,
    /// In the same message, where the unit is a batch of several statements.
    pub in_batch: Option<&'a str>,
    /// The transaction is the caller's and open: none is begun or committed here.
    pub is_inside: bool,
    /// Statements that are not sent this time.
    pub leaves_out: Option<fn(&ReplayStatement) -> bool>,
}

/// Runs one unit as its wrapping says. The session is the caller's: what the unit sets stays, and a transaction of the unit's own that
/// failed is rolled back.
///
/// The outer error means that the session was lost; what the migration does wrong is the inner one.
pub fn apply_unit(client: &mut Client, unit: &ReplayUnit) -> Result<Result<Applied, RunFailure>, RunnerError> {
    match run(client, unit, Along::default()) {
        Ok((applied, _)) => Ok(Ok(applied)),
        Err(stopped) if stopped.error.as_db_error().is_none() => {
            Err(RunnerError::Connection { action: "run a statement", source: stopped.error })
        }
        Err(stopped) => {
            if !client.is_closed() {
                client.batch_execute("ROLLBACK").map_err(|source| RunnerError::Connection { action: "roll back", source })?;
            }
            Ok(Err(stopped.failure(None)))
        }
    }
}

impl Stopped {
    /// With the unit (from 0) that it is of.
    pub fn failure(self, unit: Option<usize>) -> RunFailure {
        let Stopped { statement, error } = self;
        match error.as_db_error() {
            Some(answer) => {
                RunFailure { unit, statement, sqlstate: Some(answer.code().code().to_owned()), message: replay::message(answer) }
            }
            None => RunFailure { unit, statement, sqlstate: None, message: described(&error) },
        }
    }
}

/// Why a statement is not sent, where it is not.
pub fn not_run(statement: &ReplayStatement) -> Option<&'static str> {
    if statement.copy_data.is_some() { None } else { replay::skipped(statement) }
}

/// Runs a unit and what goes with it. True where `along` is written.
pub fn run(client: &mut Client, unit: &ReplayUnit, along: Along<'_>) -> Result<(Applied, bool), Stopped> {
    let is_sent = |one: &ReplayStatement| not_run(one).is_none() && !along.leaves_out.is_some_and(|leaves_out| leaves_out(one));
    let sent: Vec<(usize, &ReplayStatement)> =
        unit.statements.iter().enumerate().filter(|(_, statement)| is_sent(statement)).collect();
    let skipped = unit.statements.iter().enumerate().filter_map(|(at, statement)| Some((at, not_run(statement)?))).collect();
    let applied = Applied { skipped };
    let copies = sent.iter().any(|(_, statement)| statement.copy_data.is_some());
    let written = match unit.wrapping {
        Wrapping::Wrapped if along.is_inside => {
            apart(client, &sent)?;
            write(client, along.in_transaction)?
        }
        Wrapping::Wrapped => wrapped(client, &sent, along.in_transaction)?,
        // The driver cannot send data in the middle of a message: a transaction of the same extent takes its place.
        Wrapping::Batch if copies => wrapped(client, &sent, along.in_batch)?,
        Wrapping::Batch => batch(client, &sent, along.in_batch)?,
        Wrapping::None | Wrapping::Explicit => {
            apart(client, &sent)?;
            false
        }
    };
    Ok((applied, written))
}

fn wrapped(client: &mut Client, sent: &[(usize, &ReplayStatement)], along: Option<&str>) -> Result<bool, Stopped> {
    let of_runner = |error| Stopped { statement: None, error };
    client.batch_execute("BEGIN").map_err(of_runner)?;
    apart(client, sent)?;
    let written = write(client, along)?;
    client.batch_execute("COMMIT").map_err(of_runner)?;
    Ok(written)
}

fn write(client: &mut Client, along: Option<&str>) -> Result<bool, Stopped> {
    if let Some(sql) = along {
        client.batch_execute(sql).map_err(|error| Stopped { statement: None, error })?;
    }
    Ok(along.is_some())
}

fn apart(client: &mut Client, sent: &[(usize, &ReplayStatement)]) -> Result<(), Stopped> {
    for (at, statement) in sent {
        send(client, statement).map_err(|error| Stopped { statement: Some(*at), error })?;
    }
    Ok(())
}

/// One message. A single statement stays alone, as some of them have to be.
fn batch(client: &mut Client, sent: &[(usize, &ReplayStatement)], along: Option<&str>) -> Result<bool, Stopped> {
    let along = along.filter(|_| sent.len() > 1);
    if let [(_, _)] | [] = sent {
        apart(client, sent)?;
        return Ok(false);
    }
    let mut text = String::new();
    for (_, statement) in sent {
        text.push_str(&statement.sql);
        // A comment at the end of a statement ends with its line.
        text.push_str("\n;\n");
    }
    text.push_str(along.unwrap_or_default());
    match client.batch_execute(&text) {
        Ok(()) => Ok(along.is_some()),
        Err(error) => {
            let statement = if is_for_good(&error) { failing(client, sent) } else { None };
            Err(Stopped { statement, error })
        }
    }
}

/// Sends one statement, with the data that it reads.
pub fn send(client: &mut Client, statement: &ReplayStatement) -> Result<(), postgres::Error> {
    match &statement.copy_data {
        None => client.batch_execute(&statement.sql),
        Some(data) => {
            let mut writer = client.copy_in(&statement.sql)?;
            // The server's answer to data that it refuses comes with the end of it.
            let _ = writer.write_all(data);
            writer.finish().map(|_| ())
        }
    }
}

/// True for a failure that comes again with the same statements, and did not come from another session.
fn is_for_good(error: &postgres::Error) -> bool {
    let passing = [
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
    ];
    error.code().is_some_and(|code| !passing.contains(code))
}

/// Which statement of a refused batch it was: they run once more one by one, in a transaction that is rolled back. Not where they
/// end transactions themselves.
fn failing(client: &mut Client, sent: &[(usize, &ReplayStatement)]) -> Option<usize> {
    // The batch may have opened one itself.
    client.batch_execute("ROLLBACK").ok()?;
    if sent.iter().any(|(_, statement)| matches!(statement.op, Some(Op::Transaction(_)))) {
        return None;
    }
    client.batch_execute("BEGIN").ok()?;
    let found = apart(client, sent).err().and_then(|stopped| stopped.statement);
    client.batch_execute("ROLLBACK").ok()?;
    found
}
