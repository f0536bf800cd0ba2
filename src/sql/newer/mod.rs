//! What a text uses that servers before some version do not have: forms of SQL, functions, settings and other names.
//!
//! This room says what stands where. Since when there is such a thing is the tables' business ([`crate::versions::newer`]), and
//! whether it matters that of the rules, which know the target versions and what the history itself creates.

use crate::op::Span;
use crate::sql::SyntaxError;
use crate::sql::lex::{self, TokenKind};
use crate::sql::position::PositionMap;
use crate::versions::newer::{self, NameKind};
use serde::Serialize;

mod form;
mod walk;
pub mod word;

/// A place that a version after 15 was the first to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// One token.
    pub span: Span,
    pub what: What,
    pub when: When,
    /// The parser of older versions already refuses it, not the statement when it runs.
    pub refused_by_parser: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A form of SQL, by its id in the table of forms. Older versions take some for a call of the function `called`.
    Form { id: &'static str, called: Option<&'static str> },
    /// A call of a function whose name has overloads that 15 lacks. The schema is that of the call.
    Function { schema: Option<String>, name: String, arguments: usize },
    /// A name that comes with the server.
    Name { kind: NameKind, name: String },
    /// The reverse: a word that a version made a keyword, used as the name that it is for older ones. The error is what the
    /// parser of that version says.
    Word { word: String, error: SyntaxError },
}

/// When a version without it refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// When the statement of the file runs.
    Now,
    /// Not before somebody calls the routine that the statement creates.
    Called,
    /// Perhaps never: the body asks for the version of the server.
    Guarded,
}

impl Use {
    pub fn form(id: &'static str, span: Span) -> Use {
        Use::of(What::Form { id, called: None }, span)
    }

    fn of(what: What, span: Span) -> Use {
        let refused_by_parser = match &what {
            What::Form { id, .. } => newer::form(id).is_some_and(|form| form.refused_by_parser),
            What::Word { .. } => true,
            What::Function { .. } | What::Name { .. } => false,
        };
        Use { span, what, when: When::Now, refused_by_parser }
    }

    /// It stands in a text that the server does not parse before it is run.
    pub fn in_executed_text(self) -> Use {
        Use { refused_by_parser: false, ..self }
    }

    /// It stands in the body of a routine or of a DO block, which for the statement around it is a mere string.
    pub fn in_body(self, body: &EnclosingBody<'_>) -> Use {
        let refused_now = self.when == When::Now && self.refused_by_parser;
        let when = match self.when {
            When::Now if refused_now => When::Now,
            When::Now | When::Called if body.asks_for_version() => When::Guarded,
            When::Now if body.is_kept && body.language == "plpgsql" => When::Called,
            when => when,
        };
        Use { when, refused_by_parser: false, ..self }
    }
}

/// A body that was opened.
pub struct EnclosingBody<'a> {
    /// Lower case.
    pub language: &'a str,
    pub text: &'a str,
    /// Kept by CREATE, not run by DO. The server then parses the SQL of a plpgsql body, and analyses that of an SQL one.
    pub is_kept: bool,
}

impl EnclosingBody<'_> {
    fn asks_for_version(&self) -> bool {
        let solid: Vec<_> = lex::tokens(self.text).filter(|token| !token.is_blank()).collect();
        let is = |at: usize, kind: TokenKind| solid.get(at).is_some_and(|token| token.kind == kind);
        (0..solid.len()).any(|at| {
            let text = solid[at].text(self.text);
            match solid[at].kind {
                TokenKind::Word if lex::is_word(text, &["version"]) => {
                    is(at + 1, TokenKind::Open) && is(at + 2, TokenKind::Close)
                }
                TokenKind::Word => lex::is_word(text, SERVER_VERSION),
                TokenKind::Str => lex::is_word(text.trim_matches('\''), SERVER_VERSION),
                _ => false,
            }
        })
    }
}

const SERVER_VERSION: &[&str] = &["server_version_num", "server_version"];

/// What the statement or expression at `start..end` of the parsed text uses; `node` is its tree, of the
/// parser's types.
pub fn uses<T: Serialize>(node: &T, text: &str, start: usize, end: usize, positions: &PositionMap) -> Vec<Use> {
    let mut found: Vec<(Option<usize>, What)> = Vec::new();
    let statement = text.get(start..end).unwrap_or_default();
    if has_newer_number(statement.as_bytes()) {
        let form = || What::Form { id: "number-literal", called: None };
        let numbers = lex::tokens(statement).filter(|token| token.kind == TokenKind::Number);
        let newer = numbers.filter(|token| has_newer_number(token.text(statement).as_bytes()));
        found.extend(newer.map(|token| (Some(start + token.span.start), form())));
    }
    let parsed = form::Parsed { text, start, end };
    walk::walk(node, form::is_watched, &mut |seen, above| form::judge(seen, above, &parsed, &mut found));
    let place = |at: Option<usize>| {
        let at = at.filter(|at| text.is_char_boundary(*at) && (start..end).contains(at)).unwrap_or(start);
        let token = lex::tokens_from(text, at).next().map_or(Span { start: at, end: at }, |token| token.span);
        positions.span(token.start, token.end)
    };
    found.into_iter().map(|(at, what)| Use::of(what, place(at))).collect()
}

/// `0x1F`, `0o7`, `0b1` or `1_000`, or something in a string or a name that looks like it.
fn has_newer_number(bytes: &[u8]) -> bool {
    let is_newer = |pair: &[u8]| match pair {
        [b'0', second] => matches!(second, b'x' | b'X' | b'o' | b'O' | b'b' | b'B' | b'_'),
        [first, b'_'] => first.is_ascii_digit(),
        _ => false,
    };
    bytes.windows(2).any(is_newer)
}

#[cfg(test)]
mod tests;
