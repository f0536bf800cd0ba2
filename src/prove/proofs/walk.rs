//! The chain, unit by unit, for proofs that look at a database between two of them.

use super::super::cluster::Database;
use super::super::replay::{ReplayStatement, ReplayUnit};
use super::super::runner::{Along, run};
use super::super::stage::{ProveError, while_proving};
use crate::op::Op;
use crate::sql::names::quote_identifier;
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

/// Applies one unit in a session of its own, as its wrapping says.
///
/// The outer error is one of the connection, which says nothing about the unit.
pub fn apply(database: &Database<'_>, unit: &ReplayUnit, turn: Turn) -> Result<Result<(), Stopped>, ProveError> {
    let along = Along { leaves_out: (turn == Turn::Again).then_some(is_of_cluster), ..Along::default() };
    match run(&mut database.connect()?, unit, along) {
        Ok(_) => Ok(Ok(())),
        Err(stopped) => match stopped.error.as_db_error() {
            Some(answer) => Ok(Err(Stopped::new(stopped.statement, answer))),
            None => Err(while_proving("run a statement of a migration")(stopped.error)),
        },
    }
}

/// It makes or changes what all databases share.
fn is_of_cluster(statement: &ReplayStatement) -> bool {
    match &statement.op {
        Some(Op::CreateRole { .. } | Op::AlterRole { .. } | Op::DropRole { .. } | Op::GrantRole { .. }) => true,
        Some(Op::AlterSettings { scope, .. }) => scope != "database",
        _ => false,
    }
}
