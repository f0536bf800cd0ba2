use super::{Check, Family, Rule};
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "rerun-failed", family: Family::Proof, level: Level::Note, check: Check::Proof };
