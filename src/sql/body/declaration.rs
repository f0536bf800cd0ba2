//! The DECLARE section: which variables start as constants, and the queries of cursors.

use crate::op::Step;
use crate::sql::body::fold::{self, Value};
use crate::sql::body::reader::Reader;
use crate::sql::ffi::{self, Mode};
use crate::sql::lex::{self, TokenKind};

impl Reader<'_> {
    /// Declarations up to BEGIN; adds their names to `declared`.
    pub fn declarations(&mut self, declared: &mut Vec<String>, out: &mut Vec<Step>) {
        while !self.cursor.is_at_end() && !self.cursor.is(self.cursor.at, &["begin", "declare"]) {
            let end = self.cursor.semicolon(self.cursor.at);
            if let Some(name) = self.cursor.name(self.cursor.at) {
                self.declaration(&name, end, out);
                declared.push(name);
            } else {
                self.doubt_here();
            }
            self.cursor.at = end;
            if !self.cursor.take_kind(TokenKind::Semicolon) {
                self.doubt_here();
            }
        }
    }

    /// The declaration of `name`, whose `;` is at `end`.
    fn declaration(&mut self, name: &str, end: usize, out: &mut Vec<Step>) {
        let start = self.cursor.at;
        self.environment.set(name, None);
        self.misplaced((!self.cursor.is_free_name(start)).then_some(start));
        let is_cursor = |at: usize| self.cursor.is(at, &["cursor"]);
        if is_cursor(start + 1)
            || (self.cursor.is(start + 1, &["no", "scroll"]) && (is_cursor(start + 2) || is_cursor(start + 3)))
        {
            let query = self.cursor.find(start + 1, |cursor, i| cursor.is(i, &["for", "is"]));
            if query < end {
                self.cursors.insert(name.into(), self.cursor.span(query + 1, end));
            } else {
                self.misplaced(Some(query));
            }
            return;
        }
        if self.cursor.is(start + 1, &["alias"]) {
            return;
        }
        let initial = self.cursor.find(start + 1, |cursor, i| cursor.is_operator(i, &[":=", "="]) || cursor.is(i, &["default"]));
        let type_start = start + 1 + usize::from(self.cursor.is(start + 1, &["constant"]));
        let type_end = self.cursor.find(type_start, |cursor, i| cursor.is(i, &["not", "collate"])).min(initial);
        let types = self.cursor.span(type_start, type_end.min(end));
        let type_text = lex::normalise(&self.source.text[types.start..types.end]);
        self.misplaced(self.misplaced_in_type(type_start, type_end.min(end)));
        if fold::store(Value::Text(String::new()), &type_text).is_some() {
            self.texts.insert(name.into());
        } else {
            self.texts.remove(name);
        }
        if initial >= end {
            return;
        }
        let Some((expression, span)) = self.parsed_expression(initial + 1, end) else { return };
        let value = self.constant(&expression).and_then(|value| fold::store(value, &type_text));
        self.environment.set(name, value);
        let expr = self.source.lower_at(&expression, span);
        out.push(Step::Evaluate { target: Some(name.into()), expr, span: self.source.place(self.cursor.span(start, end)) });
    }

    /// Where the tokens `from..to` are no type; only what is longer than a word goes to the parser.
    fn misplaced_in_type(&self, from: usize, to: usize) -> Option<usize> {
        if from + 1 >= to {
            return (self.cursor.name(from).is_none() || from == to).then_some(from);
        }
        // `%TYPE` and `%ROWTYPE`, with `[]` or `ARRAY` behind it since 17, are plpgsql's own.
        let reference = self.cursor.find(from, |cursor, i| cursor.is_operator(i, &["%"]));
        if reference < to && self.cursor.is(reference + 1, &["type", "rowtype"]) {
            if reference + 2 < to {
                self.newer("array-of-type", reference, to);
            }
            return None;
        }
        let span = self.cursor.span(from, to);
        ffi::parse(&self.source.text[span.start..span.end], Mode::TypeName).is_err().then_some(from)
    }
}
