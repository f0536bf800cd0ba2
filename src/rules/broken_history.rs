use super::{Check, Family, Rule};
use crate::finding::Level;

/// A step that its runner refuses, or never runs where later ones were applied: found while the history is read.
pub const RULE: Rule = Rule { id: "broken-history", family: Family::History, level: Level::Error, check: Check::Source };
