//! What one runner alone leaves of the whole history: what every other way to get there is held against.
//!
//! It runs twice. What is not the same both times (`now()`, `gen_random_uuid()`) is not said by the migrations, and is left out of
//! comparisons, column by column.

use crate::prove::fingerprint::{Difference, Fingerprint, Masked, Scope};
use crate::prove::runner::{Call, RunFailure};
use crate::prove::stage::{ProveError, Stage, while_proving};
use postgres::Client;
use std::collections::BTreeMap;

/// The end of the history.
#[derive(Debug)]
pub struct Reference {
    end: Fingerprint,
    masked: Masked,
    /// Roles that a runner changes although nothing is pending, sorted.
    pub changed_roles: Vec<String>,
}

impl Reference {
    /// What is not as it should be at another end.
    pub fn difference(&self, other: &Fingerprint) -> Vec<Difference> {
        self.end.difference(other, &self.masked)
    }
}

/// The reference of this history and runner, made when it is first asked for. The inner error is why there is none.
pub fn of_everything<'s>(stage: &'s Stage<'_>) -> Result<Result<&'s Reference, &'s RunFailure>, ProveError> {
    let known = match stage.memory.reference.get() {
        Some(known) => known,
        None => {
            let made = make(stage)?;
            stage.memory.reference.get_or_init(|| made)
        }
    };
    Ok(known.as_ref())
}

fn make(stage: &Stage<'_>) -> Result<Result<Reference, RunFailure>, ProveError> {
    drop(stage.memory.applied.take());
    let first = match run(stage, |_, _| Ok(()))? {
        Ok((end, ())) => end,
        Err(failure) => return Ok(Err(failure)),
    };
    let again = |client: &mut Client, call: &Call<'_>| {
        let before = roles(stage, client)?;
        stage.runner.run(stage.chain, call)?;
        let after = roles(stage, client)?;
        let changed = after.into_iter().filter(|(role, row)| before.get(role).is_some_and(|old| old != row));
        Ok(changed.map(|(role, _)| role).collect())
    };
    Ok(run(stage, again)?.map(|(end, changed_roles)| {
        let masked = Fingerprint::undetermined(&first, &end);
        Reference { end, masked, changed_roles }
    }))
}

/// One run in a new database, how it ends, and what is done there afterwards.
fn run<T>(
    stage: &Stage<'_>,
    afterwards: impl FnOnce(&mut Client, &Call<'_>) -> Result<T, ProveError>,
) -> Result<Result<(Fingerprint, T), RunFailure>, ProveError> {
    stage.cluster.reset()?;
    let database = stage.cluster.fresh()?;
    let call = Call { database: &database, units: stage.chain.units.len(), through: None, limit: stage.wanted.runner_limit };
    if let Some(failure) = stage.runner.run(stage.chain, &call)?.failure {
        return Ok(Err(failure));
    }
    let mut client = database.connect_as_administrator()?;
    let end = Fingerprint::read(&mut client, &Scope::everything()).map_err(while_proving("read the database"))?;
    Ok(Ok((end, afterwards(&mut client, &call)?)))
}

/// Roles and the version of each one's row. Only a superuser may see it; for others nothing changes.
fn roles(stage: &Stage<'_>, client: &mut Client) -> Result<BTreeMap<String, String>, ProveError> {
    if !stage.cluster.server().has_superuser() {
        return Ok(BTreeMap::new());
    }
    let rows = client
        .query("SELECT rolname::text, xmin::text || ctid::text FROM pg_catalog.pg_authid WHERE rolname !~ '^pg_'", &[])
        .map_err(while_proving("read the roles"))?;
    let role = |row: &postgres::Row| Ok((row.try_get::<_, String>(0)?, row.try_get(1)?));
    let roles: Result<BTreeMap<String, String>, postgres::Error> = rows.iter().map(role).collect();
    roles.map_err(while_proving("read the roles"))
}
