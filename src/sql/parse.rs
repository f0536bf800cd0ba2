//! Text → statements, through libpg_query.
//!
//! A part of a file is parsed at once where it is small and right, which is nearly always; else statement by statement, so that
//! a bad one never silences the others. Nothing is parsed twice that parsed, and no tree outlives its lowering.

use crate::op::{Span, Statement};
use crate::source::{Migration, Rewriting, UnitKind};
use crate::sql::ffi::{self, Mode, Refusal};
use crate::sql::huge::{self, Run};
use crate::sql::lower::{self, Lowering};
use crate::sql::mask::{self, Masked};
use crate::sql::newer::{self, word};
use crate::sql::position::PositionMap;
use crate::sql::sent::{self, Sent};
use crate::sql::substitute::{self, Placeholders, Substituted};
use crate::sql::{Oddity, ParsedStatement, ParsedUnit, SyntaxError, lex, split};
use pg_query::protobuf::RawStmt;

/// A part above this many bytes is not parsed at once: its tree would take fifty times as much.
const PART_LIMIT: usize = 256 * 1024;
/// Statements of a big part are parsed together up to this many bytes.
const GROUP: usize = 64 * 1024;
/// Bytes that may be read again after quotes that do not close.
const RESUME_BUDGET: usize = 64 * 1024 * 1024;
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Parses the parts of one unit, on a thread with [`ffi::ROOM`]. Placeholders have no values.
pub fn unit(migration: &Migration) -> ParsedUnit {
    unit_with(migration, &Placeholders::default())
}

/// As [`unit`], with values in the places of placeholders. Spans are those of the file, where the placeholders stand.
pub fn unit_with(migration: &Migration, placeholders: &Placeholders) -> ParsedUnit {
    let mut unit = ParsedUnit::default();
    match migration.kind {
        UnitKind::Sql => ffi::with_room(|| {
            for span in &migration.parts {
                part(&migration.file.bytes, *span, migration.rewriting, placeholders, &mut unit);
            }
        }),
        UnitKind::Unknown | UnitKind::Unreadable => {}
    }
    unit
}

fn part(bytes: &[u8], span: Span, rewriting: Rewriting, placeholders: &Placeholders, unit: &mut ParsedUnit) {
    let bytes = bytes.get(span.start..span.end.min(bytes.len())).unwrap_or_default();
    let mut base = span.start;
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = base + error.valid_up_to();
            let error = SyntaxError { span: Span { start: at, end: at + 1 }, message: "not UTF-8: the rest is not read".into() };
            unit.statements.push(failed(Span { start: base, end: base + bytes.len() }, error));
            return;
        }
    };
    let text = match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) if span.start == 0 => {
            base += BYTE_ORDER_MARK.len();
            rest
        }
        _ => text,
    };
    let file = text;
    let Substituted { text, origin } = substitute::substitute(text, placeholders);
    let text = text.as_ref();
    let is_substituted = !origin.is_empty();
    let positions = PositionMap::of_part(origin, base);
    let masked = mask::mask_as(text, rewriting);
    let sent = sent::part(text, &masked, rewriting);
    let sent = (is_substituted || sent != text).then_some(Sent { text: sent, file, base });
    for (span, kind) in &masked.found {
        let shown = shown(&text[span.start..span.end]);
        unit.oddities.push(Oddity { span: positions.span(span.start, span.end), kind: *kind, text: shown });
    }
    let mut reader = Reader { source: text, masked: &masked, sent, positions, statements: &mut unit.statements };
    if text.len() <= PART_LIMIT {
        reader.whole(0, text.len());
    } else {
        reader.grouped();
    }
}

/// The first line, for a message.
fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    text.lines().next().unwrap_or_default().chars().take(LONGEST).collect()
}

fn failed(span: Span, error: SyntaxError) -> ParsedStatement {
    ParsedStatement { span, sent: None, outcome: Err(error), inner_errors: Vec::new(), newer: Vec::new(), truncated: None }
}

/// Reads the statements of one part.
struct Reader<'a, 'out> {
    /// The part as it runs, for messages.
    source: &'a str,
    masked: &'a Masked<'a>,
    /// The part as the runner sends it, where that is not what stands in the file.
    sent: Option<Sent<'a>>,
    /// Where the part stands in the file.
    positions: PositionMap,
    statements: &'out mut Vec<ParsedStatement>,
}

impl<'a> Reader<'a, '_> {
    fn text(&self) -> &'a str {
        &self.masked.text
    }

    /// Parses `start..end` at once; if it does not parse, one by one.
    fn whole(&mut self, start: usize, end: usize) {
        match ffi::parse(&self.masked.text[start..end], Mode::Statements) {
            Ok(tree) => self.take(tree.stmts, start, end),
            Err(_) => self.apart(start, end),
        }
    }

    /// Parses a big part in groups of statements.
    fn grouped(&mut self) {
        let text = self.text();
        let mut group: Option<(usize, usize)> = None;
        let mut run: Option<Run<'_>> = None;
        for range in split::statements(text) {
            let (start, next) = (range.span.start, range.next);
            let is_big = next - start > huge::STATEMENT_LIMIT;
            let statement = &text[start..next];
            let taken = run.as_mut().filter(|_| !is_big).and_then(|run| run.take(statement));
            if taken == Some(false) {
                // What was read of the run must be the last statement when the run ends.
                self.group(&mut group);
                continue;
            }
            if taken.is_none() {
                self.end(&mut group, run.take());
                run = if is_big { None } else { Run::start(statement) };
            }
            if is_big {
                self.group(&mut group);
                self.big(range);
                continue;
            }
            match &mut group {
                Some((from, to)) if next - *from <= GROUP => *to = next,
                _ => {
                    self.group(&mut group);
                    group = Some((start, next));
                }
            }
        }
        self.end(&mut group, run);
        self.group(&mut group);
    }

    /// Parses the statements of a group.
    fn group(&mut self, group: &mut Option<(usize, usize)>) {
        if let Some((from, to)) = group.take() {
            self.whole(from, to);
        }
    }

    /// Says at the last statement of a run what was not read of it.
    fn end(&mut self, group: &mut Option<(usize, usize)>, run: Option<Run<'_>>) {
        let Some(said) = run.and_then(|run| run.describe()) else { return };
        self.group(group);
        if let Some(last) = self.statements.last_mut() {
            last.truncated = Some(said);
        }
    }

    /// One statement above the limit.
    fn big(&mut self, range: split::Range) {
        let statement = &self.masked.text[range.span.start..range.next];
        let parsed = huge::shorten(statement).and_then(|short| Some((ffi::parse(&short.text, Mode::Statements).ok()?, short)));
        let Some((tree, short)) = parsed else { return self.whole(range.span.start, range.next) };
        let positions = self.positions.decoded(short.origins().map(|at| range.span.start + at));
        let first = self.statements.len();
        lower_all(tree.stmts, &short.text, &positions, self.statements);
        self.note_sent(first, &[range.span]);
        for statement in &mut self.statements[first..] {
            statement.truncated = Some(short.describe());
        }
    }

    /// Parses `start..end` statement by statement.
    fn apart(&mut self, start: usize, end: usize) {
        let mut at = start;
        let mut budget = RESUME_BUDGET;
        // Whether a quote, a comment or a dollar quote is open at the end, as read from `at`.
        let mut open = None;
        while let Some(range) = split::statements_from(&self.masked.text[..end], at).next() {
            at = range.next;
            let Some(refusal) = self.one(range) else { continue };
            let text = &self.masked.text[..end];
            let is_open = *open.get_or_insert_with(|| {
                lex::tokens_from(text, range.span.start).last().is_some_and(|t| lex::is_unterminated(t, text))
            });
            let resume = if is_open && budget > 0 { self.resume(range, &refusal) } else { None };
            let last = resume.unwrap_or(range.span.end);
            let span = lex::trimmed(&self.masked.text[..last], range.span.start, last).unwrap_or(range.span);
            self.refuse(span, &refusal);
            if let Some(semicolon) = resume {
                at = semicolon + 1;
                open = None;
                budget = budget.saturating_sub(end - range.span.start);
            }
        }
    }

    /// Parses one statement with its `;`, so that the message names what the server's would.
    fn one(&mut self, range: split::Range) -> Option<Refusal> {
        let (start, next) = (range.span.start, range.next);
        match ffi::parse(&self.masked.text[start..next], Mode::Statements) {
            Ok(tree) => {
                self.take(tree.stmts, start, next);
                None
            }
            Err(refusal) => {
                (!self.without_stand_ins(start, next) && !self.with_words_as_names(range, &refusal)).then_some(refusal)
            }
        }
    }

    /// Words that newer versions made keywords are names for older ones, which take the statement.
    fn with_words_as_names(&mut self, range: split::Range, refusal: &Refusal) -> bool {
        let (start, next) = (range.span.start, range.next);
        for reading in word::readings(&self.masked.text[start..next]) {
            let Ok(tree) = ffi::parse(&reading.text, Mode::Statements) else { continue };
            let here = self.positions.part(start, next);
            let positions = here.decoded(reading.origins.iter().copied());
            let first = self.statements.len();
            lower_all(tree.stmts, &reading.text, &positions, self.statements);
            self.note_sent(first, &[range.span]);
            let error = self.error(range.span, refusal);
            let uses = reading.uses(&here, &error);
            if let Some(last) = self.statements.last_mut() {
                last.newer.extend(uses);
            }
            return true;
        }
        false
    }

    /// A placeholder may stand for anything, nothing included.
    fn without_stand_ins(&mut self, start: usize, next: usize) -> bool {
        let inside: Vec<_> = self.masked.stand_ins.iter().filter(|span| span.start >= start && span.end <= next).collect();
        if inside.is_empty() {
            return false;
        }
        let mut text = String::with_capacity(next - start);
        for span in inside {
            text.push_str(&self.masked.text[start + text.len()..span.start]);
            text.extend(std::iter::repeat_n(' ', span.end - span.start));
        }
        text.push_str(&self.masked.text[start + text.len()..next]);
        let Ok(tree) = ffi::parse(&text, Mode::Statements) else { return false };
        self.lower(tree.stmts, &text, start, next);
        true
    }

    /// The `;` at the end of a line where to go on after a statement whose quotes do not close: the first one behind the error.
    fn resume(&self, range: split::Range, refusal: &Refusal) -> Option<usize> {
        let bytes = self.text().as_bytes();
        let from = range.span.start + refusal.at.unwrap_or(0);
        let mut candidates = memchr::memchr_iter(b';', bytes.get(from..range.next)?).map(|n| from + n);
        candidates.find(|&at| at + 1 < range.next && ends_line(&bytes[at + 1..]))
    }

    fn take(&mut self, statements: Vec<RawStmt>, start: usize, end: usize) {
        let masked = self.masked;
        self.lower(statements, &masked.text[start..end], start, end);
    }

    /// Lowers the statements of `text`, which is `start..end` of the part, byte by byte.
    fn lower(&mut self, statements: Vec<RawStmt>, text: &str, start: usize, end: usize) {
        let first = self.statements.len();
        let spans = lower_all(statements, text, &self.positions.part(start, end), self.statements);
        let of_part = |span: &Span| Span { start: start + span.start, end: start + span.end };
        self.note_sent(first, &spans.iter().map(of_part).collect::<Vec<_>>());
    }

    /// Says what the runner sends in the place of the statements from `first` on, which stand at these spans of the part.
    fn note_sent(&mut self, first: usize, spans: &[Span]) {
        let Some(sent) = &self.sent else { return };
        for (statement, span) in self.statements[first..].iter_mut().zip(spans) {
            statement.sent = sent.instead(*span, statement.span);
        }
    }

    fn refuse(&mut self, span: Span, refusal: &Refusal) {
        let error = self.error(span, refusal);
        let first = self.statements.len();
        self.statements.push(failed(self.positions.span(span.start, span.end), error));
        self.note_sent(first, &[span]);
    }

    /// What a refusal of the statement at `span` means in the file.
    fn error(&self, span: Span, refusal: &Refusal) -> SyntaxError {
        let mut error = syntax_error(refusal, &self.masked.text[..span.end], span);
        let Span { start, end } = error.span;
        // The user never wrote the stand-in.
        let (read, written) = (&self.masked.text[start..end], &self.source[start..end]);
        if read != written {
            error.message = error.message.replace(&format!("\"{read}\""), &format!("\"{written}\""));
        }
        error.span = self.positions.span(start, end);
        error
    }
}

fn ends_line(rest: &[u8]) -> bool {
    let blank = rest.iter().position(|c| !matches!(c, b' ' | b'\t' | b'\r')).unwrap_or(rest.len());
    matches!(rest.get(blank), None | Some(b'\n'))
}

/// Where a refused statement, which stands at `span` of `text`, is wrong: the token at the cursor, or its end.
pub fn syntax_error(refusal: &Refusal, text: &str, span: Span) -> SyntaxError {
    let message = on_one_line(&refusal.message);
    let Some(at) = refusal.at else { return SyntaxError { span, message } };
    let at = (span.start + at).min(span.end);
    let token = text.is_char_boundary(at).then(|| lex::tokens_from(text, at).next()).flatten();
    let span = match token {
        Some(token) if !token.is_blank() || token.kind == lex::TokenKind::BlockComment => token.span,
        // The error stands at the `;` or at the end of input: right behind the last token.
        _ => Span { start: span.end, end: span.end },
    };
    SyntaxError { span, message }
}

/// A message that quotes an unterminated string quotes the rest of the file.
fn on_one_line(message: &str) -> String {
    const LONGEST: usize = 200;
    let line = message.lines().next().unwrap_or_default();
    let short: String = line.chars().take(LONGEST).collect();
    if short.len() == message.len() { short } else { format!("{}…\"", short.trim_end()) }
}

/// Lowers the statements of a parsed text, and says where in it they stand.
fn lower_all(statements: Vec<RawStmt>, text: &str, positions: &PositionMap, out: &mut Vec<ParsedStatement>) -> Vec<Span> {
    let mut spans = Vec::with_capacity(statements.len());
    for raw in statements {
        let Some((span, node)) = located(raw, text) else { continue };
        let cx = Lowering::new(text, positions);
        let op = lower::statement(&node, span.start, span.end, &cx);
        let place = positions.span(span.start, span.end);
        let statement = Statement { span: place, op };
        let mut newer = cx.newer.into_inner();
        newer.extend(newer::uses(&node, text, span.start, span.end, positions));
        let inner_errors = cx.errors.into_inner();
        out.push(ParsedStatement { span: place, sent: None, outcome: Ok(statement), inner_errors, newer, truncated: None });
        spans.push(span);
    }
    spans
}

/// A statement's range in the parsed text, from its first token to its last.
pub fn located(raw: RawStmt, text: &str) -> Option<(Span, Box<pg_query::Node>)> {
    let start = usize::try_from(raw.stmt_location).ok()?;
    let end = match usize::try_from(raw.stmt_len).ok()? {
        0 => text.len(),
        length => start + length,
    };
    Some((lex::trimmed(text, start, end.min(text.len()))?, raw.stmt?))
}

#[cfg(test)]
mod tests;
