//! Several runners started together: each must succeed, each migration act once, and nothing be left behind.
//!
//! From an empty database, then from one that is half migrated, then from one where nothing is pending. The windows in which runners
//! collide are held open, so that a race is found every time: [`rendezvous`] lets them meet before and after their first DDL, [`hold`]
//! keeps a change open that they run into, and lets it go when they all wait for it.

mod hold;
mod rendezvous;

use super::reference::Reference;
use super::{differences, reference};
use crate::finding::Level;
use crate::prove::cluster::Database;
use crate::prove::evidence::{Coverage, Found, ProofReport};
use crate::prove::fingerprint::{Fingerprint, Scope};
use crate::prove::runner::{Call, Ended, RunFailure, Runner, RunnerError};
use crate::prove::stage::{Deadline, Proof, ProveError, Stage, while_proving};
use hold::Hold;
use postgres::Client;
use rendezvous::Rendezvous;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[derive(Debug)]
pub struct Runners;

const RULE: &str = "runners-collide";

impl Proof for Runners {
    fn name(&self) -> &'static str {
        "runners"
    }

    fn summary(&self) -> &'static str {
        "runners that start together do not disturb each other"
    }

    fn rules(&self) -> &'static [&'static str] {
        &[RULE]
    }

    fn calls_the_runner(&self) -> bool {
        true
    }

    fn prove(&self, stage: &Stage<'_>) -> Result<ProofReport, ProveError> {
        let reference = match reference::of_everything(stage)? {
            Ok(reference) => reference,
            Err(failure) => return Ok(ProofReport::not_run(format!("the history does not apply: {}", failure.message))),
        };
        let deadline = Deadline::after(stage.wanted.budget);
        let all = stage.chain.units.len();
        let mut rounds = vec![Round::FromEmpty; stage.wanted.rounds];
        if all > 1 {
            rounds.push(Round::HalfApplied);
        }
        rounds.push(Round::NothingPending);
        let mut coverage = Coverage { done: 0, of: rounds.len(), what: "rounds" };
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut remarks = Vec::new();
        let mut found = Vec::new();
        for round in rounds {
            if coverage.done > 0 && deadline.is_over() {
                remarks.push("the time budget (--budget) ended before the last round".to_owned());
                break;
            }
            let collision = Collision { stage, reference, round };
            let collisions = match collision.run()? {
                Ok(collisions) => collisions,
                Err(why) => {
                    remarks.push(why);
                    continue;
                }
            };
            coverage.done += 1;
            for (unit, what) in collisions {
                // The same thing in every round is one finding.
                if seen.insert(format!("{round:?} {what}")) && found.len() < MOST_FOUND {
                    found.push(told(stage, round, unit, &what));
                }
            }
        }
        if !stage.cluster.server().has_superuser() {
            remarks.push(match stage.runner.ledger() {
                Some(ledger) => format!(
                    "without a superuser only the making of {} is held open; runners meet elsewhere by luck",
                    ledger.table
                ),
                None => "without a superuser runners meet by luck only: name the ledger (--ledger), and its making is held open"
                    .to_owned(),
            });
        }
        if stage.runner.is_built_in() {
            remarks.push(format!(
                "{}: this says nothing about the lock of your own runner; --runner runs that",
                stage.runner.description()
            ));
        }
        Ok(ProofReport::of(coverage, remarks, found))
    }
}

/// What runners do wrong once they are wrong is told up to here.
const MOST_FOUND: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    FromEmpty,
    HalfApplied,
    NothingPending,
}

fn told(stage: &Stage<'_>, round: Round, unit: Option<usize>, what: &str) -> Found {
    let from = match round {
        Round::FromEmpty => "on an empty database",
        Round::HalfApplied => "on a half migrated database",
        Round::NothingPending => "where nothing is pending",
    };
    let (level, whose) = match (stage.runner.is_built_in(), stage.wanted.start_together) {
        (false, _) => (Level::Error, String::new()),
        (true, true) => (Level::Error, format!(" ({})", stage.runner.description())),
        (true, false) => (Level::Warning, format!(" ({})", stage.runner.description())),
    };
    Found {
        rule: RULE,
        level,
        unit,
        statement: None,
        message: format!("{} runners started together {from}{whose}: {what}", stage.wanted.runners),
        help: "take one lock before the first statement, the one that makes the ledger included, and hold it until the last; or start \
               one runner only, as a job before the rollout"
            .into(),
        shown_by: None,
    }
}

/// One round of runners.
struct Collision<'a, 's> {
    stage: &'a Stage<'s>,
    reference: &'a Reference,
    round: Round,
}

impl Collision<'_, '_> {
    /// What went wrong, with the unit where it is known; or why there was no such round.
    fn run(&self) -> Result<Result<Vec<(Option<usize>, String)>, String>, ProveError> {
        let Stage { cluster, chain, runner, wanted, .. } = self.stage;
        self.stage.progress.unit(match self.round {
            Round::FromEmpty => "empty",
            Round::HalfApplied => "half applied",
            Round::NothingPending => "nothing pending",
        });
        cluster.reset()?;
        let database = cluster.fresh()?;
        let all = chain.units.len();
        let before = match self.round {
            Round::FromEmpty => 0,
            Round::HalfApplied => all / 2,
            Round::NothingPending => all,
        };
        if before > 0 {
            let call = Call { database: &database, units: before, through: None, limit: wanted.runner_limit };
            if let Some(failure) = runner.run(chain, &call)?.failure {
                // It applied all of them to an empty database: that it does not take the first ones alone is no collision.
                return Ok(Err(format!(
                    "the round on a half migrated database was left out: the runner does not apply the first {before} migrations \
                     alone: {}",
                    failure.message
                )));
            }
        }
        let ended = self.together(&database)?;
        self.compare(&database, ended).map(Ok)
    }

    /// Starts them and waits for all.
    fn together(&self, database: &Database<'_>) -> Result<Vec<Ended>, ProveError> {
        let Stage { cluster, chain, runner, wanted, .. } = self.stage;
        let rendezvous =
            if cluster.server().has_superuser() { Some(Rendezvous::install(database, wanted.runners)?) } else { None };
        let holds = Hold::of_round(self.stage, database, self.reference, self.round == Round::NothingPending)?;
        let call = Call { database, units: chain.units.len(), through: None, limit: wanted.runner_limit };
        let over = AtomicUsize::new(0);
        let ended = std::thread::scope(|scope| {
            let started: Vec<_> =
                (0..wanted.runners).map(|_| scope.spawn(|| one(*runner, chain, &call, rendezvous.as_ref(), &over))).collect();
            let released = holds.release_when_met(wanted.runners, &over);
            let ended: Result<Vec<Ended>, ProveError> =
                started.into_iter().map(|thread| thread.join().unwrap_or(Err(ProveError::Thread))).collect();
            released.and(ended)
        })?;
        if let Some(rendezvous) = rendezvous {
            rendezvous.remove()?;
        }
        Ok(ended)
    }

    fn compare(&self, database: &Database<'_>, ended: Vec<Ended>) -> Result<Vec<(Option<usize>, String)>, ProveError> {
        let mut wrong = Vec::new();
        let mut applied = vec![0_usize; self.stage.chain.units.len()];
        for one in ended {
            if let Some(RunFailure { unit, sqlstate, message, .. }) = one.failure {
                let state = sqlstate.map(|state| format!(" ({state})")).unwrap_or_default();
                wrong.push((unit, format!("one fails: {message}{state}")));
            }
            // Of a command only the ledger's rows before and after are known, which others write to at the same time: whether it acts
            // twice is seen at the end, where the rows are compared.
            for unit in one.applied.into_iter().filter(|_| self.stage.runner.is_built_in()) {
                applied[unit] += 1;
            }
        }
        for (unit, times) in applied.iter().enumerate().filter(|(_, times)| **times > 1) {
            wrong.push((Some(unit), format!("this migration was applied {times} times")));
        }
        let mut client = database.connect_as_administrator()?;
        wrong.extend(left_behind(&mut client)?.into_iter().map(|what| (None, what)));
        if wrong.is_empty() {
            let end = Fingerprint::read(&mut client, &Scope::everything()).map_err(while_proving("read the database"))?;
            let found = self.reference.difference(&end);
            if !found.is_empty() {
                wrong.push((None, format!("the end is not that of one runner alone: {}", differences(&found))));
            }
        }
        Ok(wrong)
    }
}

fn one(
    runner: &dyn Runner,
    chain: &crate::prove::chain::Chain<'_>,
    call: &Call<'_>,
    rendezvous: Option<&Rendezvous>,
    over: &AtomicUsize,
) -> Result<Ended, ProveError> {
    let ended: Result<Ended, RunnerError> = runner.run(chain, call);
    over.fetch_add(1, Ordering::SeqCst);
    if let Some(rendezvous) = rendezvous {
        rendezvous.one_has_ended()?;
    }
    Ok(ended?)
}

/// Sessions, advisory locks and invalid indexes that outlive the runners.
fn left_behind(client: &mut Client) -> Result<Vec<String>, ProveError> {
    const PATIENCE: Duration = Duration::from_secs(2);
    const READ: &str = "read what the runners left";
    const SESSIONS: &str = "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = pg_catalog.current_database() \
         AND backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid()";
    const OTHERS: [(&str, &str); 2] = [
        (
            "an advisory lock is held when all have ended",
            "SELECT DISTINCT objid::text FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d ON d.oid = l.database \
             WHERE locktype = 'advisory' AND datname = pg_catalog.current_database()",
        ),
        (
            "an invalid index is left",
            "SELECT indexrelid::pg_catalog.regclass::text FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
             WHERE NOT indisvalid AND c.relkind = 'i'",
        ),
    ];
    let mut wrong = Vec::new();
    let patience = Deadline::after(PATIENCE);
    // A session is gone a moment after its client.
    loop {
        let row = client.query_one(SESSIONS, &[]).map_err(while_proving(READ))?;
        let sessions: i64 = row.try_get(0).map_err(while_proving(READ))?;
        if sessions == 0 {
            break;
        }
        if patience.is_over() {
            wrong.push(format!("{sessions} sessions are there when all have ended"));
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    for (what, query) in OTHERS {
        for row in client.query(query, &[]).map_err(while_proving(READ))? {
            let name: String = row.try_get(0).map_err(while_proving(READ))?;
            wrong.push(format!("{what}: {name}"));
        }
    }
    Ok(wrong)
}
