//! A comparison for the terminal: a line for each finding, new ones first.

use super::{outcome, remarks, work};
use crate::compare::{ComparedFinding, Comparison, Counts};
use crate::report::escape::escape;
use crate::report::level_name;
use std::io;
use textwrap::{Options, WordSeparator, WordSplitter};

/// Writes the comparison in lines of at most `width` columns, as far as paths let it. Everything from the reports is escaped.
pub fn human(comparison: &Comparison, width: usize, out: &mut dyn io::Write) -> io::Result<()> {
    let Comparison { new, fixed, unchanged, accepted, blocking, proofs, .. } = comparison;
    let mut line = |text: &str| {
        let options = Options::new(width.max(30))
            .subsequent_indent("    ")
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation);
        writeln!(out, "{}", textwrap::fill(&escape(text), options))
    };
    for remark in remarks(comparison) {
        line(&format!("remark: {remark}"))?;
    }
    for finding in new {
        line(&format!("new: {}", told(finding)))?;
    }
    for one in unchanged.iter().filter(|one| one.base_level != one.finding.level) {
        line(&format!("was {}: {}", level_name(one.base_level), told(&one.finding)))?;
    }
    for statement in blocking {
        let place = format!("{}:{}", statement.path, statement.line);
        line(&format!("blocks, new: {place}: {}", work(statement, str::to_owned)))?;
    }
    for proof in proofs {
        let (base, head) = (outcome(proof.base.as_deref()), outcome(proof.head.as_deref()));
        line(&format!("proof {} of {}: {base}, now {head}", proof.proof, proof.history))?;
    }
    for finding in accepted {
        line(&format!("accepted: {}", told(finding)))?;
    }
    for one in fixed {
        let word = if one.is_judged { "fixed" } else { "no longer judged" };
        line(&format!("{word}: {}", told(&one.finding)))?;
    }
    line(&counts(comparison.summary))
}

fn told(finding: &ComparedFinding) -> String {
    let ComparedFinding { path, line, column, rule, level, message, .. } = finding;
    format!("{}[{rule}] {path}:{line}:{column}: {message}", level_name(*level))
}

/// "2 new, 1 fixed, 5 unchanged".
pub(super) fn counts(counts: Counts) -> String {
    let Counts { new, fixed, unchanged, accepted, blocking: _, proofs: _ } = counts;
    let accepted = if accepted > 0 { format!(", {accepted} accepted") } else { String::new() };
    format!("{new} new, {fixed} fixed, {unchanged} unchanged{accepted}")
}
