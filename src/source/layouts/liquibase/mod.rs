//! Liquibase with formatted SQL: changesets in `.sql` files, in the order in which a master changelog includes them.
//!
//! A unit is a changeset, by the name that Liquibase gives it, `file::id::author` ([`formatted`]). Order: that of the changelog
//! ([`changelog`]): `include` by its path on the class path or beside the changelog, `includeAll` by the paths of its files, bytewise
//! (`DatabaseChangeLog.getStandardChangeLogComparator`). The master is the one changelog of the directory that no other one includes,
//! or of several the one called so. Without one, formatted files are read in the order of their paths. A `.sql` file that is included
//! and not formatted is one changeset (`SqlChangeLogParser`); `sqlFile` of a changeset likewise here. Changesets in XML, YAML and JSON
//! that do anything else are unknown steps; what is included from outside of the directory is said.
//!
//! Transaction: one per changeset; `runInTransaction:false` gives it up (`ChangeSet.execute`), and its statements are sent one by
//! one, or at once with `splitStatements:false`, which the driver makes one implicit transaction of (PgStatement sends them under a
//! single Sync; observed with 4.29.0). Changesets of other databases and ignored ones are left out. Contexts, labels and preconditions
//! are decided when it runs: all changesets are read as if they ran. `runOnChange` and `runAlways` run again where they stand.
//! `${…}` without a value stays as it is. Held against version 4.29.0 by tests/ledgers.rs.

use super::{Claim, Late, Layout, OptOut, Reading, Statements, Step, Strength, of_other_database};
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::other_database_of_directory;
use crate::source::{DownPart, Migration, Rewriting, UnitKind, Wrapping};
use changelog::{ChangeSet, Item, SqlFile};
use formatted::Attributes;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};
use std::sync::Arc;

mod changelog;
mod formatted;

pub struct Liquibase;

impl Layout for Liquibase {
    fn name(&self) -> &'static str {
        "liquibase"
    }

    fn marks(&self) -> &'static str {
        "files that begin with `--liquibase formatted sql`, or a changelog in XML, YAML or JSON that includes .sql files"
    }

    fn file_names(&self) -> &'static str {
        "`.sql` that a changelog includes"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Mark { mark: "runInTransaction:false", place: "in the line of the changeset", statements: Statements::Apart }
    }

    fn is_recursive(&self) -> bool {
        true
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    fn rewriting(&self) -> Rewriting {
        Rewriting::UnknownStays
    }

    /// It runs every changeset that its table lacks, and again what says so (`ShouldRunChangeSetFilter.java`).
    fn late(&self, unit: &Migration) -> Late {
        if runs_again(unit) { Late::Repeated } else { Late::Applied }
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let of_sql = |reading: &Reading| -> BTreeSet<String> {
            reading.steps.iter().map(|s| &s.file.path).filter(|path| path.ends_with(".sql")).cloned().collect()
        };
        if let Some((master, reading)) = read_master(directory) {
            let included = of_sql(&reading);
            if !included.is_empty() {
                return Some(Claim {
                    strength: Strength::Content,
                    evidence: format!("{master} includes {} .sql files", included.len()),
                    files: included.into_iter().collect(),
                });
            }
        }
        let sql: Vec<&FileEntry> = directory.files.iter().filter(|f| f.is_sql()).collect();
        let formatted = sql.iter().filter(|f| is_formatted(f)).count();
        // A few among another runner's files are strays.
        (formatted > 0 && formatted * 2 >= sql.len()).then(|| Claim {
            strength: Strength::Content,
            evidence: format!(
                "{formatted} of {} .sql files begin with `--liquibase formatted sql`; with no changelog that includes them, they are read in the order of their paths",
                sql.len()
            ),
            files: of_sql(&read_paths(directory)).into_iter().collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let of_master = read_master(directory).map(|(_, reading)| reading);
        let reaches_sql = |reading: &Reading| reading.steps.iter().any(|step| step.file.path.ends_with(".sql"));
        match of_master.filter(reaches_sql) {
            Some(mut reading) => {
                let accounted: BTreeSet<String> = reading
                    .steps
                    .iter()
                    .map(|s| s.file.path.clone())
                    .chain(reading.skipped.iter().map(|s| s.path.clone()))
                    .collect();
                for entry in directory.files_below().into_iter().filter(|f| f.is_sql() && !accounted.contains(&f.path)) {
                    reading.skip(entry, "no changelog includes it");
                }
                reading
            }
            None => read_paths(directory),
        }
    }

    fn read_script(&self, script: &FileEntry) -> Option<Vec<Step>> {
        let mut reading = Reading::default();
        is_formatted(script).then(|| read_formatted(script, &script.name, &mut reading))?;
        (!reading.steps.is_empty()).then_some(reading.steps)
    }
}

/// `runOnChange:true` or `runAlways:true` in the line above a changeset's text.
fn runs_again(unit: &Migration) -> bool {
    let before = unit.file.text().ok().zip(unit.parts.first()).and_then(|(text, part)| text.get(..part.start));
    let header = before.and_then(|before| before.lines().rev().find(|line| line.to_ascii_lowercase().contains("changeset ")));
    header.is_some_and(|header| {
        let header = header.to_ascii_lowercase();
        header.contains("runonchange:true") || header.contains("runalways:true")
    })
}

fn is_formatted(entry: &FileEntry) -> bool {
    entry.text().is_some_and(formatted::is_formatted)
}

/// All formatted files below, in the order of their paths.
fn read_paths(directory: &Directory) -> Reading {
    let mut reading = Reading::default();
    let mut files: Vec<(&str, &FileEntry)> =
        directory.files_below().into_iter().filter(|f| f.is_sql()).map(|f| (below(directory, f), f)).collect();
    files.sort_by_key(|(path, _)| *path);
    for (path, entry) in files {
        let database = path.rsplit_once('/').and_then(|(directory, _)| other_database_of_directory(directory));
        if let Some(why) = database.map(|database| format!("for {database}")).or_else(|| of_other_database(&entry.name)) {
            reading.skip(entry, &why);
        } else if entry.text().is_none() {
            reading.steps.push(Step::of_file(path, entry, Wrapping::Wrapped));
        } else if is_formatted(entry) {
            read_formatted(entry, path, &mut reading);
        } else {
            reading.skip(entry, "it does not begin with `--liquibase formatted sql`, and no changelog includes it");
        }
    }
    reading
}

/// The path of a file below a directory.
fn below<'a>(directory: &Directory, entry: &'a FileEntry) -> &'a str {
    let path = entry.path.strip_prefix(directory.path.as_str()).map(|rest| rest.trim_start_matches('/'));
    path.unwrap_or(&entry.path)
}

/// The changesets of a formatted file.
fn read_formatted(entry: &FileEntry, path: &str, reading: &mut Reading) {
    let Some(text) = entry.text() else {
        reading.steps.push(Step::of_file(path, entry, Wrapping::Wrapped));
        return;
    };
    let found = formatted::read(text, entry.source().body());
    if found.changesets.is_empty() {
        reading.skip(entry, "no `--changeset` in it");
    }
    let mut header = found.header;
    for changeset in found.changesets {
        let formatted::ChangeSet { author, id, attributes, parts, rollback } = changeset;
        // A tag above the first changeset is about that one, whether it runs or not.
        let header = header.take();
        if let Some(why) = left_out(&attributes) {
            reading.skip(entry, &format!("changeset {author}:{id} {why}"));
            continue;
        }
        let file = entry.source();
        let step = Step {
            id: format!("{path}::{id}::{author}"),
            version: None,
            down: rollback.map(|span| DownPart { file: Arc::clone(file), span }),
            file: Arc::clone(file),
            tag_regions: header.into_iter().chain(parts.iter().copied()).collect(),
            parts,
            wrapping: Wrapping::Wrapped,
            kind: UnitKind::Sql,
        };
        reading.steps.push(wrapped(step, &attributes));
    }
}

fn wrapped(step: Step, attributes: &Attributes) -> Step {
    match (attributes.runs_in_transaction, attributes.splits_statements) {
        (true, _) => step,
        (false, true) => Step { wrapping: Wrapping::None, ..step }.or_explicit(),
        (false, false) => Step { wrapping: Wrapping::Batch, ..step }.or_explicit(),
    }
}

/// Why a changeset never runs on PostgreSQL.
fn left_out(attributes: &Attributes) -> Option<String> {
    if attributes.is_ignored {
        Some("is ignored".to_string())
    } else if attributes.is_for_postgresql() {
        None
    } else {
        Some(format!("is for {}", attributes.dbms.as_deref().unwrap_or_default()))
    }
}

/// The name of the master changelog, and what it does. `None` where the directory has none.
fn read_master(directory: &Directory) -> Option<(String, Reading)> {
    let is_changelog = |f: &&FileEntry| changelog_of(f).is_some();
    directory.files.iter().find(is_changelog)?;
    let mut tree = Tree::of(directory);
    let master = tree.master(directory)?;
    tree.changelog(&master);
    Some((master, tree.reading))
}

fn changelog_of(entry: &FileEntry) -> Option<Vec<Item>> {
    let ending = entry.name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    matches!(ending.as_deref(), Some("xml" | "yaml" | "yml" | "json"))
        .then(|| changelog::read(&entry.name, entry.text()?))
        .flatten()
}

/// The files below a directory, by their paths from it.
struct Tree<'a> {
    files: BTreeMap<&'a str, &'a FileEntry>,
    changelogs: BTreeMap<&'a str, Vec<Item>>,
    /// The last parts of the directory's own real path: paths on the class path begin with some of them.
    place: Vec<String>,
    reading: Reading,
    /// What has been included.
    reached: BTreeSet<String>,
}

impl<'a> Tree<'a> {
    fn of(directory: &'a Directory) -> Tree<'a> {
        let files: BTreeMap<&str, &FileEntry> = directory.files_below().into_iter().map(|f| (below(directory, f), f)).collect();
        let changelogs = files.iter().filter_map(|(&path, entry)| Some((path, changelog_of(entry)?))).collect();
        let components = directory.real_paths().take(1).flat_map(Path::components).filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        });
        Tree { files, changelogs, place: components.collect(), reading: Reading::default(), reached: BTreeSet::new() }
    }

    /// The changelog of the directory itself that no other one includes; of several, the one whose name says so.
    fn master(&self, directory: &Directory) -> Option<String> {
        let included: BTreeSet<String> = self
            .changelogs
            .iter()
            .flat_map(|(path, items)| items.iter().map(move |item| (path, item)))
            .flat_map(|(path, item)| match item {
                Item::Include { path: file, is_relative } => self.resolve(path, file, *is_relative).into_iter().collect(),
                Item::IncludeAll { path: below, is_relative, .. } => {
                    // A changelog that includes its own directory does not include itself.
                    let mut all = self.all_below(path, below, *is_relative).unwrap_or_default();
                    all.retain(|file| file != path);
                    all
                }
                Item::ChangeSet(_) => Vec::new(),
            })
            .collect();
        let roots: Vec<&str> = directory
            .files
            .iter()
            .map(|f| f.name.as_str())
            .filter(|name| self.changelogs.contains_key(name) && !included.contains(*name))
            .collect();
        let named: Vec<&&str> = roots.iter().filter(|name| name.contains("master") || name.contains("root")).collect();
        match (roots.as_slice(), named.as_slice()) {
            ([only], _) => Some((*only).to_string()),
            (_, [only]) => Some((**only).to_string()),
            _ => None,
        }
    }

    fn changelog(&mut self, path: &str) {
        if !self.reached.insert(path.to_string()) {
            return;
        }
        for item in self.changelogs.get(path).cloned().unwrap_or_default() {
            match item {
                Item::Include { path: file, is_relative } => match self.resolve(path, &file, is_relative) {
                    Some(found) => self.include(&found),
                    None => self.not_found(path, &format!("{file}, which it includes, is not below this directory")),
                },
                Item::IncludeAll { path: below, is_relative, ends_with, unread } => {
                    if let Some(unread) = unread.first() {
                        self.not_found(path, &format!("`{unread}` of its includeAll is not followed: more is read than runs"));
                    }
                    match self.all_below(path, &below, is_relative) {
                        Some(files) => {
                            let ends = |file: &&String| ends_with.as_ref().is_none_or(|end| file.ends_with(end.as_str()));
                            files.iter().filter(ends).for_each(|file| self.include(file));
                        }
                        None => self.not_found(path, &format!("{below}, all of which it includes, is not below this directory")),
                    }
                }
                Item::ChangeSet(changeset) => self.changeset(path, &changeset),
            }
        }
    }

    fn not_found(&mut self, changelog: &str, why: &str) {
        self.reading.incomplete = true;
        if let Some(entry) = self.files.get(changelog) {
            self.reading.skip(entry, why);
        }
    }

    fn include(&mut self, path: &str) {
        let Some(&entry) = self.files.get(path) else { return };
        if self.changelogs.contains_key(path) {
            self.changelog(path);
        } else if entry.is_sql() && self.reached.insert(path.to_string()) {
            if is_formatted(entry) {
                read_formatted(entry, path, &mut self.reading);
            } else {
                // `SqlChangeLogParser` calls it so.
                self.reading.steps.push(Step::of_file(format!("{path}::raw::includeAll"), entry, Wrapping::Wrapped));
            }
        } else if !entry.is_sql() {
            self.not_found(path, "a changelog that cannot be read here: what it does is not known");
        }
    }

    fn changeset(&mut self, path: &str, changeset: &ChangeSet) {
        let Some(&entry) = self.files.get(path) else { return };
        let ChangeSet { author, id, dbms, is_ignored, runs_in_transaction, sql_files, does_more } = changeset;
        let attributes = Attributes { dbms: dbms.clone(), is_ignored: *is_ignored, ..Attributes::default() };
        if let Some(why) = left_out(&attributes) {
            self.reading.skip(entry, &format!("changeset {author}:{id} {why}"));
            return;
        }
        let name = format!("{path}::{id}::{author}");
        if *does_more {
            self.reading.steps.push(Step::of_program(&name, entry, Wrapping::Wrapped));
        }
        for file in sql_files {
            match self.resolve(path, &file.path, file.is_relative) {
                Some(found) => self.sql_file(&name, &found, file, *runs_in_transaction),
                None => self
                    .not_found(path, &format!("{}, which changeset {author}:{id} runs, is not below this directory", file.path)),
            }
        }
    }

    fn sql_file(&mut self, name: &str, path: &str, file: &SqlFile, runs_in_transaction: bool) {
        let Some(&entry) = self.files.get(path) else { return };
        let attributes = Attributes {
            runs_in_transaction,
            splits_statements: file.splits_statements,
            end_delimiter: file.end_delimiter.clone(),
            dbms: file.dbms.clone(),
            is_ignored: false,
        };
        if let Some(why) = left_out(&attributes) {
            self.reading.skip(entry, &format!("{name} {why}"));
            return;
        }
        let step = Step::of_file(name, entry, Wrapping::Wrapped);
        let parts: Vec<_> = match entry.text() {
            Some(text) => step.parts.iter().flat_map(|&part| attributes.statements(text, part)).collect(),
            None => Vec::new(),
        };
        self.reading.steps.push(wrapped(Step { tag_regions: parts.clone(), parts, ..step }, &attributes));
    }

    /// The file that a changelog means by a path.
    fn resolve(&self, changelog: &str, path: &str, is_relative: bool) -> Option<String> {
        self.places(changelog, path, is_relative).into_iter().find(|place| self.files.contains_key(place.as_str()))
    }

    /// The files below the directory that a changelog means by a path, in the order of their paths.
    fn all_below(&self, changelog: &str, path: &str, is_relative: bool) -> Option<Vec<String>> {
        self.places(changelog, path, is_relative).into_iter().find_map(|place| {
            let prefix = if place.is_empty() { String::new() } else { format!("{place}/") };
            let takes = |name: &str| name.ends_with(".sql") || self.changelogs.contains_key(name);
            let files = self
                .files
                .iter()
                .filter(|(path, entry)| path.starts_with(&prefix) && !entry.name.starts_with('.') && takes(path));
            let files: Vec<String> = files.map(|(path, _)| (*path).to_string()).collect();
            (!files.is_empty()).then_some(files)
        })
    }

    /// Where below the directory a path may lead to: beside the changelog, or from any root of the class path.
    fn places(&self, changelog: &str, path: &str, is_relative: bool) -> Vec<String> {
        let path = path.replace('\\', "/");
        let path = path.trim_start_matches("classpath:").trim_start_matches("classpath*:").trim_start_matches('/');
        if is_relative {
            let beside = changelog.rsplit_once('/').map_or("", |(directory, _)| directory);
            return normalised(&format!("{beside}/{path}")).into_iter().collect();
        }
        let Some(path) = normalised(path) else { return Vec::new() };
        // The longest root first: `db/changelog/x.sql` is `x.sql` where the directory is `…/db/changelog`.
        (0..=self.place.len())
            .filter_map(|from| {
                let root = self.place[from..].join("/");
                if root.is_empty() {
                    return Some(path.clone());
                }
                path.strip_prefix(&root)
                    .filter(|rest| rest.is_empty() || rest.starts_with('/'))
                    .map(|rest| rest.trim_start_matches('/').to_string())
            })
            .collect()
    }
}

/// A path without `.` and `..`; `None` where it leads above its root.
fn normalised(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_and_never_lead_out() {
        assert_eq!(normalised("/a/./b/../c.sql").as_deref(), Some("a/c.sql"));
        assert_eq!(normalised("").as_deref(), Some(""));
        assert_eq!(normalised("a/../../b"), None);
    }
}
