//! Delta directories, as Synapse has them: `delta/<number>/<name>.sql`, with `.sql.postgres` and `.sql.sqlite` for one database, and
//! steps in Python between them; perhaps for several stores that are one database: `common/delta`, `main/delta`, `state/delta`.
//!
//! Order: the directory's number, then the file's name, across all stores (`synapse/storage/prepare_database.py`,
//! `_upgrade_existing_database`). `x.sql` and `x.sql.postgres` are two steps, both run. `full_schemas/` holds snapshots. Transaction: all
//! pending deltas in one (`prepare_database`); nothing in a file gives it up. Each file is sent as one text
//! (`synapse/storage/engines/postgres.py`, executescript), after a column's type has taken the place of
//! `$%AUTO_INCREMENT_PRIMARY_KEY%$`.

use super::{Claim, Layout, OptOut, PlaceholderForms, Reading, Step, Strength, of_other_database, without_program_ending};
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::leading_digits;
use crate::source::{Version, Wrapping};

const DELTAS: &str = "delta";
const SNAPSHOTS: &str = "full_schemas";

pub struct DeltaDirectories;

impl Layout for DeltaDirectories {
    fn name(&self) -> &'static str {
        "delta-directories"
    }

    fn marks(&self) -> &'static str {
        "a directory `delta` whose sub-directories are numbers and hold .sql, .sql.postgres or .py files"
    }

    fn file_names(&self) -> &'static str {
        "`delta/<number>/<name>.sql`, `.sql.postgres` or `.py`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Elsewhere(
            "run it outside of the deltas, or in the background of the application: all of them share one transaction",
        )
    }

    fn is_recursive(&self) -> bool {
        true
    }

    fn placeholders(&self) -> PlaceholderForms {
        let fixed = &[("$%AUTO_INCREMENT_PRIMARY_KEY%$", "BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY")];
        PlaceholderForms { fixed, ..PlaceholderForms::default() }
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let deltas = deltas_of(directory);
        deltas.iter().find(|delta| delta.entry.looks_like_sql())?;
        Some(Claim {
            strength: Strength::Content,
            evidence: format!("{} files are in numbered directories below `{DELTAS}`", deltas.len()),
            files: directory.files_below().iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        for Delta { number, entry } in deltas_of(directory) {
            let id = format!("{number}/{}", entry.name);
            // Numbers of one length compare as strings do.
            let version = Version::text(format!("{:0>20}/{}", number.trim_start_matches('0'), entry.name));
            if let Some(why) = of_other_database(&entry.name) {
                reading.skip(entry, &why);
            } else if without_program_ending(&entry.name).is_some() {
                reading.steps.push(Step::of_program(id, entry, Wrapping::Wrapped).versioned(version));
            } else {
                reading.steps.push(Step::of_file(id, entry, Wrapping::Wrapped).versioned(version));
            }
        }
        reading.order_by_version();
        skip_beside(directory, false, &mut reading);
        reading
    }
}

struct Delta<'a> {
    number: &'a str,
    entry: &'a FileEntry,
}

/// The files of all deltas: of this directory, of the `delta` in it, or of several stores in it.
fn deltas_of(directory: &Directory) -> Vec<Delta<'_>> {
    let stores: Vec<&Directory> = directory.directories.iter().filter_map(deltas_in).collect();
    let places = match (directory.name.as_str(), deltas_in(directory)) {
        (DELTAS, _) => vec![directory],
        (_, Some(deltas)) => vec![deltas],
        (_, None) if stores.len() > 1 => stores,
        (_, None) => Vec::new(),
    };
    let numbered = places.iter().flat_map(|place| &place.directories).filter(|below| is_number(&below.name));
    let files = numbered.flat_map(|below| below.files.iter().map(|entry| Delta { number: &below.name, entry }));
    files.filter(|delta| is_delta(&delta.entry.name)).collect()
}

fn deltas_in(directory: &Directory) -> Option<&Directory> {
    directory.directories.iter().find(|below| below.name == DELTAS)
}

fn is_number(name: &str) -> bool {
    leading_digits(name).is_some_and(|(_, rest)| rest.is_empty())
}

fn is_delta(name: &str) -> bool {
    const ENDINGS: [&str; 4] = [".sql", ".sql.postgres", ".sql.sqlite", ".py"];
    !name.starts_with('.') && ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// What lies beside the deltas: snapshots, and files that only the runner's code knows.
fn skip_beside(directory: &Directory, is_snapshot: bool, reading: &mut Reading) {
    for below in directory.directories.iter().filter(|below| below.name != DELTAS && directory.name != DELTAS) {
        let is_snapshot = is_snapshot || below.name == SNAPSHOTS;
        for entry in below.files.iter().filter(|f| f.looks_like_sql()) {
            let snapshot = "a snapshot: a new database gets it instead of the deltas before it";
            reading.skip(entry, if is_snapshot { snapshot } else { "outside of the deltas" });
        }
        skip_beside(below, is_snapshot, reading);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deltas_are_sql_for_any_database_and_python() {
        for name in ["01_a.sql", "a.sql.postgres", "a.sql.sqlite", "a.py"] {
            assert!(is_delta(name), "{name}");
        }
        for name in ["a.sql.bak", "a.pyc", ".#a.sql", "README.md"] {
            assert!(!is_delta(name), "{name}");
        }
        assert!(is_number("07") && !is_number("7a") && !is_number(""));
    }
}
