//! What a statement costs, as the server shows it from inside the open transaction: locks from `pg_locks`, rewrites and index
//! builds from file nodes, scans from the transaction's counters.
//!
//! All of it is about relations that were there before: temporary ones, members of extensions and what the statement itself makes
//! are left out. Names are those from before the statement.

use crate::effect::LockMode;
use postgres::{Client, Error};
use std::collections::{BTreeMap, BTreeSet};

type Oid = u32;

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

/// One relation of users at one moment.
#[derive(Clone, Debug)]
struct State {
    name: String,
    kind: char,
    /// 0 for what has no file of its own.
    file: Oid,
    /// The table of an index, else 0.
    table: Oid,
    /// Scans that the open transaction began.
    scans: i64,
    /// An index that excludes reads the table twice when it is built: for itself, and for what it excludes (`IndexCheckExclusion`).
    excludes: bool,
}

/// The relations of users, by OID.
#[derive(Clone, Debug, Default)]
pub struct Relations(BTreeMap<Oid, State>);

const RELATIONS: &str = "\
    SELECT c.oid, c.relkind::text, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), \
           coalesce(pg_catalog.pg_relation_filenode(c.oid), 0::pg_catalog.oid), coalesce(i.indrelid, 0::pg_catalog.oid), \
           coalesce(pg_catalog.pg_stat_get_xact_numscans(c.oid), 0), coalesce(i.indisexclusion, false) \
    FROM pg_catalog.pg_class c \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid \
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_(toast_)?temp_' \
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
                      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'e' \
                        AND d.objid = coalesce(i.indrelid, c.oid))";

const LOCKS: &str = "\
    SELECT relation, mode FROM pg_catalog.pg_locks \
    WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation' AND granted \
      AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())";

impl Relations {
    /// Reads them; scan counters are those of the open transaction.
    pub fn read(client: &mut Client) -> Result<Relations, Error> {
        let rows = client.query(RELATIONS, &[])?;
        let relation = |row: &postgres::Row| -> Result<(Oid, State), Error> {
            let kind: String = row.try_get(1)?;
            let state = State {
                name: row.try_get(2)?,
                kind: kind.chars().next().unwrap_or('r'),
                file: row.try_get(3)?,
                table: row.try_get(4)?,
                scans: row.try_get(5)?,
                excludes: row.try_get(6)?,
            };
            Ok((row.try_get(0)?, state))
        };
        rows.iter().map(relation).collect::<Result<_, _>>().map(Relations)
    }

    /// What happened since these were read, in the open transaction that began then. `older` are those that count.
    pub fn trace(&self, client: &mut Client, older: &Relations) -> Result<Trace, Error> {
        let held = self.locks(client)?;
        let after = Relations::read(client)?;
        let mut trace = self.files(&after, older, &after);
        trace.locks = Some(self.named(&held, older));
        Ok(trace)
    }

    /// The same for a statement that ended its transaction itself: no locks and no scans are left to be seen.
    pub fn trace_afterwards(&self, client: &mut Client, older: &Relations) -> Result<Trace, Error> {
        let after = Relations::read(client)?;
        Ok(self.files(&after, older, &Relations::default()))
    }

    fn locks(&self, client: &mut Client) -> Result<BTreeMap<Oid, LockMode>, Error> {
        let mut held: BTreeMap<Oid, LockMode> = BTreeMap::new();
        for row in client.query(LOCKS, &[])? {
            let (relation, mode): (Oid, String) = (row.try_get(0)?, row.try_get(1)?);
            if let Some(mode) = LockMode::named(&mode) {
                let strongest = held.entry(relation).or_insert(mode);
                *strongest = (*strongest).max(mode);
            }
        }
        Ok(held)
    }

    fn named(&self, held: &BTreeMap<Oid, LockMode>, older: &Relations) -> BTreeMap<String, LockMode> {
        let counts = |oid: Oid, state: &State, mode: LockMode| {
            let is_index = matches!(state.kind, 'i' | 'I');
            older.0.contains_key(&oid) && (!is_index || held.get(&state.table).is_none_or(|table| *table < mode))
        };
        let known = held.iter().filter_map(|(oid, mode)| Some((*oid, self.0.get(oid)?, *mode)));
        known.filter(|(oid, state, mode)| counts(*oid, state, *mode)).map(|(_, state, mode)| (state.name.clone(), mode)).collect()
    }

    /// Rewrites, builds and scans. `counted` has the scan counters.
    fn files(&self, after: &Relations, older: &Relations, counted: &Relations) -> Trace {
        let mut trace = Trace::default();
        let files_before: BTreeSet<Oid> = self.0.values().map(|state| state.file).collect();
        let mut builds: BTreeMap<Oid, i64> = BTreeMap::new();
        for (oid, state) in after.0.iter().filter(|(_, state)| matches!(state.kind, 'i' | 'I')) {
            let is_new = match self.0.get(oid) {
                Some(before) => before.file != state.file,
                // An index that only changed its definition keeps the file of the old one.
                None => !files_before.contains(&state.file),
            };
            if is_new && state.file != 0 {
                *builds.entry(state.table).or_default() += 1 + i64::from(state.excludes);
            }
        }
        let mut index_scans: BTreeMap<Oid, i64> = BTreeMap::new();
        // A new index that excludes is searched for each row: that is part of building it.
        let searched = |oid: &Oid, state: &State| state.table != 0 && (!state.excludes || self.0.contains_key(oid));
        for (oid, state) in counted.0.iter().filter(|(oid, state)| searched(oid, state)) {
            let before = self.0.get(oid).map_or(0, |before| before.scans);
            *index_scans.entry(state.table).or_default() += state.scans - before;
        }
        for (oid, before) in self.0.iter().filter(|(oid, state)| state.table == 0 && older.0.contains_key(oid)) {
            let Some(now) = after.0.get(oid) else { continue };
            let rewritten = now.file != before.file && matches!(now.kind, 'r' | 'm');
            let built = builds.get(oid).copied().unwrap_or(0);
            if rewritten {
                trace.rewrites.insert(before.name.clone());
            }
            if built > 0 {
                trace.index_builds.insert(before.name.clone());
            }
            let scans = counted.0.get(oid).map_or(0, |state| state.scans - before.scans);
            let scans = scans + index_scans.get(oid).copied().unwrap_or(0);
            if scans - built - i64::from(rewritten) > 0 {
                trace.scans.insert(before.name.clone());
            }
        }
        trace
    }
}
