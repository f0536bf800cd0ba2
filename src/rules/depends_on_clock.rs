use super::{Check, Family, Rule};
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "depends-on-clock", family: Family::Proof, level: Level::Warning, check: Check::Proof };
