//! The tokens of a plpgsql body, and a place among them.

use crate::op::Span;
use crate::sql::lex::{self, Token, TokenKind, is_word};
use crate::sql::split;

/// Tokens that are not blank, and the next one to read. Reading past the end gives nothing and never fails.
pub struct Cursor<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    pub at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Self {
        Cursor { text, tokens: lex::tokens(text).filter(|token| !token.is_blank()).collect(), at: 0 }
    }

    pub fn get(&self, index: usize) -> Option<Token> {
        self.tokens.get(index).copied()
    }

    pub fn kind(&self, index: usize) -> Option<TokenKind> {
        self.get(index).map(|token| token.kind)
    }

    pub fn text(&self, index: usize) -> &'a str {
        self.get(index).map_or("", |token| token.text(self.text))
    }

    /// The number of tokens.
    pub fn end(&self) -> usize {
        self.tokens.len()
    }

    pub fn is_at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// Whether the token is one of these unquoted words.
    pub fn is(&self, index: usize, words: &[&str]) -> bool {
        self.kind(index) == Some(TokenKind::Word) && is_word(self.text(index), words)
    }

    pub fn is_kind(&self, index: usize, kind: TokenKind) -> bool {
        self.kind(index) == Some(kind)
    }

    pub fn is_operator(&self, index: usize, operators: &[&str]) -> bool {
        self.kind(index) == Some(TokenKind::Operator) && operators.contains(&self.text(index))
    }

    /// Goes over the next token if it is this word.
    pub fn take(&mut self, word: &str) -> bool {
        let is_it = self.is(self.at, &[word]);
        self.at += usize::from(is_it);
        is_it
    }

    pub fn take_kind(&mut self, kind: TokenKind) -> bool {
        let is_it = self.is_kind(self.at, kind);
        self.at += usize::from(is_it);
        is_it
    }

    /// Where the token at `index` starts; the end of the text behind the last.
    pub fn start(&self, index: usize) -> usize {
        self.get(index).map_or(self.text.len(), |token| token.span.start)
    }

    /// From the first byte of token `from` to the last of the token before `to`.
    pub fn span(&self, from: usize, to: usize) -> Span {
        let start = self.start(from);
        let end = to.checked_sub(1).filter(|last| *last >= from).and_then(|last| self.get(last));
        Span { start, end: end.map_or(start, |token| token.span.end) }
    }

    /// The folded name at `index`, where there is one.
    pub fn name(&self, index: usize) -> Option<String> {
        match self.kind(index)? {
            TokenKind::Word => Some(self.text(index).to_ascii_lowercase()),
            TokenKind::QuotedIdent => {
                let inside = self.text(index).strip_prefix('"')?.strip_suffix('"')?;
                Some(inside.replace("\"\"", "\""))
            }
            TokenKind::Param => Some(self.text(index).into()),
            _ => None,
        }
    }

    /// The first token from `from` on, outside of parentheses, for which `stops` holds; never past a `;` there, or the end.
    pub fn find(&self, from: usize, stops: impl Fn(&Self, usize) -> bool) -> usize {
        let mut depth = 0usize;
        let mut index = from;
        while let Some(token) = self.get(index) {
            match token.kind {
                // One parenthesis too few must not cost the rest of the body.
                TokenKind::Semicolon => return index,
                _ if depth == 0 && stops(self, index) => return index,
                TokenKind::Open => depth += 1,
                TokenKind::Close => depth = depth.saturating_sub(1),
                _ => {}
            }
            index += 1;
        }
        index
    }

    /// The `;` that ends the statement at `from`, or the end. `BEGIN ATOMIC` bodies and CREATE RULE hold theirs.
    pub fn semicolon(&self, from: usize) -> usize {
        let mut head = split::Head::default();
        let mut index = from;
        while let Some(token) = self.get(index) {
            if token.kind == TokenKind::Semicolon && !head.holds_semicolon() {
                break;
            }
            head.step(token, self.text);
            index += 1;
        }
        index
    }

    /// If an assignment starts at `from`: where its `:=` or `=` is.
    pub fn assignment(&self, from: usize) -> Option<usize> {
        self.name(from)?;
        let mut index = from + 1;
        loop {
            match self.kind(index)? {
                TokenKind::Dot => index += 2,
                TokenKind::Open if self.text(index) == "[" => {
                    index = self.find(index + 1, |cursor, i| cursor.text(i) == "]") + 1;
                }
                TokenKind::Operator if self.is_operator(index, &[":=", "="]) => return Some(index),
                _ => return None,
            }
        }
    }

    /// The token behind the `INTO [STRICT] a, b.c` that starts at `into`.
    pub fn end_of_targets(&self, into: usize) -> usize {
        let mut at = into + 1;
        at += usize::from(self.is(at, &["strict"]));
        loop {
            at += 1;
            while self.is_kind(at, TokenKind::Dot) {
                at += 2;
            }
            if !self.is_kind(at, TokenKind::Comma) {
                return at.min(self.end());
            }
            at += 1;
        }
    }

    /// Whether a statement can start at `index`.
    fn is_boundary(&self, index: usize) -> bool {
        let Some(before) = index.checked_sub(1) else { return true };
        self.is_kind(before, TokenKind::Semicolon)
            || self.is(before, &["then", "else", "loop", "begin", "declare"])
            || self.is_operator(before, &[">>"])
    }

    /// Names that something in `from..to` may give a value: a superset.
    pub fn assigned(&self, from: usize, to: usize) -> Vec<String> {
        let mut names = Vec::new();
        for index in from..to.min(self.end()) {
            if self.is_operator(index + 1, &[":="]) || (self.is_boundary(index) && self.assignment(index).is_some()) {
                names.extend(self.name(index));
            }
            let listed = if self.is(index, &["into"]) {
                let is_target = index > 0 && self.is(index - 1, &["insert", "merge"]);
                if is_target { index } else { self.end_of_targets(index) }
            } else if self.is(index, &["diagnostics", "call"]) {
                self.semicolon(index)
            } else if self.is(index, &["for", "foreach"]) {
                self.find(index, |cursor, i| cursor.is(i, &["in"]))
            } else {
                continue;
            };
            names.extend((index..listed.min(to)).filter_map(|i| self.name(i)));
        }
        names
    }

    /// The END of the loop whose LOOP stands before `from`, or the end.
    pub fn end_of_loop(&self, from: usize) -> usize {
        let mut depth = 0usize;
        for index in from..self.end() {
            if self.is(index, &["loop"]) {
                if !self.is(index.saturating_sub(1), &["end"]) {
                    depth += 1;
                } else if depth == 0 {
                    return index - 1;
                } else {
                    depth -= 1;
                }
            }
        }
        self.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_told_from_statements() {
        let is_assignment = |text| Cursor::new(text).assignment(0).is_some();
        for text in ["a := 1", "a = 1", "a.b.c := 1", "a[1][f(2)] := 3", "\"A\" := 1", "a.b[1].c = 2", "$1 := 2"] {
            assert!(is_assignment(text), "{text}");
        }
        for text in ["UPDATE t SET a = 1", "f(a => 1)", "SELECT 1", "a", "a.b", "a[", "a["] {
            assert!(!is_assignment(text), "{text}");
        }
    }

    #[test]
    fn every_assigned_name_is_known() {
        let text = "a := 1; IF x THEN b = 2; END IF; SELECT 1 INTO STRICT c, d FROM t; FOR e IN 1..2 LOOP GET DIAGNOSTICS f = ROW_COUNT; END LOOP; CALL p(g);";
        let cursor = Cursor::new(text);
        let names = cursor.assigned(0, cursor.end());
        for name in ["a", "b", "c", "d", "e", "f", "g"] {
            assert!(names.iter().any(|n| n == name), "{name} in {names:?}");
        }
        assert!(!names.iter().any(|n| n == "x"));
    }

    #[test]
    fn the_end_of_a_loop_is_its_own() {
        let cursor = Cursor::new("WHILE a LOOP b; END LOOP; c; END LOOP; d;");
        assert_eq!(cursor.span(cursor.end_of_loop(0), cursor.end_of_loop(0) + 1).start, 29);
    }
}
