//! An object dropped and created again in one transaction: what of it is the same to old clients.

use crate::catalog::change::{Cause, Change, Event};
use crate::catalog::object::{Id, Relation, RelationKind, Routine};
use crate::op::{Query, TriggerTiming};
use crate::rules::Context;
use crate::rules::shared::{fallout, list};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recreation {
    /// Not recreated in the same transaction.
    Missing,
    /// Recreated, but old clients see a difference, or it is not known that they see none.
    Different(String),
    /// Recreated, with something lost that DROP takes and CREATE does not give back.
    Lost(Vec<String>),
    Same,
}

/// The relation of that name that the same transaction creates after `event`.
pub fn relation_after<'a>(cx: &Context<'a>, event: &Event, schema: &str, name: &str) -> Option<&'a Arc<Relation>> {
    cx.later(event).find_map(|later| {
        let Change::RelationCreated { relation } = &later.change else { return None };
        cx.after.relation(*relation).filter(|relation| relation.schema == schema && relation.name == name)
    })
}

/// The view comes back; so does what fell with it.
pub fn view(cx: &Context<'_>, event: &Event, old: &Relation) -> Recreation {
    and_what_fell(cx, event, view_alone(cx, event, old))
}

/// What fell with the object and does not come back makes the difference.
fn and_what_fell(cx: &Context<'_>, event: &Event, recreation: Recreation) -> Recreation {
    if event.cause != Cause::Direct || !matches!(recreation, Recreation::Same | Recreation::Lost(_)) {
        return recreation;
    }
    let fallen = cx.same_command(event).filter(|other| other.cause == Cause::Cascade);
    let lost: Vec<String> =
        fallen.filter(|other| !comes_back(cx, other)).filter_map(|other| fallout::label(cx, &other.change)).collect();
    if lost.is_empty() { recreation } else { Recreation::Different(format!("{} does not come back", list(&lost))) }
}

/// What fell with something else is new, a part of what fell, or made again in the same transaction.
fn comes_back(cx: &Context<'_>, event: &Event) -> bool {
    if crate::rules::context::dropped_birth(&event.change).is_none_or(|birth| !cx.older(birth)) {
        return true;
    }
    let owner_fell = |id: Id| {
        cx.same_command(event).any(|other| matches!(&other.change, Change::RelationDropped { relation } if relation.id == id))
    };
    let later = |found: &dyn Fn(&Change) -> bool| cx.later(event).any(|later| found(&later.change));
    match &event.change {
        Change::RelationDropped { relation } if relation.is_view() => {
            matches!(view_alone(cx, event, relation), Recreation::Same | Recreation::Lost(_))
        }
        Change::RoutineDropped { routine: old } => {
            matches!(routine_alone(cx, event, old), Recreation::Same | Recreation::Lost(_))
        }
        Change::TriggerDropped { relation, trigger } => {
            owner_fell(relation.id)
                || later(&|change| {
                    matches!(change, Change::TriggerCreated { relation: on, trigger: new, .. }
                        if on.id == relation.id && new.name == trigger.name)
                })
        }
        Change::PolicyDropped { relation, policy, .. } => {
            owner_fell(relation.id)
                || later(&|change| {
                    matches!(change, Change::PolicyCreated { relation: on, policy: new }
                        if on.id == relation.id && new.name == policy.name)
                })
        }
        Change::ConstraintDropped { relation, constraint, .. } => {
            owner_fell(relation.id)
                || later(&|change| {
                    matches!(change, Change::ConstraintAdded { relation: on, constraint: new }
                        if on.id == relation.id && new.name == constraint.name)
                })
        }
        Change::DefaultDropped { relation, column } => {
            owner_fell(relation.id)
                || later(&|change| {
                    matches!(change, Change::DefaultSet { relation: on, column: new, .. }
                        if on.id == relation.id && new.id == column.id)
                })
        }
        Change::IndexDropped { relation, index, .. } => {
            owner_fell(relation.id) || cx.after.indexes_of(relation.id).iter().any(|new| new.name == index.name)
        }
        Change::ColumnDropped { relation, .. } | Change::RuleDropped { relation, .. } => owner_fell(relation.id),
        _ => false,
    }
}

fn view_alone(cx: &Context<'_>, event: &Event, old: &Relation) -> Recreation {
    let Some(new) = relation_after(cx, event, &old.schema, &old.name) else { return Recreation::Missing };
    if new.kind != old.kind {
        return Recreation::Different("it comes back as another kind of relation".into());
    }
    // Old clients miss what the last release had, not what came and went since.
    let old = cx.released_relation(old.id).map_or(old, |released| released.as_ref());
    if !old.known {
        return Recreation::Different("what columns it had is not known".into());
    }
    for column in &old.columns {
        let Some(again) = new.column(&column.name) else {
            return Recreation::Different(format!("it comes back without column {}", column.name));
        };
        let known_same = !column.data_type.is_unknown() && column.data_type == again.data_type;
        if !known_same && !same_expression(old, new, &column.name) {
            let what = if column.data_type.is_unknown() || again.data_type.is_unknown() {
                format!("whether the type of column {} stays is not known", column.name)
            } else {
                format!("it comes back with another type of column {}", column.name)
            };
            return Recreation::Different(what);
        }
    }
    let lost = lost_of_view(cx, old, new);
    if lost.is_empty() { Recreation::Same } else { Recreation::Lost(lost) }
}

/// Both queries compute the column by the same text from the same relations.
fn same_expression(old: &Relation, new: &Relation, column: &str) -> bool {
    let query = |relation: &Relation| relation.view.as_ref().and_then(|view| view.query.clone());
    let (Some(old), Some(new)) = (query(old), query(new)) else { return false };
    if old.text == new.text && !old.text.is_empty() {
        return true;
    }
    let target =
        |query: &Query| query.targets.iter().find(|target| target.name.as_deref() == Some(column)).map(|t| t.expr.clone());
    old.from == new.from && old.ctes == new.ctes && target(&old).is_some() && target(&old) == target(&new)
}

fn lost_of_view(cx: &Context<'_>, old: &Relation, new: &Relation) -> Vec<String> {
    let mut lost = Vec::new();
    for grant in &old.grants {
        if old.owner.as_ref() != Some(&grant.0) && !new.grants.contains(grant) {
            lost.push(format!("GRANT {} TO {} (42501)", grant.1.to_uppercase(), grant.0));
        }
    }
    for option in &old.options {
        if !new.options.contains(option) {
            lost.push(format!("option {}", option.0));
        }
    }
    for trigger in old.triggers.iter().filter(|trigger| trigger.timing == TriggerTiming::InsteadOf) {
        let again = new.triggers.iter().any(|other| {
            other.timing == trigger.timing && other.events == trigger.events && other.function_name == trigger.function_name
        });
        if !again {
            lost.push(format!("INSTEAD OF trigger {}", trigger.name));
        }
    }
    for rule in &old.rules {
        if !new.rules.iter().any(|other| other.name == rule.name) {
            lost.push(format!("rule {}", rule.name));
        }
    }
    if old.kind == RelationKind::MaterializedView {
        let populated = |relation: &Relation| relation.view.as_ref().is_some_and(|view| view.populated);
        if populated(old) && !populated(new) {
            lost.push("its rows: WITH NO DATA, so that a SELECT fails until it is refreshed (55000)".into());
        }
        let unique = |id: Id, catalog: &crate::catalog::Catalog| catalog.indexes_of(id).iter().any(|index| index.unique);
        if unique(old.id, cx.released) && !unique(new.id, cx.after) {
            lost.push("its unique index, without which REFRESH CONCURRENTLY fails".into());
        }
    }
    lost.dedup();
    lost
}

/// The routine comes back; so does what fell with it.
pub fn routine(cx: &Context<'_>, event: &Event, old: &Routine) -> Recreation {
    and_what_fell(cx, event, routine_alone(cx, event, old))
}

fn routine_alone(cx: &Context<'_>, event: &Event, old: &Routine) -> Recreation {
    let types = |routine: &Routine| routine.input_types().cloned().collect::<Vec<_>>();
    let again = cx.later(event).find_map(|later| {
        let Change::RoutineCreated { routine } = &later.change else { return None };
        let new = cx.after.routines.get(routine)?;
        (new.schema == old.schema && new.name == old.name && new.kind == old.kind && types(new) == types(old)).then_some(new)
    });
    let Some(new) = again else { return Recreation::Missing };
    let old = cx.released.routines.get(&old.id).map_or(old, |released| released.as_ref());
    if new.returns != old.returns || new.returns_set != old.returns_set {
        return Recreation::Different("it comes back with another return type".into());
    }
    if old.args.iter().any(|arg| arg.data_type.is_unknown()) {
        return Recreation::Different("its argument types are not known".into());
    }
    let shape = |routine: &Routine| routine.args.iter().map(|arg| (arg.name.clone(), arg.mode)).collect::<Vec<_>>();
    if shape(new) != shape(old) {
        return Recreation::Different("it comes back with other argument names".into());
    }
    if old.args.iter().zip(&new.args).any(|(old, new)| old.has_default && !new.has_default) {
        return Recreation::Different("it comes back without a default that calls rely on".into());
    }
    let lost = lost_of_routine(old, new);
    if lost.is_empty() { Recreation::Same } else { Recreation::Lost(lost) }
}

fn lost_of_routine(old: &Routine, new: &Routine) -> Vec<String> {
    let mut lost = Vec::new();
    for grant in &old.grants {
        if old.owner.as_ref() != Some(&grant.0) && !new.grants.contains(grant) {
            lost.push(format!("GRANT {} TO {} (42501)", grant.1.to_uppercase(), grant.0));
        }
    }
    let public = ("public".to_string(), "execute".to_string());
    if new.grants.contains(&public) && !old.grants.contains(&public) {
        lost.push("REVOKE EXECUTE FROM PUBLIC".into());
    }
    if old.security_definer && !new.security_definer {
        lost.push("SECURITY DEFINER".into());
    }
    for (name, value) in &old.settings {
        if !new.settings.contains(&(name.clone(), value.clone())) {
            lost.push(format!("SET {name}"));
        }
    }
    lost
}
