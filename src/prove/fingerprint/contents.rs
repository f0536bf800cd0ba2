//! Rows and sequences: one query for each relation, a hundred queries in one message.
//!
//! A value is hashed as the server writes it, byte by byte: values that a collation holds equal are not equal here.

use super::read::prepared;
use super::{Contents, Rows, Scope};
use crate::prove::answer::rows;
use postgres::{Client, Error};
use std::collections::BTreeMap;

const RELATIONS: &str = include_str!("catalogs/contents.sql");
/// So many queries go in one message: a round trip each would cost more than the queries.
const BATCH: usize = 100;

/// A relation that can be read.
struct Readable {
    name: String,
    /// Quoted and sorted.
    columns: Vec<String>,
    is_sequence: bool,
    query: String,
}

pub(super) fn read(client: &mut Client, scope: &Scope, major: u32) -> Result<BTreeMap<String, Contents>, Error> {
    let mut found = BTreeMap::new();
    let mut readable = Vec::new();
    for row in rows(&client.simple_query(&prepared(RELATIONS, major, scope))?) {
        let text = |name| row.get(name).unwrap_or_default();
        let name = text("name").to_owned();
        let is_sequence = text("kind") == "S";
        let is_known = scope.only_rows_of.as_ref().is_some_and(|only| !is_sequence && !only.contains(&name));
        if is_known || scope.without_data_of.contains(&name) {
            continue;
        }
        if let Some(why) = row.get("unread") {
            found.insert(name, Contents::Unread(why.to_owned()));
            continue;
        }
        // A list of columns has a line for each, and a name may hold a line break: inside quotes.
        let columns = split_names(text("columns"));
        let query = if is_sequence {
            format!("SELECT last_value, is_called FROM {};", text("qualified"))
        } else {
            query(text("qualified"), &columns)
        };
        readable.push(Readable { name, columns, is_sequence, query });
    }
    for batch in readable.chunks(BATCH) {
        let query: String = batch.iter().map(|relation| relation.query.as_str()).collect();
        // Each of the queries has exactly one row.
        for (relation, row) in batch.iter().zip(rows(&client.simple_query(&query)?)) {
            let number = |at: usize| row.get(at).and_then(|text| text.parse::<i64>().ok()).unwrap_or_default();
            let contents = if relation.is_sequence {
                Contents::Sequence { last_value: number(0), is_called: row.get(1) == Some("t") }
            } else {
                let sum = |at: usize| row.get(at).unwrap_or("0").to_owned();
                let columns = relation.columns.iter().enumerate().map(|(at, column)| (column.clone(), sum(at + 2))).collect();
                Contents::Rows(Rows { count: number(0).unsigned_abs(), whole: sum(1), columns })
            };
            found.insert(relation.name.clone(), contents);
        }
    }
    Ok(found)
}

/// `format` asks a type for its text and calls no cast that somebody may have made; it knows no null, so nulls are counted.
fn query(relation: &str, columns: &[String]) -> String {
    // Columns in the order of their names: where a column stands is no content.
    let row: Vec<String> = columns.iter().map(|column| format!("r.{column}")).collect();
    let mut sums = vec!["count(*)".to_owned(), sum(&format!("ROW({})", row.join(", ")))];
    sums.extend(row.iter().map(|column| format!("concat(count({column}), ' ', {})", sum(column))));
    format!("SELECT {} FROM ONLY {relation} AS r;", sums.join(", "))
}

fn sum(value: &str) -> String {
    format!("sum(hashtextextended(format('%s', {value}) COLLATE \"C\", 0))")
}

/// Quoted names with line breaks between.
fn split_names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_quoted = false;
    let mut name = String::new();
    for letter in list.chars() {
        is_quoted ^= letter == '"';
        if letter == '\n' && !is_quoted {
            names.push(std::mem::take(&mut name));
        } else {
            name.push(letter);
        }
    }
    if !name.is_empty() {
        names.push(name);
    }
    names
}
