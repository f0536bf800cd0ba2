//! Files beside the migrations that a rule wants to read: deployment scripts, whatever they are written in.

use crate::source::directory::Directory;
use crate::source::origin::{Origin, PlaceKind};
use crate::source::path::{resolved_beside, shown};
use crate::source::request::DEPTH;
use crate::source::{SourceError, SourceFile};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files that these paths name, and those below where a path names a directory, each once; and what cannot be read of them.
pub fn scripts(paths: &[PathBuf], origin: &Origin) -> (Vec<Arc<SourceFile>>, Vec<SourceError>) {
    let mut files: Vec<Arc<SourceFile>> = Vec::new();
    let mut errors = Vec::new();
    for given in paths {
        let path = shown(&given.to_string_lossy());
        let place = resolved_beside(given);
        let (directory, wanted) = match origin.kind(&place) {
            Ok(Some(PlaceKind::Directory)) => (Directory::list_in(origin, &place, &path, DEPTH, &mut errors), None),
            Ok(Some(PlaceKind::File)) => {
                let parent = Path::new(&path).parent().unwrap_or(Path::new(""));
                let above = place.parent().unwrap_or(&place);
                (Directory::list_in(origin, above, &shown(&parent.to_string_lossy()), 0, &mut errors), Some(&place))
            }
            Ok(None) => {
                errors.push(SourceError::NotFound { path, nearby: Vec::new() });
                continue;
            }
            Err(cause) => {
                errors.push(SourceError::Unreadable { path, cause });
                continue;
            }
        };
        for file in directory.files_below() {
            if wanted.is_none_or(|wanted| file.is_at(wanted)) && !files.iter().any(|known| known.path == file.path) {
                files.push(Arc::clone(file.source()));
            }
        }
        errors.extend(directory.failures());
    }
    (files, errors)
}
