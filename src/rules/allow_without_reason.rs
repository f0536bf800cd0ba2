use super::{AllowsContext, Check, Family, Rule};
use crate::allow::Said;
use crate::finding::{Finding, Level};

pub const RULE: Rule =
    Rule { id: "allow-without-reason", family: Family::History, level: Level::Error, check: Check::Allows(check) };

fn check(cx: &AllowsContext<'_>, findings: &mut Vec<Finding>) {
    for said in cx.said {
        let Said::Allow(applied) = said else { continue };
        if applied.allow.reason.is_some() {
            continue;
        }
        let rules: Vec<&str> = applied.allow.rules.iter().map(|named| named.name.split(' ').next().unwrap_or_default()).collect();
        findings.push(cx.finding(
            RULE.id,
            applied.allow.span,
            format!("{} is allowed without a reason, so nothing is silenced", rules.join(", ")),
            "say behind the rules, after ` -- `, why it is safe here".into(),
        ));
    }
}
