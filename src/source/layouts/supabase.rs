//! Supabase CLI: `<version>_<name>.sql` in `supabase/migrations`.
//!
//! Order: the file name, bytewise; versions are compared as strings (`pkg/migration/list.go`, ListLocalMigrations, and `apply.go`,
//! FindPendingMigrations). A first file `<version>_init.sql` of before 2021-12-09 is passed over. Transaction: none of the runner's;
//! the statements of a file and the row of the ledger go to the server as one pipeline with a single Sync (`file.go`, ExecBatch), which
//! makes an implicit transaction of them, as one simple query does. The two differ in one thing: a statement that refuses a
//! transaction is taken as the first of a pipeline, whatever stands behind it, and nowhere else, not even behind another such
//! (measured on 15.20 and 18.6), while a simple query takes it alone only. The CLI as read (commit 1d1e719, 2026-06) takes no statement
//! out of the pipeline. `RESET ALL` before each file keeps settings from leaking.

use super::{Claim, Late, Layout, OptOut, Reading, Step, Strength, of_other_database, share};
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::leading_digits;
use crate::source::{Migration, Version, Wrapping};

/// The first version that has to be run even if it is called `init`.
const FIRST_INIT: &str = "20211209000000";

pub struct Supabase;

impl Layout for Supabase {
    fn name(&self) -> &'static str {
        "supabase"
    }

    fn marks(&self) -> &'static str {
        "files named <version>_<name>.sql in a directory supabase/migrations, most surely beside a supabase/config.toml"
    }

    fn file_names(&self) -> &'static str {
        "`<version>_<name>.sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Batch
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Alone
    }

    /// `db push` stops at what would stand before the last one, unless `--include-all` is given (`pkg/migration/apply.go`).
    fn late(&self, _: &Migration) -> Late {
        Late::Refused
    }

    /// The version is the key of `supabase_migrations.schema_migrations` (`pkg/migration/history.go`).
    fn on_same_version(&self) -> Option<&'static str> {
        Some("Supabase fails on the second one, whose version is recorded already")
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let named: Vec<&FileEntry> = directory.files.iter().filter(|f| version(f).is_some()).collect();
        let is_at_home = directory.real_paths().any(|path| path.ends_with("supabase/migrations"));
        if named.is_empty() || !is_at_home {
            return None;
        }
        let is_configured = directory.nearest("config.toml").is_some_and(|(_, from)| from == "migrations");
        // Drizzle can be told to write here, and keeps books of its own.
        let is_journaled = directory.directories.iter().any(|d| d.name == "meta" && d.file("_journal.json").is_some());
        Some(Claim {
            strength: if is_configured && !is_journaled { Strength::Content } else { Strength::Surroundings },
            evidence: format!(
                "{}, in supabase/migrations{}",
                share(named.len(), directory, "<version>_<name>.sql"),
                if is_configured { " beside a config.toml" } else { "" }
            ),
            files: named.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        // The listing is in the order of names already.
        for (at, entry) in directory.files.iter().enumerate() {
            let Some(version) = version(entry) else { continue };
            if let Some(why) = of_other_database(&entry.name) {
                reading.skip(entry, &why);
            } else if at == 0 && is_old_init(&entry.name) {
                reading.skip(entry, "the schema that older versions began with: Supabase passes over it");
            } else {
                let step = Step::of_file(version, entry, Wrapping::Batch).or_explicit();
                reading.steps.push(step.versioned(Version::text(version)));
            }
        }
        reading
    }
}

fn version(entry: &FileEntry) -> Option<&str> {
    leading_digits(entry.stem()).filter(|(_, rest)| entry.is_sql() && rest.starts_with('_')).map(|(version, _)| version)
}

/// `([0-9]{14})_init\.sql`, wherever it stands in the name.
fn is_old_init(name: &str) -> bool {
    let digits = name.find("_init.sql").map(|at| &name[..at]);
    let version = digits.and_then(|before| before.get(before.len().checked_sub(FIRST_INIT.len())?..));
    version.is_some_and(|version| version.bytes().all(|b| b.is_ascii_digit()) && version < FIRST_INIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_old_init_is_passed_over() {
        assert!(is_old_init("20211208235959_init.sql"));
        for name in ["20211209000000_init.sql", "2021_init.sql", "20200101000000_initial.sql"] {
            assert!(!is_old_init(name), "{name}");
        }
    }
}
