use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::object::{Constraint, ConstraintType, Relation};
use crate::finding::Level;
use crate::op::FkAction;

pub const RULE: Rule = Rule { id: "drop-foreign-key", family: Family::Contract, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        let Change::ConstraintDropped { relation, constraint, .. } = &event.change else { continue };
        let ConstraintType::ForeignKey { on_delete, on_update, .. } = &constraint.kind else { continue };
        if !cx.older_table(relation) || !cx.older(constraint.birth) || equal_later(cx, event, relation, constraint) {
            continue;
        }
        let name = cx.part_label(relation, &constraint.name);
        let acts = |action: &FkAction| matches!(action, FkAction::Cascade | FkAction::SetNull | FkAction::SetDefault);
        let (level, message, help) = if acts(on_delete) || acts(on_update) {
            let clause = if acts(on_delete) { ("DELETE", *on_delete) } else { ("UPDATE", *on_update) };
            (
                Level::Error,
                format!(
                    "foreign key {name} carries ON {} {}: when the previous release changes the referenced rows, nothing cleans up \
                     any more",
                    clause.0,
                    action_words(clause.1)
                ),
                format!("release code that does this work itself, then drop {name} in a later release, tagged `-- phase contract`"),
            )
        } else {
            (
                Level::Warning,
                format!("foreign key {name} is dropped: rows without a referenced row get in, which old readers never met"),
                format!("add the foreign key that replaces {name} in the same transaction (NOT VALID), or drop it in a later release, tagged `-- phase contract`"),
            )
        };
        findings.push(cx.finding(RULE.id, level, event, name, message, help).related(cx.created(constraint.birth)));
    }
}

/// Columns, referenced columns and actions come back in the same transaction.
fn equal_later(cx: &Context<'_>, event: &Event, dropped_from: &Relation, dropped: &Constraint) -> bool {
    let shape = |constraint: &Constraint| match &constraint.kind {
        ConstraintType::ForeignKey { columns, references, ref_columns, on_delete, on_update, .. } => {
            Some((columns.clone(), *references, ref_columns.clone(), *on_delete, *on_update, constraint.enforced))
        }
        _ => None,
    };
    cx.later(event).any(|later| {
        matches!(&later.change, Change::ConstraintAdded { relation, constraint }
            if relation.id == dropped_from.id && shape(constraint) == shape(dropped))
    })
}

fn action_words(action: FkAction) -> &'static str {
    match action {
        FkAction::NoAction => "NO ACTION",
        FkAction::Restrict => "RESTRICT",
        FkAction::Cascade => "CASCADE",
        FkAction::SetNull => "SET NULL",
        FkAction::SetDefault => "SET DEFAULT",
    }
}
