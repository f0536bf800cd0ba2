//! What several rules reason with, one noun per file.

pub mod arbiter;
pub mod backfill;
pub mod bound;
pub mod connection;
pub mod enum_use;
pub mod evaluation;
pub mod fallout;
pub mod frame;
pub mod held;
pub use crate::catalog::implication;
pub mod insert;
pub mod numbering;
pub mod online;
pub mod outside;
pub mod privilege;
pub mod recreation;
pub mod relation_form;
pub mod running;
pub mod said;
pub mod search_path;
pub mod total_expression;
pub mod touch;
pub mod trigger_body;
pub mod type_family;
pub mod updatable_view;

/// `a`, `a and b`, `a, b and c`.
pub fn list<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_string(),
        [head @ .., last] => {
            let head: Vec<&str> = head.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", head.join(", "), last.as_ref())
        }
    }
}
