//! Tables of `src` that are what servers say.

use phasegate::prove::server::LocalServer;
use postgres::SimpleQueryMessage;
use std::path::PathBuf;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src").join(name)
}

/// The text of a file below `src`.
pub fn read(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Compares with the checked-in table, or writes it where `PHASEGATE_BLESS` is set.
pub fn assert_table(name: &str, lines: &[String]) {
    let found = lines.join("\n") + "\n";
    if std::env::var_os("PHASEGATE_BLESS").is_some() {
        std::fs::write(file(name), &found).unwrap();
    }
    let kept = read(name);
    let differing = kept.lines().zip(found.lines()).find(|(kept, found)| kept != found);
    assert!(kept == found, "{name} is not what the servers say: {differing:?}; PHASEGATE_BLESS=1 writes it anew");
}

/// The first column of each row that the statements give, in a session of their own.
pub fn rows(server: &LocalServer, query: &str) -> Vec<String> {
    let text = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    };
    server.connect("postgres").unwrap().simple_query(query).unwrap().iter().filter_map(text).collect()
}
