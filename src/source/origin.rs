//! Where files are read from: the disk, git's index, or what a commit held. What a layout sees is the same for each.

use crate::source::git::{ChildKind, Snapshot};
use crate::source::name;
use std::path::Path;
use std::sync::Arc;

/// Where files are read from. Places are absolute paths, in git as they would be in the work tree.
#[derive(Clone, Debug, Default)]
pub enum Origin {
    #[default]
    Disk,
    Git(Arc<Snapshot>),
}

/// What is at a place, links followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    Directory,
    File,
}

impl Origin {
    /// What is at a place; none where nothing is. An error is a sentence for people.
    pub fn kind(&self, place: &Path) -> Result<Option<PlaceKind>, String> {
        match self {
            Origin::Disk => match std::fs::metadata(place) {
                Ok(metadata) if metadata.is_dir() => Ok(Some(PlaceKind::Directory)),
                Ok(_) => Ok(Some(PlaceKind::File)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error.to_string()),
            },
            Origin::Git(snapshot) => {
                let Some(path) = snapshot.repository().below(place) else {
                    let work_tree = snapshot.repository().work_tree().display();
                    return Err(format!("it lies outside of {work_tree}"));
                };
                match snapshot.followed(&path)? {
                    None => Ok(None),
                    Some((_, child)) => match child.kind {
                        ChildKind::Directory => Ok(Some(PlaceKind::Directory)),
                        ChildKind::Submodule => Err("it is a submodule, a repository of its own: give a path in it".to_string()),
                        ChildKind::File | ChildKind::Link | ChildKind::Conflict => Ok(Some(PlaceKind::File)),
                    },
                }
            }
        }
    }

    /// The bytes of the file at a place. An error is a sentence for people.
    pub fn read(&self, place: &Path) -> Result<Vec<u8>, String> {
        match self {
            Origin::Disk => std::fs::read(place).map_err(|error| error.to_string()),
            Origin::Git(snapshot) => {
                let path = snapshot.repository().below(place);
                match path.map(|path| snapshot.followed(&path)).transpose()?.flatten() {
                    Some((_, child)) => snapshot.read(&child),
                    None => Err(format!("it is not in {}", snapshot.name)),
                }
            }
        }
    }

    /// True where the index and HEAD hold the same SQL below a place: a commit brings no migration there, and takes none away. False
    /// for what is not the index, and where git cannot say.
    pub fn commits_no_sql(&self, place: &Path) -> bool {
        let Origin::Git(index) = self else { return false };
        let repository = index.repository();
        let Some(directory) = repository.below(place) else { return false };
        let same = repository.head().and_then(|head| {
            let head = head.map(|head| repository.snapshot(&head)).transpose()?;
            index.holds_the_same_below(head.as_ref(), &directory, &name::looks_like_sql)
        });
        same.unwrap_or(false)
    }

    /// For people: where something was looked for.
    pub fn name(&self) -> &str {
        match self {
            Origin::Disk => "the directory",
            Origin::Git(snapshot) => &snapshot.name,
        }
    }
}
