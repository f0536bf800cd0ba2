//! What falls along with a dropped object, for messages.

use crate::catalog::change::{Cause, Change, Event};
use crate::catalog::object::{RelationKind, TypeKind};
use crate::op::RoutineKind;
use crate::rules::Context;
use crate::rules::shared::list;

/// `; view a.v and constraint b.t.c fall with it`, or nothing. Told once per command, by its first direct event.
pub fn along(cx: &Context<'_>, event: &Event) -> String {
    let first = cx.same_command(event).find(|other| other.cause == Cause::Direct);
    if first.is_some_and(|first| !std::ptr::eq(first, event)) {
        return String::new();
    }
    let own = match &event.change {
        Change::RelationDropped { relation } => Some(relation.id),
        _ => None,
    };
    let mut labels: Vec<String> = cx
        .same_command(event)
        .filter(|other| other.cause == Cause::Cascade)
        .filter(|other| own.is_none() || part_of(&other.change) != own)
        .filter_map(|other| label(cx, &other.change))
        .collect();
    labels.dedup();
    match labels.len() {
        0 => String::new(),
        1 => format!("; {} falls with it", labels[0]),
        2..=6 => format!("; {} fall with it", list(&labels)),
        count => format!("; {} and {} more fall with it", labels[..5].join(", "), count - 5),
    }
}

/// The relation that a part (column, constraint, index, trigger …) belonged to.
fn part_of(change: &Change) -> Option<crate::catalog::object::Id> {
    match change {
        Change::ColumnDropped { relation, .. }
        | Change::ConstraintDropped { relation, .. }
        | Change::IndexDropped { relation, .. }
        | Change::TriggerDropped { relation, .. }
        | Change::PolicyDropped { relation, .. }
        | Change::RuleDropped { relation, .. }
        | Change::DefaultDropped { relation, .. } => Some(relation.id),
        _ => None,
    }
}

/// What is gone, with the word for its kind: `view a.v`. `None` for changes that take nothing away.
pub fn label(cx: &Context<'_>, change: &Change) -> Option<String> {
    Some(match change {
        Change::RelationDropped { relation } => format!("{} {}", kind_word(relation.kind), cx.label(relation)),
        Change::ColumnDropped { relation, column } => format!("column {}", cx.part_label(relation, &column.name)),
        Change::ConstraintDropped { relation, constraint, .. } => {
            format!("constraint {}", cx.part_label(relation, &constraint.name))
        }
        Change::IndexDropped { index, .. } => format!("index {}", crate::catalog::name::qualified(&index.schema, &index.name)),
        Change::TriggerDropped { relation, trigger } => format!("trigger {}", cx.part_label(relation, &trigger.name)),
        Change::PolicyDropped { relation, policy, .. } => format!("policy {}", cx.part_label(relation, &policy.name)),
        Change::RuleDropped { relation, rule } => format!("rule {}", cx.part_label(relation, &rule.name)),
        Change::DefaultDropped { relation, column } => format!("the default of {}", cx.part_label(relation, &column.name)),
        Change::RoutineDropped { routine } => format!("{} {}", routine_word(routine.kind), cx.before.routine_label(routine)),
        Change::TypeDropped { object } => {
            format!("{} {}", type_word(&object.kind), crate::catalog::name::qualified(&object.schema, &object.name))
        }
        Change::SchemaDropped { schema } => format!("schema {}", schema.name),
        Change::ExtensionDropped { extension } => format!("extension {}", extension.name),
        Change::OtherDropped { name, .. } => name.clone(),
        _ => return None,
    })
}

pub fn kind_word(kind: RelationKind) -> &'static str {
    match kind {
        RelationKind::Table => "table",
        RelationKind::PartitionedTable => "partitioned table",
        RelationKind::ForeignTable => "foreign table",
        RelationKind::View => "view",
        RelationKind::MaterializedView => "materialized view",
        RelationKind::Sequence => "sequence",
        RelationKind::Composite => "composite type",
    }
}

pub fn routine_word(kind: RoutineKind) -> &'static str {
    match kind {
        RoutineKind::Function => "function",
        RoutineKind::Procedure => "procedure",
        RoutineKind::Aggregate => "aggregate",
    }
}

pub fn type_word(kind: &TypeKind) -> &'static str {
    match kind {
        TypeKind::Enum { .. } => "enum",
        TypeKind::Domain { .. } => "domain",
        TypeKind::Composite { .. } => "composite type",
        TypeKind::Range { .. } => "range type",
        TypeKind::Base | TypeKind::Unknown => "type",
    }
}
