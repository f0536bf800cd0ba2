//! Each unit also runs on tables that hold rows.
//!
//! Two databases go through the history: one stays empty, in the other every table holds rows before a unit is applied, made by
//! [`rows`](super::super::rows) or by the user's own seed files. A unit that fails with rows and does not without is a finding; the
//! history then goes on in a copy of the empty database, filled anew, so that later units are covered too.
//!
//! Made-up values prove less than true ones, so levels say how much hangs on them. With seed files everything is an error. Else:
//! - what any row brings about is an error: a column that the rows do not have yet or that came later holds the same in each of them
//!   (23502, 23505, 23514 and 23503 of such columns), events of triggers are pending (55006), a subquery meets more than one row
//!   (21000), and whatever else names no value;
//! - what hangs on the values that were made, or on what a statement copies of them, is a warning: NULL (23502), equal (23505) or other values of columns that were there
//!   from the start, a new CHECK, EXCLUDE or foreign key over them (23514, 23P01, 23503), every error of data (class 22), and what a
//!   statement raises itself (P0001): it looked for values.

use super::super::chain::Chain;
use super::super::cluster::{Cluster, Database};
use super::super::evidence::{Coverage, Found, ProofReport};
use super::super::rows::{FillOptions, Filler, Seeds};
use super::super::stage::{Progress, Proof, ProveError, Stage, while_proving};
use super::help::help_on_data;
use super::walk::{self, Stopped, Turn};
use crate::finding::Level;
use crate::op::{AlterTableCommand, ObjectName, Op};
use crate::sql::names::quote_identifier;
use postgres::Client;
use std::collections::BTreeMap;

#[derive(Debug)]
pub struct OnData;

impl Proof for OnData {
    fn name(&self) -> &'static str {
        "on-data"
    }

    fn summary(&self) -> &'static str {
        "each migration also runs on tables that hold rows"
    }

    fn rules(&self) -> &'static [&'static str] {
        &["fails-on-data"]
    }

    fn prove(&self, stage: &Stage<'_>) -> Result<ProofReport, ProveError> {
        drop(stage.memory.applied.take());
        stage.cluster.reset()?;
        prove_on(stage.cluster, stage.chain, &stage.wanted.seed, stage.progress)
    }
}

/// The proof, of what it needs.
pub fn prove_on(
    cluster: &Cluster<'_>,
    chain: &Chain<'_>,
    seed: &[(String, String)],
    progress: &dyn Progress,
) -> Result<ProofReport, ProveError> {
    let mut proving = Proving {
        cluster,
        chain,
        is_generated: seed.is_empty(),
        seeds: Seeds::new(seed),
        filler: Filler::default(),
        unfilled: BTreeMap::new(),
        found: Vec::new(),
    };
    let (done, why) = proving.go(progress)?;
    let mut remarks = Vec::new();
    remarks.extend(proving.seeds.remarks());
    let unfilled = proving.unfilled.into_iter().map(|(table, why)| format!("{table} could not be filled: {why}."));
    remarks.extend(unfilled);
    let coverage = Coverage { done, of: chain.units.len(), what: "units" };
    Ok(ProofReport::of(coverage, remarks, proving.found).unless(why))
}

struct Proving<'a> {
    cluster: &'a Cluster<'a>,
    chain: &'a Chain<'a>,
    /// Rows are made up.
    is_generated: bool,
    seeds: Seeds<'a>,
    filler: Filler,
    /// Tables that never held rows, and why.
    unfilled: BTreeMap<String, String>,
    found: Vec<Found>,
}

impl Proving<'_> {
    /// How many units were covered, and why not all.
    fn go(&mut self, progress: &dyn Progress) -> Result<(usize, Option<String>), ProveError> {
        let empty = self.cluster.fresh()?;
        let mut filled = self.cluster.fresh()?;
        let order = self.chain.checked.releases.order(self.chain.units.len());
        for (done, at) in order.into_iter().enumerate() {
            let Some(unit) = self.chain.units.get(at) else { continue };
            progress.unit(&unit.id);
            self.fill(&filled)?;
            if let Err(stopped) = walk::apply(&empty, unit, Turn::First)? {
                let why = format!(
                    "{} does not apply on empty tables ({} {}), so that nothing is said about it and what comes after it",
                    unit.id, stopped.sqlstate, stopped.message
                );
                return Ok((done, Some(why)));
            }
            if let Err(stopped) = walk::apply(&filled, unit, Turn::Again)? {
                if !self.chain.checked.releases.is_released(at) {
                    let found = self.finding(at, &stopped, &mut connect(&filled)?)?;
                    self.found.push(found);
                }
                drop(filled);
                filled = self.cluster.copy_of(&empty)?;
                self.filler = Filler::default();
                self.seeds.again();
            }
        }
        Ok((self.chain.units.len(), None))
    }

    fn fill(&mut self, database: &Database<'_>) -> Result<(), ProveError> {
        let mut client = connect(database)?;
        if !self.is_generated {
            return self.seeds.run(&mut client).map_err(while_proving("run a seed"));
        }
        let filled = self.filler.fill(&mut client, &FillOptions::default()).map_err(while_proving("fill tables"))?;
        for table in &filled.tables {
            self.unfilled.remove(table);
        }
        self.unfilled.extend(filled.unfilled.into_iter().map(|unfilled| (unfilled.table, unfilled.why)));
        Ok(())
    }

    fn finding(&self, at: usize, stopped: &Stopped, client: &mut Client) -> Result<Found, ProveError> {
        let place = Place::of(self.chain, at, stopped);
        let forced = self.is_forced(&place, stopped, client)?;
        let level = if self.is_generated && !forced { Level::Warning } else { Level::Error };
        let Stopped { sqlstate, message, .. } = stopped;
        let whose = match &place.table {
            Some(table) => format!(" with rows in {table}"),
            None => " where tables hold rows".to_owned(),
        };
        let values = self.values(&place, client)?;
        let words = message.trim_end_matches('.');
        let mut said = format!("this fails{whose} and does not on empty tables: {sqlstate} {words}{values}");
        if self.is_generated && !forced {
            said.push_str("; the rows were generated, and whether yours hold such values only you can say");
        } else if self.is_generated {
            said.push_str("; whatever the rows hold");
        }
        Ok(Found {
            rule: "fails-on-data",
            level,
            unit: Some(at),
            statement: stopped.statement,
            message: said,
            help: help_on_data(sqlstate).to_owned(),
            shown_by: None,
        })
    }

    /// Any row at all brings it about.
    fn is_forced(&self, place: &Place, stopped: &Stopped, client: &mut Client) -> Result<bool, ProveError> {
        let hangs_on_values = matches!(stopped.sqlstate.as_str(), "23502" | "23503" | "23505" | "23514" | "23P01" | "P0001")
            || stopped.sqlstate.starts_with("22");
        if !hangs_on_values {
            return Ok(true);
        }
        let (Some(table), false, true) = (&place.table, place.columns.is_empty(), place.is_of_table) else { return Ok(false) };
        // What the unit itself made and filled is undone with it: its rows came from the made-up ones of other tables.
        const EXISTS: &str = "SELECT pg_catalog.to_regclass($1) IS NOT NULL";
        let exists = client.query_one(EXISTS, &[table]).and_then(|row| row.try_get(0));
        if !exists.map_err(while_proving("look for a table"))? {
            return Ok(false);
        }
        const QUERY: &str = "SELECT a.attrelid, a.attnum FROM pg_catalog.pg_attribute a \
             WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attname = $2 AND NOT a.attisdropped";
        for column in &place.columns {
            let row = client.query_opt(QUERY, &[table, column]).map_err(while_proving("look for a column"))?;
            let Some(row) = row else { continue };
            let read = |error| while_proving("look for a column")(error);
            if self.filler.is_original(row.try_get(0).map_err(read)?, row.try_get(1).map_err(read)?) {
                return Ok(false);
            }
        }
        // A value error in a column that came later is one in the rows that were made since.
        Ok(!stopped.sqlstate.starts_with("22"))
    }

    /// What the columns held, where they were there.
    fn values(&self, place: &Place, client: &mut Client) -> Result<String, ProveError> {
        let Some(table) = &place.table else { return Ok(String::new()) };
        let mut shown = Vec::new();
        for column in &place.columns {
            const LIMIT: usize = 60;
            let query = format!("SELECT DISTINCT {}::text FROM {table} ORDER BY 1 NULLS FIRST LIMIT 4", quote_identifier(column));
            let Ok(rows) = client.query(&query, &[]) else { continue };
            let mut values = Vec::new();
            for row in rows {
                let value: Option<String> = row.try_get(0).map_err(while_proving("read values"))?;
                values
                    .push(value.map_or("NULL".to_owned(), |text| format!("'{}'", text.chars().take(LIMIT).collect::<String>())));
            }
            if !values.is_empty() {
                shown.push(format!("{column} held {}", values.join(", ")));
            }
        }
        Ok(if shown.is_empty() { String::new() } else { format!("; {}", shown.join(", ")) })
    }
}

fn connect(database: &Database<'_>) -> Result<Client, ProveError> {
    Ok(database.connect()?)
}

/// Whose rows a failure is about.
#[derive(Debug, Default)]
struct Place {
    table: Option<String>,
    columns: Vec<String>,
    /// The columns hold what the table's own definition puts there, and nothing that a statement brings from elsewhere.
    is_of_table: bool,
}

impl Place {
    /// As the server says it; else as the statement does.
    fn of(chain: &Chain<'_>, unit: usize, stopped: &Stopped) -> Place {
        let statement = stopped.statement.and_then(|at| chain.units.get(unit)?.statements.get(at));
        let by_statement = statement.and_then(|statement| statement.op.as_ref()).map(Place::of_op).unwrap_or_default();
        let of_key = stopped.detail.as_deref().map(key_columns).unwrap_or_default();
        let columns = match (&stopped.column, of_key.is_empty()) {
            (Some(column), _) => vec![column.clone()],
            (None, false) => of_key,
            (None, true) => by_statement.columns,
        };
        let is_of_table = match statement.and_then(|statement| statement.op.as_ref()) {
            // What is copied may be NULL or twice because of what was made up; a column that an INSERT leaves out never is.
            Some(Op::Dml(dml)) => !dml.columns.is_empty() && columns.iter().all(|column| !dml.columns.contains(column)),
            Some(Op::Do(_) | Op::Select(_) | Op::Call { .. }) => false,
            Some(_) | None => true,
        };
        Place { table: stopped.table.clone().or(by_statement.table), columns, is_of_table }
    }

    fn of_op(op: &Op) -> Place {
        let name = |name: &ObjectName| {
            let schema = name.schema.as_ref().map(|schema| format!("{}.", quote_identifier(schema)));
            Some(format!("{}{}", schema.unwrap_or_default(), quote_identifier(&name.name)))
        };
        match op {
            Op::AlterTable(alter) => {
                let retyped = alter.commands.iter().filter_map(|command| match command {
                    AlterTableCommand::SetType { column, .. } | AlterTableCommand::SetNotNull { column } => Some(column.clone()),
                    _ => None,
                });
                Place { table: name(&alter.name), columns: retyped.collect(), ..Place::default() }
            }
            Op::CreateIndex(index) => Place { table: name(&index.relation), ..Place::default() },
            Op::Dml(dml) => Place { table: name(&dml.relation), ..Place::default() },
            _ => Place::default(),
        }
    }
}

/// The columns of `Key (a, b)=(1, 2) is duplicated.`, whatever language it is in; none where one is an expression.
fn key_columns(detail: &str) -> Vec<String> {
    let Some((before, _)) = detail.split_once(")=(") else { return Vec::new() };
    let Some((_, names)) = before.split_once('(') else { return Vec::new() };
    if names.contains('(') {
        return Vec::new();
    }
    names.split(", ").map(|name| name.trim_matches('"').to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_out_of_the_servers_detail() {
        assert_eq!(key_columns("Key (a, \"B c\")=(1, 2) is duplicated."), ["a", "B c"]);
        assert!(key_columns("Key (lower(a))=(x) is duplicated.").is_empty());
        assert!(key_columns("Failing row contains (1).").is_empty());
    }
}
