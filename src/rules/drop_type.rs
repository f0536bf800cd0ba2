use super::shared::fallout;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::name::qualified;
use crate::catalog::object::RelationKind;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "drop-type", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        let (what, name, birth) = match &event.change {
            Change::TypeDropped { object } => {
                (fallout::type_word(&object.kind), qualified(&object.schema, &object.name), object.birth)
            }
            Change::ColumnDropped { relation, column }
                if relation.kind == RelationKind::Composite && cx.older(relation.birth) =>
            {
                ("attribute", cx.part_label(relation, &column.name), column.birth)
            }
            _ => continue,
        };
        if !cx.older(birth) {
            continue;
        }
        findings.push(
            cx.finding(
                RULE.id,
                Level::Error,
                event,
                name.clone(),
                format!(
                    "{what} {name} is dropped while the previous release may still name it in casts and parameters (42704){}",
                    fallout::along(cx, event)
                ),
                format!(
                    "release code that no longer names {name}, then drop it in a later release, in a migration tagged \
                     `-- phase contract`"
                ),
            )
            .related(cx.created(birth)),
        );
    }
}
