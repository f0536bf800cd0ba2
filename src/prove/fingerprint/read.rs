//! Asks the server for its catalogs: all queries in one message, answers in text.
//!
//! The queries stand in `catalogs/`. Every row is about one object: its `kind`, its `name` and properties, named as the columns are; a
//! name with a question mark is a yes or a no. Rows about the same object add up. A line that ends in `-- from 17` or `-- before 17`
//! is for those versions only.

use super::contents;
use super::{Fingerprint, ObjectKey, Objects, Scope};
use crate::prove::answer::rows;
use postgres::error::SqlState;
use postgres::{Client, Error, SimpleQueryMessage};
use std::fmt::Write as _;
use std::sync::Arc;

const SCHEMA: [&str; 3] =
    [include_str!("catalogs/relations.sql"), include_str!("catalogs/programs.sql"), include_str!("catalogs/database.sql")];
const CLUSTER: &str = include_str!("catalogs/cluster.sql");
const PASSWORDS: &str = include_str!("catalogs/passwords.sql");

/// Names come out qualified and values in one form whatever the session set, and nothing it set stops us. A role that it took on is
/// laid down; with row security off a row is never left out silently. A temporary table cannot stand in for a catalog.
const SETTINGS: &str = "SET LOCAL search_path TO pg_catalog, pg_temp; SET LOCAL statement_timeout TO 0; SET LOCAL lock_timeout TO 0; \
    SET LOCAL ROLE NONE; SET LOCAL row_security TO off; SET LOCAL quote_all_identifiers TO off; \
    SET LOCAL standard_conforming_strings TO on; SET LOCAL client_encoding TO 'UTF8'; SET LOCAL TimeZone TO 'UTC'; \
    SET LOCAL DateStyle TO 'ISO'; SET LOCAL IntervalStyle TO 'postgres'; SET LOCAL bytea_output TO 'hex'; \
    SET LOCAL extra_float_digits TO 1; SET LOCAL lc_monetary TO 'C'; SET LOCAL xmlbinary TO 'base64'; SET LOCAL jit TO off;";

/// What the other questions depend on.
const OPENING: &str = "SELECT current_setting('server_version_num') AS version, has_table_privilege('pg_authid', 'select') AS passwords, \
    (SELECT count(*) FROM pg_prepared_statements WHERE starts_with(name, 'phasegate_fingerprint_')) AS plans";

pub(super) fn read(client: &mut Client, scope: &Scope) -> Result<Fingerprint, Error> {
    match client.simple_query(&format!("SAVEPOINT phasegate_fingerprint; {SETTINGS} {OPENING}")) {
        Ok(opening) => {
            let found = read_all(client, scope, &opening);
            // A failed reading must not leave the transaction aborted.
            client.batch_execute("ROLLBACK TO SAVEPOINT phasegate_fingerprint; RELEASE SAVEPOINT phasegate_fingerprint")?;
            found
        }
        Err(error) if error.code() == Some(&SqlState::NO_ACTIVE_SQL_TRANSACTION) => {
            // One snapshot for all questions.
            let opening =
                client.simple_query(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {SETTINGS} {OPENING}"))?;
            let found = read_all(client, scope, &opening);
            client.batch_execute("ROLLBACK")?;
            found
        }
        Err(error) => Err(error),
    }
}

fn read_all(client: &mut Client, scope: &Scope, opening: &[SimpleQueryMessage]) -> Result<Fingerprint, Error> {
    let opening = rows(opening).next();
    let answer = |name| opening.and_then(|row| row.get(name)).unwrap_or_default();
    let major = answer("version").parse::<u32>().unwrap_or_default() / 10_000;
    let mut found = Fingerprint::default();
    if scope.schema {
        let query = SCHEMA.map(|query| prepared(query, major, scope)).concat();
        found.schema = objects(client, &if scope.keeps_plans { planned(query, answer("plans")) } else { query })?;
    }
    if scope.data {
        found.data = contents::read(client, scope, major)?;
    }
    if scope.cluster {
        let mut query = prepared(CLUSTER, major, scope);
        if answer("passwords") == "t" {
            query += &prepared(PASSWORDS, major, scope);
        }
        found.cluster = objects(client, &query)?;
    }
    Ok(found)
}

/// The same questions by their names, and first what gives them these names where the session has none. They stay when the transaction
/// is rolled back. Where somebody took a part of them away they are asked as they are.
fn planned(query: String, plans: &str) -> String {
    let questions: Vec<&str> = query.split_terminator(";\n").filter(|question| !question.trim().is_empty()).collect();
    let name = |at: usize| format!("phasegate_fingerprint_{at}");
    let mut text = String::new();
    if plans == "0" {
        for (at, question) in questions.iter().enumerate() {
            let _ = writeln!(text, "PREPARE {} AS\n{question};", name(at));
        }
    } else if plans.parse() != Ok(questions.len()) {
        return query;
    }
    for at in 0..questions.len() {
        let _ = writeln!(text, "EXECUTE {};", name(at));
    }
    text
}

fn objects(client: &mut Client, query: &str) -> Result<Objects, Error> {
    let mut found = Objects::new();
    let mut properties: Vec<(Arc<str>, bool)> = Vec::new();
    let mut kind: Arc<str> = Arc::from("");
    for message in client.simple_query(query)? {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                let named = |name: &str| (Arc::from(name.trim_end_matches('?')), name.ends_with('?'));
                properties = columns.iter().map(|column| named(column.name())).collect();
            }
            SimpleQueryMessage::Row(row) => {
                let name = row.get("name").unwrap_or_default().to_owned();
                let of = row.get("kind").unwrap_or_default();
                if *kind != *of {
                    kind = Arc::from(of);
                }
                let object = found.entry(ObjectKey { kind: Arc::clone(&kind), name }).or_default();
                for (at, (property, is_answer)) in properties.iter().enumerate() {
                    match row.get(at) {
                        Some(value) if !matches!(&**property, "kind" | "name") && !value.is_empty() => {
                            let value = if !is_answer {
                                value
                            } else if value == "t" {
                                "yes"
                            } else {
                                "no"
                            };
                            object.insert(Arc::clone(property), value.to_owned());
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The query for a version, with what it says in braces written out.
pub(super) fn prepared(query: &str, major: u32, scope: &Scope) -> String {
    let mut text = String::with_capacity(query.len() * 2);
    for line in query.lines().filter(|line| is_for(line, major)) {
        let mut rest = line;
        while let Some((before, (braced, after))) =
            rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            text += before;
            match *braced.split(' ').collect::<Vec<_>>() {
                ["own", catalog, alias, namespace] => own(&mut text, catalog, alias, namespace),
                ["ours", name] => ours(&mut text, name, scope),
                _ => text += braced,
            }
            rest = after;
        }
        text += rest;
        text.push('\n');
    }
    text
}

fn is_for(line: &str, major: u32) -> bool {
    let version = |word: &str| line.rsplit_once(word).and_then(|(_, version)| version.trim().parse::<u32>().ok());
    version("-- from ").is_none_or(|first| first <= major) && version("-- before ").is_none_or(|first| major < first)
}

/// True of what is neither the server's own, nor temporary, nor a member of an extension.
fn own(text: &mut String, catalog: &str, alias: &str, namespace: &str) {
    let _ = write!(text, "{alias}.oid >= 16384");
    if namespace != "-" {
        let _ = write!(
            text,
            " AND {alias}.{namespace} NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(toast$|temp_|toast_temp_)')"
        );
    }
    let _ = write!(
        text,
        " AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '{catalog}'::regclass AND e.objid = {alias}.oid AND e.deptype = 'e')"
    );
}

fn ours(text: &mut String, name: &str, scope: &Scope) {
    match &scope.without_prefix {
        Some(prefix) => {
            let _ = write!(text, "starts_with({name}::text, '{}')", prefix.replace('\'', "''"));
        }
        None => text.push_str("false"),
    }
}
