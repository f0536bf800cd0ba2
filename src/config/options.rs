//! What rules take besides a level: `down-file-used = { level = "warning", paths = ["deploy"] }`.

use std::path::PathBuf;

/// Options of rules, as they are in force. What no rule of this name takes is an error of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleOptions {
    /// `down-file-used`: files and directories of the tooling that runs in production, as seen from the working directory.
    pub down_file_paths: Vec<PathBuf>,
}

/// The options of a rule.
pub fn known(rule: &str) -> &'static [&'static str] {
    match rule {
        "down-file-used" => &["paths"],
        _ => &[],
    }
}
