//! Reads the catalogs through the connection that is being watched, without a trace in it, and only what may have changed.

use super::catalogs::Catalogs;
use super::queries::{self, Part, Prepared, Reader};
use postgres::error::SqlState;
use postgres::{Client, Error, SimpleQueryMessage};
use std::fmt;

/// The catalogs whose rows are read. A transaction counts what it writes to each, so those it left alone are not read again, and of
/// those from which nothing was deleted only the rows that it wrote.
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

/// Rows that the open transaction wrote to one catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Written {
    inserted: u64,
    updated: u64,
    deleted: u64,
}

/// What the watched connection's catalogs were when they were last read.
#[derive(Default)]
pub struct Observer {
    catalogs: Catalogs,
    /// For each of [`WATCHED`] at the last reading; `None` outside of a transaction, and when nobody knows.
    written: Option<Vec<Written>>,
    /// Of the open transaction, in transactions, at the last reading.
    age: i32,
    prepared: Prepared,
    with_files: bool,
}

impl fmt::Debug for Observer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Observer").field("catalogs", &self.catalogs).field("written", &self.written).finish_non_exhaustive()
    }
}

impl Observer {
    /// Reads [`Catalogs::files`] too.
    pub fn with_files(mut self) -> Self {
        self.with_files = true;
        self
    }

    /// Forgets the counters: after a rollback they say that rows were written, not that they are gone.
    pub fn everything_may_have_changed(&mut self) {
        self.written = None;
    }

    /// The connection's transaction has just begun, and these are the catalogs that it begins with.
    pub fn begin(&mut self, catalogs: &Catalogs) {
        self.catalogs = catalogs.clone();
        self.written = Some(vec![Written::default(); WATCHED.len()]);
    }

    /// True when the last reading was inside a transaction, which a rollback would undo.
    pub fn is_in_transaction(&self) -> bool {
        self.written.is_some()
    }

    /// The catalogs as the connection sees them now, its own uncommitted changes included.
    ///
    /// Fails when the connection is gone or its transaction is aborted.
    pub fn observe(&mut self, client: &mut Client) -> Result<Catalogs, Error> {
        self.observe_and_ask(client, "").map(|(catalogs, _)| catalogs)
    }

    /// The same, and the server's answer to a question that is asked before the catalogs are read, and outside of a transaction not at
    /// all. It begins with what is told of the observer's own.
    pub fn observe_and_ask(&mut self, client: &mut Client, question: &str) -> Result<(Catalogs, Vec<SimpleQueryMessage>), Error> {
        let opening = format!("SAVEPOINT phasegate_observe; {SETTINGS} {question} {}", counters_query());
        const ENDING: &str = "ROLLBACK TO SAVEPOINT phasegate_observe; RELEASE SAVEPOINT phasegate_observe";
        let answer = match client.simple_query(&opening) {
            Ok(answer) => {
                let (written, age) = counters(&answer).unzip();
                self.age = age.unwrap_or(i32::MAX);
                if let Err(error) = self.read(client, written.as_deref()) {
                    if error.code() != Some(&SqlState::INVALID_SQL_STATEMENT_NAME) {
                        return Err(error);
                    }
                    // The migration has thrown away what the session had prepared.
                    self.prepared.clear();
                    client.batch_execute(&format!("ROLLBACK TO SAVEPOINT phasegate_observe; {SETTINGS}"))?;
                    self.read(client, written.as_deref())?;
                }
                self.written = written;
                client.batch_execute(ENDING)?;
                answer
            }
            Err(error) if error.code() == Some(&SqlState::NO_ACTIVE_SQL_TRANSACTION) => {
                let opening = format!("BEGIN READ ONLY; {SETTINGS}");
                self.written = None;
                client.batch_execute(&opening)?;
                if let Err(error) = self.read(client, None) {
                    if error.code() != Some(&SqlState::INVALID_SQL_STATEMENT_NAME) {
                        return Err(error);
                    }
                    self.prepared.clear();
                    client.batch_execute(&format!("ROLLBACK; {opening}"))?;
                    self.read(client, None)?;
                }
                client.batch_execute("ROLLBACK")?;
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        Ok((self.catalogs.clone(), answer))
    }

    /// What has to be read of a catalog whose rows are in `own`. Names in it come from `named_by`, where a row that is written anew or
    /// gone may have changed any of them.
    fn part(&self, written: Option<&[Written]>, own: &[&str], named_by: &[&str]) -> Option<Part> {
        let (Some(before), Some(now)) = (&self.written, written) else { return Some(Part::Whole) };
        let since = |names: &[&str], has: fn(&Written) -> u64| {
            let of = |(name, (before, now)): (&&str, (&Written, &Written))| names.contains(name) && has(before) != has(now);
            WATCHED.iter().zip(before.iter().zip(now)).any(of)
        };
        if since(own, |rows| rows.deleted) || since(named_by, |rows| rows.updated) || since(named_by, |rows| rows.deleted) {
            Some(Part::Whole)
        } else if since(own, |rows| rows.inserted) || since(own, |rows| rows.updated) {
            Some(Part::Written(self.age))
        } else {
            None
        }
    }

    fn read(&mut self, client: &mut Client, written: Option<&[Written]>) -> Result<(), Error> {
        let part = |own: &[&str], named_by: &[&str]| self.part(written, own, named_by);
        let namespaces = part(&["pg_namespace"], &["pg_authid"]);
        let classes = part(&["pg_class", "pg_partitioned_table"], &["pg_namespace", "pg_authid"]);
        let attributes = part(&["pg_attribute"], &["pg_namespace", "pg_type", "pg_authid"]);
        // A column that is dropped is written anew, as one without a name.
        let drops_columns = part(&[], &["pg_attribute"]).is_some();
        let constraints = part(&["pg_constraint"], &["pg_namespace"]);
        let indexes = part(&["pg_index", "pg_class", "pg_constraint"], &["pg_namespace"]);
        let triggers = part(&["pg_trigger"], &["pg_namespace", "pg_proc"]);
        let policies = part(&["pg_policy"], &["pg_authid"]);
        let rules = part(&["pg_rewrite"], &[]);
        let types = part(&["pg_type"], &["pg_namespace", "pg_type", "pg_authid"]);
        let labels = part(&["pg_enum"], &[]);
        let routines = part(&["pg_proc"], &["pg_namespace", "pg_type", "pg_authid"]);
        let inherits = part(&["pg_inherits"], &[]);
        let sequences = part(&["pg_sequence", "pg_depend"], &[]);
        let extensions = part(&["pg_extension"], &["pg_namespace"]);
        let members = part(&["pg_depend"], &[]);
        let publications = part(&["pg_publication", "pg_publication_rel", "pg_publication_namespace"], &["pg_namespace"]);
        let renamed = part(&[], &["pg_class"]);
        let roles = part(&["pg_authid"], &[]);
        let files = part(&["pg_class", "pg_index"], &["pg_namespace"]);

        let reader = &mut Reader { client, prepared: &mut self.prepared };
        let catalogs = &mut self.catalogs;
        if let Some(part) = namespaces {
            queries::namespaces(reader, part, &mut catalogs.namespaces)?;
        }
        if let Some(part) = classes {
            queries::classes(reader, part, &mut catalogs.classes)?;
        }
        if let Some(part) = attributes {
            queries::attributes(reader, part, &mut catalogs.attributes)?;
            if let (Part::Written(age), true) = (part, drops_columns) {
                queries::dropped_attributes(reader, age, &mut catalogs.attributes)?;
            }
        }
        if let Some(part) = constraints {
            queries::constraints(reader, part, &mut catalogs.constraints)?;
        }
        if let Some(part) = indexes {
            queries::indexes(reader, part, &mut catalogs.indexes)?;
        }
        if let Some(part) = triggers {
            queries::triggers(reader, part, &mut catalogs.triggers)?;
        }
        if let Some(part) = policies {
            queries::policies(reader, part, &mut catalogs.policies)?;
        }
        if let Some(part) = rules {
            queries::rules(reader, part, &mut catalogs.rules)?;
        }
        if let Some(part) = types {
            queries::types(reader, part, &mut catalogs.types)?;
        }
        if labels.is_some() {
            queries::labels(reader, &mut catalogs.labels)?;
        }
        if let Some(part) = routines {
            queries::routines(reader, part, &mut catalogs.routines)?;
        }
        if inherits.is_some() {
            queries::inherits(reader, &mut catalogs.inherits)?;
        }
        if let Some(part) = sequences {
            queries::sequences(reader, part, &mut catalogs.sequences)?;
        }
        if extensions.is_some() {
            queries::extensions(reader, &mut catalogs.extensions)?;
        }
        if members.is_some() {
            queries::members(reader, &mut catalogs.members)?;
        }
        // A table that is renamed or dropped is known by another name in those that have it.
        if publications.is_some() || (renamed.is_some() && !catalogs.publications.is_empty()) {
            queries::publications(reader, &mut catalogs.publications)?;
        }
        if roles.is_some() {
            queries::roles(reader, &mut catalogs.roles)?;
        }
        if let Some(part) = files.filter(|_| self.with_files) {
            queries::files(reader, part, &mut catalogs.files)?;
        }
        Ok(())
    }
}

/// One row: how old the transaction is, and three numbers per catalog. Subtransactions count, rolled back or not. Its own number is
/// the oldest that it writes, as those of its subtransactions come later.
fn counters_query() -> String {
    let of = |name: &&str, what: &str| format!("pg_stat_get_xact_tuples_{what}('pg_catalog.{name}'::regclass)");
    let columns: Vec<String> =
        WATCHED.iter().flat_map(|name| ["inserted", "updated", "deleted"].map(|what| of(name, what))).collect();
    format!("SELECT coalesce(age(pg_current_xact_id_if_assigned()::xid), 0), {}", columns.join(", "))
}

fn counters(answer: &[SimpleQueryMessage]) -> Option<(Vec<Written>, i32)> {
    let row = answer.iter().rev().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })?;
    let age = row.get(0)?.parse().ok()?;
    let numbers: Vec<u64> = (1..row.len()).map(|at| row.get(at)?.parse().ok()).collect::<Option<_>>()?;
    let written = numbers.chunks_exact(3).map(|of| Written { inserted: of[0], updated: of[1], deleted: of[2] }).collect();
    Some((written, age))
}
