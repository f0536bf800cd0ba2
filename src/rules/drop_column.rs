use super::shared::fallout;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "drop-column", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        let Change::ColumnDropped { relation, column } = &event.change else { continue };
        if !cx.older_table(relation) || !cx.older(column.birth) {
            continue;
        }
        let name = cx.part_label(relation, &column.name);
        findings.push(
            cx.finding(
                RULE.id,
                Level::Error,
                event,
                name.clone(),
                format!(
                    "column {name} is dropped while the previous release may still read or write it{}",
                    fallout::along(cx, event)
                ),
                format!(
                    "release code that neither reads nor writes {name}, then drop it in a later release, in a migration tagged \
                     `-- phase contract`"
                ),
            )
            .also_about(cx.label(relation))
            .related(cx.created(column.birth)),
        );
    }
}
