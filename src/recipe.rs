//! Another way to the same schema, on which nobody waits: migrations to write in place of one statement.

use crate::source::layouts::{OptOut, Statements};
use schemars::JsonSchema;
use serde::Serialize;

/// Migrations in the order they run, each one a step of the runner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Recipe {
    pub migrations: Vec<RecipeMigration>,
}

/// One migration of a recipe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RecipeMigration {
    /// What it is for, and how its file leaves the runner's transaction where it has to; one line.
    pub what: String,
    /// False where its statements refuse a transaction.
    pub transaction: bool,
    /// Statements without their semicolons.
    pub sql: Vec<String>,
}

impl Recipe {
    pub fn new() -> Recipe {
        Recipe::default()
    }

    /// Adds a migration that the runner may wrap into a transaction.
    pub fn then(mut self, what: impl Into<String>, sql: impl IntoIterator<Item = String>) -> Recipe {
        self.migrations.push(RecipeMigration { what: what.into(), transaction: true, sql: sql.into_iter().collect() });
        self
    }

    /// Adds a migration whose statements refuse a transaction.
    pub fn then_outside(mut self, what: impl Into<String>, sql: impl IntoIterator<Item = String>) -> Recipe {
        self.migrations.push(RecipeMigration { what: what.into(), transaction: false, sql: sql.into_iter().collect() });
        self
    }

    /// In the form of a runner: each migration that refuses a transaction says how it leaves the runner's, and is split where the
    /// runner sends such a file as one text, so that a statement has to be the only one of its file.
    pub fn for_runner(mut self, opt_out: OptOut) -> Recipe {
        let alone = matches!(opt_out, OptOut::Alone | OptOut::Mark { statements: Statements::Batch, .. });
        let apart = |migration: RecipeMigration| {
            let RecipeMigration { what, transaction, sql } = migration;
            if transaction {
                return vec![RecipeMigration { what, transaction, sql }];
            }
            let texts: Vec<Vec<String>> = if alone { sql.into_iter().map(|sql| vec![sql]).collect() } else { vec![sql] };
            let named = |(at, sql)| {
                let what = if at == 0 { what.clone() } else { format!("{what}, continued") };
                RecipeMigration { what: format!("{what}{}", leaving(opt_out)), transaction, sql }
            };
            texts.into_iter().enumerate().map(named).collect()
        };
        self.migrations = self.migrations.into_iter().flat_map(apart).collect();
        self
    }

    /// For people, ready to paste: each migration under a comment that says what it is for.
    pub fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// The lines of [`Recipe::text`]: comments, and one statement each.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (at, migration) in self.migrations.iter().enumerate() {
            let (number, of) = (at + 1, self.migrations.len());
            let place = if of > 1 { format!("migration {number} of {of}: ") } else { String::new() };
            lines.push(format!("-- {place}{}", migration.what));
            lines.extend(migration.sql.iter().map(|sql| format!("{sql};")));
        }
        lines
    }
}

/// How a file of this runner leaves the transaction, behind what it is for.
fn leaving(opt_out: OptOut) -> String {
    match opt_out {
        OptOut::None => String::new(),
        OptOut::Alone => " (alone in its file)".into(),
        OptOut::Mark { mark, place, statements: Statements::Apart } => format!(" (`{mark}` {place})"),
        OptOut::Mark { mark, place, statements: Statements::Batch } => format!(" (alone in its file, `{mark}` {place})"),
        OptOut::Elsewhere(what) => format!(" (refuses a transaction: {what})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_migration_says_how_it_leaves_the_transaction() {
        let recipe = Recipe::new()
            .then_outside(
                "build the index",
                ["DROP INDEX CONCURRENTLY IF EXISTS i".into(), "CREATE INDEX CONCURRENTLY i ON t (a)".into()],
            )
            .then("use it", ["ALTER TABLE t ADD UNIQUE USING INDEX i".into()]);
        let goose =
            OptOut::Mark { mark: "-- +goose NO TRANSACTION", place: "at the top of the file", statements: Statements::Apart };
        assert_eq!(
            recipe.clone().for_runner(goose).text(),
            "-- migration 1 of 2: build the index (`-- +goose NO TRANSACTION` at the top of the file)\n\
             DROP INDEX CONCURRENTLY IF EXISTS i;\nCREATE INDEX CONCURRENTLY i ON t (a);\n\
             -- migration 2 of 2: use it\nALTER TABLE t ADD UNIQUE USING INDEX i;"
        );
        assert_eq!(
            recipe.for_runner(OptOut::Alone).text(),
            "-- migration 1 of 3: build the index (alone in its file)\nDROP INDEX CONCURRENTLY IF EXISTS i;\n\
             -- migration 2 of 3: build the index, continued (alone in its file)\nCREATE INDEX CONCURRENTLY i ON t (a);\n\
             -- migration 3 of 3: use it\nALTER TABLE t ADD UNIQUE USING INDEX i;"
        );
    }
}
