use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "detach-partition", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let (parent, child, verb) = match &event.change {
            Change::PartitionDetached { parent, partition, .. } => (parent, partition, "detached from"),
            Change::InheritRemoved { parent, child } => (parent, child, "no longer a child of"),
            _ => continue,
        };
        let joined_now = !cx.released_relation(child.id).is_some_and(|before| before.parents.contains(&parent.id));
        let back = cx.after.relation(child.id).is_some_and(|after| after.parents.contains(&parent.id));
        if !cx.older_relation(parent) || !cx.older_relation(child) || joined_now || back {
            continue;
        }
        let (parent_name, name) = (cx.label(parent), cx.label(child));
        findings.push(
            cx.finding(
                RULE.id,
                Level::Error,
                event,
                name.clone(),
                format!("{name} is {verb} {parent_name}: its rows vanish from {parent_name}, which the previous release reads"),
                format!("release code that does not need these rows, then detach {name} in a later release, tagged `-- phase contract`"),
            )
            .related(cx.created(child.birth)),
        );
    }
}
