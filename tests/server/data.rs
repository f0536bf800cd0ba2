//! The tables about PostgreSQL that the catalog reads are what a server of their version says.

use crate::support;
use postgres::{Client, SimpleQueryMessage};

const BUILTIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/catalog/builtin");
const EXTENSION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/catalog/extension");

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// One line for each row of the query.
fn rows(client: &mut Client, query: &str) -> Vec<String> {
    let messages = client.simple_query(query).unwrap();
    let text = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    };
    messages.iter().filter_map(text).collect()
}

/// The major version of the server.
fn version(client: &mut Client) -> u32 {
    rows(client, "SHOW server_version_num")[0].parse::<u32>().unwrap() / 10_000
}

/// Runs the `.sql` beside the `.txt` and compares. On a newer server every line must still be there: a client of 15 may rely on
/// it. `PHASEGATE_BLESS=1` on a server of version 15 writes the file anew.
fn assert_current(client: &mut Client, directory: &str, query: &str, data: &str) {
    let path = format!("{directory}/{data}.txt");
    let found = rows(client, &read(&format!("{directory}/{query}.sql")));
    let major = version(client);
    if major == 15 && std::env::var_os("PHASEGATE_BLESS").is_some() {
        std::fs::write(&path, found.join("\n") + "\n").unwrap();
    }
    let kept = read(&path);
    let kept: Vec<&str> = kept.lines().collect();
    if major == 15 {
        let differing = kept.iter().zip(&found).find(|(kept, found)| *kept != found);
        assert!(differing.is_none() && kept.len() == found.len(), "{path} is not what {query}.sql gives: {differing:?}");
    } else {
        let names = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
        let there: std::collections::HashSet<String> = found.iter().map(|line| names(line)).collect();
        let gone: Vec<String> = kept.iter().map(|line| names(line)).filter(|name| !there.contains(name)).collect();
        assert!(gone.len() * 50 < kept.len(), "{path}: version {major} lacks {gone:?}");
    }
}

#[test]
fn functions_operators_and_types_of_pg_catalog_are_those_of_the_server() {
    let mut client = support::SERVER.connect(&support::new_database()).unwrap();
    for name in ["functions", "operators", "types"] {
        assert_current(&mut client, BUILTIN, name, name);
    }
}

#[test]
fn members_of_contrib_extensions_are_those_of_the_server() {
    let mut client = support::SERVER.connect(&support::new_database()).unwrap();
    let names = rows(&mut client, "SELECT name FROM pg_available_extensions ORDER BY name");
    let kept = read(&format!("{EXTENSION}/contrib.txt"));
    let known = |name: &str| kept.lines().any(|line| line.split(' ').next() == Some(name));
    for name in names.iter().filter(|name| known(name)) {
        client.batch_execute(&format!("CREATE EXTENSION IF NOT EXISTS \"{name}\" CASCADE")).unwrap();
    }
    assert_current(&mut client, EXTENSION, "members", "contrib");
}
