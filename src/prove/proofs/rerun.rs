//! Each unit's SQL once more, without its ledger row, where it has just run: does it bear that?
//!
//! In a transaction that is rolled back, so that the walk goes on as if nothing had been; a unit that refuses a transaction runs again
//! in a copy of the database. Sequences do not roll back: what a rerun took from them is put back. A unit that succeeds and wrote
//! nothing changed nothing, which the transaction's own counters tell; only where it wrote are schema and rows compared.

use super::steps::Walk;
use super::{differences, is_judged};
use crate::finding::Level;
use crate::op::{Op, TransactionCommand};
use crate::prove::answer::rows;
use crate::prove::evidence::{Coverage, Found, Outcome, ProofReport};
use crate::prove::fingerprint::{Fingerprint, Masked, Scope};
use crate::prove::observe::trace::TELL_STATISTICS;
use crate::prove::replay::{ReplayStatement, ReplayUnit};
use crate::prove::runner::{RunFailure, Stopped, apply_unit, not_run, send};
use crate::prove::stage::{Proof, ProveError, Stage, while_proving};
use crate::source::Wrapping;
use crate::source::layouts::{self, Late};
use crate::sql::names::quote_literal;
use postgres::error::SqlState;
use postgres::{Client, SimpleQueryRow};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub struct Rerun;

impl Proof for Rerun {
    fn name(&self) -> &'static str {
        "rerun"
    }

    fn summary(&self) -> &'static str {
        "the SQL of each migration bears a second run without its record"
    }

    fn rules(&self) -> &'static [&'static str] {
        &["rerun-failed", "rerun-changed"]
    }

    fn prove(&self, stage: &Stage<'_>) -> Result<ProofReport, ProveError> {
        let mut walk = Walk::start(stage)?;
        let units = &stage.chain.units;
        let mut found = Vec::new();
        let mut coverage = Coverage { done: 0, of: (0..units.len()).filter(|at| is_judged(stage, *at)).count(), what: "units" };
        for (at, unit) in units.iter().enumerate() {
            if let Err(failure) = walk.apply(stage, at)? {
                let mut report = ProofReport::of(coverage, Vec::new(), found);
                report.outcome = Outcome::NotRun(format!("{} does not apply: {}", unit.path, failure.message));
                return Ok(report);
            }
            if !is_judged(stage, at) {
                continue;
            }
            let again = Again { stage, at, unit };
            let (outcome, outside) = again.run(&mut walk)?;
            found.extend(again.judge(outcome, outside));
            coverage.done += 1;
        }
        Ok(ProofReport::of(coverage, Vec::new(), found))
    }
}

/// What a second run did.
enum Repeated {
    Nothing,
    Failed(RunFailure),
    /// What is different, in words.
    Changed(String),
}

/// One unit and its second run.
struct Again<'a, 's> {
    stage: &'a Stage<'s>,
    at: usize,
    unit: &'a ReplayUnit,
}

impl Again<'_, '_> {
    /// What happened, and whether it ran outside of a transaction.
    fn run(&self, walk: &mut Walk<'_>) -> Result<(Repeated, bool), ProveError> {
        let runnable = self.unit.statements.iter().filter(|statement| not_run(statement).is_none());
        if runnable.clone().next().is_none() {
            return Ok((Repeated::Nothing, false));
        }
        if !is_one_block(self.unit) && runnable.clone().any(|statement| matches!(statement.op, Some(Op::Transaction(_)))) {
            let repeated = self.in_a_copy(walk)?;
            let outside = match &repeated {
                Repeated::Failed(RunFailure { statement: Some(at), .. }) => stands_outside(self.unit, *at),
                _ => (0..self.unit.statements.len()).any(|at| stands_outside(self.unit, at)),
            };
            return Ok((repeated, outside));
        }
        match self.in_a_transaction(walk)? {
            Some(repeated) => Ok((repeated, self.unit.wrapping == Wrapping::None)),
            None => Ok((self.in_a_copy(walk)?, true)),
        }
    }

    /// `None` where it refuses a transaction.
    fn in_a_transaction(&self, walk: &mut Walk<'_>) -> Result<Option<Repeated>, ProveError> {
        let client = walk.client()?;
        client.batch_execute(TELL_STATISTICS).map_err(while_proving("begin a transaction"))?;
        let sequences = Sequences::read(client, "BEGIN")?;
        let repeated = match self.attempt(client)? {
            Attempt::Refused => None,
            Attempt::Failed(failure) => Some(Repeated::Failed(failure)),
            Attempt::Succeeded(written) if written.is_nothing() && Sequences::read(client, "")? == sequences => {
                Some(Repeated::Nothing)
            }
            Attempt::Succeeded(written) => {
                let scope = self.scope_of(written);
                let after = Fingerprint::read(client, &scope).map_err(while_proving("read the database"))?;
                sequences.restore(client)?;
                let before = Fingerprint::read(client, &scope).map_err(while_proving("read the database"))?;
                return Ok(Some(compared(&before, &after)));
            }
        };
        sequences.restore(client)?;
        Ok(repeated)
    }

    /// In the open transaction, which it leaves open, aborted or not.
    fn attempt(&self, client: &mut Client) -> Result<Attempt, ProveError> {
        self.forget_record(client)?;
        for (number, statement) in self.unit.statements.iter().enumerate().filter(|(_, one)| not_run(one).is_none()) {
            if matches!(statement.op, Some(Op::Transaction(_))) {
                // The file's own transaction around everything: ours takes its place.
                continue;
            }
            if let Err(error) = send(client, statement) {
                let failure = self.answer(Some(number), error)?;
                let refuses = [SqlState::ACTIVE_SQL_TRANSACTION, SqlState::INVALID_TRANSACTION_TERMINATION];
                let is_refusal = refuses.iter().any(|state| failure.sqlstate.as_deref() == Some(state.code()));
                return Ok(if is_refusal { Attempt::Refused } else { Attempt::Failed(failure) });
            }
        }
        // Deferred constraints speak at the end.
        if let Err(error) = client.batch_execute("SET CONSTRAINTS ALL IMMEDIATE") {
            return Ok(Attempt::Failed(self.answer(None, error)?));
        }
        Written::read(client).map(Attempt::Succeeded).map_err(while_proving("read what the transaction wrote"))
    }

    /// Outside of a transaction the server's statistics tell whether anything was written: of a copy they are its own.
    fn in_a_copy(&self, walk: &mut Walk<'_>) -> Result<Repeated, ProveError> {
        walk.leave();
        let copy = self.stage.cluster.copy_of(&walk.database)?;
        let mut client = copy.connect()?;
        self.forget_record(&mut client)?;
        let (sequences, written) = (Sequences::read(&mut client, "")?, rows_written(&mut client)?);
        if let Err(failure) = apply_unit(&mut client, self.unit)? {
            return Ok(Repeated::Failed(failure));
        }
        if rows_written(&mut client)? == written && Sequences::read(&mut client, "")? == sequences {
            return Ok(Repeated::Nothing);
        }
        let scope = Scope { keeps_plans: false, ..self.scope() };
        let after = Fingerprint::read(&mut client, &scope).map_err(while_proving("read the database"))?;
        let untouched = self.stage.cluster.copy_of(&walk.database)?;
        let mut client = untouched.connect()?;
        self.forget_record(&mut client)?;
        let before = Fingerprint::read(&mut client, &scope).map_err(while_proving("read the database"))?;
        Ok(compared(&before, &after))
    }

    /// A script that looks up its own record would do nothing: it must not find it.
    fn forget_record(&self, client: &mut Client) -> Result<(), ProveError> {
        let Some(ledger) = self.stage.runner.ledger() else { return Ok(()) };
        const ACTION: &str = "take a record out of the ledger";
        // In one message each: this is done before every unit.
        let exists = format!("SELECT 1 WHERE pg_catalog.to_regclass({}) IS NOT NULL", quote_literal(&ledger.table));
        if rows(&client.simple_query(&exists).map_err(while_proving(ACTION))?).next().is_none() {
            return Ok(());
        }
        let delete = format!("DELETE FROM {} WHERE {}::text = {}", ledger.table, ledger.column, quote_literal(&self.unit.id));
        client.batch_execute(&delete).map_err(while_proving(ACTION))
    }

    /// Without the rows of the ledger, by any name that it may have.
    fn scope(&self) -> Scope {
        let mut scope = Scope { keeps_plans: true, ..Scope::everything() };
        if let Some(ledger) = self.stage.runner.ledger() {
            let qualified = if ledger.table.contains('.') { ledger.table.clone() } else { format!("public.{}", ledger.table) };
            scope.without_data_of.insert(qualified);
        }
        scope
    }

    /// No more than what was written.
    fn scope_of(&self, written: Written) -> Scope {
        let whole = self.scope();
        let only_rows_of = Some(written.tables);
        if written.catalogs {
            Scope { only_rows_of, ..whole }
        } else {
            Scope { schema: false, cluster: false, only_rows_of, ..whole }
        }
    }

    /// What the server says to a statement. A session that is lost is no answer.
    fn answer(&self, statement: Option<usize>, error: postgres::Error) -> Result<RunFailure, ProveError> {
        match error.as_db_error() {
            Some(_) => Ok(Stopped { statement, error }.failure(Some(self.at))),
            None => Err(ProveError::Connection { action: "run a statement again", source: error }),
        }
    }

    fn judge(&self, repeated: Repeated, outside: bool) -> Option<Found> {
        let several = self.unit.statements.iter().filter(|statement| not_run(statement).is_none() && acts(statement)).count() > 1;
        let migration = self.stage.chain.checked.history.migrations.get(self.at);
        let layout = layouts::named(&self.stage.chain.checked.history.layout);
        let runs_again = migration.zip(layout).is_some_and(|(migration, layout)| layout.late(migration) == Late::Repeated);
        let (level, when) = match (outside, several) {
            _ if self.stage.wanted.idempotent => (Level::Error, "every migration is to bear that here"),
            (true, true) => (Level::Error, "it runs outside of a transaction, so that a stop leaves a part of it done"),
            (true, false) => {
                (Level::Warning, "it runs outside of a transaction, so that a stop before its record leaves it done")
            }
            (false, _) if runs_again => (Level::Warning, "its runner runs it again whenever its text changes"),
            (false, _) => (Level::Note, "it runs in a transaction, so that this matters only where its record is lost"),
        };
        let (rule, statement, message) = match repeated {
            Repeated::Nothing => return None,
            Repeated::Failed(RunFailure { statement, sqlstate, message, .. }) => {
                let state = sqlstate.map(|state| format!(" ({state})")).unwrap_or_default();
                ("rerun-failed", statement, format!("a second run of this migration fails{state}: {message}; {when}"))
            }
            Repeated::Changed(what) => (
                "rerun-changed",
                None,
                format!("a second run of this migration succeeds and changes what is there: {what}; {when}"),
            ),
        };
        Some(Found {
            rule,
            level,
            unit: Some(self.at),
            statement: statement.or_else(|| self.first_that_acts()),
            message,
            help:
                "guard it, or put it into one transaction: `phasegate explain not-rerunnable` says how for each kind of statement"
                    .into(),
            shown_by: None,
        })
    }

    fn first_that_acts(&self) -> Option<usize> {
        self.unit.statements.iter().position(acts)
    }
}

enum Attempt {
    Refused,
    Failed(RunFailure),
    Succeeded(Written),
}

/// What a transaction wrote to.
struct Written {
    /// Qualified names of tables of users whose rows may be others: rows were written, or all of the table was.
    tables: BTreeSet<String>,
    /// To any table of the server's own: then anything else may be otherwise.
    catalogs: bool,
}

impl Written {
    fn read(client: &mut Client) -> Result<Written, postgres::Error> {
        // A rewrite counts no rows, but gives the table another file, and so writes its row in `pg_class` anew.
        const QUERY: &str = "SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), n.nspname = 'pg_catalog' \
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm') \
             AND n.nspname !~ '^pg_(toast$|temp_|toast_temp_)' AND (pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) \
             + pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) + pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) > 0 \
             OR c.oid >= 16384 AND pg_catalog.age(c.xmin) <= pg_catalog.age(pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.xid))";
        let mut written = Written { tables: BTreeSet::new(), catalogs: false };
        for row in client.query(QUERY, &[])? {
            if row.try_get(1)? {
                written.catalogs = true;
            } else {
                written.tables.insert(row.try_get(0)?);
            }
        }
        Ok(written)
    }

    fn is_nothing(&self) -> bool {
        !self.catalogs && self.tables.is_empty()
    }
}

fn compared(before: &Fingerprint, after: &Fingerprint) -> Repeated {
    let found = before.difference(after, &Masked::default());
    if found.is_empty() { Repeated::Nothing } else { Repeated::Changed(differences(&found)) }
}

/// It does something to a database: a setting and the bounds of a transaction do not.
fn acts(statement: &ReplayStatement) -> bool {
    !matches!(statement.op, Some(Op::Transaction(_) | Op::Set(_) | Op::Show | Op::SetConstraints { .. }))
}

/// The file's own transaction is around all that it does.
fn is_one_block(unit: &ReplayUnit) -> bool {
    let acting: Vec<&ReplayStatement> =
        unit.statements.iter().filter(|one| acts(one) || matches!(one.op, Some(Op::Transaction(_)))).collect();
    match acting.as_slice() {
        [first, inner @ .., last] => {
            matches!(first.op, Some(Op::Transaction(TransactionCommand::Begin)))
                && matches!(last.op, Some(Op::Transaction(TransactionCommand::Commit)))
                && !inner.iter().any(|one| matches!(one.op, Some(Op::Transaction(_))))
        }
        _ => false,
    }
}

/// A statement that is not undone when the file stops at it or after it: none of the file's own transactions is around it, or one of
/// them is over by then.
fn stands_outside(unit: &ReplayUnit, at: usize) -> bool {
    let mut open = unit.wrapping == Wrapping::Wrapped;
    let mut is_first = true;
    for (number, statement) in unit.statements.iter().enumerate() {
        match &statement.op {
            Some(Op::Transaction(TransactionCommand::Begin)) => open = true,
            Some(Op::Transaction(TransactionCommand::Commit | TransactionCommand::Rollback | TransactionCommand::TwoPhase)) => {
                open = false;
                is_first = false;
            }
            _ if number == at => return acts(statement) && (!open || !is_first),
            _ => {}
        }
    }
    false
}

/// Rows that all sessions together have written to the tables of this database, those of the server among them, as far as it has been
/// told. This session has nothing left to tell.
fn rows_written(client: &mut Client) -> Result<i64, ProveError> {
    const ACTION: &str = "read what was written";
    const QUERY: &str = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_catalog.pg_stat_all_tables \
         WHERE schemaname !~ '^pg_(toast_)?temp'";
    client.batch_execute(TELL_STATISTICS).map_err(while_proving(ACTION))?;
    client.query_one(QUERY, &[]).and_then(|row| row.try_get(0)).map_err(while_proving(ACTION))
}

/// Where the sequences of users stand, by their OIDs. `None` where nothing was taken from one, or we may not see it.
#[derive(Debug, PartialEq, Eq)]
struct Sequences(BTreeMap<u32, Option<i64>>);

impl Sequences {
    /// After a statement, in one message.
    fn read(client: &mut Client, after: &str) -> Result<Sequences, ProveError> {
        const QUERY: &str = "SELECT seqrelid, CASE WHEN pg_catalog.has_sequence_privilege(seqrelid, 'SELECT,USAGE') \
             THEN pg_catalog.pg_sequence_last_value(seqrelid) END FROM pg_catalog.pg_sequence WHERE seqrelid >= 16384";
        let answer = client.simple_query(&format!("{after}; {QUERY}")).map_err(while_proving("read the sequences"))?;
        let sequence = |row: &SimpleQueryRow| Some((row.get(0)?.parse().ok()?, row.get(1).and_then(|value| value.parse().ok())));
        Ok(Sequences(rows(&answer).filter_map(sequence).collect()))
    }

    /// Rolls back, and puts back what moved all the same. Sequences that are gone or new were rolled back with the rest.
    fn restore(&self, client: &mut Client) -> Result<(), ProveError> {
        let Sequences(now) = Sequences::read(client, "ROLLBACK")?;
        for (sequence, value) in &self.0 {
            if now.get(sequence).is_some_and(|moved| moved != value) {
                let (value, is_called) = match value {
                    Some(value) => (value.to_string(), "true"),
                    None => (format!("(SELECT seqstart FROM pg_catalog.pg_sequence WHERE seqrelid = {sequence})"), "false"),
                };
                let set =
                    format!("SELECT pg_catalog.setval({sequence}::pg_catalog.oid::pg_catalog.regclass, {value}, {is_called})");
                client.batch_execute(&set).map_err(while_proving("put a sequence back"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Span;
    use crate::sql::parse;

    fn unit(wrapping: Wrapping, sql: &str) -> ReplayUnit {
        let migration = crate::source::Migration { wrapping, ..crate::source::Migration::of_text("1", "1.sql", sql.as_bytes()) };
        ReplayUnit::new(&migration, &parse::unit(&migration))
    }

    #[test]
    fn a_statement_is_outside_where_no_transaction_of_the_file_undoes_it() {
        let guarded = unit(Wrapping::Batch, "CREATE EXTENSION IF NOT EXISTS x; BEGIN; CREATE TABLE t (); COMMIT;");
        assert!(stands_outside(&guarded, 0) && !stands_outside(&guarded, 2));
        assert_eq!(guarded.statements[0].span, Span { start: 0, end: 32 });
        let two = unit(Wrapping::Explicit, "BEGIN; CREATE TABLE t (); COMMIT; BEGIN; CREATE TABLE u (); COMMIT;");
        assert!(!stands_outside(&two, 1) && stands_outside(&two, 4), "the first is over when the second stops");
        let literal = unit(Wrapping::Wrapped, "CREATE TABLE t (); COMMIT; CREATE TABLE u ();");
        assert!(!stands_outside(&literal, 0) && stands_outside(&literal, 2));
        assert!(is_one_block(&unit(Wrapping::Explicit, "SET x.y = 1; BEGIN; CREATE TABLE t (); COMMIT;")));
        assert!(!is_one_block(&two) && !is_one_block(&guarded));
    }
}
