//! A directory as it is listed once: names in bytewise order, contents read when a layout asks for them.
//!
//! Symbolic links to files are followed, as every runner does by opening them; links to directories are not, they may lead in a
//! circle. `node_modules`, `target`, `vendor` and hidden directories are never entered.

use crate::source::path::join;
use crate::source::{Skipped, SourceError, SourceFile, name};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Directories that hold other people's files or a tool's own.
const NEVER_ENTERED: [&str; 3] = ["node_modules", "target", "vendor"];

/// One directory with all that is below it, down to the depth it was listed to.
#[derive(Debug)]
pub struct Directory {
    /// As found from the PATH given, `/` between parts; `.` for the working directory.
    pub path: String,
    /// The last part of its real path.
    pub name: String,
    /// In bytewise order of their names.
    pub files: Vec<FileEntry>,
    /// In bytewise order of their names.
    pub directories: Vec<Directory>,
    /// What the listing itself left out.
    pub skipped: Vec<Skipped>,
    place: Place,
}

/// Where a directory is on disk, and the repository around it.
#[derive(Clone, Debug)]
struct Place {
    disk: PathBuf,
    repository: Option<Arc<PathBuf>>,
}

/// A file of a listing. Its bytes are read at most once.
#[derive(Debug)]
pub struct FileEntry {
    pub name: String,
    /// As found from the PATH given, `/` between parts.
    pub path: String,
    repo_path: String,
    disk: PathBuf,
    loaded: OnceLock<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    source: Arc<SourceFile>,
    failure: Option<String>,
}

impl Directory {
    /// Lists `disk`, shown as `path`, down to `depth` levels of sub-directories. A sub-directory that cannot be listed is an error;
    /// the rest is listed all the same.
    pub fn list(disk: &Path, path: &str, depth: usize, errors: &mut Vec<SourceError>) -> Directory {
        let disk = disk.canonicalize().unwrap_or_else(|_| disk.to_path_buf());
        let repository = disk.ancestors().find(|a| a.join(".git").exists()).map(|a| Arc::new(a.to_path_buf()));
        list(Place { disk, repository }, path.to_string(), depth, errors)
    }

    /// All files here and below.
    pub fn files_below(&self) -> Vec<&FileEntry> {
        let mut all: Vec<&FileEntry> = self.files.iter().collect();
        all.extend(self.directories.iter().flat_map(Directory::files_below));
        all
    }

    /// What the listing left out, here and below.
    pub fn skipped_below(&self) -> Vec<Skipped> {
        let mut all = self.skipped.clone();
        all.extend(self.directories.iter().flat_map(Directory::skipped_below));
        all
    }

    /// The file of that name.
    pub fn file(&self, name: &str) -> Option<&FileEntry> {
        self.files.iter().find(|f| f.name == name)
    }

    /// Its real path.
    pub fn disk(&self) -> &Path {
        &self.place.disk
    }

    /// True when its real path ends so: `supabase/migrations`.
    pub fn is_at(&self, end: &str) -> bool {
        self.place.disk.ends_with(end)
    }

    /// Files that could not be read, of those that were asked for.
    pub fn failures(&self) -> Vec<SourceError> {
        self.files_below().into_iter().filter_map(FileEntry::failure).collect()
    }

    /// The paths on disk of `name` here and in every directory above, up to the repository's root; without a repository only here
    /// and one level up.
    pub fn above(&self, name: &str) -> Vec<PathBuf> {
        let levels = match &self.place.repository {
            Some(root) => self.place.disk.ancestors().position(|a| a == root.as_path()).unwrap_or(0) + 1,
            None => 2,
        };
        self.place.disk.ancestors().take(levels).map(|a| a.join(name)).filter(|p| p.exists()).collect()
    }
}

fn list(place: Place, path: String, depth: usize, errors: &mut Vec<SourceError>) -> Directory {
    let name = place.disk.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let mut directory = Directory { path, name, files: Vec::new(), directories: Vec::new(), skipped: Vec::new(), place };
    let entries = match std::fs::read_dir(&directory.place.disk) {
        Ok(entries) => entries,
        Err(error) => {
            errors.push(SourceError::Unreadable { path: directory.path.clone(), cause: error.to_string() });
            return directory;
        }
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                errors.push(SourceError::Unreadable { path: directory.path.clone(), cause: error.to_string() });
                continue;
            }
        };
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = join(&directory.path, &name);
        let disk = entry.path();
        let is_link = entry.file_type().is_ok_and(|t| t.is_symlink());
        if disk.is_dir() {
            if name.starts_with('.') || NEVER_ENTERED.contains(&name.as_str()) || depth == 0 {
                continue;
            }
            if is_link {
                directory.skipped.push(Skipped { path, why: "a symbolic link to a directory is not followed".into() });
                continue;
            }
            let place = Place { disk, repository: directory.place.repository.clone() };
            directory.directories.push(list(place, path, depth - 1, errors));
        } else {
            let repo_path = below_repository(&directory.place, &name).unwrap_or_else(|| path.clone());
            directory.files.push(FileEntry { name, path, repo_path, disk, loaded: OnceLock::new() });
        }
    }
    directory.files.sort_by(|a, b| a.name.cmp(&b.name));
    directory.directories.sort_by(|a, b| a.name.cmp(&b.name));
    directory.skipped.sort();
    directory
}

fn below_repository(place: &Place, name: &str) -> Option<String> {
    let root = place.repository.as_deref()?;
    let below = place.disk.join(name);
    let below = below.strip_prefix(root).ok()?;
    Some(below.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"))
}

impl FileEntry {
    /// A file that was read already: standard input, or a lone file.
    pub fn of_source(name: &str, source: Arc<SourceFile>) -> FileEntry {
        let loaded = OnceLock::new();
        let (path, repo_path) = (source.path.clone(), source.repo_path.clone());
        // The cell is new, so the value always goes in.
        let _ = loaded.set(Loaded { source, failure: None });
        FileEntry { name: name.into(), path, repo_path, disk: PathBuf::new(), loaded }
    }

    /// True for names that a runner of SQL files looks at. Hidden files are editors' locks and leftovers.
    pub fn is_sql(&self) -> bool {
        self.name.ends_with(".sql") && !self.name.starts_with('.')
    }

    /// True for SQL files, and for copies and variants of them that the report should mention.
    pub fn looks_like_sql(&self) -> bool {
        name::looks_like_sql(&self.name)
    }

    /// The name without `.sql`.
    pub fn stem(&self) -> &str {
        self.name.strip_suffix(".sql").unwrap_or(&self.name)
    }

    /// The file with its bytes; without any where it could not be read, see [`FileEntry::failure`].
    pub fn source(&self) -> &Arc<SourceFile> {
        &self.loaded().source
    }

    /// The text, or nothing where there is none.
    pub fn text(&self) -> Option<&str> {
        self.source().text().ok()
    }

    /// Why the file could not be read, if it was asked for and could not.
    pub fn failure(&self) -> Option<SourceError> {
        let cause = self.loaded.get()?.failure.clone()?;
        Some(SourceError::Unreadable { path: self.path.clone(), cause })
    }

    /// Its path below the repository's root, or as given where there is none.
    pub fn repo_path(&self) -> &str {
        &self.repo_path
    }

    /// True when both are the same file on disk.
    pub fn is_at(&self, disk: &Path) -> bool {
        self.disk == disk
    }

    fn loaded(&self) -> &Loaded {
        self.loaded.get_or_init(|| {
            let (bytes, failure) = match std::fs::read(&self.disk) {
                Ok(bytes) => (bytes, None),
                Err(error) => (Vec::new(), Some(error.to_string())),
            };
            let source = SourceFile { path: self.path.clone(), repo_path: self.repo_path.clone(), bytes };
            Loaded { source: Arc::new(source), failure }
        })
    }
}
