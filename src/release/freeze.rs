//! `phasegate freeze`: everything that a history holds becomes released.
//!
//! Frozen are the files of all units, programs among them, and the files that undo them; where a manifest is there already and lists
//! no file that undoes a released unit, its authors did not mean them, and they stay out. Entries that are there stay as they are, also
//! those of files that are no units: whoever calls this has seen that they hold.

use super::ReleaseError;
use super::manifest::{self, Entry, Manifest};
use crate::source::{History, compare, join, resolved, resolved_beside};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

/// A manifest to write.
#[derive(Clone, Debug)]
pub struct Frozen {
    /// Where it lies, or will.
    pub place: PathBuf,
    pub manifest: Manifest,
    /// Ids of the units that were not listed before, in their order.
    pub units: Vec<String>,
    /// Files that were not listed before.
    pub files: usize,
    /// True where it is there already, byte for byte.
    pub is_written: bool,
}

/// Where the manifest of a history is: as the configuration says, else in its directory.
pub fn path_of(history: &History, configured: Option<&Path>) -> String {
    match configured {
        Some(path) => path.to_string_lossy().into_owned(),
        None => join(&history.path, manifest::FILE_NAME),
    }
}

/// The manifest at `path` with all that the histories hold. Several histories may share one.
pub fn frozen(path: &str, histories: &[&History]) -> Result<Frozen, ReleaseError> {
    let place = resolved(Path::new(path));
    let directory = place.parent().unwrap_or(&place).to_path_buf();
    let old = match std::fs::read(&place) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(ReleaseError::ManifestUnreadable { path: path.to_string(), cause: error.to_string() }),
    };
    let mut manifest = match &old {
        Some(bytes) => Manifest::read(path, bytes)?,
        None => Manifest { path: path.to_string(), ..Manifest::default() },
    };
    let before = manifest.entries.len();
    let mut units = Vec::new();
    for history in histories {
        let with_down = lists_down_files(&manifest, &directory, history);
        for unit in &history.migrations {
            if add(&mut manifest, &directory, &unit.file.path, &unit.file.bytes) {
                units.push(unit.id.clone());
            }
            if let Some(down) = unit.down.as_ref().filter(|down| with_down && down.file.path != unit.file.path) {
                add(&mut manifest, &directory, &down.file.path, &down.file.bytes);
            }
        }
    }
    let files = manifest.entries.len() - before;
    let is_written = old.is_some_and(|old| old == manifest.written().as_bytes());
    Ok(Frozen { place, manifest, units, files, is_written })
}

/// True unless the manifest lists units that have files to undo them, and none of those files.
fn lists_down_files(manifest: &Manifest, directory: &Path, history: &History) -> bool {
    let listed: BTreeSet<PathBuf> = manifest.entries.keys().map(|name| Manifest::place(directory, name)).collect();
    let is_listed = |path: &str| listed.contains(&resolved_beside(Path::new(path)));
    let downs: Vec<&str> = history
        .migrations
        .iter()
        .filter(|unit| is_listed(&unit.file.path))
        .filter_map(|unit| unit.down.as_ref().filter(|down| down.file.path != unit.file.path))
        .map(|down| down.file.path.as_str())
        .collect();
    downs.is_empty() || downs.into_iter().any(is_listed)
}

/// True where the file was not listed before.
fn add(manifest: &mut Manifest, directory: &Path, path: &str, bytes: &[u8]) -> bool {
    let name = relative(directory, &resolved_beside(Path::new(path)));
    let is_new = !manifest.entries.contains_key(&name);
    if is_new {
        manifest.entries.insert(name, Entry { sha256: compare::sha256(bytes), line: 0 });
    }
    is_new
}

/// A place as seen from a directory: `0001_a.sql`, `../views/R__v.sql`.
fn relative(directory: &Path, place: &Path) -> String {
    let common = directory.components().zip(place.components()).take_while(|(one, other)| one == other).count();
    let up = directory.components().skip(common).map(|_| "..".to_string());
    let down = place.components().skip(common).filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => None,
    });
    up.chain(down).collect::<Vec<_>>().join("/")
}

impl Frozen {
    /// Writes it: whoever reads meanwhile finds the old one or the new one, never a half.
    pub fn write(&self) -> io::Result<()> {
        let directory = self.place.parent().unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".released.");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any file that is made here: what the umask leaves of this.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.tempfile_in(directory)?;
        file.write_all(self.manifest.written().as_bytes())?;
        file.as_file().sync_all()?;
        if let Ok(existing) = std::fs::metadata(&self.place) {
            file.as_file().set_permissions(existing.permissions())?;
        }
        file.persist(&self.place).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::relative;
    use std::path::Path;

    #[test]
    fn names_lead_from_the_manifest_to_the_file() {
        for (directory, place, name) in [
            ("/r/db", "/r/db/1.sql", "1.sql"),
            ("/r/db", "/r/db/sub/1.sql", "sub/1.sql"),
            ("/r/db", "/r/views/1.sql", "../views/1.sql"),
            ("/r/db/deep", "/r/1.sql", "../../1.sql"),
        ] {
            assert_eq!(relative(Path::new(directory), Path::new(place)), name);
        }
    }
}
