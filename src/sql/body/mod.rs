//! Bodies of routines and DO blocks: find the literal, decode it, read its structure, parse the SQL in it.
//!
//! A failure of this room is never an error of the user: a body is in error only where the server's parser (for SQL) or its
//! plpgsql compiler says so too. What cannot be read is kept as [`crate::op::Step::Dynamic`] or as an opaque body.

use crate::op::{Body, Step};
use crate::sql::body::embedded::Source;
use crate::sql::body::reader::{Doubt, Reader};
use crate::sql::lower::Lowering;
use crate::sql::{SyntaxError, ffi, lex, split};
use std::cell::RefCell;

mod cursor;
mod declaration;
mod embedded;
mod fold;
mod form;
mod literal;
mod reader;
mod repetition;
mod statement;

/// Opens the body of a CREATE FUNCTION / PROCEDURE or DO that stands at `start..end` of `cx.text`; `source` is the decoded
/// text as the parser gives it. Syntax errors inside go to `cx.errors`, positions mapped into the file.
pub fn open(language: &str, source: &str, start: usize, end: usize, cx: &Lowering<'_>) -> Body {
    let language = language.to_ascii_lowercase();
    let positions = literal::find(source, cx.text, start, end, cx.positions);
    let errors = RefCell::default();
    let text = Source { text: source, positions: &positions, errors: &errors };
    let (steps, opaque) = match language.as_str() {
        "sql" => (sql(&text), None),
        "plpgsql" => (plpgsql(&text, cx.text.get(start..end).unwrap_or_default()), None),
        _ => (Vec::new(), Some(format!("language {language}"))),
    };
    // A loop that was unrolled has met each error several times.
    let mut met: Vec<SyntaxError> = Vec::new();
    for error in errors.into_inner() {
        if !met.contains(&error) {
            met.push(error);
        }
    }
    cx.errors.borrow_mut().append(&mut met);
    let text = if opaque.is_some() { source.to_owned() } else { lex::normalise(source) };
    Body { language, steps, text, opaque }
}

/// The statements of a LANGUAGE sql body. The server checks it when the routine is created.
fn sql(source: &Source<'_>) -> Vec<Step> {
    let all = crate::op::Span { start: 0, end: source.text.len() };
    if let Ok(statements) = source.statements(source.text, all) {
        return statements.into_iter().map(Step::Sql).collect();
    }
    let mut steps = Vec::new();
    for range in split::statements(source.text) {
        let span = crate::op::Span { start: range.span.start, end: range.next };
        match source.statements(&source.text[span.start..span.end], span) {
            Ok(statements) => steps.extend(statements.into_iter().map(Step::Sql)),
            Err(refusal) => source.errors.borrow_mut().push(source.syntax_error(&refusal, range.span)),
        }
    }
    steps
}

/// The steps of a plpgsql body, which `statement` creates or runs.
fn plpgsql(source: &Source<'_>, statement: &str) -> Vec<Step> {
    let mut reader = Reader::new(source);
    let steps = reader.body();
    let doubts = reader.doubts;
    if !doubts.is_empty() {
        let confirmed = confirm(source, statement, &doubts);
        source.errors.borrow_mut().extend(confirmed);
    }
    steps
}

/// Of the places where the reader was in doubt, those that the server's compiler refuses too.
fn confirm(source: &Source<'_>, statement: &str, doubts: &[Doubt]) -> Vec<SyntaxError> {
    let Err(refusal) = compile(statement, source.text) else { return Vec::new() };
    let of_sql: Vec<_> =
        doubts.iter().filter_map(|doubt| Some(source.syntax_error(doubt.refusal.as_ref()?, doubt.span))).collect();
    // The compiler names the whole body where the SQL in it is wrong; the parser of that SQL names the token.
    if !of_sql.is_empty() && (refusal.contains('\n') || of_sql.iter().any(|error| error.message == refusal)) {
        return of_sql;
    }
    let Some(first) = doubts.first() else { return Vec::new() };
    let span = offending(&refusal, source.text, first.span.start).unwrap_or(first.span);
    vec![SyntaxError { span: source.place(span), message: refusal }]
}

/// The token that a message names, at or behind a place in the text.
fn offending(message: &str, text: &str, from: usize) -> Option<crate::op::Span> {
    let name = message.split_once("at or near \"")?.1.strip_suffix('"')?;
    lex::tokens(text).find(|token| token.span.start >= from && token.text(text) == name).map(|token| token.span)
}

/// What the server's compiler says against the syntax of a body; `Ok` where it says nothing, or something else: it does not know
/// the types and relations of the history.
fn compile(statement: &str, body: &str) -> Result<(), String> {
    let wrapped = || {
        let tag = (0..).map(|n| format!("$body{n}$")).find(|tag| !body.contains(tag.as_str())).unwrap_or_default();
        format!("DO {tag}{body}{tag}")
    };
    match ffi::compile_plpgsql(statement) {
        Ok(()) => Ok(()),
        Err(refusal) if is_about_syntax(&refusal.message) => Err(refusal.message),
        Err(_) => match ffi::compile_plpgsql(&wrapped()) {
            Err(refusal) if is_about_syntax(&refusal.message) => Err(refusal.message),
            Err(_) | Ok(()) => Ok(()),
        },
    }
}

/// Messages of the compiler that need no knowledge of types and relations.
fn is_about_syntax(message: &str) -> bool {
    const STARTS: &[&str] =
        &["syntax error", "missing \"", "mismatched parentheses", "unterminated", "unexpected end of function definition"];
    STARTS.iter().any(|start| message.starts_with(start))
}

#[cfg(test)]
mod tests;
