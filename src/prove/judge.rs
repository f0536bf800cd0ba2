//! Holds a prediction against a server: the schema after every unit, the breaks of every statement.

use super::judgement_report::Report;
use super::observe::breaks::is_observed;
use super::replay::{Failure, ReplayError, ReplayUnit, Replayer, StatementOutcome};
use super::server::{LocalServer, LocalServerOptions, ServerError};
use crate::catalog::snapshot::{Comparison, Difference, Snapshot, compare};
use crate::check::CheckedHistory;
use crate::effect::{Break, BreakKind};
use std::collections::{BTreeMap, BTreeSet};

/// The kinds that recall and precision are promised for.
pub const PROMISED: [BreakKind; 11] = [
    BreakKind::DropRelation,
    BreakKind::DropColumn,
    BreakKind::RenameRelation,
    BreakKind::RenameColumn,
    BreakKind::TypeChange,
    BreakKind::SetNotNull,
    BreakKind::RequiredColumn,
    BreakKind::DropFunction,
    BreakKind::DropType,
    BreakKind::DropEnumLabel,
    BreakKind::DropSchema,
];

/// What the model says about a history. Units and statements are counted from 0, as in the replayed history.
pub trait Prediction {
    /// The schema when the unit is over; `None` where nothing is predicted, which is counted.
    fn snapshot_after(&self, unit: usize) -> Option<&Snapshot>;
    fn breaks(&self, unit: usize, statement: usize) -> &[Break];
}

/// What `check` says about a history.
#[derive(Clone, Copy, Debug)]
pub struct Predicted<'a> {
    pub checked: &'a CheckedHistory,
    /// The modelled schema after each unit; where it ends, nothing is predicted.
    pub snapshots: &'a [Snapshot],
}

impl Prediction for Predicted<'_> {
    fn snapshot_after(&self, unit: usize) -> Option<&Snapshot> {
        self.snapshots.get(unit)
    }
    fn breaks(&self, unit: usize, statement: usize) -> &[Break] {
        let facts = self.checked.units.get(unit).and_then(|statements| statements.get(statement));
        facts.map_or(&[], |facts| facts.effect.breaks.as_slice())
    }
}

/// How often a kind was observed, predicted, and both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub observed: usize,
    pub predicted: usize,
    pub matched: usize,
}

impl Tally {
    /// Share of what was observed that was predicted; 1 where nothing was observed.
    pub fn recall(&self) -> f64 {
        share(self.matched, self.observed)
    }
    /// Share of what was predicted that was observed; 1 where nothing was predicted.
    pub fn precision(&self) -> f64 {
        share(self.matched, self.predicted)
    }
    pub(super) fn add(&mut self, other: &Tally) {
        self.observed += other.observed;
        self.predicted += other.predicted;
        self.matched += other.matched;
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

#[derive(Clone, Debug)]
pub struct UnitJudgement {
    pub id: String,
    pub path: String,
    pub failure: Option<Failure>,
    pub without_transaction: bool,
    pub left_open: bool,
    /// `None` where no schema was predicted.
    pub schema: Option<Comparison>,
    /// Differences that the unit before did not have yet.
    pub new_differences: Vec<Difference>,
    /// Only statements with something to say.
    pub statements: Vec<StatementJudgement>,
}

#[derive(Clone, Debug)]
pub struct StatementJudgement {
    /// 0-based.
    pub statement: usize,
    /// First line of it.
    pub sql: String,
    pub skipped: Option<&'static str>,
    pub observed: Vec<Break>,
    /// Observed and not predicted.
    pub missed: Vec<Break>,
    /// Predicted and not observed, of kinds that can be observed.
    pub invented: Vec<Break>,
}

/// The result over one history, or over several added up.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    pub units: Vec<UnitJudgement>,
    /// Units of the history that were not run because an earlier one failed.
    pub not_run: usize,
    pub tallies: BTreeMap<BreakKind, Tally>,
    /// Predicted breaks of kinds that catalogs do not show.
    pub unobservable: usize,
}

/// Why there is no judgement.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

/// What [`judge_history`] needs besides the history.
#[derive(Clone, Debug, Default)]
pub struct JudgeOptions {
    pub server: LocalServerOptions,
    /// SQL that runs first, as superuser: roles, schemas, the runner's own table. The model is not told of it, so what it makes
    /// is compared only where the history speaks of it.
    pub set_up: Option<String>,
    /// Goes on after a unit that the server refuses.
    pub keep_going: bool,
}

/// Judges one history on a server of its own: roles belong to a whole server, and two histories may make the same.
pub fn judge_history(checked: &CheckedHistory, snapshots: &[Snapshot], options: &JudgeOptions) -> Result<Judgement, JudgeError> {
    const DATABASE: &str = "judge";
    let server = LocalServer::start(&options.server)?;
    server.create_database(DATABASE, None)?;
    let mut replayer = Replayer::new(server.connect(DATABASE)?)?;
    if let Some(sql) = &options.set_up {
        replayer.set_up(sql)?;
    }
    let units = ReplayUnit::of_history(&checked.history);
    Ok(judge(&mut replayer, &units, &Predicted { checked, snapshots }, options.keep_going)?)
}

/// Replays `units` and compares. Stops at the first unit that the server refuses, unless `keep_going`: what comes after it was
/// predicted for another schema.
pub fn judge(
    replayer: &mut Replayer,
    units: &[ReplayUnit],
    prediction: &dyn Prediction,
    keep_going: bool,
) -> Result<Judgement, ReplayError> {
    let mut judgement = Judgement::default();
    let mut known: BTreeSet<Difference> = BTreeSet::new();
    for (number, unit) in units.iter().enumerate() {
        let outcome = replayer.run(unit)?;
        let schema = prediction.snapshot_after(number).map(|model| {
            let mut server = outcome.snapshot;
            server.leave_out(replayer.made_by_set_up(), model);
            compare(model, &server)
        });
        let differences: BTreeSet<Difference> = schema.iter().flat_map(|found| found.differences.iter().cloned()).collect();
        let mut statements = Vec::new();
        for (at, found) in outcome.statements.iter().enumerate() {
            statements.extend(judgement.statement(unit, at, found, prediction.breaks(number, at)));
        }
        let failed = outcome.failure.is_some();
        judgement.units.push(UnitJudgement {
            id: unit.id.clone(),
            path: unit.path.clone(),
            failure: outcome.failure,
            without_transaction: outcome.without_transaction,
            left_open: outcome.left_open,
            schema,
            new_differences: differences.difference(&known).cloned().collect(),
            statements,
        });
        known = differences;
        if failed && !keep_going {
            judgement.not_run = units.len() - number - 1;
            break;
        }
    }
    Ok(judgement)
}

impl Judgement {
    fn statement(
        &mut self,
        unit: &ReplayUnit,
        at: usize,
        outcome: &StatementOutcome,
        predicted: &[Break],
    ) -> Option<StatementJudgement> {
        let (observed, skipped) = match outcome {
            StatementOutcome::Ran(observed) => (observed.as_slice(), None),
            StatementOutcome::Skipped(why) => (&[][..], Some(*why)),
            StatementOutcome::Failed | StatementOutcome::NotReached => return None,
        };
        let (comparable, unobservable): (BTreeSet<&Break>, BTreeSet<&Break>) =
            predicted.iter().partition(|predicted| is_observed(predicted.kind));
        let observed: BTreeSet<&Break> = observed.iter().collect();
        self.unobservable += unobservable.len();
        for found in &observed {
            let tally = self.tallies.entry(found.kind).or_default();
            tally.observed += 1;
            tally.matched += usize::from(comparable.contains(found));
        }
        for found in &comparable {
            self.tallies.entry(found.kind).or_default().predicted += 1;
        }
        let owned = |breaks: Vec<&&Break>| breaks.into_iter().map(|found| (*found).clone()).collect::<Vec<Break>>();
        let judged = StatementJudgement {
            statement: at,
            sql: unit.statements.get(at).map(|statement| first_line(&statement.sql)).unwrap_or_default(),
            skipped,
            missed: owned(observed.difference(&comparable).collect()),
            invented: owned(comparable.difference(&observed).collect()),
            observed: owned(observed.iter().collect()),
        };
        (judged.skipped.is_some() || !judged.observed.is_empty() || !judged.invented.is_empty()).then_some(judged)
    }

    /// Adds another history's result.
    pub fn merge(&mut self, other: Judgement) {
        self.units.extend(other.units);
        self.not_run += other.not_run;
        self.unobservable += other.unobservable;
        for (kind, tally) in other.tallies {
            self.tallies.entry(kind).or_default().add(&tally);
        }
    }

    /// Over the kinds that are promised.
    pub fn promised(&self) -> Tally {
        self.total(|kind| PROMISED.contains(&kind))
    }

    /// Over every kind that can be observed.
    pub fn all(&self) -> Tally {
        self.total(|_| true)
    }

    fn total(&self, counts: impl Fn(BreakKind) -> bool) -> Tally {
        self.tallies.iter().filter(|(kind, _)| counts(**kind)).fold(Tally::default(), |mut total, (_, tally)| {
            total.add(tally);
            total
        })
    }

    /// True when every unit applied, every schema and every statement is as predicted.
    pub fn is_agreed(&self) -> bool {
        let agreed = |unit: &UnitJudgement| {
            unit.failure.is_none()
                && unit.schema.as_ref().is_some_and(|schema| schema.differences.is_empty())
                && unit.statements.iter().all(|found| found.missed.is_empty() && found.invented.is_empty())
        };
        self.not_run == 0 && self.units.iter().all(agreed)
    }

    /// For people: what differs, then the totals. `verbose` also shows what agrees.
    pub fn report(&self, verbose: bool) -> String {
        Report { judgement: self, verbose, only_totals: false }.to_string()
    }

    /// For people: the last lines of [`Judgement::report`].
    pub fn totals(&self) -> String {
        Report { judgement: self, verbose: false, only_totals: true }.to_string()
    }
}

pub(super) fn first_line(sql: &str) -> String {
    const LIMIT: usize = 100;
    let line: String = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > LIMIT { line.chars().take(LIMIT).chain(['…']).collect() } else { line }
}
