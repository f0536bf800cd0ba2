//! What a statement costs, as the server shows it from inside the open transaction: locks from `pg_locks`, rewrites and index
//! builds from file nodes, scans from the transaction's counters.
//!
//! All of it is about relations that were there before: temporary ones, members of extensions and what the statement itself makes
//! are left out. Names are those from before the statement.

use super::catalogs::{Catalogs, Oid, RelationFile, Rows};
use crate::effect::LockMode;
use crate::prove::answer::rows;
use postgres::SimpleQueryMessage;
use std::collections::{BTreeMap, BTreeSet};

/// What one statement did to relations that were there before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The strongest lock on each relation; an index only where its lock is stronger than its table's. `None` where the
    /// statement's transaction is over before anybody can look.
    pub locks: Option<BTreeMap<String, LockMode>>,
    pub rewrites: BTreeSet<String>,
    /// Read whole, apart from the reading that a rewrite and an index build do.
    pub scans: BTreeSet<String>,
    /// Relations, not indexes.
    pub index_builds: BTreeSet<String>,
}

impl Trace {
    /// It rewrites, scans or builds an index under a lock that stops writes. `None` where the locks are not known.
    pub fn blocking(&self) -> Option<bool> {
        let locks = self.locks.as_ref()?;
        let worked_on = self.rewrites.iter().chain(&self.scans).chain(&self.index_builds);
        Some(worked_on.into_iter().any(|relation| locks.get(relation).is_some_and(|mode| mode.stops_writes())))
    }
}

/// What a session has counted is told when it is idle next: what it counts after that is its next transaction's. From 15 on.
pub const TELL_STATISTICS: &str = "SELECT pg_catalog.pg_stat_force_next_flush()";

/// Asked of a transaction in which one statement ran and that began with no statistics untold: a row for each lock on a relation, with the scans that it began there.
/// Whatever is scanned is locked until the transaction ends.
pub const QUESTION: &str = "SELECT l.relation AS relation, l.mode AS mode, coalesce(pg_stat_get_xact_numscans(l.relation), 0) AS scans \
    FROM pg_locks l WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted \
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// What an open transaction holds and has begun.
#[derive(Clone, Debug, Default)]
pub struct Held {
    locks: BTreeMap<Oid, LockMode>,
    scans: BTreeMap<Oid, i64>,
}

impl Held {
    /// The answer to [`QUESTION`], whatever else was answered with it.
    pub fn read(answer: &[SimpleQueryMessage]) -> Held {
        let mut held = Held::default();
        for row in rows(answer) {
            let number = |name| row.try_get(name).ok().flatten();
            let (Some(relation), Some(mode), Some(scans)) = (number("relation"), number("mode"), number("scans")) else {
                continue;
            };
            let (Ok(relation), Some(mode)) = (relation.parse(), LockMode::named(mode)) else { continue };
            let strongest = held.locks.entry(relation).or_insert(mode);
            *strongest = (*strongest).max(mode);
            held.scans.insert(relation, scans.parse().unwrap_or(0));
        }
        held
    }
}

/// What one statement did between two moments, in a transaction of its own. `older` are the relations that count.
pub fn difference(before: &Catalogs, after: &Catalogs, held: &Held, older: &Rows<Oid, RelationFile>) -> Trace {
    let mut trace = files(&before.files, &after.files, held, older);
    trace.locks = Some(named(&before.files, &held.locks, older));
    trace
}

/// The same for a statement that ended its transaction itself: no locks and no scans are left to be seen.
pub fn difference_afterwards(before: &Catalogs, after: &Catalogs, older: &Rows<Oid, RelationFile>) -> Trace {
    files(&before.files, &after.files, &Held::default(), older)
}

fn named(
    before: &Rows<Oid, RelationFile>,
    held: &BTreeMap<Oid, LockMode>,
    older: &Rows<Oid, RelationFile>,
) -> BTreeMap<String, LockMode> {
    let counts = |oid: &Oid, state: &RelationFile, mode: LockMode| {
        let is_index = matches!(state.kind, 'i' | 'I');
        older.contains_key(oid) && (!is_index || held.get(&state.table).is_none_or(|table| *table < mode))
    };
    let known = held.iter().filter_map(|(oid, mode)| Some((oid, before.get(oid)?, *mode)));
    known.filter(|(oid, state, mode)| counts(oid, state, *mode)).map(|(_, state, mode)| (state.qualified.clone(), mode)).collect()
}

/// Rewrites, builds and scans.
fn files(
    before: &Rows<Oid, RelationFile>,
    after: &Rows<Oid, RelationFile>,
    held: &Held,
    older: &Rows<Oid, RelationFile>,
) -> Trace {
    let mut trace = Trace::default();
    if before.ptr_eq(after) && held.scans.values().all(|scans| *scans == 0) {
        return trace;
    }
    let files_before: BTreeSet<Oid> = before.values().map(|state| state.file).collect();
    let mut builds: BTreeMap<Oid, i64> = BTreeMap::new();
    for (oid, state) in after.iter().filter(|(_, state)| matches!(state.kind, 'i' | 'I')) {
        let is_new = match before.get(oid) {
            Some(before) => before.file != state.file,
            // An index that only changed its definition keeps the file of the old one.
            None => !files_before.contains(&state.file),
        };
        if is_new && state.file != 0 {
            *builds.entry(state.table).or_default() += 1 + i64::from(state.excludes);
        }
    }
    let mut scans: BTreeMap<Oid, i64> = BTreeMap::new();
    for (oid, count) in &held.scans {
        let Some(state) = after.get(oid) else { continue };
        // A new index that excludes is searched for each row: that is part of building it.
        if state.table == 0 || !state.excludes || before.contains_key(oid) {
            *scans.entry(if state.table == 0 { *oid } else { state.table }).or_default() += count;
        }
    }
    for (oid, was) in before.iter().filter(|(oid, state)| state.table == 0 && older.contains_key(*oid)) {
        let Some(now) = after.get(oid) else { continue };
        let rewritten = now.file != was.file && matches!(now.kind, 'r' | 'm');
        let built = builds.get(oid).copied().unwrap_or(0);
        if rewritten {
            trace.rewrites.insert(was.qualified.clone());
        }
        if built > 0 {
            trace.index_builds.insert(was.qualified.clone());
        }
        let scans = scans.get(oid).copied().unwrap_or(0);
        if scans - built - i64::from(rewritten) > 0 {
            trace.scans.insert(was.qualified.clone());
        }
    }
    trace
}
