//! For a PATH that is not there: which directories around it hold migrations.

use crate::source::directory::Directory;
use crate::source::path::shown;
use crate::source::recognition;
use crate::source::scope::Scope;
use std::path::Path;

/// Deeper down is not nearby, and nobody waits for it.
const DEPTH: usize = 6;
/// Of more the number would not help.
const MOST: usize = 3;

/// Directories with migrations below the nearest directory above the path that is there, the likeliest first. Nothing above the
/// working directory is looked at: it is not the user's project.
pub(super) fn directories(path: &str) -> Vec<String> {
    let above =
        Path::new(path).ancestors().skip(1).map(|above| if above.as_os_str().is_empty() { Path::new(".") } else { above });
    let Some(above) = above.into_iter().find(|above| above.is_dir()) else { return Vec::new() };
    let is_here = std::env::current_dir()
        .and_then(|here| here.canonicalize())
        .is_ok_and(|here| above.canonicalize().is_ok_and(|above| above.starts_with(here)));
    if !is_here {
        return Vec::new();
    }
    let root = Directory::list(above, &shown(&above.to_string_lossy()), DEPTH, &mut Vec::new());
    let found = recognition::find(&root, None, &Scope::default(), &mut Vec::new());
    let mut directories: Vec<String> = found.into_iter().map(|one| one.directory.path.clone()).collect();
    let likeness = |directory: &String| (same_ending(path, directory), strsim::jaro_winkler(path, directory));
    let order = |a: &String, b: &String| {
        let ((a_ends, a_is), (b_ends, b_is)) = (likeness(a), likeness(b));
        b_ends.cmp(&a_ends).then_with(|| b_is.total_cmp(&a_is)).then_with(|| a.cmp(b))
    };
    directories.sort_by(order);
    directories.truncate(MOST);
    directories
}

/// How many parts at the end of two paths are the same.
fn same_ending(one: &str, other: &str) -> usize {
    let (one, other) = (one.trim_end_matches('/').rsplit('/'), other.trim_end_matches('/').rsplit('/'));
    one.zip(other).take_while(|(a, b)| a == b).count()
}
