//! A runner that is killed at a statement boundary: what is there then, and where does the next run end?
//!
//! The runner works through a proxy that ends its backends after the n-th statement, the moment between a migration's last statement
//! and its record included. A migration in a transaction must then be there or not; every one must come to the same end in the next
//! run. Every boundary is tried as long as the budget lasts; where there are more, those of migrations without a transaction come first,
//! and of the others a spread.
//!
//! Some runners note that a migration began and then refuse to go on until somebody tells them that nothing happened
//! (golang-migrate's `force`). The built-in runner does that too, and is told so here where it is true, which is said.
//!
//! What was taken from a sequence stays taken when a transaction is undone: that is no part of a migration, and is put back before the
//! next run, whose rows then have the same numbers as those of an undisturbed one.

use super::differences;
use super::is_judged;
use crate::finding::Level;
use crate::op::Op;
use crate::prove::cluster::Database;
use crate::prove::evidence::{Coverage, Found, ProofReport};
use crate::prove::fingerprint::{Contents, Difference, Fingerprint, Masked, Scope};
use crate::prove::runner::proxy::{Administrator, Proxy, Watch};
use crate::prove::runner::{Call, Ended, Ledger, RunFailure, RunnerError};
use crate::prove::server::ServerError;
use crate::prove::stage::{Deadline, Proof, ProveError, Stage, while_proving};
use crate::source::Wrapping;
use crate::sql::names::quote_literal;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct Crash;

impl Proof for Crash {
    fn name(&self) -> &'static str {
        "crash"
    }

    fn summary(&self) -> &'static str {
        "a runner that is killed leaves a whole migration or none, and the next run goes on"
    }

    fn rules(&self) -> &'static [&'static str] {
        &["crash-not-atomic", "crash-not-resumable"]
    }

    fn calls_the_runner(&self) -> bool {
        true
    }

    fn prove(&self, stage: &Stage<'_>) -> Result<ProofReport, ProveError> {
        drop(stage.memory.applied.take());
        stage.cluster.reset()?;
        let mut killing = Killing {
            stage,
            database: stage.cluster.fresh()?,
            applied: 0,
            coverage: Coverage { done: 0, of: 0, what: "statement boundaries" },
            found: Vec::new(),
            said: BTreeSet::new(),
            was_forced: false,
            took_numbers: false,
        };
        let why = killing.go()?;
        let mut remarks = Vec::new();
        if killing.was_forced {
            remarks.push(
                "after a crash this runner refuses to go on until it is told which version is there; that was done wherever nothing or \
                 all of the migration was left"
                    .to_owned(),
            );
        }
        if killing.took_numbers {
            remarks.push(
                "sequences do not roll back: numbers that a killed migration had taken were put back before the next run"
                    .to_owned(),
            );
        }
        Ok(ProofReport::of(killing.coverage, remarks, killing.found).unless(why))
    }
}

/// What one kill may take until it is measured.
const GUESS: Duration = Duration::from_millis(250);
/// Findings of one kind that are told; what is wrong in each migration is wrong with the runner.
const MOST_FOUND: usize = 20;

struct Killing<'a, 's> {
    stage: &'a Stage<'s>,
    /// The first `applied` units are there, with the runner's ledger.
    database: Database<'s>,
    applied: usize,
    coverage: Coverage,
    found: Vec<Found>,
    /// Messages that were told already.
    said: BTreeSet<String>,
    was_forced: bool,
    took_numbers: bool,
}

impl<'s> Killing<'_, 's> {
    /// `None`, or why nothing can be said about a part of the history.
    fn go(&mut self) -> Result<Option<String>, ProveError> {
        let units: Vec<usize> = (0..self.stage.chain.units.len()).filter(|at| is_judged(self.stage, *at)).collect();
        let deadline = Deadline::after(self.stage.wanted.budget);
        let started = Instant::now();
        let mut kills = 0_u32;
        // Boundaries of units are counted when they are there; until then a statement is one, and the runner's own are some more.
        let guessed = |at: usize| self.stage.chain.units[at].statements.len() + 4;
        let (mut risky, mut safe): (usize, usize) = (0, 0);
        for at in &units {
            *if self.is_risky(*at) { &mut risky } else { &mut safe } += guessed(*at);
        }
        for at in units {
            let cost = if kills == 0 { GUESS } else { started.elapsed() / kills };
            let affordable = usize::try_from(deadline.left().as_millis() / cost.as_millis().max(1)).unwrap_or(usize::MAX);
            let is_risky = self.is_risky(at);
            let share = if is_risky {
                Share { of: risky, affordable }
            } else {
                Share { of: safe, affordable: affordable.saturating_sub(risky) }
            };
            *if is_risky { &mut risky } else { &mut safe } -= guessed(at);
            let wanted = share.of_unit(guessed(at));
            if wanted == 0 {
                self.coverage.of += guessed(at);
                continue;
            }
            if let Some(why) = self.unit(at, wanted, &mut kills)? {
                return Ok(Some(why));
            }
        }
        Ok(None)
    }

    /// What it leaves is not settled by the server's own transaction.
    fn is_risky(&self, at: usize) -> bool {
        let unit = &self.stage.chain.units[at];
        let ends_it = |op: &Option<Op>| matches!(op, Some(Op::Transaction(_) | Op::Call { .. }));
        !matches!(unit.wrapping, Wrapping::Wrapped | Wrapping::Batch)
            || unit.statements.iter().any(|statement| ends_it(&statement.op))
    }

    fn run(&self, database: &Database<'_>, units: usize, proxy: Option<&Proxy>) -> Result<Ended, ProveError> {
        let call = Call { database, units, through: proxy.map(Proxy::endpoint), limit: self.stage.wanted.runner_limit };
        Ok(self.stage.runner.run(self.stage.chain, &call)?)
    }

    fn proxy(&self, watch: Watch) -> Result<Proxy, ProveError> {
        let watch = watch.with_administrator(Administrator::of(self.stage.cluster));
        let watch = match self.stage.runner.ledger() {
            Some(ledger) => watch.with_ledger(&ledger.table),
            None => watch,
        };
        Ok(Proxy::unix(&self.stage.cluster.server().endpoint(), watch)?)
    }

    /// Kills the runner at this many boundaries of one unit.
    fn unit(&mut self, at: usize, wanted: usize, kills: &mut u32) -> Result<Option<String>, ProveError> {
        self.stage.progress.unit(&self.stage.chain.units[at].id);
        if self.applied < at {
            if let Some(failure) = self.run(&self.database, at, None)?.failure {
                return Ok(Some(format!(
                    "the history does not apply up to {}: {}",
                    self.stage.chain.units[at].path, failure.message
                )));
            }
            self.applied = at;
        }
        let before = self.look(&self.database)?;
        // A run that nobody disturbs: it says how many boundaries there are, and what comes out.
        let undisturbed = self.stage.cluster.copy_of(&self.database)?;
        let proxy = self.proxy(Watch::nothing())?;
        if let Some(failure) = self.run(&undisturbed, at + 1, Some(&proxy))?.failure {
            return Ok(Some(format!("{} does not apply: {}", self.stage.chain.units[at].path, failure.message)));
        }
        let boundaries = proxy.boundaries();
        drop(proxy);
        let after = self.look(&undisturbed)?;
        self.coverage.of += boundaries;
        let unit = Unit { at, before, after, undisturbed };
        for boundary in spread(boundaries, wanted) {
            self.kill(&unit, boundary)?;
            *kills += 1;
            self.coverage.done += 1;
        }
        Ok(None)
    }

    fn look(&self, database: &Database<'_>) -> Result<Fingerprint, ProveError> {
        let mut client = database.connect_as_administrator()?;
        let mut scope = Scope { cluster: false, ..Scope::everything() };
        let ledger = self.ledger(database)?;
        scope.without_data_of.extend(ledger.iter().map(|ledger| ledger.table.clone()));
        let mut seen = Fingerprint::read(&mut client, &scope).map_err(while_proving("read the database"))?;
        // A schema that the runner makes for it alone.
        if let Some((schema, _)) = self.stage.runner.ledger().and_then(|ledger| ledger.table.split_once('.')) {
            seen.schema.retain(|key, _| !(key.kind.as_ref() == "schema" && key.name == schema && schema != "public"));
        }
        // The first run makes it, before any unit: it and what hangs on it are no unit's.
        if let Some(ledger) = ledger {
            seen.schema.retain(|key, _| !key.name.contains(&ledger.table));
            seen.data.retain(|name, _| !name.contains(&ledger.table));
        }
        Ok(seen)
    }

    /// The ledger as the fingerprint names it.
    fn ledger(&self, database: &Database<'_>) -> Result<Option<Ledger>, ProveError> {
        let mut client = database.connect()?;
        let known = match self.stage.runner.ledger() {
            Some(ledger) => Some(ledger.clone()),
            None => Ledger::find(&mut client).map_err(while_proving("look for the ledger"))?,
        };
        let Some(ledger) = known else { return Ok(None) };
        const QUALIFIED: &str = "SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) \
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass($1)";
        let rows = client.query(QUALIFIED, &[&ledger.table]).map_err(while_proving("look for the ledger"))?;
        let table = rows.first().map(|row| row.try_get(0)).transpose().map_err(while_proving("look for the ledger"))?;
        Ok(table.map(|table| Ledger { table, column: ledger.column }))
    }

    fn kill(&mut self, unit: &Unit<'_>, boundary: usize) -> Result<(), ProveError> {
        let victim = self.stage.cluster.copy_of(&self.database)?;
        let proxy = self.proxy(Watch::cut_at(boundary))?;
        match self.run(&victim, unit.at + 1, Some(&proxy)) {
            // How it takes its own end is its own matter: what counts is what it leaves.
            Ok(_)
            | Err(ProveError::Runner(RunnerError::Connection { .. } | RunnerError::Server(ServerError::Connection { .. }))) => {}
            Err(error) => return Err(error),
        }
        if let Some(trouble) = proxy.trouble().first() {
            return Err(ProveError::Trouble(trouble.clone()));
        }
        drop(proxy);
        // A command may have children that hold on.
        victim.end_sessions()?;
        let left = self.look(&victim)?;
        let (taken, found): (Vec<Difference>, Vec<Difference>) =
            unit.before.difference(&left, &Masked::default()).into_iter().partition(is_position);
        let is_before = found.is_empty();
        let is_after = is_before || self.is_end(unit, &left)?.is_none();
        let wrapping = self.stage.chain.units[unit.at].wrapping;
        if !is_after && matches!(wrapping, Wrapping::Wrapped | Wrapping::Batch) {
            let what = differences(&found);
            self.tell(
                "crash-not-atomic",
                unit.at,
                format!("the runner was killed after {boundary} statements, and a part of this migration is there: {what}"),
            );
        }
        if is_before && !taken.is_empty() {
            put_back(&victim, &taken)?;
            self.took_numbers = true;
        }
        let mut ended = self.run(&victim, unit.at + 1, None)?;
        if let (Some(_), true, true) = (&ended.failure, is_before || is_after, self.stage.runner.is_built_in()) {
            // As with `force`: the record says what is there, nothing of the migration or all of it.
            self.set_ledger(&victim, if is_before { &self.database } else { &unit.undisturbed })?;
            self.was_forced = true;
            ended = self.run(&victim, unit.at + 1, None)?;
        }
        if let Some(RunFailure { message, sqlstate, .. }) = ended.failure {
            let state = sqlstate.map(|state| format!(" ({state})")).unwrap_or_default();
            self.tell(
                "crash-not-resumable",
                unit.at,
                format!("the runner was killed in this migration, and the next run fails: {message}{state}"),
            );
        } else if let Some(what) = self.is_end(unit, &self.look(&victim)?)? {
            self.tell(
                "crash-not-resumable",
                unit.at,
                format!("the runner was killed in this migration, and the next run ends elsewhere: {what}"),
            );
        }
        Ok(())
    }

    /// `None` where this is what an undisturbed run leaves, apart from what is never the same twice, and from numbers that a run which
    /// failed took.
    fn is_end(&self, unit: &Unit<'_>, left: &Fingerprint) -> Result<Option<String>, ProveError> {
        let different = |masked: &Masked| -> Vec<Difference> {
            unit.after.difference(left, masked).into_iter().filter(|difference| !is_position(difference)).collect()
        };
        if different(&Masked::default()).is_empty() {
            return Ok(None);
        }
        let again = self.stage.cluster.copy_of(&self.database)?;
        self.run(&again, unit.at + 1, None)?;
        let masked = Fingerprint::undetermined(&unit.after, &self.look(&again)?);
        let found = different(&masked);
        Ok((!found.is_empty()).then(|| differences(&found)))
    }

    /// The ledger's rows as another database has them.
    fn set_ledger(&self, victim: &Database<'_>, as_in: &Database<'_>) -> Result<(), ProveError> {
        let Some(known) = self.ledger(victim)? else { return Ok(()) };
        let mut rows = Vec::new();
        // Before the first run there is none.
        if let Some(old) = self.ledger(as_in)? {
            let mut from = as_in.connect()?;
            let copy = format!("COPY {} TO STDOUT", old.table);
            let mut reader = from.copy_out(&copy).map_err(while_proving("read the ledger"))?;
            reader.read_to_end(&mut rows).map_err(|source| ProveError::Copy { source })?;
        }
        let mut to = victim.connect()?;
        to.batch_execute(&format!("DELETE FROM {}", known.table)).map_err(while_proving("put the ledger back"))?;
        let mut writer = to.copy_in(&format!("COPY {} FROM STDIN", known.table)).map_err(while_proving("put the ledger back"))?;
        writer.write_all(&rows).map_err(|source| ProveError::Copy { source })?;
        writer.finish().map_err(while_proving("put the ledger back"))?;
        Ok(())
    }

    fn tell(&mut self, rule: &'static str, unit: usize, message: String) {
        let is_new = self.said.insert(format!("{rule} {unit}"));
        let told = self.found.iter().filter(|found| found.rule == rule).count();
        if !is_new || told >= MOST_FOUND {
            return;
        }
        let help = match rule {
            "crash-not-atomic" => {
                "leave BEGIN and COMMIT to the runner, and give what cannot run in a transaction a migration of its own"
            }
            _ => {
                "one transaction around the migration; where it has to be without one, one statement in it, guarded so that it bears a second run"
            }
        };
        self.found.push(Found {
            rule,
            level: Level::Error,
            unit: Some(unit),
            statement: None,
            message,
            help: help.into(),
            shown_by: None,
        });
    }
}

/// One unit and what is there before and after it, the ledger's rows left out.
struct Unit<'s> {
    at: usize,
    before: Fingerprint,
    after: Fingerprint,
    /// A database with this unit.
    undisturbed: Database<'s>,
}

/// How many kills a kind of unit gets.
struct Share {
    /// Boundaries that are left, this unit's included.
    of: usize,
    affordable: usize,
}

impl Share {
    /// Of this unit, in proportion; rounded so that some units get one and others none rather than nobody any.
    fn of_unit(&self, boundaries: usize) -> usize {
        if self.affordable >= self.of {
            return usize::MAX;
        }
        // Whether this unit is one of those that are looked at: with its share of the rest.
        let exact = boundaries * self.affordable;
        let whole = exact / self.of.max(1);
        let rest = exact % self.of.max(1);
        whole + usize::from(rest * 2 >= self.of && self.affordable > 0)
    }
}

/// `wanted` of the boundaries 1 to `all`, evenly, the last two of them first: before and after the record.
fn spread(all: usize, wanted: usize) -> Vec<usize> {
    if wanted >= all {
        return (1..=all).collect();
    }
    let mut chosen = BTreeSet::new();
    for at in 0..wanted {
        chosen.insert(all - at * all / wanted);
    }
    chosen.into_iter().filter(|boundary| *boundary > 0).collect()
}

/// Where a sequence stands, on both sides.
fn is_position(difference: &Difference) -> bool {
    let Difference::Contents { before: Some(before), after: Some(after), .. } = difference else { return false };
    matches!((before, after), (Contents::Sequence { .. }, Contents::Sequence { .. }))
}

/// Sequences stand again where they stood before.
fn put_back(database: &Database<'_>, taken: &[Difference]) -> Result<(), ProveError> {
    let mut client = database.connect_as_administrator()?;
    for difference in taken {
        if let Difference::Contents { relation, before: Some(Contents::Sequence { last_value, is_called }), .. } = difference {
            let set = format!("SELECT pg_catalog.setval({}, {last_value}, {is_called})", quote_literal(relation));
            client.batch_execute(&set).map_err(while_proving("put a sequence back"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_even_and_within() {
        assert_eq!(spread(3, 10), [1, 2, 3]);
        assert_eq!(spread(10, 1), [10]);
        assert_eq!(spread(10, 5), [2, 4, 6, 8, 10]);
        assert!(spread(0, 3).is_empty());
    }

    #[test]
    fn who_cannot_have_all_gets_a_share() {
        assert_eq!(Share { of: 100, affordable: 200 }.of_unit(10), usize::MAX);
        assert_eq!(Share { of: 100, affordable: 50 }.of_unit(10), 5);
        assert_eq!(Share { of: 1000, affordable: 20 }.of_unit(10), 0);
        assert_eq!(Share { of: 1000, affordable: 60 }.of_unit(10), 1);
        assert_eq!(Share { of: 10, affordable: 0 }.of_unit(10), 0);
    }
}
