//! The runner again, with nothing pending: it must do nothing.
//!
//! Compared are schema, rows (the ledger's too), roles. DDL that changes nothing is seen as well: it writes to the catalogs, and the
//! rows that it wrote have another transaction id. A password that is set again is such DDL, where we may see the table of passwords.

use super::{apply, differences};
use crate::finding::Level;
use crate::prove::evidence::{Coverage, Found, ProofReport};
use crate::prove::fingerprint::{Fingerprint, Masked, Scope};
use crate::prove::runner::Call;
use crate::prove::stage::{Proof, ProveError, Stage, while_proving};
use postgres::Client;

#[derive(Debug)]
pub struct SecondRun;

const RULE: &str = "second-run-not-noop";
const HELP: &str = "record what is applied in the transaction that applies it, and do nothing outside of that record";

impl Proof for SecondRun {
    fn name(&self) -> &'static str {
        "second-run"
    }

    fn summary(&self) -> &'static str {
        "the runner does nothing when nothing is pending"
    }

    fn rules(&self) -> &'static [&'static str] {
        &[RULE]
    }

    fn calls_the_runner(&self) -> bool {
        true
    }

    fn prove(&self, stage: &Stage<'_>) -> Result<ProofReport, ProveError> {
        let applied = match stage.memory.applied.take() {
            Some(applied) => applied,
            None => match apply::apply(stage)? {
                Ok(applied) => applied,
                Err(failure) => return Ok(ProofReport::not_run(format!("the history does not apply: {}", failure.message))),
            },
        };
        let all = stage.chain.units.len();
        let mut client = applied.database.connect_as_administrator()?;
        let scope = Scope { keeps_plans: true, ..Scope::everything() };
        let before = Fingerprint::read(&mut client, &scope).map_err(while_proving("read the database"))?;
        let sees_passwords = stage.cluster.server().has_superuser();
        let written = written(&mut client, sees_passwords)?;
        let call = Call { database: &applied.database, units: all, through: None, limit: stage.wanted.runner_limit };
        let ended = stage.runner.run(stage.chain, &call)?;
        let mut found = Vec::new();
        let mut about = |message: String| {
            let (rule, level) = (RULE, Level::Error);
            found.push(Found { rule, level, unit: None, statement: None, message, help: HELP.into(), shown_by: None });
        };
        if let Some(failure) = ended.failure {
            about(format!("a second run of the runner fails although nothing is pending: {}", failure.message));
        }
        let after = Fingerprint::read(&mut client, &scope).map_err(while_proving("read the database"))?;
        let changed = after_lines(&before, &after);
        let wrote = self::written(&mut client, sees_passwords)?;
        if !changed.is_empty() {
            about(format!("a second run of the runner changes what is there, although nothing is pending: {changed}"));
        } else if wrote != written {
            about(
                "a second run of the runner runs DDL, although nothing is pending and nothing is different afterwards".to_owned(),
            );
        }
        Ok(ProofReport::of(Coverage { done: all, of: all, what: "units" }, Vec::new(), found))
    }
}

fn after_lines(before: &Fingerprint, after: &Fingerprint) -> String {
    differences(&before.difference(after, &Masked::default()))
}

/// The youngest row version in the catalogs that DDL writes. Temporary tables count: they are DDL too.
fn written(client: &mut Client, sees_passwords: bool) -> Result<i64, ProveError> {
    const PASSWORDS: &str = " UNION ALL SELECT max(xmin::text::bigint) FROM pg_catalog.pg_authid";
    const QUERY: &str = "\
        SELECT max(xmin::text::bigint) AS age FROM pg_catalog.pg_class UNION ALL \
        SELECT max(xmin::text::bigint) FROM pg_catalog.pg_attribute UNION ALL \
        SELECT max(xmin::text::bigint) FROM pg_catalog.pg_proc UNION ALL \
        SELECT max(xmin::text::bigint) FROM pg_catalog.pg_type UNION ALL \
        SELECT max(xmin::text::bigint) FROM pg_catalog.pg_namespace UNION ALL \
        SELECT max(xmin::text::bigint) FROM pg_catalog.pg_constraint UNION ALL \
        SELECT max(xmin::text::bigint) FROM pg_catalog.pg_trigger UNION ALL \
        SELECT max(xmin::text::bigint) FROM pg_catalog.pg_rewrite UNION ALL \
        SELECT max(xmin::text::bigint) FROM pg_catalog.pg_description";
    let passwords = if sees_passwords { PASSWORDS } else { "" };
    let row = client
        .query_one(&format!("SELECT max(age) FROM ({QUERY}{passwords}) AS catalogs"), &[])
        .map_err(while_proving("read the catalogs"))?;
    row.try_get(0).map_err(while_proving("read the catalogs"))
}
