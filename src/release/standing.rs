//! Where a history stands: what of it is released, what of it changed, and how the files differ from what was released.
//!
//! Each source of `[releases]` says it for itself, and all have to agree. A manifest lists files; of a git ref and of a tag the
//! commit says it: what lies where the history lies now. Files are the same whatever their line endings ([`compare`]). What
//! `--since` names is one more source where there is no other; else it only says what is reported, and what the released files are
//! held against: who edits a released file and freezes it again changes the manifest, not the commit.

use super::claim::Claim;
use super::error::ReleaseError;
use super::manifest::Manifest;
use super::past::{Found, Pasts};
use super::then::{self, Fate, Places, Then, fates};
use super::{Releases, Scope};
use crate::config::ReleaseSettings;
use crate::source::git::GitEnvironment;
use crate::source::layouts::{self, Late};
use crate::source::{self, History, compare, join, resolved};
use std::path::Path;

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
    let found = Found::read(history, asked)?;
    let ReleaseSettings { base, tags, through, .. } = asked.settings;
    if flag.is_none() && found.is_none() && base.is_none() && tags.is_none() && through.is_none() {
        return Ok(Standing::default());
    }
    let pasts = Pasts::read(history, asked, found.is_some())?;
    Standings { history, now: Places::of(history), asked, manifest: found }.read(&pasts)
}

/// Everything that the answer is made from.
pub(super) struct Standings<'a> {
    pub history: &'a History,
    pub now: Places<'a>,
    pub asked: &'a Asked<'a>,
    pub manifest: Option<Found>,
}

impl Standings<'_> {
    fn read(self, pasts: &Pasts) -> Result<Standing, ReleaseError> {
        let fates: Vec<Vec<Fate>> = pasts.list.iter().map(|past| fates(&past.then.places(), &self.now)).collect();
        let mut standing = Standing { changed: self.changed(pasts, &fates), ..Standing::default() };
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
            claims.push(self.claim_of_manifest(found, pasts, &mut standing)?);
        }
        if let Some(id) = &self.asked.settings.through {
            claims.push(self.claim_of_id(id, pasts, &fates)?);
        }
        self.agree(&claims)?;
        standing.releases.manifest = self.manifest.as_ref().map(|found| found.manifest.path.clone());
        standing.releases.sources = claims.iter().map(|claim| claim.name.clone()).collect();
        standing.releases.released = claims.into_iter().next().map(|claim| claim.released);
        self.open_again(&mut standing.releases);
        standing.releases.overtaken = self.overtaken(&standing, pasts, &fates);
        Ok(standing)
    }

    pub fn units(&self) -> usize {
        self.history.migrations.len()
    }

    fn changed(&self, pasts: &Pasts, fates: &[Vec<Fate>]) -> Option<Changed> {
        if pasts.unborn {
            return Some(Changed { units: vec![true; self.units()], since: "the first commit".to_string() });
        }
        let at = pasts.list.iter().position(|past| past.is_scope)?;
        let mut units = vec![true; self.units()];
        let merged: Vec<Vec<Fate>> = pasts.merged.iter().map(|then| then::fates(&then.places(), &self.now)).collect();
        for fate in merged.iter().chain([&fates[at]]).flatten() {
            if let Fate::Same(position) = fate {
                units[*position] = false;
            }
        }
        let names: Vec<&str> = [&pasts.list[at].then].into_iter().chain(&pasts.merged).map(Then::name).collect();
        Some(Changed { units, since: names.join(" and ") })
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

    /// What the runner does with a unit that comes late.
    pub fn late(&self, at: usize) -> Late {
        layouts::named(&self.history.layout).map_or(Late::Unknown, |layout| layout.late(&self.history.migrations[at]))
    }

    /// True for a place below the directory of the history, or beside one of its files.
    pub fn is_near(&self, place: &Path) -> bool {
        let directory = resolved(Path::new(&self.history.path));
        place.starts_with(directory) || self.now.of_unit.iter().any(|unit| unit.parent() == place.parent())
    }

    /// A file that a manifest names, as reports show it.
    pub fn shown(&self, place: &Path, found: &Found, name: &str) -> String {
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
}
