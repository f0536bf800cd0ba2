//! Where a PostgreSQL installation keeps its programs.

use super::ServerError;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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
    /// The programs in `explicit`, else those on `path` (the value of `PATH`), else the newest of the places packages use. With a
    /// `major` version (15, 17) the first of them that is of that version.
    ///
    /// Fails when `explicit` lacks one of them or is of another version: what the user named is never replaced.
    pub fn find(explicit: Option<&Path>, major: Option<u32>, path: Option<&OsStr>) -> Result<Binaries, ServerError> {
        let on_path: Vec<PathBuf> = path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
        let found = match explicit {
            Some(directory) => vec![Binaries::in_directory(directory)?],
            None => on_path.iter().chain(&packaged()).filter_map(|directory| Binaries::in_directory(directory).ok()).collect(),
        };
        let searched = explicit.map_or_else(places, |directory| directory.display().to_string());
        let Some(wanted) = major else {
            return found.into_iter().next().ok_or(ServerError::NotFound { searched });
        };
        let mut others = Vec::new();
        for binaries in found {
            let version = binaries.version()?;
            if major_of(&version) == Some(wanted) {
                return Ok(binaries);
            }
            others.push(format!("{version} in {}", binaries.directory().display()));
        }
        if others.is_empty() {
            return Err(ServerError::NotFound { searched });
        }
        Err(ServerError::NoSuchVersion { wanted, found: others.join(", "), searched })
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

    /// The directory of the programs.
    pub fn directory(&self) -> &Path {
        self.postgres.parent().unwrap_or(&self.postgres)
    }

    /// What the server says of its version: `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    ///
    /// Fails when it does not run.
    pub fn version(&self) -> Result<String, ServerError> {
        let failed = |source| ServerError::Io { action: "run", path: self.postgres.clone(), source };
        let output = Command::new(&self.postgres).arg("--version").stdin(Stdio::null()).output().map_err(failed)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Err(failed(std::io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned())))
    }
}

/// 15 of `postgres (PostgreSQL) 15.18 (Debian …)`, 19 of `postgres (PostgreSQL) 19devel`.
fn major_of(version: &str) -> Option<u32> {
    let number = version.split(") ").nth(1)?;
    number.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// All that is looked through, for messages.
pub(super) fn places() -> String {
    VERSIONED.iter().fold("PATH".to_owned(), |places, (root, prefix, leaf)| format!("{places}, {root}/{prefix}*/{leaf}"))
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
    use std::os::unix::fs::PermissionsExt;

    /// Programs that say this version.
    fn installation(version: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for name in ["initdb", "postgres"] {
            let program = directory.path().join(name);
            std::fs::write(&program, format!("#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        directory
    }

    #[test]
    fn a_named_directory_without_the_programs_is_an_error_and_not_another_version() {
        let empty = tempfile::tempdir().unwrap();
        let answer = Binaries::find(Some(empty.path()), None, std::env::var_os("PATH").as_deref());
        assert!(matches!(answer, Err(ServerError::Incomplete { program: "initdb", .. })), "{answer:?}");
    }

    #[test]
    fn programs_on_the_path_are_found_before_packaged_ones() {
        let directory = installation("15.1");
        let found = Binaries::find(None, None, Some(directory.path().as_os_str())).unwrap();
        assert_eq!(found.initdb, directory.path().join("initdb"));
    }

    #[test]
    fn a_version_is_found_behind_another_one() {
        let (first, second) = (installation("11.2"), installation("99beta1"));
        let path = std::env::join_paths([first.path(), second.path()]).unwrap();
        let found = Binaries::find(None, Some(99), Some(&path)).unwrap();
        assert_eq!(found.directory(), second.path());
    }

    #[test]
    fn a_version_that_is_not_there_is_told_with_those_that_are() {
        let directory = installation("11.2 (Debian 11.2-1)");
        let message = Binaries::find(None, Some(98), Some(directory.path().as_os_str())).unwrap_err().to_string();
        assert!(message.contains("98") && message.contains("11.2 (Debian 11.2-1)"), "{message}");
        let named = Binaries::find(Some(directory.path()), Some(98), None).unwrap_err().to_string();
        assert!(named.contains(&directory.path().display().to_string()), "{named}");
    }
}
