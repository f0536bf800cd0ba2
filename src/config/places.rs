//! Places on disk in the words of a PATH, as the report shows them.

use crate::source::{ancestor, join, shown};
use std::path::{Path, PathBuf};

/// `target` as seen from a PATH: below it, beside it or above it, with as many `..` as that takes. `disk` is where the PATH is; both
/// are without links. Where links make the text lead elsewhere it is the absolute place.
pub fn shown_from(given: &Path, disk: &Path, target: &Path) -> String {
    let (start, levels) = if disk.is_dir() { (disk, 0) } else { (disk.parent().unwrap_or(disk), 1) };
    let common: PathBuf = start.components().zip(target.components()).take_while(|(a, b)| a == b).map(|(part, _)| part).collect();
    let up = start.components().count() - common.components().count();
    let rest = target.strip_prefix(&common).unwrap_or(target).to_string_lossy().into_owned();
    let base = ancestor(&shown(&given.to_string_lossy()), up + levels);
    let lexical = if rest.is_empty() { base } else { join(&base, &shown(&rest)) };
    let leads_there = Path::new(&lexical).canonicalize().is_ok_and(|found| found == target) || !target.exists();
    if leads_there { lexical } else { target.to_string_lossy().into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_as_seen_from_the_path() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("services/shop/db")).unwrap();
        std::fs::write(root.join("services/shop/1.sql"), "").unwrap();
        let shown = root.to_string_lossy();
        for (given, target, expected) in [
            ("", "services/shop", format!("{shown}/services/shop")),
            ("services/shop", "", format!("{shown}")),
            ("services/shop", "services/shop", format!("{shown}/services/shop")),
            ("services/shop/1.sql", "services/shop/db", format!("{shown}/services/shop/db")),
            ("services/shop/db", "services/new", format!("{shown}/services/new")),
        ] {
            assert_eq!(shown_from(&root.join(given), &root.join(given), &root.join(target)), expected, "{given} {target}");
        }
    }

    #[test]
    fn a_relative_path_shows_relative_places() {
        // Tests run in the package's directory, which has `src`.
        let here = Path::new(".").canonicalize().unwrap();
        let shown = |given: &str, target: &str| {
            let disk = Path::new(given).canonicalize().unwrap();
            shown_from(Path::new(given), &disk, &here.join(target))
        };
        assert_eq!(shown(".", "src/config"), "src/config");
        assert_eq!(shown_from(Path::new("."), &here.join("src"), &here.join("tests/none")), "../tests/none", "what is not there");
        assert_eq!(shown("src/config", "src/source"), "src/source");
        assert_eq!(shown("./src/config/", ""), ".");
        assert_eq!(shown("src/lib.rs", "Cargo.toml"), "Cargo.toml");
        assert_eq!(shown("src/../src", "tests"), "src/../tests", "as the PATH is written");
    }
}
