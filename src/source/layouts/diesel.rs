//! Diesel: a directory per migration, `<version>_<name>/up.sql` with `down.sql` and `metadata.toml` beside it.
//!
//! Order: the part of the name before the first `_`, without `-`, as a string: 10 before 9
//! (`migrations_internals::version_from_string`, and the harness sorts by it); a name needs no number. Transaction: the runner's own; with
//! `run_in_transaction = false` the file is one batch (`diesel_migrations/src/file_based_migrations.rs`, batch_execute).
//! A late lower version is run. Two directories of one version are one migration, and which of them runs is up to the file system
//! (`migration_harness.rs`, pending_migrations). Held against version 2.3.14 by tests/ledgers.rs.

use super::{Claim, Late, Layout, OptOut, Reading, Statements, Step, Strength};
use crate::source::directory::Directory;
use crate::source::{Migration, Version, Wrapping};

pub struct Diesel;

impl Layout for Diesel {
    fn name(&self) -> &'static str {
        "diesel"
    }

    fn marks(&self) -> &'static str {
        "directories named <version>_<name> that hold an up.sql"
    }

    fn file_names(&self) -> &'static str {
        "`<version>_<name>/up.sql` or `down.sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Mark {
            mark: "run_in_transaction = false",
            place: "in a `metadata.toml` beside the file",
            statements: Statements::Batch,
        }
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    /// It applies what is not in its table (`diesel_migrations`, `pending_migrations`).
    fn late(&self, _: &Migration) -> Late {
        Late::Applied
    }

    /// Pending migrations are collected into a map by version (`diesel_migrations/src/migration_harness.rs`).
    fn on_same_version(&self) -> Option<&'static str> {
        Some("Diesel keeps one of them and drops the other without a word")
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let steps: Vec<&Directory> = steps_of(directory).collect();
        let is_versioned = steps.iter().any(|d| d.name.starts_with(|c: char| c.is_ascii_digit()));
        is_versioned.then(|| Claim {
            strength: Strength::Names,
            evidence: format!("{} of {} directories hold an up.sql", steps.len(), directory.directories.len()),
            files: steps.iter().flat_map(|d| d.files.iter()).map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        let mut downs = Vec::new();
        for step in steps_of(directory) {
            let version = Version::text(version(&step.name));
            if let Some(up) = step.file("up.sql") {
                let unit = if runs_in_transaction(step) {
                    Step::of_file(&step.name, up, Wrapping::Wrapped)
                } else {
                    Step::of_file(&step.name, up, Wrapping::Batch).or_explicit()
                };
                reading.steps.push(unit.versioned(version.clone()));
            }
            if let Some(down) = step.file("down.sql") {
                downs.push((down, version));
            }
        }
        reading.steps.sort_by(|a, b| (&a.version, &a.id).cmp(&(&b.version, &b.id)));
        downs.iter().for_each(|(entry, version)| reading.undo(entry, version));
        reading
    }
}

fn steps_of(directory: &Directory) -> impl Iterator<Item = &Directory> {
    directory.directories.iter().filter(|d| d.file("up.sql").is_some())
}

fn version(name: &str) -> String {
    name.split('_').next().unwrap_or(name).replace('-', "")
}

/// As Diesel's `TomlMetadata` reads it: a file that it does not understand is as none, but one that is silent about transactions
/// means false, the default of a bool.
fn runs_in_transaction(step: &Directory) -> bool {
    let metadata = step.file("metadata.toml").and_then(|f| f.text()).and_then(|text| text.parse::<toml::Table>().ok());
    match metadata.as_ref().map(|table| table.get("run_in_transaction")) {
        Some(Some(toml::Value::Boolean(runs))) => *runs,
        Some(None) => false,
        Some(Some(_)) | None => true,
    }
}
