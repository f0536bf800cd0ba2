use super::shared::fallout;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::finding::Level;
use crate::op::Persistence;

pub const RULE: Rule = Rule { id: "drop-table", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        let Change::RelationDropped { relation } = &event.change else { continue };
        if !relation.is_table() || !cx.older(relation.birth) || relation.persistence == Persistence::Temporary {
            continue;
        }
        let name = cx.label(relation);
        let partition = relation.partition_bound.is_some();
        let what = if partition { "partition" } else { fallout::kind_word(relation.kind) };
        let rows = if partition { ", and its rows vanish from the partitioned table" } else { "" };
        findings.push(
            cx.finding(
                RULE.id,
                Level::Error,
                event,
                name.clone(),
                format!(
                    "{what} {name} is dropped while the previous release may still read and write it{rows}{}",
                    fallout::along(cx, event)
                ),
                format!(
                    "stop using {name} in one release, then drop it in a later one, in a migration tagged `-- phase contract`"
                ),
            )
            .related(cx.created(relation.birth)),
        );
    }
}
