//! A text as a row of statements, by its tokens alone: enough to find transaction control, guards and comments without a parser.
//!
//! Bodies in dollar quotes are one token, so nothing in them is taken for a statement. `BEGIN ATOMIC` bodies are cut at their
//! semicolons; no question asked here minds.

use crate::op::Span;
use crate::sql::lex::{self, Token, TokenKind};
use crate::sql::psql;

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

/// A command that only psql understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PsqlCommand<'a> {
    /// Without its backslash.
    pub name: &'a str,
    /// The rest, as it is written.
    pub argument: &'a str,
}

impl PsqlCommand<'_> {
    /// The file that it runs, where it runs one: without quotes, variables as they are written.
    pub fn included(&self) -> Option<&str> {
        let includes = matches!(self.name, "i" | "ir" | "include" | "include_relative");
        let quoted = self.argument.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        includes.then(|| quoted.unwrap_or(self.argument))
    }
}

/// psql's commands in one part of `text`, in order. A backslash in a string, a comment or the data of a COPY is none.
pub fn psql_commands(text: &str, part: Span) -> Vec<PsqlCommand<'_>> {
    let text = &text[..part.end];
    let mut commands = Vec::new();
    let mut statement = part.start;
    let mut tokens = lex::tokens_from(text, part.start);
    while let Some(token) = tokens.next() {
        let end = match token.kind {
            TokenKind::Backslash => {
                let found = psql::meta_command(text, token.span.start);
                let words = text[token.span.end..found.end].trim_end_matches('\\').trim();
                let (name, argument) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
                if !name.is_empty() && name != ";" {
                    commands.push(PsqlCommand { name, argument: argument.trim() });
                }
                if found.copies_in { psql::copy_data(text.as_bytes(), found.end).end } else { found.end }
            }
            TokenKind::Semicolon => {
                let copies = psql::copies_in(&text[statement..token.span.start]);
                statement = token.span.end;
                if !copies {
                    continue;
                }
                psql::copy_data(text.as_bytes(), token.span.end).end
            }
            _ => continue,
        };
        statement = end;
        tokens = lex::tokens_from(text, end);
    }
    commands
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
    fn commands_of_psql_are_found_outside_of_strings_comments_and_copied_data() {
        let text =
            "\\set a 1 \\\\ SELECT '\\i x'; -- \\i y\nSELECT 1 \\gset p_\nCOPY t FROM stdin;\n\\i z\n\\.\n\\ir 'a b.sql'\r\n\\;";
        let commands = psql_commands(text, Span { start: 0, end: text.len() });
        let words: Vec<(&str, &str)> = commands.iter().map(|c| (c.name, c.argument)).collect();
        assert_eq!(words, [("set", "a 1"), ("gset", "p_"), ("ir", "'a b.sql'")]);
        assert_eq!(commands.iter().filter_map(PsqlCommand::included).collect::<Vec<_>>(), ["a b.sql"]);
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
