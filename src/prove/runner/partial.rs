//! A copy of the migrations directory in which the units behind some place do not exist yet.
//!
//! Files that list units by name or by sum (a journal, a plan, `atlas.sum`) list those that are there, where the layout knows how; else
//! they are copied as they are, and a runner that reads them sees what is missing and says so.

use super::RunnerError;
use crate::source::layouts::{self, Layout};
use crate::source::{History, Migration};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The directory that a runner is pointed to.
#[derive(Debug)]
pub enum Directory {
    /// The project's own, absolute.
    Whole(PathBuf),
    /// A copy that goes away.
    Partial(TempDir),
}

impl Directory {
    /// Of a history with only its first `units`.
    pub fn of(history: &History, units: usize) -> Result<Directory, RunnerError> {
        let root = Path::new(&history.path);
        let root = std::path::absolute(root).map_err(|source| failed("find", root, source))?;
        if units >= history.migrations.len() {
            return Ok(Directory::Whole(root));
        }
        let copy = tempfile::Builder::new().prefix("phasegate-migrations-").tempdir();
        let copy = copy.map_err(|source| failed("make a copy of", &root, source))?;
        Cut::of(history, units)?.copy(&root, copy.path())?;
        Ok(Directory::Partial(copy))
    }

    pub fn path(&self) -> &Path {
        match self {
            Directory::Whole(path) => path,
            Directory::Partial(copy) => copy.path(),
        }
    }
}

/// What is left out of a copy, by absolute paths.
struct Cut<'a> {
    files: BTreeSet<PathBuf>,
    directories: BTreeSet<PathBuf>,
    /// Files of which only so many bytes are there yet.
    ends: Vec<(PathBuf, usize)>,
    layout: Option<&'a dyn Layout>,
    there: &'a [Migration],
}

impl<'a> Cut<'a> {
    fn of(history: &'a History, units: usize) -> Result<Cut<'a>, RunnerError> {
        let absolute = |path: &str| std::path::absolute(path).map_err(|source| failed("find", Path::new(path), source));
        let (there, later) = history.migrations.split_at(units);
        let mut cut = Cut {
            files: BTreeSet::new(),
            directories: BTreeSet::new(),
            ends: Vec::new(),
            layout: layouts::named(&history.layout),
            there,
        };
        let root = absolute(&history.path)?;
        let mut kept = BTreeSet::new();
        for unit in there {
            kept.insert(absolute(&unit.file.path)?);
        }
        for unit in later {
            let path = absolute(&unit.file.path)?;
            if kept.contains(&path) {
                cut.ends.push((path, end(unit, there)?));
                continue;
            }
            // What lies in a directory of the unit's own belongs to it.
            if let Some(parent) = path.parent()
                && parent != root
                && parent.starts_with(&root)
                && !kept.iter().any(|file| file.starts_with(parent))
            {
                cut.directories.insert(parent.to_owned());
            }
            cut.files.insert(path);
            if let Some(down) = &unit.down {
                let path = absolute(&down.file.path)?;
                cut.files.extend((!kept.contains(&path)).then_some(path));
            }
        }
        Ok(cut)
    }

    fn copy(&self, from: &Path, to: &Path) -> Result<(), RunnerError> {
        let entries = std::fs::read_dir(from).map_err(|source| failed("read", from, source))?;
        for entry in entries {
            let path = entry.map_err(|source| failed("read", from, source))?.path();
            let Some(name) = path.file_name() else { continue };
            // Links are followed, as a runner would.
            let kind = std::fs::metadata(&path).map_err(|source| failed("read", &path, source))?;
            if kind.is_dir() && name != ".git" && !self.directories.contains(&path) {
                let below = to.join(name);
                std::fs::create_dir(&below).map_err(|source| failed("copy", &path, source))?;
                self.copy(&path, &below)?;
            } else if kind.is_file() && !self.files.contains(&path) {
                self.copy_file(&path, &to.join(name))?;
            }
        }
        Ok(())
    }

    fn copy_file(&self, from: &Path, to: &Path) -> Result<(), RunnerError> {
        let end = self.ends.iter().filter(|(path, _)| path == from).map(|(_, end)| *end).min();
        let Some(end) = end else {
            let name = from.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let text = || std::fs::read_to_string(from).ok().filter(|_| !name.ends_with(".sql"));
            if let Some(listing) =
                self.layout.zip(text()).and_then(|(layout, text)| layout.listing_of_first(&name, &text, self.there))
            {
                return std::fs::write(to, listing).map_err(|source| failed("copy", from, source));
            }
            return std::fs::copy(from, to).map(|_| ()).map_err(|source| failed("copy", from, source));
        };
        let mut bytes = std::fs::read(from).map_err(|source| failed("read", from, source))?;
        bytes.truncate(end);
        std::fs::write(to, bytes).map_err(|source| failed("copy", from, source))
    }
}

/// Where a unit begins in a file that earlier units share.
fn end(unit: &Migration, there: &[Migration]) -> Result<usize, RunnerError> {
    let start = unit.parts.iter().map(|part| part.start).min().unwrap_or(unit.file.bytes.len());
    let same_file = there.iter().filter(|earlier| earlier.file.path == unit.file.path);
    let reach = same_file.flat_map(|earlier| &earlier.parts).map(|part| part.end).max().unwrap_or(0);
    if reach <= start { Ok(start) } else { Err(RunnerError::Cut { path: unit.file.path.clone() }) }
}

fn failed(action: &'static str, path: &Path, source: std::io::Error) -> RunnerError {
    RunnerError::Io { action, path: path.to_owned(), source }
}
