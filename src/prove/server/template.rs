//! Data directories as `initdb` made them, kept so that the next server of the same version costs a copy.
//!
//! One per version text of the server and arguments of `initdb`, in the user's cache, readable by the user alone. A template appears
//! whole or not at all: it is moved to its place in one step. What is found there is copied only as long as it is what was put
//! there (so many files, so many bytes); anything else is replaced by whoever notices. Without a cache nothing is kept.

use super::Secret;
use super::account::{Account, hand_over};
use super::claim::{self, Claim};
use sha2::{Digest, Sha256};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Counted up when what is kept changes its form.
const FORM: &str = "1";
const NEW: &str = "new-";

/// Where a template is or would be.
#[derive(Clone, Debug)]
pub(super) struct Template {
    home: PathBuf,
    name: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Size {
    files: u64,
    bytes: u64,
}

impl Template {
    /// `None` where there is no place that is ours alone.
    pub(super) fn of(version: &str, arguments: &[String]) -> Option<Template> {
        Template::in_cache(&cache()?, version, arguments)
    }

    fn in_cache(cache: &Path, version: &str, arguments: &[String]) -> Option<Template> {
        let home = private_directory(cache)?;
        let mut hash = Sha256::new();
        for part in [FORM, version].into_iter().chain(arguments.iter().map(String::as_str)) {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let name = hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Some(Template { home, name })
    }

    /// Copies it to `target`, which does not exist yet, as the account's own files; the superuser's password in it.
    ///
    /// Fails where there is none, or not a whole one.
    pub(super) fn copy_to(&self, target: &Path, account: Option<Account>) -> Result<Secret> {
        let directory = self.home.join(&self.name);
        let note = std::fs::read_to_string(directory.join("note"))?;
        let (size, password) = parse_note(&note).ok_or_else(|| Error::from(ErrorKind::InvalidData))?;
        let copied = copy_directory(&directory.join("data"), target, account)?;
        if copied == size { Ok(password) } else { Err(Error::from(ErrorKind::InvalidData)) }
    }

    /// Keeps a copy of `data`, a cluster that is not running, in the place of whatever is there.
    pub(super) fn keep(&self, data: &Path, password: &Secret) -> Result<()> {
        // What makers left that were killed.
        for orphan in claim::orphans(&self.home, NEW) {
            let _ = std::fs::remove_dir_all(orphan.path());
        }
        let claim = Claim::new(&self.home, NEW)?;
        let kept = self.put_together(claim.path(), data, password);
        let _ = std::fs::remove_dir_all(claim.path());
        kept
    }

    fn put_together(&self, workplace: &Path, data: &Path, password: &Secret) -> Result<()> {
        let new = workplace.join("template");
        std::fs::DirBuilder::new().mode(0o700).create(&new)?;
        let size = copy_directory(data, &new.join("data"), None)?;
        let note = format!("files {}\nbytes {}\npassword {}\n", size.files, size.bytes, password.reveal());
        let mut file = std::fs::File::options().write(true).create_new(true).mode(0o600).open(new.join("note"))?;
        std::io::Write::write_all(&mut file, note.as_bytes())?;
        let place = self.home.join(&self.name);
        // A directory cannot be moved onto one that holds something. Who moves the old one away a moment before another maker does
        // finds that one's in its place: as good as ours.
        let _ = std::fs::rename(&place, workplace.join("old"));
        match std::fs::rename(&new, &place) {
            Err(_) if place.is_dir() => Ok(()),
            moved => moved,
        }
    }
}

fn parse_note(note: &str) -> Option<(Size, Secret)> {
    let value = |name: &str| note.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let size = Size { files: value("files")?.parse().ok()?, bytes: value("bytes")?.parse().ok()? };
    Some((size, Secret::new(value("password")?)))
}

/// Copies to `target`, which must not exist yet. A new cluster has regular files and directories; anything else is a mistake.
fn copy_directory(source: &Path, target: &Path, account: Option<Account>) -> Result<Size> {
    let mut files = Vec::new();
    make_directories(source, target, account, &mut files)?;
    // The time goes into making files, which the system does on several processors at once.
    let workers = std::thread::available_parallelism().map_or(1, |count| count.get().min(4));
    let (files, mut size) = (&files, Size::default());
    std::thread::scope(|scope| {
        let copy = move |worker: usize| {
            let mut size = Size::default();
            for (from, to) in files.iter().skip(worker).step_by(workers) {
                size.bytes += std::fs::copy(from, to)?;
                size.files += 1;
                hand_over(to, account)?;
            }
            Ok(size)
        };
        let working: Vec<_> = (0..workers).map(|worker| scope.spawn(move || copy(worker))).collect();
        for worker in working {
            let copied: Result<Size> = worker.join().unwrap_or_else(|_| Err(Error::from(ErrorKind::Other)));
            let copied = copied?;
            size.files += copied.files;
            size.bytes += copied.bytes;
        }
        Ok(size)
    })
}

/// Makes the directories, and lists the files that belong in them.
fn make_directories(source: &Path, target: &Path, account: Option<Account>, files: &mut Vec<(PathBuf, PathBuf)>) -> Result<()> {
    std::fs::DirBuilder::new().mode(0o700).create(target)?;
    hand_over(target, account)?;
    for entry in std::fs::read_dir(source)? {
        let entry = entry?;
        let (kind, copy) = (entry.file_type()?, target.join(entry.file_name()));
        if kind.is_dir() {
            make_directories(&entry.path(), &copy, account, files)?;
        } else if kind.is_file() {
            files.push((entry.path(), copy));
        } else {
            return Err(Error::from(ErrorKind::InvalidData));
        }
    }
    Ok(())
}

/// The user's cache, else a directory of the user's in the place for temporary files.
fn cache() -> Option<PathBuf> {
    let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let at_home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")).filter(|path| path.is_absolute());
    if let Some(directory) = named.or_else(at_home)
        && std::fs::create_dir_all(&directory).is_ok()
    {
        let ours = directory.join("phasegate");
        if std::fs::create_dir_all(&ours).is_ok() {
            return Some(ours.join("servers"));
        }
    }
    Some(std::env::temp_dir().join(format!("phasegate-cache-{}", rustix::process::geteuid().as_raw())))
}

/// Makes the directory where it is missing. `None` where it is not ours, or where others could change what is in it.
fn private_directory(path: &Path) -> Option<PathBuf> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return None,
        _ => {}
    }
    let found = std::fs::symlink_metadata(path).ok()?;
    let private = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o077 == 0;
    private.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn cluster(parent: &Path) -> PathBuf {
        let data = parent.join("data");
        std::fs::create_dir_all(data.join("base/1")).unwrap();
        std::fs::write(data.join("PG_VERSION"), "15\n").unwrap();
        std::fs::write(data.join("base/1/1259"), [7; 9000]).unwrap();
        data
    }

    fn template(cache: &Path) -> Template {
        Template::in_cache(&cache.join("servers"), "postgres (PostgreSQL) 15.18", &["--locale=C".to_owned()]).unwrap()
    }

    #[test]
    fn what_was_kept_is_copied_with_its_password() {
        let scratch = tempfile::tempdir().unwrap();
        let template = template(scratch.path());
        assert!(template.copy_to(&scratch.path().join("early"), None).is_err(), "nothing is kept yet");
        template.keep(&cluster(scratch.path()), &Secret::new("sesame")).unwrap();
        let copy = scratch.path().join("copy");
        assert_eq!(template.copy_to(&copy, None).unwrap(), Secret::new("sesame"));
        assert_eq!(std::fs::read(copy.join("base/1/1259")).unwrap(), [7; 9000]);
        assert_eq!(std::fs::metadata(&copy).unwrap().mode() & 0o777, 0o700);
        assert_eq!(std::fs::read_dir(&template.home).unwrap().count(), 1, "no workplace is left");
    }

    #[test]
    fn a_template_that_lost_something_is_not_used_and_can_be_replaced() {
        let scratch = tempfile::tempdir().unwrap();
        let template = template(scratch.path());
        let data = cluster(scratch.path());
        template.keep(&data, &Secret::new("one")).unwrap();
        let broken = template.home.join(&template.name).join("data/base/1/1259");
        std::fs::write(&broken, [7; 100]).unwrap();
        assert!(template.copy_to(&scratch.path().join("shorter"), None).is_err());
        std::fs::remove_file(&broken).unwrap();
        assert!(template.copy_to(&scratch.path().join("fewer"), None).is_err());
        template.keep(&data, &Secret::new("two")).unwrap();
        assert_eq!(template.copy_to(&scratch.path().join("whole"), None).unwrap(), Secret::new("two"));
    }

    #[test]
    fn makers_at_the_same_time_do_each_other_no_harm() {
        let scratch = tempfile::tempdir().unwrap();
        let template = template(scratch.path());
        let data = cluster(scratch.path());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| template.keep(&data, &Secret::new("same")).unwrap());
            }
        });
        assert_eq!(template.copy_to(&scratch.path().join("copy"), None).unwrap(), Secret::new("same"));
        assert_eq!(std::fs::read_dir(&template.home).unwrap().count(), 1);
    }

    #[test]
    fn another_version_and_other_arguments_are_other_templates() {
        let scratch = tempfile::tempdir().unwrap();
        let name = |version: &str, argument: &str| {
            Template::in_cache(&scratch.path().join("servers"), version, &[argument.to_owned()]).unwrap().name
        };
        assert_ne!(name("15.18", "--locale=C"), name("15.19", "--locale=C"));
        assert_ne!(name("15.18", "--locale=C"), name("15.18", "--locale=de"));
    }

    #[test]
    fn a_cache_that_others_can_read_or_that_is_a_link_is_not_used() {
        let scratch = tempfile::tempdir().unwrap();
        let open = scratch.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(private_directory(&open).is_none());
        std::os::unix::fs::symlink(scratch.path(), scratch.path().join("link")).unwrap();
        assert!(private_directory(&scratch.path().join("link")).is_none());
    }
}
