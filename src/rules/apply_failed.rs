use super::{Check, Family, Rule};
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "apply-failed", family: Family::Proof, level: Level::Error, check: Check::Proof };
