use super::{AllowsContext, Check, Family, Rule, is_hygiene, rule, similar};
use crate::allow::Said;
use crate::finding::{Finding, Level};

pub const RULE: Rule = Rule { id: "unknown-allow", family: Family::History, level: Level::Error, check: Check::Allows(check) };

fn check(cx: &AllowsContext<'_>, findings: &mut Vec<Finding>) {
    for said in cx.said {
        let applied = match said {
            Said::Allow(applied) => applied,
            Said::Unreadable(unreadable) => {
                findings.push(cx.finding(RULE.id, unreadable.span, unreadable.message.clone(), unreadable.help.clone()));
                continue;
            }
        };
        for named in &applied.allow.rules {
            let name = named.name.as_str();
            let (message, help) = if is_hygiene(name) {
                (
                    format!("{name} cannot be allowed: it is about comments like this one"),
                    "mend or remove the comment that it is about".to_string(),
                )
            } else if rule(name).is_some() {
                continue;
            } else if name.contains(' ') {
                if applied.allow.reason.is_none() {
                    // More likely the reason without its mark: that is said.
                    continue;
                }
                (format!("there is no rule `{name}`: this allows nothing"), "put commas between the rules".to_string())
            } else {
                let help = match similar(name) {
                    Some(id) => format!("did you mean `{id}`?"),
                    None => "`phasegate rules` lists them; each has to be named".to_string(),
                };
                (format!("there is no rule `{name}`: this allows nothing"), help)
            };
            findings.push(cx.finding(RULE.id, named.span, message, help));
        }
    }
}
