//! Another time zone: the same schema? Asked for by name, since most histories need no second opinion on it.
//!
//! A timestamp with time zone that is written without an offset means another moment in each zone, and what is named by the date is
//! named otherwise on the other side of the date line. The schemas are compared, not the rows.

use super::differences;
use crate::finding::Level;
use crate::prove::evidence::{Coverage, Found, ProofReport};
use crate::prove::fingerprint::{Fingerprint, Masked, Scope};
use crate::prove::runner::{Call, RunFailure};
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
        "the schema is the same in another time zone"
    }

    fn rules(&self) -> &'static [&'static str] {
        &["depends-on-clock"]
    }

    fn is_opt_in(&self) -> bool {
        true
    }

    fn prove(&self, stage: &Stage<'_>) -> Result<ProofReport, ProveError> {
        let mut schemas = Vec::new();
        for zone in ZONES {
            stage.progress.unit(zone);
            match schema_in(stage, zone)? {
                Ok(schema) => schemas.push(schema),
                Err(failure) => {
                    return Ok(ProofReport::not_run(format!("the history does not apply in {zone}: {}", failure.message)));
                }
            }
        }
        let coverage = Coverage { done: ZONES.len(), of: ZONES.len(), what: "time zones" };
        let differs = match schemas.as_slice() {
            [first, second] => first.difference(second, &Masked::default()),
            _ => Vec::new(),
        };
        let found = (!differs.is_empty()).then(|| Found {
            rule: "depends-on-clock",
            level: Level::Warning,
            unit: None,
            statement: None,
            message: format!("the schema is not the same in {} and in {}: {}", ZONES[0], ZONES[1], differences(&differs)),
            help:
                "write the offset into every timestamp with time zone, and make what is named by the date outside of migrations"
                    .into(),
            shown_by: None,
        });
        Ok(ProofReport::of(coverage, vec!["another month was not tried".to_owned()], found.into_iter().collect()))
    }
}

fn schema_in(stage: &Stage<'_>, zone: &str) -> Result<Result<Fingerprint, RunFailure>, ProveError> {
    drop(stage.memory.applied.take());
    stage.cluster.reset()?;
    let database = stage.cluster.fresh()?;
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
