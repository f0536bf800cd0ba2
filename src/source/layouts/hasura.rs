//! Hasura: a directory per migration, `<version>_<name>/up.sql` with `down.sql` beside it, one such tree per source of data; older
//! projects have `<version>_<name>.up.sql` without directories. `up.yaml` is a step for Hasura's own API, after the SQL of its
//! version: what it does is not known.
//!
//! Order: the version as an integer (`cli/migrate/source/parse.go`, Parse; `migration.go`, buildIndex). Transaction: the server's,
//! one for each file, which is sent as one text (`server/src-lib/Hasura/Backends/Postgres/DDL/RunSQL.hs`, runRunSQL: multiQE within
//! runTx). A first line `-- hasura:no-transaction` gives it up; that the command line tool reads it so is confirmed in
//! `cli/migrate/detect_no_transaction_test.go`, what a server does with such a file (one batch is assumed) is not confirmed in source.
//!
//! Diesel's names are the same. Hasura is recognised by that first line, by a `config.yaml` above with keys of its own, or by
//! versions that are all milliseconds since 1970, as its tool writes them.

use super::{Claim, Layout, OptOut, Reading, Statements, Step, Strength, of_other_database};
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::{Direction, leading_digits};
use crate::source::{Version, Wrapping};

const NO_TRANSACTION: &str = "-- hasura:no-transaction";
const CONFIGURATION: &str = "config.yaml";

pub struct Hasura;

impl Layout for Hasura {
    fn name(&self) -> &'static str {
        "hasura"
    }

    fn marks(&self) -> &'static str {
        "directories named <version>_<name> that hold an up.sql, with versions in milliseconds or a config.yaml of Hasura above"
    }

    fn file_names(&self) -> &'static str {
        "`<version>_<name>/up.sql` or `down.sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Mark { mark: "-- hasura:no-transaction", place: "as the first line", statements: Statements::Batch }
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    /// `cli/migrate/source/migration.go`, Append.
    fn on_same_version(&self) -> Option<&'static str> {
        Some("Hasura refuses the project")
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let parts = parts_of(directory);
        let ups: Vec<&Part<'_>> = parts.iter().filter(|part| part.direction == Direction::Up && part.entry.is_sql()).collect();
        ups.first()?;
        let is_in_milliseconds = |part: &&Part<'_>| part.version.len() == 13 && part.is_in_directory;
        let (strength, mark) = if let Some(part) = ups.iter().find(|part| opts_out(part.entry)) {
            (Strength::Content, format!("{} begins with `{NO_TRANSACTION}`", part.entry.path))
        } else if is_configured(directory) {
            (Strength::Surroundings, format!("a {CONFIGURATION} of Hasura stands above"))
        } else if ups.iter().all(is_in_milliseconds) {
            (Strength::Surroundings, "all versions are milliseconds".to_string())
        } else {
            return None;
        };
        Some(Claim {
            strength,
            evidence: format!("{} migrations have an up.sql, and {mark}", ups.len()),
            // What only Diesel would run is known to Hasura as a wrong name.
            files: (directory.directories.iter().flat_map(|below| &below.files))
                .chain(parts.iter().filter(|part| !part.is_in_directory).map(|part| part.entry))
                .map(|f| f.path.clone())
                .collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        let parts = parts_of(directory);
        let mut steps: Vec<(Version, bool, Step)> = Vec::new();
        let mut downs = Vec::new();
        for part in &parts {
            let Part { version, id, entry, direction, .. } = part;
            let key = Version::number(version);
            if let Some(why) = of_other_database(&entry.name) {
                reading.skip(entry, &why);
            } else if *direction == Direction::Down {
                downs.push((*entry, key));
            } else if entry.is_sql() && opts_out(entry) {
                steps.push((key, false, Step::of_file(*id, entry, Wrapping::Batch).or_explicit()));
            } else if entry.is_sql() {
                steps.push((key, false, Step::of_file(*id, entry, Wrapping::Wrapped)));
            } else {
                steps.push((key, true, Step::of_program(format!("{id} ({})", entry.name), entry, Wrapping::Wrapped)));
            }
        }
        steps.sort_by(|a, b| (&a.0, a.1, &a.2.file.path).cmp(&(&b.0, b.1, &b.2.file.path)));
        for (version, is_metadata, step) in steps {
            // Both halves of a migration are one version.
            let is_second = is_metadata && reading.steps.last().is_some_and(|last| last.version.as_ref() == Some(&version));
            reading.steps.push(if is_second { step } else { step.versioned(version) });
        }
        downs.iter().filter(|(entry, _)| entry.is_sql()).for_each(|(entry, version)| reading.undo(entry, version));
        for below in &directory.directories {
            let has_version = parse_directory(&below.name).is_some();
            for entry in below.files.iter().filter(|f| f.is_sql()) {
                match parse_file(&entry.name) {
                    Some(("", _)) if has_version => {}
                    _ if has_version => reading.skip(entry, "its name is neither up.sql nor down.sql: hasura does not run it"),
                    _ => reading.skip(entry, "its directory is not named `<version>_<name>`: hasura does not run it"),
                }
            }
        }
        reading
    }
}

/// One half of a migration.
struct Part<'a> {
    /// Digits.
    version: &'a str,
    /// The name of its directory, or of the file without its direction.
    id: &'a str,
    entry: &'a FileEntry,
    direction: Direction,
    is_in_directory: bool,
}

fn parts_of(directory: &Directory) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    for below in &directory.directories {
        let Some(version) = parse_directory(&below.name) else { continue };
        for entry in &below.files {
            let Some(("", direction)) = parse_file(&entry.name) else { continue };
            parts.push(Part { version, id: &below.name, entry, direction, is_in_directory: true });
        }
    }
    for entry in &directory.files {
        let Some((id, direction)) = parse_file(&entry.name) else { continue };
        let Some(version) = parse_directory(id) else { continue };
        parts.push(Part { version, id, entry, direction, is_in_directory: false });
    }
    parts
}

/// The version of `<version>_<name>`; the name may be empty.
fn parse_directory(name: &str) -> Option<&str> {
    leading_digits(name).filter(|(_, rest)| rest.starts_with('_')).map(|(version, _)| version)
}

/// What stands before `up.sql`, `down.sql`, `up.yaml` or `down.yaml`, and the direction.
fn parse_file(name: &str) -> Option<(&str, Direction)> {
    let stem = name.strip_suffix(".sql").or_else(|| name.strip_suffix(".yaml"))?;
    let (rest, direction) = match (stem.strip_suffix("up"), stem.strip_suffix("down")) {
        (Some(rest), _) => (rest, Direction::Up),
        (None, Some(rest)) => (rest, Direction::Down),
        (None, None) => return None,
    };
    match rest {
        "" => Some(("", direction)),
        _ => Some((rest.strip_suffix('.')?, direction)),
    }
}

/// The first line and no other, blanks around it left out.
fn opts_out(entry: &FileEntry) -> bool {
    entry.text().and_then(|text| text.split('\n').next()).is_some_and(|line| line.trim() == NO_TRANSACTION)
}

/// A project's `config.yaml` says where its metadata is, or in older versions where the server is.
fn is_configured(directory: &Directory) -> bool {
    directory.above(CONFIGURATION).iter().any(|path| {
        let Some(text) = path.text() else { return false };
        let has = |key: &str| text.lines().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')));
        has("metadata_directory") || (has("version") && has("endpoint"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;
    use std::sync::Arc;

    #[test]
    fn names_give_what_stands_before_the_direction() {
        assert_eq!(parse_file("up.sql"), Some(("", Direction::Up)));
        assert_eq!(parse_file("down.yaml"), Some(("", Direction::Down)));
        assert_eq!(parse_file("1_a.b.up.sql"), Some(("1_a.b", Direction::Up)));
        for name in ["setup.sql", "up.SQL", "up.sql.bak", "seed.sql", "down"] {
            assert_eq!(parse_file(name), None, "{name}");
        }
        assert_eq!(parse_directory("1676582194859_a b"), Some("1676582194859"));
        assert_eq!(parse_directory("1_"), Some("1"));
        assert_eq!(parse_directory("2024-01-31_a"), None);
    }

    #[test]
    fn only_the_first_line_opts_out_of_the_transaction() {
        let opts_out = |text: &str| {
            let file = SourceFile { path: "up.sql".into(), repo_path: "up.sql".into(), bytes: text.into() };
            super::opts_out(&FileEntry::of_source("up.sql", Arc::new(file)))
        };
        assert!(opts_out("  -- hasura:no-transaction \r\nSELECT 1;"));
        for text in ["\n-- hasura:no-transaction", "--hasura:no-transaction", "-- hasura:no-transaction please", ""] {
            assert!(!opts_out(text), "{text}");
        }
    }
}
