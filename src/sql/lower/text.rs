//! What the parse tree leaves out and the text still has: where an element or a literal ends, where a query begins, and a
//! normal form in which two spellings of one definition are equal.
//!
//! Offsets are bytes into the parsed text. Everything here is one pass over the tokens it is asked about.

use crate::sql::lex::{self, Token, TokenKind};

/// Where the list element that starts at `start` ends: before a comma, a closing parenthesis or a semicolon of its own level,
/// at `limit` at the latest; blanks and comments before that are outside.
pub fn element_end(text: &str, start: usize, limit: usize) -> usize {
    let mut depth = 0usize;
    let mut end = start;
    for token in tokens_within(text, start, limit) {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close if depth == 0 => break,
            TokenKind::Close => depth -= 1,
            TokenKind::Comma | TokenKind::Semicolon if depth == 0 => break,
            _ => {}
        }
        if !token.is_blank() {
            end = token.span.end;
        }
    }
    end
}

/// The range without blanks and comments at its ends.
pub fn trimmed(text: &str, start: usize, end: usize) -> (usize, usize) {
    let mut solid = tokens_within(text, start, end).filter(|token| !token.is_blank());
    let Some(first) = solid.next() else { return (start, start) };
    let last = solid.last().unwrap_or(first);
    (first.span.start, last.span.end)
}

/// The first string literal from `from` on, with the literals that continue it on the following lines.
pub fn literal_after(text: &str, from: usize, limit: usize) -> Option<(usize, usize)> {
    let mut tokens = tokens_within(text, from, limit).skip_while(|t| !matches!(t.kind, TokenKind::Str | TokenKind::DollarStr));
    let first = tokens.next()?;
    let mut end = first.span.end;
    if first.kind == TokenKind::DollarStr {
        return Some((first.span.start, end));
    }
    let mut line_broken = false;
    for token in tokens {
        match token.kind {
            TokenKind::Whitespace | TokenKind::LineComment => line_broken |= token.text(text).contains(['\n', '\r']),
            TokenKind::Str if line_broken && token.text(text).starts_with('\'') => {
                end = token.span.end;
                line_broken = false;
            }
            _ => break,
        }
    }
    Some((first.span.start, end))
}

/// The range of the query of CREATE VIEW, CREATE MATERIALIZED VIEW or CREATE TABLE AS: from after the first AS outside of
/// parentheses to the end, without the trailing WITH CHECK OPTION or WITH [NO] DATA.
pub fn query_range(text: &str, start: usize, end: usize) -> (usize, usize) {
    let mut depth = 0usize;
    let mut from = start;
    let mut solid: Vec<Token> = Vec::new();
    let mut found = false;
    for token in tokens_within(text, start, end).filter(|token| !token.is_blank()) {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            TokenKind::Word if depth == 0 && !found && is_word(&token, text, "as") => {
                found = true;
                from = token.span.end;
                continue;
            }
            _ => {}
        }
        if found {
            solid.push(token);
            from = solid[0].span.start;
        }
    }
    for tail in TAILS {
        let Some(cut) = solid.len().checked_sub(tail.len()) else { continue };
        if solid[cut..].iter().zip(*tail).all(|(token, word)| is_word(token, text, word)) {
            solid.truncate(cut);
            break;
        }
    }
    (from, solid.last().map_or(end, |token| token.span.end))
}

/// Longest first, so that a shorter tail does not leave half of a longer one.
const TAILS: &[&[&str]] = &[
    &["with", "cascaded", "check", "option"],
    &["with", "local", "check", "option"],
    &["with", "check", "option"],
    &["with", "no", "data"],
    &["with", "data"],
];

/// The ranges of the statements of a BEGIN ATOMIC … END body within `start..end`, in order, empty ones left out.
pub fn atomic_statements(text: &str, start: usize, end: usize) -> Vec<(usize, usize)> {
    let mut ranges = Vec::new();
    let mut current: Option<(usize, usize)> = None;
    let mut inside = false;
    for token in tokens_within(text, start, end).filter(|token| !token.is_blank()) {
        if !inside {
            inside = is_word(&token, text, "atomic");
        } else if token.kind == TokenKind::Semicolon {
            ranges.extend(current.take());
        } else {
            let from = current.map_or(token.span.start, |(from, _)| from);
            current = Some((from, token.span.end));
        }
    }
    ranges
}

/// Where the first unquoted `word` of `start..end` stands.
pub fn word_at(text: &str, start: usize, end: usize, word: &str) -> Option<usize> {
    tokens_within(text, start, end).find(|token| is_word(token, text, word)).map(|token| token.span.start)
}

fn is_word(token: &Token, text: &str, word: &str) -> bool {
    token.kind == TokenKind::Word && token.text(text).eq_ignore_ascii_case(word)
}

fn tokens_within(text: &str, start: usize, end: usize) -> impl Iterator<Item = Token> {
    lex::tokens_from(text, start).take_while(move |token| token.span.start < end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, (start, end): (usize, usize)) -> &str {
        &text[start..end]
    }

    #[test]
    fn normal_form_forgets_case_blanks_and_comments_but_not_quotes() {
        assert_eq!(lex::normalise("SELECT  A /* x */,\n\"B\" -- y\n FROM T"), "select a , \"B\" from t");
        assert_eq!(lex::normalise("select 'It''s'"), "select 'It''s'");
    }

    #[test]
    fn an_element_ends_before_its_comma_or_parenthesis() {
        let text = "(a numeric(1, 2) /* c */ , b int)";
        assert_eq!(cut(text, (1, element_end(text, 1, text.len()))), "a numeric(1, 2)");
        assert_eq!(cut(text, (27, element_end(text, 27, text.len()))), "b int");
    }

    #[test]
    fn literals_continue_only_over_a_line_break() {
        let text = "AS 'a'\n  'b', 'c'";
        assert_eq!(literal_after(text, 0, text.len()).map(|range| cut(text, range)), Some("'a'\n  'b'"));
        let text = "AS $x$ a $x$ LANGUAGE 'sql'";
        assert_eq!(literal_after(text, 0, text.len()).map(|range| cut(text, range)), Some("$x$ a $x$"));
        assert_eq!(literal_after("AS b", 0, 4), None);
    }

    #[test]
    fn the_query_of_a_view_starts_after_as_and_ends_before_its_options() {
        for text in [
            "CREATE VIEW v (a) AS SELECT 1 AS a",
            "CREATE VIEW v WITH (security_barrier = true) AS SELECT 1 AS a WITH LOCAL CHECK OPTION",
            "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a WITH NO DATA",
            "CREATE TABLE v AS SELECT 1 AS a WITH DATA",
        ] {
            assert_eq!(cut(text, query_range(text, 0, text.len())), "SELECT 1 AS a");
        }
    }

    #[test]
    fn an_atomic_body_is_cut_at_its_semicolons() {
        let text = "BEGIN ATOMIC SELECT 1; ; INSERT INTO t VALUES (';') ; END";
        let parts: Vec<_> = atomic_statements(text, 0, text.len()).into_iter().map(|range| cut(text, range)).collect();
        assert_eq!(parts, ["SELECT 1", "INSERT INTO t VALUES (';')"]);
    }
}
