//! What earlier moments held: the manifest that there is, and the history at the commits that were asked for.

use super::Scope;
use super::error::ReleaseError;
use super::manifest::{self, Manifest};
use super::standing::Asked;
use super::then::{self, Then};
use crate::config::ReleaseSettings;
use crate::source::git::{Commit, Repository};
use crate::source::{History, join, resolved};
use std::path::{Path, PathBuf};

/// The history at the commits that were asked for.
#[derive(Default)]
pub(super) struct Pasts {
    pub list: Vec<Past>,
    /// What came to the refs since HEAD left them, which may sort after what is pending here.
    pub tips: Vec<Tip>,
    /// What is being merged into HEAD: it only says what is new in neither.
    pub merged: Vec<Then>,
    /// True before the first commit: everything that is staged is new.
    pub unborn: bool,
}

/// A ref as it is now.
pub(super) struct Tip {
    pub name: String,
    pub then: Then,
    /// Where in the list the commit is at which HEAD left it.
    pub parted: usize,
}

pub(super) struct Past {
    pub then: Then,
    /// True where it says what is released.
    pub is_source: bool,
    /// True where it says what changed.
    pub is_scope: bool,
    /// True where it is what others base their work on.
    pub is_base: bool,
}

impl Pasts {
    pub fn read(history: &History, asked: &Asked<'_>, has_manifest: bool) -> Result<Pasts, ReleaseError> {
        let ReleaseSettings { base, tags, through, .. } = asked.settings;
        let mut pasts = Pasts::default();
        if *asked.scope == Scope::All && base.is_none() && tags.is_none() {
            return Ok(pasts);
        }
        let repository = Repository::around(&history.path, asked.environment)?;
        let then = |commit: &Commit| Then::read(&repository, commit, history, asked.request);
        if let Some(pattern) = tags {
            let commit = repository.newest_tag(pattern)?;
            pasts.list.push(Past { then: then(&commit)?, is_source: true, is_scope: false, is_base: false });
        }
        let since = if let Scope::Since(name) = asked.scope { Some(name) } else { None };
        let alone = !has_manifest && base.is_none() && tags.is_none() && through.is_none();
        for (name, is_source, is_scope) in [(base.as_ref(), true, since == base.as_ref()), (since, alone, true)] {
            let Some(name) = name else { continue };
            if is_scope && pasts.list.iter().any(|past| past.is_scope) {
                continue;
            }
            let (tip, parted) = then::base(&repository, name)?;
            pasts.list.push(Past { then: then(&parted)?, is_source, is_scope, is_base: true });
            if !tip.is_same(&parted) {
                pasts.tips.push(Tip { name: name.clone(), then: then(&tip)?, parted: pasts.list.len() - 1 });
            }
        }
        if *asked.scope == Scope::Staged {
            match repository.head()? {
                Some(head) => {
                    pasts.list.push(Past { then: then(&head)?, is_source: false, is_scope: true, is_base: false });
                    // What the other side of a merge brings was judged when it was committed there.
                    for other in repository.merging()? {
                        pasts.merged.push(then(&other)?);
                    }
                }
                None => pasts.unborn = true,
            }
        }
        Ok(pasts)
    }
}

/// A manifest, and the directory that its names are relative to.
pub(super) struct Found {
    pub manifest: Manifest,
    pub directory: PathBuf,
    pub place: PathBuf,
}

impl Found {
    /// The manifest that the settings name, or the one in the history's directory.
    pub fn read(history: &History, asked: &Asked<'_>) -> Result<Option<Found>, ReleaseError> {
        let (path, is_asked_for) = match &asked.settings.manifest {
            Some(path) => (path.to_string_lossy().into_owned(), true),
            None if history.whole => (join(&history.path, manifest::FILE_NAME), false),
            None => return Ok(None),
        };
        let place = resolved(Path::new(&path));
        let origin = &asked.request.origin;
        let unreadable = |cause| ReleaseError::ManifestUnreadable { path: path.clone(), cause };
        if origin.kind(&place).map_err(unreadable)?.is_none() {
            return if is_asked_for { Err(ReleaseError::ManifestMissing { path }) } else { Ok(None) };
        }
        let unreadable = |cause| ReleaseError::ManifestUnreadable { path: path.clone(), cause };
        let bytes = origin.read(&place).map_err(unreadable)?;
        let directory = place.parent().unwrap_or(&place).to_path_buf();
        Ok(Some(Found { manifest: Manifest::read(&path, &bytes)?, directory, place }))
    }
}
