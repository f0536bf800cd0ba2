//! Configurations as they are read: each once, whatever paths it holds for.

use super::error::ConfigError;
use super::resolved::{Configuration, Flags};
use super::{read, resolve};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A configuration that was read.
#[derive(Clone, Debug)]
pub struct Known {
    /// As reports show it.
    pub shown: String,
    /// Where it is, without links.
    pub disk: PathBuf,
    /// Its directory, without links.
    pub directory: PathBuf,
    pub configuration: Configuration,
}

/// By where they were asked for; none for those that cannot be used.
#[derive(Debug, Default)]
pub struct Files {
    known: BTreeMap<PathBuf, Option<Known>>,
}

impl Files {
    /// The configuration in a file. What is wrong with it is said once.
    pub fn known(&mut self, file: &Path, shown: &str, flags: &Flags, errors: &mut Vec<ConfigError>) -> Option<Known> {
        if let Some(known) = self.known.get(file) {
            return known.clone();
        }
        let known = load(file, shown, flags).map_err(|wrong| errors.extend(wrong)).ok();
        self.known.insert(file.to_path_buf(), known.clone());
        known
    }
}

fn load(file: &Path, shown: &str, flags: &Flags) -> Result<Known, Vec<ConfigError>> {
    let unreadable = |error: std::io::Error| vec![ConfigError::Unreadable { path: shown.to_owned(), cause: error.to_string() }];
    let bytes = std::fs::read(file).map_err(unreadable)?;
    let disk = file.canonicalize().map_err(unreadable)?;
    let read = read::read(shown, &bytes).map_err(|error| vec![error])?;
    let seen_from_here = Path::new(shown).parent().unwrap_or(Path::new(""));
    let configuration = resolve::configuration(&read, seen_from_here, flags)?;
    let directory = disk.parent().unwrap_or(&disk).to_path_buf();
    Ok(Known { shown: shown.to_owned(), disk, directory, configuration })
}
