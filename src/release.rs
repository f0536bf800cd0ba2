//! Phases and releases: which units are released already, what is older, and which findings a tag answers for.

use crate::catalog::object::Birth;
use crate::finding::{Finding, Level, SuppressedBy, Suppression};
use crate::rules::{self, Family};
use crate::source::{Migration, Phase};

/// What is known about the releases of one history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Releases {
    /// For each unit of the history, in order, whether a release holds it. None where nobody said anything about releases: then every
    /// unit is a release of its own.
    released: Option<Vec<bool>>,
}

impl Releases {
    /// `released` has one entry for each unit of the history, in its order.
    pub fn of_units(released: Vec<bool>) -> Releases {
        Releases { released: Some(released) }
    }

    /// True where something is known, so that "pending" has a meaning.
    pub fn are_known(&self) -> bool {
        self.released.is_some()
    }

    /// True for a unit (from 0) that a release holds. False for all of them where nothing is known.
    pub fn is_released(&self, position: usize) -> bool {
        self.released.as_ref().and_then(|released| released.get(position)).copied().unwrap_or(false)
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
}
