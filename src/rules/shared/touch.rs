//! Did an earlier unit have to do with an object? It changed the object, or a statement of it says its name.

use crate::catalog::change::{Change, Event};
use crate::catalog::object::{ColumnId, Id, Relation};
use crate::rules::{Context, Pending};
use crate::sql::lex::{self, TokenKind};
use crate::sql::names::fold;
use std::collections::BTreeSet;

/// What a contract takes away, as far as it can be recognised again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// With its name, and that of its table, before the unit.
    Column {
        table: Id,
        column: ColumnId,
        table_name: String,
        name: String,
    },
    Relation {
        id: Id,
        name: String,
    },
    Type {
        id: Id,
        name: String,
    },
    Routine {
        id: Id,
        name: String,
    },
    /// A constraint, trigger, policy or index: by its table and its own name.
    Part {
        table: Id,
        table_name: String,
        name: String,
    },
}

/// What these events are about.
pub fn targets<'a>(cx: &Context<'_>, events: impl Iterator<Item = &'a Event>) -> Vec<Target> {
    let mut targets = Vec::new();
    for event in events {
        if let Some(target) = target(cx, event)
            && !targets.contains(&target)
        {
            targets.push(target);
        }
    }
    targets
}

fn target(cx: &Context<'_>, event: &Event) -> Option<Target> {
    let part = |relation: &Relation, name: &str| Target::Part {
        table: relation.id,
        table_name: relation.name.clone(),
        name: name.to_string(),
    };
    if let Some((relation, id)) = event.column() {
        let column = relation.column_by_id(id).or_else(|| cx.before.relation(relation.id)?.column_by_id(id))?;
        return Some(Target::Column {
            table: relation.id,
            column: id,
            table_name: relation.name.clone(),
            name: column.name.clone(),
        });
    }
    Some(match &event.change {
        Change::RelationDropped { relation } | Change::RelationRenamed { relation, .. } => {
            Target::Relation { id: relation.id, name: relation.name.clone() }
        }
        Change::RowsChanged { relation: Some(relation), .. } => Target::Relation { id: relation.id, name: relation.name.clone() },
        Change::TypeDropped { object } | Change::TypeRenamed { object, .. } | Change::LabelRenamed { object, .. } => {
            Target::Type { id: object.id, name: object.name.clone() }
        }
        Change::RoutineDropped { routine } | Change::RoutineRenamed { routine, .. } => {
            Target::Routine { id: routine.id, name: routine.name.clone() }
        }
        Change::ConstraintDropped { relation, constraint, .. } => part(relation, &constraint.name),
        Change::IndexDropped { relation, index, .. } => part(relation, &index.name),
        Change::TriggerDropped { relation, trigger } => part(relation, &trigger.name),
        Change::PolicyDropped { relation, policy, .. } => part(relation, &policy.name),
        Change::RuleDropped { relation, rule } => part(relation, &rule.name),
        _ => return None,
    })
}

/// True where the unit changed one of the targets or names it.
pub fn touches(cx: &Context<'_>, unit: &Pending<'_>, targets: &[Target]) -> bool {
    let changed = |target: &Target| unit.replay.events.iter().any(|event| changes(event, target));
    targets.iter().any(changed) || targets.iter().any(|target| names(cx, unit, target))
}

fn changes(event: &Event, target: &Target) -> bool {
    match target {
        Target::Column { table, column, .. } => {
            event.column().is_some_and(|(relation, id)| relation.id == *table && id == *column)
                || matches!(&event.change,
                    Change::ConstraintAdded { relation, constraint } | Change::ConstraintDropped { relation, constraint, .. }
                        if relation.id == *table && constraint.kind.columns().contains(column))
        }
        Target::Relation { id, .. } => relation_of(&event.change) == Some(*id),
        Target::Type { id, .. } => match &event.change {
            Change::TypeRenamed { object, .. }
            | Change::LabelAdded { object, .. }
            | Change::LabelRenamed { object, .. }
            | Change::DomainNotNull { object, .. }
            | Change::DomainDefault { object, .. }
            | Change::DomainConstraintAdded { object, .. }
            | Change::DomainConstraintDropped { object, .. } => object.id == *id,
            _ => false,
        },
        Target::Routine { id, .. } => match &event.change {
            Change::RoutineReplaced { routine }
            | Change::RoutineAltered { routine, .. }
            | Change::RoutineRenamed { routine, .. } => routine.id == *id,
            _ => false,
        },
        Target::Part { table, name, .. } => match &event.change {
            Change::ConstraintAltered { relation, constraint, .. }
            | Change::ConstraintRenamed { relation, constraint, .. }
            | Change::ConstraintValidated { relation, constraint } => relation.id == *table && constraint.name == *name,
            Change::TriggerStateChanged { relation, trigger: Some(trigger), .. }
            | Change::TriggerRenamed { relation, trigger, .. } => relation.id == *table && trigger.name == *name,
            Change::PolicyAltered { relation, policy } => relation.id == *table && policy.name == *name,
            Change::IndexRenamed { relation, index, .. } => relation.id == *table && index.name == *name,
            _ => false,
        },
    }
}

/// The relation that a change is about, itself or a part of it.
fn relation_of(change: &Change) -> Option<Id> {
    Some(match change {
        Change::RelationDropped { relation }
        | Change::RelationRenamed { relation, .. }
        | Change::ColumnAdded { relation, .. }
        | Change::ColumnDropped { relation, .. }
        | Change::ColumnRenamed { relation, .. }
        | Change::ColumnRetyped { relation, .. }
        | Change::NotNullSet { relation, .. }
        | Change::NotNullDropped { relation, .. }
        | Change::DefaultSet { relation, .. }
        | Change::DefaultDropped { relation, .. }
        | Change::ConstraintAdded { relation, .. }
        | Change::ConstraintDropped { relation, .. }
        | Change::TriggerCreated { relation, .. }
        | Change::TriggerDropped { relation, .. }
        | Change::IndexCreated { relation, .. }
        | Change::ViewReplaced { relation }
        | Change::RowsChanged { relation: Some(relation), .. } => relation.id,
        _ => return None,
    })
}

/// A statement of the unit says the name; of a column it says the table too, or is the function of a trigger on it.
fn names(cx: &Context<'_>, unit: &Pending<'_>, target: &Target) -> bool {
    let Some(text) = cx.history.migrations.get(unit.position).and_then(|unit| unit.file.text().ok()) else { return false };
    let mut said = unit.parsed.statements.iter().filter_map(|statement| {
        let text = text.get(statement.span.start..statement.span.end)?;
        let mut words = BTreeSet::new();
        collect(text, &mut words, 0);
        Some(words)
    });
    match target {
        Target::Relation { name, .. } | Target::Type { name, .. } | Target::Routine { name, .. } => {
            said.any(|words| words.contains(name))
        }
        Target::Column { table, table_name, name, .. } | Target::Part { table, table_name, name } => {
            let has_trigger = unit
                .replay
                .events
                .iter()
                .any(|event| matches!(&event.change, Change::TriggerCreated { relation, .. } if relation.id == *table));
            said.any(|words| words.contains(name) && (words.contains(table_name) || has_trigger))
        }
    }
}

/// The identifiers of a text, those in its dollar-quoted bodies included.
fn collect(text: &str, words: &mut BTreeSet<String>, depth: usize) {
    /// Bodies in bodies in bodies hold no names of columns.
    const DEEPEST: usize = 3;
    for token in lex::tokens(text) {
        let written = token.text(text);
        match token.kind {
            TokenKind::Word => drop(words.insert(fold(written))),
            TokenKind::QuotedIdent => drop(words.insert(written.trim_matches('"').replace("\"\"", "\""))),
            TokenKind::DollarStr if depth < DEEPEST => {
                let body = written.trim_matches('$').split_once('$').map_or(written, |(_, body)| body);
                collect(body.trim_matches('$'), words, depth + 1);
            }
            // SQL that a body runs stands in strings; elsewhere they are values.
            TokenKind::Str if depth > 0 && depth < DEEPEST => collect(written.trim_matches('\''), words, depth + 1),
            _ => {}
        }
    }
}
