//! Rows for tables that have none, so that a migration meets what it will meet: values of every type that satisfy the table's own
//! constraints.
//!
//! [`describe`] reads what the server wants of a row, [`literal`] writes values of a type, [`hints`] and [`pattern`] read out of
//! CHECK constraints which values may pass, [`choice`] asks the server which do, [`inserting`] inserts them, [`filler`] in the order of foreign keys; [`seed`] runs rows of the user's own.
//!
//! Invariants: what is made is the same for the same schema; no right is needed beyond those of the tables' owner; a table that
//! cannot be filled is listed with the server's own words, and nothing of the attempt is left in it.

mod choice;
pub mod describe;
pub mod filler;
mod hints;
mod inserting;
mod literal;
mod pattern;
mod references;
pub mod seed;

pub use choice::in_savepoint;
pub use describe::{Column, Schema, Table};
pub use filler::Filler;
use postgres::{Client, Error};
pub use seed::Seeds;

/// How much is made.
#[derive(Clone, Debug)]
pub struct FillOptions {
    /// Rows of each empty table. Enums get as many as they have labels, up to [`FillOptions::most`].
    pub rows: usize,
    /// No table gets more.
    pub most: usize,
}

impl Default for FillOptions {
    fn default() -> FillOptions {
        FillOptions { rows: 3, most: 12 }
    }
}

/// What became of the tables. Names are `schema.table`, quoted where SQL needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Tables that got rows.
    pub tables: Vec<String>,
    /// Rows that were inserted.
    pub rows: usize,
    /// Tables that have none still.
    pub unfilled: Vec<Unfilled>,
}

/// A table that stayed empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfilled {
    pub table: String,
    /// In the server's words where it said no.
    pub why: String,
}

/// Makes rows in every table of the user's schemas that has none, in one transaction, which is committed.
///
/// Must be called outside of a transaction. Fails where the connection does or where the catalogs cannot be read; a table that
/// refuses its rows is no failure.
pub fn fill(client: &mut Client, options: &FillOptions) -> Result<Filled, Error> {
    Filler::default().fill(client, options)
}
