//! From work to facts: what of it is about relations from before the unit.

use super::{Act, Scan, Work};
use crate::catalog::facts::Class;
use crate::catalog::name::qualified;
use crate::catalog::object::{Index, Relation};
use crate::catalog::replay::UnitReplay;
use crate::effect::{Effect, Lock, LockMode};
use std::collections::BTreeMap;

/// Adds the work of a unit to the effects of its statements. `older`: the relation is from before the unit.
///
/// Locks that the same transaction already holds are told where they were taken, and count for `blocking` where there is work.
pub(in crate::catalog) fn add_to(
    all: &mut [(Effect, Class)],
    replayed: &UnitReplay,
    older: impl Fn(&Relation) -> bool,
    older_index: impl Fn(&Index) -> bool,
) {
    // By transaction and relation, as far as the statements go.
    let mut held: BTreeMap<(u32, u32), LockMode> = BTreeMap::new();
    let mut work = replayed.work.iter().filter(|work| older(&work.relation)).peekable();
    for (at, (effect, _)) in all.iter_mut().enumerate() {
        let Some(transaction) = replayed.circumstances.get(at).map(|circumstances| circumstances.transaction) else { continue };
        let mut locks: BTreeMap<String, LockMode> = BTreeMap::new();
        let mut worked_on = Vec::new();
        while let Some(Work { relation, act, .. }) = work.next_if(|work| work.statement <= at) {
            let label = label(relation);
            match act {
                Act::Lock(mode) => {
                    raise(held.entry((transaction, relation.id.0)).or_insert(*mode), *mode);
                    raise(locks.entry(label).or_insert(*mode), *mode);
                }
                Act::LockIndex(index, _) if !older_index(index) => {}
                Act::LockIndex(index, mode) => {
                    raise(locks.entry(index_label(index)).or_insert(*mode), *mode);
                }
                Act::Rewrite(_) => note(&mut effect.rewrites, label, &mut worked_on, relation),
                Act::Scan(why) => {
                    if matches!(why, Scan::ForeignKey { referenced: true, .. }) {
                        effect.scans_where_referred.push(label.clone());
                    }
                    note(&mut effect.scans, label, &mut worked_on, relation);
                }
                Act::Build(_) => note(&mut effect.index_builds, label, &mut worked_on, relation),
            }
        }
        effect.locks = locks.into_iter().map(|(relation, mode)| Lock { relation, mode }).collect();
        effect.blocking = worked_on.iter().any(|id| held.get(&(transaction, *id)).is_some_and(|mode| mode.stops_writes()));
        for list in [&mut effect.rewrites, &mut effect.scans, &mut effect.index_builds] {
            list.sort();
        }
    }
}

fn raise(held: &mut LockMode, mode: LockMode) {
    *held = (*held).max(mode);
}

fn note(list: &mut Vec<String>, label: String, worked_on: &mut Vec<u32>, relation: &Relation) {
    worked_on.push(relation.id.0);
    if !list.contains(&label) {
        list.push(label);
    }
}

fn label(relation: &Relation) -> String {
    qualified(&relation.schema, &relation.name)
}

fn index_label(index: &Index) -> String {
    qualified(&index.schema, &index.name)
}
