//! Texts with several sections under marker lines: what runs, what undoes it, and a header before both.

use super::{DownPart, Step};
use crate::op::Span;
use crate::source::directory::FileEntry;
use crate::source::{UnitKind, Wrapping};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Before the first marker: no runner runs it.
    Header,
    Up,
    Down,
}

/// A text cut at its markers. The marker lines belong to no section, and blank sections are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sections {
    pub header: Option<Span>,
    /// What runs, in order: as many spans as there are markers above text that runs.
    pub up: Vec<Span>,
    /// What undoes it; of several sections with something that runs between them, the last.
    pub down: Option<Span>,
    /// Whether any line is a marker.
    pub is_marked: bool,
    /// Whether a marker opens a section that runs, be it blank.
    pub has_up: bool,
}

impl Sections {
    /// Cuts `body` of `text` at its lines: `opens` is asked for each line, its end included, and for the section it stands in, and
    /// answers with the section that begins behind it.
    pub fn read(text: &str, body: Span, mut opens: impl FnMut(&str, Section) -> Option<Section>) -> Sections {
        let mut found = Sections::default();
        let mut section = Section::Header;
        let mut from = body.start;
        for (span, line) in lines(text, body) {
            let Some(next) = opens(line, section) else { continue };
            found.is_marked = true;
            found.close(section, Span { start: from, end: span.start }, text);
            (section, from) = (next, span.end);
            found.has_up |= section == Section::Up;
        }
        found.close(section, Span { start: from, end: body.end }, text);
        found
    }

    fn close(&mut self, section: Section, span: Span, text: &str) {
        let is_blank = text[span.start..span.end].trim().is_empty();
        match section {
            Section::Header if !is_blank && self.is_marked => self.header = Some(span),
            Section::Up if !is_blank => self.up.push(span),
            Section::Down if !is_blank => {
                let up = self.up.last().map_or(0, |up| up.end);
                let start = self.down.map(|down| down.start).filter(|&start| start >= up).unwrap_or(span.start);
                self.down = Some(Span { start, end: span.end });
            }
            Section::Header | Section::Up | Section::Down => {}
        }
    }

    /// The unit of a file that is cut so. A file that is no text is a unit that cannot be read.
    pub fn into_step(self, id: impl Into<String>, entry: &FileEntry, wrapping: Wrapping) -> Step {
        let step = Step::of_file(id, entry, wrapping);
        if step.kind == UnitKind::Unreadable {
            return step;
        }
        let file = Arc::clone(&step.file);
        Step {
            tag_regions: self.header.into_iter().chain(self.up.iter().copied()).collect(),
            parts: self.up,
            down: self.down.map(|span| DownPart { file, span }),
            ..step
        }
    }
}

/// Without a transaction, a unit whose one part stands right below a line that `begins` a block is one message: its statements share
/// an implicit transaction. Of several parts, each statement is taken to be sent alone.
pub fn sent_whole(step: Step, begins: impl Fn(&str) -> bool) -> Step {
    let is_block = |part: &Span| {
        let before = step.file.text().ok().and_then(|text| text.get(..part.start)?.lines().last());
        before.is_some_and(&begins)
    };
    match step.parts.as_slice() {
        [only] if step.wrapping == Wrapping::None && is_block(only) => Step { wrapping: Wrapping::Batch, ..step },
        _ => step,
    }
}

/// The lines of `body` with their ends, and where they are.
pub fn lines(text: &str, body: Span) -> impl Iterator<Item = (Span, &str)> {
    text[body.start..body.end].split_inclusive('\n').scan(body.start, |at, line| {
        let span = Span { start: *at, end: *at + line.len() };
        *at = span.end;
        Some((span, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Sections {
        Sections::read(text, Span { start: 0, end: text.len() }, |line, _| match line.trim() {
            "up" => Some(Section::Up),
            "down" => Some(Section::Down),
            _ => None,
        })
    }

    #[test]
    fn sections_may_repeat_and_come_in_any_order() {
        let text = "head\ndown\nA\nup\r\nB\r\ndown\n \nup\nC\ndown\nD\ndown\nE";
        let sections = read(text);
        let texts: Vec<&str> = sections.up.iter().map(|s| &text[s.start..s.end]).collect();
        assert_eq!(texts, ["B\r\n", "C\n"]);
        assert_eq!(sections.header.map(|s| &text[s.start..s.end]), Some("head\n"));
        assert_eq!(sections.down.map(|s| &text[s.start..s.end]), Some("D\ndown\nE"));
    }

    #[test]
    fn a_text_without_markers_has_no_section_at_all() {
        assert_eq!(read("A\nB"), Sections::default());
        assert!(read("up\n\n").has_up && read("up\n\n").up.is_empty());
    }
}
