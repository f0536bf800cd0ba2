//! Bytes to lines and columns: the only place where they are counted.
//!
//! Lines and columns start at 1. A line ends at `\n`, `\r\n` or a lone `\r`, as editors and the server's own error positions have
//! it. Columns count characters (Unicode scalar values); a byte order mark at the start of the file counts as bytes, not as a
//! character. Bytes that are no UTF-8 are counted as they can be: a stray continuation byte belongs to the character before it.

use crate::source::{ReportPath, SourceFile};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// A place in a file, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

const BOM: &[u8] = b"\xef\xbb\xbf";
/// Characters are summed up at every so many bytes, so that a file of one huge line is not counted again for each statement.
const STRIDE: usize = 4096;

/// Where the lines of one text begin.
#[derive(Clone, Debug)]
pub struct LineIndex {
    /// Offset of the first byte of each line; the first is 0.
    starts: Vec<usize>,
    /// Characters before byte `i * STRIDE`.
    sums: Vec<usize>,
}

impl LineIndex {
    pub fn new(bytes: &[u8]) -> Self {
        let mut starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            let ends_line = match byte {
                b'\n' => true,
                b'\r' => bytes.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            if ends_line {
                starts.push(at + 1);
            }
        }
        let mut sums = vec![0];
        let mut sum = 0;
        for chunk in bytes.chunks(STRIDE) {
            sum += characters(chunk);
            sums.push(sum);
        }
        if bytes.starts_with(BOM) {
            // Its one character is taken out of every sum after it; `before` does the same below the first stride.
            sums.iter_mut().skip(1).for_each(|sum| *sum -= 1);
        }
        LineIndex { starts, sums }
    }

    /// The place of a byte. An offset beyond the end is the end.
    pub fn position(&self, bytes: &[u8], offset: usize) -> Position {
        let offset = offset.min(bytes.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        Position { line, column: self.before(bytes, offset) - self.before(bytes, start) + 1 }
    }

    /// Number of lines; a text that ends with a line end has an empty last one.
    pub fn lines(&self) -> usize {
        self.starts.len()
    }

    /// The bytes of a line (from 1) without its end; empty for a line that is not there.
    pub fn line(&self, bytes: &[u8], line: usize) -> Range<usize> {
        let Some(start) = line.checked_sub(1).and_then(|at| self.starts.get(at)).copied() else { return 0..0 };
        let end = self.starts.get(line).copied().unwrap_or(bytes.len());
        let text = &bytes[start..end];
        let without_end = text.strip_suffix(b"\r\n").or(text.strip_suffix(b"\n")).or(text.strip_suffix(b"\r")).unwrap_or(text);
        let bom = if start == 0 && without_end.starts_with(BOM) { BOM.len() } else { 0 };
        start + bom..start + without_end.len()
    }

    /// Characters before `offset`.
    fn before(&self, bytes: &[u8], offset: usize) -> usize {
        let stride = offset / STRIDE;
        let rest = &bytes[stride * STRIDE..offset];
        let bom = usize::from(stride == 0 && bytes.starts_with(BOM) && !rest.is_empty());
        self.sums.get(stride).copied().unwrap_or(0) + characters(rest) - bom
    }
}

fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

/// The files that a report speaks about, by their path in the report.
#[derive(Clone, Debug, Default)]
pub struct Files {
    files: BTreeMap<String, (Arc<SourceFile>, LineIndex)>,
}

impl Files {
    pub fn new<'a>(files: impl Iterator<Item = &'a Arc<SourceFile>>) -> Self {
        let mut known = BTreeMap::new();
        for file in files {
            known.entry(file.path.clone()).or_insert_with(|| (Arc::clone(file), LineIndex::new(&file.bytes)));
        }
        Files { files: known }
    }

    /// The file and its lines, where the path is that of a file that was read.
    pub fn get(&self, path: &str) -> Option<(&SourceFile, &LineIndex)> {
        self.files.get(path).map(|(file, lines)| (file.as_ref(), lines))
    }

    /// A path for the report, whether it is that of a file that was read or of something else.
    pub fn path(&self, path: &str) -> ReportPath {
        self.get(path).map_or_else(|| ReportPath::of_place(path), |(file, _)| ReportPath::of_file(file))
    }

    /// The place of a byte; the first one for what is no file that was read, such as a directory.
    pub fn position(&self, path: &str, offset: usize) -> Position {
        match self.get(path) {
            Some((file, lines)) => lines.position(&file.bytes, offset),
            None => Position { line: 1, column: 1 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str, needle: &str) -> (usize, usize) {
        let position = LineIndex::new(text.as_bytes()).position(text.as_bytes(), text.find(needle).unwrap());
        (position.line, position.column)
    }

    #[test]
    fn a_line_ends_at_lf_crlf_and_a_lone_cr() {
        assert_eq!(at("a\nbX", "X"), (2, 2));
        assert_eq!(at("a\r\nbX", "X"), (2, 2));
        assert_eq!(at("a\rbX", "X"), (2, 2));
        assert_eq!(at("a\r\r\n\nX", "X"), (4, 1));
        assert_eq!(at("a\r\nX", "\n"), (1, 3), "the two bytes of a line end stand on the line that they end");
    }

    #[test]
    fn columns_are_characters_and_a_bom_is_none() {
        assert_eq!(at("é😀X", "X"), (1, 3));
        assert_eq!(at("\u{feff}X", "X"), (1, 1));
        assert_eq!(at("\u{feff}", "\u{feff}"), (1, 1));
        assert_eq!(at("\u{feff}é\nX", "X"), (2, 1));
        assert_eq!(at("a\u{feff}X", "X"), (1, 3), "only at the start is it a mark");
    }

    #[test]
    fn the_end_and_what_is_beyond_it_have_a_place() {
        let index = LineIndex::new(b"ab\n");
        assert_eq!(index.position(b"ab\n", 3), Position { line: 2, column: 1 });
        assert_eq!(index.position(b"ab\n", 99), Position { line: 2, column: 1 });
        assert_eq!(LineIndex::new(b"").position(b"", 0), Position { line: 1, column: 1 });
    }

    #[test]
    fn a_line_is_given_without_its_end_and_without_the_bom() {
        let text = "\u{feff}a\r\nb\rc";
        let index = LineIndex::new(text.as_bytes());
        let lines: Vec<_> = (0..=4).map(|line| &text[index.line(text.as_bytes(), line)]).collect();
        assert_eq!(lines, ["", "a", "b", "c", ""]);
    }

    proptest! {
        #[test]
        fn positions_agree_with_counting_from_the_start(text in "(\u{feff})?([aé😀\r\n]|\r\n){0,40}", repeat in 1usize..400) {
            let text = text.repeat(repeat);
            let index = LineIndex::new(text.as_bytes());
            let (mut line, mut column) = (1, 1);
            let mut characters = text.char_indices().peekable();
            while let Some((offset, character)) = characters.next() {
                if offset % 97 < 5 {
                    prop_assert_eq!(index.position(text.as_bytes(), offset), Position { line, column });
                }
                let next = characters.peek().map(|(_, next)| *next);
                match character {
                    '\n' => (line, column) = (line + 1, 1),
                    '\r' if next != Some('\n') => (line, column) = (line + 1, 1),
                    '\u{feff}' if offset == 0 => {}
                    _ => column += 1,
                }
            }
            prop_assert_eq!(index.position(text.as_bytes(), text.len()), Position { line, column });
            prop_assert_eq!(index.lines(), line);
        }
    }
}
