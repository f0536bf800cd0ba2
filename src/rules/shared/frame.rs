//! The frame of SQL text that is built at run time: what is constant in it, with a stand-in for each quoted value.
//!
//! `format()` with `%I` and `%L`, and the quoting functions, put one identifier or one literal into the text, whatever the value is:
//! the statement around them is known. `%s` and bare values can be anything.

use crate::sql::lex::{self, Token, TokenKind};

/// True where every text that the expression can give is one statement that only adds to the schema, so that old clients lose
/// nothing by it. `expression` is what stands after EXECUTE.
pub fn only_adds(expression: &str) -> bool {
    frame(expression).is_some_and(|sql| is_creation(&sql))
}

fn is_creation(sql: &str) -> bool {
    let tokens: Vec<Token> = lex::tokens(sql).filter(|token| !token.is_blank()).collect();
    let statement = match tokens.split_last() {
        Some((last, rest)) if last.kind == TokenKind::Semicolon => rest,
        _ => tokens.as_slice(),
    };
    let words: Vec<String> = statement
        .iter()
        .map(|token| if token.kind == TokenKind::Word { token.text(sql).to_ascii_lowercase() } else { String::new() })
        .collect();
    let one = statement.iter().all(|token| token.kind != TokenKind::Semicolon);
    let kind = words.iter().skip(1).find(|word| !matches!(word.as_str(), "unlogged" | "temp" | "temporary"));
    let creates = words.first().is_some_and(|word| word == "create")
        && kind.is_some_and(|word| matches!(word.as_str(), "table" | "index" | "schema" | "sequence"));
    // A query in it may call what acts.
    creates && one && !words.iter().any(|word| matches!(word.as_str(), "select" | "execute"))
}

/// The text with stand-ins; `None` where a part of it can be anything.
fn frame(expression: &str) -> Option<String> {
    let tokens: Vec<Token> = lex::tokens(expression).filter(|token| !token.is_blank()).collect();
    let mut sql = String::new();
    for part in split(&tokens, expression) {
        sql.push_str(&part_of(part, expression)?);
    }
    (!sql.is_empty()).then_some(sql)
}

/// The operands of `||`.
fn split<'a>(tokens: &'a [Token], text: &str) -> Vec<&'a [Token]> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0usize, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            TokenKind::Operator if depth == 0 && token.text(text) == "||" => {
                parts.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&tokens[start..]);
    parts
}

fn part_of(part: &[Token], text: &str) -> Option<String> {
    match part {
        [literal] => decoded(*literal, text),
        [name, open, inside @ .., close]
            if name.kind == TokenKind::Word && open.kind == TokenKind::Open && close.kind == TokenKind::Close =>
        {
            match name.text(text).to_ascii_lowercase().as_str() {
                "quote_ident" => Some("x".into()),
                "quote_literal" | "quote_nullable" => Some("'x'".into()),
                "format" => formatted(&decoded(*inside.first()?, text)?),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A plain or dollar-quoted literal. One with escapes is not looked into.
fn decoded(token: Token, text: &str) -> Option<String> {
    let source = token.text(text);
    match token.kind {
        TokenKind::Str => {
            let inner = source.strip_prefix('\'')?.strip_suffix('\'')?;
            Some(inner.replace("''", "'"))
        }
        TokenKind::DollarStr => {
            let tag = source.get(1..)?.find('$')? + 2;
            source.get(tag..source.len().checked_sub(tag)?).map(str::to_string)
        }
        _ => None,
    }
}

/// `format()`: `%I` and `%L`, also with a position, have stand-ins; `%s` has none.
fn formatted(pattern: &str) -> Option<String> {
    let mut sql = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        sql.push_str(&rest[..at]);
        let specifier = rest[at + 1..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '$');
        sql.push_str(match specifier.chars().next()? {
            '%' => "%",
            'I' => "x",
            'L' => "'x'",
            _ => return None,
        });
        rest = &specifier[1..];
    }
    sql.push_str(rest);
    Some(sql)
}

#[cfg(test)]
mod tests {
    use super::only_adds;

    #[test]
    fn a_creation_with_quoted_names_only_adds() {
        assert!(only_adds("format('CREATE TABLE IF NOT EXISTS public.%I PARTITION OF t FOR VALUES FROM (%L) TO (%2$L)', a, b)"));
        assert!(only_adds("'CREATE SCHEMA ' || quote_ident(name) || ';'"));
        assert!(only_adds("$$CREATE INDEX ON t (a)$$"));
    }

    #[test]
    fn what_can_be_anything_is_not_known_to_add() {
        assert!(!only_adds("format('CREATE TABLE %s (id int)', name)"));
        assert!(!only_adds("'CREATE TABLE ' || name"));
        assert!(!only_adds("format('DROP TABLE %I', name)"));
        assert!(!only_adds("format('CREATE TABLE %I (); DROP TABLE users', name)"));
        assert!(!only_adds("format('CREATE TABLE %I AS SELECT wipe()', name)"));
        assert!(!only_adds("command"));
    }
}
