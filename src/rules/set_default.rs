use super::shared::insert;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::name::qualified;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "set-default", family: Family::Contract, level: Level::Note, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let (name, birth) = match &event.change {
            Change::DefaultSet { relation, column, to }
                if cx.older_relation(relation) && !insert::is_null(to) && column.default.as_ref() != Some(to) =>
            {
                (cx.part_label(relation, &column.name), column.birth)
            }
            Change::DomainDefault { object, set: true } => (qualified(&object.schema, &object.name), object.birth),
            _ => continue,
        };
        if !cx.older(birth) {
            continue;
        }
        findings.push(
            cx.finding(
                RULE.id,
                Level::Note,
                event,
                name.clone(),
                format!("the default of {name} changes: an INSERT of the previous release that omits it writes the new value"),
                "make sure that the previous release reads the new value as well as the old one".into(),
            )
            .related(cx.created(birth)),
        );
    }
}
