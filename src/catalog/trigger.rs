//! Triggers and rewrite rules.
//!
//! A row trigger of a partitioned table is cloned to every partition; the clones follow the original in everything
//! (`CloneRowTriggersToPartition`, `renametrig`, `EnableDisableTrigger` of PostgreSQL 15).

use super::Catalog;
use super::change::{Cause, Change};
use super::name::qualified;
use super::object::*;
use crate::op::{CreateTrigger, ObjectName, TriggerState, TriggerTiming};
use std::sync::Arc;

/// CREATE [OR REPLACE] [CONSTRAINT] TRIGGER.
pub(super) fn create(c: &mut Catalog, create: &CreateTrigger) {
    let kind = if create.timing == TriggerTiming::InsteadOf { RelationKind::View } else { RelationKind::Table };
    let Some(relation) = c.relation_or_unseen(&create.relation, kind) else { return };
    let function = c.resolve_routine(&create.function, Some(&[]));
    let function_name = match function.and_then(|id| c.routines.get(&id)) {
        Some(routine) => qualified(&routine.schema, &routine.name),
        None => match &create.function.schema {
            Some(schema) => qualified(schema, &create.function.name),
            None => create.function.name.clone(),
        },
    };
    let trigger = Trigger {
        name: create.name.clone(),
        timing: create.timing,
        events: create.events.clone(),
        update_columns: create.update_columns.clone(),
        for_each_row: create.for_each_row,
        constraint: create.constraint,
        deferrable: create.deferrable,
        initially_deferred: create.initially_deferred,
        function,
        function_name,
        when: create.when.clone(),
        state: TriggerState::Enabled,
        birth: c.birth(),
        from_parent: false,
    };
    put(c, relation, trigger.clone());
    if create.for_each_row {
        for partition in partitions_below(c, relation) {
            let clone = Trigger { from_parent: true, ..trigger.clone() };
            c.because(Cause::Inherited, |c| put(c, partition, clone));
        }
    }
}

/// Enters a trigger on one relation, in place of one of that name.
fn put(c: &mut Catalog, relation: Id, trigger: Trigger) {
    let Some(before) = c.relation(relation).cloned() else { return };
    let replaced = before.triggers.iter().find(|t| t.name == trigger.name).cloned();
    if let Some(relation) = c.relation_mut(relation) {
        match relation.triggers.iter_mut().find(|t| t.name == trigger.name) {
            Some(place) => *place = trigger.clone(),
            None => relation.triggers.push(trigger.clone()),
        }
    }
    c.record(Change::TriggerCreated { relation: before, trigger, replaced });
}

/// Gives a new or newly attached partition the row triggers of its parent.
pub(super) fn clone_to_partition(c: &mut Catalog, parent: Id, partition: Id) {
    let Some(parent) = c.relation(parent).cloned() else { return };
    for trigger in parent.triggers.iter().filter(|t| t.for_each_row) {
        for id in c.with_descendants(partition) {
            let clone = Trigger { from_parent: true, ..trigger.clone() };
            c.because(Cause::Inherited, |c| put(c, id, clone));
        }
    }
}

/// Takes back what [`clone_to_partition`] gave, on DETACH (`DetachPartition` drops the clones).
pub(super) fn forget_clones(c: &mut Catalog, partition: Id) {
    for id in c.with_descendants(partition) {
        let Some(relation) = c.relation(id).cloned() else { continue };
        for trigger in relation.triggers.iter().filter(|t| t.from_parent) {
            c.because(Cause::Cascade, |c| take(c, id, &trigger.name));
        }
    }
}

/// DROP TRIGGER, clones on partitions included. A trigger that no visible statement created is made up: it existed, else the
/// statement would have failed.
pub(super) fn drop_trigger(c: &mut Catalog, relation: Id, name: &str) {
    trigger_or_unseen(c, relation, name);
    take(c, relation, name);
    for partition in partitions_below(c, relation) {
        if has_clone(c, partition, name) {
            c.because(Cause::Inherited, |c| take(c, partition, name));
        }
    }
}

fn take(c: &mut Catalog, relation: Id, name: &str) {
    let Some(before) = c.relation(relation).cloned() else { return };
    let Some(trigger) = before.triggers.iter().find(|t| t.name == name).cloned() else { return };
    if let Some(relation) = c.relation_mut(relation) {
        relation.triggers.retain(|t| t.name != name);
    }
    c.record(Change::TriggerDropped { relation: before, trigger });
}

/// ENABLE / DISABLE TRIGGER; no name is ALL or USER. `only` leaves the clones on partitions as they are.
pub(super) fn set_trigger_state(c: &mut Catalog, relation: Id, name: Option<&str>, state: TriggerState, only: bool) {
    // A replica trigger does not fire in an ordinary session.
    let enabled = matches!(state, TriggerState::Enabled | TriggerState::Always);
    if let Some(name) = name {
        trigger_or_unseen(c, relation, name);
    }
    let Some(before) = c.relation(relation).cloned() else { return };
    let named = name.and_then(|name| before.triggers.iter().find(|t| t.name == name).cloned());
    let below = if only { Vec::new() } else { partitions_below(c, relation) };
    for id in std::iter::once(relation).chain(below) {
        let Some(target) = c.relation_mut(id) else { continue };
        let in_question = |t: &&mut Trigger| name.is_none_or(|name| t.name == name) && (id == relation || t.from_parent);
        target.triggers.iter_mut().filter(in_question).for_each(|t| t.state = state);
    }
    c.record(Change::TriggerStateChanged { relation: before, trigger: named, enabled });
}

/// ALTER TRIGGER … RENAME, clones included.
pub(super) fn rename_trigger(c: &mut Catalog, relation: Id, name: &str, to: &str) {
    trigger_or_unseen(c, relation, name);
    for id in std::iter::once(relation).chain(partitions_below(c, relation)) {
        if id != relation && !has_clone(c, id, name) {
            continue;
        }
        let Some(before) = c.relation(id).cloned() else { continue };
        let Some(trigger) = before.triggers.iter().find(|t| t.name == name).cloned() else { continue };
        if let Some(place) = c.relation_mut(id).and_then(|r| r.triggers.iter_mut().find(|t| t.name == name)) {
            place.name = to.to_string();
        }
        let cause = if id == relation { c.cause } else { Cause::Inherited };
        c.because(cause, |c| c.record(Change::TriggerRenamed { relation: before, trigger, to: to.to_string() }));
    }
}

/// Makes a trigger up where a statement that succeeded names one that nobody created.
fn trigger_or_unseen(c: &mut Catalog, relation: Id, name: &str) {
    if c.relation(relation).is_none_or(|r| r.triggers.iter().any(|t| t.name == name)) {
        return;
    }
    c.incomplete = true;
    if let Some(relation) = c.relation_mut(relation) {
        relation.triggers.push(Trigger {
            name: name.to_string(),
            timing: TriggerTiming::After,
            events: Vec::new(),
            update_columns: Vec::new(),
            for_each_row: true,
            constraint: false,
            deferrable: false,
            initially_deferred: false,
            function: None,
            function_name: String::new(),
            when: None,
            state: TriggerState::Enabled,
            birth: Birth::UNSEEN,
            from_parent: false,
        });
    }
}

fn has_clone(c: &Catalog, relation: Id, name: &str) -> bool {
    c.relation(relation).is_some_and(|r| r.triggers.iter().any(|t| t.name == name && t.from_parent))
}

/// Partitions below a partitioned table; nothing for inheritance, which does not clone triggers.
fn partitions_below(c: &Catalog, relation: Id) -> Vec<Id> {
    match c.relation(relation) {
        Some(found) if found.kind == RelationKind::PartitionedTable => c.with_descendants(relation).split_off(1),
        _ => Vec::new(),
    }
}

/// CREATE [OR REPLACE] RULE.
pub(super) fn create_rule(c: &mut Catalog, name: &str, relation: &ObjectName, or_replace: bool, event: &str, instead: bool) {
    let Some(id) = c.relation_or_unseen(relation, RelationKind::Table) else { return };
    let Some(before) = c.relation(id).cloned() else { return };
    let rule = RewriteRule { name: name.to_string(), event: event.to_string(), instead, birth: c.birth() };
    if let Some(relation) = c.relation_mut(id) {
        if or_replace {
            relation.rules.retain(|r| r.name != name);
        }
        relation.rules.push(rule.clone());
    }
    c.record(Change::RuleCreated { relation: before, rule });
}

/// DROP RULE. A rule that no visible statement created is made up.
pub(super) fn drop_rule(c: &mut Catalog, relation: Id, name: &str) {
    let Some(before) = c.relation(relation).cloned() else { return };
    let rule = rule_or_unseen(c, &before, name);
    if let Some(relation) = c.relation_mut(relation) {
        relation.rules.retain(|r| r.name != name);
    }
    c.record(Change::RuleDropped { relation: before, rule });
}

/// ENABLE / DISABLE RULE.
pub(super) fn set_rule_state(c: &mut Catalog, relation: Id, name: &str, state: TriggerState) {
    let Some(before) = c.relation(relation).cloned() else { return };
    rule_or_unseen(c, &before, name);
    let enabled = matches!(state, TriggerState::Enabled | TriggerState::Always);
    c.record(Change::RuleStateChanged { relation: before, name: name.to_string(), enabled });
}

fn rule_or_unseen(c: &mut Catalog, relation: &Arc<Relation>, name: &str) -> RewriteRule {
    match relation.rules.iter().find(|r| r.name == name) {
        Some(rule) => rule.clone(),
        None => {
            c.incomplete = true;
            RewriteRule { name: name.to_string(), event: String::new(), instead: false, birth: Birth::UNSEEN }
        }
    }
}
