//! From an empty database, in order: does the history apply?

use super::cause;
use crate::finding::Level;
use crate::prove::evidence::{Coverage, Found, Outcome, ProofReport};
use crate::prove::runner::{Call, RunFailure};
use crate::prove::stage::{Applied, Proof, ProveError, Stage};

#[derive(Debug)]
pub struct Apply;

impl Proof for Apply {
    fn name(&self) -> &'static str {
        "apply"
    }

    fn summary(&self) -> &'static str {
        "the history applies to an empty database"
    }

    fn rules(&self) -> &'static [&'static str] {
        &["apply-failed", "needs-superuser"]
    }

    fn calls_the_runner(&self) -> bool {
        true
    }

    fn prove(&self, stage: &Stage<'_>) -> Result<ProofReport, ProveError> {
        let all = stage.chain.units.len();
        match apply(stage)? {
            Ok(applied) => {
                stage.memory.applied.replace(Some(applied));
                let coverage = Coverage { done: all, of: all, what: "units" };
                Ok(ProofReport::of(coverage, stage.chain.left_out(), Vec::new()))
            }
            Err(failure) => Ok(refused(stage, &failure)),
        }
    }
}

/// Applies the whole history to a new database. The inner error is what the runner said.
pub fn apply<'a>(stage: &Stage<'a>) -> Result<Result<Applied<'a>, RunFailure>, ProveError> {
    let database = stage.cluster.fresh()?;
    let call = Call { database: &database, units: stage.chain.units.len(), through: None, limit: stage.wanted.runner_limit };
    let ended = stage.runner.run(stage.chain, &call)?;
    Ok(match ended.failure {
        None => Ok(Applied { database }),
        Some(failure) => Err(failure),
    })
}

/// What the server refuses, and what other proofs are told about it.
fn refused(stage: &Stage<'_>, failure: &RunFailure) -> ProofReport {
    let RunFailure { unit, statement, sqlstate, message } = failure;
    let said = sqlstate.as_ref().map_or_else(|| message.clone(), |sqlstate| format!("{message} ({sqlstate})"));
    let coverage = Coverage { done: unit.unwrap_or(0), of: stage.chain.units.len(), what: "units" };
    let (unit, statement) = (*unit, *statement);
    let found = match cause::missing_right(failure, stage.cluster) {
        Some(right) => Found {
            rule: "needs-superuser",
            level: Level::Warning,
            unit,
            statement,
            message: format!("this needs more than the owner of a database may do: {said}"),
            help: right.to_owned(),
            shown_by: None,
        },
        None => Found {
            rule: "apply-failed",
            level: Level::Error,
            unit,
            statement,
            message: format!("this fails when the history is applied to an empty database: {said}"),
            help: cause::usual(failure, stage.cluster.server().version()).to_owned(),
            shown_by: None,
        },
    };
    let mut report = ProofReport::of(coverage, stage.chain.left_out(), vec![found]);
    if report.found.iter().all(|found| found.rule == "needs-superuser") {
        report.outcome = Outcome::NotRun(format!("the history needs more rights than it has: {said}"));
    }
    report
}
