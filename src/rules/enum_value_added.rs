use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::name::qualified;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "enum-value-added", family: Family::Contract, level: Level::Note, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::LabelAdded { object, label } = &event.change else { continue };
        if !cx.older(object.birth) {
            continue;
        }
        let name = qualified(&object.schema, &object.name);
        findings.push(
            cx.finding(
                RULE.id,
                Level::Note,
                event,
                format!("{name}.{label}"),
                format!("enum {name} gains '{label}': the previous release may not decode it when it meets it"),
                format!("release code that understands '{label}' before any code writes it"),
            )
            .related(cx.created(object.birth)),
        );
    }
}
