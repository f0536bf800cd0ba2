//! A single file as PATH: the history around it is modelled, only the file is reported.

use crate::source::directory::Directory;
use crate::source::layouts;
use crate::source::path::{ancestor, resolved_beside};
use crate::source::recognition::{self, Found, Recognition};
use crate::source::request::{DEPTH, Loading};
use crate::source::{History, Migration, SourceError, SourceFile};
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

/// How far above a file its history may begin: Diesel's is two levels up, a sqitch plan can be three, a Flyway location four.
const LEVELS: usize = 5;

/// The history around a file, what could not be read of it, and the file's path in it.
type Around = (History, Vec<SourceError>, String);

impl Loading<'_> {
    /// A single file: the history around it is modelled, only the file is reported. Without a history around it, it is one.
    pub(super) fn load_file(&mut self, given: &str, path: &str) {
        // The file's own link is kept: its siblings are those of the link, not of what it points to.
        let disk = resolved_beside(Path::new(given));
        let mut around: Option<Around> = None;
        // Outside of a repository nothing says where the project ends.
        let reach = if disk.ancestors().any(|above| above.join(".git").exists()) { LEVELS - 1 } else { 2 };
        for (up, directory_disk) in disk.ancestors().skip(1).take(LEVELS).enumerate() {
            let may_go_on = match &around {
                None => up < reach,
                // Only a recursive layout can begin further up than where it was seen first; but numbered files may as well be
                // those of one version in a directory of versions.
                Some((inner, ..)) => up == 1 || is_recursive(inner),
            };
            let leaves_repository = up > 0 && disk.ancestors().nth(up).is_some_and(|below| below.join(".git").exists());
            if !may_go_on || leaves_repository {
                break;
            }
            let within = around.as_ref().filter(|(inner, ..)| is_recursive(inner)).map(|(inner, ..)| inner.layout.as_str());
            match self.history_around(&disk, directory_disk, &ancestor(path, up + 1), within) {
                Ok(Some(outer)) if around.is_none() || is_recursive(&outer.0) => around = Some(outer),
                Ok(_) => {}
                // Beside files of two layouts nobody can say how this one runs; further up it would not matter.
                Err(ambiguous) if up == 0 => {
                    self.loaded.errors.push(ambiguous);
                    return;
                }
                Err(_) => break,
            }
        }
        match around {
            Some((history, failures, own)) => {
                self.loaded.errors.extend(failures);
                self.loaded.histories.push(focused(history, &own, path));
            }
            None => self.load_lone_file(given, path),
        }
    }

    /// The history of a directory if `file` belongs to it. `within` is the layout that it has to have.
    fn history_around(
        &self,
        file: &Path,
        directory: &Path,
        shown: &str,
        within: Option<&str>,
    ) -> Result<Option<Around>, SourceError> {
        // What cannot be listed around a file is not what was asked for, so those errors are dropped. One level is enough to see the
        // layout; all of it is listed only for a runner that reads all of it.
        let depth = if within.is_some() { DEPTH } else { 1 };
        let list = |depth| {
            let listed = Directory::list_in(&self.request.origin, directory, shown, depth, &mut Vec::new());
            self.request.scope.selected(&listed).into_owned()
        };
        let mut listed = list(depth);
        let layout = match recognition::recognise(&listed, self.layout) {
            Recognition::Layout(layout, ..) if within.is_none_or(|within| within == layout.name()) => layout,
            Recognition::Layout(..) | Recognition::Nothing => return Ok(None),
            Recognition::Ambiguous(candidates) => return Err(SourceError::Ambiguous { path: shown.to_string(), candidates }),
        };
        if layout.is_recursive() && depth < DEPTH {
            listed = list(DEPTH);
        }
        let Recognition::Layout(layout, strength, evidence) = recognition::recognise(&listed, self.layout) else {
            return Ok(None);
        };
        let Some(entry) = listed.files_below().into_iter().find(|f| f.is_at(file)) else { return Ok(None) };
        let is_left_out = layout.read(&listed).skipped.iter().any(|s| s.path == entry.path);
        let history = self.history(&Found { directory: Cow::Borrowed(&listed), layout, strength, evidence });
        let belongs = is_left_out || history.migrations.iter().any(|m| m.file.path == entry.path);
        Ok(belongs.then(|| (history, listed.failures(), entry.path.clone())))
    }
}

fn is_recursive(history: &History) -> bool {
    layouts::named(&history.layout).is_some_and(|layout| layout.is_recursive())
}

/// Only the units and findings of one file are reported, under the path it was given by.
fn focused(mut history: History, own: &str, given: &str) -> History {
    let mut renamed: Option<Arc<SourceFile>> = None;
    for migration in &mut history.migrations {
        migration.reported = migration.file.path == own;
        if migration.reported && own != given {
            let file = renamed.get_or_insert_with(|| Arc::new(under_path(migration, given)));
            migration.file = Arc::clone(file);
        }
    }
    history.findings.retain(|f| f.path == own);
    history.skipped.retain(|s| s.path == own);
    history.misnamed.retain(|m| m.file.path == own);
    for misnamed in history.misnamed.iter_mut().filter(|_| own != given) {
        let SourceFile { repo_path, bytes, .. } = misnamed.file.as_ref();
        misnamed.file = Arc::new(SourceFile { path: given.to_string(), repo_path: repo_path.clone(), bytes: bytes.clone() });
    }
    for path in history.findings.iter_mut().map(|f| &mut f.path).chain(history.skipped.iter_mut().map(|s| &mut s.path)) {
        *path = given.to_string();
    }
    history
}

fn under_path(migration: &Migration, path: &str) -> SourceFile {
    let SourceFile { repo_path, bytes, .. } = migration.file.as_ref();
    SourceFile { path: path.to_string(), repo_path: repo_path.clone(), bytes: bytes.clone() }
}
