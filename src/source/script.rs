//! A text as a row of statements, by its tokens alone: enough to find transaction control, guards and comments without a parser.
//!
//! Bodies in dollar quotes are one token, so nothing in them is taken for a statement. `BEGIN ATOMIC` bodies are cut at their
//! semicolons; no question asked here minds.

use crate::op::Span;
use crate::sql::lex::{self, Token, TokenKind};

/// How many words of a statement are kept: enough for `CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS`.
const HEAD: usize = 8;

/// One statement and the blanks before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// From the end of the statement before to behind its own `;`.
    pub whole: Span,
    /// First byte of its first token.
    pub start: usize,
    /// Its first words, in upper case.
    pub head: Vec<String>,
}

impl Chunk {
    /// True when the statement begins with these words.
    pub fn begins(&self, words: &[&str]) -> bool {
        self.head.len() >= words.len() && self.head.iter().zip(words).all(|(have, want)| have == want)
    }

    /// `BEGIN` or `START TRANSACTION`.
    pub fn opens_transaction(&self) -> bool {
        self.begins(&["BEGIN"]) || self.begins(&["START", "TRANSACTION"])
    }

    /// `COMMIT`, `END` or `ROLLBACK` (but not to a savepoint).
    pub fn closes_transaction(&self) -> bool {
        let to_savepoint = self.head.iter().any(|w| w == "TO");
        ["COMMIT", "END", "ROLLBACK", "ABORT"].iter().any(|w| self.begins(&[w])) && !to_savepoint
    }
}

/// The statements of one part of `text`. Blanks behind the last one are in none.
pub fn chunks(text: &str, part: Span) -> Chunks<'_> {
    let text = &text[..part.end];
    Chunks { text, tokens: lex::tokens_from(text, part.start), from: part.start }
}

/// Iterator of [`chunks`].
pub struct Chunks<'a> {
    text: &'a str,
    tokens: lex::Lexer<'a>,
    from: usize,
}

impl Iterator for Chunks<'_> {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let mut chunk: Option<Chunk> = None;
        let mut copies_from_stdin = false;
        while let Some(token) = self.tokens.next() {
            if token.is_blank() {
                continue;
            }
            match (&mut chunk, token.kind) {
                (None, TokenKind::Semicolon) => {}
                (None, TokenKind::Backslash) => self.skip_line(token.span.end),
                (None, _) => {
                    let head = word(self.text, &token).map(str::to_ascii_uppercase).into_iter().collect();
                    chunk = Some(Chunk { whole: Span { start: self.from, end: token.span.end }, start: token.span.start, head });
                }
                (Some(found), TokenKind::Semicolon) => {
                    found.whole.end = token.span.end;
                    if copies_from_stdin {
                        self.skip_copy_data(token.span.end);
                    }
                    break;
                }
                (Some(found), _) => {
                    found.whole.end = token.span.end;
                    if let Some(word) = word(self.text, &token) {
                        copies_from_stdin |= word.eq_ignore_ascii_case("stdin") && found.begins(&["COPY"]);
                        if found.head.len() < HEAD {
                            found.head.push(word.to_ascii_uppercase());
                        }
                    }
                }
            }
        }
        if let Some(found) = &chunk {
            self.from = found.whole.end;
        }
        chunk
    }
}

impl Chunks<'_> {
    /// A psql meta-command ends with its line.
    fn skip_line(&mut self, at: usize) {
        let rest = &self.text[at..];
        self.tokens = lex::tokens_from(self.text, at + rest.find('\n').map_or(rest.len(), |n| n + 1));
    }

    fn skip_copy_data(&mut self, at: usize) {
        self.tokens = lex::tokens_from(self.text, copy_data_end(self.text, at));
    }
}

/// `COPY … FROM stdin;` is followed by data up to a line `\.`: where what follows it begins.
pub fn copy_data_end(text: &str, at: usize) -> usize {
    let mut end = at;
    for line in text[at..].split_inclusive('\n') {
        end += line.len();
        if line.trim_end() == "\\." {
            break;
        }
    }
    end
}

fn word<'a>(text: &'a str, token: &Token) -> Option<&'a str> {
    (token.kind == TokenKind::Word).then(|| token.text(text))
}

/// True when the parts hold a `BEGIN` or `START TRANSACTION` of their own.
pub fn opens_transaction(text: &str, parts: &[Span]) -> bool {
    parts.iter().any(|&part| chunks(text, part).any(|c| c.opens_transaction()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(text: &str) -> Vec<String> {
        chunks(text, Span { start: 0, end: text.len() }).map(|c| c.head.join(" ")).collect()
    }

    #[test]
    fn statements_are_cut_at_semicolons_outside_of_strings_and_comments() {
        let text = "/* ; */ SELECT ';' -- ;\n; DO $$ BEGIN; END $$;;\nCOMMIT";
        assert_eq!(heads(text), ["SELECT", "DO", "COMMIT"]);
    }

    #[test]
    fn a_chunk_covers_its_leading_blanks_and_its_semicolon() {
        let text = "-- a\nSELECT 1; -- b\nSELECT 2 -- c";
        let spans: Vec<(usize, usize, usize)> =
            chunks(text, Span { start: 0, end: text.len() }).map(|c| (c.whole.start, c.start, c.whole.end)).collect();
        assert_eq!(spans, [(0, 5, 14), (14, 20, 28)]);
    }

    #[test]
    fn meta_commands_and_copy_data_are_no_statements() {
        assert_eq!(
            heads("\\set ON_ERROR_STOP on\nBEGIN;\nCOPY t FROM stdin;\n1\tBEGIN; \n\\.\nCOMMIT;"),
            ["BEGIN", "COPY T FROM STDIN", "COMMIT"]
        );
    }

    #[test]
    fn only_a_statement_opens_a_transaction() {
        let opens = |text: &str| opens_transaction(text, &[Span { start: 0, end: text.len() }]);
        assert!(opens("SET lock_timeout = '1s'; begin; SELECT 1; commit;"));
        assert!(opens("START TRANSACTION;"));
        assert!(!opens("DO $$ BEGIN NULL; END $$; -- BEGIN;"));
        assert!(!opens("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;"));
    }
}
