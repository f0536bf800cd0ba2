//! Directories that are provably ours, and whether whoever made them is still there.
//!
//! A file in the directory says what it is, and a lock on that file is held by the process that works there and by its watchdog. The
//! kernel releases it when both are dead, however they died. Who can take the lock may therefore remove the directory: nobody
//! misses it. A directory without such a file, of another user, or with another text is never touched.

use rustix::fs::{FlockOperation, OFlags, flock};
use std::fs::{File, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const MARKER: &str = "owner";
const TEXT: &str = "A directory of phasegate. It may be removed once no process holds the lock on this file.\n";

/// A new directory that nobody else uses. Dropping it releases the claim; it does not remove the directory.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    lock: File,
}

impl Claim {
    /// Makes a directory in `parent` whose name begins with `prefix`, for us alone.
    pub(super) fn new(parent: &Path, prefix: &str) -> std::io::Result<Claim> {
        let directory = tempfile::Builder::new().prefix(prefix).permissions(Permissions::from_mode(0o700)).tempdir_in(parent)?;
        let mut lock = File::options().write(true).create_new(true).mode(0o600).open(directory.path().join(MARKER))?;
        // The text comes after the lock: a file without it is no claim that anybody would take over.
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        lock.write_all(TEXT.as_bytes())?;
        Ok(Claim { path: directory.keep(), lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory is nobody's any more: it stays until somebody removes it by hand.
    pub(super) fn give_up(&self) -> std::io::Result<()> {
        std::fs::remove_file(self.path.join(MARKER))
    }

    /// For a process that holds the claim with us.
    pub(super) fn shared(&self) -> std::io::Result<File> {
        self.lock.try_clone()
    }
}

/// The claims in `parent` whose holders are dead. They are ours from here on.
pub(super) fn orphans(parent: &Path, prefix: &str) -> Vec<Claim> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(prefix)))
        .filter_map(|entry| take_over(entry.path()))
        .collect()
}

/// The claim on a directory whose holders are dead; `None` where it is held or is no claim of ours.
pub(super) fn take_over(path: PathBuf) -> Option<Claim> {
    let ourselves = rustix::process::geteuid().as_raw();
    let directory = std::fs::symlink_metadata(&path).ok()?;
    if !directory.is_dir() || directory.uid() != ourselves || directory.mode() & 0o022 != 0 {
        return None;
    }
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut lock = File::options().read(true).write(true).custom_flags(flags).open(path.join(MARKER)).ok()?;
    let file = lock.metadata().ok()?;
    if !file.is_file() || file.uid() != ourselves || file.len() != TEXT.len() as u64 {
        return None;
    }
    flock(&lock, FlockOperation::NonBlockingLockExclusive).ok()?;
    let mut text = String::new();
    lock.read_to_string(&mut text).ok()?;
    (text == TEXT).then_some(Claim { path, lock })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_an_orphan_only_once_nobody_holds_it() {
        let parent = tempfile::tempdir().unwrap();
        let claim = Claim::new(parent.path(), "claimed-").unwrap();
        let path = claim.path().to_owned();
        assert!(orphans(parent.path(), "claimed-").is_empty());
        let shared = claim.shared().unwrap();
        drop(claim);
        assert!(orphans(parent.path(), "claimed-").is_empty(), "the watchdog still holds it");
        drop(shared);
        let found = orphans(parent.path(), "claimed-");
        assert_eq!(found.iter().map(Claim::path).collect::<Vec<_>>(), [path]);
        assert!(orphans(parent.path(), "claimed-").is_empty(), "whoever found it holds it");
    }

    #[test]
    fn what_is_not_provably_ours_is_no_orphan() {
        let parent = tempfile::tempdir().unwrap();
        let directory = |name: &str| {
            let path = parent.path().join(name);
            std::fs::create_dir(&path).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
            path
        };
        directory("claimed-no-marker");
        std::fs::write(directory("claimed-other-text").join(MARKER), TEXT.replace("phasegate", "somebody")).unwrap();
        let open = directory("claimed-open");
        std::fs::write(open.join(MARKER), TEXT).unwrap();
        std::fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
        std::fs::write(parent.path().join("text"), TEXT).unwrap();
        std::os::unix::fs::symlink(parent.path().join("text"), directory("claimed-link").join(MARKER)).unwrap();
        std::fs::write(directory("other").join(MARKER), TEXT).unwrap();
        std::os::unix::fs::symlink(parent.path().join("other"), parent.path().join("claimed-elsewhere")).unwrap();
        assert!(orphans(parent.path(), "claimed-").is_empty());
        // The same with everything right.
        std::fs::write(directory("claimed-right").join(MARKER), TEXT).unwrap();
        assert_eq!(orphans(parent.path(), "claimed-").len(), 1);
    }
}
