//! Every empty table in the order of its foreign keys.

use super::choice::{Accepted, Style, Trouble, Value, Values, in_savepoint};
use super::describe::{Oid, Reference, Schema, Table, outline};
use super::inserting::{Inserted, Inserting, words};
use super::{FillOptions, Filled, Unfilled};
use postgres::{Client, Error};
use std::collections::{BTreeMap, BTreeSet};

/// Fills tables again and again while a history goes on: what it learned about them is kept.
#[derive(Debug, Default)]
pub struct Filler {
    accepted: Accepted,
    known: BTreeMap<Oid, Known>,
    /// Tables that could not be filled, as they were then, and why.
    refused: BTreeMap<Oid, (Table, String)>,
}

/// A table that holds rows.
#[derive(Clone, Debug)]
struct Known {
    /// Column numbers when it got its first rows.
    first: BTreeSet<i16>,
    /// The same at the last look.
    last: BTreeSet<i16>,
}

/// Rows that a table gets when columns were added to it.
const MORE: usize = 2;

impl Filler {
    /// As [`super::fill`]. Tables that got new columns since the last call get a few more rows, in which those hold values.
    pub fn fill(&mut self, client: &mut Client, options: &FillOptions) -> Result<Filled, Error> {
        // What is only looked at in the end is looked at with each row, so that a refusal is the row's.
        client.batch_execute("BEGIN; SET CONSTRAINTS ALL IMMEDIATE")?;
        if self.is_settled(client)? {
            client.batch_execute("COMMIT")?;
            return Ok(Filled::default());
        }
        let schema = Schema::read(client)?;
        let result = Filling { filler: self, client, schema: &schema, options, filled: Filled::default() }.run();
        match result {
            Ok(filled) => {
                client.batch_execute("COMMIT")?;
                Ok(filled)
            }
            Err(error) => Err(error),
        }
    }

    /// Every table holds rows and has the columns that it had at the last look: nearly always so, and cheaper to see than to read all.
    fn is_settled(&self, client: &mut Client) -> Result<bool, Error> {
        let tables = outline(client)?;
        let is_known = |(oid, (_, columns)): (&Oid, &(String, BTreeSet<i16>))| {
            self.known.get(oid).is_some_and(|known| known.last == *columns)
        };
        if !tables.iter().all(is_known) {
            return Ok(false);
        }
        let names = tables.iter().map(|(oid, (name, _))| (*oid, name.as_str())).collect::<Vec<_>>();
        Ok(holding(client, &names)?.len() == tables.len())
    }

    /// The column was there before the table got its first rows: what it holds was made for it.
    pub fn is_original(&self, table: Oid, column: i16) -> bool {
        self.known.get(&table).is_some_and(|known| known.first.contains(&column))
    }

    /// An INSERT that the server takes now and that names exactly these columns; it is undone. None where none is found.
    ///
    /// Must be called inside a transaction, which stays usable.
    pub fn insertion(
        &mut self,
        client: &mut Client,
        schema: &Schema,
        table: &Table,
        columns: &[String],
    ) -> Result<Option<String>, Error> {
        client.batch_execute("SAVEPOINT phasegate_insertion")?;
        let from = count(client, table)?;
        let mut inserting = Inserting {
            accepted: &mut self.accepted,
            client,
            schema,
            table,
            style: Style::Named(columns),
            from,
            spare: false,
            promises: false,
            forced: &[],
        };
        let inserted = inserting.rows(1);
        client.batch_execute("ROLLBACK TO SAVEPOINT phasegate_insertion; RELEASE SAVEPOINT phasegate_insertion")?;
        match inserted {
            Ok(rows) => Ok(rows.into_iter().next().map(|row| row.sql)),
            Err(Trouble::Refused(_)) => Ok(None),
            Err(Trouble::Lost(error)) => Err(error),
        }
    }
}

fn count(client: &mut Client, table: &Table) -> Result<usize, Error> {
    let query = format!("SELECT pg_catalog.count(*) FROM {}", table.qualified);
    let rows = in_savepoint(client, |client| client.query_one(&query, &[]))?;
    let count = rows.ok().map(|row| row.try_get::<_, i64>(0)).transpose()?;
    Ok(usize::try_from(count.unwrap_or_default()).unwrap_or_default())
}

/// The tables that hold a row, of these.
fn holding(client: &mut Client, tables: &[(Oid, &str)]) -> Result<BTreeSet<Oid>, Error> {
    const AT_ONCE: usize = 100;
    let mut holding = BTreeSet::new();
    for tables in tables.chunks(AT_ONCE) {
        let each: Vec<String> =
            tables.iter().map(|(oid, name)| format!("SELECT {oid}::oid WHERE EXISTS (SELECT FROM {name})")).collect();
        let all = each.join(" UNION ALL ");
        let mut rows = Vec::new();
        match in_savepoint(client, |client| client.query(&all, &[]))? {
            Ok(found) => rows.extend(found),
            // One that we may not read hides no other.
            Err(_) => {
                for query in &each {
                    rows.extend(in_savepoint(client, |client| client.query(query, &[]))?.unwrap_or_default());
                }
            }
        }
        for row in rows {
            holding.insert(row.try_get::<_, Oid>(0)?);
        }
    }
    Ok(holding)
}

/// One call of [`Filler::fill`].
struct Filling<'a> {
    filler: &'a mut Filler,
    client: &'a mut Client,
    schema: &'a Schema,
    options: &'a FillOptions,
    filled: Filled,
}

impl Filling<'_> {
    fn run(mut self) -> Result<Filled, Error> {
        let names: Vec<(Oid, &str)> = self.schema.tables.values().map(|table| (table.oid, table.qualified.as_str())).collect();
        let holding = holding(self.client, &names)?;
        self.filler.known.retain(|oid, _| holding.contains(oid));
        for oid in &holding {
            self.top_up(*oid)?;
        }
        let mut pending: Vec<Oid> = self.schema.tables.keys().copied().filter(|oid| !holding.contains(oid)).collect();
        while !pending.is_empty() {
            let before = pending.len();
            for oid in pending.clone() {
                if self.is_ready(oid, &pending) {
                    pending.retain(|other| *other != oid);
                    self.table(oid)?;
                }
            }
            if pending.len() == before {
                self.circle(&mut pending)?;
            }
        }
        self.complete_references()?;
        self.filled.unfilled.sort_by(|a, b| a.table.cmp(&b.table));
        Ok(self.filled)
    }

    /// Notes a table that holds rows; where it got new columns, rows that have them are added.
    fn top_up(&mut self, oid: Oid) -> Result<(), Error> {
        let Some(table) = self.schema.tables.get(&oid) else { return Ok(()) };
        let columns: BTreeSet<i16> = table.columns.iter().map(|column| column.number).collect();
        let known = self.filler.known.entry(oid).or_insert_with(|| Known { first: columns.clone(), last: columns.clone() });
        let is_new = columns.iter().any(|number| !known.last.contains(number));
        known.last = columns;
        if is_new && !table.is_partitioned {
            // The old rows are what matters; these are added where they can be.
            let _ = self.insert(table, Style::Full, MORE, false, &[])?;
        }
        Ok(())
    }

    /// Nothing that it needs is still to come: partitions, and the tables it refers to.
    fn is_ready(&self, oid: Oid, pending: &[Oid]) -> bool {
        let Some(table) = self.schema.tables.get(&oid) else { return true };
        let waits = |other: &Oid| *other != oid && pending.contains(other);
        let partition_waits = |other: &Oid| self.schema.tables.get(other).is_some_and(|table| table.parent == oid);
        let refers = table.references.iter().any(|reference| waits(&reference.table));
        let is_whole = table.is_partitioned && pending.iter().any(partition_waits);
        !refers && !is_whole
    }

    fn table(&mut self, oid: Oid) -> Result<bool, Error> {
        let Some(table) = self.schema.tables.get(&oid) else { return Ok(false) };
        if table.is_partitioned {
            return self.partitioned(table);
        }
        match self.attempt(table, false, &[])? {
            Ok(rows) => {
                self.note_filled(table, rows.len());
                Ok(true)
            }
            Err(why) => {
                self.note_refused(table, why);
                Ok(false)
            }
        }
    }

    /// Its rows stand in its partitions, which were filled before it.
    fn partitioned(&mut self, table: &Table) -> Result<bool, Error> {
        let is_filled = count(self.client, table)? > 0;
        if is_filled {
            self.note_filled(table, 0);
        } else if self.schema.tables.values().any(|other| other.parent == table.oid) {
            self.note_refused(table, "none of its partitions could be filled".into());
        } else {
            self.note_refused(table, "it has no partition".into());
        }
        Ok(is_filled)
    }

    fn note_filled(&mut self, table: &Table, rows: usize) {
        let columns: BTreeSet<i16> = table.columns.iter().map(|column| column.number).collect();
        self.filler.known.insert(table.oid, Known { first: columns.clone(), last: columns });
        self.filler.refused.remove(&table.oid);
        self.filled.tables.push(table.qualified.clone());
        self.filled.rows += rows;
    }

    fn note_refused(&mut self, table: &Table, why: String) {
        self.filler.refused.insert(table.oid, (table.clone(), why.clone()));
        self.filled.unfilled.push(Unfilled { table: table.qualified.clone(), why });
    }

    /// Rows of every kind: all columns, then only those that have to be named. One row is enough to call it filled.
    fn attempt(&mut self, table: &Table, promises: bool, forced: &[Values]) -> Result<Result<Vec<Inserted>, String>, Error> {
        if let Some((then, why)) = self.filler.refused.get(&table.oid)
            && then == table
            && then.references.is_empty()
        {
            return Ok(Err(why.clone()));
        }
        let labels =
            table.columns.iter().filter_map(|column| self.schema.types.get(&column.type_oid)).map(|facts| facts.labels.len());
        let rows = labels.max().unwrap_or_default().max(self.options.rows).min(self.options.most).max(forced.len());
        let full = self.insert(table, Style::Full, rows.saturating_sub(1).max(1).max(forced.len()), promises, forced)?;
        let bare = if promises { Ok(Vec::new()) } else { self.insert(table, Style::Bare, 1, false, &[])? };
        Ok(match (full, bare) {
            (Ok(mut rows), bare) => {
                rows.extend(bare.unwrap_or_default());
                Ok(rows)
            }
            (Err(_), Ok(rows)) if !rows.is_empty() => Ok(rows),
            (Err(why), _) => Err(why),
        })
    }

    fn insert(
        &mut self,
        table: &Table,
        style: Style<'_>,
        rows: usize,
        promises: bool,
        forced: &[Values],
    ) -> Result<Result<Vec<Inserted>, String>, Error> {
        let from = count(self.client, table)?;
        let mut inserting = Inserting {
            accepted: &mut self.filler.accepted,
            client: self.client,
            schema: self.schema,
            table,
            style,
            from,
            spare: true,
            promises,
            forced,
        };
        match inserting.rows(rows) {
            Ok(inserted) => Ok(Ok(inserted)),
            Err(Trouble::Refused(why)) => Ok(Err(why)),
            Err(Trouble::Lost(error)) => Err(error),
        }
    }

    /// Tables that wait for each other: first one that may refer to nothing yet, then those whose keys are looked at last.
    fn circle(&mut self, pending: &mut Vec<Oid>) -> Result<(), Error> {
        let table = |oid: &Oid| self.schema.tables.get(oid);
        let missing = |table: &Table| -> Vec<Reference> {
            let waits = |reference: &&Reference| reference.table != table.oid && pending.contains(&reference.table);
            table.references.iter().filter(waits).cloned().collect()
        };
        let may_be_null = |table: &Table, reference: &Reference| {
            reference.columns.iter().any(|number| table.column(*number).is_some_and(|column| !column.not_null))
        };
        let candidates: Vec<&Table> = pending.iter().filter_map(table).filter(|table| !table.is_partitioned).collect();
        let free = candidates.iter().find(|table| missing(table).iter().all(|reference| may_be_null(table, reference)));
        if let Some(table) = free {
            let oid = table.oid;
            pending.retain(|other| *other != oid);
            self.table(oid)?;
            return Ok(());
        }
        let deferrable = candidates
            .iter()
            .find(|table| missing(table).iter().all(|reference| reference.is_deferrable || may_be_null(table, reference)))
            .copied();
        if let Some(table) = deferrable {
            return self.promise(table, pending);
        }
        for oid in std::mem::take(pending) {
            if let Some(table) = self.schema.tables.get(&oid) {
                self.note_refused(table, "its foreign keys form a circle, and none of them may be NULL or is deferrable".into());
            }
        }
        Ok(())
    }

    /// Fills a table whose rows refer to some that are not there yet, then those.
    fn promise(&mut self, table: &Table, pending: &mut Vec<Oid>) -> Result<(), Error> {
        self.client.batch_execute("SAVEPOINT phasegate_circle; SET CONSTRAINTS ALL DEFERRED")?;
        let mut group = vec![table.oid];
        let mut result = self.attempt(table, true, &[])?.map(|rows| self.promises_of(table, &rows));
        let mut open: Vec<(Oid, Vec<Values>)> = result.clone().unwrap_or_default();
        let mut rows = 0;
        while let (Ok(_), Some((oid, forced))) = (&result, open.pop()) {
            let Some(other) = self.schema.tables.get(&oid).filter(|_| pending.contains(&oid) && !group.contains(&oid)) else {
                continue;
            };
            group.push(oid);
            result = self.attempt(other, true, &forced)?.map(|inserted| {
                rows += inserted.len();
                self.promises_of(other, &inserted)
            });
            open.extend(result.clone().unwrap_or_default());
        }
        pending.retain(|oid| !group.contains(oid));
        let why = match result {
            Ok(_) => match in_savepoint(self.client, |client| client.batch_execute("SET CONSTRAINTS ALL IMMEDIATE"))? {
                Ok(()) => None,
                Err(error) => Some(words(&error)),
            },
            Err(why) => Some(why),
        };
        match why {
            None => self.client.batch_execute("RELEASE SAVEPOINT phasegate_circle")?,
            Some(_) => self.client.batch_execute("ROLLBACK TO SAVEPOINT phasegate_circle; RELEASE SAVEPOINT phasegate_circle")?,
        }
        for table in group.iter().filter_map(|oid| self.schema.tables.get(oid)) {
            match &why {
                None => self.note_filled(table, rows / group.len()),
                Some(why) => self.note_refused(table, why.clone()),
            }
        }
        Ok(())
    }

    /// What rows of other tables have to look like for these to be right.
    fn promises_of(&self, table: &Table, rows: &[Inserted]) -> Vec<(Oid, Vec<Values>)> {
        let mut promises: BTreeMap<Oid, Vec<Values>> = BTreeMap::new();
        for reference in table.references.iter().filter(|reference| reference.table != table.oid) {
            let Some(other) = self.schema.tables.get(&reference.table) else { continue };
            for row in rows {
                let position = |table: &Table, number: &i16| table.columns.iter().position(|column| column.number == *number);
                let pairs = reference.columns.iter().zip(&reference.referenced).filter_map(|(from, to)| {
                    let value = row.values.get(&position(table, from)?).filter(|value| matches!(value, Value::Text(_)))?;
                    Some((position(other, to)?, value.clone()))
                });
                let values: Values = pairs.collect();
                let known = promises.entry(other.oid).or_default();
                if !values.is_empty() && !known.contains(&values) {
                    known.push(values);
                }
            }
        }
        promises.into_iter().collect()
    }

    /// References that were left NULL because there was nothing yet to refer to.
    fn complete_references(&mut self) -> Result<(), Error> {
        let filled: Vec<&Table> =
            self.schema.tables.values().filter(|table| self.filled.tables.contains(&table.qualified)).collect();
        for table in filled.iter().filter(|table| !table.is_partitioned) {
            for reference in &table.references {
                let Some(other) = self.schema.tables.get(&reference.table) else { continue };
                let names = |table: &Table, numbers: &[i16]| -> Vec<String> {
                    numbers.iter().filter_map(|number| table.column(*number)).map(|column| column.quoted.clone()).collect()
                };
                let (from, to) = (names(table, &reference.columns), names(other, &reference.referenced));
                let none = from.iter().map(|name| format!("{name} IS NULL")).collect::<Vec<_>>().join(" OR ");
                let update = format!(
                    "UPDATE {0} SET ({1}) = (SELECT {2} FROM {3} LIMIT 1) WHERE ctid = (SELECT ctid FROM {0} WHERE {none} LIMIT 1) \
                     AND NOT EXISTS (SELECT FROM {0} WHERE NOT ({none}))",
                    table.qualified,
                    from.join(", "),
                    to.join(", "),
                    other.qualified
                );
                // A row that stays without is still a row.
                let _ = in_savepoint(self.client, |client| client.batch_execute(&update))?;
            }
        }
        Ok(())
    }
}
