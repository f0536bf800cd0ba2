//! What git knows: commits, the index, what either of them held.
//!
//! Nothing is written, no hook and no filter is run, and no configuration but the repository's own is read, so that a repository
//! that belongs to another user (a CI container's checkout) can be read like any other. Of the environment only what a hook is
//! given counts, as [`GitEnvironment`] hands it in.
//!
//! Objects are compared and shown as they are stored: line endings are the business of who compares
//! ([`crate::source::compare`]), and what Git LFS keeps elsewhere is fetched from its local store ([`pointer`]).

mod changes;
mod commit;
mod error;
mod pointer;
mod release_tag;
mod snapshot;

pub use commit::Commit;
pub use error::GitError;
pub use pointer::Pointer;
pub use snapshot::{Child, ChildKind, Snapshot};

use crate::source::path::resolved;
use gix::discover::upwards;
use gix::sec::trust::Mapping;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What git tells its hooks: `GIT_DIR`, `GIT_WORK_TREE`, `GIT_INDEX_FILE`. Relative paths count from `current_dir`, but for the
/// index, which counts from the top of the work tree (git changes there first).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitEnvironment {
    pub git_dir: Option<PathBuf>,
    pub work_tree: Option<PathBuf>,
    pub index_file: Option<PathBuf>,
    /// Absolute; empty where nobody needs it.
    pub current_dir: PathBuf,
}

/// A repository with its work tree: a clone, a linked worktree or a submodule.
pub struct Repository {
    inner: Mutex<gix::Repository>,
    /// Absolute, without symbolic links.
    work_tree: PathBuf,
    index_file: PathBuf,
    /// For messages: the path that asked for it.
    asked: String,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository").field("work_tree", &self.work_tree).finish_non_exhaustive()
    }
}

impl Repository {
    /// The repository around a path, shown as `asked`. The path need not exist: what was deleted still has a history.
    ///
    /// `GIT_DIR` wins over discovery, as for git, unless the path lies in a repository of its own below that one's work tree: a
    /// submodule that a hook of the outer repository looks into.
    pub fn around(asked: &str, environment: &GitEnvironment) -> Result<Arc<Repository>, GitError> {
        let place = resolved(Path::new(asked));
        let found = discover(&place, asked);
        let Some(git_dir) = &environment.git_dir else {
            let found = found?;
            let own = environment.index_file.is_some()
                && discover(&environment.current_dir, asked).is_ok_and(|here| here.git_dir() == found.git_dir());
            return Self::new(found, asked, None, environment.index_file.as_deref().filter(|_| own));
        };
        let given = open(&environment.current_dir.join(git_dir), asked)?;
        let work_tree = match &environment.work_tree {
            Some(work_tree) => environment.current_dir.join(work_tree),
            // Without one, git takes where it stands for the top of it; a linked worktree and a submodule know better.
            None => match given.workdir() {
                Some(known) if !is_bare(&given) => known.to_path_buf(),
                _ => environment.current_dir.clone(),
            },
        };
        let work_tree = resolved(&work_tree);
        let inside = found.ok().filter(|found| {
            found.git_dir() != given.git_dir()
                && found.workdir().is_some_and(|below| {
                    let below = resolved(below);
                    below != work_tree && below.starts_with(&work_tree)
                })
        });
        match inside {
            Some(inside) => Self::new(inside, asked, None, None),
            None if place.starts_with(&work_tree) => Self::new(given, asked, Some(work_tree), environment.index_file.as_deref()),
            None => Err(GitError::Outside { path: asked.to_string(), work_tree: work_tree.display().to_string() }),
        }
    }

    fn new(
        inner: gix::Repository,
        asked: &str,
        work_tree: Option<PathBuf>,
        index_file: Option<&Path>,
    ) -> Result<Arc<Repository>, GitError> {
        let work_tree = match (work_tree, inner.workdir()) {
            (Some(work_tree), _) => work_tree,
            (None, Some(work_tree)) => resolved(work_tree),
            (None, None) => return Err(GitError::Bare { path: asked.to_string() }),
        };
        let index_file = index_file.map_or_else(|| inner.index_path(), |file| work_tree.join(file));
        Ok(Arc::new(Repository { inner: Mutex::new(inner), work_tree, index_file, asked: asked.to_string() }))
    }

    /// Top of the work tree, absolute and without symbolic links.
    pub fn work_tree(&self) -> &Path {
        &self.work_tree
    }

    /// An absolute path as the repository spells it: below its top, `/` between parts, empty for the top itself. `None` for what
    /// lies outside.
    pub fn below(&self, place: &Path) -> Option<String> {
        let below = place.strip_prefix(&self.work_tree).ok()?;
        let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        Some(parts.join("/"))
    }

    /// True for a clone without its whole history: what is not in it is unknown, not absent.
    pub fn is_shallow(&self) -> bool {
        self.git().is_shallow().unwrap_or(true)
    }

    /// Reading changes nothing that another thread could find half done.
    fn git(&self) -> MutexGuard<'_, gix::Repository> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_bare(repository: &gix::Repository) -> bool {
    repository.workdir().is_none()
}

fn discover(place: &Path, asked: &str) -> Result<gix::Repository, GitError> {
    let existing = place.ancestors().find(|ancestor| ancestor.is_dir()).unwrap_or(place);
    let isolated = gix::open::Options::isolated;
    let trust = Mapping { full: isolated(), reduced: isolated() };
    let found = gix::ThreadSafeRepository::discover_opts(existing, upwards::Options::default(), trust);
    match found {
        Ok(found) => Ok(found.to_thread_local()),
        Err(error) => Err(if gix::discover::upwards(existing).is_err() {
            GitError::NotARepository { path: asked.to_string() }
        } else {
            GitError::Open { path: asked.to_string(), cause: one_line(&error) }
        }),
    }
}

fn open(git_dir: &Path, asked: &str) -> Result<gix::Repository, GitError> {
    let opened = gix::open_opts(git_dir, gix::open::Options::isolated());
    opened.map_err(|error| GitError::Open {
        path: asked.to_string(),
        cause: format!("GIT_DIR is {}: {}", git_dir.display(), one_line(&error)),
    })
}

/// The first line of an error: what follows is a chain of causes, one a line.
fn one_line(error: &gix::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_string()
}
