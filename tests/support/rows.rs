//! What a server answers, as text.

use phasegate::prove::server::LocalServer;
use postgres::SimpleQueryMessage;

/// The first column of each row that the statements give, in a session of their own.
pub fn rows(server: &LocalServer, query: &str) -> Vec<String> {
    let text = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    };
    server.connect("postgres").unwrap().simple_query(query).unwrap().iter().filter_map(text).collect()
}
