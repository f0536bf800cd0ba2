//! The chain, unit by unit, for proofs that look at a database between two of them.

use super::super::cluster::Database;
use super::super::replay::{ReplayStatement, ReplayUnit, skipped};
use super::super::stage::{ProveError, while_proving};
use crate::op::{Op, TransactionCommand};
use crate::source::Wrapping;
use crate::sql::names::quote_identifier;
use postgres::Client;
use postgres::error::{DbError, SqlState};

/// Whether another database of the cluster has this unit already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    First,
    /// Roles and what else the whole cluster has are made: those statements are left out.
    Again,
}

/// The server's refusal of a unit.
#[derive(Clone, Debug)]
pub struct Stopped {
    /// From 0; `None` when the COMMIT failed.
    pub statement: Option<usize>,
    pub sqlstate: String,
    /// As [`words`] has it.
    pub message: String,
    pub detail: Option<String>,
    /// `schema.table` as SQL needs it.
    pub table: Option<String>,
    pub column: Option<String>,
}

impl Stopped {
    fn new(statement: Option<usize>, answer: &DbError) -> Stopped {
        let message = words(answer);
        let table = answer.schema().zip(answer.table());
        Stopped {
            statement,
            sqlstate: answer.code().code().to_owned(),
            message,
            detail: answer.detail().map(str::to_owned),
            table: table.map(|(schema, table)| format!("{}.{}", quote_identifier(schema), quote_identifier(table))),
            column: answer.column().map(str::to_owned),
        }
    }
}

/// The server's words with their detail, unless that is the whole row: it may hold the time of day, and a report says the same twice.
pub fn words(answer: &DbError) -> String {
    let is_of_row = [SqlState::NOT_NULL_VIOLATION, SqlState::CHECK_VIOLATION].contains(answer.code());
    match answer.detail().filter(|_| !is_of_row) {
        Some(detail) => format!("{} ({})", answer.message(), detail.trim_end_matches('.')),
        None => answer.message().to_owned(),
    }
}

/// Applies one unit in a session of its own, in the transaction that its runner puts around it; where the server refuses a statement
/// in one, without.
///
/// The outer error is one of the connection, which says nothing about the unit.
pub fn apply(database: &Database<'_>, unit: &ReplayUnit, turn: Turn) -> Result<Result<(), Stopped>, ProveError> {
    let sent: Vec<(usize, &ReplayStatement)> =
        unit.statements.iter().enumerate().filter(|(_, statement)| is_sent(statement, turn)).collect();
    let in_transaction = match unit.wrapping {
        Wrapping::Wrapped => true,
        Wrapping::Batch => sent.len() > 1,
        Wrapping::None | Wrapping::Explicit => false,
    };
    let outcome = attempt(&mut database.connect()?, &sent, in_transaction)?;
    match outcome {
        Err(stopped) if in_transaction && stopped.sqlstate == SqlState::ACTIVE_SQL_TRANSACTION.code() => {
            attempt(&mut database.connect()?, &sent, false)
        }
        other => Ok(other),
    }
}

fn attempt(
    client: &mut Client,
    sent: &[(usize, &ReplayStatement)],
    in_transaction: bool,
) -> Result<Result<(), Stopped>, ProveError> {
    let mut open = false;
    for (at, statement) in sent {
        if in_transaction && !open {
            client.batch_execute("BEGIN").map_err(while_proving("begin a transaction"))?;
            open = true;
        }
        if let Some(stopped) = run(client, Some(*at), &statement.sql)? {
            return Ok(Err(stopped));
        }
        open &= !ends_transaction(statement);
    }
    if open && let Some(stopped) = run(client, None, "COMMIT")? {
        return Ok(Err(stopped));
    }
    Ok(Ok(()))
}

fn run(client: &mut Client, statement: Option<usize>, sql: &str) -> Result<Option<Stopped>, ProveError> {
    match client.batch_execute(sql) {
        Ok(()) => Ok(None),
        Err(error) => match error.as_db_error() {
            Some(answer) => Ok(Some(Stopped::new(statement, answer))),
            None => Err(while_proving("run a statement of a migration")(error)),
        },
    }
}

fn is_sent(statement: &ReplayStatement, turn: Turn) -> bool {
    let is_of_cluster = match &statement.op {
        Some(Op::CreateRole { .. } | Op::AlterRole { .. } | Op::DropRole { .. } | Op::GrantRole { .. }) => true,
        Some(Op::AlterSettings { scope, .. }) => scope != "database",
        _ => false,
    };
    skipped(statement).is_none() && !(turn == Turn::Again && is_of_cluster)
}

fn ends_transaction(statement: &ReplayStatement) -> bool {
    matches!(
        &statement.op,
        Some(Op::Transaction(TransactionCommand::Commit | TransactionCommand::Rollback | TransactionCommand::TwoPhase))
    )
}
