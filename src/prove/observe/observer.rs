//! Reads the catalogs through the connection that is being watched, without a trace in it, and only what may have changed.

use super::catalogs::{Catalogs, FIRST_NORMAL_OBJECT};
use super::changes::{Changes, Counters};
use super::planned::Planned;
use super::queries;
use super::reader::{Part, Prepared, Reader};
use postgres::error::SqlState;
use postgres::{Client, Error, SimpleQueryMessage};
use std::fmt;

/// Names come out qualified, and no setting of the migration stops or changes what is read. A temporary table cannot stand in for a
/// catalog.
const SETTINGS: &str =
    "SET LOCAL search_path TO pg_catalog, pg_temp; SET LOCAL statement_timeout TO 0; SET LOCAL lock_timeout TO 0;";

/// The end of a [`Look`] in a transaction that goes on, or is committed.
pub const ENDING: &str = "ROLLBACK TO SAVEPOINT phasegate_observe; RELEASE SAVEPOINT phasegate_observe";

/// What the watched connection's catalogs were when they were last read.
#[derive(Default)]
pub struct Observer {
    catalogs: Catalogs,
    /// Those of the open transaction at the last reading; `None` outside of one, and when nobody knows.
    counters: Option<Counters>,
    prepared: Prepared,
    planned: Planned,
    with_files: bool,
}

/// What a look at the open transaction saw.
#[derive(Debug)]
pub struct Look {
    /// As the connection sees them now, its own uncommitted changes included.
    pub catalogs: Catalogs,
    /// What the server said to the questions, one after the other.
    pub answer: Vec<SimpleQueryMessage>,
}

impl fmt::Debug for Observer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Observer").field("catalogs", &self.catalogs).field("counters", &self.counters).finish_non_exhaustive()
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
        self.counters = None;
    }

    /// The connection's transaction has just begun, and these are the catalogs that it begins with.
    pub fn begin(&mut self, catalogs: &Catalogs) {
        self.catalogs = catalogs.clone();
        self.counters = Some(Counters::zero());
    }

    /// True when the last reading was inside a transaction, which a rollback would undo.
    pub fn is_in_transaction(&self) -> bool {
        self.counters.is_some()
    }

    /// The catalogs as the connection sees them now, its own uncommitted changes included.
    ///
    /// Fails when the connection is gone or its transaction is aborted.
    pub fn observe(&mut self, client: &mut Client) -> Result<Catalogs, Error> {
        match self.look(client, &[]) {
            Ok(look) => client.batch_execute(ENDING).map(|()| look.catalogs),
            Err(error) if error.code() == Some(&SqlState::NO_ACTIVE_SQL_TRANSACTION) => {
                // The message ended before it prepared anything.
                self.planned.forget();
                client.batch_execute(&format!("BEGIN READ ONLY; {SETTINGS}"))?;
                self.read(client, None, &format!("ROLLBACK; BEGIN READ ONLY; {SETTINGS}"))?;
                client.batch_execute("ROLLBACK")?;
                Ok(self.catalogs.clone())
            }
            Err(error) => Err(error),
        }
    }

    /// The catalogs as the open transaction sees them, and the answers to queries that are asked before they are read. [`ENDING`] is
    /// the caller's to send.
    ///
    /// Fails when the connection is gone, and where it has no transaction or an aborted one.
    pub fn look(&mut self, client: &mut Client, queries: &[&str]) -> Result<Look, Error> {
        let opening = |planned: &mut Planned| {
            let asked = planned.text(queries.iter().copied().chain([Counters::query()]));
            format!("SAVEPOINT phasegate_observe; {SETTINGS} {asked}")
        };
        let answer = match client.simple_query(&opening(&mut self.planned)) {
            // The migration has thrown away what the session had prepared.
            Err(error) if error.code() == Some(&SqlState::INVALID_SQL_STATEMENT_NAME) => {
                client.batch_execute(ENDING)?;
                self.planned.forget();
                client.simple_query(&opening(&mut self.planned))?
            }
            answer => answer?,
        };
        self.read(client, Counters::read(&answer), &format!("ROLLBACK TO SAVEPOINT phasegate_observe; {SETTINGS}"))?;
        Ok(Look { catalogs: self.catalogs.clone(), answer })
    }

    /// Reads what changed between the last look and `now`. Where the migration has thrown away what the session had prepared, that is
    /// begun once more, by `again`.
    fn read(&mut self, client: &mut Client, now: Option<Counters>, again: &str) -> Result<(), Error> {
        let before = self.counters.take();
        let changes = Changes { before: before.as_ref(), now: now.as_ref() };
        match self.read_changes(client, changes) {
            Err(error) if error.code() == Some(&SqlState::INVALID_SQL_STATEMENT_NAME) => {
                self.prepared.clear();
                client.batch_execute(again)?;
                self.read_changes(client, changes)?;
            }
            other => other?,
        }
        self.counters = now;
        Ok(())
    }

    fn read_changes(&mut self, client: &mut Client, changes: Changes<'_>) -> Result<(), Error> {
        let reader = &mut Reader { client, prepared: &mut self.prepared };
        let catalogs = &mut self.catalogs;
        if let Some(part) = changes.of(&["pg_namespace"], &["pg_authid"]) {
            queries::namespaces(reader, part, &mut catalogs.namespaces)?;
        }
        let mut has_index = false;
        if let Some(part) = changes.of(&["pg_class", "pg_partitioned_table", "pg_index"], &["pg_namespace", "pg_authid"]) {
            let files = self.with_files.then_some(&mut catalogs.files);
            has_index = queries::classes(reader, part, &mut catalogs.classes, files)?;
        }
        if let Some(part) = changes.of(&["pg_attribute"], &["pg_namespace", "pg_type", "pg_authid"]) {
            queries::attributes(reader, part, &mut catalogs.attributes)?;
            // A column that is dropped is written anew, as one without a name.
            if let (Part::Written(age), Some(_)) = (part, changes.of(&[], &["pg_attribute"])) {
                queries::dropped_attributes(reader, age, &mut catalogs.attributes)?;
            }
        }
        if let Some(part) = changes.of(&["pg_constraint"], &["pg_namespace"]) {
            queries::constraints(reader, part, &mut catalogs.constraints)?;
        }
        // An index is also written anew where only its name is.
        let of_index: &[&str] =
            if has_index { &["pg_class", "pg_index", "pg_constraint"] } else { &["pg_index", "pg_constraint"] };
        if let Some(part) = changes.of(of_index, &["pg_namespace"]) {
            queries::indexes(reader, part, &mut catalogs.indexes)?;
        }
        if let Some(part) = changes.of(&["pg_trigger"], &["pg_namespace", "pg_proc"]) {
            queries::triggers(reader, part, &mut catalogs.triggers)?;
        }
        if let Some(part) = changes.of(&["pg_policy"], &["pg_authid"]) {
            queries::policies(reader, part, &mut catalogs.policies)?;
        }
        if let Some(part) = changes.of(&["pg_rewrite"], &[]) {
            queries::rules(reader, part, &mut catalogs.rules)?;
        }
        if let Some(part) = changes.of(&["pg_type"], &["pg_namespace", "pg_type", "pg_authid"]) {
            queries::types(reader, part, &mut catalogs.types)?;
        }
        if changes.of(&["pg_enum"], &[]).is_some() {
            queries::labels(reader, &mut catalogs.labels)?;
        }
        if let Some(part) = changes.of(&["pg_proc"], &["pg_namespace", "pg_type", "pg_authid"]) {
            queries::routines(reader, part, &mut catalogs.routines)?;
        }
        if changes.of(&["pg_inherits"], &[]).is_some() {
            queries::inherits(reader, &mut catalogs.inherits)?;
        }
        // Whatever owns it from now on, its row is written anew (`AlterSequence`).
        if let Some(part) = changes.of(&["pg_sequence"], &[]) {
            queries::sequences(reader, part, &mut catalogs.sequences)?;
        }
        if changes.of(&["pg_extension"], &["pg_namespace"]).is_some() {
            queries::extensions(reader, &mut catalogs.extensions)?;
        }
        // Nearly every statement writes to `pg_depend`. The extension that initdb made has no members among the objects of users, unless
        // somebody gave it some: that is seen when everything is read.
        let has_extension = catalogs.extensions.keys().any(|extension| *extension >= FIRST_NORMAL_OBJECT);
        let may_have = |part: &Part| has_extension || !catalogs.members.is_empty() || *part == Part::Whole;
        if changes.of(&["pg_depend"], &[]).filter(may_have).is_some() {
            queries::members(reader, &mut catalogs.members)?;
        }
        let publications = ["pg_publication", "pg_publication_rel", "pg_publication_namespace"];
        // A table that is renamed or dropped is known by another name in those that have it.
        let named_by: &[&str] = if catalogs.publications.is_empty() { &["pg_namespace"] } else { &["pg_namespace", "pg_class"] };
        if changes.of(&publications, named_by).is_some() {
            queries::publications(reader, &mut catalogs.publications)?;
        }
        if changes.of(&["pg_authid"], &[]).is_some() {
            queries::roles(reader, &mut catalogs.roles)?;
        }
        Ok(())
    }
}
