//! Which values go together in one row: columns that constraints tie to each other are chosen together, and the server says which
//! combinations its CHECKs let pass.

use super::describe::{Check, Column, Key, Oid, Schema, Table};
use super::hints::{self, Hints};
use super::literal::{self, Wanted};
use super::references;
use crate::sql::names::quote_literal;
use postgres::{Client, Error};
use std::collections::{BTreeMap, HashMap};

/// What one column gets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// As the type's input function reads it.
    Text(String),
    Null,
    /// It is not named.
    Default,
}

/// Values by position in [`Table::columns`].
pub type Values = BTreeMap<usize, Value>;

/// Which columns a row names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style<'a> {
    /// All that do not fill themselves.
    Full,
    /// Those that an INSERT has to name.
    Bare,
    /// These.
    Named(&'a [String]),
}

/// Columns that are chosen together, and what there is to choose from.
#[derive(Clone, Debug)]
pub struct Component {
    pub columns: Vec<usize>,
    pub choices: Vec<Values>,
}

/// Why there is nothing to choose from, or no connection.
#[derive(Debug)]
pub enum Trouble {
    /// The server, or we ourselves, say no: a clause.
    Refused(String),
    Lost(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        Trouble::Lost(error)
    }
}

/// Values tried for one column.
const VALUES: usize = 24;
/// Combinations that the server is asked about at once, and one by one where that fails.
const COMBINATIONS: usize = 1200;
const SINGLY: usize = 150;
/// Lets no text of a type pass twice through the server.
pub type Accepted = HashMap<(Oid, i32, String), bool>;

/// What is chosen for rows of one table.
pub struct Chooser<'a> {
    pub client: &'a mut Client,
    pub schema: &'a Schema,
    pub table: &'a Table,
    pub style: Style<'a>,
    /// The number of the first value: rows that are there have those before.
    pub from: usize,
    /// Rows of other tables that are kept free of references, so that something can be deleted.
    pub spare: bool,
    /// References to tables without rows may be made good later, where they are deferrable.
    pub promises: bool,
    pub accepted: &'a mut Accepted,
}

/// A choice for some columns at once: one column, or those of foreign keys that share some.
#[derive(Clone, Debug)]
pub struct Slot {
    pub columns: Vec<usize>,
    pub options: Vec<Values>,
}

impl Chooser<'_> {
    /// What there is to choose from, every column in one component.
    pub fn components(&mut self) -> Result<Vec<Component>, Trouble> {
        let hints = self.hints();
        let mut slots = references::slots(self, &hints)?;
        for at in 0..self.table.columns.len() {
            if !slots.iter().any(|slot| slot.columns.contains(&at)) {
                let options = self.options(at, &hints)?;
                slots.push(Slot { columns: vec![at], options });
            }
        }
        let checks = self.checks();
        let mut components = Vec::new();
        for (slots, checks) in tied(slots, &checks) {
            let mut choices = self.choices(&slots, &checks)?;
            if choices.is_empty() && matches!(self.style, Style::Bare) {
                // What is left out may be what a CHECK wants.
                let mut full = Vec::new();
                for slot in &slots {
                    let mut options = slot.options.clone();
                    if let [at] = slot.columns.as_slice()
                        && !self.table.columns[*at].fills_itself()
                    {
                        options.extend(
                            self.candidates(*at, &hints)?.into_iter().map(|text| Values::from([(*at, Value::Text(text))])),
                        );
                    }
                    full.push(Slot { columns: slot.columns.clone(), options });
                }
                choices = self.choices(&full, &checks)?;
            }
            let columns = slots.iter().flat_map(|slot| slot.columns.iter().copied()).collect::<Vec<_>>();
            if choices.is_empty() {
                let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
                return Err(Trouble::Refused(if names.is_empty() {
                    let column = columns.first().and_then(|at| self.table.columns.get(*at));
                    column.map_or_else(String::new, |column| format!("no value of type {} is known", column.type_name))
                } else {
                    format!("no values were found that satisfy {}", names.join(" and "))
                }));
            }
            components.push(Component { columns, choices });
        }
        Ok(components)
    }

    /// True for a column that the row names.
    pub fn is_given(&self, column: &Column) -> bool {
        !column.is_generated
            && match self.style {
                Style::Full => !column.fills_itself(),
                Style::Bare => column.is_required(),
                Style::Named(names) => names.contains(&column.name),
            }
    }

    fn hints(&self) -> Hints {
        let mut hints = Hints::new();
        let bound = self.table.bound.as_ref();
        for text in self.table.checks.iter().map(|check| &check.expression).chain(bound) {
            if let Some(expression) = hints::expression(text) {
                hints::collect(&expression, &mut hints);
            }
        }
        hints
    }

    /// The CHECKs whose every column has a value that we know, and the bound of a partition.
    fn checks(&self) -> Vec<(Check, Vec<usize>)> {
        let positions = |numbers: &[i16]| -> Option<Vec<usize>> {
            let at = |number: &i16| self.table.columns.iter().position(|column| column.number == *number);
            let positions: Vec<usize> = numbers.iter().map(at).collect::<Option<_>>()?;
            let is_known = |at: &usize| {
                let column = &self.table.columns[*at];
                self.is_given(column) || !column.fills_itself()
            };
            positions.iter().all(is_known).then_some(positions)
        };
        let bound = self.table.bound.as_ref().and_then(|expression| {
            let names = hints::columns(&hints::expression(expression)?);
            let number =
                |name: &String| self.table.columns.iter().find(|column| column.name == *name).map(|column| column.number);
            let columns = names.iter().map(number).collect::<Option<_>>()?;
            Some(Check { name: "the bounds of the partition".into(), columns, expression: expression.clone() })
        });
        let all = self.table.checks.iter().cloned().chain(bound);
        all.filter_map(|check| positions(&check.columns).map(|columns| (check, columns)))
            .filter(|(_, columns)| !columns.is_empty())
            .collect()
    }

    fn options(&mut self, at: usize, hints: &Hints) -> Result<Vec<Values>, Trouble> {
        let column = &self.table.columns[at];
        if !self.is_given(column) {
            return Ok(vec![Values::from([(at, Value::Default)])]);
        }
        let is_null_allowed = !column.not_null;
        let mut options: Vec<Values> =
            self.candidates(at, hints)?.into_iter().map(|text| Values::from([(at, Value::Text(text))])).collect();
        if is_null_allowed {
            options.push(Values::from([(at, Value::Null)]));
        }
        Ok(options)
    }

    /// Texts for one column that its type takes, what a CHECK hints at first.
    pub fn candidates(&mut self, at: usize, hints: &Hints) -> Result<Vec<String>, Trouble> {
        let column = &self.table.columns[at];
        let wanted = Wanted {
            types: &self.schema.types,
            type_oid: column.type_oid,
            modifier: column.type_modifier,
            column: &column.name,
            is_key: self.table.keys.iter().any(|key| key.columns.contains(&column.number)),
        };
        let of_domains = self.of_domains(column.type_oid);
        let hinted = hints.get(&column.name).into_iter().flatten().chain(of_domains.get("value").into_iter().flatten());
        let mut texts: Vec<String> = hinted.cloned().collect();
        let made = literal::values(wanted, self.from, VALUES);
        let is_domain = self.schema.types.get(&column.type_oid).is_some_and(|facts| facts.kind == 'd');
        let doubtful = !texts.is_empty() || is_domain || made.is_empty();
        if made.is_empty() {
            texts.extend((self.from..self.from + 3).flat_map(|number| literal::guesses(column.type_modifier, number)));
        }
        texts.extend(made);
        if doubtful { self.accepted(column, texts) } else { Ok(texts) }
    }

    /// What the checks of a domain, and of the domains below it, hint at.
    fn of_domains(&self, mut oid: Oid) -> Hints {
        let mut hints = Hints::new();
        while let Some(facts) = self.schema.types.get(&oid).filter(|facts| facts.kind == 'd') {
            for expression in facts.checks.iter().filter_map(|check| hints::expression(check)) {
                hints::collect(&expression, &mut hints);
            }
            oid = facts.base;
        }
        hints
    }

    /// Those of the texts that the type's input function takes.
    fn accepted(&mut self, column: &Column, texts: Vec<String>) -> Result<Vec<String>, Trouble> {
        let key = |text: &String| (column.type_oid, column.type_modifier, text.clone());
        let cast = |text: &String| format!("{}::{}", quote_literal(text), column.type_name);
        let unknown: Vec<&String> = texts.iter().filter(|text| !self.accepted.contains_key(&key(text))).collect();
        let all = unknown.iter().map(|text| cast(text)).collect::<Vec<_>>().join(", ");
        if !unknown.is_empty() {
            let all_pass = in_savepoint(self.client, |client| client.simple_query(&format!("SELECT {all}")))?.is_ok();
            for text in unknown {
                let passes = all_pass
                    || in_savepoint(self.client, |client| client.simple_query(&format!("SELECT {}", cast(text))))?.is_ok();
                self.accepted.insert(key(text), passes);
            }
        }
        // A key in two spellings is one: what has been seen is left out.
        let mut kept: Vec<String> = Vec::new();
        for text in texts {
            if self.accepted.get(&key(&text)) == Some(&true) && !kept.contains(&text) {
                kept.push(text);
            }
        }
        Ok(kept)
    }

    /// Combinations of options that satisfy the checks, those with the fewest NULLs first.
    fn choices(&mut self, slots: &[Slot], checks: &[Check]) -> Result<Vec<Values>, Trouble> {
        let combined = combinations(slots);
        if checks.is_empty() {
            return Ok(combined);
        }
        let columns: Vec<usize> = slots.iter().flat_map(|slot| slot.columns.iter().copied()).collect();
        let names: Vec<&str> = columns.iter().map(|at| self.table.columns[*at].quoted.as_str()).collect();
        let conditions: Vec<String> = checks.iter().map(|check| format!("({}) IS NOT FALSE", check.expression)).collect();
        let query = |rows: &[(usize, &Values)]| {
            let row = |(number, values): &(usize, &Values)| {
                let cells = columns.iter().map(|at| self.cell(*at, values.get(at).unwrap_or(&Value::Default)));
                format!("({number}, {})", cells.collect::<Vec<_>>().join(", "))
            };
            format!(
                "SELECT v.\"phasegate number\" FROM (VALUES {}) v(\"phasegate number\", {}) WHERE {}",
                rows.iter().map(row).collect::<Vec<_>>().join(", "),
                names.join(", "),
                conditions.join(" AND ")
            )
        };
        let numbered: Vec<(usize, &Values)> = combined.iter().enumerate().collect();
        let together = query(&numbered);
        let singly: Vec<String> = numbered.iter().take(SINGLY).map(|row| query(std::slice::from_ref(row))).collect();
        let mut passing: Vec<usize> = Vec::new();
        match in_savepoint(self.client, |client| client.query(&together, &[]))? {
            Ok(rows) => {
                for row in rows {
                    passing.push(usize::try_from(row.try_get::<_, i32>(0)?).unwrap_or_default());
                }
            }
            // One of them makes an expression fail.
            Err(_) => {
                for (number, one) in singly.iter().enumerate() {
                    if in_savepoint(self.client, |client| client.query(one, &[]))?.is_ok_and(|rows| !rows.is_empty()) {
                        passing.push(number);
                    }
                }
            }
        }
        passing.sort_unstable();
        Ok(passing.into_iter().filter_map(|number| combined.get(number).cloned()).collect())
    }

    /// A value as SQL, for an expression over the row.
    fn cell(&self, at: usize, value: &Value) -> String {
        let column = &self.table.columns[at];
        match value {
            Value::Text(text) => format!("{}::{}", quote_literal(text), column.type_name),
            Value::Null => format!("NULL::{}", column.type_name),
            Value::Default => match &column.default {
                Some(default) if !column.is_generated => format!("({default})::{}", column.type_name),
                Some(_) | None => format!("NULL::{}", column.type_name),
            },
        }
    }
}

/// Slots that checks tie to each other, with those checks.
fn tied(slots: Vec<Slot>, checks: &[(Check, Vec<usize>)]) -> Vec<(Vec<Slot>, Vec<Check>)> {
    let mut groups: Vec<(Vec<Slot>, Vec<Check>)> = slots.into_iter().map(|slot| (vec![slot], Vec::new())).collect();
    for (check, columns) in checks {
        let touches =
            |(slots, _): &(Vec<Slot>, Vec<Check>)| slots.iter().any(|slot| slot.columns.iter().any(|at| columns.contains(at)));
        let (touched, rest): (Vec<_>, Vec<_>) = groups.into_iter().partition(touches);
        let mut joined: (Vec<Slot>, Vec<Check>) = (Vec::new(), vec![check.clone()]);
        for (slots, checks) in touched {
            joined.0.extend(slots);
            joined.1.extend(checks);
        }
        groups = rest;
        groups.push(joined);
    }
    groups
}

/// Ways to choose one option of each slot: first those where every slot moves on, then the others; few NULLs before many.
fn combinations(slots: &[Slot]) -> Vec<Values> {
    let wide = slots.iter().filter(|slot| slot.options.len() > 1).count();
    let mut cap = COMBINATIONS;
    while wide > 1 && cap > 2 && cap.checked_pow(u32::try_from(wide).unwrap_or(u32::MAX)).is_none_or(|all| all > COMBINATIONS) {
        cap -= (cap / 10).max(1);
    }
    let capped: Vec<Vec<&Values>> = slots.iter().map(|slot| spread(&slot.options, cap)).collect();
    if capped.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    let mut found: Vec<(usize, usize, Values)> = Vec::new();
    let mut positions = vec![0; capped.len()];
    loop {
        let chosen: Values = positions.iter().zip(&capped).flat_map(|(at, options)| options[*at].clone()).collect();
        let nulls = chosen.values().filter(|value| **value == Value::Null).count();
        // How far the slots are from each other: on the diagonal every column differs from row to row.
        let moving = positions.iter().zip(&capped).filter(|(_, options)| options.len() > 1).map(|(at, _)| *at);
        let apart = moving.clone().max().unwrap_or_default() - moving.min().unwrap_or_default();
        found.push((nulls, apart, chosen));
        let Some(next) =
            (0..capped.len()).find(|at| positions[*at] + 1 < capped[*at].len()).filter(|_| found.len() < COMBINATIONS * 4)
        else {
            break;
        };
        positions[next] += 1;
        positions[..next].fill(0);
    }
    found.sort_by_key(|(nulls, apart, _)| (*nulls, *apart));
    found.into_iter().map(|(_, _, chosen)| chosen).collect()
}

/// No more than `cap` of them; what says NULL stays.
fn spread(options: &[Values], cap: usize) -> Vec<&Values> {
    let is_null = |values: &&Values| values.values().any(|value| *value == Value::Null);
    if options.len() <= cap {
        return options.iter().collect();
    }
    let null = options.iter().find(is_null);
    let mut kept: Vec<&Values> =
        options.iter().filter(|values| !is_null(values)).take(cap - usize::from(null.is_some())).collect();
    kept.extend(null);
    kept
}

/// The columns of a key by position, where all are plain and the row says what they are.
pub fn key_values(table: &Table, key: &Key, row: &Values) -> Option<Vec<Value>> {
    let of = |number: &i16| {
        let at = table.columns.iter().position(|column| column.number == *number)?;
        row.get(&at).filter(|value| matches!(value, Value::Text(_))).cloned()
    };
    key.columns.iter().map(of).collect()
}

/// Runs something that may be refused. The outer error is a lost connection.
pub fn in_savepoint<T>(
    client: &mut Client,
    run: impl FnOnce(&mut Client) -> Result<T, Error>,
) -> Result<Result<T, Error>, Error> {
    client.batch_execute("SAVEPOINT phasegate_try")?;
    match run(client) {
        Ok(value) => {
            client.batch_execute("RELEASE SAVEPOINT phasegate_try")?;
            Ok(Ok(value))
        }
        Err(error) if error.as_db_error().is_some() => {
            client.batch_execute("ROLLBACK TO SAVEPOINT phasegate_try; RELEASE SAVEPOINT phasegate_try")?;
            Ok(Err(error))
        }
        Err(error) => Err(error),
    }
}
