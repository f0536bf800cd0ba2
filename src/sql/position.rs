//! Where a byte of a parsed text stands in the file, also inside string literals with escapes.

use crate::op::Span;

/// Maps offsets in a text to offsets in the file it was taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PositionMap {
    /// The text stands in the file as it is, from this byte on.
    Linear(usize),
    /// The text was decoded: entry `i` is where byte `i` stands in the file; one entry more for the end. What lies behind the
    /// table stands where its last entry does.
    Table(Vec<usize>),
}

impl PositionMap {
    pub fn at(&self, offset: usize) -> usize {
        match self {
            PositionMap::Linear(base) => base + offset,
            PositionMap::Table(table) => table.get(offset).or(table.last()).copied().unwrap_or(0),
        }
    }
    pub fn span(&self, start: usize, end: usize) -> Span {
        Span { start: self.at(start), end: self.at(end) }
    }
    /// The map for a part of the text that starts at `offset`.
    pub fn shifted(&self, offset: usize) -> PositionMap {
        self.part(offset, usize::MAX)
    }
    /// The map for the part `start..end` of the text.
    pub fn part(&self, start: usize, end: usize) -> PositionMap {
        match self {
            PositionMap::Linear(base) => PositionMap::Linear(base + start),
            PositionMap::Table(table) => {
                let last = table.len().saturating_sub(1);
                let end = end.min(last).max(start.min(last));
                PositionMap::Table(table.get(start.min(last)..=end).unwrap_or_default().to_vec())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
