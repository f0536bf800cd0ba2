//! Huge INSERTs and long runs of small ones: one row says what a million say, so the scanner passes over the rest.

use crate::op::Span;
use crate::sql::lex::{self, Token, TokenKind, is_word};

/// An INSERT … VALUES above this many bytes is shortened.
pub const STATEMENT_LIMIT: usize = 64 * 1024;
/// Rows are kept up to this many bytes, and at least one.
const KEPT: usize = 8 * 1024;

/// An INSERT without most of its rows.
#[derive(Debug, PartialEq, Eq)]
pub struct Shortened {
    pub text: String,
    /// The bytes of the statement that are not in `text`.
    pub cut: Span,
}

impl Shortened {
    /// Where each byte of `text` stands in the statement, and where the statement ends.
    pub fn origins(&self) -> impl Iterator<Item = usize> {
        let gap = self.cut.end - self.cut.start;
        // The blank that stands for the cut is one byte more.
        (0..=self.text.len()).map(move |at| if at <= self.cut.start { at } else { at - 1 + gap })
    }

    /// What was not read, for the report.
    pub fn describe(&self) -> String {
        format!("row data of {} bytes not read", grouped(self.cut.end - self.cut.start))
    }
}

/// The tokens behind the VALUES of an INSERT, and where it ends. `None` for any other statement.
fn values(statement: &str) -> Option<(impl Iterator<Item = Token>, usize)> {
    let mut tokens = lex::tokens(statement).filter(|token| !token.is_blank());
    let first = tokens.next()?;
    if first.kind != TokenKind::Word || !is_word(first.text(statement), &["insert"]) {
        return None;
    }
    let mut depth = 0usize;
    loop {
        let token = tokens.next()?;
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            // A query before VALUES may hold the word too.
            TokenKind::Word if depth == 0 && is_word(token.text(statement), &["select", "with"]) => return None,
            TokenKind::Word if depth == 0 && is_word(token.text(statement), &["values"]) => {
                return Some((tokens, token.span.end));
            }
            _ => {}
        }
    }
}

/// Cuts the rows of an INSERT … VALUES after the first ones. `None` for any other statement and where nothing would be won.
pub fn shorten(statement: &str) -> Option<Shortened> {
    let (tokens, rows) = values(statement)?;
    let mut depth = 0usize;
    let mut kept = None;
    let mut last = rows;
    let mut after_row = false;
    for token in tokens {
        match token.kind {
            TokenKind::Open if depth > 0 || !after_row => {
                depth += 1;
                after_row = false;
            }
            TokenKind::Close if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    last = token.span.end;
                    after_row = true;
                    if kept.is_none() || last - rows <= KEPT {
                        kept = Some(last);
                    }
                }
            }
            _ if depth > 0 => {}
            TokenKind::Comma if after_row => after_row = false,
            _ => break,
        }
    }
    let cut = Span { start: kept?, end: last };
    if cut.end - cut.start < KEPT {
        return None;
    }
    Some(Shortened { text: format!("{} {}", &statement[..cut.start], &statement[cut.end..]), cut })
}

/// Of a run of INSERTs that differ in constants only, this many are read.
const RUN_KEPT: usize = 1000;

/// A run of INSERTs of one form.
#[derive(Debug)]
pub struct Run<'a> {
    form: (&'a str, &'a str),
    read: usize,
    skipped: usize,
    bytes: usize,
}

impl<'a> Run<'a> {
    /// The run that a statement starts, if it is INSERT … VALUES of nothing but constants.
    pub fn start(statement: &'a str) -> Option<Self> {
        Some(Run { form: form(statement)?, read: 1, skipped: 0, bytes: 0 })
    }

    /// Takes the next statement, if it is of the run; whether it is to be read.
    pub fn take(&mut self, statement: &str) -> Option<bool> {
        if !statement.starts_with(self.form.0) || form(statement)? != self.form {
            return None;
        }
        let reads = self.read < RUN_KEPT;
        if reads {
            self.read += 1;
        } else {
            self.skipped += 1;
            self.bytes += statement.len();
        }
        Some(reads)
    }

    /// What was not read, for the report.
    pub fn describe(&self) -> Option<String> {
        let (count, bytes) = (grouped(self.skipped), grouped(self.bytes));
        let plural = if self.skipped == 1 { "" } else { "s" };
        (self.skipped > 0)
            .then(|| format!("{count} more INSERT{plural} of this form, with other constants, not read ({bytes} bytes)"))
    }
}

/// What stands before and behind the rows of INSERT … VALUES, if the rows are constants: nothing in them can act.
fn form(statement: &str) -> Option<(&str, &str)> {
    let (mut tokens, rows) = values(statement)?;
    let mut depth = 0usize;
    let tail = loop {
        let Some(token) = tokens.next() else { break statement.len() };
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.checked_sub(1)?,
            TokenKind::Str | TokenKind::DollarStr | TokenKind::Number | TokenKind::Comma => {}
            TokenKind::Operator if matches!(token.text(statement), "-" | "+") => {}
            TokenKind::Word if depth > 0 && is_word(token.text(statement), &["null", "true", "false", "default"]) => {}
            _ if depth == 0 => break token.span.start,
            _ => return None,
        }
    };
    Some((&statement[..rows], &statement[tail..]))
}

/// 1234567 as `1,234,567`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(rows: usize, tail: &str) -> String {
        let rows = vec!["(1, 'a;)(''b', f(2, $$)$$))"; rows].join(",\n ");
        format!("INSERT INTO t (a, b) VALUES {rows}{tail}")
    }

    #[test]
    fn most_rows_are_cut_and_the_rest_of_the_statement_stays() {
        let statement = insert(10_000, "\nON CONFLICT (a) DO NOTHING RETURNING a");
        let short = shorten(&statement).expect("shortened");
        assert!(short.text.starts_with("INSERT INTO t (a, b) VALUES (1, 'a;)(''b', f(2, $$)$$)),"));
        assert!(short.text.ends_with("f(2, $$)$$)) \nON CONFLICT (a) DO NOTHING RETURNING a"));
        assert!(short.text.len() < 2 * KEPT);
        assert!(crate::sql::ffi::parse(&short.text, crate::sql::ffi::Mode::Statements).is_ok());
        assert_eq!(short.describe(), format!("row data of {} bytes not read", grouped(statement.len() + 1 - short.text.len())));
    }

    #[test]
    fn every_byte_knows_where_it_stood() {
        let statement = insert(2_000, " ON CONFLICT DO NOTHING");
        let short = shorten(&statement).expect("shortened");
        let origins: Vec<_> = short.origins().collect();
        assert_eq!(origins.len(), short.text.len() + 1);
        assert_eq!(origins[short.text.len()], statement.len());
        for (at, &origin) in origins.iter().enumerate().take(short.text.len()).filter(|(at, _)| *at != short.cut.start) {
            assert_eq!(short.text.as_bytes()[at], statement.as_bytes()[origin]);
        }
    }

    #[test]
    fn small_ones_and_other_statements_stay() {
        assert_eq!(shorten(&insert(3, "")), None);
        assert_eq!(shorten(&format!("SELECT {}", "1,".repeat(50_000))), None);
        assert_eq!(shorten(&format!("INSERT INTO t SELECT * FROM (VALUES {}(1)) v", "(1),".repeat(50_000))), None);
    }

    #[test]
    fn one_huge_row_stays_whole() {
        assert_eq!(shorten(&format!("INSERT INTO t VALUES ('{}')", "x".repeat(100_000))), None);
    }

    #[test]
    fn a_run_is_of_one_form_and_of_constants() {
        let mut run = Run::start("INSERT INTO t (a) VALUES (1, 'x') ON CONFLICT DO NOTHING;").expect("a run");
        assert_eq!(run.take("INSERT INTO t (a) VALUES (-2, NULL), (3, 'y;') ON CONFLICT DO NOTHING;"), Some(true));
        for other in [
            "INSERT INTO t (a) VALUES (1, 'x');",
            "INSERT INTO t (a) VALUES (1, f()) ON CONFLICT DO NOTHING;",
            "INSERT INTO t (a) VALUES (1, (SELECT 2)) ON CONFLICT DO NOTHING;",
            "INSERT INTO u (a) VALUES (1, 'x') ON CONFLICT DO NOTHING;",
            "SELECT 1",
        ] {
            assert_eq!(run.take(other), None, "{other}");
        }
        assert_eq!(run.describe(), None);
        let skipped = (0..RUN_KEPT).filter(|_| run.take("INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING;") == Some(false));
        assert_eq!(skipped.count(), 2);
        assert_eq!(run.describe().as_deref(), Some("2 more INSERTs of this form, with other constants, not read (104 bytes)"));
        assert!(Run::start("INSERT INTO t SELECT 1").is_none());
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([grouped(7), grouped(1_000), grouped(812_345)], ["7", "1,000", "812,345"]);
    }
}
