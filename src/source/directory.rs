//! A directory as it is listed once: names in bytewise order, contents read when a layout asks for them.
//!
//! Symbolic links to files are followed, as every runner does by opening them; links to directories are not, they may lead in a
//! circle. `node_modules`, `target`, `vendor` and hidden directories are never entered. All of that holds for what git's index or a
//! commit holds, too.

use crate::source::git::{Child, ChildKind, Snapshot};
use crate::source::origin::Origin;
use crate::source::path::{join, resolved};
use crate::source::scope::Scope;
use crate::source::{Skipped, SourceError, SourceFile, name};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Directories that hold other people's files or a tool's own.
const NEVER_ENTERED: [&str; 3] = ["node_modules", "target", "vendor"];

/// True for the names of directories that are looked into.
pub fn is_entered(name: &str) -> bool {
    !name.starts_with('.') && !NEVER_ENTERED.contains(&name)
}

/// One directory with all that is below it, down to the depth it was listed to. Several that were joined are one.
#[derive(Clone, Debug)]
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
    /// Where it is; where each of them is, if several were joined.
    places: Vec<Place>,
}

/// Where a directory is, and the repository around it.
#[derive(Clone, Debug)]
struct Place {
    origin: Origin,
    /// On disk, or where it would be.
    disk: PathBuf,
    repository: Option<Arc<PathBuf>>,
}

impl Place {
    /// It and what lies above it, up to the repository's root.
    fn ancestors(&self) -> impl Iterator<Item = &Path> {
        let levels = match &self.repository {
            Some(root) => self.disk.ancestors().position(|a| a == root.as_path()).unwrap_or(0) + 1,
            None => 2,
        };
        self.disk.ancestors().take(levels)
    }

    /// What is called `name` here and above, the nearest first.
    fn above(&self, name: &str) -> impl Iterator<Item = Above> {
        let places = self.ancestors().map(move |above| above.join(name));
        let there = places.filter(|place| self.origin.kind(place).is_ok_and(|kind| kind.is_some()));
        there.map(|place| Above { origin: self.origin.clone(), place })
    }
}

/// A file of a listing. Its bytes are read at most once, whatever copies of the entry there are.
#[derive(Clone, Debug)]
pub struct FileEntry {
    pub name: String,
    /// As found from the PATH given, `/` between parts.
    pub path: String,
    repo_path: String,
    disk: PathBuf,
    content: Content,
    loaded: Arc<OnceLock<Loaded>>,
}

/// Where the bytes of a file are.
#[derive(Clone, Debug)]
enum Content {
    Disk,
    Git(Arc<Snapshot>, Child),
    /// Nowhere, and why: a sentence for people.
    Missing(String),
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
        Directory::list_in(&Origin::Disk, disk, path, depth, errors)
    }

    /// As [`Directory::list`], in the index or a commit where `origin` says so; then `disk` is where it would be in the work tree.
    pub fn list_in(origin: &Origin, disk: &Path, path: &str, depth: usize, errors: &mut Vec<SourceError>) -> Directory {
        let disk = resolved(disk);
        let repository = match origin {
            Origin::Disk => repository(&disk).map(Path::to_path_buf),
            Origin::Git(snapshot) => Some(snapshot.repository().work_tree().to_path_buf()),
        };
        let place = Place { origin: origin.clone(), disk, repository: repository.map(Arc::new) };
        list(place, path.to_string(), depth, errors)
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

    /// Its real path; of directories that were joined, each.
    pub fn real_paths(&self) -> impl Iterator<Item = &Path> {
        self.places.iter().map(|place| place.disk.as_path())
    }

    /// Files that could not be read, of those that were asked for.
    pub fn failures(&self) -> Vec<SourceError> {
        self.files_below().into_iter().filter_map(FileEntry::failure).collect()
    }

    /// What is called `name` here and in every directory above, up to the repository's root; without a repository only here and one
    /// level up.
    pub fn above(&self, name: &str) -> Vec<Above> {
        self.places.iter().flat_map(|place| place.above(name)).collect()
    }

    /// The first of [`Directory::above`], and the path from its directory to this one; `.` where it is this one.
    pub fn nearest(&self, name: &str) -> Option<(Above, String)> {
        self.places.iter().find_map(|place| {
            let nearest = place.above(name).next()?;
            let below = place.disk.strip_prefix(nearest.place.parent()?).ok()?;
            let path = below.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
            Some((nearest, if path.is_empty() { ".".to_string() } else { path }))
        })
    }

    /// A directory that is nowhere, to ask a layout what it would make of it.
    pub fn made_up(name: &str, files: Vec<FileEntry>, directories: Vec<Directory>) -> Directory {
        let (path, name) = (name.to_owned(), name.to_owned());
        Directory { path, name, files, directories, skipped: Vec::new(), places: Vec::new() }
    }

    /// The directory, here or below, that holds a file.
    pub fn holding(&self, file: &FileEntry) -> Option<&Directory> {
        let is_here = self.files.iter().any(|own| own.path == file.path);
        if is_here { Some(self) } else { self.directories.iter().find_map(|below| below.holding(file)) }
    }

    /// Directories as if all their files lay in one, shown as `path`.
    pub fn joined(path: &str, directories: Vec<Directory>) -> Directory {
        let name = directories.first().map(|first| first.name.clone()).unwrap_or_default();
        let mut all = Directory { path: path.into(), name, files: vec![], directories: vec![], skipped: vec![], places: vec![] };
        for one in directories {
            all.files.extend(one.files);
            all.directories.extend(one.directories);
            all.skipped.extend(one.skipped);
            all.places.extend(one.places);
        }
        all.sort();
        all
    }

    /// The directory without the files, here and below, for which there is a reason to leave them out.
    pub fn without(mut self, leaves_out: &impl Fn(&str) -> Option<String>) -> Directory {
        let mut skipped = Vec::new();
        self.files.retain(|file| match leaves_out(&file.path) {
            None => true,
            Some(why) => {
                skipped.push(Skipped { path: file.path.clone(), why });
                false
            }
        });
        self.skipped.extend(skipped);
        self.directories = self.directories.into_iter().map(|below| below.without(leaves_out)).collect();
        self.sort();
        self
    }

    /// The directory without the directories below it that another request is about.
    pub fn apart_from(mut self, scope: &Scope) -> Directory {
        self.directories.retain(|below| !scope.is_apart(&below.path));
        self.directories = self.directories.into_iter().map(|below| below.apart_from(scope)).collect();
        self
    }

    fn sort(&mut self) {
        self.files.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.path.cmp(&b.path)));
        self.directories.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.path.cmp(&b.path)));
        self.skipped.sort();
    }
}

/// Something above a directory: a manifest, a folder of a tool.
#[derive(Clone, Debug)]
pub struct Above {
    origin: Origin,
    place: PathBuf,
}

impl Above {
    /// Texts of the files in a folder whose names end in `ending`. Of a folder that cannot be listed there are none.
    pub fn texts_in(&self, ending: &str) -> Vec<String> {
        let listed = Directory::list_in(&self.origin, &self.place, "", 0, &mut Vec::new());
        let wanted = listed.files.iter().filter(|file| file.name.ends_with(ending));
        wanted.filter_map(|file| file.text().map(str::to_string)).collect()
    }

    /// Its text; none for a directory and for what is no UTF-8.
    pub fn text(&self) -> Option<String> {
        String::from_utf8(self.origin.read(&self.place).ok()?).ok()
    }
}

fn list(place: Place, path: String, depth: usize, errors: &mut Vec<SourceError>) -> Directory {
    let name = place.disk.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let mut directory =
        Directory { path, name, files: vec![], directories: vec![], skipped: vec![], places: vec![place.clone()] };
    match &place.origin {
        Origin::Disk => list_disk(&mut directory, &place.disk, depth, errors),
        Origin::Git(snapshot) => list_snapshot(&mut directory, &place.disk, snapshot, depth, errors),
    }
    directory.sort();
    directory
}

fn list_disk(directory: &mut Directory, disk: &Path, depth: usize, errors: &mut Vec<SourceError>) {
    let entries = match std::fs::read_dir(disk) {
        Ok(entries) => entries,
        Err(error) => {
            errors.push(SourceError::Unreadable { path: directory.path.clone(), cause: error.to_string() });
            return;
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
        let disk = entry.path();
        let is_link = entry.file_type().is_ok_and(|t| t.is_symlink());
        if disk.is_dir() {
            directory.enter(&name, is_link, depth, errors);
        } else {
            directory.hold(name, Content::Disk);
        }
    }
}

fn list_snapshot(directory: &mut Directory, disk: &Path, snapshot: &Arc<Snapshot>, depth: usize, errors: &mut Vec<SourceError>) {
    // What lies outside of the repository is in no snapshot of it.
    let Some(here) = snapshot.repository().below(disk) else { return };
    let children = match snapshot.children(&here) {
        Ok(children) => children,
        Err(error) => {
            errors.push(SourceError::Unreadable { path: directory.path.clone(), cause: error.to_string() });
            return;
        }
    };
    for child in children {
        let name = child.name.clone();
        match child.kind {
            ChildKind::Directory => directory.enter(&name, false, depth, errors),
            ChildKind::Submodule => {
                let why = "a submodule, a repository of its own: give its path to check it".to_string();
                directory.skipped.push(Skipped { path: join(&directory.path, &name), why });
            }
            ChildKind::File | ChildKind::Conflict => directory.hold(name, Content::Git(Arc::clone(snapshot), child)),
            ChildKind::Link => match snapshot.followed(&join(&here, &name)) {
                Ok(Some((_, target))) => match target.kind {
                    ChildKind::Directory | ChildKind::Submodule => directory.enter(&name, true, depth, errors),
                    ChildKind::File | ChildKind::Link | ChildKind::Conflict => {
                        directory.hold(name, Content::Git(Arc::clone(snapshot), target));
                    }
                },
                Ok(None) => {
                    directory.hold(name, Content::Missing(format!("a symbolic link to what is not in {}", snapshot.name)))
                }
                Err(why) => directory.hold(name, Content::Missing(why)),
            },
        }
    }
}

impl Directory {
    /// Lists a sub-directory.
    fn enter(&mut self, name: &str, is_link: bool, depth: usize, errors: &mut Vec<SourceError>) {
        if !is_entered(name) || depth == 0 {
            return;
        }
        let path = join(&self.path, name);
        if is_link {
            self.skipped.push(Skipped { path, why: "a symbolic link to a directory is not followed".into() });
            return;
        }
        let Some(here) = self.places.first() else { return };
        let place = Place { disk: here.disk.join(name), ..here.clone() };
        self.directories.push(list(place, path, depth - 1, errors));
    }

    fn hold(&mut self, name: String, content: Content) {
        let path = join(&self.path, &name);
        let Some(place) = self.places.first() else { return };
        let repo_path = below_repository(place, &name).unwrap_or_else(|| path.clone());
        let disk = place.disk.join(&name);
        self.files.push(FileEntry { name, path, repo_path, disk, content, loaded: Arc::default() });
    }
}

/// A shown path below the root of the repository around it; the path itself where there is no repository. What it names need not
/// be there any more.
pub fn in_repository(path: &str) -> String {
    let disk = resolved(Path::new(path));
    let below = repository(&disk).and_then(|root| disk.strip_prefix(root).ok());
    below.map_or_else(|| path.to_owned(), parts_joined)
}

/// The root of the repository around a path, without links. What the path names need not be there.
pub fn repository_around(path: &Path) -> Option<PathBuf> {
    repository(&resolved(path)).map(Path::to_path_buf)
}

fn repository(disk: &Path) -> Option<&Path> {
    disk.ancestors().find(|above| above.join(".git").exists())
}

fn parts_joined(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn below_repository(place: &Place, name: &str) -> Option<String> {
    let root = place.repository.as_deref()?;
    let below = place.disk.join(name);
    let below = below.strip_prefix(root).ok()?;
    Some(parts_joined(below))
}

impl FileEntry {
    /// A file that was read already: standard input, or a lone file.
    pub fn of_source(name: &str, source: Arc<SourceFile>) -> FileEntry {
        let loaded = Arc::new(OnceLock::new());
        let (path, repo_path) = (source.path.clone(), source.repo_path.clone());
        // The cell is new, so the value always goes in.
        let _ = loaded.set(Loaded { source, failure: None });
        FileEntry { name: name.into(), path, repo_path, disk: PathBuf::new(), content: Content::Disk, loaded }
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

    /// True for the file at this place, on disk or where it would be.
    pub fn is_at(&self, disk: &Path) -> bool {
        self.disk == disk
    }

    fn loaded(&self) -> &Loaded {
        self.loaded.get_or_init(|| {
            let read = match &self.content {
                Content::Disk => std::fs::read(&self.disk).map_err(|error| error.to_string()),
                Content::Git(snapshot, file) => snapshot.read(file),
                Content::Missing(why) => Err(why.clone()),
            };
            let (bytes, failure) = match read {
                Ok(bytes) => (bytes, None),
                Err(why) => (Vec::new(), Some(why)),
            };
            let source = SourceFile { path: self.path.clone(), repo_path: self.repo_path.clone(), bytes };
            Loaded { source: Arc::new(source), failure }
        })
    }
}
