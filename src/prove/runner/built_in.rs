//! The built-in runner: does what the runner of the recognised layout does, as far as proofs can see it ([`known`](super::known)).
//!
//! Invariants: what is pending is read from the ledger, under the lock where the real runner has one; a session-level lock is released
//! however the call ends, and a lock that is a row is too unless the session is lost, as with the real ones; every session of the call
//! is closed when it returns. Proofs about its lock and its ledger say nothing about the user's runner.

use super::execute::{self, Along, Stopped};
use super::known::{Entry, Lock, Made, Moment, Pending, Profile, Session, Spread, profile};
use super::session::Sessions;
use super::{Call, Ended, Ledger, RunFailure, Runner, RunnerError};
use crate::prove::chain::Chain;
use crate::prove::limit;
use crate::source::{UnitKind, Wrapping};
use postgres::Client;
use std::fmt::Write;
use std::time::Duration;

#[derive(Debug)]
pub struct BuiltIn {
    profile: &'static Profile,
    ledger: Ledger,
}

impl BuiltIn {
    /// As the runner of the layout of that name.
    pub fn new(layout: &str) -> BuiltIn {
        let profile = profile(layout);
        let ledger = Ledger { table: profile.ledger.table.to_owned(), column: profile.ledger.column.to_owned() };
        BuiltIn { profile, ledger }
    }

    /// What it does as its model does.
    pub fn profile(&self) -> &'static Profile {
        self.profile
    }

    /// What it does otherwise than the runner it stands for, one sentence without a full stop.
    pub fn remark(&self) -> Option<&'static str> {
        self.profile.remark
    }
}

impl Runner for BuiltIn {
    fn description(&self) -> String {
        match self.profile.runner {
            Some(name) => format!("built-in runner (as {name})"),
            None => "built-in runner (nobody knows the real one)".to_owned(),
        }
    }

    fn is_built_in(&self) -> bool {
        true
    }

    fn ledger(&self) -> Option<&Ledger> {
        Some(&self.ledger)
    }

    fn run(&self, chain: &Chain<'_>, call: &Call<'_>) -> Result<Ended, RunnerError> {
        let sessions = Sessions::of(call);
        let mut ended = Ended::default();
        let work = || Run { profile: self.profile, chain, sessions: &sessions, units: call.units }.go(&mut ended);
        let (outcome, is_over) = limit::within(call.limit, || sessions.end(), work);
        match outcome {
            Ok(()) => {}
            // A session that was ended because its time was over could not be opened either.
            Err(Why::Error(error)) if !is_over => return Err(error),
            Err(Why::Error(error)) => {
                ended.failure = Some(RunFailure { unit: None, statement: None, sqlstate: None, message: error.to_string() });
            }
            Err(Why::Failure(failure)) => ended.failure = Some(failure),
        }
        if let Some(failure) = ended.failure.as_mut().filter(|_| is_over) {
            failure.message = format!("stopped after {} s: {}", call.limit.as_secs_f64(), failure.message);
        }
        Ok(ended)
    }
}

/// Why a run ended early.
enum Why {
    Failure(RunFailure),
    Error(RunnerError),
}

impl From<RunnerError> for Why {
    fn from(error: RunnerError) -> Why {
        Why::Error(error)
    }
}

/// What the server says to the runner itself, and not to a unit's statement.
fn of_runner(error: postgres::Error) -> Why {
    Why::Failure(Stopped { statement: None, error }.failure(None))
}

fn refused(message: impl Into<String>) -> Why {
    Why::Failure(RunFailure { unit: None, statement: None, sqlstate: None, message: message.into() })
}

/// One call.
struct Run<'a> {
    profile: &'static Profile,
    chain: &'a Chain<'a>,
    sessions: &'a Sessions<'a>,
    units: usize,
}

impl Run<'_> {
    fn go(&self, ended: &mut Ended) -> Result<(), Why> {
        let mut control = self.sessions.open()?;
        let is_under_lock = matches!(self.profile.ledger.made, Made::ByRunner { under_lock: true, .. });
        if !is_under_lock {
            self.make_ledger(&mut control)?;
        }
        self.lock(&mut control)?;
        let outcome = self.locked(&mut control, is_under_lock, ended);
        if outcome.is_err() {
            // The session may be lost; then its lock is released with it.
            let _ = control.batch_execute("ROLLBACK");
        }
        let released = self.unlock(&mut control);
        outcome.and(released)
    }

    fn locked(&self, control: &mut Client, make: bool, ended: &mut Ended) -> Result<(), Why> {
        if make {
            self.make_ledger(control)?;
        }
        let pending = self.pending(control)?;
        match self.profile.spread {
            Spread::EachUnit => self.each(control, &pending, ended),
            Spread::AllPending => self.together(control, &pending, ended),
        }
    }

    fn make_ledger(&self, control: &mut Client) -> Result<(), Why> {
        let Made::ByRunner { sql, looks_first, .. } = self.profile.ledger.made else { return Ok(()) };
        if looks_first && self.has(control, self.profile.ledger.table)? {
            return Ok(());
        }
        sql.iter().try_for_each(|sql| control.batch_execute(sql)).map_err(of_runner)
    }

    fn has(&self, client: &mut Client, table: &str) -> Result<bool, Why> {
        let row = client.query_one("SELECT pg_catalog.to_regclass($1) IS NOT NULL", &[&table]);
        row.and_then(|row| row.try_get(0)).map_err(of_runner)
    }

    fn lock(&self, control: &mut Client) -> Result<(), Why> {
        let mut asks = |key: i64| -> Result<bool, Why> {
            let row = control.query_one("SELECT pg_catalog.pg_try_advisory_lock($1)", &[&key]);
            row.and_then(|row| row.try_get(0)).map_err(of_runner)
        };
        match self.profile.lock {
            Lock::None => Ok(()),
            Lock::Waited { key } => {
                control.query("SELECT pg_catalog.pg_advisory_lock($1)", &[&key]).map(|_| ()).map_err(of_runner)
            }
            Lock::Polled { key, every, tries } => again(every, tries, || asks(key)),
            Lock::Tried { key, refusal } => {
                if asks(key)? {
                    Ok(())
                } else {
                    Err(refused(refusal))
                }
            }
            Lock::Row { table, make, take, every, tries, .. } => {
                if !self.has(control, table)? {
                    make.iter().try_for_each(|sql| control.batch_execute(sql)).map_err(of_runner)?;
                }
                again(every, tries, || control.execute(take, &[]).map(|rows| rows == 1).map_err(of_runner))
            }
        }
    }

    fn unlock(&self, control: &mut Client) -> Result<(), Why> {
        match self.profile.lock {
            Lock::None => Ok(()),
            Lock::Waited { key } | Lock::Polled { key, .. } | Lock::Tried { key, .. } => {
                control.query("SELECT pg_catalog.pg_advisory_unlock($1)", &[&key]).map(|_| ()).map_err(of_runner)
            }
            Lock::Row { release, .. } => control.batch_execute(release).map_err(of_runner),
        }
    }

    fn entry(&self, unit: usize) -> Option<Entry<'_>> {
        Some(Entry { place: unit + 1, migration: self.chain.checked.history.migrations.get(unit)? })
    }

    /// Indexes of the units to apply.
    fn pending(&self, control: &mut Client) -> Result<Vec<usize>, Why> {
        let ledger = &self.profile.ledger;
        let mut applied: Vec<String> = Vec::new();
        if ledger.made != Made::ByScripts || self.has(control, ledger.table)? {
            if let Some((query, says)) = ledger.refuses
                && !control.query(query, &[]).map_err(of_runner)?.is_empty()
            {
                return Err(refused(says));
            }
            for row in control.query(ledger.read, &[]).map_err(of_runner)? {
                applied.push(row.try_get(0).map_err(of_runner)?);
            }
        }
        let is_applied = |unit: usize| self.entry(unit).is_some_and(|entry| applied.contains(&(ledger.key)(&entry)));
        let units = self.chain.units.len();
        Ok(match self.profile.pending {
            Pending::Missing => (0..units.min(self.units)).filter(|&unit| !is_applied(unit)).collect(),
            Pending::AfterLast => {
                let from = (0..units).rev().find(|&unit| is_applied(unit)).map_or(0, |last| last + 1);
                (from..units.min(self.units)).collect()
            }
            Pending::Everything => (0..units.min(self.units)).collect(),
        })
    }

    /// Every unit by itself.
    fn each(&self, control: &mut Client, pending: &[usize], ended: &mut Ended) -> Result<(), Why> {
        // The session of a file, and its path.
        let mut own: Option<(Client, &str)> = None;
        for &unit in pending {
            let path = self.chain.units[unit].path.as_str();
            match self.profile.session {
                Session::One => self.one(unit, control, None, ended)?,
                Session::Reset => {
                    control.batch_execute("RESET ALL").map_err(of_runner)?;
                    self.one(unit, control, None, ended)?;
                }
                Session::OnePerFile => {
                    if own.as_ref().is_none_or(|(_, of)| *of != path) {
                        own = Some((self.sessions.open()?, path));
                    }
                    if let Some((client, _)) = &mut own {
                        self.one(unit, client, Some(control), ended)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// One unit over `client`; the ledger's own transactions over `control` where that is another session.
    fn one(&self, unit: usize, client: &mut Client, control: Option<&mut Client>, ended: &mut Ended) -> Result<(), Why> {
        let Some(entry) = self.entry(unit) else { return Ok(()) };
        let ledger = &self.profile.ledger;
        let mut control = control;
        if let Some(before) = ledger.before {
            let client = control.as_deref_mut().unwrap_or(client);
            client.batch_execute(&before(&entry)).map_err(|error| of_unit(unit, error))?;
        }
        let record = ledger.record.map(|(moment, record)| (moment, record(&entry)));
        let row = record.as_ref().map(|(moment, row)| (*moment, row.as_str()));
        let along = Along {
            in_transaction: row.filter(|(moment, _)| *moment != Moment::After).map(|(_, row)| row),
            in_batch: row.filter(|(moment, _)| *moment == Moment::InBatch).map(|(_, row)| row),
            is_inside: false,
            leaves_out: None,
        };
        let written = self.statements(unit, client, along, ended)?;
        if let Some((moment, row)) = row.filter(|_| !written) {
            let client = match (moment, control) {
                (Moment::After, Some(control)) => control,
                _ => client,
            };
            if ledger.made != Made::ByScripts || self.has(client, ledger.table)? {
                client.batch_execute(row).map_err(|error| of_unit(unit, error))?;
            }
        }
        ended.applied.push(unit);
        Ok(())
    }

    /// All units in one transaction. One that opts out of it, or brings its own, runs between two.
    fn together(&self, client: &mut Client, pending: &[usize], ended: &mut Ended) -> Result<(), Why> {
        let mut done = Vec::new();
        let mut is_open = false;
        for &unit in pending {
            if self.chain.units[unit].wrapping != Wrapping::Wrapped {
                if is_open {
                    client.batch_execute("COMMIT").map_err(of_runner)?;
                    is_open = false;
                    ended.applied.append(&mut done);
                }
                self.one(unit, client, None, ended)?;
                continue;
            }
            if !is_open {
                client.batch_execute("BEGIN").map_err(of_runner)?;
                is_open = true;
            }
            let Some(entry) = self.entry(unit) else { continue };
            let row = self.profile.ledger.record.map(|(_, record)| record(&entry));
            let along = Along { in_transaction: row.as_deref(), in_batch: None, is_inside: true, leaves_out: None };
            self.statements(unit, client, along, ended)?;
            done.push(unit);
        }
        if is_open {
            client.batch_execute("COMMIT").map_err(of_runner)?;
        }
        ended.applied.append(&mut done);
        Ok(())
    }

    fn statements(&self, unit: usize, client: &mut Client, along: Along<'_>, ended: &mut Ended) -> Result<bool, Why> {
        let replayed = &self.chain.units[unit];
        let kind = self.chain.checked.history.migrations.get(unit).map(|migration| migration.kind);
        if kind != Some(UnitKind::Sql) {
            note(&mut ended.output, format_args!("{}: no SQL, not run", replayed.id));
        }
        let outcome = execute::run(client, replayed, along);
        let (applied, written) = outcome.map_err(|stopped| Why::Failure(stopped.failure(Some(unit))))?;
        for (statement, why) in applied.skipped {
            note(&mut ended.output, format_args!("{}, statement {}: not run: {why}", replayed.id, statement + 1));
        }
        Ok(written)
    }
}

fn of_unit(unit: usize, error: postgres::Error) -> Why {
    Why::Failure(Stopped { statement: None, error }.failure(Some(unit)))
}

fn note(output: &mut String, line: std::fmt::Arguments<'_>) {
    // A String takes everything.
    let _ = writeln!(output, "{line}");
}

fn again(every: Duration, tries: u32, mut asks: impl FnMut() -> Result<bool, Why>) -> Result<(), Why> {
    for _ in 0..tries {
        if asks()? {
            return Ok(());
        }
        std::thread::sleep(every);
    }
    Err(refused("the lock of another run was not released in time"))
}
