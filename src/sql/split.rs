//! Where statements end, by tokens alone: for text that does not parse as a whole, or is too big to parse at once.
//!
//! On text that parses, the statements are the parser's own. A semicolon inside parentheses ends a statement all the same,
//! except in CREATE RULE, the only one that may hold it: a forgotten parenthesis then costs one statement and not the rest.

use crate::op::Span;
use crate::sql::lex::{self, Token, TokenKind, is_word};

/// Statements of a text, one after the other.
pub struct Statements<'a> {
    text: &'a str,
    tokens: lex::Lexer<'a>,
}

/// One statement: from its first token to the end of its last one, and where its `;` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub span: Span,
    /// After the `;`, or the end of the text where there is none.
    pub next: usize,
}

/// The statements of `text` from byte `from` on; empty ones are left out.
pub fn statements_from(text: &str, from: usize) -> Statements<'_> {
    Statements { text, tokens: lex::tokens_from(text, from) }
}

/// The statements of `text`.
pub fn statements(text: &str) -> Statements<'_> {
    statements_from(text, 0)
}

impl Iterator for Statements<'_> {
    type Item = Range;

    fn next(&mut self) -> Option<Range> {
        let mut span: Option<Span> = None;
        let mut head = Head::default();
        for token in self.tokens.by_ref() {
            if token.is_blank() {
                continue;
            }
            let Some(open) = &mut span else {
                if token.kind != TokenKind::Semicolon {
                    span = Some(token.span);
                    head.step(token, self.text);
                }
                continue;
            };
            if token.kind == TokenKind::Semicolon && !head.holds_semicolon() {
                return Some(Range { span: *open, next: token.span.end });
            }
            open.end = token.span.end;
            head.step(token, self.text);
        }
        span.map(|span| Range { span, next: self.text.len() })
    }
}

/// What the tokens of one statement so far say about a `;` in it.
#[derive(Debug, Default)]
pub struct Head {
    /// Tokens seen, as far as they matter.
    seen: usize,
    kind: Kind,
    parentheses: usize,
    /// Open BEGIN ATOMIC and CASE in the body of a routine.
    blocks: usize,
    /// The last token was the word BEGIN outside of parentheses.
    after_begin: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Undecided,
    Routine,
    Rule,
    Other,
}

impl Head {
    /// Takes the next token that is not blank.
    pub fn step(&mut self, token: Token, text: &str) {
        let word = if token.kind == TokenKind::Word { token.text(text) } else { "" };
        if self.kind == Kind::Undecided {
            self.kind = match self.seen {
                0 if is_word(word, &["create"]) => Kind::Undecided,
                1..=2 if is_word(word, &["or", "replace"]) => Kind::Undecided,
                1..=3 if is_word(word, &["function", "procedure"]) => Kind::Routine,
                1..=3 if is_word(word, &["rule"]) => Kind::Rule,
                _ => Kind::Other,
            };
            self.seen += 1;
        }
        match token.kind {
            TokenKind::Open => self.parentheses += 1,
            TokenKind::Close => self.parentheses = self.parentheses.saturating_sub(1),
            _ => {}
        }
        if self.kind == Kind::Routine {
            self.routine(word);
        }
    }

    fn routine(&mut self, word: &str) {
        if self.blocks == 0 {
            if self.after_begin && is_word(word, &["atomic"]) {
                self.blocks = 1;
            }
            self.after_begin = self.parentheses == 0 && is_word(word, &["begin"]);
        } else if is_word(word, &["case"]) {
            self.blocks += 1;
        } else if is_word(word, &["end"]) {
            self.blocks -= 1;
        }
    }

    /// Whether a `;` here is part of the statement.
    pub fn holds_semicolon(&self) -> bool {
        match self.kind {
            Kind::Routine => self.blocks > 0,
            Kind::Rule => self.parentheses > 0,
            Kind::Undecided | Kind::Other => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str) -> Vec<&str> {
        statements(text).map(|range| &text[range.span.start..range.span.end]).collect()
    }

    /// The parser's own statements, trimmed; `None` for text that does not parse.
    fn parsed(text: &str) -> Option<Vec<&str>> {
        let trim = |part| lex::trimmed(part, 0, part.len()).map(|span| &part[span.start..span.end]);
        pg_query::split_with_parser(text).ok().map(|parts| parts.into_iter().filter_map(trim).collect())
    }

    const SAMPLES: &[&str] = &[
        "",
        ";;",
        "SELECT 1",
        "SELECT 1;;  ; SELECT 2 ;-- end",
        "-- a;\n/* b; /* c; */ ; */ SELECT ';', $$;$$, $a$;$$;$a$, \";\" ; SELECT E'\\';' ;\r\nSELECT U&'\\003b;';",
        "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2;); SELECT 3;",
        "CREATE OR REPLACE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b); SELECT 3",
        "CREATE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT CASE a WHEN 1 THEN CASE WHEN true THEN 1 END END; SELECT 2; END; SELECT 3;",
        "CREATE OR REPLACE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC INSERT INTO t VALUES (1); END; DROP TABLE t;",
        "BEGIN; SELECT 1; END; BEGIN; COMMIT;",
        "CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN; END $$ LANGUAGE plpgsql; SELECT 1;",
        "DO $do$ BEGIN EXECUTE $x$ SELECT 1; $x$; END $do$; SELECT 1",
        "CREATE TABLE atomic (\"begin\" int, case_ int); SELECT 1;",
        "CREATE FUNCTION g() RETURNS int RETURN 1; SELECT 1;",
        "SELECT a[1:2], x::int; SELECT 1;",
    ];

    #[test]
    fn statements_are_the_parsers_own() {
        for sample in SAMPLES {
            assert_eq!(Some(texts(sample)), parsed(sample), "{sample}");
        }
    }

    #[test]
    fn a_forgotten_parenthesis_costs_one_statement() {
        assert_eq!(
            texts("CREATE TABLE a (b int; DROP TABLE c; SELECT (1;"),
            ["CREATE TABLE a (b int", "DROP TABLE c", "SELECT (1"]
        );
    }

    #[test]
    fn every_file_of_the_corpus_splits_as_the_parser_splits_it() {
        let (mut files, mut refused) = (0, 0);
        for text in crate::sql::corpus::texts("sql") {
            match crate::sql::ffi::with_room(|| {
                parsed(&text).map(|parts| parts.into_iter().map(String::from).collect::<Vec<_>>())
            }) {
                Some(parts) => {
                    files += 1;
                    assert_eq!(texts(&text), parts);
                }
                None => refused += 1,
            }
        }
        println!("{files} files agree, {refused} do not parse as a whole");
        assert!(files > 0 || !crate::sql::corpus::is_there());
    }

    proptest! {
        #[test]
        fn joined_samples_split_as_the_parser_splits_them(picks in prop::collection::vec(0..SAMPLES.len(), 0..6), crlf: bool) {
            let mut text = picks.iter().map(|&i| SAMPLES[i]).collect::<Vec<_>>().join("\n;\n");
            if crlf {
                text = text.replace('\n', "\r\n");
            }
            prop_assert_eq!(Some(texts(&text)), parsed(&text));
        }

        #[test]
        fn any_text_is_split_to_its_end(text in "[a-zA-Z0-9 ;()'\"$\\\\/*\\-\nä]{0,80}") {
            let mut at = 0;
            for range in statements(&text) {
                prop_assert!(range.span.start >= at && range.span.end <= range.next && range.next <= text.len());
                at = range.next;
            }
        }
    }
}
