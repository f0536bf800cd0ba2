//! What each source says is released.

use super::deviation::note;
use super::error::ReleaseError;
use super::manifest::Manifest;
use super::past::{Found, Pasts};
use super::standing::{Standing, Standings};
use super::then::Fate;
use super::{Deviation, DeviationKind};
use crate::source::layouts::Late;
use crate::source::{compare, nearest};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What one source says, for each unit.
pub(super) struct Claim {
    pub name: String,
    pub released: Vec<bool>,
}

impl Standings<'_> {
    pub fn claim_of_manifest(&self, found: &Found, pasts: &Pasts, standing: &mut Standing) -> Result<Claim, ReleaseError> {
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

    pub fn claim_of_id(&self, id: &str, pasts: &Pasts, fates: &[Vec<Fate>]) -> Result<Claim, ReleaseError> {
        let ids = || self.history.migrations.iter().map(|unit| unit.id.as_str());
        let Some(last) = self.history.migrations.iter().rposition(|unit| unit.id == id) else {
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
}

/// The id that was meant: spelled almost so, or the same number with other zeros.
fn near_id<'a>(id: &str, ids: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let bare = |id: &str| id.trim_start_matches('0').to_string();
    let same = ids.clone().find(|known| bare(known) == bare(id));
    let longer = ids.clone().find(|known| known.starts_with(id) || id.starts_with(known));
    same.or(longer).or_else(|| nearest(id, ids))
}
