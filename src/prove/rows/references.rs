//! Foreign keys as choices: the rows that there are to refer to.

use super::choice::{Chooser, Slot, Style, Trouble, Value, Values, in_savepoint};
use super::describe::{Reference, Table};
use super::hints::Hints;
use postgres::{Client, Error};

/// Rows of a referenced table that are looked at.
const TUPLES: usize = 20;
/// Pairs of choices when two foreign keys share a column.
const JOINED: usize = 200;

/// One slot for each group of foreign keys that share columns.
pub fn slots(chooser: &mut Chooser<'_>, hints: &Hints) -> Result<Vec<Slot>, Trouble> {
    let table = chooser.table;
    let mut slots: Vec<Slot> = Vec::new();
    let mut wide_first: Vec<&Reference> = table.references.iter().collect();
    wide_first.sort_by_key(|reference| std::cmp::Reverse(reference.columns.len()));
    for reference in wide_first {
        let Some(slot) = slot(chooser, reference, hints)? else { continue };
        match slots.iter_mut().find(|known| known.columns.iter().any(|at| slot.columns.contains(at))) {
            Some(known) => join(known, slot),
            None => slots.push(slot),
        }
    }
    for slot in &mut slots {
        complete(chooser, slot, hints)?;
        if slot.options.is_empty() {
            let names: Vec<&str> = slot.columns.iter().map(|at| table.columns[*at].name.as_str()).collect();
            return Err(Trouble::Refused(format!("no row is there that {} can refer to", names.join(", "))));
        }
    }
    Ok(slots)
}

fn positions(table: &Table, numbers: &[i16]) -> Option<Vec<usize>> {
    numbers.iter().map(|number| table.columns.iter().position(|column| column.number == *number)).collect()
}

/// None where the row leaves a column of the key NULL: then nothing is referred to.
fn slot(chooser: &mut Chooser<'_>, reference: &Reference, hints: &Hints) -> Result<Option<Slot>, Trouble> {
    let table = chooser.table;
    let Some(columns) = positions(table, &reference.columns) else { return Ok(None) };
    if !columns.iter().all(|at| chooser.is_given(&table.columns[*at])) {
        return Ok(None);
    }
    let nullable: Values = columns.iter().filter(|at| !table.columns[**at].not_null).map(|at| (*at, Value::Null)).collect();
    let mut tuples = tuples(chooser.client, chooser.schema.tables.get(&reference.table), &reference.referenced)?;
    if chooser.spare && tuples.len() > 1 {
        tuples.pop();
    }
    let mut slot = Slot { columns: columns.clone(), options: Vec::new() };
    for tuple in tuples {
        slot.options.push(columns.iter().copied().zip(tuple.into_iter().map(Value::Text)).collect());
    }
    if slot.options.is_empty() && nullable.is_empty() {
        slot = if reference.table == table.oid {
            to_itself(chooser, reference, &columns, hints)?
        } else if chooser.promises && reference.is_deferrable {
            promised(chooser, reference, &columns)?
        } else {
            let name = chooser.schema.tables.get(&reference.table).map_or("a table that is not ours", |table| &table.qualified);
            return Err(Trouble::Refused(format!("{} refers to {name}, which has no row", reference.name)));
        };
    }
    if !nullable.is_empty() {
        slot.options.push(nullable);
    }
    Ok(Some(slot))
}

/// A row that refers to itself: the same value on both sides.
fn to_itself(chooser: &mut Chooser<'_>, reference: &Reference, columns: &[usize], hints: &Hints) -> Result<Slot, Trouble> {
    let referenced = positions(chooser.table, &reference.referenced).unwrap_or_default();
    let mut slot = Slot { columns: columns.to_vec(), options: vec![Values::new(); TUPLES] };
    for (from, to) in columns.iter().zip(&referenced) {
        if !slot.columns.contains(to) {
            slot.columns.push(*to);
        }
        let candidates = chooser.candidates(*to, hints)?;
        slot.options.truncate(candidates.len());
        for (option, text) in slot.options.iter_mut().zip(candidates) {
            option.insert(*from, Value::Text(text.clone()));
            option.insert(*to, Value::Text(text));
        }
    }
    Ok(slot)
}

/// Values that the other table's rows will get.
fn promised(chooser: &mut Chooser<'_>, reference: &Reference, columns: &[usize]) -> Result<Slot, Trouble> {
    let Some(other) = chooser.schema.tables.get(&reference.table) else {
        return Ok(Slot { columns: columns.to_vec(), options: Vec::new() });
    };
    let referenced = positions(other, &reference.referenced).unwrap_or_default();
    let mut slot = Slot { columns: columns.to_vec(), options: vec![Values::new(); TUPLES] };
    let mut there = Chooser {
        client: &mut *chooser.client,
        schema: chooser.schema,
        table: other,
        style: Style::Full,
        from: chooser.from,
        spare: chooser.spare,
        promises: false,
        accepted: &mut *chooser.accepted,
    };
    for (from, to) in columns.iter().zip(&referenced) {
        let candidates = there.candidates(*to, &Hints::new())?;
        slot.options.truncate(candidates.len());
        for (option, text) in slot.options.iter_mut().zip(candidates) {
            option.insert(*from, Value::Text(text));
        }
    }
    Ok(slot)
}

/// Rows to refer to, in the order in which they stand.
fn tuples(client: &mut Client, table: Option<&Table>, numbers: &[i16]) -> Result<Vec<Vec<String>>, Error> {
    let Some(table) = table else { return Ok(Vec::new()) };
    let names: Vec<&str> =
        numbers.iter().filter_map(|number| table.column(*number)).map(|column| column.quoted.as_str()).collect();
    let cells: Vec<String> = names.iter().map(|name| format!("{name}::text")).collect();
    let present: Vec<String> = names.iter().map(|name| format!("{name} IS NOT NULL")).collect();
    let query = format!("SELECT {} FROM {} WHERE {} LIMIT {TUPLES}", cells.join(", "), table.qualified, present.join(" AND "));
    // What we may not read there is nothing to refer to.
    let Ok(rows) = in_savepoint(client, |client| client.query(&query, &[]))? else { return Ok(Vec::new()) };
    rows.iter().map(|row| (0..names.len()).map(|at| row.try_get(at)).collect()).collect()
}

/// Choices of two keys that agree in what they share.
fn join(known: &mut Slot, other: Slot) {
    let agrees = |a: &Values, b: &Values| a.iter().all(|(at, value)| b.get(at).is_none_or(|there| there == value));
    let mut joined = Vec::new();
    for first in &known.options {
        for second in other.options.iter().filter(|second| agrees(first, second)) {
            if joined.len() < JOINED {
                joined.push(first.clone().into_iter().chain(second.clone()).collect::<Values>());
            }
        }
    }
    known.options = joined;
    for at in other.columns {
        if !known.columns.contains(&at) {
            known.columns.push(at);
        }
    }
}

/// A key that is partly NULL says nothing of its other columns: they get a value of their own.
fn complete(chooser: &mut Chooser<'_>, slot: &mut Slot, hints: &Hints) -> Result<(), Trouble> {
    for at in slot.columns.clone() {
        if slot.options.iter().all(|option| option.contains_key(&at)) {
            continue;
        }
        let candidates = chooser.candidates(at, hints)?;
        for (number, option) in slot.options.iter_mut().enumerate() {
            if let Some(text) = candidates.get(number % candidates.len().max(1)) {
                option.entry(at).or_insert_with(|| Value::Text(text.clone()));
            }
        }
    }
    Ok(())
}
