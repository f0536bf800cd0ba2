//! Where `phasegate.toml` lies: in the directory of the PATH or above it, up to the repository's root; without a repository up to
//! the file system's.

use super::FILE_NAME;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

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
