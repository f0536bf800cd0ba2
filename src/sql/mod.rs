//! Split and parse with libpg_query, open DO blocks and bodies, lower every node to [`crate::op::Op`].
//!
//! The only room that names `pg_query`. Spans are bytes into the file, also inside DO blocks and function bodies.

use crate::op::{Span, Statement};

pub mod body;
pub mod code;
#[cfg(test)]
mod corpus;
pub mod ffi;
pub mod huge;
pub mod lex;
pub mod lower;
pub mod mask;
pub mod names;
pub mod newer;
pub mod parse;
pub mod placeholder;
pub mod position;
pub mod psql;
mod sent;
pub mod split;
pub mod substitute;

/// What the SQL room found in one unit.
#[derive(Clone, Debug, Default)]
pub struct ParsedUnit {
    /// In file order. A statement with a syntax error stands here too, as an error.
    pub statements: Vec<ParsedStatement>,
    /// psql meta-commands and variables, COPY data …: what is in the text and is no SQL.
    pub oddities: Vec<Oddity>,
}

#[derive(Clone, Debug)]
pub struct ParsedStatement {
    pub span: Span,
    /// The text as the runner sends it, where that is not what stands at `span` of the file: placeholders have their values, and
    /// psql's commands between the words are gone.
    pub sent: Option<String>,
    pub outcome: Result<Statement, SyntaxError>,
    /// Problems inside a body (DO, function): each with its own place.
    pub inner_errors: Vec<SyntaxError>,
    /// What servers before some version do not have, in the statement and in bodies inside it, in no order.
    pub newer: Vec<newer::Use>,
    /// Rows of a huge INSERT that were skipped unread, and why: said in the report.
    pub truncated: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The offending token.
    pub span: Span,
    /// The server's own message: `syntax error at or near "x"`.
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    pub span: Span,
    pub kind: OddityKind,
    /// The text, for the message: `\connect`, `:'var'`.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddityKind {
    MetaCommand,
    Variable,
    CopyData,
    Placeholder,
}
