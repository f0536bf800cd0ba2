//! Where a byte of a parsed text stands in the file, also inside string literals with escapes.

use crate::op::Span;

/// Maps offsets in a text to offsets in the file it was taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PositionMap {
    /// The text stands in the file as it is, from this byte on.
    Linear(usize),
    /// The text was decoded: entry `i` is where byte `i` stands in the file; one entry more for the end.
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
        match self {
            PositionMap::Linear(base) => PositionMap::Linear(base + offset),
            PositionMap::Table(table) => PositionMap::Table(table[offset.min(table.len())..].to_vec()),
        }
    }
}
