//! Which settings hold for which PATH.
//!
//! Each PATH goes by its own nearest `phasegate.toml`, unless one is named for all; a directory below a PATH that has one of its own
//! goes by that. Nothing is inherited from one file to another. A history of the configuration is taken where the PATH lies in one of
//! its directories or above; of what it holds, what lies below the PATH is reported. What no history covers goes by the settings at
//! the top of the file.

use super::error::{ConfigError, Wrong};
use super::files::{Files, Known};
use super::levels::Root;
use super::resolved::{Flags, Origins, Resolved, ResolvedHistory};
use super::{baseline_place, find, places};
use crate::check::HistoryRequest;
use crate::source::{Around, ConfiguredHistory, join, shown};
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
    /// Where accepted findings are, or would be: where the settings name a file, that one.
    pub baseline: PathBuf,
}

/// Finds the configurations and says what holds for each path.
pub fn plan(wanted: &Wanted) -> Plan {
    let mut planning = Planning { wanted, files: Files::default(), taken: BTreeMap::new(), plan: Plan::default() };
    if wanted.paths.is_empty() {
        planning.without_path();
    }
    for path in &wanted.paths {
        planning.path(path);
    }
    planning.plan.histories.iter_mut().for_each(|planned| {
        planned.request.implied = wanted.paths.is_empty();
        baseline_place::settle(planned);
    });
    planning.plan
}

struct Planning<'a> {
    wanted: &'a Wanted,
    files: Files,
    /// Histories that were planned already: configuration and index in it → index in the plan.
    taken: BTreeMap<(PathBuf, usize), usize>,
    plan: Plan,
}

/// A PATH that is there.
struct Given<'a> {
    path: &'a Path,
    /// Without links.
    disk: PathBuf,
}

impl Given<'_> {
    /// Another place on disk in the words of this PATH.
    fn shows(&self, target: &Path) -> String {
        places::shown_from(self.path, &self.disk, target)
    }
}

/// The directory of a configured history.
struct HistoryPlace {
    /// Without links where it is there.
    disk: PathBuf,
    shown: String,
}

impl Planning<'_> {
    /// All histories of the configuration around the working directory.
    fn without_path(&mut self) {
        let here = Path::new(".");
        let Ok(disk) = here.canonicalize() else { return self.path(here) };
        let given = Given { path: here, disk };
        let Some(file) = self.configuration(&given) else { return };
        match file {
            Some(known) if !known.configuration.histories.is_empty() => {
                let directory = known.directory.clone();
                self.histories(&given, &known, &directory);
                let own = if self.wanted.file == FileChoice::Nearest { find::below(&directory) } else { Vec::new() };
                own.iter().map(|directory| given.shows(directory)).for_each(|path| self.path(Path::new(&path)));
            }
            _ => self.path(here),
        }
    }

    fn path(&mut self, path: &Path) {
        // Standard input lies where the user is.
        let place = if path == Path::new("-") { Path::new(".") } else { path };
        // A PATH that is not there is an error of its own, later.
        let Ok(disk) = real(place) else { return self.add(path, Resolved::of_flags(&self.wanted.flags), None, vec![]) };
        let given = Given { path: place, disk };
        let Some(file) = self.configuration(&given) else { return };
        let is_directory = path != Path::new("-") && given.disk.is_dir();
        let own = if self.wanted.file == FileChoice::Nearest && is_directory { find::below(&given.disk) } else { Vec::new() };
        let apart: Vec<String> = own.iter().map(|directory| given.shows(directory)).collect();
        match file {
            None => self.add(path, Resolved::of_flags(&self.wanted.flags), None, apart.clone()),
            Some(known) => {
                let disk = given.disk.clone();
                if path == Path::new("-") || !self.histories(&given, &known, &disk) {
                    let mut resolved = known.configuration.top.clone();
                    resolved.settings.levels.roots = vec![root(shown(&path.to_string_lossy()), &given.disk, &known.directory)];
                    self.add(path, resolved, Some(known.shown.clone()), apart.clone());
                }
            }
        }
        for directory in apart {
            self.path(Path::new(&directory));
        }
    }

    /// The configuration of a PATH; `None` where it cannot be used.
    fn configuration(&mut self, given: &Given<'_>) -> Option<Option<Known>> {
        let (file, shown) = match &self.wanted.file {
            FileChoice::Without => return Some(None),
            FileChoice::Named(file) => (file.clone(), file.to_string_lossy().into_owned()),
            FileChoice::Nearest => match find::nearest(&given.disk) {
                None => return Some(None),
                Some(file) => {
                    let shown = given.shows(&file);
                    (file, shown)
                }
            },
        };
        self.files.known(&file, &shown, &self.wanted.flags, &mut self.plan.errors).map(Some)
    }

    fn add(&mut self, path: &Path, resolved: Resolved, file: Option<String>, apart: Vec<String>) {
        let settings = resolved.settings;
        let request = HistoryRequest { paths: vec![path.to_path_buf()], settings, apart, ..HistoryRequest::default() };
        self.plan.histories.push(Planned { request, origins: resolved.origins, file, baseline: PathBuf::new() });
    }

    /// Plans the histories that have to do with a place on disk; false where none has.
    fn histories(&mut self, given: &Given<'_>, known: &Known, asked: &Path) -> bool {
        let all: Vec<Vec<HistoryPlace>> =
            known.configuration.histories.iter().map(|history| directories(given, known, history)).collect();
        let holds_asked = |place: &HistoryPlace| asked.starts_with(&place.disk);
        let deepest = all
            .iter()
            .flatten()
            .filter(|place| holds_asked(place))
            .map(|place| place.disk.clone())
            .max_by_key(|disk| depth(disk));
        let own = if self.wanted.file == FileChoice::Nearest { find::below(asked) } else { Vec::new() };
        let mut around = (asked.is_dir() && deepest.is_none()).then(|| Around {
            path: given.shows(asked),
            covered: all.iter().flatten().map(|place| &place.disk).chain(&own).map(|place| given.shows(place)).collect(),
        });
        let mut any = false;
        for (index, (history, places)) in known.configuration.histories.iter().zip(&all).enumerate() {
            let holds = places.iter().any(|place| deepest.as_ref() == Some(&place.disk));
            let below = places.iter().filter(|place| place.disk.starts_with(asked)).count();
            if !holds && below == 0 {
                continue;
            }
            any = true;
            if !self.are_there(history, places, &own) {
                continue;
            }
            let focus = if below == places.len() { Vec::new() } else { focus(places, asked) };
            let apart = all.iter().flatten().filter(|other| is_strictly_inside(other, places)).map(|other| other.shown.clone());
            let configured = ConfiguredHistory { name: history.name.clone(), focus, around: around.take() };
            let mut resolved = history.resolved.clone();
            resolved.settings.levels.roots =
                places.iter().map(|place| root(place.shown.clone(), &place.disk, &known.directory)).collect();
            let request = HistoryRequest {
                paths: places.iter().map(|place| PathBuf::from(&place.shown)).collect(),
                settings: resolved.settings,
                apart: apart.collect(),
                history: Some(configured),
                implied: false,
            };
            let planned =
                Planned { request, origins: resolved.origins, file: Some(known.shown.clone()), baseline: PathBuf::new() };
            self.take(known.disk.clone(), index, planned);
        }
        any
    }

    /// Two paths that ask for parts of one history are one request.
    fn take(&mut self, file: PathBuf, index: usize, planned: Planned) {
        let earlier = self.taken.get(&(file.clone(), index)).and_then(|at| self.plan.histories.get_mut(*at));
        let Some(earlier) = earlier else {
            self.taken.insert((file, index), self.plan.histories.len());
            self.plan.histories.push(planned);
            return;
        };
        if let (Some(before), Some(now)) = (&mut earlier.request.history, planned.request.history) {
            if before.focus.is_empty() || now.focus.is_empty() {
                before.focus.clear();
            } else {
                before.focus.extend(now.focus);
            }
        }
    }

    /// Whether the directories of a history can be read, and are this configuration's to read.
    fn are_there(&mut self, history: &ResolvedHistory, places: &[HistoryPlace], own: &[PathBuf]) -> bool {
        let earlier = self.plan.errors.len();
        for (place, written) in places.iter().zip(&history.paths) {
            let wrong = if !place.disk.exists() {
                Wrong::NoPath(place.shown.clone())
            } else if let Some(other) = own.iter().find(|directory| place.disk.starts_with(directory)) {
                Wrong::OwnConfiguration(other.join(super::FILE_NAME).to_string_lossy().into_owned())
            } else {
                continue;
            };
            self.plan.errors.push(ConfigError::Invalid { place: Box::new(written.place.clone()), wrong });
        }
        self.plan.errors.len() == earlier
    }
}

/// Where a PATH is, without links; but a file that is a link stays itself, beside its own siblings.
fn real(path: &Path) -> std::io::Result<PathBuf> {
    match (path.is_dir(), path.parent(), path.file_name()) {
        (false, Some(parent), Some(name)) if path.exists() => {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            Ok(parent.canonicalize()?.join(name))
        }
        _ => path.canonicalize(),
    }
}

/// Where the directories of a history are.
fn directories(given: &Given<'_>, known: &Known, history: &ResolvedHistory) -> Vec<HistoryPlace> {
    let place = |written: &str| {
        let lexical = known.directory.join(written);
        let disk = lexical.canonicalize().unwrap_or(lexical);
        HistoryPlace { shown: given.shows(&disk), disk }
    };
    history.paths.iter().map(|written| place(&written.path)).collect()
}

/// What is reported of a history: the directories below the place that was asked for, and the place itself where it lies in one.
fn focus(places: &[HistoryPlace], asked: &Path) -> Vec<String> {
    let of_place = |place: &HistoryPlace| {
        if place.disk.starts_with(asked) {
            return Some(place.shown.clone());
        }
        let rest = asked.strip_prefix(&place.disk).ok()?;
        Some(join(&place.shown, &shown(&rest.to_string_lossy())))
    };
    places.iter().filter_map(of_place).collect()
}

fn is_strictly_inside(other: &HistoryPlace, places: &[HistoryPlace]) -> bool {
    places.iter().any(|place| other.disk != place.disk && other.disk.starts_with(&place.disk))
        && !places.iter().any(|place| place.disk == other.disk)
}

fn depth(path: &Path) -> usize {
    path.components().count()
}

/// Where a place lies below the configuration's directory.
fn root(shown_place: String, disk: &Path, directory: &Path) -> Root {
    let below = disk.strip_prefix(directory).unwrap_or(disk);
    Root { shown: shown_place, below: shown(&below.to_string_lossy()) }
}
