//! Rules judge effects and context. One file per rule, beside its document `rules/<id>.md`.

pub mod document;
pub mod example;
