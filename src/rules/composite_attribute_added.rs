use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::object::RelationKind;
use crate::finding::Level;

pub const RULE: Rule =
    Rule { id: "composite-attribute-added", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::ColumnAdded { relation, column } = &event.change else { continue };
        if relation.kind != RelationKind::Composite || !cx.older(relation.birth) {
            continue;
        }
        let (type_name, name) = (cx.label(relation), cx.part_label(relation, &column.name));
        findings.push(
            cx.finding(
                RULE.id,
                Level::Error,
                event,
                name,
                format!("composite type {type_name} gains {}: row constructors and literals that the previous release casts to it fail (42846, 22P02)", column.name),
                format!("create a new type beside {type_name}, move columns and clients over, and drop {type_name} in a later release"),
            )
            .related(cx.created(relation.birth)),
        );
    }
}
