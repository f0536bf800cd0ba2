//! The form of plpgsql's own clauses. Each check gives the token at which something is wrong, as far as it is cheap to see; the
//! compiler then has the last word.

use crate::sql::body::cursor::Cursor;
use crate::sql::lex::{TokenKind, is_word};

/// Words that name nothing unless quoted. (`pl_reserved_kwlist.h`)
const RESERVED: &[&str] = &[
    "all", "begin", "by", "case", "declare", "else", "end", "execute", "for", "foreach", "from", "if", "in", "into", "loop",
    "not", "null", "or", "strict", "then", "to", "using", "when", "while",
];

impl Cursor<'_> {
    /// Whether the token can name a variable, a cursor or a label.
    pub fn is_free_name(&self, index: usize) -> bool {
        match self.kind(index) {
            Some(TokenKind::Word) => !is_word(self.text(index), RESERVED),
            Some(TokenKind::QuotedIdent | TokenKind::Param) => true,
            _ => false,
        }
    }

    /// `a.b, c` in `from..to`: where it is not that.
    pub fn misplaced_in_targets(&self, from: usize, to: usize) -> Option<usize> {
        (from..to.max(from + 1)).find(|&i| match (i - from) % 2 {
            0 => {
                i >= to || !(self.is_free_name(i) || (i > from && self.is_kind(i - 1, TokenKind::Dot) && self.name(i).is_some()))
            }
            _ => !self.is_kind(i, TokenKind::Comma) && !self.is_kind(i, TokenKind::Dot) || i + 1 >= to,
        })
    }

    /// `name OR SQLSTATE 'x'` in `from..to`: where it is not that.
    pub fn misplaced_in_conditions(&self, from: usize, to: usize) -> Option<usize> {
        let mut at = from;
        loop {
            if self.is(at, &["sqlstate"]) {
                at += 1;
                if at >= to || !self.is_kind(at, TokenKind::Str) {
                    return Some(at);
                }
            } else if at >= to || !self.is_free_name(at) {
                return Some(at);
            }
            at += 1;
            if at == to {
                return None;
            }
            if !self.is(at, &["or"]) {
                return Some(at);
            }
            at += 1;
        }
    }

    /// `FETCH | MOVE [direction [FROM | IN]] cursor [INTO …]`, `CLOSE cursor` in `from..to`: where it is not that.
    pub fn misplaced_in_cursor_use(&self, from: usize, to: usize) -> Option<usize> {
        let into = (from..to).find(|&i| self.is(i, &["into"]));
        let end = into.unwrap_or(to);
        let known = |i: usize| {
            self.is_free_name(i)
                || self.is(i, &["all", "from", "in"])
                || self.is_kind(i, TokenKind::Number)
                || self.is_operator(i, &["-", "+"])
        };
        match into {
            _ if end <= from + 1 => Some(from + 1),
            _ if !self.is_free_name(end - 1) => Some(end - 1),
            _ if self.is(from, &["close"]) && end > from + 2 => Some(from + 2),
            Some(into) => (from + 1..end).find(|&i| !known(i)).or_else(|| self.misplaced_in_targets(into + 1, to)),
            None => (from + 1..end).find(|&i| !known(i)),
        }
    }

    /// `COMMIT [AND [NO] CHAIN]` in `from..to`: where it is not that.
    pub fn misplaced_in_transaction(&self, from: usize, to: usize) -> Option<usize> {
        if from + 1 == to {
            return None;
        }
        let chain = from + 2 + usize::from(self.is(from + 2, &["no"]));
        let is_right = self.is(from + 1, &["and"]) && self.is(chain, &["chain"]) && chain + 1 == to;
        (!is_right).then_some(from + 1)
    }

    /// `GET [CURRENT | STACKED] DIAGNOSTICS a = ITEM, …` in `from..to`: where it is not that.
    pub fn misplaced_in_diagnostics(&self, from: usize, to: usize) -> Option<usize> {
        let mut at = from + 1 + usize::from(self.is(from + 1, &["current", "stacked"]));
        if !self.is(at, &["diagnostics"]) {
            return Some(at);
        }
        loop {
            at += 1;
            let Some(operator) = self.assignment(at).filter(|operator| *operator < to && self.is_free_name(at)) else {
                return Some(at);
            };
            at = operator + 1;
            if at >= to || !self.is_kind(at, TokenKind::Word) {
                return Some(at);
            }
            at += 1;
            if at == to {
                return None;
            }
            if !self.is_kind(at, TokenKind::Comma) {
                return Some(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Check = fn(&Cursor<'_>, usize, usize) -> Option<usize>;

    fn misplaced(check: Check, text: &str) -> Option<usize> {
        let cursor = Cursor::new(text);
        check(&cursor, 0, cursor.end())
    }

    #[test]
    fn the_first_misplaced_token_is_found() {
        let cases: &[(Check, &str, Option<usize>)] = &[
            (|c, a, b| c.misplaced_in_targets(a, b), "a, b.c, \"for\", $1", None),
            (|c, a, b| c.misplaced_in_targets(a, b), "a, for", Some(2)),
            (|c, a, b| c.misplaced_in_targets(a, b), "a b", Some(1)),
            (|c, a, b| c.misplaced_in_targets(a, b), "a,", Some(1)),
            (|c, a, b| c.misplaced_in_targets(a, b), "", Some(0)),
            (|c, a, b| c.misplaced_in_conditions(a, b), "others OR SQLSTATE '42P07'", None),
            (|c, a, b| c.misplaced_in_conditions(a, b), "others OR", Some(2)),
            (|c, a, b| c.misplaced_in_conditions(a, b), "SQLSTATE x", Some(1)),
            (|c, a, b| c.misplaced_in_cursor_use(a, b), "FETCH RELATIVE -2 FROM c INTO a, b", None),
            (|c, a, b| c.misplaced_in_cursor_use(a, b), "MOVE ALL IN c", None),
            (|c, a, b| c.misplaced_in_cursor_use(a, b), "FETCH c <> INTO a", Some(2)),
            (|c, a, b| c.misplaced_in_cursor_use(a, b), "CLOSE", Some(1)),
            (|c, a, b| c.misplaced_in_transaction(a, b), "COMMIT AND NO CHAIN", None),
            (|c, a, b| c.misplaced_in_transaction(a, b), "COMMIT WORK", Some(1)),
            (|c, a, b| c.misplaced_in_diagnostics(a, b), "GET STACKED DIAGNOSTICS a = ROW_COUNT, b.c := PG_CONTEXT", None),
            (|c, a, b| c.misplaced_in_diagnostics(a, b), "GET DIAGNOSTICS a ROW_COUNT", Some(2)),
        ];
        for (check, text, expected) in cases {
            assert_eq!(misplaced(*check, text), *expected, "{text}");
        }
    }
}
