use super::{Check, Family, Rule};
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "runners-collide", family: Family::Proof, level: Level::Error, check: Check::Proof };
