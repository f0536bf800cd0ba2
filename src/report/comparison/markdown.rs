//! A comparison as a note for a merge request, below the same limit as the note about one report.

use super::human::counts;
use super::{outcome, remarks, work};
use crate::compare::{ComparedFinding, Comparison};
use crate::report::level_name;
use crate::report::markdown::{LIMIT, code, length, prose, shortened};
use crate::rules::document;
use std::cmp::Reverse;

/// By which a bot finds its own note.
const MARKER: &str = "<!-- phasegate:compare -->";
/// Kept for the lines that say what was left out.
const RESERVE: usize = 2_000;

/// The note. What does not fit is counted: the worst new findings come first, what is fixed last.
pub fn markdown(comparison: &Comparison) -> String {
    let Comparison { new, fixed, unchanged, accepted, blocking, proofs, .. } = comparison;
    let mark = if new.is_empty() { "✅" } else { "❌" };
    let mut note = Note { text: format!("{MARKER}\n## {mark} phasegate: {}\n", counts(comparison.summary)) };
    note.section("Read this first", false, remarks(comparison).iter().map(|remark| format!("- {}\n", prose(&shortened(remark)))));
    let mut worst: Vec<&ComparedFinding> = new.iter().collect();
    worst.sort_by_key(|finding| Reverse(finding.level));
    note.section("New", false, worst.into_iter().map(|finding| format!("{}{}", entry(finding), advice(finding))));
    let risen = unchanged.iter().filter(|one| one.finding.level != one.base_level);
    note.section(
        "Of another level than before",
        false,
        risen.map(|one| format!("{}  <br>was {}\n", entry(&one.finding), level_name(one.base_level))),
    );
    note.section(
        "New statements that block",
        false,
        blocking.iter().map(|one| {
            let place = code(&shortened(&format!("{}:{}", one.path, one.line)));
            format!("- {place} {}\n", work(one, |relation| code(&shortened(relation))))
        }),
    );
    note.section(
        "Proofs",
        false,
        proofs.iter().map(|one| {
            let (base, head) = (outcome(one.base.as_deref()), outcome(one.head.as_deref()));
            format!(
                "- {} of {}: {}, now {}\n",
                prose(&shortened(&one.proof)),
                code(&shortened(&one.history)),
                prose(base),
                prose(head)
            )
        }),
    );
    note.section("Accepted", true, accepted.iter().map(entry));
    note.section(
        "Fixed",
        true,
        fixed.iter().map(|one| {
            let gone = if one.is_judged { "" } else { "  <br>HEAD no longer judges this migration\n" };
            format!("{}{gone}", entry(&one.finding))
        }),
    );
    note.text
}

struct Note {
    text: String,
}

impl Note {
    /// A heading and its entries, as many as fit; nothing where there is none.
    fn section(&mut self, title: &str, is_folded: bool, entries: impl Iterator<Item = String>) {
        let mut entries = entries.peekable();
        if entries.peek().is_none() {
            return;
        }
        let (open, close) = if is_folded {
            (format!("\n<details><summary>{title}</summary>\n\n"), "\n</details>\n")
        } else {
            (format!("\n### {title}\n\n"), "")
        };
        self.text.push_str(&open);
        let mut size = length(&self.text);
        while let Some(entry) = entries.peek() {
            size += length(entry);
            if size > LIMIT - RESERVE {
                break;
            }
            self.text.push_str(entry);
            entries.next();
        }
        let left_out = entries.count();
        if left_out > 0 {
            self.text.push_str(&format!(
                "- and {left_out} more, not shown to stay below {LIMIT} characters; `--format json` has all\n"
            ));
        }
        self.text.push_str(close);
    }
}

fn entry(finding: &ComparedFinding) -> String {
    let ComparedFinding { path, line, rule, level, message, .. } = finding;
    // The rule is text of a file here, too: only one that exists becomes a link.
    let rule = match document::find(rule) {
        Some(known) => format!("[{}]({})", known.id, document::url(&known.id)),
        None => code(&shortened(rule)),
    };
    let place = code(&shortened(&format!("{path}:{line}")));
    format!("- **{}** {rule} at {place}: {}\n", level_name(*level), prose(&shortened(message)))
}

fn advice(finding: &ComparedFinding) -> String {
    let first: String = finding.help.lines().take_while(|line| !line.starts_with("--")).collect::<Vec<_>>().join(" ");
    if first.is_empty() { String::new() } else { format!("  <br>→ {}\n", prose(&shortened(&first))) }
}
