use super::{Check, Family, Rule};
use crate::finding::Level;

/// A comment that means to be a phase tag and does not parse: found while tags are read.
pub const RULE: Rule = Rule { id: "malformed-phase-tag", family: Family::Phase, level: Level::Error, check: Check::Source };
