//! A lexer for PostgreSQL's surface syntax: finds where strings, comments, identifiers and statements begin and end, by the
//! rules of the server's `scan.l`, in constant memory and without ever failing.
//!
//! It is used where libpg_query's own scanner cannot be: to find comments and tags, psql meta-commands and COPY data before
//! parsing, statement ends in text that does not parse, plpgsql bodies, and rows of huge INSERTs.

use crate::op::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Whitespace,
    LineComment,
    /// Nested comments are one token. Unterminated ones end with the text.
    BlockComment,
    /// Unquoted identifier or keyword.
    Word,
    /// `"…"` and `U&"…"`, quotes included.
    QuotedIdent,
    /// `'…'`, `E'…'`, `B'…'`, `X'…'`, `N'…'`, `U&'…'`, prefix and quotes included.
    Str,
    /// `$$…$$`, `$tag$…$tag$`, tags included.
    DollarStr,
    Number,
    /// `$1`.
    Param,
    Semicolon,
    Open,
    Close,
    Comma,
    Dot,
    /// A backslash outside of strings: begins a psql meta-command.
    Backslash,
    /// `:=`, `::`, `=>`, `..` and runs of operator characters.
    Operator,
    /// A lone `:`.
    Colon,
    /// Anything else, one character.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

impl Token {
    pub fn text<'a>(&self, source: &'a str) -> &'a str {
        &source[self.span.start..self.span.end]
    }
    /// True for tokens that the parser never sees.
    pub fn is_blank(&self) -> bool {
        matches!(self.kind, TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment)
    }
}

/// Tokens of `text` from byte `from` on. Spans are offsets into `text` and cover it without gaps.
pub fn tokens_from(text: &str, from: usize) -> Lexer<'_> {
    Lexer { text, at: from }
}

/// Tokens of the whole of `text`.
pub fn tokens(text: &str) -> Lexer<'_> {
    tokens_from(text, 0)
}

pub struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let first = *bytes.get(start)?;
        let (kind, end) = scan(bytes, start, first);
        let mut end = end.min(bytes.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        self.at = end;
        Some(Token { kind, span: Span { start, end } })
    }
}

fn scan(b: &[u8], at: usize, first: u8) -> (TokenKind, usize) {
    let peek = |i: usize| b.get(at + i).copied().unwrap_or(0);
    match first {
        c if is_space(c) => (TokenKind::Whitespace, run(b, at, is_space)),
        b'-' if peek(1) == b'-' => (TokenKind::LineComment, run(b, at, |c| c != b'\n' && c != b'\r')),
        b'/' if peek(1) == b'*' => (TokenKind::BlockComment, block_comment(b, at)),
        b'\'' => (TokenKind::Str, quoted(b, at + 1, b'\'', false)),
        b'"' => (TokenKind::QuotedIdent, quoted(b, at + 1, b'"', false)),
        b'E' | b'e' if peek(1) == b'\'' => (TokenKind::Str, quoted(b, at + 2, b'\'', true)),
        b'B' | b'b' | b'X' | b'x' | b'N' | b'n' if peek(1) == b'\'' => (TokenKind::Str, quoted(b, at + 2, b'\'', false)),
        b'U' | b'u' if peek(1) == b'&' && peek(2) == b'\'' => (TokenKind::Str, quoted(b, at + 3, b'\'', false)),
        b'U' | b'u' if peek(1) == b'&' && peek(2) == b'"' => (TokenKind::QuotedIdent, quoted(b, at + 3, b'"', false)),
        b'$' => dollar(b, at),
        b'0'..=b'9' => (TokenKind::Number, number(b, at)),
        b'.' if peek(1).is_ascii_digit() => (TokenKind::Number, number(b, at)),
        b'.' if peek(1) == b'.' => (TokenKind::Operator, at + 2),
        b'.' => (TokenKind::Dot, at + 1),
        c if is_ident_start(c) => (TokenKind::Word, run(b, at, is_ident)),
        b';' => (TokenKind::Semicolon, at + 1),
        b'(' | b'[' => (TokenKind::Open, at + 1),
        b')' | b']' => (TokenKind::Close, at + 1),
        b',' => (TokenKind::Comma, at + 1),
        b'\\' => (TokenKind::Backslash, at + 1),
        b':' if matches!(peek(1), b':' | b'=') => (TokenKind::Operator, at + 2),
        b':' => (TokenKind::Colon, at + 1),
        c if is_operator(c) => (TokenKind::Operator, operator(b, at)),
        _ => (TokenKind::Other, at + 1),
    }
}

/// `scan.l`'s `space`: not the Unicode idea of one.
fn is_space(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn is_ident_start(c: u8) -> bool {
    c.is_ascii_alphabetic() || c == b'_' || c >= 0x80
}

fn is_ident(c: u8) -> bool {
    is_ident_start(c) || c.is_ascii_digit() || c == b'$'
}

fn is_operator(c: u8) -> bool {
    b"~!@#^&|`?+-*/%<>=".contains(&c)
}

fn run(b: &[u8], at: usize, keep: impl Fn(u8) -> bool) -> usize {
    b[at..].iter().position(|&c| !keep(c)).map_or(b.len(), |n| at + n)
}

fn block_comment(b: &[u8], at: usize) -> usize {
    let mut depth = 0usize;
    let mut i = at;
    while i < b.len() {
        match (b[i], b.get(i + 1)) {
            (b'/', Some(b'*')) => {
                depth += 1;
                i += 2;
            }
            (b'*', Some(b'/')) => {
                depth -= 1;
                i += 2;
                if depth == 0 {
                    return i;
                }
            }
            _ => i += 1,
        }
    }
    b.len()
}

/// The end of a quoted token whose body starts at `at`. A doubled quote is part of it; so is a backslashed one in `E''`.
fn quoted(b: &[u8], at: usize, quote: u8, backslash: bool) -> usize {
    let mut i = at;
    while i < b.len() {
        if backslash && b[i] == b'\\' {
            i += 2;
        } else if b[i] == quote {
            if b.get(i + 1) == Some(&quote) {
                i += 2;
            } else {
                return i + 1;
            }
        } else {
            i += 1;
        }
    }
    b.len()
}

fn dollar(b: &[u8], at: usize) -> (TokenKind, usize) {
    if b.get(at + 1).is_some_and(u8::is_ascii_digit) {
        return (TokenKind::Param, run(b, at + 1, |c| c.is_ascii_digit()));
    }
    let mut end = at + 1;
    if b.get(end).copied().is_some_and(is_ident_start) {
        end = run(b, end, |c| is_ident(c) && c != b'$');
    }
    if b.get(end) != Some(&b'$') {
        return (TokenKind::Other, at + 1);
    }
    let tag = &b[at..=end];
    let mut from = end + 1;
    while let Some(n) = b.get(from..).and_then(|rest| rest.iter().position(|&c| c == b'$')) {
        let close = from + n;
        if b[close..].starts_with(tag) {
            return (TokenKind::DollarStr, close + tag.len());
        }
        from = close + 1;
    }
    (TokenKind::DollarStr, b.len())
}

fn number(b: &[u8], at: usize) -> usize {
    let mut i = run(b, at, |c| c.is_ascii_alphanumeric() || c == b'_');
    // `1..10` of a plpgsql FOR loop is two numbers.
    if b.get(i) == Some(&b'.') && b.get(i + 1) != Some(&b'.') {
        i = run(b, i + 1, |c| c.is_ascii_alphanumeric() || c == b'_');
    }
    if matches!(b.get(i), Some(b'+' | b'-'))
        && matches!(b[i - 1], b'e' | b'E')
        && b[at].is_ascii_digit()
        && !b[at..i].starts_with(b"0x")
    {
        i = run(b, i + 1, |c| c.is_ascii_digit());
    }
    i
}

/// An operator ends before a comment starts: `a+--b` is `+`, then a comment.
fn operator(b: &[u8], at: usize) -> usize {
    let end = run(b, at, is_operator);
    (at + 1..end).find(|&i| matches!(&b[i..(i + 2).min(b.len())], b"--" | b"/*")).unwrap_or(end)
}
