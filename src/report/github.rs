//! `--format github`: workflow commands, which GitHub turns into annotations of a commit.
//!
//! Errors come first: GitHub shows ten of each kind for a step. Suppressed findings are not in it, notes only where they are asked for.

use super::escape::escape;
use super::formats::{Manner, NamedFormat};
use super::model::FindingEntry;
use super::{Format, Report};
use crate::finding::Level;
use crate::prove::evidence::Outcome;
use std::borrow::Cow;
use std::io;

pub const FORMAT: NamedFormat = NamedFormat {
    name: "github",
    about: "For GitHub: workflow commands that annotate a commit",
    make: |&Manner { least, .. }| Box::new(Annotations { least }),
};

/// Workflow commands.
#[derive(Clone, Copy, Debug)]
pub struct Annotations {
    /// Findings below this level are left out.
    pub least: Level,
}

impl Format for Annotations {
    fn write(&self, report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
        for level in [Level::Error, Level::Warning, Level::Note] {
            let of_level = |finding: &&FindingEntry| finding.counts() && finding.level == level && level >= self.least;
            for finding in report.findings.iter().filter(of_level) {
                annotation(finding, out)?;
            }
        }
        for (path, why) in report.problems() {
            let place = if path.below().is_empty() { String::new() } else { format!("{}: ", path.below()) };
            writeln!(out, "::error title=phasegate::{}", data(&escape(&format!("not checked: {place}{why}"))))?;
        }
        for evidence in &report.evidence {
            for proof in &evidence.proofs {
                if let Outcome::NotRun(why) = &proof.outcome {
                    let text = format!("{}: {} is not proven: {why}", evidence.history.below(), proof.proof);
                    writeln!(out, "::error title=phasegate::{}", data(&escape(&text)))?;
                }
            }
        }
        Ok(())
    }
}

fn annotation(finding: &FindingEntry, out: &mut dyn io::Write) -> io::Result<()> {
    let command = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note | Level::Off => "notice",
    };
    let FindingEntry { line, end_line, column, end_column, .. } = finding;
    let file = escape(finding.path.below());
    write!(out, "::{command} file={},line={line},endLine={end_line}", property(&file))?;
    // Columns mean something on one line only.
    if line == end_line {
        write!(out, ",col={column},endColumn={end_column}")?;
    }
    write!(out, ",title={}::{}", property(&format!("phasegate {}", finding.rule)), data(&escape(&finding.message)))?;
    for text in finding.help.lines() {
        write!(out, "%0A{}", data(&escape(text)))?;
    }
    writeln!(out)
}

/// The message of a command. Line ends are escaped already.
fn data(text: &str) -> Cow<'_, str> {
    escaped(text, &['%', '\r', '\n'])
}

/// A value before the `::`.
fn property(text: &str) -> Cow<'_, str> {
    escaped(text, &['%', '\r', '\n', ':', ','])
}

/// As the runner reads it back: `%25`, `%0D`, `%0A`, `%3A`, `%2C`.
fn escaped<'a>(text: &'a str, special: &[char]) -> Cow<'a, str> {
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if special.contains(&character) {
            safe.push_str(&format!("%{:02X}", u32::from(character)));
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}
