//! Reads the catalogs through the connection that is being watched, without a trace in it, and only what may have changed.

use super::catalogs::Catalogs;
use super::queries;
use postgres::error::SqlState;
use postgres::{Client, Error, SimpleQueryMessage};

/// The catalogs whose rows are read. A transaction counts what it writes to each, so those it left alone are not read again.
const WATCHED: [&str; 21] = [
    "pg_namespace",
    "pg_class",
    "pg_attribute",
    "pg_attrdef",
    "pg_type",
    "pg_constraint",
    "pg_index",
    "pg_trigger",
    "pg_policy",
    "pg_rewrite",
    "pg_enum",
    "pg_proc",
    "pg_inherits",
    "pg_partitioned_table",
    "pg_sequence",
    "pg_depend",
    "pg_extension",
    "pg_publication",
    "pg_publication_rel",
    "pg_publication_namespace",
    "pg_authid",
];

/// Names come out qualified, and no setting of the migration stops or changes what is read.
const SETTINGS: &str = "SET LOCAL search_path TO pg_catalog; SET LOCAL statement_timeout TO 0; SET LOCAL lock_timeout TO 0;";

/// What the watched connection's catalogs were when they were last read.
#[derive(Clone, Debug, Default)]
pub struct Observer {
    catalogs: Catalogs,
    /// Rows written to each of [`WATCHED`] by the open transaction at the last reading; `None` outside of one.
    written: Option<Vec<u64>>,
}

impl Observer {
    /// Forgets the counters: after a rollback they say that rows were written, not that they are gone.
    pub fn everything_may_have_changed(&mut self) {
        self.written = None;
    }

    /// True when the last reading was inside a transaction, which a rollback would undo.
    pub fn is_in_transaction(&self) -> bool {
        self.written.is_some()
    }

    /// The catalogs as the connection sees them now, its own uncommitted changes included.
    ///
    /// Fails when the connection is gone or its transaction is aborted.
    pub fn observe(&mut self, client: &mut Client) -> Result<Catalogs, Error> {
        let opening = format!("SAVEPOINT phasegate_observe; {SETTINGS} {}", counters_query());
        match client.simple_query(&opening) {
            Ok(answer) => {
                let written = counters(&answer);
                self.read(client, written.as_deref())?;
                self.written = written;
                client.batch_execute("ROLLBACK TO SAVEPOINT phasegate_observe; RELEASE SAVEPOINT phasegate_observe")?;
            }
            Err(error) if error.code() == Some(&SqlState::NO_ACTIVE_SQL_TRANSACTION) => {
                client.batch_execute(&format!("BEGIN READ ONLY; {SETTINGS}"))?;
                self.read(client, None)?;
                self.written = None;
                client.batch_execute("ROLLBACK")?;
            }
            Err(error) => return Err(error),
        }
        Ok(self.catalogs.clone())
    }

    fn read(&mut self, client: &mut Client, written: Option<&[u64]>) -> Result<(), Error> {
        let changed = |names: &[&str]| match (&self.written, written) {
            (Some(before), Some(now)) => {
                WATCHED.iter().zip(before.iter().zip(now)).any(|(name, (before, now))| before != now && names.contains(name))
            }
            _ => true,
        };
        let catalogs = &mut self.catalogs;
        if changed(&["pg_namespace", "pg_authid"]) {
            catalogs.namespaces = queries::namespaces(client)?;
        }
        if changed(&["pg_namespace", "pg_class", "pg_partitioned_table", "pg_authid"]) {
            catalogs.classes = queries::classes(client)?;
        }
        if changed(&["pg_namespace", "pg_class", "pg_attribute", "pg_attrdef", "pg_type", "pg_authid"]) {
            catalogs.attributes = queries::attributes(client)?;
        }
        if changed(&["pg_namespace", "pg_constraint"]) {
            catalogs.constraints = queries::constraints(client)?;
        }
        if changed(&["pg_namespace", "pg_class", "pg_index", "pg_constraint"]) {
            catalogs.indexes = queries::indexes(client)?;
        }
        if changed(&["pg_namespace", "pg_trigger", "pg_proc"]) {
            catalogs.triggers = queries::triggers(client)?;
        }
        if changed(&["pg_policy", "pg_authid"]) {
            catalogs.policies = queries::policies(client)?;
        }
        if changed(&["pg_rewrite"]) {
            catalogs.rules = queries::rules(client)?;
        }
        if changed(&["pg_namespace", "pg_type", "pg_authid"]) {
            catalogs.types = queries::types(client)?;
        }
        if changed(&["pg_enum"]) {
            catalogs.labels = queries::labels(client)?;
        }
        if changed(&["pg_namespace", "pg_proc", "pg_type", "pg_authid"]) {
            catalogs.routines = queries::routines(client)?;
        }
        if changed(&["pg_inherits"]) {
            catalogs.inherits = queries::inherits(client)?;
        }
        if changed(&["pg_sequence", "pg_depend"]) {
            catalogs.sequences = queries::sequences(client)?;
        }
        if changed(&["pg_extension", "pg_namespace"]) {
            catalogs.extensions = queries::extensions(client)?;
        }
        if changed(&["pg_depend"]) {
            catalogs.members = queries::members(client)?;
        }
        if changed(&["pg_publication", "pg_publication_rel", "pg_publication_namespace", "pg_class", "pg_namespace"]) {
            catalogs.publications = queries::publications(client)?;
        }
        if changed(&["pg_authid"]) {
            catalogs.roles = queries::roles(client)?;
        }
        Ok(())
    }
}

/// One row with one number per catalog. Subtransactions count, rolled back or not.
fn counters_query() -> String {
    let columns: Vec<String> = WATCHED
        .iter()
        .map(|name| {
            let of = |what: &str| format!("pg_stat_get_xact_tuples_{what}('pg_catalog.{name}'::regclass)");
            format!("{} + {} + {}", of("inserted"), of("updated"), of("deleted"))
        })
        .collect();
    format!("SELECT {}", columns.join(", "))
}

fn counters(answer: &[SimpleQueryMessage]) -> Option<Vec<u64>> {
    answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => (0..row.len()).map(|at| row.get(at)?.parse().ok()).collect(),
        _ => None,
    })
}
