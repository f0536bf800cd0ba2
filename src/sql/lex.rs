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
    Lexer { text, at: from, continues_escaped: false }
}

/// Tokens of the whole of `text`.
pub fn tokens(text: &str) -> Lexer<'_> {
    tokens_from(text, 0)
}

pub struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// After `E'…'` and blanks, a bare `'…'` continues the string and has backslash escapes too.
    continues_escaped: bool,
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let first = *bytes.get(start)?;
        let (kind, end) = match first {
            b'\'' if self.continues_escaped => (TokenKind::Str, quoted(bytes, start + 1, b'\'', true)),
            _ => scan(bytes, start, first),
        };
        match kind {
            TokenKind::Whitespace | TokenKind::LineComment => {}
            TokenKind::Str => self.continues_escaped |= matches!(first, b'E' | b'e'),
            _ => self.continues_escaped = false,
        }
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
    b[at.min(b.len())..].iter().position(|&c| !keep(c)).map_or(b.len(), |n| at + n)
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

/// An operator ends before a comment starts: `a+--b` is `+`, then a comment. One of several characters does not end in `+`
/// or `-` unless it holds a character that no SQL operator of the standard has: `a=-1` is `=`, then `-`.
fn operator(b: &[u8], at: usize) -> usize {
    let end = run(b, at, is_operator);
    let mut end = (at + 1..end).find(|&i| matches!(&b[i..(i + 2).min(b.len())], b"--" | b"/*")).unwrap_or(end);
    if !b[at..end].iter().any(|c| b"~!@#%^&|`?".contains(c)) {
        while end > at + 1 && matches!(b[end - 1], b'+' | b'-') {
            end -= 1;
        }
    }
    end
}

/// True for a string, quoted identifier, dollar quote or block comment that the end of the text cut off.
pub fn is_unterminated(token: Token, text: &str) -> bool {
    if token.span.end != text.len() {
        return false;
    }
    let source = token.text(text);
    match token.kind {
        TokenKind::Str | TokenKind::QuotedIdent => {
            let quote = if token.kind == TokenKind::Str { '\'' } else { '"' };
            let Some(open) = source.find(quote) else { return true };
            let escapes = source.starts_with(['E', 'e']);
            !source[open + 1..].ends_with(quote) || quoted_is_open(&source.as_bytes()[open + 1..], quote as u8, escapes)
        }
        TokenKind::DollarStr => {
            let tag = source[1..].find('$').map_or(source.len(), |n| n + 2);
            source.len() < 2 * tag || !source.ends_with(&source[..tag])
        }
        TokenKind::BlockComment => block_comment_is_open(source.as_bytes()),
        TokenKind::Whitespace
        | TokenKind::LineComment
        | TokenKind::Word
        | TokenKind::Number
        | TokenKind::Param
        | TokenKind::Semicolon
        | TokenKind::Open
        | TokenKind::Close
        | TokenKind::Comma
        | TokenKind::Dot
        | TokenKind::Backslash
        | TokenKind::Operator
        | TokenKind::Colon
        | TokenKind::Other => false,
    }
}

/// A byte more shows whether the end of the body is the closing quote: an open one would take it in.
fn quoted_is_open(body: &[u8], quote: u8, escapes: bool) -> bool {
    let mut padded = body.to_vec();
    padded.push(b' ');
    quoted(&padded, 0, quote, escapes) == padded.len()
}

fn block_comment_is_open(source: &[u8]) -> bool {
    let mut padded = source.to_vec();
    padded.push(b' ');
    block_comment(&padded, 0) == padded.len()
}

/// SQL text without what makes no difference: comments dropped, unquoted words in lower case, tokens joined by one blank.
pub fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for token in tokens(text).filter(|token| !token.is_blank()) {
        if !out.is_empty() {
            out.push(' ');
        }
        match token.kind {
            TokenKind::Word => out.extend(token.text(text).chars().map(|c| c.to_ascii_lowercase())),
            _ => out.push_str(token.text(text)),
        }
    }
    out
}

/// The span from the first token to the end of the last one in `text[start..end]`; `None` where there is none.
pub fn trimmed(text: &str, start: usize, end: usize) -> Option<Span> {
    let text = &text[..end];
    let first = tokens_from(text, start).find(|token| !token.is_blank())?.span.start;
    let body = &text.as_bytes()[first..];
    let mut last = first + body.iter().rposition(|&c| !is_space(c)).map_or(0, |n| n + 1);
    // Only a comment can hide the end; most statements hold none, and are not lexed a second time.
    if memchr::memmem::find(body, b"--").is_some() || memchr::memmem::find(body, b"/*").is_some() {
        last = tokens_from(text, first).filter(|token| !token.is_blank()).last()?.span.end;
    }
    Some(Span { start: first, end: last })
}

/// Whether `word` is one of `names`, which are in lower case.
pub fn is_word(word: &str, names: &[&str]) -> bool {
    names.iter().any(|name| word.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        tokens(text).filter(|token| !token.is_blank()).map(|token| token.text(text)).collect()
    }

    #[test]
    fn tokens_cover_the_text_without_gaps() {
        let text = "SELECT E'a\\'b', $x$ $ $x$, U&\"d\" /* /* */ ; */ -- end\r\nFROM \"a\"\"b\" 'ä";
        let mut at = 0;
        for token in tokens(text) {
            assert_eq!(token.span.start, at);
            at = token.span.end;
        }
        assert_eq!(at, text.len());
    }

    #[test]
    fn an_operator_does_not_swallow_a_sign() {
        assert_eq!(texts("a=-1"), ["a", "=", "-", "1"]);
        assert_eq!(texts("a @- b"), ["a", "@-", "b"]);
        assert_eq!(texts("a+--b"), ["a", "+"]);
        assert_eq!(texts("a:=b::c 1..3"), ["a", ":=", "b", "::", "c", "1", "..", "3"]);
    }

    #[test]
    fn an_escape_string_goes_on_over_a_line_break_with_its_escapes() {
        assert_eq!(texts("E'a'\n'b\\'c' d"), ["E'a'", "'b\\'c'", "d"]);
        assert_eq!(texts("'a'\n'b\\' c"), ["'a'", "'b\\'", "c"]);
    }

    #[test]
    fn nested_comments_and_dollar_quotes_hide_semicolons() {
        assert_eq!(texts("/* a /* ; */ ; */ $a$ ; $$ ; $a$ ; $1"), ["$a$ ; $$ ; $a$", ";", "$1"]);
    }

    #[test]
    fn what_the_end_cuts_off_is_known() {
        let last = |text| {
            let token = tokens(text).last().expect("a token");
            is_unterminated(token, text)
        };
        for open in ["'a", "'", "'a''", "E'a\\'", "\"a", "\"", "$$ a", "$$", "$a$ $b$", "/* a", "/* /* */", "U&'x"] {
            assert!(last(open), "{open}");
        }
        for closed in ["'a'", "''", "'a'''", "E'a\\\\'", "\"a\"", "$$$$", "$a$ $a$", "/* /* */ */", "/**/", "U&'x'"] {
            assert!(!last(closed), "{closed}");
        }
    }

    #[test]
    fn normalised_text_has_no_comments_and_no_case_outside_of_quotes() {
        assert_eq!(normalise("SELECT  \"A\",\n 'B' -- c\n/* d */FROM T"), "select \"A\" , 'B' from t");
    }

    #[test]
    fn a_statement_is_trimmed_of_blanks_and_comments_at_both_ends() {
        let text = "-- a\n/* b */ SELECT '--' \n-- c\n  ";
        assert_eq!(trimmed(text, 0, text.len()).map(|s| &text[s.start..s.end]), Some("SELECT '--'"));
        assert_eq!(trimmed(" SELECT 1 \n", 0, 11), Some(Span { start: 1, end: 9 }));
        assert_eq!(trimmed(" -- a", 0, 5), None);
    }
}
