//! A few lines of a file around a span, made safe and narrow enough for a terminal, as miette wants them.
//!
//! The text is no copy of the file: unsafe characters are escaped, tabs are blanks, long lines and long statements are cut. So the
//! span is mapped along, and line numbers come from the file.

use super::escape;
use super::location::LineIndex;
use crate::op::Span;
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use std::ops::Range;
use unicode_width::UnicodeWidthChar;

/// Lines of a long statement that are shown.
const MOST_LINES: usize = 6;
/// Columns besides the text and the digits of the line number: the bar and its blanks.
const MARGIN: usize = 5;
/// Columns of the arrows that join a label over several lines.
const ARROWS: usize = 4;
const LEAST_WIDTH: usize = 16;
const TAB: usize = 4;
const CUT: char = '…';

/// What is shown of a file for one finding.
#[derive(Debug)]
pub struct Excerpt {
    /// `path:line:column`, safe.
    name: String,
    first_line: usize,
    text: String,
    /// The span, in `text`.
    pub label: Range<usize>,
    /// True where the span is shown on more than one line.
    pub several_lines: bool,
    /// Lines of the span that are not shown.
    pub hidden_lines: usize,
}

impl Excerpt {
    /// The excerpt for `span`, for a terminal of `width` columns. `None` where there is nothing to show.
    pub fn new(name: String, bytes: &[u8], lines: &LineIndex, span: Span, width: usize) -> Option<Excerpt> {
        let first = lines.position(bytes, span.start).line;
        let last = lines.position(bytes, span.end.max(span.start + 1) - 1).line.max(first);
        let hidden_lines = (last - first + 1).saturating_sub(MOST_LINES);
        let last_shown = last - hidden_lines;
        let above = first.saturating_sub(1).max(1);
        let below = if hidden_lines == 0 && last_shown < lines.lines() { last_shown + 1 } else { last_shown };
        let arrows = if last_shown > first { ARROWS } else { 0 };
        let room = width.saturating_sub(MARGIN + arrows + below.to_string().len()).max(LEAST_WIDTH);
        let mut text = String::new();
        let mut label: Option<Range<usize>> = None;
        let blank = |line: usize| bytes[lines.line(bytes, line)].trim_ascii().is_empty();
        let from = if above < first && blank(above) { first } else { above };
        let to = if below > last_shown && blank(below) { last_shown } else { below };
        for number in from..=to {
            let line = lines.line(bytes, number);
            let inside = span.start.clamp(line.start, line.end)..span.end.clamp(line.start, line.end);
            let is_labelled = (first..=last_shown).contains(&number);
            let base = text.len();
            let shown = Line::new(bytes, line, inside.clone(), if is_labelled { inside.start } else { 0 }, room);
            text.push_str(&shown.text);
            if is_labelled {
                let part = base + shown.label.start..base + shown.label.end;
                label = Some(label.map_or(part.clone(), |whole| whole.start..part.end));
            }
            text.push('\n');
        }
        let label = label.filter(|_| !text.trim().is_empty())?;
        Some(Excerpt { name, first_line: from, text, label, several_lines: last_shown > first, hidden_lines })
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(&'a self, _: &SourceSpan, _: usize, _: usize) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let whole = SourceSpan::from((0, self.text.len()));
        let count = self.text.lines().count();
        Ok(Box::new(MietteSpanContents::new_named(self.name.clone(), self.text.as_bytes(), whole, self.first_line - 1, 0, count)))
    }
}

/// One line as it is shown.
struct Line {
    text: String,
    label: Range<usize>,
}

/// One character of the file as it is shown.
struct Cell {
    /// Where it stands in the file.
    at: usize,
    text: String,
    width: usize,
}

impl Line {
    /// The line `bytes[line]`, of which `inside` is labelled, at most `room` columns wide and with `focus` in sight.
    fn new(bytes: &[u8], line: Range<usize>, inside: Range<usize>, focus: usize, room: usize) -> Line {
        // Far more bytes than fit, so that a line of megabytes costs nothing.
        let reach = room * 8;
        let mut start = focus.clamp(line.start, line.end).saturating_sub(reach).max(line.start);
        while start < line.end && start > line.start && bytes[start] & 0xC0 == 0x80 {
            start += 1;
        }
        let end = line.end.min(focus.max(start) + reach);
        let mut cells = cells(&bytes[start..end], start);
        let (cut_before, cut_after) = (start > line.start, end < line.end);
        let total: usize = cells.iter().map(|cell| cell.width).sum();
        if cut_before || cut_after || total > room {
            cells = window(cells, focus, room, cut_before, cut_after);
        }
        let mut shown = Line { text: String::new(), label: 0..0 };
        for cell in &cells {
            if cell.at < inside.start {
                shown.label.start += cell.text.len();
            }
            if cell.at < inside.end {
                shown.label.end += cell.text.len();
            }
            shown.text.push_str(&cell.text);
        }
        shown.label.end = shown.label.end.max(shown.label.start);
        shown
    }
}

/// The characters of a part of a line. Bytes that are no UTF-8 are `�`.
fn cells(bytes: &[u8], base: usize) -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut at = base;
    let mut column = 0;
    let mut push = |at: usize, character: char| {
        let text = match character {
            '\t' => " ".repeat(TAB - column % TAB),
            safe if !escape::is_unsafe(safe) => safe.to_string(),
            other => escape::escape(other.encode_utf8(&mut [0; 4])).into_owned(),
        };
        let width = text.chars().map(|character| character.width().unwrap_or(0)).sum();
        column += width;
        cells.push(Cell { at, text, width });
    };
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            push(at, character);
            at += character.len_utf8();
        }
        if !chunk.invalid().is_empty() {
            push(at, char::REPLACEMENT_CHARACTER);
            at += chunk.invalid().len();
        }
    }
    cells
}

/// The cells that fit into `room` columns around `focus`, with an ellipsis where something is cut.
fn window(cells: Vec<Cell>, focus: usize, room: usize, cut_before: bool, cut_after: bool) -> Vec<Cell> {
    let focus_at = cells.iter().position(|cell| cell.at >= focus).unwrap_or(cells.len());
    let before: usize = cells[..focus_at].iter().map(|cell| cell.width).sum();
    // The focus stays in the first third, so that most of the room shows what follows it.
    let mut skip = 0;
    let mut excess = before.saturating_sub(room / 3);
    while excess > 0 && skip < focus_at {
        excess = excess.saturating_sub(cells[skip].width);
        skip += 1;
    }
    let cut_before = cut_before || skip > 0;
    let mut left = room - usize::from(cut_before);
    let mut shown = Vec::new();
    let mut rest = cells.into_iter().skip(skip).peekable();
    if cut_before {
        let at = rest.peek().map_or(focus, |cell| cell.at).saturating_sub(1);
        shown.push(Cell { at, text: CUT.to_string(), width: 1 });
    }
    let mut all_shown = !cut_after;
    while let Some(cell) = rest.next() {
        let is_last = rest.peek().is_none() && !cut_after;
        if cell.width + usize::from(!is_last) > left {
            shown.push(Cell { at: cell.at, text: CUT.to_string(), width: 1 });
            all_shown = true;
            break;
        }
        left -= cell.width;
        shown.push(cell);
    }
    if !all_shown {
        let at = shown.last().map_or(focus, |cell| cell.at);
        shown.push(Cell { at, text: CUT.to_string(), width: 1 });
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    fn excerpt(text: &str, part: &str, width: usize) -> Option<Excerpt> {
        let start = text.find(part).unwrap();
        let span = Span { start, end: start + part.len() };
        Excerpt::new("x.sql:1:1".into(), text.as_bytes(), &LineIndex::new(text.as_bytes()), span, width)
    }

    fn labelled(excerpt: &Excerpt) -> &str {
        &excerpt.text[excerpt.label.clone()]
    }

    #[test]
    fn the_span_is_shown_with_a_line_above_and_below() {
        let shown = excerpt("-- one\n-- two\nDROP TABLE t;\n-- four\n-- five\n", "DROP TABLE t", 80).unwrap();
        assert_eq!(shown.text, "-- two\nDROP TABLE t;\n-- four\n");
        assert_eq!((labelled(&shown), shown.first_line), ("DROP TABLE t", 2));
    }

    #[test]
    fn a_tab_an_escape_sequence_and_bytes_that_are_no_text_keep_the_label_in_place() {
        let text = b"\xff\tSELECT '\x1b[2J' AS x;";
        let shown = Excerpt::new("x".into(), text, &LineIndex::new(text), Span { start: 2, end: 20 }, 80).unwrap();
        assert_eq!(shown.text, "\u{fffd}   SELECT '\\u{1b}[2J' AS x;\n");
        assert_eq!(labelled(&shown), "SELECT '\\u{1b}[2J' AS x");
    }

    #[test]
    fn a_statement_of_many_lines_is_cut_and_the_rest_counted() {
        let text = format!("SELECT 1{};", ",\n 2".repeat(99));
        let shown = excerpt(&text, &text[..text.len() - 1], 80).unwrap();
        assert_eq!((shown.text.lines().count(), shown.hidden_lines, shown.several_lines), (6, 94, true));
    }

    #[test]
    fn a_long_line_is_cut_around_the_span() {
        let text = format!("SELECT '{}'; DROP TABLE t; SELECT '{}';", "é".repeat(100_000), "y".repeat(100_000));
        let shown = excerpt(&text, "DROP TABLE t", 60).unwrap();
        assert!(shown.text.width() <= 60, "{}", shown.text);
        assert!(shown.text.starts_with("…é") && shown.text.trim_end().ends_with("y…"), "{}", shown.text);
        assert_eq!(labelled(&shown), "DROP TABLE t");
    }

    #[test]
    fn an_empty_file_has_no_excerpt() {
        assert!(Excerpt::new("x".into(), b"", &LineIndex::new(b""), Span::default(), 80).is_none());
        assert!(Excerpt::new("x".into(), b"\n\n", &LineIndex::new(b"\n\n"), Span { start: 1, end: 9 }, 80).is_none());
    }

    proptest! {
        #[test]
        fn any_span_of_any_bytes_gives_a_narrow_and_safe_excerpt(
            bytes in prop::collection::vec(prop::sample::select(b"a\n\r\t \xc3\xa9\xff\x1b'\xe2\x80\xae\xef\xbb\xbf".to_vec()), 0..300),
            start in 0usize..320, length in 0usize..320, width in 0usize..90,
        ) {
            let span = Span { start, end: start + length };
            if let Some(shown) = Excerpt::new("x".into(), &bytes, &LineIndex::new(&bytes), span, width) {
                prop_assert!(shown.text.is_char_boundary(shown.label.start) && shown.text.is_char_boundary(shown.label.end));
                prop_assert!(shown.label.start <= shown.label.end);
                for line in shown.text.lines() {
                    prop_assert!(line.width() <= width.saturating_sub(MARGIN).max(LEAST_WIDTH));
                    prop_assert!(!line.contains(escape::is_unsafe));
                }
            }
        }
    }
}
