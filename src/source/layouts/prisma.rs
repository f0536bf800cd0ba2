//! Prisma Migrate: a directory per migration with a `migration.sql`, and a `migration_lock.toml` beside them.
//!
//! Order: the directory's name, bytewise. Transaction: none of the runner's; the file is sent as one simple query, so that
//! CONCURRENTLY must be alone in it (prisma-engines, `sql-schema-connector`: apply_migration_script → simple_query).

use super::{Claim, Late, Layout, OptOut, Reading, Step, Strength};
use crate::source::directory::Directory;
use crate::source::{Migration, Version, Wrapping};

const LOCK: &str = "migration_lock.toml";

pub struct Prisma;

impl Layout for Prisma {
    fn name(&self) -> &'static str {
        "prisma"
    }

    fn marks(&self) -> &'static str {
        "directories that hold a migration.sql, and a migration_lock.toml"
    }

    fn file_names(&self) -> &'static str {
        "`<directory>/migration.sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Batch
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Alone
    }

    /// prisma-engines, `sql-schema-connector/src/flavour/postgres.rs`, acquire_lock: `SELECT pg_advisory_lock(72707369)`, for ten seconds
    /// at most.
    fn waits_for_advisory_lock(&self) -> bool {
        true
    }

    fn other_database(&self, directory: &Directory) -> Option<&'static str> {
        let lock = directory.file(LOCK)?.text()?.parse::<toml::Table>().ok()?;
        Some(match lock.get("provider")?.as_str()? {
            "postgresql" | "postgres" | "cockroachdb" => return None,
            "mysql" => "MySQL",
            "sqlite" => "SQLite",
            "sqlserver" => "SQL Server",
            _ => "another database",
        })
    }

    /// `migrate deploy` applies what is not in its table (`schema-engine/commands/src/commands/apply_migrations.rs`).
    fn late(&self, _: &Migration) -> Late {
        Late::Applied
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let steps: Vec<&Directory> = steps_of(directory).collect();
        steps.first()?;
        let evidence = format!("{} of {} directories hold a migration.sql", steps.len(), directory.directories.len());
        let (strength, evidence) = match directory.file(LOCK) {
            Some(_) => (Strength::Content, format!("{evidence}, and {LOCK} stands beside them")),
            None => (Strength::Names, evidence),
        };
        Some(Claim { strength, evidence, files: steps.iter().flat_map(|d| d.files.iter()).map(|f| f.path.clone()).collect() })
    }

    fn read(&self, directory: &Directory) -> Reading {
        // The listing is in the order of names already.
        let steps = steps_of(directory)
            .filter_map(|step| {
                Some(
                    Step::of_file(&step.name, step.file("migration.sql")?, Wrapping::Batch)
                        .or_explicit()
                        .versioned(Version::text(&step.name)),
                )
            })
            .collect();
        Reading { steps, ..Reading::default() }
    }
}

fn steps_of(directory: &Directory) -> impl Iterator<Item = &Directory> {
    directory.directories.iter().filter(|d| d.file("migration.sql").is_some())
}
