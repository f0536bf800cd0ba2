//! String literals: what they say, and where each byte of it stands.

use crate::sql::lex::{self, Token, TokenKind};
use crate::sql::position::PositionMap;

/// A decoded literal, which may be several that continue each other over line breaks.
#[derive(Debug, PartialEq, Eq)]
pub struct Literal {
    pub value: String,
    pub origin: Origin,
}

/// Where the bytes of a value stand in the text of its literal.
#[derive(Debug, PartialEq, Eq)]
pub enum Origin {
    /// As they are, from this byte on.
    Straight(usize),
    /// One entry for each byte and one for the end.
    Each(Vec<usize>),
}

/// Decodes the literal that starts with token `first` of `text`; `None` where it is no character string.
pub fn decode(text: &str, first: Token) -> Option<Literal> {
    let source = first.text(text);
    match first.kind {
        TokenKind::DollarStr => {
            let tag = source[1..].find('$')? + 2;
            let value = source.get(tag..source.len().checked_sub(tag)?)?;
            Some(Literal { value: value.into(), origin: Origin::Straight(first.span.start + tag) })
        }
        TokenKind::Str => quoted(text, first),
        _ => None,
    }
}

fn quoted(text: &str, first: Token) -> Option<Literal> {
    let source = first.text(text);
    let quote = source.find('\'')?;
    let kind = match source[..quote].to_ascii_lowercase().as_str() {
        "" | "n" => Kind::Plain,
        "e" => Kind::Escaped,
        "u&" => Kind::Unicode,
        _ => return None,
    };
    let mut decoder = Decoder { text, value: String::new(), origins: Vec::new(), straight: true };
    decoder.segment(first.span.start + quote + 1, first.span.end.saturating_sub(1), kind)?;
    let mut end = first.span.end;
    for token in continuation(text, first) {
        decoder.straight = false;
        decoder.segment(token.span.start + 1, token.span.end.saturating_sub(1), kind)?;
        end = token.span.end;
    }
    decoder.origins.push(end.saturating_sub(1));
    let origin = if decoder.straight { Origin::Straight(first.span.start + quote + 1) } else { Origin::Each(decoder.origins) };
    Some(Literal { value: decoder.value, origin })
}

/// The literals that continue `first`: behind blanks with a line break in them.
pub fn continuation(text: &str, first: Token) -> Vec<Token> {
    let mut found = Vec::new();
    let mut broken = false;
    // From the first token on, so that the lexer knows whether escapes go on.
    for token in lex::tokens_from(text, first.span.start).skip(1) {
        match token.kind {
            TokenKind::Whitespace => broken |= token.text(text).contains(['\n', '\r']),
            TokenKind::LineComment => {}
            TokenKind::Str if broken && token.text(text).starts_with('\'') => {
                broken = false;
                found.push(token);
            }
            _ => break,
        }
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Escaped,
    Unicode,
}

struct Decoder<'a> {
    text: &'a str,
    value: String,
    origins: Vec<usize>,
    /// No escape so far.
    straight: bool,
}

impl Decoder<'_> {
    /// Decodes `start..end`, what stands between the quotes. `None` for an escape that the server refuses.
    fn segment(&mut self, start: usize, end: usize, kind: Kind) -> Option<()> {
        let mut at = start;
        while at < end {
            let rest = self.text.get(at..end)?;
            let c = rest.chars().next()?;
            at += match (c, kind) {
                ('\'', _) => self.escaped('\'', at, 2),
                ('\\', Kind::Escaped) => self.backslash(rest, at)?,
                ('\\', Kind::Unicode) => self.code_point(rest, at)?,
                _ => {
                    self.origins.extend(at..at + c.len_utf8());
                    self.value.push(c);
                    c.len_utf8()
                }
            };
        }
        Some(())
    }

    /// A character that `length` bytes stand for.
    fn escaped(&mut self, c: char, at: usize, length: usize) -> usize {
        self.straight = false;
        self.origins.extend(std::iter::repeat_n(at, c.len_utf8()));
        self.value.push(c);
        length
    }

    /// An escape of `E'…'`; how long it is.
    fn backslash(&mut self, rest: &str, at: usize) -> Option<usize> {
        let digits = |from: usize, most: usize, radix: u32| {
            let run = rest[from..].bytes().take(most).take_while(|c| char::from(*c).is_digit(radix)).count();
            Some((u32::from_str_radix(&rest[from..from + run], radix).ok()?, from + run))
        };
        let c = rest[1..].chars().next()?;
        let (code, length) = match c {
            'b' => (8, 2),
            'f' => (12, 2),
            'n' => (10, 2),
            'r' => (13, 2),
            't' => (9, 2),
            'v' => (11, 2),
            'x' => digits(2, 2, 16).unwrap_or((u32::from('x'), 2)),
            'u' => digits(2, 4, 16)?,
            'U' => digits(2, 8, 16)?,
            '0'..='7' => digits(1, 3, 8)?,
            other => (u32::from(other), 1 + other.len_utf8()),
        };
        // Bytes that make up a character only together: such a literal has a place, and no places of its bytes.
        let is_part = matches!(c, 'x' | '0'..='7') && code > 0x7f;
        (!is_part).then_some(())?;
        Some(self.escaped(char::from_u32(code)?, at, length))
    }

    /// `\0061`, `\+000061` or `\\` of `U&'…'`, with the usual escape character; how long it is.
    fn code_point(&mut self, rest: &str, at: usize) -> Option<usize> {
        let (from, to) = match rest.as_bytes().get(1)? {
            b'\\' => return Some(self.escaped('\\', at, 2)),
            b'+' => (2, 8),
            _ => (1, 5),
        };
        let code = u32::from_str_radix(rest.get(from..to)?, 16).ok()?;
        Some(self.escaped(char::from_u32(code)?, at, to))
    }
}

/// Where the value `source` stands in the file: the literal in `text[start..end]` that says it, the one after AS or DO first.
/// Where there is none every byte stands at `start`.
pub fn find(source: &str, text: &str, start: usize, end: usize, positions: &PositionMap) -> PositionMap {
    let text = text.get(..end).unwrap_or(text);
    let mut second_choice = None;
    let mut after_keyword = false;
    for token in lex::tokens_from(text, start).filter(|token| !token.is_blank()) {
        if matches!(token.kind, TokenKind::Str | TokenKind::DollarStr)
            && let Some(literal) = decode(text, token)
            && literal.value == source
        {
            if after_keyword {
                return place(literal.origin, source.len(), positions);
            }
            second_choice.get_or_insert(literal.origin);
        }
        after_keyword = token.kind == TokenKind::Word && lex::is_word(token.text(text), &["as", "do"]);
    }
    match second_choice {
        Some(origin) => place(origin, source.len(), positions),
        None => PositionMap::Table(vec![positions.at(start)]),
    }
}

/// The map of a value of `length` bytes from its origin in a text that `positions` places.
pub fn place(origin: Origin, length: usize, positions: &PositionMap) -> PositionMap {
    match origin {
        Origin::Straight(start) => positions.part(start, start + length),
        Origin::Each(origins) => positions.decoded(origins.into_iter()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::body::embedded::select;
    use crate::sql::ffi::Mode;
    use pg_query::protobuf::{a_const::Val, node::Node};

    fn value(text: &str) -> Option<String> {
        decode(text, lex::tokens(text).next()?).map(|literal| literal.value)
    }

    /// What the server makes of it.
    fn server(text: &str) -> String {
        let expression = select(text, Mode::Expression).expect("parses");
        match expression.value().and_then(|node| node.node.as_ref()) {
            Some(Node::AConst(constant)) => match &constant.val {
                Some(Val::Sval(text)) => text.sval.clone(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_are_the_servers() {
        for text in [
            "'a''b'",
            "''",
            "'a\\n'",
            "E'a\\n\\t\\\\\\'\\x41\\101\\u00e4\\U0001F600\\q'",
            "e''''",
            "U&'d\\0061t\\+000061\\\\'",
            "$$a'b\\$$",
            "$x$ $$ $x$",
            "'a' \n 'b''' -- c\n\n 'd'",
            "E'a'\n'\\'b'",
            "'äö😀'",
        ] {
            assert_eq!(value(text), Some(server(text)), "{text}");
        }
    }

    #[test]
    fn what_is_no_character_string_has_no_value() {
        for text in ["B'1'", "X'1f'", "\"a\"", "a", "1"] {
            assert_eq!(value(text), None, "{text}");
        }
    }

    #[test]
    fn each_byte_of_a_body_knows_its_place() {
        let text = "CREATE FUNCTION f(a text DEFAULT 'x') AS E'se\\tle''ct' LANGUAGE x";
        let map = find("se\tle'ct", text, 0, text.len(), &PositionMap::Linear(100));
        let place = |at: usize| &text[map.at(at) - 100..map.at(at) - 99];
        assert_eq!([place(0), place(2), place(3), place(5), place(6), place(8)], ["s", "\\", "l", "'", "c", "'"]);
        let PositionMap::Table(table) = &map else { panic!("a table") };
        assert_eq!(table.len(), "se\tle'ct".len() + 1);
    }

    #[test]
    fn dollar_quotes_stay_linear_and_the_literal_after_as_wins() {
        let text = "CREATE FUNCTION f(a text DEFAULT 'b') AS $_$b$_$";
        assert_eq!(find("b", text, 0, text.len(), &PositionMap::Linear(7)), PositionMap::Linear(7 + 44));
        assert_eq!(find("c", text, 0, text.len(), &PositionMap::Linear(7)).at(5), 7);
    }
}
