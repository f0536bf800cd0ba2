//! A finding: one rule's judgement about one place, with everything a report needs.

use crate::op::Span;
use crate::recipe::Recipe;

/// How bad a finding is. Suppressed or not is another question.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Off,
    Note,
    Warning,
    Error,
}

#[derive(Clone, Debug)]
pub struct Finding {
    /// Id of the rule, the name of its file in `rules/`.
    pub rule: &'static str,
    pub level: Level,
    /// Path of the file as in the report.
    pub path: String,
    /// Id of the unit; empty where the finding is about a file or directory.
    pub migration: String,
    /// 1-based statement of the unit, where there is one.
    pub statement: Option<usize>,
    /// Bytes of the file.
    pub span: Span,
    /// What and why, one sentence.
    pub message: String,
    /// What to do.
    pub help: String,
    pub related: Vec<Related>,
    /// What silenced it, if anything did.
    pub suppressed: Option<Suppression>,
    /// 32 hexadecimal digits that do not depend on line numbers; empty until [`crate::fingerprint::assign`].
    pub fingerprint: String,
    /// The same as SQL: what to write in place of the statement. Its text stands in `help` too.
    pub recipe: Option<Recipe>,
}

impl Finding {
    /// A finding about a file, until more is said of where in it.
    pub fn new(rule: &'static str, level: Level, path: String, message: String, help: String) -> Finding {
        Finding {
            rule,
            level,
            path,
            migration: String::new(),
            statement: None,
            span: Span::default(),
            message,
            help,
            related: Vec::new(),
            suppressed: None,
            fingerprint: String::new(),
            recipe: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    pub path: String,
    pub span: Span,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Suppression {
    pub by: SuppressedBy,
    pub reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SuppressedBy {
    Tag,
    Allow,
    Baseline,
    Level,
}
