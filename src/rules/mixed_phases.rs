use super::shared::fallout;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::object::{Relation, RelationKind};
use crate::finding::Level;
use crate::op::Persistence;
use crate::source::Phase;

pub const RULE: Rule = Rule { id: "mixed-phases", family: Family::Phase, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    if cx.migration.phase != Phase::Contract {
        return;
    }
    for event in cx.direct() {
        let (what, name) = match &event.change {
            Change::RelationCreated { relation } => {
                // A scratch table that the unit drops again is no expansion.
                let Some(new) = cx.after.relation(*relation) else { continue };
                let part = new.sequence.as_ref().is_some_and(|sequence| sequence.owned_by.is_some());
                if part || new.kind == RelationKind::Composite || new.persistence == Persistence::Temporary || replaces(cx, new) {
                    continue;
                }
                (fallout::kind_word(new.kind), cx.label(new))
            }
            Change::ColumnAdded { relation, column } if cx.older_relation(relation) => {
                let there = cx.after.relation(relation.id).is_some_and(|now| now.column_by_id(column.id).is_some());
                if !there || replaces_column(cx, relation, &column.name) {
                    continue;
                }
                ("column", cx.part_label(relation, &column.name))
            }
            _ => continue,
        };
        findings.push(cx.finding(
            RULE.id,
            Level::Warning,
            event,
            name.clone(),
            format!("a migration tagged as a contract also creates {what} {name}"),
            format!("create {name} in a migration of its own, without the tag, which releases before the contract"),
        ));
    }
}

/// Under its name something was dropped or renamed in this unit.
fn replaces(cx: &Context<'_>, new: &Relation) -> bool {
    cx.events.iter().any(|event| match &event.change {
        Change::RelationDropped { relation } | Change::RelationRenamed { relation, .. } => {
            relation.id != new.id && relation.schema == new.schema && relation.name == new.name
        }
        _ => false,
    }) || renamed_into_dropped(cx, new)
}

/// Created under another name, and renamed to that of a dropped one.
fn renamed_into_dropped(cx: &Context<'_>, new: &Relation) -> bool {
    cx.before.relations.values().any(|old| {
        old.schema == new.schema && old.name == new.name && old.id != new.id
    })
}

fn replaces_column(cx: &Context<'_>, added_to: &Relation, name: &str) -> bool {
    cx.events.iter().any(|event| match &event.change {
        Change::ColumnDropped { relation, column } | Change::ColumnRenamed { relation, column, .. } => {
            relation.id == added_to.id && column.name == name
        }
        _ => false,
    })
}
