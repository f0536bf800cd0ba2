//! The files of a commit or of the index, listed and read like a directory.

use super::{GitError, Pointer, Repository, one_line};
use crate::source::path::join;
use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::index::entry::{Flags, Mode, Stage};
use gix::objs::tree::EntryKind;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Links that lead to links that lead to links are somebody's joke.
const MOST_LINKS: usize = 16;

/// What a commit or the index holds. Paths are below the repository's top, `/` between parts, empty for the top.
#[derive(Debug)]
pub struct Snapshot {
    repository: Arc<Repository>,
    files: Files,
    /// For people: `the index`, `tag v1.2 (1a2b3c4d5e6f)`.
    pub name: String,
}

#[derive(Debug)]
enum Files {
    /// Directories are looked up as they are asked for.
    Tree(ObjectId),
    /// Everything by its path; directories are what paths have in common.
    Index(BTreeMap<BString, Staged>),
}

#[derive(Clone, Copy, Debug)]
struct Staged {
    kind: ChildKind,
    id: ObjectId,
}

/// Something in a directory of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    pub name: String,
    pub kind: ChildKind,
    id: ObjectId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildKind {
    File,
    Link,
    Directory,
    Submodule,
    /// A file with several versions in the index, until somebody resolves the conflict.
    Conflict,
}

impl Repository {
    /// The index, as it would be committed. `git add --intent-to-add` adds nothing to it yet.
    pub fn index(self: &Arc<Self>) -> Result<Snapshot, GitError> {
        let unreadable =
            |error: gix::Error| GitError::Index { path: self.index_file.display().to_string(), cause: one_line(&error) };
        let hash = self.git().object_hash();
        // No index file is an empty index, as for git.
        let index = gix::index::File::at_or_default(&self.index_file, hash, false, Default::default()).map_err(unreadable)?;
        let mut files = BTreeMap::new();
        for entry in index.entries() {
            if entry.flags.contains(Flags::INTENT_TO_ADD) {
                continue;
            }
            let path = entry.path(&index);
            if entry.mode.is_sparse() {
                self.expand(path, entry.id, &mut files)?;
                continue;
            }
            let kind = match entry.stage() {
                Stage::Base | Stage::Ours | Stage::Theirs => ChildKind::Conflict,
                Stage::Unconflicted if entry.mode.is_submodule() => ChildKind::Submodule,
                Stage::Unconflicted if entry.mode == Mode::SYMLINK => ChildKind::Link,
                Stage::Unconflicted => ChildKind::File,
            };
            files.insert(path.to_owned(), Staged { kind, id: entry.id });
        }
        Ok(Snapshot { repository: Arc::clone(self), files: Files::Index(files), name: "the index".to_string() })
    }

    /// A directory that a sparse checkout leaves out stands in a sparse index as one entry.
    fn expand(&self, directory: &BStr, tree: ObjectId, files: &mut BTreeMap<BString, Staged>) -> Result<(), GitError> {
        let directory = directory.strip_suffix(b"/").unwrap_or(directory).as_bstr();
        for child in self.children_of_tree(tree, &directory.to_str_lossy())? {
            let path = BString::from(join(&directory.to_str_lossy(), &child.name));
            match child.kind {
                ChildKind::Directory => self.expand(path.as_bstr(), child.id, files)?,
                kind => drop(files.insert(path, Staged { kind, id: child.id })),
            }
        }
        Ok(())
    }

    fn children_of_tree(&self, tree: ObjectId, path: &str) -> Result<Vec<Child>, GitError> {
        let unreadable = |error: gix::Error| GitError::Object { what: format!("directory {path}"), cause: one_line(&error) };
        let git = self.git();
        let tree = git.find_tree(tree).map_err(unreadable)?;
        let mut children = Vec::new();
        for entry in tree.iter() {
            let entry = entry.map_err(unreadable)?;
            let kind = match entry.mode().kind() {
                EntryKind::Tree => ChildKind::Directory,
                EntryKind::Commit => ChildKind::Submodule,
                EntryKind::Link => ChildKind::Link,
                EntryKind::Blob | EntryKind::BlobExecutable => ChildKind::File,
            };
            children.push(Child { name: entry.filename().to_str_lossy().into_owned(), kind, id: entry.object_id() });
        }
        Ok(children)
    }
}

impl Snapshot {
    pub(super) fn of_tree(repository: Arc<Repository>, tree: ObjectId, name: String) -> Snapshot {
        Snapshot { repository, files: Files::Tree(tree), name }
    }

    pub fn repository(&self) -> &Arc<Repository> {
        &self.repository
    }

    /// What lies in a directory, by name. Empty where there is no such directory.
    pub fn children(&self, directory: &str) -> Result<Vec<Child>, GitError> {
        match &self.files {
            Files::Tree(root) => match self.tree_at(*root, directory)? {
                Some(tree) => {
                    let mut children = self.repository.children_of_tree(tree, directory)?;
                    // Git orders directories as if their names ended in a slash.
                    children.sort_by(|a, b| a.name.cmp(&b.name));
                    Ok(children)
                }
                None => Ok(Vec::new()),
            },
            Files::Index(files) => Ok(children_of_index(files, directory)),
        }
    }

    /// What is at a path; none where nothing is. Links are not followed.
    pub fn at(&self, path: &str) -> Result<Option<Child>, GitError> {
        let Some(name) = path.rsplit('/').next().filter(|name| !name.is_empty()) else {
            let id = ObjectId::null(gix::hash::Kind::Sha1);
            return Ok(Some(Child { name: String::new(), kind: ChildKind::Directory, id }));
        };
        match &self.files {
            Files::Tree(_) => {
                let parent = path.strip_suffix(name).unwrap_or_default().trim_end_matches('/');
                Ok(self.children(parent)?.into_iter().find(|child| child.name == name))
            }
            Files::Index(files) => {
                let name = name.to_string();
                if let Some(Staged { kind, id }) = files.get(BStr::new(path)) {
                    return Ok(Some(Child { name, kind: *kind, id: *id }));
                }
                let id = ObjectId::null(gix::hash::Kind::Sha1);
                let is_directory = !children_of_index(files, path).is_empty();
                Ok(is_directory.then_some(Child { name, kind: ChildKind::Directory, id }))
            }
        }
    }

    /// What is at a path after its links are followed, with the path that they lead to. An error is a sentence for people.
    pub fn followed(&self, path: &str) -> Result<Option<(String, Child)>, String> {
        let mut path = path.to_string();
        for _ in 0..MOST_LINKS {
            let Some(child) = self.at(&path).map_err(|error| error.to_string())? else { return Ok(None) };
            if child.kind != ChildKind::Link {
                return Ok(Some((path, child)));
            }
            let target = self.blob(child.id)?;
            let target = target.to_str_lossy();
            let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
            path = beside(parent, &target).ok_or_else(|| format!("a symbolic link out of the repository, to {target}"))?;
        }
        Err("symbolic links that lead in a circle".to_string())
    }

    /// The bytes of a file. What Git LFS keeps elsewhere is read from there. An error is a sentence for people.
    pub fn read(&self, file: &Child) -> Result<Vec<u8>, String> {
        if file.kind == ChildKind::Conflict {
            return Err("it is in conflict: resolve it and `git add` it".to_string());
        }
        let bytes = self.blob(file.id)?;
        let Some(pointer) = Pointer::read(&bytes) else { return Ok(bytes) };
        let stored = pointer.stored_at(self.repository.git().common_dir());
        std::fs::read(stored).map_err(|_| "Git LFS keeps it elsewhere and it is not here: `git lfs fetch` gets it".to_string())
    }

    fn blob(&self, id: ObjectId) -> Result<Vec<u8>, String> {
        let git = self.repository.git();
        let found = git.find_blob(id);
        found.map(|mut blob| blob.take_data()).map_err(|error| {
            let help = "`git fsck` says what is missing; a partial clone gets it with `git fetch --refetch --no-filter`";
            format!("the repository does not give it out: {}; {help}", one_line(&error))
        })
    }

    fn tree_at(&self, root: ObjectId, directory: &str) -> Result<Option<ObjectId>, GitError> {
        let mut tree = root;
        let mut path = String::new();
        for part in directory.split('/').filter(|part| !part.is_empty()) {
            let children = self.repository.children_of_tree(tree, &path)?;
            match children.into_iter().find(|child| child.name == part && child.kind == ChildKind::Directory) {
                Some(below) => tree = below.id,
                None => return Ok(None),
            }
            path = join(&path, part);
        }
        Ok(Some(tree))
    }
}

fn children_of_index(files: &BTreeMap<BString, Staged>, directory: &str) -> Vec<Child> {
    let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
    let mut children: BTreeMap<String, Child> = BTreeMap::new();
    let below = files.range(BString::from(prefix.as_str())..).take_while(|(path, _)| path.starts_with(prefix.as_bytes()));
    for (path, staged) in below {
        let rest = path[prefix.len()..].to_str_lossy();
        let (name, kind) = match rest.split_once('/') {
            Some((first, _)) => (first.to_string(), ChildKind::Directory),
            None => (rest.into_owned(), staged.kind),
        };
        children.entry(name.clone()).or_insert(Child { name, kind, id: staged.id });
    }
    children.into_values().collect()
}

/// A path relative to a directory, without `.` and `..`. `None` where it leads out of the repository.
fn beside(directory: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
