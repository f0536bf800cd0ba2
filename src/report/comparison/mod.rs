//! What two reports say of each other, for people: on a terminal, and as a note for a merge request.

mod human;
mod markdown;

use crate::compare::{BlockingStatement, Comparison};
pub use human::human;
pub use markdown::markdown;

/// What a reader has to know before the findings, one sentence each.
fn remarks(comparison: &Comparison) -> Vec<String> {
    let mut remarks = Vec::new();
    let (base, head) = (&comparison.base.tool_version, &comparison.head.tool_version);
    if base != head {
        remarks.push(format!(
            "BASE was written by phasegate {base} and HEAD by {head}: a rule that changed in between is not the change's doing"
        ));
    }
    for (side, own, other) in [(&comparison.base, "BASE", "HEAD"), (&comparison.head, "HEAD", "BASE")] {
        for history in &side.alone {
            remarks.push(format!("{history} is in {own} and not in {other}: its findings cannot be compared"));
        }
    }
    remarks
}

/// "passed", or that it was not asked for.
fn outcome(outcome: Option<&str>) -> &str {
    outcome.unwrap_or("not asked for")
}

/// "rewrites a; scans b, c".
fn work(statement: &BlockingStatement, show: impl Fn(&str) -> String) -> String {
    let kinds = [("rewrites", &statement.rewrites), ("scans", &statement.scans), ("builds an index on", &statement.index_builds)];
    let told = kinds.iter().filter(|(_, relations)| !relations.is_empty());
    let told = told.map(|(what, relations)| {
        format!("{what} {}", relations.iter().map(|relation| show(relation)).collect::<Vec<_>>().join(", "))
    });
    let told = told.collect::<Vec<_>>().join("; ");
    if told.is_empty() { "waits for others, and writers wait for it".to_owned() } else { told }
}
