//! Where accepted findings are that no setting names: beside the configuration; without one at the root of the repository around the
//! PATH; without that in the working directory.

use super::places::shown_from;
use super::plan::Planned;
use crate::baseline;
use crate::source::repository_around;
use std::path::{Path, PathBuf};

/// Says where the baseline of a plan is. A file that nobody named may be missing, and is none then.
pub fn settle(planned: &mut Planned) {
    let named = planned.request.settings.baseline.clone();
    planned.baseline = named.unwrap_or_else(|| by_default(planned));
    if planned.baseline.is_file() {
        planned.request.settings.baseline = Some(planned.baseline.clone());
    }
}

fn by_default(planned: &Planned) -> PathBuf {
    let directory = match &planned.file {
        Some(file) => Path::new(file).parent().map(Path::to_path_buf).unwrap_or_default(),
        None => {
            let path = planned.request.paths.first().map_or(Path::new("."), PathBuf::as_path);
            let place = if path == Path::new("-") { Path::new(".") } else { path };
            let root = repository_around(place).zip(place.canonicalize().ok());
            root.map(|(root, disk)| PathBuf::from(shown_from(place, &disk, &root))).unwrap_or_default()
        }
    };
    if directory == Path::new(".") { PathBuf::from(baseline::FILE_NAME) } else { directory.join(baseline::FILE_NAME) }
}
