//! Where a history stands: what of it is released, what of it changed, and how the files differ from what was released.
//!
//! Each source of `[releases]` says it for itself, and all have to agree. A manifest lists files; of a git ref and of a tag the
//! commit says it: what lies where the history lies now. Files are the same whatever their line endings ([`compare`]). What
//! `--since` names is one more source where there is no other; else it only says what is reported, and what the released files are
//! held against: who edits a released file and freezes it again changes the manifest, not the commit.

use super::error::ReleaseError;
use super::manifest::{self, Manifest};
use super::then::{self, Fate, Places, Then, fates};
use super::{Deviation, DeviationKind, Overtaken, Releases, Scope};
use crate::config::ReleaseSettings;
use crate::source::git::{Commit, GitEnvironment, Repository};
use crate::source::layouts::{self, Late};
use crate::source::resolved;
use crate::source::{self, History, Migration, Version, compare, join, nearest};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What is asked about a history.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub scope: &'a Scope,
    pub settings: &'a ReleaseSettings,
    pub environment: &'a GitEnvironment,
    /// How the history was loaded.
    pub request: &'a source::Request,
}

/// The answer.
#[derive(Debug, Default)]
pub struct Standing {
    pub releases: Releases,
    /// For each unit whether it is new or changed; none where that was not asked.
    pub changed: Option<Changed>,
    /// What could not be used, and takes nothing away from the rest.
    pub problems: Vec<ReleaseError>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// One for each unit, in order.
    pub units: Vec<bool>,
    /// Against what, for people.
    pub since: String,
}

/// Finds out where a history stands. Without any source and without `--since` and `--staged`, nothing is read at all.
pub fn read(history: &History, asked: &Asked<'_>) -> Result<Standing, ReleaseError> {
    let flag = match asked.scope {
        Scope::All => None,
        Scope::Since(_) => Some("--since"),
        Scope::Staged => Some("--staged"),
    };
    if history.path == "-" {
        return flag.map_or_else(|| Ok(Standing::default()), |flag| Err(ReleaseError::StandardInput { flag }));
    }
    let found = manifest_of(history, asked)?;
    let ReleaseSettings { base, tags, through, .. } = asked.settings;
    if flag.is_none() && found.is_none() && base.is_none() && tags.is_none() && through.is_none() {
        return Ok(Standing::default());
    }
    let pasts = Pasts::read(history, asked, found.is_some())?;
    Standings { history, now: Places::of(history), asked, manifest: found, pasts }.read()
}

/// A manifest, and the directory that its names are relative to.
struct Found {
    manifest: Manifest,
    directory: PathBuf,
    place: PathBuf,
}

/// The manifest that the settings name, or the one in the history's directory.
fn manifest_of(history: &History, asked: &Asked<'_>) -> Result<Option<Found>, ReleaseError> {
    let (path, is_asked_for) = match &asked.settings.manifest {
        Some(path) => (path.to_string_lossy().into_owned(), true),
        None if history.whole => (join(&history.path, manifest::FILE_NAME), false),
        None => return Ok(None),
    };
    let place = resolved(Path::new(&path));
    let origin = &asked.request.origin;
    let unreadable = |cause| ReleaseError::ManifestUnreadable { path: path.clone(), cause };
    if origin.kind(&place).map_err(unreadable)?.is_none() {
        return if is_asked_for { Err(ReleaseError::ManifestMissing { path }) } else { Ok(None) };
    }
    let unreadable = |cause| ReleaseError::ManifestUnreadable { path: path.clone(), cause };
    let bytes = origin.read(&place).map_err(unreadable)?;
    let directory = place.parent().unwrap_or(&place).to_path_buf();
    Ok(Some(Found { manifest: Manifest::read(&path, &bytes)?, directory, place }))
}

/// The history at the commits that were asked for.
#[derive(Default)]
struct Pasts {
    list: Vec<Past>,
    /// What came to the refs since HEAD left them, which may sort after what is pending here.
    tips: Vec<Tip>,
    /// True before the first commit: everything that is staged is new.
    unborn: bool,
}

/// A ref as it is now.
struct Tip {
    name: String,
    then: Then,
    /// Where in the list the commit is at which HEAD left it.
    parted: usize,
}

struct Past {
    then: Then,
    /// True where it says what is released.
    is_source: bool,
    /// True where it says what changed.
    is_scope: bool,
    /// True where it is what others base their work on.
    is_base: bool,
}

impl Pasts {
    fn read(history: &History, asked: &Asked<'_>, has_manifest: bool) -> Result<Pasts, ReleaseError> {
        let ReleaseSettings { base, tags, through, .. } = asked.settings;
        let mut pasts = Pasts::default();
        if *asked.scope == Scope::All && base.is_none() && tags.is_none() {
            return Ok(pasts);
        }
        let repository = Repository::around(&history.path, asked.environment)?;
        let then = |commit: &Commit| Then::read(&repository, commit, history, asked.request);
        if let Some(pattern) = tags {
            let commit = repository.newest_tag(pattern)?;
            pasts.list.push(Past { then: then(&commit)?, is_source: true, is_scope: false, is_base: false });
        }
        let since = if let Scope::Since(name) = asked.scope { Some(name) } else { None };
        let alone = !has_manifest && base.is_none() && tags.is_none() && through.is_none();
        for (name, is_source, is_scope) in [(base.as_ref(), true, since == base.as_ref()), (since, alone, true)] {
            let Some(name) = name else { continue };
            if is_scope && pasts.list.iter().any(|past| past.is_scope) {
                continue;
            }
            let (tip, parted) = then::base(&repository, name)?;
            pasts.list.push(Past { then: then(&parted)?, is_source, is_scope, is_base: true });
            if !tip.is_same(&parted) {
                pasts.tips.push(Tip { name: name.clone(), then: then(&tip)?, parted: pasts.list.len() - 1 });
            }
        }
        if *asked.scope == Scope::Staged {
            match repository.head()? {
                Some(head) => pasts.list.push(Past { then: then(&head)?, is_source: false, is_scope: true, is_base: false }),
                None => pasts.unborn = true,
            }
        }
        Ok(pasts)
    }
}

/// Everything that the answer is made from.
struct Standings<'a> {
    history: &'a History,
    now: Places<'a>,
    asked: &'a Asked<'a>,
    manifest: Option<Found>,
    pasts: Pasts,
}

/// What one source says, for each unit.
struct Claim {
    name: String,
    released: Vec<bool>,
}

impl Standings<'_> {
    fn read(mut self) -> Result<Standing, ReleaseError> {
        let pasts = std::mem::take(&mut self.pasts);
        let fates: Vec<Vec<Fate>> = pasts.list.iter().map(|past| fates(&Places::of(&past.then.history), &self.now)).collect();
        let mut standing = Standing { changed: self.changed(&pasts, &fates), ..Standing::default() };
        let mut claims = Vec::new();
        for (past, fates) in pasts.list.iter().zip(&fates) {
            self.deviations_of_past(past, fates, &mut standing)?;
            if past.is_source {
                let mut released = vec![false; self.units()];
                fates.iter().filter_map(|fate| fate.now()).for_each(|at| released[at] = true);
                claims.push(Claim { name: past.then.name().to_string(), released });
            }
        }
        if let Some(found) = &self.manifest {
            claims.push(self.claim_of_manifest(found, &pasts, &mut standing)?);
        }
        if let Some(id) = &self.asked.settings.through {
            claims.push(self.claim_of_id(id, &pasts, &fates)?);
        }
        self.agree(&claims)?;
        standing.releases.sources = claims.iter().map(|claim| claim.name.clone()).collect();
        standing.releases.released = claims.into_iter().next().map(|claim| claim.released);
        self.open_again(&mut standing.releases);
        standing.releases.overtaken = self.overtaken(&standing, &pasts, &fates);
        Ok(standing)
    }

    fn units(&self) -> usize {
        self.history.migrations.len()
    }

    fn changed(&self, pasts: &Pasts, fates: &[Vec<Fate>]) -> Option<Changed> {
        if pasts.unborn {
            return Some(Changed { units: vec![true; self.units()], since: "the first commit".to_string() });
        }
        let at = pasts.list.iter().position(|past| past.is_scope)?;
        let mut units = vec![true; self.units()];
        for fate in &fates[at] {
            if let Fate::Same(position) = fate {
                units[*position] = false;
            }
        }
        Some(Changed { units, since: pasts.list[at].then.name().to_string() })
    }

    /// Holds the released units of a commit against the files.
    fn deviations_of_past(&self, past: &Past, fates: &[Fate], standing: &mut Standing) -> Result<(), ReleaseError> {
        let then = &past.then;
        let frozen = match &self.manifest {
            Some(found) => then.file(&found.place)?,
            None => None,
        };
        let frozen = match frozen {
            Some(bytes) => Some(Manifest::read(&format!("{} of {}", manifest::FILE_NAME, then.name()), &bytes)?),
            None => None,
        };
        let places = Places::of(&then.history);
        let listed: BTreeSet<PathBuf> = match (&self.manifest, &frozen) {
            (Some(found), Some(frozen)) => frozen.entries.keys().map(|name| Manifest::place(&found.directory, name)).collect(),
            _ => BTreeSet::new(),
        };
        let through = self.asked.settings.through.as_ref();
        let last = through.and_then(|id| then.history.migrations.iter().position(|unit| unit.id == *id));
        for (at, fate) in fates.iter().enumerate() {
            let was_released = past.is_source || listed.contains(&places.of_unit[at]) || last.is_some_and(|last| at <= last);
            if !was_released {
                continue;
            }
            let unit = &then.history.migrations[at];
            let kind = match fate {
                Fate::Same(_) => continue,
                Fate::Edited(now) if self.late(*now) == Late::Repeated => {
                    standing.releases.earlier.insert(*now, unit.clone());
                    continue;
                }
                Fate::Edited(_) => DeviationKind::Edited,
                Fate::Renamed(now) => DeviationKind::Renamed { was: self.old_name(&unit.file.path, &unit.id, *now) },
                Fate::Gone => DeviationKind::Removed,
            };
            let path = fate.now().map_or(&unit.file.path, |now| &self.history.migrations[now].file.path);
            let from = then.name().to_string();
            note(standing, Deviation { kind, path: path.clone(), unit: fate.now(), from });
        }
        if let (Some(found), Some(frozen)) = (&self.manifest, &frozen) {
            self.refrozen(found, frozen, then.name(), standing);
        }
        Ok(())
    }

    /// What the manifest said at a commit and says no longer.
    fn refrozen(&self, found: &Found, frozen: &Manifest, name: &str, standing: &mut Standing) {
        for (file, entry) in &frozen.entries {
            let place = Manifest::place(&found.directory, file);
            let kind = match found.manifest.entries.get(file) {
                Some(now) if now.sha256 == entry.sha256 => continue,
                Some(_) => DeviationKind::Refrozen,
                None if self.asked.request.origin.kind(&place).is_ok_and(|kind| kind.is_some()) => DeviationKind::Unfrozen,
                None => DeviationKind::Removed,
            };
            let units = self.now.units_at(&place);
            if kind == DeviationKind::Refrozen && units.iter().any(|unit| self.late(*unit) == Late::Repeated) {
                continue;
            }
            if units.is_empty() && !self.is_near(&place) {
                continue;
            }
            let path = self.shown(&place, found, file);
            // What is renamed is gone from its old place, and was said.
            let is_said = |deviation: &Deviation| matches!(&deviation.kind, DeviationKind::Renamed { was } if *was == path);
            if kind == DeviationKind::Removed && standing.releases.deviations.iter().any(is_said) {
                continue;
            }
            let deviation =
                Deviation { kind, path, unit: units.first().copied(), from: format!("{} of {name}", manifest::FILE_NAME) };
            // That it was frozen again says more than that it was edited.
            match standing.releases.deviations.iter_mut().find(|other| other.path == deviation.path) {
                Some(edited) if edited.kind == DeviationKind::Edited => *edited = deviation,
                Some(_) => {}
                None => standing.releases.deviations.push(deviation),
            }
        }
    }

    fn claim_of_manifest(&self, found: &Found, pasts: &Pasts, standing: &mut Standing) -> Result<Claim, ReleaseError> {
        let Found { manifest, directory, .. } = found;
        let mut released = vec![false; self.units()];
        for (name, entry) in &manifest.entries {
            let place = Manifest::place(directory, name);
            let units = self.now.units_at(&place);
            if let Some(first) = units.first() {
                units.iter().for_each(|unit| released[*unit] = true);
                let unit = &self.history.migrations[*first];
                if !compare::has_sha256(&unit.file.bytes, &entry.sha256) && self.late(*first) != Late::Repeated {
                    let path = unit.file.path.clone();
                    note(
                        standing,
                        Deviation { kind: DeviationKind::Edited, path, unit: Some(*first), from: manifest.path.clone() },
                    );
                }
                continue;
            }
            if !self.is_near(&place) {
                continue;
            }
            let path = self.shown(&place, found, name);
            let origin = &self.asked.request.origin;
            let unreadable = |cause| ReleaseError::ManifestUnreadable { path: path.clone(), cause };
            let kind = if origin.kind(&place).map_err(unreadable)?.is_some() {
                let bytes = origin.read(&place).map_err(unreadable)?;
                if compare::has_sha256(&bytes, &entry.sha256) {
                    continue;
                }
                (DeviationKind::Edited, path.clone(), None)
            } else if let Some(unit) = self.renamed_from(found, &entry.sha256) {
                released[unit] = true;
                (DeviationKind::Renamed { was: path.clone() }, self.history.migrations[unit].file.path.clone(), Some(unit))
            } else {
                // Nobody can say what it did, unless a commit holds it.
                let is_known = pasts.list.iter().any(|past| past.then.file(&place).is_ok_and(|file| file.is_some()));
                if !is_known {
                    let (path, line, name) = (manifest.path.clone(), entry.line, name.clone());
                    standing.problems.push(ReleaseError::ManifestFileMissing { path, line, name });
                }
                (DeviationKind::Removed, path.clone(), None)
            };
            let (kind, path, unit) = kind;
            note(standing, Deviation { kind, path, unit, from: manifest.path.clone() });
        }
        // What the manifest lists no longer stays released.
        for deviation in standing.releases.deviations.iter().filter(|deviation| deviation.kind == DeviationKind::Unfrozen) {
            deviation.unit.iter().for_each(|unit| released[*unit] = true);
        }
        Ok(Claim { name: manifest.path.clone(), released })
    }

    /// The unit that holds a listed content under a name that is not listed.
    fn renamed_from(&self, found: &Found, sha256: &str) -> Option<usize> {
        let listed: BTreeSet<PathBuf> =
            found.manifest.entries.keys().map(|name| Manifest::place(&found.directory, name)).collect();
        let units = self.history.migrations.iter().enumerate();
        let mut unlisted =
            units.filter(|(at, unit)| !listed.contains(&self.now.of_unit[*at]) && !unit.file.bytes.trim_ascii().is_empty());
        unlisted.find(|(_, unit)| compare::has_sha256(&unit.file.bytes, sha256)).map(|(at, _)| at)
    }

    fn claim_of_id(&self, id: &str, pasts: &Pasts, fates: &[Vec<Fate>]) -> Result<Claim, ReleaseError> {
        let ids = || self.history.migrations.iter().map(|unit| unit.id.as_str());
        let Some(last) = ids().position(|known| known == id) else {
            return Err(ReleaseError::UnknownThrough {
                history: self.history.path.clone(),
                id: id.to_string(),
                suggestion: near_id(id, ids()).map(str::to_string),
                first: ids().next().map(str::to_string),
                last: ids().next_back().map(str::to_string),
            });
        };
        let mut released: Vec<bool> = (0..self.units()).map(|at| at <= last).collect();
        // What was slipped in between, after what follows it was on the base already, is no part of that release.
        for (_, fates) in pasts.list.iter().zip(fates).filter(|(past, _)| past.is_base) {
            let known: BTreeSet<usize> = fates.iter().filter_map(|fate| fate.now()).collect();
            let latest = known.range(..=last).next_back().copied();
            let is_late = |at: usize| !known.contains(&at) && latest.is_some_and(|latest| at < latest);
            released.iter_mut().enumerate().filter(|(at, _)| is_late(*at)).for_each(|(_, released)| *released = false);
        }
        Ok(Claim { name: format!("through = \"{id}\""), released })
    }

    fn agree(&self, claims: &[Claim]) -> Result<(), ReleaseError> {
        for (at, unit) in self.history.migrations.iter().enumerate() {
            let yes = claims.iter().find(|claim| claim.released[at]);
            let no = claims.iter().find(|claim| !claim.released[at]);
            if let (Some(yes), Some(no)) = (yes, no) {
                return Err(ReleaseError::Disagree {
                    history: self.history.path.clone(),
                    unit: unit.id.clone(),
                    yes: yes.name.clone(),
                    no: no.name.clone(),
                });
            }
        }
        Ok(())
    }

    /// A released unit that its runner runs again because it changed is pending.
    fn open_again(&self, releases: &mut Releases) {
        let Some(released) = &mut releases.released else { return };
        for at in releases.earlier.keys() {
            released[*at] = false;
        }
        let Some(found) = &self.manifest else { return };
        for (name, entry) in &found.manifest.entries {
            for at in self.now.units_at(&Manifest::place(&found.directory, name)) {
                let unit = &self.history.migrations[at];
                if self.late(at) == Late::Repeated && !compare::has_sha256(&unit.file.bytes, &entry.sha256) {
                    released[at] = false;
                    // Its released text is not known: what it makes is taken to be older all the same.
                    releases.earlier.entry(at).or_insert_with(|| unit.clone());
                }
            }
        }
    }

    fn overtaken(&self, standing: &Standing, pasts: &Pasts, fates: &[Vec<Fate>]) -> BTreeMap<usize, Overtaken> {
        let releases = &standing.releases;
        let is_asked = |at: usize| standing.changed.as_ref().is_none_or(|changed| changed.units[at]);
        let counts = |at: usize| !matches!(self.late(at), Late::Repeated | Late::Meant);
        let pending = || (0..self.units()).filter(|at| !releases.is_released(*at) && counts(*at) && is_asked(*at));
        let mut overtaken = BTreeMap::new();
        let mut ahead = |place: &str, is_there: &dyn Fn(usize) -> bool| {
            let Some(last) = (0..self.units()).rfind(|at| is_there(*at) && self.late(*at) != Late::Repeated) else { return };
            for at in pending().filter(|at| *at < last && !is_there(*at)) {
                let same_version = self.version(at).is_some() && self.version(at) == self.version(last);
                let by = self.history.migrations[last].id.clone();
                overtaken.entry(at).or_insert(Overtaken { by, place: place.to_string(), same_version });
            }
        };
        ahead("is released already", &|at| releases.is_released(at));
        for (past, fates) in pasts.list.iter().zip(fates).filter(|(past, _)| past.is_base) {
            let known: BTreeSet<usize> = fates.iter().filter_map(|fate| fate.now()).collect();
            ahead(&format!("is on the base already ({})", past.then.name()), &|at| known.contains(&at));
        }
        for Tip { name, then, parted } in &pasts.tips {
            let here = then::fates(&Places::of(&then.history), &self.now);
            let known: BTreeSet<usize> = here.iter().filter_map(|fate| fate.now()).collect();
            let parted = &pasts.list[*parted].then.history.migrations;
            let is_new = |unit: &Migration| !parted.iter().any(|old| old.id == unit.id && old.file.path == unit.file.path);
            let arrived =
                here.into_iter().zip(&then.history.migrations).filter(|(fate, _)| *fate == Fate::Gone).map(|(_, unit)| unit);
            let latest = arrived.filter(|unit| unit.version.is_some() && is_new(unit)).max_by(|a, b| a.version.cmp(&b.version));
            let Some(latest) = latest else { continue };
            let is_late = |at: &usize| self.version(*at).is_some_and(|version| Some(version) <= latest.version.as_ref());
            for at in pending().filter(|at| is_late(at) && !known.contains(at)) {
                let same_version = self.version(at) == latest.version.as_ref();
                let by = if same_version { latest.file.path.clone() } else { latest.id.clone() };
                overtaken.entry(at).or_insert(Overtaken { by, place: format!("is on {name} already"), same_version });
            }
        }
        overtaken
    }

    fn version(&self, at: usize) -> Option<&Version> {
        self.history.migrations[at].version.as_ref()
    }

    /// What the runner does with a unit that comes late.
    fn late(&self, at: usize) -> Late {
        layouts::named(&self.history.layout).map_or(Late::Unknown, |layout| layout.late(&self.history.migrations[at]))
    }

    /// True for a place below the directory of the history, or beside one of its files.
    fn is_near(&self, place: &Path) -> bool {
        let directory = resolved(Path::new(&self.history.path));
        place.starts_with(directory) || self.now.of_unit.iter().any(|unit| unit.parent() == place.parent())
    }

    /// A file that a manifest names, as reports show it.
    fn shown(&self, place: &Path, found: &Found, name: &str) -> String {
        if let Some(unit) = self.now.units_at(place).first() {
            return self.history.migrations[*unit].file.path.clone();
        }
        let directory = resolved(Path::new(&self.history.path));
        match place.strip_prefix(directory) {
            Ok(below) => join(&self.history.path, &below.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")),
            Err(_) => match found.manifest.path.rsplit_once('/') {
                Some((parent, _)) => join(parent, name),
                None => name.to_string(),
            },
        }
    }

    fn old_name(&self, path: &str, id: &str, now: usize) -> String {
        if self.history.migrations[now].file.path == path { id.to_string() } else { path.to_string() }
    }
}

/// One file differs once, whatever it is held against.
fn note(standing: &mut Standing, deviation: Deviation) {
    let known = &mut standing.releases.deviations;
    if !known.iter().any(|other| other.path == deviation.path && other.unit == deviation.unit) {
        known.push(deviation);
    }
}

/// The id that was meant: spelled almost so, or the same number with other zeros.
fn near_id<'a>(id: &str, ids: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let bare = |id: &str| id.trim_start_matches('0').to_string();
    let same = ids.clone().find(|known| bare(known) == bare(id));
    let longer = ids.clone().find(|known| known.starts_with(id) || id.starts_with(known));
    same.or(longer).or_else(|| nearest(id, ids))
}
