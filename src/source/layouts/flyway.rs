//! Flyway: `V<version>__<description>.sql`, repeatable `R__<description>.sql`, here and in every directory below.
//!
//! Order: versions part by part as numbers (1_9 before 1_10, 1.1 equal to 1_1), then the repeatable ones by description. Undo files
//! (`U`), baselines (`B`) and callbacks (`afterMigrate.sql`) are no steps; Java and other programs are unknown steps.
//! Transaction: one per file. A file whose statements all refuse one runs without, and so does one with a sidecar `x.sql.conf` that
//! says `executeInTransaction=false`; a mix is refused by Flyway itself. Which statements those are is
//! `PostgreSQLParser.detectCanExecuteInTransaction`: it does not know DETACH … CONCURRENTLY, nor REINDEX … CONCURRENTLY.
//! A late lower version and a version that occurs twice are refused. Held against version 7.15.0 by tests/ledgers.rs.
//! Placeholders: `${name}` and `${flyway:name}`, whose names do not mind their case (its documentation, *Migrations*, *Placeholders*).

use super::{
    Claim, Late, Layout, OptOut, PlaceholderForms, Reading, Statements, Step, Strength, of_other_database_in,
    without_program_ending,
};
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::{leading_digits, other_database_of_directory, version_parts};
use crate::source::script::{self, Chunk};
use crate::source::{Migration, Version, Wrapping};
use std::collections::BTreeSet;

pub struct Flyway;

impl Layout for Flyway {
    fn name(&self) -> &'static str {
        "flyway"
    }

    fn marks(&self) -> &'static str {
        "files named V<version>__<description>.sql (and R__<description>.sql), in sub-directories too"
    }

    fn file_names(&self) -> &'static str {
        "`V<version>__<description>.sql` or `R__<description>.sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Mark {
            mark: "executeInTransaction=false",
            place: "in a file of the same name with `.conf` behind it",
            statements: Statements::Apart,
        }
    }

    fn is_recursive(&self) -> bool {
        true
    }

    /// `V44_1__Backfill.java` on the class path. With a version of its own (`getVersion`) a class may be named more freely.
    fn is_program_elsewhere(&self, name: &str) -> bool {
        let Some(stem) = without_program_ending(name) else { return false };
        let is_test = ["Test", "Tests", "IT", "Spec"].iter().any(|ending| stem.ends_with(ending));
        let is_versioned = stem.strip_prefix('V').and_then(leading_digits).is_some_and(|(_, rest)| rest.starts_with('_'));
        !is_test && (is_versioned || stem.starts_with("R__"))
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    fn placeholders(&self) -> PlaceholderForms {
        PlaceholderForms { ignore_case: true, ..PlaceholderForms::default() }
    }

    /// `outOfOrder` is false by default, and validation stops at what it then ignores (`MigrationInfoImpl.java`, validate).
    fn late(&self, unit: &Migration) -> Late {
        if unit.version.is_none() { Late::Repeated } else { Late::Refused }
    }

    /// `CompositeMigrationResolver.checkForIncompatibilities`.
    fn on_same_version(&self) -> Option<&'static str> {
        Some("Flyway refuses to run")
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let is_step = |f: &&FileEntry| f.is_sql() && matches!(parse(f.stem()), Some(Name::Versioned(_) | Name::Repeatable(_)));
        let here = directory.files.iter().filter(is_step).count();
        if here == 0 && !has_locations_below(directory, &is_step) {
            return None;
        }
        let files: Vec<&FileEntry> = directory.files_below();
        let all = files.iter().filter(|f| f.is_sql()).count();
        let named: Vec<_> = files.into_iter().filter(|f| f.is_sql() && parse(f.stem()).is_some()).collect();
        Some(Claim {
            strength: Strength::Names,
            evidence: format!(
                "{} of {all} .sql files are named V<version>__<description>.sql or R__<description>.sql",
                named.len()
            ),
            files: named.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut found = Found::default();
        found.read(directory, None);
        let Found { mut reading, mut repeatable, undone } = found;
        reading.order_by_version();
        for (entry, version) in undone {
            reading.undo(entry, &version);
        }
        repeatable.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        reading.steps.extend(repeatable.into_iter().map(|(_, _, step)| step));
        reading
    }
}

/// Several sub-directories that share no version are locations of one history; with a version in common they are histories of
/// their own.
fn has_locations_below(directory: &Directory, is_step: &impl Fn(&&FileEntry) -> bool) -> bool {
    let mut seen = BTreeSet::new();
    let mut locations = 0;
    for below in directory.directories.iter().filter(|d| other_database_of_directory(&d.name).is_none()) {
        let steps: Vec<&FileEntry> = below.files.iter().filter(is_step).collect();
        locations += usize::from(!steps.is_empty());
        for step in steps {
            if let Some(Name::Versioned(version)) = parse(step.stem()) {
                let key: Vec<String> = version_parts(version).iter().map(|p| p.trim_start_matches('0').to_string()).collect();
                if !seen.insert(key) {
                    return false;
                }
            }
        }
    }
    locations > 1
}

#[derive(Default)]
struct Found<'a> {
    /// Versioned steps, and what is left out.
    reading: Reading,
    /// Repeatable steps with the description and the name that order them.
    repeatable: Vec<(String, String, Step)>,
    undone: Vec<(&'a FileEntry, Version)>,
}

impl<'a> Found<'a> {
    /// `left_out` is why nothing in this directory runs.
    fn read(&mut self, directory: &'a Directory, left_out: Option<String>) {
        for entry in &directory.files {
            self.read_file(entry, directory, left_out.as_deref());
        }
        for below in &directory.directories {
            let left_out = left_out.clone().or_else(|| {
                let undoes = matches!(below.name.to_lowercase().as_str(), "rollback" | "rollbacks" | "undo" | "down" | "revert");
                let database = other_database_of_directory(&below.name).map(|database| format!("for {database}"));
                database.or_else(|| undoes.then(|| "down part".to_string()))
            });
            self.read(below, left_out);
        }
    }

    fn read_file(&mut self, entry: &'a FileEntry, directory: &Directory, left_out: Option<&str>) {
        let program = without_program_ending(&entry.name);
        let Some(name) = parse(program.unwrap_or(entry.stem())).filter(|_| program.is_some() || entry.is_sql()) else { return };
        let left_out = left_out.map(str::to_string).or_else(|| of_other_database_in(directory, &entry.name));
        let why = match (left_out, &name) {
            (Some(why), _) => Some(why),
            (None, Name::Undo(version)) => {
                self.undone.push((entry, Version::numbers(version)));
                return;
            }
            (None, Name::Baseline) => Some("baseline: it stands in for older versions on a new database only".to_string()),
            (None, Name::Callback) => Some("callback: Flyway runs it around migrations, not as one".to_string()),
            (None, Name::Versioned(_) | Name::Repeatable(_)) => None,
        };
        if let Some(why) = why {
            if entry.is_sql() {
                self.reading.skip(entry, &why);
            }
            return;
        }
        let step = |id: String| match program {
            Some(_) => Step::of_program(id, entry, Wrapping::Wrapped),
            None => {
                let step = Step::of_file(id, entry, Wrapping::Wrapped);
                if has_opted_out(entry, directory) || runs_without_transaction(&step) {
                    Step { wrapping: Wrapping::None, ..step }.or_explicit()
                } else {
                    step
                }
            }
        };
        match name {
            Name::Versioned(version) => {
                self.reading.steps.push(step(format!("V{version}")).versioned(Version::numbers(version)));
            }
            Name::Repeatable(description) => {
                self.repeatable.push((description.into(), entry.name.clone(), step(format!("R__{description}"))));
            }
            Name::Undo(_) | Name::Baseline | Name::Callback => {}
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Name<'a> {
    Versioned(&'a str),
    Repeatable(&'a str),
    Undo(&'a str),
    Baseline,
    Callback,
}

fn parse(stem: &str) -> Option<Name<'_>> {
    let is_callback = ["before", "after"]
        .iter()
        .any(|moment| stem.strip_prefix(moment).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase())));
    if is_callback || stem == "createSchema" {
        return Some(Name::Callback);
    }
    if let Some(description) = stem.strip_prefix("R__") {
        return Some(Name::Repeatable(description));
    }
    let (version, _) = stem.get(1..)?.split_once("__")?;
    let is_version = version.starts_with(|c: char| c.is_ascii_digit())
        && version.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'_');
    match stem.as_bytes().first() {
        Some(b'V') if is_version => Some(Name::Versioned(version)),
        Some(b'U') if is_version => Some(Name::Undo(version)),
        Some(b'B') if is_version => Some(Name::Baseline),
        _ => None,
    }
}

fn has_opted_out(entry: &FileEntry, directory: &Directory) -> bool {
    let conf = directory.file(&format!("{}.conf", entry.name)).and_then(|f| f.text());
    conf.is_some_and(|text| {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .any(|(key, value)| key.trim() == "executeInTransaction" && value.trim().eq_ignore_ascii_case("false"))
    })
}

fn runs_without_transaction(step: &Step) -> bool {
    let Ok(text) = step.file.text() else { return false };
    let mut statements = step.parts.iter().flat_map(|&part| script::chunks(text, part)).peekable();
    statements.peek().is_some() && statements.all(|statement| refuses_transaction(&statement))
}

fn refuses_transaction(statement: &Chunk) -> bool {
    const REFUSING: [&[&str]; 18] = [
        &["CREATE", "DATABASE"],
        &["CREATE", "TABLESPACE"],
        &["CREATE", "SUBSCRIPTION"],
        &["DROP", "DATABASE"],
        &["DROP", "TABLESPACE"],
        &["DROP", "SUBSCRIPTION"],
        &["ALTER", "SYSTEM"],
        &["CREATE", "INDEX", "CONCURRENTLY"],
        &["CREATE", "UNIQUE", "INDEX", "CONCURRENTLY"],
        &["DROP", "INDEX", "CONCURRENTLY"],
        &["REINDEX", "SCHEMA"],
        &["REINDEX", "DATABASE"],
        &["REINDEX", "SYSTEM"],
        &["REINDEX", "VERBOSE", "SCHEMA"],
        &["REINDEX", "VERBOSE", "DATABASE"],
        &["REINDEX", "VERBOSE", "SYSTEM"],
        &["VACUUM"],
        &["DISCARD", "ALL"],
    ];
    REFUSING.iter().any(|words| statement.begins(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_flyway_reads_them() {
        assert_eq!(parse("V1_9__add é"), Some(Name::Versioned("1_9")));
        assert_eq!(parse("V2.9.0.2021__x"), Some(Name::Versioned("2.9.0.2021")));
        assert_eq!(parse("V1__"), Some(Name::Versioned("1")));
        assert_eq!(parse("R__Jobs view"), Some(Name::Repeatable("Jobs view")));
        assert_eq!(parse("U3__x"), Some(Name::Undo("3")));
        assert_eq!(parse("B3__x"), Some(Name::Baseline));
        assert_eq!(parse("afterMigrate__grants"), Some(Name::Callback));
        for stem in ["V1_x", "v1__x", "V__x", "V1a__x", "afternoon", "é__x", "schema"] {
            assert_eq!(parse(stem), None, "{stem}");
        }
    }
}
