//! Phases and releases: which units are released already, what is older, and which findings a tag answers for.
//!
//! [`standing::read`] asks everything that says what is released ([`manifest`], a git ref, tags, an id) and holds the files against
//! what was released ([`then`]). What differs is for rules to judge; that nobody can say what is released is an error.

mod claim;
mod deviation;
mod error;
pub mod freeze;
pub mod manifest;
mod overtaken;
mod past;
pub mod standing;
mod then;

pub use error::ReleaseError;
pub use standing::{Asked, Standing};

use crate::catalog::object::Birth;
use crate::finding::{Finding, Level, SuppressedBy, Suppression};
use crate::rules::{self, Family};
use crate::source::{Migration, Phase};
use std::collections::BTreeMap;

/// Which units are reported on. The whole history is modelled all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All that are not released.
    #[default]
    All,
    /// Those that are new or changed since HEAD left this ref. Where nothing else says what is released, the rest is.
    Since(String),
    /// Those that are new or changed in git's index, which is read instead of the work tree.
    Staged,
}

/// What is known about the releases of one history.
#[derive(Clone, Debug, Default)]
pub struct Releases {
    /// For each unit of the history, in order, whether a release holds it. None where nobody said anything about releases: then every
    /// unit is a release of its own.
    released: Option<Vec<bool>>,
    /// What says so, for people: `released.sha256`, `tag v1.2 (1a2b3c4d5e6f)`.
    pub sources: Vec<String>,
    /// That of `sources` which is the path of a manifest, as found from the PATH given.
    pub manifest: Option<String>,
    /// How the files differ from what was released.
    pub deviations: Vec<Deviation>,
    /// Units that sort before others that were there first, by their position (from 0).
    pub overtaken: BTreeMap<usize, Overtaken>,
    /// For units that their runner runs again whenever they change (from 0): how they were released, where that is known.
    pub earlier: BTreeMap<usize, Migration>,
}

/// A released file that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    pub kind: DeviationKind,
    /// As reports show it: where the file is, or was.
    pub path: String,
    /// Position (from 0) of the unit that it is now; none for files that are no unit, and for what is gone.
    pub unit: Option<usize>,
    /// What it differs from, for people.
    pub from: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviationKind {
    Edited,
    /// The same content, now under another name or id: the old path, or the old id where the file is the same.
    Renamed {
        was: String,
    },
    Removed,
    /// Edited, and the manifest was changed along.
    Refrozen,
    /// The manifest lists it no longer.
    Unfrozen,
    /// It is the manifest, and gone.
    ManifestRemoved,
}

/// What a unit sorts before although it was there first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overtaken {
    /// Id or file of the other unit.
    pub by: String,
    /// Where that one is: released, or on the base ref. For people.
    pub place: String,
    /// True where both have the same version.
    pub same_version: bool,
}

impl Releases {
    /// `released` has one entry for each unit of the history, in its order.
    pub fn of_units(released: Vec<bool>) -> Releases {
        Releases { released: Some(released), ..Releases::default() }
    }

    /// True where something is known, so that "pending" has a meaning.
    pub fn are_known(&self) -> bool {
        self.released.is_some()
    }

    /// True for a unit (from 0) that a release holds. False for all of them where nothing is known.
    pub fn is_released(&self, position: usize) -> bool {
        self.released.as_ref().and_then(|released| released.get(position)).copied().unwrap_or(false)
    }

    /// How many units releases hold.
    pub fn count(&self) -> usize {
        self.released.iter().flatten().filter(|released| **released).count()
    }

    /// The positions (from 0) of so many units in the order in which they reach a server that runs the last release: what is released
    /// first, whatever sorts between it.
    pub fn order(&self, units: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..units).collect();
        if self.are_known() {
            order.sort_by_key(|position| !self.is_released(*position));
        }
        order
    }

    /// Whether what was born there existed before the release that `unit` (from 1, as in [`Birth`]) will be part of.
    pub fn older(&self, birth: Birth, unit: u32) -> bool {
        match &self.released {
            None => birth.unit < unit,
            Some(released) => match (birth.unit as usize).checked_sub(1) {
                None => true,
                Some(position) => released.get(position).copied().unwrap_or(false),
            },
        }
    }
}

/// `-- phase contract` turns the contract findings of its unit into notes: kept, and silenced by the tag.
pub fn apply_tag(migration: &Migration, findings: &mut [Finding]) {
    if migration.phase != Phase::Contract {
        return;
    }
    let reason = migration.tag.as_ref().and_then(|tag| tag.reason.clone());
    for finding in findings.iter_mut().filter(|f| rules::family_of(f.rule) == Some(Family::Contract)) {
        finding.level = finding.level.min(Level::Note);
        finding.suppressed = Some(Suppression { by: SuppressedBy::Tag, reason: reason.clone() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Span;

    fn born(unit: u32) -> Birth {
        Birth { unit, span: Span::default() }
    }

    #[test]
    fn without_releases_every_unit_is_a_release_of_its_own() {
        let releases = Releases::default();
        assert!(releases.older(born(1), 2) && !releases.older(born(2), 2));
        assert!(!releases.is_released(0));
    }

    #[test]
    fn with_releases_what_pending_units_created_is_new() {
        let releases = Releases::of_units(vec![true, false, false]);
        assert!(releases.older(Birth::UNSEEN, 3) && releases.older(born(1), 3));
        assert!(!releases.older(born(2), 3));
        assert!(releases.is_released(0) && !releases.is_released(1) && !releases.is_released(9));
    }

    #[test]
    fn what_is_released_was_applied_first() {
        assert_eq!(Releases::of_units(vec![true, false, true, false]).order(4), [0, 2, 1, 3]);
        assert_eq!(Releases::default().order(3), [0, 1, 2]);
    }
}
