//! From what the user asked for to histories: directories, single files, standard input.

use crate::source::directory::{Directory, FileEntry};
use crate::source::layouts::{self, Layout, Step};
use crate::source::origin::{Origin, PlaceKind};
use crate::source::path::{ancestor, join, resolved_beside, shown};
use crate::source::recognition::{self, Found};
use crate::source::scope::Scope;
use crate::source::{History, Skipped, SourceError, SourceFile, Version, misnamed, name, unit};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// How deep a directory is listed. Deeper trees are another project's, or a circle.
pub(crate) const DEPTH: usize = 24;

/// What to read.
#[derive(Clone, Debug)]
pub struct Request {
    /// Directories, files, and `-` for standard input. Each is one history, or as many as lie below it.
    pub paths: Vec<String>,
    /// What standard input held, where a path is `-`.
    pub standard_input: Option<Vec<u8>>,
    /// The name of a layout, instead of recognising one.
    pub layout: Option<String>,
    /// What a phase tag begins with after `--`: `phase`, `caracal:phase`.
    pub phase_tag_prefixes: Vec<String>,
    /// What a configuration says about the files.
    pub scope: Scope,
    /// Where the paths are: on disk, or what git holds instead of it.
    pub origin: Origin,
}

impl Request {
    /// These paths, with everything else as it is by default.
    pub fn of_paths(paths: impl IntoIterator<Item = impl Into<String>>) -> Request {
        Request {
            paths: paths.into_iter().map(Into::into).collect(),
            standard_input: None,
            layout: None,
            phase_tag_prefixes: vec!["phase".to_string()],
            scope: Scope::default(),
            origin: Origin::Disk,
        }
    }
}

/// What was read, and what could not be used. An error takes nothing away from the histories that came out.
#[derive(Debug, Default)]
pub struct Loaded {
    pub histories: Vec<History>,
    pub errors: Vec<SourceError>,
}

/// Reads every path of the request.
pub fn load(request: &Request) -> Loaded {
    let mut loaded = Loaded::default();
    let layout = match &request.layout {
        None => None,
        Some(wanted) => match layouts::named(wanted) {
            Some(layout) => Some(layout),
            None => {
                loaded.errors.push(SourceError::UnknownLayout {
                    name: wanted.clone(),
                    suggestion: name::nearest(wanted, layouts::all().iter().map(|l| l.name())).map(str::to_string),
                    layouts: layouts::names(),
                });
                return loaded;
            }
        },
    };
    let mut loading = Loading { request, layout, loaded };
    match &request.scope.history {
        Some(configured) => loading.load_configured(configured),
        None => request.paths.iter().for_each(|path| loading.load_path(path)),
    }
    loading.loaded
}

pub(super) struct Loading<'a> {
    pub(super) request: &'a Request,
    pub(super) layout: Option<&'static dyn Layout>,
    pub(super) loaded: Loaded,
}

impl Loading<'_> {
    pub(super) fn load_path(&mut self, given: &str) {
        if given == "-" {
            self.load_standard_input();
            return;
        }
        let path = shown(given);
        match self.request.origin.kind(&resolved_beside(Path::new(given))) {
            Ok(Some(PlaceKind::Directory)) => self.load_directory(given, &path),
            Ok(Some(PlaceKind::File)) => self.load_file(given, &path),
            Ok(None) => self.loaded.errors.push(SourceError::missing(path, &self.request.origin)),
            Err(cause) => self.loaded.errors.push(SourceError::Unreadable { path, cause }),
        }
    }

    fn load_directory(&mut self, given: &str, path: &str) {
        let earlier = self.loaded.errors.len();
        let root = Directory::list_in(&self.request.origin, Path::new(given), path, DEPTH, &mut self.loaded.errors)
            .apart_from(&self.request.scope);
        let found = recognition::find(&root, self.layout, &self.request.scope, &mut self.loaded.errors);
        if found.is_empty() && self.load_step_directory(given, &root) {
            return;
        }
        // Where all SQL lies in directories that other requests are about, there is nothing to say.
        let all_apart = || !self.request.scope.apart.is_empty() && !root.files_below().iter().any(|file| file.looks_like_sql());
        if found.is_empty() && self.loaded.errors.len() == earlier && !all_apart() {
            self.loaded.errors.push(SourceError::NoMigration {
                path: path.to_string(),
                seen: seen(&root),
                layouts: layouts::names(),
            });
        }
        let mut outside = left_outside(&root, &found);
        for one in &found {
            let mut history = self.history(one);
            if one.directory.path != root.path {
                history.recognised_by.push_str(&format!("; found below {path}"));
            }
            history.whole &= !has_programs_elsewhere(&root, one);
            history.skipped.append(&mut outside);
            history.skipped.sort();
            self.loaded.histories.push(history);
        }
        self.loaded.errors.extend(root.failures());
    }

    /// A directory that is itself one step (Diesel's, Prisma's): its siblings are modelled, only it is reported.
    fn load_step_directory(&mut self, given: &str, root: &Directory) -> bool {
        let Some(step) = ["up.sql", "migration.sql"].iter().find_map(|name| root.file(name)) else { return false };
        let earlier = self.loaded.histories.len();
        self.load_file(&join(given, &step.name), &step.path);
        if let Some(history) = self.loaded.histories.get_mut(earlier) {
            let mut accounted: BTreeSet<String> = history.migrations.iter().map(|m| m.file.path.clone()).collect();
            accounted.extend(history.skipped.iter().map(|s| s.path.clone()));
            let beside = root.files.iter().filter(|file| file.looks_like_sql() && !accounted.contains(&file.path));
            history.skipped.extend(beside.map(|file| Skipped { path: file.path.clone(), why: format!("beside {}", step.name) }));
            history.skipped.sort();
        }
        true
    }

    /// The whole history of one directory.
    pub(super) fn history(&self, found: &Found<'_>) -> History {
        let Found { directory, layout, evidence, .. } = found;
        let reading = layout.read(directory);
        let mut accounted: BTreeSet<String> = reading.steps.iter().map(|s| s.file.path.clone()).collect();
        accounted.extend(reading.skipped.iter().map(|s| s.path.clone()));
        let mut history = self.history_of_steps(&directory.path, *layout, evidence, reading.steps);
        history.whole = !reading.incomplete;
        let objections = reading.objections.into_iter().filter_map(|objection| unit::objection(objection, &history.migrations));
        history.findings.extend(objections);
        history.skipped = reading.skipped;
        history.skipped.extend(directory.skipped_below());
        let here: BTreeSet<&str> = directory.files.iter().map(|f| f.path.as_str()).collect();
        let versions: Vec<Version> = history.migrations.iter().filter_map(|unit| unit.version.clone()).collect();
        let versions: Vec<&Version> = versions.iter().collect();
        for file in directory.files_below() {
            if file.looks_like_sql() && !accounted.contains(&file.path) {
                history.misnamed.extend(misnamed::of_file(file, directory, *layout, &versions));
                let why = if file.name.starts_with('.') {
                    "a hidden file".to_string()
                } else if !file.is_sql() {
                    "its name does not end in .sql".to_string()
                } else if here.contains(file.path.as_str()) || layout.is_recursive() {
                    format!("its name is not {}: {} does not run it", layout.file_names(), layout.name())
                } else {
                    format!("in a sub-directory, which {} does not run", layout.name())
                };
                history.skipped.push(Skipped { path: file.path.clone(), why });
            }
        }
        history
    }

    fn history_of_steps(&self, path: &str, layout: &dyn Layout, evidence: &str, steps: Vec<Step>) -> History {
        let mut history = History {
            path: path.to_string(),
            layout: layout.name().to_string(),
            recognised_by: evidence.to_string(),
            ..History::default()
        };
        for step in steps {
            let (migration, mut findings) = unit::of_step(step, layout.rewriting(), &self.request.phase_tag_prefixes);
            history.migrations.push(migration);
            history.findings.append(&mut findings);
        }
        history
    }

    pub(super) fn load_lone_file(&mut self, given: &str, path: &str) {
        let place = resolved_beside(Path::new(given));
        match self.request.origin.read(&place) {
            Ok(bytes) => {
                let name = place.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                let parent = place.parent().unwrap_or(&place);
                let listing = Directory::list_in(&self.request.origin, parent, &ancestor(path, 1), 0, &mut Vec::new());
                let repo_path = listing.file(&name).map_or(path, |f| f.repo_path()).to_string();
                let file = SourceFile { path: path.to_string(), repo_path, bytes };
                self.load_script(path, &FileEntry::of_source(&name, Arc::new(file)), "a file with no history around it");
            }
            Err(cause) => self.loaded.errors.push(SourceError::Unreadable { path: path.to_string(), cause }),
        }
    }

    fn load_standard_input(&mut self) {
        match &self.request.standard_input {
            Some(bytes) => {
                let file = SourceFile { path: "-".into(), repo_path: "-".into(), bytes: bytes.clone() };
                self.load_script("-", &FileEntry::of_source("-", Arc::new(file)), "standard input");
            }
            None => {
                self.loaded.errors.push(SourceError::Unreadable { path: "-".into(), cause: "nothing was read from it".into() })
            }
        }
    }

    /// A text that stands alone: read by the layout whose marks it bears, else as one plain unit.
    fn load_script(&mut self, path: &str, script: &FileEntry, what: &str) {
        let read = match self.layout {
            Some(layout) => {
                let as_one_file = || vec![Step::of_file(script.stem(), script, layout.wrapping()).or_explicit()];
                Some((layout, layout.read_script(script).unwrap_or_else(as_one_file)))
            }
            None => layouts::all().iter().find_map(|&layout| Some((layout, layout.read_script(script)?))),
        };
        if let Some((layout, steps)) = read {
            let mut history = self.history_of_steps(path, layout, what, steps);
            history.whole = false;
            self.loaded.histories.push(history);
        }
    }
}

/// SQL files below a PATH that belong to none of its histories.
fn left_outside(root: &Directory, found: &[Found<'_>]) -> Vec<Skipped> {
    let mut outside = Vec::new();
    collect_outside(root, root, found, &mut outside);
    outside
}

fn collect_outside(root: &Directory, directory: &Directory, found: &[Found<'_>], outside: &mut Vec<Skipped>) {
    if found.iter().any(|f| f.directory.path == directory.path) {
        return;
    }
    let why = match recognition::other_database(root, directory) {
        Some(database) => format!("in a directory for {database}"),
        None => "in no directory of migrations".to_string(),
    };
    outside.extend(directory.skipped.iter().cloned());
    for file in directory.files.iter().filter(|f| f.looks_like_sql()) {
        outside.push(Skipped { path: file.path.clone(), why: why.clone() });
    }
    for file in directory.files.iter().filter(|file| found.iter().any(|f| f.layout.is_program_elsewhere(&file.name))) {
        let why = "a step in another language, kept outside of the history: what it does is not known".to_string();
        outside.push(Skipped { path: file.path.clone(), why });
    }
    for below in &directory.directories {
        collect_outside(root, below, found, outside);
    }
}

/// True when steps of the history lie somewhere else below the PATH, where its reading did not see them.
fn has_programs_elsewhere(root: &Directory, found: &Found<'_>) -> bool {
    let inside: BTreeSet<&str> = found.directory.files_below().iter().map(|f| f.path.as_str()).collect();
    root.files_below().iter().any(|f| found.layout.is_program_elsewhere(&f.name) && !inside.contains(f.path.as_str()))
}

/// What there was instead of migrations, for the error.
pub(super) fn seen(root: &Directory) -> String {
    let sql: Vec<&FileEntry> = root.files_below().into_iter().filter(|f| f.looks_like_sql()).collect();
    let of_path = |f: &&FileEntry| f.path.rsplit_once('/').and_then(|(d, _)| name::other_database_of_directory(d));
    let databases: BTreeSet<&str> = sql.iter().filter_map(of_path).chain(recognition::marked_for_other_database(root)).collect();
    match (sql.as_slice(), databases.is_empty()) {
        ([], _) => "there is no .sql file in it".to_string(),
        (some, false) => {
            format!("its {} .sql files are for {}", some.len(), databases.into_iter().collect::<Vec<_>>().join(", "))
        }
        ([one], true) => format!("{} is named like no layout's migrations", one.path),
        ([one, ..], true) => format!("{} .sql files such as {} are named like no layout's migrations", sql.len(), one.path),
    }
}
