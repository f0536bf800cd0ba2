use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Nothing};
use crate::finding::Level;

pub const RULE: Rule =
    Rule { id: "exists-of-unknown", family: Family::Contract, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::NothingDone { why: Nothing::Missing { name, complete: false, .. } } = &event.change else { continue };
        findings.push(cx.finding(
            RULE.id,
            Level::Warning,
            event,
            name.clone(),
            format!("IF EXISTS names {name}, which no migration seen here creates; if it is there, the previous release may use it"),
            format!("give the whole history or a schema dump (--schema), or judge {name} as if it existed"),
        ));
    }
}
