//! What each statement costs and touches, seen on the server and held against what check says of it.
//!
//! Statements run one by one, each in a transaction of its own, because a transaction shows which locks it holds and not which
//! statement took them. What is seen goes into the report, unit by unit, bound to the unit's text.

use super::is_judged;
use crate::effect::{Effect, Lock, Verdict};
use crate::finding::Level;
use crate::prove::evidence::{Coverage, Found, ObservedStatement, ObservedUnit, Outcome, ProofReport};
use crate::prove::stage::{Proof, ProveError, Stage};
use crate::prove::trace::{Afterwards, Mismatch, Seen, TraceJudgement, Traced, Tracer};
use crate::source::ReportPath;
use crate::testimony;

#[derive(Debug)]
pub struct Trace;

impl Proof for Trace {
    fn name(&self) -> &'static str {
        "trace"
    }

    fn summary(&self) -> &'static str {
        "each statement costs what check says"
    }

    fn rules(&self) -> &'static [&'static str] {
        &["prediction-missed"]
    }

    fn prove(&self, stage: &Stage<'_>) -> Result<ProofReport, ProveError> {
        drop(stage.memory.applied.take());
        stage.cluster.reset()?;
        let database = stage.cluster.fresh()?;
        let mut tracer = Tracer::new(database.connect()?, Afterwards::Commit).watching();
        let chain = stage.chain;
        let mut all = TraceJudgement::default();
        let mut report = ProofReport::of(Coverage::default(), Vec::new(), Vec::new());
        for (at, unit) in chain.units.iter().enumerate() {
            stage.progress.unit(&unit.id);
            let facts = chain.checked.units.get(at).map_or(&[][..], Vec::as_slice);
            let effects: Vec<Effect> = facts.iter().map(|facts| facts.effect.clone()).collect();
            let mut judgement = TraceJudgement::default();
            let is_judged = is_judged(stage, at);
            let failure = if is_judged { tracer.unit(unit, &effects, &mut judgement)? } else { tracer.unit_as_written(unit)? };
            if is_judged {
                let readable =
                    |mismatch: &&Mismatch| facts.get(mismatch.statement).is_some_and(|facts| facts.verdict != Verdict::Opaque);
                report.found.extend(judgement.mismatches.iter().filter(readable).map(|mismatch| missed(at, mismatch)));
                report.observed.push(observed(stage, at, &judgement.traced));
            }
            all.merge(judgement);
            if let Some(failure) = failure {
                let statement = failure.statement.map_or_else(String::new, |at| format!(", statement {}", at + 1));
                report.outcome = Outcome::NotRun(format!(
                    "{}{statement} does not run on its own, outside of its migration's transaction: {} ({})",
                    unit.path, failure.message, failure.sqlstate
                ));
                break;
            }
        }
        report.coverage = Coverage { done: all.statements, of: all.statements + all.untraced + all.skipped, what: "statements" };
        if all.without_locks > 0 {
            report.remarks.push(format!("{} ran outside of a transaction, where nobody sees their locks", all.without_locks));
        }
        if all.untraced > 0 {
            report.remarks.push(format!(
                "{} of migrations that roll back or make temporary tables were run as they are written and not traced",
                all.untraced
            ));
        }
        if report.outcome == Outcome::Passed && !report.found.is_empty() {
            report.outcome = Outcome::Failed;
        }
        Ok(report)
    }
}

fn missed(unit: usize, mismatch: &Mismatch) -> Found {
    Found {
        rule: "prediction-missed",
        level: Level::Warning,
        unit: Some(unit),
        statement: Some(mismatch.statement),
        message: format!("the server did not do what check says of this statement: {}", mismatch.what.join("; ")),
        help: "trust what was observed, and report it to phasegate with the statement and the server's version".into(),
        shown_by: None,
    }
}

fn observed(stage: &Stage<'_>, at: usize, traced: &[Traced]) -> ObservedUnit {
    let migration = stage.chain.checked.history.migrations.get(at);
    ObservedUnit {
        path: migration.map(|migration| ReportPath::of_file(&migration.file)).unwrap_or_default(),
        migration: migration.map_or_else(String::new, |migration| migration.id.clone()),
        sha256: migration.map_or_else(String::new, testimony::hash),
        statements: traced.iter().map(statement).collect(),
    }
}

fn statement(traced: &Traced) -> ObservedStatement {
    let Traced { statement, observed, seen, .. } = traced;
    let Seen { breaks, objects, time, wal } = seen.clone().unwrap_or_default();
    let lock = |(relation, mode): (&String, &crate::effect::LockMode)| Lock { relation: relation.clone(), mode: *mode };
    ObservedStatement {
        index: statement + 1,
        locks: observed.locks.as_ref().map(|locks| locks.iter().map(lock).collect()),
        rewrites: observed.rewrites.iter().cloned().collect(),
        scans: observed.scans.iter().cloned().collect(),
        index_builds: observed.index_builds.iter().cloned().collect(),
        breaks,
        created: objects.created,
        dropped: objects.dropped,
        renamed: objects.renamed,
        changed: objects.changed,
        milliseconds: time.as_secs_f64() * 1000.0,
        wal_bytes: wal,
    }
}
