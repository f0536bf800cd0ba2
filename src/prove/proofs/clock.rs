//! Another time zone and another month: the same schema? Asked for by name, since most histories need no second opinion on it.
//!
//! A timestamp with time zone that is written without an offset means another moment in each zone, and what is named by the date is
//! named otherwise on the other side of the date line, and in the next month. The schemas are compared, not the rows.

use super::differences;
use crate::finding::Level;
use crate::prove::cluster::Cluster;
use crate::prove::evidence::{Coverage, Found, Outcome, ProofReport};
use crate::prove::fingerprint::{Fingerprint, Masked, Scope};
use crate::prove::runner::{Call, RunFailure};
use crate::prove::server::{ServerError, shifted};
use crate::prove::stage::{Proof, ProveError, Stage, while_proving};

#[derive(Debug)]
pub struct Clock;

/// As far from each other as zones are: two dates at nearly every moment.
const ZONES: [&str; 2] = ["Pacific/Kiritimati", "Pacific/Pago_Pago"];

impl Proof for Clock {
    fn name(&self) -> &'static str {
        "clock"
    }

    fn summary(&self) -> &'static str {
        "the schema is the same in another time zone and another month"
    }

    fn rules(&self) -> &'static [&'static str] {
        &["depends-on-clock"]
    }

    fn calls_the_runner(&self) -> bool {
        true
    }

    fn is_opt_in(&self) -> bool {
        true
    }

    fn prove(&self, stage: &Stage<'_>) -> Result<ProofReport, ProveError> {
        drop(stage.memory.applied.take());
        let mut report = ProofReport::of(Coverage { done: 0, of: ZONES.len() + 1, what: "clocks" }, Vec::new(), Vec::new());
        let mut schemas: Vec<Fingerprint> = Vec::new();
        for zone in ZONES {
            stage.progress.unit(zone);
            match schema_in(stage, stage.cluster, zone)? {
                Ok(schema) => schemas.push(schema),
                Err(failure) => {
                    return Ok(ProofReport::not_run(format!("the history does not apply in {zone}: {}", failure.message)));
                }
            }
            report.coverage.done += 1;
        }
        let found = &mut report.found;
        if let [first, second] = schemas.as_slice() {
            found.extend(told(first, second, &format!("in {} and in {}", ZONES[0], ZONES[1])));
        }
        stage.progress.unit("another month");
        match stage.cluster.server().in_another_month() {
            Ok(server) => {
                let cluster = Cluster::prepare(server.as_ref(), stage.cluster.options())?;
                let ahead = format!("now and {} days later", shifted::DAYS);
                match schema_in(stage, &cluster, ZONES[0])? {
                    Ok(later) => found.extend(schemas.first().and_then(|first| told(first, &later, &ahead))),
                    Err(failure) => found.push(finding(format!("{}: then it does not apply: {}", ahead, failure.message))),
                }
                report.coverage.done += 1;
            }
            Err(ServerError::NoOtherMonth { why }) => report.remarks.push(format!("another month was not tried: {why}")),
            Err(error) => return Err(error.into()),
        }
        if !report.found.is_empty() {
            report.outcome = Outcome::Failed;
        }
        Ok(report)
    }
}

fn told(first: &Fingerprint, second: &Fingerprint, when: &str) -> Option<Found> {
    let differs = first.difference(second, &Masked::default());
    (!differs.is_empty()).then(|| finding(format!("{when}: {}", differences(&differs))))
}

fn finding(what: String) -> Found {
    Found {
        rule: "depends-on-clock",
        level: Level::Warning,
        unit: None,
        statement: None,
        message: format!("the schema is not the same {what}"),
        help: "write the offset into every timestamp with time zone, and make what is named by the date outside of migrations"
            .into(),
        shown_by: None,
    }
}

fn schema_in(stage: &Stage<'_>, cluster: &Cluster<'_>, zone: &str) -> Result<Result<Fingerprint, RunFailure>, ProveError> {
    cluster.reset()?;
    let database = cluster.fresh()?;
    let mut client = database.connect_as_administrator()?;
    let set = format!("ALTER DATABASE {} SET TimeZone = '{zone}'", database.name());
    client.batch_execute(&set).map_err(while_proving("set the time zone"))?;
    let call = Call { database: &database, units: stage.chain.units.len(), through: None, limit: stage.wanted.runner_limit };
    if let Some(failure) = stage.runner.run(stage.chain, &call)?.failure {
        return Ok(Err(failure));
    }
    // What is ours is not the history's; and one session's zone for both, since constants are shown in it.
    client
        .batch_execute(&format!("ALTER DATABASE {} RESET TimeZone; SET TimeZone = 'UTC'", database.name()))
        .map_err(while_proving("set the time zone back"))?;
    Ok(Ok(Fingerprint::read(&mut client, &Scope::schema()).map_err(while_proving("read the schema"))?))
}
