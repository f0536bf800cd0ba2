//! Takes out of a text what is no SQL, and keeps every offset: psql meta-commands, psql variables, COPY data and placeholders
//! are replaced by blanks, or by an identifier of the same length in bytes. Each is reported.
//!
//! What the runner itself rewrites ([`Rewriting`]) is as it sends it.
//!
//! A placeholder has one stand-in wherever it is written (`${Schema}.t`, `"${Schema}"`, inside a body), so that it is one name.

use crate::op::Span;
use crate::source::Rewriting;
use crate::sql::lex::{self, Token, TokenKind, is_word};
use crate::sql::psql::{Ending, Quoting};
use crate::sql::{OddityKind, placeholder, psql};
use std::borrow::Cow;

/// How far a placeholder may reach over the end of the name that it starts in.
const LONGEST_OVERHANG: usize = 200;

/// A text of the same length as the one it was made from.
#[derive(Debug)]
pub struct Masked<'a> {
    pub text: Cow<'a, str>,
    /// What was found, in the order of the text; spans in it.
    pub found: Vec<(Span, OddityKind)>,
    /// The identifiers that stand for something unknown. Where a statement does not parse with them, it may without.
    pub stand_ins: Vec<Span>,
}

/// Masks `text`, which the runner sends as it is. Borrows it where there is nothing to mask.
pub fn mask(text: &str) -> Masked<'_> {
    mask_as(text, Rewriting::None)
}

/// Masks `text` of a runner that rewrites it so.
pub fn mask_as(text: &str, rewriting: Rewriting) -> Masked<'_> {
    match rewriting {
        Rewriting::DoubledSemicolons if text.contains(";;") => {
            // As long as before: the second semicolon of each pair is a blank.
            let sent = text.replace(";;", "; ");
            let Masked { text, found, stand_ins } = mask_text(&sent, rewriting);
            Masked { text: Cow::Owned(text.into_owned()), found, stand_ins }
        }
        Rewriting::None | Rewriting::DoubledSemicolons | Rewriting::ColonNames | Rewriting::UnknownStays => {
            mask_text(text, rewriting)
        }
    }
}

fn mask_text(text: &str, rewriting: Rewriting) -> Masked<'_> {
    let bytes = text.as_bytes();
    if !psql::is_possible(bytes) && !placeholder::is_possible(bytes) {
        return Masked { text: Cow::Borrowed(text), found: Vec::new(), stand_ins: Vec::new() };
    }
    let mut walk = Walk::of(text, rewriting);
    walk.run();
    let stand_ins = walk.edits.iter().filter(|(_, fill)| *fill == Fill::Identifier).map(|(span, _)| *span).collect();
    let text = if walk.edits.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(apply(text, &walk.edits)) };
    Masked { text, found: walk.found, stand_ins }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fill {
    /// Blanks; line ends stay.
    Blank,
    /// `;`, then blanks.
    Semicolon,
    /// A lower-case identifier: what is no letter or digit becomes `_`.
    Identifier,
    /// The first byte goes, the rest stays: `:'x'` is ` 'x'`.
    WithoutFirst,
}

fn apply(text: &str, edits: &[(Span, Fill)]) -> String {
    let mut out = String::with_capacity(text.len());
    for (span, fill) in edits {
        out.push_str(&text[out.len()..span.start]);
        let old = &text[span.start..span.end];
        match fill {
            Fill::Blank => blank(old, &mut out),
            Fill::Semicolon => {
                out.push(';');
                blank(&old[1..], &mut out);
            }
            Fill::Identifier => {
                out.extend(old.chars().map(|c| if c.is_alphanumeric() || !c.is_ascii() { c.to_ascii_lowercase() } else { '_' }));
            }
            Fill::WithoutFirst => {
                out.push(' ');
                out.push_str(&old[1..]);
            }
        }
    }
    out.push_str(&text[out.len()..]);
    out
}

/// Blanks in the place of every byte, but line ends stay.
pub fn blanked(old: &str) -> String {
    let mut out = String::with_capacity(old.len());
    blank(old, &mut out);
    out
}

fn blank(old: &str, out: &mut String) {
    out.extend(old.bytes().map(|c| if matches!(c, b'\n' | b'\r') { char::from(c) } else { ' ' }));
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Round,
    Square,
    /// The parentheses of JSON_OBJECT and its like, where `:` stands between key and value.
    Json,
}

struct Walk<'a> {
    text: &'a str,
    edits: Vec<(Span, Fill)>,
    found: Vec<(Span, OddityKind)>,
    rewriting: Rewriting,
    /// Where the open statement started.
    statement: Option<usize>,
    brackets: Vec<Bracket>,
    /// The last token that is not blank.
    before: Option<Token>,
}

impl<'a> Walk<'a> {
    fn of(text: &'a str, rewriting: Rewriting) -> Walk<'a> {
        Walk { text, edits: Vec::new(), found: Vec::new(), rewriting, statement: None, brackets: Vec::new(), before: None }
    }

    fn run(&mut self) {
        let mut at = 0;
        // Each stop is a place that the lexer cannot read; it starts anew behind it.
        while let Some(next) = self.run_from(at) {
            at = next;
        }
    }

    fn run_from(&mut self, from: usize) -> Option<usize> {
        for token in lex::tokens_from(self.text, from) {
            if token.is_blank() {
                continue;
            }
            if let Some(next) = self.token(token) {
                return Some(next);
            }
            if token.kind == TokenKind::Semicolon {
                self.statement = None;
                self.brackets.clear();
            } else {
                self.statement.get_or_insert(token.span.start);
            }
            self.before = Some(token);
        }
        None
    }

    /// Looks at one token; `Some` is where the lexer goes on instead of behind it.
    fn token(&mut self, token: Token) -> Option<usize> {
        match token.kind {
            TokenKind::QuotedIdent => return self.inside_name(token),
            TokenKind::Str => self.inside_string(token),
            TokenKind::DollarStr => self.inside_dollars(token),
            TokenKind::Other => return self.placeholder(token.span.start, token.span.start),
            // The lexer takes the `$` of `prefix_${name}` as part of the word.
            TokenKind::Word if token.text(self.text).ends_with('$') => {
                return self.placeholder(token.span.start, token.span.end - 1);
            }
            TokenKind::Backslash => return Some(self.meta_command(token.span.start)),
            TokenKind::Colon => return self.variable(token.span.start),
            TokenKind::Semicolon => {
                let start = self.statement.unwrap_or(token.span.start);
                if psql::copies_in(&self.text[start..token.span.start]) {
                    self.statement = None;
                    self.brackets.clear();
                    return Some(self.copy_data(token.span.end));
                }
            }
            TokenKind::Open => self.brackets.push(self.bracket(token)),
            TokenKind::Close => {
                self.brackets.pop();
            }
            TokenKind::Whitespace
            | TokenKind::LineComment
            | TokenKind::BlockComment
            | TokenKind::Word
            | TokenKind::Number
            | TokenKind::Param
            | TokenKind::Comma
            | TokenKind::Dot
            | TokenKind::Operator => {}
        }
        None
    }

    fn bracket(&self, token: Token) -> Bracket {
        let after = self.before.map_or("", |before| before.text(self.text));
        match token.text(self.text) {
            "[" => Bracket::Square,
            _ if is_word(after, &["json_object", "json_objectagg"]) => Bracket::Json,
            _ => Bracket::Round,
        }
    }

    fn report(&mut self, span: Span, kind: OddityKind) {
        self.found.push((span, kind));
    }

    /// In a string `{{ … }}` is as a rule the data of somebody else's template, and `${…}` is a placeholder all the same, unless the
    /// runner leaves what it does not know.
    fn inside_string(&mut self, token: Token) {
        if self.rewriting == Rewriting::UnknownStays {
            return;
        }
        let inside = token.text(self.text).as_bytes();
        let mut at = 0;
        while let Some((start, end)) = placeholder::find(inside, at) {
            if inside[start] == b'$' && !inside[start..end].iter().any(|c| b"'\\".contains(c)) {
                self.stand_in(token.span.start + start, token.span.start + end, OddityKind::Placeholder);
            }
            at = end;
        }
    }

    /// A placeholder in a quoted name may hold quotes of its own, `"{{ index .Options "Namespace" }}"`: `Some` is where the name
    /// then ends.
    fn inside_name(&mut self, token: Token) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut name_end = token.span.end;
        let mut at = token.span.start + 1;
        while let Some((start, end)) = placeholder::find(&bytes[..bytes.len().min(name_end + LONGEST_OVERHANG)], at) {
            if start >= name_end {
                break;
            }
            self.stand_in(start, end, OddityKind::Placeholder);
            if end >= name_end {
                name_end = memchr::memchr(b'"', &bytes[end..]).map_or(bytes.len(), |n| end + n + 1);
            }
            at = end;
        }
        (name_end != token.span.end).then(|| {
            self.statement.get_or_insert(token.span.start);
            self.before = Some(Token { kind: TokenKind::QuotedIdent, span: Span { start: token.span.start, end: name_end } });
            name_end
        })
    }

    fn inside_dollars(&mut self, token: Token) {
        let inside = token.text(self.text).as_bytes();
        let tag = inside[1..].iter().position(|&c| c == b'$').map_or(1, |n| n + 2);
        if self.rewriting == Rewriting::ColonNames {
            self.colons_inside(Span { start: token.span.start + tag, end: token.span.end.saturating_sub(tag) });
        }
        let mut at = tag;
        while let Some((start, end)) = placeholder::find(inside, at) {
            if end + tag <= inside.len() {
                self.stand_in(token.span.start + start, token.span.start + end, OddityKind::Placeholder);
            }
            at = end;
        }
    }

    /// Placeholders `:NAME` of a body. Slices, strings and casts are told apart as they are outside of it.
    fn colons_inside(&mut self, body: Span) {
        let Some(text) = self.text.get(body.start..body.end) else { return };
        let mut inner = Walk::of(text, self.rewriting);
        inner.statement = Some(0);
        for token in lex::tokens(text).filter(|token| !token.is_blank()) {
            match token.kind {
                TokenKind::Colon => {
                    inner.variable(token.span.start);
                }
                TokenKind::Open => inner.brackets.push(inner.bracket(token)),
                TokenKind::Close => {
                    inner.brackets.pop();
                }
                _ => {}
            }
            inner.before = Some(token);
        }
        for (span, kind) in inner.found.into_iter().filter(|(_, kind)| *kind == OddityKind::Placeholder) {
            self.stand_in(body.start + span.start, body.start + span.end, kind);
        }
    }

    fn stand_in(&mut self, start: usize, end: usize, kind: OddityKind) {
        let span = Span { start, end };
        self.edits.push((span, Fill::Identifier));
        self.report(span, kind);
    }

    /// A placeholder at `at`, in a word that starts at `word`.
    fn placeholder(&mut self, word: usize, at: usize) -> Option<usize> {
        let end = placeholder::end(self.text.as_bytes(), at)?;
        self.stand_in(at, end, OddityKind::Placeholder);
        self.statement.get_or_insert(word);
        self.before = Some(Token { kind: TokenKind::Word, span: Span { start: word, end } });
        Some(end)
    }

    fn meta_command(&mut self, at: usize) -> usize {
        let command = psql::meta_command(self.text, at);
        let span = Span { start: at, end: command.end };
        let ends = command.ending == Ending::Ends && self.statement.is_some();
        self.edits.push((span, if ends { Fill::Semicolon } else { Fill::Blank }));
        self.report(span, OddityKind::MetaCommand);
        if ends {
            self.statement = None;
            self.brackets.clear();
        }
        if command.copies_in { self.copy_data(command.end) } else { command.end }
    }

    fn copy_data(&mut self, after: usize) -> usize {
        let range = psql::copy_data(self.text.as_bytes(), after);
        let span = Span { start: range.start, end: range.end };
        if span.start < span.end {
            self.edits.push((span, Fill::Blank));
            self.report(span, OddityKind::CopyData);
        }
        span.end
    }

    fn variable(&mut self, at: usize) -> Option<usize> {
        let (end, quoting) = psql::variable(self.text.as_bytes(), at)?;
        let after_operand = self.before.is_some_and(|before| is_operand(before.kind));
        match self.brackets.last() {
            Some(Bracket::Square) => return None,
            Some(Bracket::Json) if after_operand => return None,
            Some(Bracket::Round | Bracket::Json) | None => {}
        }
        let span = Span { start: at, end };
        let is_placeholder =
            self.rewriting == Rewriting::ColonNames && quoting == Quoting::Bare && is_colon_name(&self.text[at..end]);
        self.report(span, if is_placeholder { OddityKind::Placeholder } else { OddityKind::Variable });
        let kind = match quoting {
            // A statement that is nothing but a variable may be any statement: it is reported, and not read.
            Quoting::Bare if self.statement.is_none() => {
                self.edits.push((span, Fill::Blank));
                return Some(end);
            }
            Quoting::Bare => {
                self.edits.push((span, Fill::Identifier));
                TokenKind::Word
            }
            Quoting::Quoted => {
                self.edits.push((span, Fill::WithoutFirst));
                TokenKind::Str
            }
        };
        self.before = Some(Token { kind, span });
        Some(end)
    }
}

/// graphile-migrate's `/^:[A-Z][0-9A-Z_]+$/` (`src/settings.ts`).
fn is_colon_name(variable: &str) -> bool {
    let name = variable.strip_prefix(':').unwrap_or_default().as_bytes();
    name.len() > 1
        && name[0].is_ascii_uppercase()
        && name.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
}

fn is_operand(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Word
            | TokenKind::QuotedIdent
            | TokenKind::Str
            | TokenKind::DollarStr
            | TokenKind::Number
            | TokenKind::Param
            | TokenKind::Close
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn masked(text: &str) -> (String, Vec<(&str, OddityKind)>) {
        let masked = mask(text);
        assert_eq!(masked.text.len(), text.len());
        let found = masked.found.iter().map(|(span, kind)| (&text[span.start..span.end], *kind)).collect();
        (masked.text.into_owned(), found)
    }

    #[test]
    fn plain_sql_is_borrowed() {
        for text in ["SELECT 1", "SELECT a::text, '12:30', b[1:2]", "-- a: b\nSELECT x := 1"] {
            assert!(matches!(mask(text).text, Cow::Borrowed(_)), "{text}");
            assert!(mask(text).found.is_empty(), "{text}");
        }
    }

    #[test]
    fn meta_commands_become_blanks_or_the_end_of_the_statement() {
        let (text, found) = masked("\\set x 'a;b'\r\nSELECT 1 \\gexec\nSELECT '\\d', $$\\x$$;");
        assert_eq!(text, "            \r\nSELECT 1 ;     \nSELECT '\\d', $$\\x$$;");
        assert_eq!(found, [("\\set x 'a;b'", OddityKind::MetaCommand), ("\\gexec", OddityKind::MetaCommand)]);
    }

    #[test]
    fn variables_become_tokens_of_their_length() {
        let (text, found) = masked("SELECT :a, :'b', :\"c\".d::int, a[1:n], a[x:y], json_object('k':v, w:1, :z) FROM :t");
        assert_eq!(text, "SELECT _a,  'b',  \"c\".d::int, a[1:n], a[x:y], json_object('k':v, w:1, _z) FROM _t");
        assert_eq!(found.iter().map(|(text, _)| *text).collect::<Vec<_>>(), [":a", ":'b'", ":\"c\"", ":z", ":t"]);
        assert!(found.iter().all(|(_, kind)| *kind == OddityKind::Variable));
    }

    #[test]
    fn no_variable_in_quotes_comments_and_assignments() {
        let (text, found) = masked("SELECT ':a', \":b\", $$ :c $$, f(x := y) -- :d\n/* :e */ ; \\q");
        assert_eq!(found, [("\\q", OddityKind::MetaCommand)]);
        assert!(text.ends_with("/* :e */ ;   "));
    }

    #[test]
    fn names_after_a_colon_are_placeholders_where_the_runner_says_so() {
        let text =
            "GRANT a TO :BC; SELECT ':D', x[1:n]; DO $$ BEGIN GRANT a TO :BC; x := y[1:n] || ':D'; -- a:BC\n END $$; SELECT :e";
        let masked = mask_as(text, Rewriting::ColonNames);
        assert_eq!(
            masked.text,
            "GRANT a TO _bc; SELECT ':D', x[1:n]; DO $$ BEGIN GRANT a TO _bc; x := y[1:n] || ':D'; -- a:BC\n END $$; SELECT _e"
        );
        let found: Vec<(&str, OddityKind)> = masked.found.iter().map(|(s, kind)| (&text[s.start..s.end], *kind)).collect();
        assert_eq!(found, [(":BC", OddityKind::Placeholder), (":BC", OddityKind::Placeholder), (":e", OddityKind::Variable)]);
    }

    #[test]
    fn a_placeholder_in_a_string_is_data_where_the_runner_leaves_it() {
        let text = "INSERT INTO ${a} VALUES ('${b}')";
        assert_eq!(mask_as(text, Rewriting::UnknownStays).text, "INSERT INTO __a_ VALUES ('${b}')");
        assert_eq!(mask_as(text, Rewriting::None).found.len(), 2);
    }

    #[test]
    fn a_doubled_semicolon_is_one_where_the_runner_says_so() {
        let text = "DO $$ BEGIN NULL;; END;; $$";
        assert_eq!(mask_as(text, Rewriting::DoubledSemicolons).text, "DO $$ BEGIN NULL;  END;  $$");
        assert_eq!(mask_as(text, Rewriting::None).text, text);
        let masked = mask_as("SELECT ';;', ${a};;;", Rewriting::DoubledSemicolons);
        assert_eq!((masked.text.as_ref(), masked.stand_ins.len()), ("SELECT '; ', __a_; ;", 1));
    }

    #[test]
    fn copy_data_is_no_sql() {
        let (text, found) = masked("COPY t (a) FROM stdin;\n1\tit's; :x\n\\N\t${y}\n\\.\nSELECT 1;");
        assert_eq!(text, "COPY t (a) FROM stdin;\n          \n       \n  \nSELECT 1;");
        assert_eq!(found, [("1\tit's; :x\n\\N\t${y}\n\\.", OddityKind::CopyData)]);
        assert_eq!(masked("COPY t FROM stdin;\n1").1, [("1", OddityKind::CopyData)]);
        assert_eq!(masked("\\copy t from stdin csv\n1;2\n\\.\nSELECT 1").1.len(), 2);
    }

    #[test]
    fn a_placeholder_has_one_stand_in_wherever_it_stands() {
        let (text, found) =
            masked("CREATE TABLE ${aB}.t (x_${c} int); SELECT '${aB}', \"${aB}\", {{ q('d') }}, $$ ${aB} {{e}} $$");
        assert_eq!(text, "CREATE TABLE __ab_.t (x___c_ int); SELECT '__ab_', \"__ab_\", ___q__d_____, $$ __ab_ __e__ $$");
        assert_eq!(found.len(), 7);
        assert!(found.iter().all(|(_, kind)| *kind == OddityKind::Placeholder));
    }

    #[test]
    fn a_placeholder_in_a_name_may_hold_quotes() {
        let (text, found) = masked("CREATE INDEX i ON \"{{ index .Options \"Name\" }}\".t (a); SELECT \"${a}\", \"b\", {{ c }}");
        assert_eq!(text, "CREATE INDEX i ON \"___index__options__name____\".t (a); SELECT \"__a_\", \"b\", ___c___");
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn templates_in_strings_and_placeholders_in_comments_are_not_ours() {
        assert!(masked("SELECT 'Dear {{ name }}' -- ${x}\n/* {{ y }} */").1.is_empty());
    }

    proptest! {
        #[test]
        fn the_length_never_changes(text in "[a-z ;:'\"$\\\\{}\\[\\](),\n\u{e4}]{0,60}|(COPY t FROM stdin;\n|\\\\\\.\n|:'a'|\\$\\{ä\\}|x){0,8}") {
            let masked = mask(&text);
            prop_assert_eq!(masked.text.len(), text.len());
            for (span, _) in masked.found {
                prop_assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end) && span.start < span.end);
            }
        }
    }
}
