//! Strings that are code: the bodies of DO blocks and routines, told by the first words of their statement alone.

use crate::op::Span;
use crate::sql::lex::{self, Token, TokenKind};

/// How many first words of a statement say whether its strings are code: `CREATE OR REPLACE FUNCTION`.
pub const HEAD: usize = 4;

/// Whether the strings of a statement with these first words are code.
pub fn is_code(head: &[&str]) -> bool {
    const CODE: [&[&str]; 5] = [
        &["do"],
        &["create", "function"],
        &["create", "procedure"],
        &["create", "or", "replace", "function"],
        &["create", "or", "replace", "procedure"],
    ];
    let begins = |words: &&[&str]| {
        head.len() >= words.len() && head.iter().zip(*words).all(|(have, want)| have.eq_ignore_ascii_case(want))
    };
    CODE.iter().any(begins)
}

/// The text between the marks of a string, `'…'` or `$tag$…$tag$`. None where there is none. `text` ends where the literal's source
/// does, so that an open one is known.
pub fn inside(literal: &Token, text: &str) -> Option<Span> {
    let quoted = literal.text(text);
    let mark = match literal.kind {
        TokenKind::DollarStr => quoted.get(1..)?.find('$')? + 2,
        TokenKind::Str => quoted.find('\'')? + 1,
        _ => return None,
    };
    let closing = match literal.kind {
        _ if lex::is_unterminated(*literal, text) => 0,
        TokenKind::DollarStr => mark,
        _ => 1,
    };
    let (start, end) = (literal.span.start + mark, literal.span.end.checked_sub(closing)?);
    (start < end && text.is_char_boundary(end)).then_some(Span { start, end })
}

/// Calls `visit` for every identifier of a statement, those in its code included, with the name that the server reads: folded, or
/// without its quotes. Names in Unicode escapes (`U&"…"`) are left as they are written.
pub fn identifiers(text: &str, statement: Span, visit: &mut dyn FnMut(Span, &str)) {
    let mut head: Vec<&str> = Vec::new();
    let text = &text[..statement.end];
    for token in lex::tokens_from(text, statement.start) {
        match token.kind {
            TokenKind::Str | TokenKind::DollarStr if is_code(&head) => {
                if let Some(inner) = inside(&token, text) {
                    in_code(text, inner, visit);
                }
            }
            TokenKind::Word if head.len() < HEAD => {
                head.push(token.text(text));
                identifier(&token, text, visit);
            }
            _ => identifier(&token, text, visit),
        }
    }
}

fn in_code(text: &str, code: Span, visit: &mut dyn FnMut(Span, &str)) {
    let text = &text[..code.end];
    for token in lex::tokens_from(text, code.start) {
        match token.kind {
            TokenKind::DollarStr => {
                if let Some(inner) = inside(&token, text) {
                    in_code(text, inner, visit);
                }
            }
            _ => identifier(&token, text, visit),
        }
    }
}

fn identifier(token: &Token, text: &str, visit: &mut dyn FnMut(Span, &str)) {
    let written = token.text(text);
    match token.kind {
        TokenKind::Word => visit(token.span, &super::names::fold(written)),
        TokenKind::QuotedIdent => match written.strip_prefix('"') {
            Some(rest) => visit(token.span, &rest.strip_suffix('"').unwrap_or(rest).replace("\"\"", "\"")),
            None => visit(token.span, written),
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        identifiers(text, Span { start: 0, end: text.len() }, &mut |_, name| found.push(name.to_owned()));
        found
    }

    #[test]
    fn identifiers_are_given_as_the_server_reads_them() {
        assert_eq!(names("DROP TABLE \"A\"\"b\".Cd -- Comment\n, 'String'"), ["drop", "table", "A\"b", "cd"]);
    }

    #[test]
    fn identifiers_in_code_are_given_and_in_other_strings_not() {
        assert_eq!(names("DO $$ BEGIN Go; EXECUTE $q$ Deeper $q$; END $$"), ["do", "begin", "go", "execute", "deeper", "end"]);
        assert_eq!(names("COMMENT ON TABLE t IS $$ Words $$"), ["comment", "on", "table", "t", "is"]);
        assert_eq!(names("DO 'x'"), ["do", "x"]);
        assert_eq!(names("DO '"), ["do"]);
    }
}
