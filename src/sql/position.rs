//! Where a byte of a parsed text stands in the file, also inside string literals with escapes.

use crate::op::Span;
use crate::sql::substitute::Substitution;
use std::sync::Arc;

/// Maps offsets in a text to offsets in the file it was taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PositionMap {
    /// The text stands in the file as it is, from this byte on.
    Linear(usize),
    /// The text was decoded: entry `i` is where byte `i` stands in the file; one entry more for the end. What lies behind the
    /// table stands where its last entry does.
    Table(Vec<usize>),
    /// Placeholders have their values in the text, of which this is the part from `offset` on.
    Substituted { origin: Arc<Origin>, offset: usize },
    /// The text was decoded from one with values: entry `i` is where byte `i` stands in that one, as in `Table`.
    Decoded { origin: Arc<Origin>, table: Vec<usize> },
}

/// Where a text with values stands in the file.
#[derive(Debug, PartialEq, Eq)]
pub struct Origin {
    pub substitution: Substitution,
    /// Where the text without values starts.
    pub base: usize,
}

impl PositionMap {
    /// The map of a part of a file that starts at `base`.
    pub fn of_part(substitution: Substitution, base: usize) -> PositionMap {
        if substitution.is_empty() {
            return PositionMap::Linear(base);
        }
        PositionMap::Substituted { origin: Arc::new(Origin { substitution, base }), offset: 0 }
    }
    /// Where what starts at `offset` starts.
    pub fn at(&self, offset: usize) -> usize {
        match self {
            PositionMap::Linear(base) => base + offset,
            PositionMap::Table(table) => entry(table, offset),
            PositionMap::Substituted { origin, offset: from } => origin.base + origin.substitution.start(from + offset),
            PositionMap::Decoded { origin, table } => origin.base + origin.substitution.start(entry(table, offset)),
        }
    }
    /// Where what ends before `offset` ends. Inside of a value that is behind its placeholder.
    fn end(&self, offset: usize) -> usize {
        match self {
            PositionMap::Linear(_) | PositionMap::Table(_) => self.at(offset),
            PositionMap::Substituted { origin, offset: from } => origin.base + origin.substitution.end(from + offset),
            PositionMap::Decoded { origin, table } => origin.base + origin.substitution.end(entry(table, offset)),
        }
    }
    pub fn span(&self, start: usize, end: usize) -> Span {
        let from = self.at(start);
        // An empty span stands where it starts.
        Span { start: from, end: if end > start { self.end(end).max(from) } else { from } }
    }
    /// The map for a part of the text that starts at `offset`.
    pub fn shifted(&self, offset: usize) -> PositionMap {
        self.part(offset, usize::MAX)
    }
    /// The map for the part `start..end` of the text.
    pub fn part(&self, start: usize, end: usize) -> PositionMap {
        match self {
            PositionMap::Linear(base) => PositionMap::Linear(base + start),
            PositionMap::Table(table) => PositionMap::Table(slice(table, start, end)),
            PositionMap::Substituted { origin, offset } => {
                PositionMap::Substituted { origin: Arc::clone(origin), offset: offset + start }
            }
            PositionMap::Decoded { origin, table } => {
                PositionMap::Decoded { origin: Arc::clone(origin), table: slice(table, start, end) }
            }
        }
    }
    /// The map of a text that was decoded from this one: entry `i` is where its byte `i` stands here, one entry more for the end.
    pub fn decoded(&self, origins: impl Iterator<Item = usize>) -> PositionMap {
        let within = |table: Vec<usize>, origin: &Arc<Origin>| PositionMap::Decoded { origin: Arc::clone(origin), table };
        match self {
            PositionMap::Linear(_) | PositionMap::Table(_) => PositionMap::Table(origins.map(|at| self.at(at)).collect()),
            PositionMap::Substituted { origin, offset } => within(origins.map(|at| offset + at).collect(), origin),
            PositionMap::Decoded { origin, table } => within(origins.map(|at| entry(table, at)).collect(), origin),
        }
    }
}

fn entry(table: &[usize], offset: usize) -> usize {
    table.get(offset).or(table.last()).copied().unwrap_or(0)
}

fn slice(table: &[usize], start: usize, end: usize) -> Vec<usize> {
    let last = table.len().saturating_sub(1);
    let end = end.min(last).max(start.min(last));
    table.get(start.min(last)..=end).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_decoded_from_one_with_values_stands_where_that_one_stands() {
        use crate::sql::substitute::{Placeholders, substitute};
        let file = "DO 'DROP TABLE ''${t}''.a'";
        let values = [("t".to_string(), "some name".to_string())].into();
        let done = substitute(file, &Placeholders { values, ..Placeholders::default() });
        let map = PositionMap::of_part(done.origin, 100);
        // `DROP TABLE 'some name'.a`, decoded: the doubled quotes are one byte each.
        let from = "DO '".len();
        let origins = (0..).map(|at| from + at + usize::from(at > 11) + usize::from(at > 21)).take(25);
        let body = map.decoded(origins);
        for map in [body.clone(), body.part(0, 24), body.shifted(0)] {
            assert_eq!(map.span(0, 10), Span { start: 104, end: 114 });
            assert_eq!(map.span(12, 21), Span { start: 117, end: 121 }, "the whole name");
            assert_eq!(map.span(17, 21), Span { start: 117, end: 121 }, "a word of it");
            assert_eq!(map.span(23, 24), Span { start: 124, end: 125 });
        }
        assert_eq!(body.part(12, 21).span(0, 4), Span { start: 117, end: 121 });
    }

    #[test]
    fn a_part_stands_where_it_stood_in_the_whole() {
        for map in [PositionMap::Linear(10), PositionMap::Table(vec![3, 4, 6, 8, 9]), PositionMap::Table(vec![5])] {
            for start in 0..7 {
                for end in start..7 {
                    for at in start..=end {
                        assert_eq!(map.part(start, end).at(at - start), map.at(at), "{map:?} {start}..{end} {at}");
                        assert_eq!(map.shifted(start).at(at - start), map.at(at), "{map:?} {start}.. {at}");
                    }
                }
            }
        }
        assert_eq!(PositionMap::Table(vec![]).part(2, 3).at(1), 0);
    }
}
