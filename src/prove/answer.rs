//! What a server answers to several statements in one message.

use postgres::{SimpleQueryMessage, SimpleQueryRow};

/// The rows of all of them.
pub fn rows(answer: &[SimpleQueryMessage]) -> impl DoubleEndedIterator<Item = &SimpleQueryRow> {
    answer.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })
}
