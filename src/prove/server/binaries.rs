//! Where a PostgreSQL installation keeps its programs.

use super::ServerError;
use std::path::{Path, PathBuf};

/// The programs of one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    pub initdb: PathBuf,
    pub postgres: PathBuf,
}

/// Where packages put one directory per major version; the part between is the version.
const VERSIONED: [(&str, &str, &str); 4] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
];

impl Binaries {
    /// The programs in `explicit`, else those on `path` (the value of `PATH`), else the newest of the places packages use.
    ///
    /// Fails when `explicit` lacks one of them: what the user named is never replaced by another version.
    pub fn find(explicit: Option<&Path>, path: Option<&std::ffi::OsStr>) -> Result<Binaries, ServerError> {
        if let Some(directory) = explicit {
            return Binaries::in_directory(directory);
        }
        let on_path: Vec<PathBuf> = path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
        let found = on_path.iter().chain(&packaged()).find_map(|directory| Binaries::in_directory(directory).ok());
        found.ok_or_else(|| ServerError::NotFound {
            searched: VERSIONED
                .iter()
                .fold("PATH".to_owned(), |places, (root, prefix, leaf)| format!("{places}, {root}/{prefix}*/{leaf}")),
        })
    }

    fn in_directory(directory: &Path) -> Result<Binaries, ServerError> {
        let program = |name: &'static str| {
            let file = directory.join(name);
            if file.is_file() {
                Ok(file)
            } else {
                Err(ServerError::Incomplete { directory: directory.to_owned(), program: name })
            }
        };
        Ok(Binaries { initdb: program("initdb")?, postgres: program("postgres")? })
    }
}

/// Directories of packaged installations, newest version first.
fn packaged() -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for (root, prefix, leaf) in VERSIONED {
        let Ok(entries) = std::fs::read_dir(root) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if let Some(version) = name.to_str().and_then(|name| name.strip_prefix(prefix)).and_then(|rest| rest.parse().ok()) {
                found.push((version, entry.path().join(leaf)));
            }
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, directory)| directory).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_directory_without_the_programs_is_an_error_and_not_another_version() {
        let empty = tempfile::tempdir().unwrap();
        let answer = Binaries::find(Some(empty.path()), std::env::var_os("PATH").as_deref());
        assert!(matches!(answer, Err(ServerError::Incomplete { program: "initdb", .. })), "{answer:?}");
    }

    #[test]
    fn programs_on_the_path_are_found_before_packaged_ones() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["initdb", "postgres"] {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        let found = Binaries::find(None, Some(directory.path().as_os_str())).unwrap();
        assert_eq!(found.initdb, directory.path().join("initdb"));
    }
}
