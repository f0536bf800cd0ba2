use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::finding::Level;
use crate::op::Persistence;

pub const RULE: Rule = Rule { id: "unlogged", family: Family::Contract, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::PersistenceChanged { relation, logged: false } = &event.change else { continue };
        let still = cx.after.relation(relation.id).is_some_and(|now| now.persistence == Persistence::Unlogged);
        if !cx.older_relation(relation) || relation.persistence == Persistence::Unlogged || !still {
            continue;
        }
        let name = cx.label(relation);
        findings.push(
            cx.finding(
                RULE.id,
                Level::Warning,
                event,
                name.clone(),
                format!("{name} becomes unlogged: what the previous release writes to it is lost after a crash, and replicas have none of it"),
                format!("leave {name} logged, or keep such rows in a new unlogged table"),
            )
            .related(cx.created(relation.birth)),
        );
    }
}
