//! Text → statements, through libpg_query.

use crate::source::Migration;
use crate::sql::ParsedUnit;

/// Parses the parts of one unit.
pub fn unit(migration: &Migration) -> ParsedUnit {
    let _ = migration;
    ParsedUnit::default()
}
