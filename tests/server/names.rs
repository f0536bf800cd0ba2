//! Where the server cuts names, and that ours is the same cut.

use crate::support;
use phasegate::catalog::name::{MAX_BYTES, clip};
use phasegate::op::Span;
use phasegate::sql::code;

/// Names of tables as SQL writes them.
fn names() -> Vec<String> {
    let mut names: Vec<String> = (60..=70).map(|length| "a".repeat(length)).collect();
    // Characters of two, three and four bytes across the limit.
    for character in ["é", "表", "😀"] {
        names.extend((58..=64).map(|length| format!("\"{}{character}{character}z\"", "b".repeat(length))));
    }
    names.push(format!("\"{}\"\"{}\"", "c".repeat(61), "d".repeat(9)));
    names.push(format!("UPPER{}", "E".repeat(64)));
    names
}

#[test]
fn the_server_cuts_names_where_we_do() {
    let mut client = support::SERVER.connect(&support::new_database()).unwrap();
    for written in names() {
        let statement = format!("CREATE TABLE {written} ()");
        let mut read = Vec::new();
        code::identifiers(&statement, Span { start: 0, end: statement.len() }, &mut |_, name| read.push(name.to_owned()));
        let name = read.last().unwrap();
        client.batch_execute(&statement).unwrap();
        let rows = client
            .query("SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace", &[])
            .unwrap();
        let stored: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(stored, [clip(name, MAX_BYTES)], "{written}");
        client.batch_execute(&format!("DROP TABLE {written}")).unwrap();
    }
}

#[test]
fn two_names_with_the_same_cut_are_one_to_the_server() {
    let mut client = support::SERVER.connect(&support::new_database()).unwrap();
    let (one, other) = (format!("{}_one", "a".repeat(63)), format!("{}_other", "a".repeat(63)));
    client.batch_execute(&format!("CREATE TABLE {one} (id int)")).unwrap();
    let error = client.batch_execute(&format!("CREATE TABLE {other} (name text)")).unwrap_err();
    assert_eq!(error.code().map(|code| code.code()), Some("42P07"));
    client.batch_execute(&format!("CREATE TABLE IF NOT EXISTS {other} (name text)")).unwrap();
    assert!(client.batch_execute(&format!("SELECT name FROM {other}")).is_err(), "IF NOT EXISTS took the one for the other");
}
