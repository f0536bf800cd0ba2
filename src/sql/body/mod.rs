//! Bodies of routines and DO blocks: find the literal, decode it, read its structure, parse the SQL in it.
//!
//! A failure of this room is never an error of the user: a body is in error only where the server's parser (for SQL) or its
//! plpgsql compiler says so too. What cannot be read is kept as [`crate::op::Step::Dynamic`] or as an opaque body.

use crate::op::{Body, Step};
use crate::sql::body::embedded::Source;
use crate::sql::body::reader::{Doubt, Reader};
use crate::sql::lower::Lowering;
use crate::sql::newer::{EnclosingBody, Use, word};
use crate::sql::position::PositionMap;
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

/// Opens the body of a CREATE FUNCTION / PROCEDURE, which is kept, or of a DO; the statement stands at `start..end` of `cx.text`.
/// `source` is the decoded text as the parser gives it. Syntax errors inside go to `cx.errors`, uses of newer versions to
/// `cx.newer`, positions mapped into the file.
pub fn open(language: &str, source: &str, is_kept: bool, start: usize, end: usize, cx: &Lowering<'_>) -> Body {
    let language = language.to_ascii_lowercase();
    if !matches!(language.as_str(), "sql" | "plpgsql") {
        let opaque = Some(format!("language {language}"));
        return Body { language, steps: Vec::new(), text: source.to_owned(), opaque, bound: false };
    }
    let positions = literal::find(source, cx.text, start, end, cx.positions);
    let statement = cx.text.get(start..end).unwrap_or_default();
    let mut opened = Opened::read(&language, source, &positions, Some(statement));
    if let Some(error) = opened.errors.first() {
        // Words that newer versions made keywords are names for older ones.
        let older = word::readings(source).find_map(|reading| {
            let places = PositionMap::Table(reading.origins.iter().map(|at| positions.at(*at)).collect());
            let mut older = Opened::read(&language, &reading.text, &places, None);
            older.newer.extend(reading.uses(&positions, error));
            older.errors.is_empty().then_some(older)
        });
        opened = older.unwrap_or(opened);
    }
    let body = EnclosingBody { language: &language, text: source, is_kept };
    cx.newer.borrow_mut().extend(opened.newer.into_iter().map(|newer| newer.in_body(&body)));
    cx.errors.borrow_mut().append(&mut opened.errors);
    Body { language, steps: opened.steps, text: lex::normalise(source), opaque: None, bound: false }
}

/// What a body holds.
struct Opened {
    steps: Vec<Step>,
    errors: Vec<SyntaxError>,
    newer: Vec<Use>,
}

impl Opened {
    /// Reads a body of SQL or plpgsql; `statement` is the one that it stands in, where its text was not changed.
    fn read(language: &str, text: &str, positions: &PositionMap, statement: Option<&str>) -> Opened {
        let (errors, newer) = (RefCell::default(), RefCell::default());
        let source = Source { text, positions, errors: &errors, newer: &newer };
        let steps = if language == "sql" { sql(&source) } else { plpgsql(&source, statement) };
        Opened { steps, errors: distinct(errors.into_inner()), newer: distinct(newer.into_inner()) }
    }
}

/// A loop that was unrolled has met each thing several times.
fn distinct<T: PartialEq>(met: Vec<T>) -> Vec<T> {
    let mut distinct: Vec<T> = Vec::new();
    for item in met {
        if !distinct.contains(&item) {
            distinct.push(item);
        }
    }
    distinct
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
fn plpgsql(source: &Source<'_>, statement: Option<&str>) -> Vec<Step> {
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
fn confirm(source: &Source<'_>, statement: Option<&str>, doubts: &[Doubt]) -> Vec<SyntaxError> {
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
fn compile(statement: Option<&str>, body: &str) -> Result<(), String> {
    let wrapped = || {
        let tag = (0..).map(|n| format!("$body{n}$")).find(|tag| !body.contains(tag.as_str())).unwrap_or_default();
        format!("DO {tag}{body}{tag}")
    };
    match statement.map(ffi::compile_plpgsql) {
        Some(Ok(())) => Ok(()),
        Some(Err(refusal)) if is_about_syntax(&refusal.message) => Err(refusal.message),
        Some(Err(_)) | None => match ffi::compile_plpgsql(&wrapped()) {
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
