//! Every format by its name: a new one is a file of its own and one line here.

use super::{Format, github, gitlab, human, json, junit, markdown, sarif};
use crate::finding::Level;

/// How a report is to be written, whatever the format.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Formats for people leave out findings below this level; the others have them all.
    pub least: Level,
    /// Findings at this level or above fail a run.
    pub fail_on: Level,
    pub color: bool,
    /// False draws with ASCII only.
    pub unicode: bool,
    /// Columns of the terminal.
    pub width: usize,
}

/// A format as it is asked for.
pub struct NamedFormat {
    pub name: &'static str,
    /// For `--help`: for whom it is, and what it is.
    pub about: &'static str,
    pub make: fn(&Manner) -> Box<dyn Format>,
}

impl std::fmt::Debug for NamedFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// All of them, the default first.
pub static FORMATS: &[NamedFormat] =
    &[human::FORMAT, json::FORMAT, sarif::FORMAT, gitlab::FORMAT, github::FORMAT, junit::FORMAT, markdown::FORMAT];

/// The format of that name.
pub fn named(name: &str) -> Option<&'static NamedFormat> {
    FORMATS.iter().find(|format| format.name == name)
}
