use super::{Check, Family, Rule};
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "needs-superuser", family: Family::Proof, level: Level::Warning, check: Check::Proof };
