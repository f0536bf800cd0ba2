//! What a configuration says about the files of a history: which take part, which directories are one history together, and which
//! part of it is reported.

use crate::config::Globs;
use crate::source::directory::Directory;
use crate::source::layouts::{self, without_program_ending};
use crate::source::origin::PlaceKind;
use crate::source::path::{ancestor, join, resolved_beside, shown};
use crate::source::recognition::{self, Found, Recognition};
use crate::source::request::{DEPTH, Loading};
use crate::source::{Skipped, SourceError, name};
use std::borrow::Cow;
use std::path::Path;

/// What is asked of the paths of a request besides reading them. The default asks nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// Set where the paths are the directories of one history.
    pub history: Option<ConfiguredHistory>,
    /// Where it says anything, only SQL and programs that match take part. Paths are below the history's directory.
    pub include: Globs,
    /// SQL and programs that match take no part. Paths are below the history's directory.
    pub exclude: Globs,
    /// Directories below the paths that another request is about.
    pub apart: Vec<String>,
}

/// One history of a configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfiguredHistory {
    pub name: Option<String>,
    /// Only what lies in these files and directories is reported; without any, everything is.
    pub focus: Vec<String>,
    /// A directory that was asked for, with the histories' directories in it: SQL beside them is listed as skipped.
    pub around: Option<Around>,
}

/// A directory with several histories, of which SQL files in none of them are named once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    pub path: String,
    /// The directories of all histories, and those that have a configuration of their own.
    pub covered: Vec<String>,
}

impl Scope {
    /// What takes part of a directory that may be a history's.
    pub(super) fn selected<'a>(&self, directory: &'a Directory) -> Cow<'a, Directory> {
        if self.include.is_empty() && self.exclude.is_empty() {
            return Cow::Borrowed(directory);
        }
        let root = directory.path.clone();
        Cow::Owned(directory.clone().without(&|path| self.left_out(below(path, &root).unwrap_or(path))))
    }

    /// Why a file takes no part. Control files of a runner always do.
    fn left_out(&self, path: &str) -> Option<String> {
        let file = path.rsplit('/').next().unwrap_or(path);
        if !name::looks_like_sql(file) && without_program_ending(file).is_none() {
            return None;
        }
        if self.exclude.matches(path) {
            Some("excluded by phasegate.toml".into())
        } else if !self.include.is_empty() && !self.include.matches(path) {
            Some("not included by phasegate.toml".into())
        } else {
            None
        }
    }

    /// True for a directory that another request is about.
    pub(super) fn is_apart(&self, path: &str) -> bool {
        self.apart.iter().any(|apart| below(path, apart).is_some())
    }
}

/// A path below a directory, or the empty one where it is the directory itself.
fn below<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    if path == directory {
        return Some("");
    }
    match directory {
        "." => (!path.starts_with('/') && path != ".." && !path.starts_with("../")).then_some(path),
        "/" => path.strip_prefix('/'),
        _ => path.strip_prefix(directory)?.strip_prefix('/'),
    }
}

impl Loading<'_> {
    /// The paths of the request are the directories of one history.
    pub(super) fn load_configured(&mut self, configured: &ConfiguredHistory) {
        let earlier = self.loaded.errors.len();
        match self.request.paths.as_slice() {
            [only] => {
                self.load_path(only);
                if let [_, _, ..] = self.loaded.histories.as_slice() {
                    let histories = self.loaded.histories.drain(..).map(|history| history.path).collect();
                    self.loaded.errors.push(SourceError::SeveralHistories { path: shown(only), histories });
                }
            }
            several => self.load_joined(several),
        }
        for history in &mut self.loaded.histories {
            history.name.clone_from(&configured.name);
        }
        if self.loaded.errors.len() == earlier || !self.loaded.histories.is_empty() {
            self.focus_on(&configured.focus);
        }
        if let Some(around) = &configured.around
            && let Some(history) = self.loaded.histories.first_mut()
        {
            history.skipped.extend(beside(around));
            history.skipped.sort();
        }
    }

    /// Several directories that form one history: their files are read as if they lay in one.
    fn load_joined(&mut self, paths: &[String]) {
        let mut parts = Vec::new();
        for given in paths {
            let path = shown(given);
            match self.request.origin.kind(&resolved_beside(Path::new(given))) {
                Ok(Some(PlaceKind::Directory)) => {
                    let errors = &mut self.loaded.errors;
                    let listed = Directory::list_in(&self.request.origin, Path::new(given), &path, DEPTH, errors);
                    parts.push(self.request.scope.selected(&listed).into_owned());
                }
                Ok(Some(PlaceKind::File)) => self.loaded.errors.push(SourceError::NoDirectory { path }),
                Ok(None) => self.loaded.errors.push(SourceError::missing(path, &self.request.origin)),
                Err(cause) => self.loaded.errors.push(SourceError::Unreadable { path, cause }),
            }
        }
        let shown_paths: Vec<String> = parts.iter().map(|part| part.path.clone()).collect();
        let joined = Directory::joined(&common(&shown_paths), parts);
        match recognition::recognise(&joined, self.layout) {
            Recognition::Layout(layout, strength, evidence) => {
                let evidence = format!("{evidence}; {} directories form this history", shown_paths.len());
                let found = Found { directory: Cow::Borrowed(&joined), layout, strength, evidence };
                let mut history = self.history(&found);
                history.paths = shown_paths;
                self.loaded.histories.push(history);
                self.loaded.errors.extend(joined.failures());
            }
            Recognition::Ambiguous(candidates) => {
                self.loaded.errors.push(SourceError::Ambiguous { path: shown_paths.join(", "), candidates });
            }
            Recognition::Nothing if self.loaded.errors.is_empty() => {
                self.loaded.errors.push(SourceError::NoMigration {
                    path: shown_paths.join(", "),
                    seen: super::request::seen(&joined),
                    layouts: layouts::names(),
                });
            }
            Recognition::Nothing => {}
        }
    }

    /// Only what lies there is reported. A file that is no step of the history is one that stands alone.
    fn focus_on(&mut self, focus: &[String]) {
        if focus.is_empty() {
            return;
        }
        let is_inside = |path: &str| focus.iter().any(|place| below(path, place).is_some());
        let mut seen = false;
        for history in &mut self.loaded.histories {
            for migration in &mut history.migrations {
                migration.reported &= is_inside(&migration.file.path);
                seen |= migration.reported;
            }
            history.findings.retain(|finding| is_inside(&finding.path));
            history.skipped.retain(|skipped| is_inside(&skipped.path));
            history.misnamed.retain(|misnamed| is_inside(&misnamed.file.path));
            seen |= !history.skipped.is_empty();
        }
        if seen {
            return;
        }
        let earlier = std::mem::take(&mut self.loaded.histories);
        for place in focus {
            if Path::new(place).is_file() {
                self.load_lone_file(place, place);
            } else {
                let name = earlier.first().map(|history| history.path.clone()).unwrap_or_default();
                let seen = format!("nothing of the history {name} lies in it");
                self.loaded.errors.push(SourceError::NoMigration { path: place.clone(), seen, layouts: layouts::names() });
            }
        }
    }
}

/// SQL files of a directory that are in no history.
fn beside(around: &Around) -> Vec<Skipped> {
    let listed = Directory::list(Path::new(&around.path), &around.path, DEPTH, &mut Vec::new());
    let is_covered = |path: &str| around.covered.iter().any(|covered| below(path, covered).is_some());
    let files = listed.files_below().into_iter().filter(|file| file.looks_like_sql() && !is_covered(&file.path));
    files.map(|file| Skipped { path: file.path.clone(), why: "in no history of phasegate.toml".into() }).collect()
}

/// The deepest directory that holds all of them.
fn common(paths: &[String]) -> String {
    let Some(first) = paths.first() else { return ".".into() };
    let levels = first.split('/').count();
    let mut above = (0..=levels).map(|up| ancestor(first, up));
    above.find(|directory| paths.iter().all(|path| below(path, directory).is_some())).unwrap_or_else(|| join(first, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_below_its_directory_by_whole_names() {
        for (path, directory, expected) in [
            ("db/a.sql", "db", Some("a.sql")),
            ("db", "db", Some("")),
            ("dbx/a.sql", "db", None),
            ("a.sql", ".", Some("a.sql")),
            ("../a.sql", ".", None),
            ("/a.sql", ".", None),
            ("/a.sql", "/", Some("a.sql")),
            ("../db/a.sql", "../db", Some("a.sql")),
        ] {
            assert_eq!(below(path, directory), expected, "{path} {directory}");
        }
    }

    #[test]
    fn the_directory_of_several_is_the_deepest_that_holds_them() {
        let common_of = |paths: &[&str]| common(&paths.iter().map(|path| path.to_string()).collect::<Vec<_>>());
        assert_eq!(common_of(&["shop/db/a", "shop/db/b/c"]), "shop/db");
        assert_eq!(common_of(&["/r/a", "/r/b"]), "/r");
        assert_eq!(common_of(&["a", "b"]), ".");
        assert_eq!(common_of(&["../a/x", "../a/y"]), "../a");
        assert_eq!(common_of(&["a/b", "a/b"]), "a/b");
    }
}
