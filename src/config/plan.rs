//! Which settings hold for which PATH.
//!
//! Each PATH goes by its own nearest `phasegate.toml`, unless one is named for all. A history of the configuration covers what lies in
//! its directories; what none covers goes by the settings at the top of the file.

use super::error::ConfigError;
use super::levels::Root;
use super::read::{self, ConfigFile};
use super::resolve::{self, Configuration, Flags, Origins, Resolved};
use super::{FILE_NAME, find};
use crate::check::HistoryRequest;
use crate::source::{ancestor, join, shown};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the command line asks for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Directories, files and `-`. Without any, the histories of the configuration, and where it has none the working directory.
    pub paths: Vec<PathBuf>,
    pub file: FileChoice,
    pub flags: Flags,
}

/// Which configuration holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FileChoice {
    /// For each PATH the nearest `phasegate.toml` above it.
    #[default]
    Nearest,
    /// `--config FILE`: this one for all.
    Named(PathBuf),
    /// `--no-config`: none.
    Without,
}

/// What is to be checked, and under what.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub histories: Vec<Planned>,
    /// Configurations that could not be used. What they would have been for is not in `histories`.
    pub errors: Vec<ConfigError>,
}

/// One request, and where its settings come from.
#[derive(Clone, Debug)]
pub struct Planned {
    pub request: HistoryRequest,
    pub origins: Origins,
    /// The configuration, as reports show it.
    pub file: Option<String>,
}

/// Finds the configurations and says what holds for each path.
pub fn plan(wanted: &Wanted) -> Plan {
    let mut planning = Planning { wanted, files: BTreeMap::new(), plan: Plan::default() };
    if wanted.paths.is_empty() {
        planning.path(Path::new("."));
    }
    for path in &wanted.paths {
        planning.path(path);
    }
    planning.plan
}

struct Planning<'a> {
    wanted: &'a Wanted,
    /// Configurations by where they lie on disk; none for those that could not be used.
    files: BTreeMap<PathBuf, Option<Known>>,
    plan: Plan,
}

/// A configuration that was read.
#[derive(Clone, Debug)]
struct Known {
    shown: String,
    /// Its directory on disk, without links.
    directory: PathBuf,
    configuration: Configuration,
}

impl Planning<'_> {
    fn path(&mut self, given: &Path) {
        // Standard input lies where the user is.
        let place = if given == Path::new("-") { Path::new(".") } else { given };
        // A PATH that is not there is an error of its own, later.
        let Ok(disk) = place.canonicalize() else { return self.add(given, Resolved::of_flags(&self.wanted.flags), None) };
        let (file, shown) = match &self.wanted.file {
            FileChoice::Without => return self.add(given, Resolved::of_flags(&self.wanted.flags), None),
            FileChoice::Named(file) => (file.clone(), file.to_string_lossy().into_owned()),
            FileChoice::Nearest => match find::nearest(&disk) {
                None => return self.add(given, Resolved::of_flags(&self.wanted.flags), None),
                Some(file) => {
                    let shown = self.shown_file(place, &disk, &file);
                    (file, shown)
                }
            },
        };
        let Some(known) = self.file(&file, shown) else { return };
        let root = root(given, &disk, &known.directory);
        let mut resolved = known.configuration.top.clone();
        resolved.settings.levels.roots = vec![root];
        self.add(given, resolved, Some(known.shown));
    }

    fn add(&mut self, path: &Path, resolved: Resolved, file: Option<String>) {
        let request = HistoryRequest { paths: vec![path.to_path_buf()], settings: resolved.settings };
        self.plan.histories.push(Planned { request, origins: resolved.origins, file });
    }

    /// Reads a configuration once.
    fn file(&mut self, file: &Path, shown: String) -> Option<Known> {
        if let Some(known) = self.files.get(file) {
            return known.clone();
        }
        let known = match load(file, &shown, &self.wanted.flags) {
            Ok(known) => Some(known),
            Err(errors) => {
                self.plan.errors.extend(errors);
                None
            }
        };
        self.files.insert(file.to_path_buf(), known.clone());
        known
    }

    /// A configuration above a PATH, in the words of that PATH: `../phasegate.toml`.
    fn shown_file(&self, given: &Path, disk: &Path, file: &Path) -> String {
        let start = if disk.is_dir() { disk } else { disk.parent().unwrap_or(disk) };
        let from_file = usize::from(!disk.is_dir());
        let levels = file.parent().and_then(|directory| start.ancestors().position(|above| above == directory)).unwrap_or(0);
        let lexical = join(&ancestor(&shown(&given.to_string_lossy()), levels + from_file), FILE_NAME);
        // A link in the PATH leads elsewhere than its text says.
        let leads_there = Path::new(&lexical).canonicalize().is_ok_and(|found| found == file);
        if leads_there { lexical } else { file.to_string_lossy().into_owned() }
    }
}

fn load(file: &Path, shown: &str, flags: &Flags) -> Result<Known, Vec<ConfigError>> {
    let unreadable = |error: std::io::Error| vec![ConfigError::Unreadable { path: shown.to_owned(), cause: error.to_string() }];
    let bytes = std::fs::read(file).map_err(unreadable)?;
    let disk = file.canonicalize().map_err(unreadable)?;
    let read: ConfigFile = read::read(shown, &bytes).map_err(|error| vec![error])?;
    let directory = Path::new(shown).parent().unwrap_or(Path::new(""));
    let configuration = resolve::configuration(&read, directory, flags)?;
    let directory = disk.parent().unwrap_or(&disk).to_path_buf();
    Ok(Known { shown: shown.to_owned(), directory, configuration })
}

/// Where a PATH lies below the configuration's directory.
fn root(given: &Path, disk: &Path, directory: &Path) -> Root {
    let below = disk.strip_prefix(directory).unwrap_or(disk);
    Root { shown: shown(&given.to_string_lossy()), below: shown(&below.to_string_lossy()) }
}
