//! Pending units that sort before what was there first.

use super::Overtaken;
use super::past::{Pasts, Tip};
use super::standing::{Standing, Standings};
use super::then::{self, Fate};
use crate::source::layouts::Late;
use crate::source::{Migration, Version};
use std::collections::{BTreeMap, BTreeSet};

impl Standings<'_> {
    pub fn overtaken(&self, standing: &Standing, pasts: &Pasts, fates: &[Vec<Fate>]) -> BTreeMap<usize, Overtaken> {
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
            let here = then::fates(&then.places(), &self.now);
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
}
