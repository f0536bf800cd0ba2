//! The comments of a unit and where each stands: what phase tags and allows are read from.
//!
//! Only comment tokens count, never text in strings. Comments in the body of a DO block or a routine are listed as what they are:
//! nothing may be written there that holds for a statement, and who tries has to be told. psql meta-commands and data after
//! `COPY … FROM stdin` hold no comments.

use crate::op::Span;
use crate::source::script;
use crate::sql::code;
use crate::sql::lex::{self, Token, TokenKind};

/// One comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment<'a> {
    /// What stands between the marks, without blanks around it.
    pub body: &'a str,
    /// Where that begins in the file.
    pub body_start: usize,
    /// Bytes of the file, marks included.
    pub span: Span,
    pub is_block: bool,
    /// Nothing stands before it on its line.
    pub has_own_line: bool,
    pub place: Place,
}

/// Where a comment stands in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before the first statement. Transaction control and psql meta-commands may stand before it: they are not what the unit is
    /// about.
    BeforeStatements,
    /// Inside of a `BEGIN` or `COMMIT` that stands before the first statement.
    InTransactionControl,
    AfterFirst,
    /// Inside of the body of a DO block or a routine.
    InBody,
}

/// The comments of a unit, in order. `regions` are where they may stand: the unit's parts, and a header before its marker.
pub fn comments<'a>(text: &'a str, regions: &[Span]) -> Vec<Comment<'a>> {
    let mut scan = Scan { text, found: Vec::new(), place: Place::BeforeStatements, head: Vec::new(), copies_from_stdin: false };
    let mut read = 0;
    for region in regions {
        // The header of a unit may reach into its first part.
        scan.region(Span { start: region.start.max(read).min(region.end), end: region.end });
        read = read.max(region.end);
    }
    scan.found
}

struct Scan<'a> {
    text: &'a str,
    found: Vec<Comment<'a>>,
    place: Place,
    /// The first words of the open statement.
    head: Vec<&'a str>,
    copies_from_stdin: bool,
}

impl<'a> Scan<'a> {
    fn region(&mut self, region: Span) {
        let text = &self.text[..region.end];
        let mut tokens = lex::tokens_from(text, region.start);
        while let Some(token) = tokens.next() {
            match token.kind {
                TokenKind::Whitespace => {}
                TokenKind::LineComment | TokenKind::BlockComment => self.comment(&token, self.place),
                TokenKind::Semicolon => {
                    if self.copies_from_stdin {
                        tokens = lex::tokens_from(text, script::copy_data_end(text, token.span.end));
                    }
                    self.semicolon();
                }
                // What follows is no SQL: a quote in it opens no string.
                TokenKind::Backslash if has_own_line(text, token.span.start) => {
                    let end = text[token.span.end..].find('\n').map_or(text.len(), |n| token.span.end + n);
                    tokens = lex::tokens_from(text, end);
                }
                TokenKind::Str | TokenKind::DollarStr => {
                    self.place = after_token(self.place, token.text(text));
                    if code::is_code(&self.head) {
                        self.body(&token, region.end);
                    }
                }
                _ => self.token(&token),
            }
        }
    }

    fn token(&mut self, token: &Token) {
        let word = token.text(self.text);
        self.place = after_token(self.place, word);
        self.copies_from_stdin |= word.eq_ignore_ascii_case("stdin") && self.begins(&["copy"]);
        if self.head.len() < code::HEAD {
            self.head.push(word);
        }
    }

    fn semicolon(&mut self) {
        self.place = match self.place {
            Place::InTransactionControl | Place::BeforeStatements => Place::BeforeStatements,
            Place::AfterFirst | Place::InBody => Place::AfterFirst,
        };
        self.head.clear();
        self.copies_from_stdin = false;
    }

    fn begins(&self, words: &[&str]) -> bool {
        self.head.len() >= words.len() && self.head.iter().zip(words).all(|(have, want)| have.eq_ignore_ascii_case(want))
    }

    /// The comments inside of a body, and of the strings in it. `limit` is where the text ends that the literal was read from.
    fn body(&mut self, literal: &Token, limit: usize) {
        let Some(Span { start, end }) = code::inside(literal, &self.text[..limit]) else { return };
        for token in lex::tokens_from(&self.text[..end], start) {
            match token.kind {
                TokenKind::LineComment | TokenKind::BlockComment => self.comment(&token, Place::InBody),
                TokenKind::DollarStr => self.body(&token, end),
                _ => {}
            }
        }
    }

    fn comment(&mut self, token: &Token, place: Place) {
        let (before, body) = body(token.text(self.text));
        self.found.push(Comment {
            body,
            body_start: token.span.start + before,
            span: token.span,
            is_block: token.kind == TokenKind::BlockComment,
            has_own_line: has_own_line(self.text, token.span.start),
            place,
        });
    }
}

fn after_token(place: Place, token: &str) -> Place {
    let control = ["begin", "start", "commit", "end", "rollback"].iter().any(|w| token.eq_ignore_ascii_case(w));
    match place {
        Place::BeforeStatements if control => Place::InTransactionControl,
        Place::InTransactionControl => Place::InTransactionControl,
        Place::BeforeStatements | Place::AfterFirst | Place::InBody => Place::AfterFirst,
    }
}

/// The bytes before what a comment says, and that.
fn body(comment: &str) -> (usize, &str) {
    let block = comment.strip_prefix("/*").map(|block| block.strip_suffix("*/").unwrap_or(block));
    let said = block.or(comment.strip_prefix("--")).unwrap_or(comment);
    (2 + said.len() - said.trim_start().len(), said.trim())
}

fn has_own_line(text: &str, at: usize) -> bool {
    let before = &text[..at];
    let line = before.rfind(['\n', '\r']).map_or(0, |n| n + 1);
    before[line..].trim_start_matches('\u{feff}').trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Vec<(&str, Place)> {
        comments(text, &[Span { start: 0, end: text.len() }]).into_iter().map(|c| (c.body, c.place)).collect()
    }

    #[test]
    fn comments_are_listed_with_their_place() {
        let text = "-- a\nBEGIN; -- b\n/* c */ DROP TABLE t; -- d";
        let places = [Place::BeforeStatements, Place::BeforeStatements, Place::BeforeStatements, Place::AfterFirst];
        assert_eq!(listed(text).into_iter().map(|(_, place)| place).collect::<Vec<_>>(), places);
        assert_eq!(listed("BEGIN -- a\n;"), [("a", Place::InTransactionControl)]);
    }

    #[test]
    fn a_body_holds_comments_and_other_strings_hold_none() {
        assert_eq!(listed("DO $$ -- a\nBEGIN EXECUTE $q$ /* b */ $q$; END $$;"), [("a", Place::InBody), ("b", Place::InBody)]);
        assert_eq!(listed("CREATE OR REPLACE FUNCTION f() AS '-- a\n' LANGUAGE sql;"), [("a", Place::InBody)]);
        assert_eq!(listed("SELECT $$ -- a $$, '-- b';"), []);
        assert_eq!(listed("DO $$ -- a"), [("a", Place::InBody)]);
        assert_eq!(listed("DO $"), []);
        assert_eq!(listed("DO '"), []);
    }

    #[test]
    fn copied_data_and_meta_commands_hold_no_comments_and_hide_none() {
        let text = "\\echo it's -- a\nCOPY t FROM stdin;\nit's\n-- b\n\\.\n-- c\nSELECT 1;";
        assert_eq!(listed(text), [("c", Place::AfterFirst)]);
    }

    #[test]
    fn what_stands_in_two_regions_is_listed_once() {
        let text = "-- a\nSELECT 1;";
        let found = comments(text, &[Span { start: 0, end: 5 }, Span { start: 0, end: text.len() }]);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn the_body_of_a_comment_is_found_in_the_file() {
        let text = "SELECT 1; /*  é */";
        let comment = comments(text, &[Span { start: 0, end: text.len() }])[0];
        assert_eq!(&text[comment.body_start..][..comment.body.len()], "é");
    }
}
