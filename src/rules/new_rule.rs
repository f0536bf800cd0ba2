use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "new-rule", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::RuleCreated { relation, rule } = &event.change else { continue };
        let had = cx.released_relation(relation.id).is_some_and(|before| before.rules.iter().any(|old| old.event == rule.event));
        if !cx.older_table(relation) || had {
            continue;
        }
        let (name, table) = (cx.part_label(relation, &rule.name), cx.label(relation));
        let conflict = if matches!(rule.event.as_str(), "insert" | "update") { "INSERT … ON CONFLICT and MERGE" } else { "MERGE" };
        let returning = if rule.instead { format!(", and {} … RETURNING", rule.event.to_uppercase()) } else { String::new() };
        findings.push(
            cx.finding(
                RULE.id,
                Level::Error,
                event,
                name.clone(),
                format!("rule {name} rewrites old statements, and some fail (0A000) on {table}: {conflict}{returning}"),
                format!("use a trigger on {table} instead of a rule"),
            )
            .related(cx.created(relation.birth)),
        );
    }
}
