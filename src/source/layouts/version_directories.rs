//! A directory per version, and numbered files in it: `3.10/0000##name.sql`, `10/01_x.up.sql`, `0.21/01__x.sql`; or a
//! `manifest.json` in each that lists its files, as in `v1.10/`. Projects have runners of their own for these.
//!
//! Order: directories part by part as numbers (3.9 before 3.10), then the file's number; of a manifest, the list. `LATEST.sql`,
//! `schema.sql`, `database.sql` are what a new database gets instead of the steps, and are none.
//!
//! Transaction, read in the runners' own repositories:
//! - bytebase (`backend/migrator/migrator.go`, `getSortedVersionedFiles` and `executeMigration`): semver order, one per file;
//! - boundary (`internal/db/schema/internal/edition/edition.go`, `New`, and `manager.go`, `runMigrations`): directory × 1000 + number,
//!   all pending in one, and a `begin;` … `commit;` in the file is taken off before;
//! - memos (`store/migrator.go`, `applyMigrations`): all pending in one; it sorts paths as strings, which is the same order as long as
//!   no directory gains a digit, so that a `0.9` beside a `0.10` would be read in another order here;
//! - temporal and cadence (`tools/common/schema/updatetask.go`, `execStmts`, `sortAndFilterVersions`): a manifest, semver order, and
//!   each statement is sent alone: none.
//!
//! So a file is wrapped unless it opens a transaction itself, and a file of a manifest is not.

use super::{Claim, Layout, OptOut, Reading, Step, Strength, of_other_database, without_program_ending};
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::{Direction, leading_digits, split_direction, version_parts};
use crate::source::path::join;
use crate::source::{Skipped, Version, Wrapping};

const MANIFEST: &str = "manifest.json";
const SNAPSHOTS: [&str; 4] = ["latest.sql", "schema.sql", "database.sql", "structure.sql"];

pub struct VersionDirectories;

impl Layout for VersionDirectories {
    fn name(&self) -> &'static str {
        "version-directories"
    }

    fn marks(&self) -> &'static str {
        "directories named like versions (10, 3.10, v1.10) that hold numbered .sql files or a manifest.json that lists them"
    }

    fn file_names(&self) -> &'static str {
        "`<version>/<number>….sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn assumes_transaction(&self) -> bool {
        true
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Elsewhere("run it as your runner runs what cannot be in a transaction")
    }

    fn is_recursive(&self) -> bool {
        true
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        // Numbered files beside the directories are a history of their own.
        if directory.files.iter().any(|f| f.is_sql() && leading_digits(&f.name).is_some()) {
            return None;
        }
        let mut found = Found::default();
        found.read(directory, &[]);
        let first = found.files.first()?;
        if found.directories.iter().any(|below| has_marks_of_another(below)) {
            return None;
        }
        let manifests = found.files.iter().filter(|file| file.is_listed).count();
        let by = match manifests {
            0 => "numbered",
            all if all == found.files.len() => "listed in a manifest.json",
            _ => "numbered, or listed in a manifest.json,",
        };
        Some(Claim {
            strength: if manifests > 0 { Strength::Content } else { Strength::Names },
            evidence: format!("{} files are {by} in directories named like versions, such as {}", found.files.len(), first.id),
            files: directory.files_below().iter().filter(|f| f.is_sql()).map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut found = Found::default();
        found.read(directory, &[]);
        let Found { files, mut skipped, .. } = found;
        let mut reading = Reading::default();
        let depth = files.iter().map(|file| file.directories.len()).max().unwrap_or_default();
        let mut downs = Vec::new();
        for file in &files {
            let version = file.version(depth);
            let entry = file.entry;
            let wrapping = if file.is_listed { Wrapping::None } else { Wrapping::Wrapped };
            if let Some(why) = of_other_database(&entry.name) {
                reading.skip(entry, &why);
            } else if file.direction == Some(Direction::Down) {
                downs.push((entry, version));
            } else if entry.is_sql() {
                reading.steps.push(Step::of_file(&file.id, entry, wrapping).or_explicit().versioned(version));
            } else {
                reading.steps.push(Step::of_program(&file.id, entry, wrapping).versioned(version));
            }
        }
        reading.order_by_version();
        downs.iter().for_each(|(entry, version)| reading.undo(entry, version));
        for entry in directory.files.iter().filter(|f| SNAPSHOTS.contains(&f.name.to_ascii_lowercase().as_str())) {
            reading.skip(entry, "a snapshot: a new database gets it instead of the steps");
        }
        reading.skipped.append(&mut skipped);
        reading
    }
}

/// True for a directory with marks that only one runner has: several versions of a service, each with a history.
fn has_marks_of_another(directory: &Directory) -> bool {
    let others = super::all().iter().filter(|layout| layout.name() != VersionDirectories.name() && !layout.is_run_by_psql());
    let mut claims = others.filter_map(|layout| layout.recognise(directory));
    claims.any(|claim| claim.strength == Strength::Content)
}

#[derive(Default)]
struct Found<'a> {
    /// Those named like versions.
    directories: Vec<&'a Directory>,
    files: Vec<VersionedFile<'a>>,
    skipped: Vec<Skipped>,
}

struct VersionedFile<'a> {
    entry: &'a FileEntry,
    /// `3.10/0000`, `v1.10/name`.
    id: String,
    /// The numbers of the directories above it, joined by dots; each directory may hold several.
    directories: Vec<&'a str>,
    /// Its own number: that in its name, or its place in the manifest.
    number: String,
    direction: Option<Direction>,
    is_listed: bool,
}

impl VersionedFile<'_> {
    /// The numbers of the directories, filled up to `depth` of them, and then the file's own: 3/1 comes before 3.1/0.
    fn version(&self, depth: usize) -> Version {
        let filled = std::iter::repeat_n("0", depth - self.directories.len());
        let numbers: Vec<&str> = self.directories.iter().copied().chain(filled).chain([self.number.as_str()]).collect();
        Version::numbers(&numbers.join("."))
    }
}

impl<'a> Found<'a> {
    /// Reads the version directories below `directory`; `above` are the numbers of those that led here, with their names.
    fn read(&mut self, directory: &'a Directory, above: &[&'a Directory]) {
        for below in directory.directories.iter().filter(|below| is_version(&below.name)) {
            let path: Vec<&Directory> = above.iter().copied().chain([below]).collect();
            self.directories.push(below);
            match below.file(MANIFEST) {
                Some(manifest) => self.read_manifest(manifest, below, &path),
                None => self.read_numbered(below, &path),
            }
            self.read(below, &path);
        }
    }

    fn read_numbered(&mut self, directory: &'a Directory, path: &[&'a Directory]) {
        for entry in &directory.files {
            let stem = if entry.is_sql() { Some(entry.stem()) } else { without_program_ending(&entry.name) };
            let Some((stem, (number, rest))) = stem.and_then(|stem| Some((stem, leading_digits(stem)?))) else { continue };
            if !rest.is_empty() && !rest.starts_with(['_', '-', '.', '#', ' ']) {
                continue;
            }
            let (_, direction) = split_direction(stem);
            self.files.push(file(path, entry, number, number.to_string(), direction, false));
        }
    }

    fn read_manifest(&mut self, manifest: &'a FileEntry, directory: &'a Directory, path: &[&'a Directory]) {
        let Some(listed) = manifest.text().and_then(listed) else {
            // A runner refuses it, and what it would run is not known.
            self.files.push(file(path, manifest, MANIFEST, "0".to_string(), None, true));
            let why = format!("{} does not say which files run", manifest.path);
            let sql = directory.files.iter().filter(|f| f.is_sql());
            self.skipped.extend(sql.map(|f| Skipped { path: f.path.clone(), why: why.clone() }));
            return;
        };
        for (at, name) in listed.iter().enumerate() {
            match directory.file(name) {
                Some(entry) => self.files.push(file(path, entry, entry.stem(), at.to_string(), None, true)),
                None => self.skipped.push(Skipped {
                    path: join(&directory.path, name),
                    why: format!("{} lists it, and it is not there: the runner stops here", manifest.path),
                }),
            }
        }
        for entry in directory.files.iter().filter(|f| f.is_sql() && !listed.contains(&f.name)) {
            self.skipped.push(Skipped { path: entry.path.clone(), why: format!("{} does not list it", manifest.path) });
        }
    }
}

fn file<'a>(
    path: &[&'a Directory],
    entry: &'a FileEntry,
    name: &str,
    number: String,
    direction: Option<Direction>,
    is_listed: bool,
) -> VersionedFile<'a> {
    let names: Vec<&str> = path.iter().map(|directory| directory.name.as_str()).collect();
    let directories = names.iter().copied().flat_map(version_parts).collect();
    VersionedFile { entry, id: format!("{}/{name}", names.join("/")), directories, number, direction, is_listed }
}

/// Numbers joined by dots or underscores, perhaps after a `v`.
fn is_version(name: &str) -> bool {
    let numbers = name.strip_prefix(['v', 'V']).unwrap_or(name);
    numbers.starts_with(|c: char| c.is_ascii_digit())
        && numbers.ends_with(|c: char| c.is_ascii_digit())
        && numbers.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'_')
}

/// The files that a manifest lists, in order. An empty list is one; `None` where there is none.
fn listed(manifest: &str) -> Option<Vec<String>> {
    let manifest: serde_json::Value = serde_json::from_str(manifest.trim_start_matches('\u{feff}')).ok()?;
    let list = manifest.get("SchemaUpdateCqlFiles").or_else(|| manifest.get("AllowNoCqlFiles"))?;
    let files = list.as_array().map(Vec::as_slice).unwrap_or_default();
    files.iter().map(|name| name.as_str().map(str::to_string)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_joined_by_dots_or_underscores() {
        for name in ["0", "3.10", "v1.10", "V2_1", "20240131"] {
            assert!(is_version(name), "{name}");
        }
        for name in ["v", "1.", "1a", "2024-01", "1_init", "..", "vendor"] {
            assert!(!is_version(name), "{name}");
        }
    }

    #[test]
    fn a_manifest_lists_files_or_says_that_there_are_none() {
        let read = |text| listed(text).map(|files| files.join(" "));
        assert_eq!(read(r#"{"CurrVersion": "1.0", "SchemaUpdateCqlFiles": ["b.sql", "a.sql"]}"#).as_deref(), Some("b.sql a.sql"));
        assert_eq!(read(r#"{"AllowNoCqlFiles": true}"#).as_deref(), Some(""));
        assert_eq!(read(r#"{"files": ["a.sql"]}"#), None);
        assert_eq!(read("{"), None);
    }
}
