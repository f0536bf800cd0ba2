use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::finding::Level;

pub const RULE: Rule =
    Rule { id: "unclassified-statement", family: Family::Phase, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.events {
        let Change::Unclassified { node } = &event.change else { continue };
        findings.push(cx.finding(
            RULE.id,
            Level::Error,
            event,
            node.clone(),
            format!("phasegate has no verdict for this statement ({node}): what it takes from the previous release is not known"),
            "review it by hand, and allow it with a reason; please report it, so that it gets a verdict".into(),
        ));
    }
}
