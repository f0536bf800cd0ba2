//! Where `phasegate.toml` lies: in the directory of the PATH or above it, up to the repository's root; without a repository up to
//! the file system's.

use super::FILE_NAME;
use crate::source::{DEPTH, is_entered};
use std::path::{Path, PathBuf};

/// The nearest configuration of an existing file or directory. `disk` has no links in it.
pub fn nearest(disk: &Path) -> Option<PathBuf> {
    let start = if disk.is_dir() { disk } else { disk.parent()? };
    let mut inside = true;
    let below_root = start.ancestors().take_while(|directory| {
        let was_inside = inside;
        inside = !directory.join(".git").exists();
        was_inside
    });
    below_root.map(|directory| directory.join(FILE_NAME)).find(|file| file.is_file())
}

/// Directories below this one that have a configuration of their own, and are below no other that has. Those that are never listed
/// for migrations are not entered either.
pub fn below(disk: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut walk = walkdir::WalkDir::new(disk).min_depth(1).max_depth(DEPTH).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        // What cannot be listed is said by the room that lists it for migrations.
        let Ok(entry) = entry else { continue };
        if !entry.file_type().is_dir() {
            continue;
        }
        if !is_entered(&entry.file_name().to_string_lossy()) {
            walk.skip_current_dir();
        } else if entry.path().join(FILE_NAME).is_file() {
            found.push(entry.into_path());
            walk.skip_current_dir();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn configurations_below_are_found_once_and_not_in_other_peoples_files() {
        let directory = tempfile::tempdir().unwrap();
        let disk = directory.path().canonicalize().unwrap();
        for inside in ["a/b", "c", ".hidden", "node_modules/x", "."] {
            fs::create_dir_all(disk.join(inside)).unwrap();
            fs::write(disk.join(inside).join(FILE_NAME), "").unwrap();
        }
        fs::create_dir_all(disk.join("c/below")).unwrap();
        fs::write(disk.join("c/below").join(FILE_NAME), "").unwrap();
        assert_eq!(below(&disk), [disk.join("a/b"), disk.join("c")]);
    }

    #[test]
    fn the_search_ends_at_the_repository() {
        let outer = tempfile::tempdir().unwrap();
        let disk = outer.path().canonicalize().unwrap();
        let repository = disk.join("repository");
        let below = repository.join("db/migrations");
        fs::create_dir_all(&below).unwrap();
        fs::create_dir(repository.join(".git")).unwrap();
        fs::write(disk.join(FILE_NAME), "").unwrap();
        fs::write(below.join("0001.sql"), "").unwrap();
        assert_eq!(nearest(&below), None, "what lies above the repository is somebody else's");
        fs::write(repository.join(FILE_NAME), "").unwrap();
        assert_eq!(nearest(&below), Some(repository.join(FILE_NAME)));
        assert_eq!(nearest(&below.join("0001.sql")), Some(repository.join(FILE_NAME)));
        fs::write(below.join(FILE_NAME), "").unwrap();
        assert_eq!(nearest(&below.join("0001.sql")), Some(below.join(FILE_NAME)), "the nearest one wins");
    }
}
