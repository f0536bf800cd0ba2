//! How the files differ from what was released.

use super::error::ReleaseError;
use super::manifest::{self, Manifest};
use super::past::{Found, Past};
use super::standing::{Standing, Standings};
use super::then::{Fate, Then};
use super::{Deviation, DeviationKind};
use crate::source::layouts::Late;
use crate::source::{join, resolved};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

impl Standings<'_> {
    /// Holds the released units of a commit against the files.
    pub fn deviations_of_past(&self, past: &Past, fates: &[Fate], standing: &mut Standing) -> Result<(), ReleaseError> {
        let then = &past.then;
        let frozen = match &self.manifest {
            Some(found) => then.file(&found.place)?,
            None => None,
        };
        let frozen = match frozen {
            Some(bytes) => Some(Manifest::read(&format!("{} of {}", manifest::FILE_NAME, then.name()), &bytes)?),
            None => None,
        };
        let places = then.places();
        let listed: BTreeSet<PathBuf> = match (&self.manifest, &frozen) {
            (Some(found), Some(frozen)) => frozen.entries.keys().map(|name| Manifest::place(&found.directory, name)).collect(),
            _ => BTreeSet::new(),
        };
        let through = self.asked.settings.through.as_ref();
        let last = through.and_then(|id| then.history.migrations.iter().rposition(|unit| unit.id == *id));
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
                Fate::Renamed(now) => {
                    DeviationKind::Renamed { was: self.old_name(&then.shown(at, self.history), &unit.id, *now) }
                }
                Fate::Gone => DeviationKind::Removed,
            };
            let now = fate.now().map(|now| self.history.migrations[now].file.path.clone());
            let path = now.unwrap_or_else(|| then.shown(at, self.history));
            note(standing, Deviation { kind, path, unit: fate.now(), from: then.name().to_string() });
        }
        match (&self.manifest, &frozen) {
            (Some(found), Some(frozen)) => self.refrozen(found, frozen, then.name(), standing),
            (None, _) => self.manifest_removed(then, standing)?,
            (Some(_), None) => {}
        }
        Ok(())
    }

    /// A manifest that nothing but its place made known, and that is no longer there.
    fn manifest_removed(&self, then: &Then, standing: &mut Standing) -> Result<(), ReleaseError> {
        let path = join(&self.history.path, manifest::FILE_NAME);
        if self.history.whole && then.file(&resolved(Path::new(&path)))?.is_some() {
            note(standing, Deviation { kind: DeviationKind::ManifestRemoved, path, unit: None, from: then.name().to_string() });
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

    fn old_name(&self, path: &str, id: &str, now: usize) -> String {
        if self.history.migrations[now].file.path == path { id.to_string() } else { path.to_string() }
    }
}

/// One file differs once, whatever it is held against.
pub(super) fn note(standing: &mut Standing, deviation: Deviation) {
    let known = &mut standing.releases.deviations;
    if !known.iter().any(|other| other.path == deviation.path && other.unit == deviation.unit) {
        known.push(deviation);
    }
}
