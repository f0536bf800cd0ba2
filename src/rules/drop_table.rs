use super::{Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::object::RelationKind;
use crate::finding::Level;
use crate::op::Persistence;

pub const RULE: Rule = Rule { id: "drop-table", family: Family::Contract, level: Level::Error, check };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::RelationDropped { relation } = &event.change else { continue };
        let table = matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable | RelationKind::ForeignTable);
        if !table || !cx.older(relation.birth) || relation.persistence == Persistence::Temporary {
            continue;
        }
        let name = cx.before.relation_label(relation);
        let mut finding = cx.finding(
            RULE.id,
            Level::Error,
            event,
            format!("{name} is dropped while the previous release may still read and write it"),
            format!("stop using {name} in one release, then drop it in a later one, in a migration tagged `-- phase contract`"),
        );
        finding.related.extend(cx.created(relation.birth));
        findings.push(finding);
    }
}
