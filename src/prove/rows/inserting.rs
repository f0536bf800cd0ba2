//! One table's rows, one by one: other values where the server says no.

use super::choice::{Accepted, Chooser, Component, Style, Trouble, Value, Values, in_savepoint, key_values};
use super::describe::{Key, Schema, Table};
use crate::sql::names::quote_literal;
use postgres::error::{DbError, SqlState};
use postgres::{Client, Error};
use std::collections::BTreeSet;

/// Rows that the server may refuse before a table is given up, and how often rows are changed without asking it.
const ATTEMPTS: usize = 40;
const REJECTED_HERE: usize = 2000;
/// The same where no constraint is named: a trigger will hardly want other values.
const UNNAMED_ATTEMPTS: usize = 4;
/// Values that keys must not meet again, by key and its values.
type Used = BTreeSet<(usize, Vec<Value>)>;

/// A row that the server took.
#[derive(Clone, Debug)]
pub struct Inserted {
    pub sql: String,
    pub values: Values,
}

/// Rows for one table in one style.
pub struct Inserting<'a> {
    pub accepted: &'a mut Accepted,
    pub client: &'a mut Client,
    pub schema: &'a Schema,
    pub table: &'a Table,
    pub style: Style<'a>,
    pub from: usize,
    pub spare: bool,
    pub promises: bool,
    /// What the first rows hold whatever is chosen.
    pub forced: &'a [Values],
}

impl Inserting<'_> {
    /// Up to so many; an error only where not even one was taken.
    pub fn rows(&mut self, count: usize) -> Result<Vec<Inserted>, Trouble> {
        let mut inserted = Vec::new();
        let mut used = Used::new();
        let refers_to_itself = self.table.references.iter().any(|reference| reference.table == self.table.oid);
        let mut components = self.components()?;
        for number in 0..count {
            if number > 0 && refers_to_itself {
                components = self.components()?;
            }
            match self.row(number, &components, &mut used) {
                Ok(row) => inserted.push(row),
                Err(Trouble::Refused(why)) if inserted.is_empty() => return Err(Trouble::Refused(why)),
                Err(Trouble::Refused(_)) => break,
                Err(lost) => return Err(lost),
            }
        }
        Ok(inserted)
    }

    fn components(&mut self) -> Result<Vec<Component>, Trouble> {
        let mut chooser = Chooser {
            client: &mut *self.client,
            schema: self.schema,
            table: self.table,
            style: self.style,
            from: self.from,
            spare: self.spare,
            promises: self.promises,
            accepted: &mut *self.accepted,
        };
        chooser.components()
    }

    fn row(&mut self, number: usize, components: &[Component], used: &mut Used) -> Result<Inserted, Trouble> {
        let mut shifts = vec![0; components.len()];
        let (mut refused, mut unnamed, mut rejected) = (0, 0, 0);
        let mut turn = 0;
        let mut last = "its keys leave no other row".to_owned();
        while refused < ATTEMPTS && unnamed < UNNAMED_ATTEMPTS && rejected < REJECTED_HERE {
            let mut values: Values = components
                .iter()
                .zip(&shifts)
                .filter_map(|(component, shift)| component.choices.get((number + shift) % component.choices.len().max(1)))
                .flat_map(|choice| choice.clone())
                .collect();
            values.extend(self.forced.get(number).cloned().unwrap_or_default());
            if let Some(key) = self.meets(&values, used) {
                rejected += 1;
                if !advance(components, &mut shifts, &self.positions(&key.columns), &mut turn) {
                    break;
                }
                continue;
            }
            let sql = self.statement(&values);
            let kept = in_savepoint(self.client, |client| client.execute(&sql, &[]))?;
            match kept {
                Ok(0) => return Err(Trouble::Refused("the server took a row and kept none: a trigger or a rule".into())),
                Ok(_) => {
                    for (at, key) in self.table.keys.iter().enumerate() {
                        used.extend(key_values(self.table, key, &values).map(|values| (at, values)));
                    }
                    return Ok(Inserted { sql, values });
                }
                Err(error) => {
                    last = words(&error);
                    let columns = self.columns_of(error.as_db_error());
                    refused += 1;
                    if columns.is_empty() {
                        unnamed += 1;
                        shifts.iter_mut().for_each(|shift| *shift += 1);
                    } else if !advance(components, &mut shifts, &columns, &mut turn) {
                        break;
                    }
                }
            }
        }
        Err(Trouble::Refused(last))
    }

    /// The key that another row of ours already has.
    fn meets(&self, values: &Values, used: &Used) -> Option<&Key> {
        let meets = |(at, key): &(usize, &Key)| {
            !key.is_exclusion
                && key.predicate.is_none()
                && key_values(self.table, key, values).is_some_and(|values| used.contains(&(*at, values)))
        };
        self.table.keys.iter().enumerate().find(meets).map(|(_, key)| key)
    }

    /// The columns that a refusal is about, by position; none where it names no constraint of ours.
    fn columns_of(&self, error: Option<&DbError>) -> Vec<usize> {
        let Some(error) = error else { return Vec::new() };
        if *error.code() == SqlState::NOT_NULL_VIOLATION {
            let at = self.table.columns.iter().position(|column| error.column() == Some(column.name.as_str()));
            return at.into_iter().collect();
        }
        let Some(name) = error.constraint() else { return Vec::new() };
        let key = self.table.keys.iter().find(|key| key.name == name).map(|key| {
            // What an expression reads is not said: any column may be.
            if key.columns.contains(&0) { (0..self.table.columns.len()).collect() } else { self.positions(&key.columns) }
        });
        let check = || self.table.checks.iter().find(|check| check.name == name).map(|check| self.positions(&check.columns));
        let reference = || {
            let found = self.table.references.iter().find(|reference| reference.name == name);
            found.map(|reference| self.positions(&reference.columns))
        };
        // A trigger may write the same key into another table: `Key (a, b)=(1, 2)` names its columns, in any language.
        let elsewhere = || {
            let (before, _) = error.detail()?.split_once(")=(")?;
            let names: Vec<&str> = before.split_once('(')?.1.split(", ").map(|name| name.trim_matches('"')).collect();
            let columns = self.table.columns.iter().enumerate();
            Some(columns.filter(|(_, column)| names.contains(&column.name.as_str())).map(|(at, _)| at).collect())
        };
        key.or_else(check).or_else(reference).or_else(elsewhere).unwrap_or_default()
    }

    fn positions(&self, numbers: &[i16]) -> Vec<usize> {
        let columns = self.table.columns.iter().enumerate();
        columns.filter(|(_, column)| numbers.contains(&column.number)).map(|(at, _)| at).collect()
    }

    fn statement(&self, values: &Values) -> String {
        let mut names = Vec::new();
        let mut cells = Vec::new();
        let mut overrides = false;
        for (at, value) in values {
            let Some(column) = self.table.columns.get(*at) else { continue };
            let cell = match value {
                Value::Text(text) => format!("{}::{}", quote_literal(text), column.type_name),
                Value::Null => "NULL".to_owned(),
                Value::Default => continue,
            };
            overrides |= column.is_identity;
            names.push(column.quoted.as_str());
            cells.push(cell);
        }
        let table = &self.table.qualified;
        if names.is_empty() {
            return format!("INSERT INTO {table} DEFAULT VALUES");
        }
        let overriding = if overrides { " OVERRIDING SYSTEM VALUE" } else { "" };
        format!("INSERT INTO {table} ({}){overriding} VALUES ({})", names.join(", "), cells.join(", "))
    }
}

/// Takes another choice for one of the components that have these columns, each in its turn. False where all were tried.
fn advance(components: &[Component], shifts: &mut [usize], columns: &[usize], turn: &mut usize) -> bool {
    let touches = |component: &Component| component.columns.iter().any(|at| columns.contains(at));
    let movable: Vec<usize> = (0..components.len())
        .filter(|at| touches(&components[*at]) && components[*at].choices.len() > 1)
        .filter(|at| shifts[*at] < components[*at].choices.len())
        .collect();
    if movable.is_empty() {
        return false;
    }
    *turn += 1;
    shifts[movable[*turn % movable.len()]] += 1;
    true
}

/// The server's words, with what they are about.
pub fn words(error: &Error) -> String {
    match error.as_db_error() {
        Some(answer) => match answer.detail() {
            Some(detail) => format!("{} {} ({detail})", answer.code().code(), answer.message()),
            None => format!("{} {}", answer.code().code(), answer.message()),
        },
        None => error.to_string(),
    }
}
