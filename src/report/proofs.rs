//! The table of proofs for people: what holds, what does not, what nobody knows, with cost and coverage.

use super::escape::escape;
use crate::prove::evidence::{Coverage, Evidence, Outcome, Proven};
use unicode_width::UnicodeWidthStr;

/// One line of the table, and what stands below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of standard width for all lines of one table.
    pub text: String,
    pub below: Vec<String>,
}

/// The lines of one history's proofs, in the order in which they ran.
pub fn lines(evidence: &Evidence, color: bool) -> Vec<Line> {
    let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let names = width(&mut evidence.proofs.iter().map(|proof| proof.proof.width()));
    let coverages = width(&mut evidence.proofs.iter().map(|proof| covered(&proof.coverage).width()));
    let line = |proof: &Proven| {
        let (word, style) = match proof.outcome {
            Outcome::Passed => ("passed", "\x1b[32m"),
            Outcome::Failed => ("failed", "\x1b[31m"),
            Outcome::NotRun(_) => ("not run", "\x1b[33m"),
        };
        let word = format!("{word:<7}");
        let word = if color { format!("{style}{word}\x1b[0m") } else { word };
        let coverage = covered(&proof.coverage);
        let gap = " ".repeat(coverages - coverage.width());
        let text = format!("{:<names$}  {word}  {coverage}{gap}  {:>6.1} s", proof.proof, proof.seconds);
        let why = match &proof.outcome {
            Outcome::NotRun(why) => Some(why),
            Outcome::Passed | Outcome::Failed => None,
        };
        Line { text, below: why.into_iter().chain(&proof.remarks).map(|remark| escape(remark).into_owned()).collect() }
    };
    evidence.proofs.iter().map(line).collect()
}

/// "12 units", "40 of 120 statement boundaries".
fn covered(coverage: &Coverage) -> String {
    match coverage {
        Coverage { what: "", .. } => String::new(),
        Coverage { done, of, what } if done == of => format!("{done} {what}"),
        Coverage { done, of, what } => format!("{done} of {of} {what}"),
    }
}
