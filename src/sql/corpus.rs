//! Real migrations for tests, where `PHASEGATE_CORPUS` names a directory of them. They are other people's text and never part of
//! this repository, so each test that reads them also has samples of its own.

use std::path::{Path, PathBuf};

fn root() -> Option<PathBuf> {
    std::env::var_os("PHASEGATE_CORPUS").map(PathBuf::from)
}

/// Whether there is a corpus.
pub fn is_there() -> bool {
    root().is_some()
}

/// Files of the corpus with this extension, sorted; empty where there is none.
pub fn files(extension: &str) -> Vec<PathBuf> {
    let Some(root) = root() else { return Vec::new() };
    let mut files: Vec<_> = walkdir::WalkDir::new(root)
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.is_file() && path.extension().is_some_and(|e| e == extension))
        .collect();
    files.sort();
    files
}

/// Their text; files that are not UTF-8 are left out.
pub fn texts(extension: &str) -> impl Iterator<Item = String> {
    files(extension).into_iter().filter_map(|path| read(&path))
}

/// The text of one file, without its byte order mark; `None` where it is not UTF-8.
pub fn read(path: &Path) -> Option<String> {
    let text = String::from_utf8(std::fs::read(path).ok()?).ok()?;
    Some(text.strip_prefix('\u{feff}').map(String::from).unwrap_or(text))
}
