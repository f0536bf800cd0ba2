//! Phases and releases: which findings a tag answers for.

use crate::finding::{Finding, Level, SuppressedBy, Suppression};
use crate::rules::{self, Family};
use crate::source::{Migration, Phase};

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
