//! Drizzle: `<tag>.sql` files that `meta/_journal.json` lists; from version 1 on, directories that hold a `migration.sql` and a
//! `snapshot.json`.
//!
//! Order: that of the journal; a file that it does not list never runs (`drizzle-orm/src/migrator.ts`, readMigrationFiles). What a
//! database has is told by time alone: only entries whose `when` is after that of the last one it applied are run
//! (`pg-core/dialect.ts`, migrate), so that an entry listed behind a later one runs on a new database and nowhere else. Directories
//! are ordered and recorded by their names (the same files on the branch `beta`; it orders them by the locale, which is not done here).
//! `--> statement-breakpoint` cuts a file into texts that are sent one by one. Transaction: one around all pending files, no opt-out;
//! the driver `neon-http` has none. The journal is held against version 0.45.3 by tests/ledgers.rs.
//!
//! Files with breakpoints and no journal are not Drizzle's to run; they are read by their names where no other runner's mark stands.

use super::{Claim, Late, Layout, OptOut, Reading, Step, Strength};
use crate::op::Span;
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::leading_digits;
use crate::source::path::join;
use crate::source::{Migration, Skipped, UnitKind, Version, Wrapping};
use serde::Deserialize;

const JOURNAL: &str = "_journal.json";
const BREAKPOINT: &str = "--> statement-breakpoint";

pub struct Drizzle;

impl Layout for Drizzle {
    fn name(&self) -> &'static str {
        "drizzle"
    }

    fn marks(&self) -> &'static str {
        "a meta/_journal.json that lists the files, directories that hold a migration.sql and a snapshot.json, or `--> statement-breakpoint` in numbered files"
    }

    fn file_names(&self) -> &'static str {
        "`<tag>.sql` of an entry in meta/_journal.json, or `<directory>/migration.sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Elsewhere("run it outside of the migrations: Drizzle runs all pending files in one transaction")
    }

    fn other_database(&self, directory: &Directory) -> Option<&'static str> {
        Some(match Journal::of(directory)?.dialect.as_str() {
            "mysql" => "MySQL",
            "sqlite" | "turso" | "durable-sqlite" => "SQLite",
            "singlestore" => "SingleStore",
            "gel" => "Gel",
            _ => return None,
        })
    }

    /// It runs what its journal dates after the last one applied (`drizzle-orm/src/pg-core/dialect.ts`, migrate).
    fn late(&self, _: &Migration) -> Late {
        Late::Skipped
    }

    /// The journal decides; what is wrong with it is said of the journal.
    fn on_same_version(&self) -> Option<&'static str> {
        None
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        match Kind::of(directory)? {
            Kind::Journal(journal) => {
                let listed: Vec<&FileEntry> = journal.entries.iter().filter_map(|e| e.file(directory)).collect();
                (!listed.is_empty()).then(|| Claim {
                    strength: Strength::Content,
                    evidence: format!("meta/_journal.json lists {} of the files", listed.len()),
                    files: listed.iter().map(|f| f.path.clone()).collect(),
                })
            }
            Kind::Directories(steps) => Some(Claim {
                strength: Strength::Content,
                evidence: format!("{} directories hold a migration.sql and a snapshot.json", steps.len()),
                files: steps.iter().flat_map(|d| d.files.iter()).map(|f| f.path.clone()).collect(),
            }),
            Kind::Breakpoints(files) => Some(Claim {
                strength: Strength::Names,
                evidence: "there are numbered files with `--> statement-breakpoint`, and no meta/_journal.json".to_string(),
                files: files.iter().map(|f| f.path.clone()).collect(),
            }),
        }
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        match Kind::of(directory) {
            Some(Kind::Journal(journal)) => read_journal(&journal, directory, &mut reading),
            Some(Kind::Directories(steps)) => {
                for directory in steps {
                    if let Some(entry) = directory.file("migration.sql") {
                        reading.steps.push(step(&directory.name, entry).versioned(Version::text(&directory.name)));
                    }
                }
            }
            Some(Kind::Breakpoints(files)) => {
                reading.steps.extend(files.into_iter().map(|f| step(f.stem(), f).versioned(Version::text(f.stem()))));
            }
            None => {}
        }
        reading
    }

    fn listing_of_first(&self, name: &str, text: &str, there: &[Migration]) -> Option<String> {
        let mut journal: serde_json::Value = serde_json::from_str(text).ok().filter(|_| name == JOURNAL)?;
        let is_there = |entry: &serde_json::Value| there.iter().any(|unit| entry["tag"] == unit.id.as_str());
        journal.get_mut("entries")?.as_array_mut()?.retain(is_there);
        Some(journal.to_string())
    }

    fn read_script(&self, script: &FileEntry) -> Option<Vec<Step>> {
        has_breakpoint(script).then(|| vec![step(script.stem(), script)])
    }
}

/// By what a history is listed.
enum Kind<'a> {
    Journal(Journal),
    /// In the order of their names.
    Directories(Vec<&'a Directory>),
    /// In the order of their names.
    Breakpoints(Vec<&'a FileEntry>),
}

impl<'a> Kind<'a> {
    fn of(directory: &'a Directory) -> Option<Kind<'a>> {
        if let Some(journal) = Journal::of(directory) {
            return Some(Kind::Journal(journal));
        }
        let holds = |d: &&Directory| d.file("migration.sql").is_some() && d.file("snapshot.json").is_some();
        if directory.directories.iter().any(|d| holds(&d)) {
            // The snapshot is the tool's own; a step without one runs all the same.
            let steps = directory.directories.iter().filter(|d| d.file("migration.sql").is_some());
            return Some(Kind::Directories(steps.collect()));
        }
        let numbered: Vec<&FileEntry> = directory
            .files
            .iter()
            .filter(|f| f.is_sql() && leading_digits(&f.name).is_some_and(|(_, rest)| rest.starts_with('_')))
            .collect();
        numbered.iter().any(|f| has_breakpoint(f)).then_some(Kind::Breakpoints(numbered))
    }
}

#[derive(Debug, Deserialize)]
struct Journal {
    #[serde(default)]
    dialect: String,
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    tag: String,
    /// Milliseconds since 1970.
    when: u64,
}

impl Journal {
    /// The journal of a directory, if it has one that can be read.
    fn of(directory: &Directory) -> Option<Journal> {
        let meta = directory.directories.iter().find(|d| d.name == "meta")?;
        serde_json::from_slice(&meta.file(JOURNAL)?.source().bytes).ok()
    }
}

impl Entry {
    fn file<'a>(&self, directory: &'a Directory) -> Option<&'a FileEntry> {
        directory.file(&format!("{}.sql", self.tag))
    }
}

fn read_journal(journal: &Journal, directory: &Directory, reading: &mut Reading) {
    let mut latest: Option<&Entry> = None;
    for entry in &journal.entries {
        let path = join(&directory.path, &format!("{}.sql", entry.tag));
        match entry.file(directory) {
            Some(file) => reading.steps.push(step(&entry.tag, file).versioned(Version::number(&entry.when.to_string()))),
            None => {
                reading.incomplete = true;
                let why = "listed in meta/_journal.json, and not there: drizzle refuses the directory";
                reading.skipped.push(Skipped { path: path.clone(), why: why.to_string() });
            }
        }
        match latest {
            Some(latest) if entry.when <= latest.when => {
                let why = format!(
                    "its `when` in meta/_journal.json is not after that of {}, which stands before it: where drizzle has applied that one, it never runs this one",
                    latest.tag
                );
                reading.object(&path, why, "generate it anew, so that its `when` is the latest");
            }
            Some(_) | None => latest = Some(entry),
        }
    }
    for file in directory.files.iter().filter(|f| f.is_sql()) {
        if !journal.entries.iter().any(|entry| entry.tag == file.stem()) {
            reading.skip(file, "not listed in meta/_journal.json: drizzle does not run it");
        }
    }
}

fn has_breakpoint(entry: &FileEntry) -> bool {
    entry.text().is_some_and(|text| text.contains(BREAKPOINT))
}

fn step(id: &str, entry: &FileEntry) -> Step {
    let step = Step::of_file(id, entry, Wrapping::Wrapped);
    let (UnitKind::Sql, Some(text)) = (step.kind, entry.text()) else { return step };
    let parts = pieces(text, entry.source().body());
    Step { tag_regions: parts.clone(), parts, ..step }
}

/// The texts between breakpoints. Blank ones are left out.
fn pieces(text: &str, body: Span) -> Vec<Span> {
    let mut start = body.start;
    let mut found = Vec::new();
    for piece in text[body.start..body.end].split(BREAKPOINT) {
        if !piece.trim().is_empty() {
            found.push(Span { start, end: start + piece.len() });
        }
        start += piece.len() + BREAKPOINT.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breakpoints_cut_wherever_they_stand() {
        let text = "A;--> statement-breakpoint\nB\n--> statement-breakpoint\n\n--> statement-breakpoint C";
        let pieces: Vec<&str> = pieces(text, Span { start: 0, end: text.len() }).iter().map(|s| &text[s.start..s.end]).collect();
        assert_eq!(pieces, ["A;", "\nB\n", " C"]);
    }

    #[test]
    fn a_journal_needs_no_more_than_tags_and_times() {
        let journal: Journal =
            serde_json::from_str(r#"{"version":"7","entries":[{"idx":0,"when":1,"tag":"0000_a"}]}"#).expect("a journal");
        assert_eq!((journal.dialect.as_str(), journal.entries[0].when), ("", 1));
    }
}
