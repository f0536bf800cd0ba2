use super::{Check, Family, Rule};
use crate::finding::Level;

/// A file that is no text: found while files are read.
pub const RULE: Rule = Rule { id: "not-utf8", family: Family::History, level: Level::Error, check: Check::Source };
