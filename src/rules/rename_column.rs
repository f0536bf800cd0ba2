use super::shared::{trigger_body, updatable_view};
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::object::{Column, Relation, RelationKind, Trigger};
use crate::finding::Level;
use crate::op::{TriggerEvent, TriggerTiming};
use crate::sql::names::quote_identifier;

pub const RULE: Rule = Rule { id: "rename-column", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::ColumnRenamed { relation, column, to } = &event.change else { continue };
        if !cx.older_relation(relation) || !cx.older(column.birth) || named_as_before(cx, relation, column) {
            continue;
        }
        let old = cx.part_label(relation, &column.name);
        let word = match relation.kind {
            RelationKind::Composite => "attribute",
            RelationKind::View | RelationKind::MaterializedView => "view column",
            _ => "column",
        };
        let (level, message, help) = match through_view(cx, relation).unwrap_or_else(|| stand_in(cx, event, relation, column, to)) {
            StandIn::View => (
                Level::Warning,
                format!("{word} {old} is renamed to {to}; old clients reach it through the view that takes the name of its table"),
                "drop that view in a later release, in a migration tagged `-- phase contract`".into(),
            ),
            StandIn::InStep => (
                Level::Warning,
                format!("{word} {old} is renamed to {to}, and comes back as a column that a trigger keeps in step"),
                format!("drop the old {old} and its trigger in a later release, in a migration tagged `-- phase contract`"),
            ),
            StandIn::Generated => (
                Level::Error,
                format!("{word} {old} is renamed to {to}, and comes back as a generated column, which refuses old INSERTs (428C9)"),
                recipe(&old, to),
            ),
            StandIn::AloneBehind => (
                Level::Error,
                format!("{word} {old} is renamed to {to}, and comes back as a column that no trigger keeps in step"),
                recipe(&old, to),
            ),
            StandIn::None => (
                Level::Error,
                format!("{word} {old} is renamed to {to} while the previous release still uses the old name (42703)"),
                recipe(&old, to),
            ),
        };
        findings.push(cx.finding(RULE.id, level, event, old, message, help).related(cx.created(column.birth)));
    }
}

fn recipe(old: &str, new: &str) -> String {
    format!(
        "add {} as a new column, keep both in step with a trigger, backfill, move every release over, and drop {old} in a later one, \
         tagged `-- phase contract`",
        quote_identifier(new)
    )
}

fn named_as_before(cx: &Context<'_>, relation: &Relation, column: &Column) -> bool {
    let name_in = |catalog: &crate::catalog::Catalog| catalog.relation(relation.id)?.column_by_id(column.id).map(|c| c.name.clone());
    name_in(cx.released).is_some() && name_in(cx.released) == name_in(cx.after)
}

enum StandIn {
    None,
    /// The table was renamed as well, and the view under its old name has the old columns.
    View,
    Generated,
    AloneBehind,
    InStep,
}

/// Old clients no longer meet the table itself.
fn through_view(cx: &Context<'_>, relation: &Relation) -> Option<StandIn> {
    let before = cx.released_relation(relation.id)?;
    let now = cx.after.relation(relation.id)?;
    let view = cx.after.relations.values().find(|view| {
        view.id != before.id && view.schema == before.schema && view.name == before.name && !cx.older(view.birth)
    })?;
    let renamed = now.name != before.name && now.schema == before.schema;
    (renamed && updatable_view::gap(cx.after, before, view).is_none()).then_some(StandIn::View)
}

/// What takes the old name in the same transaction.
fn stand_in(cx: &Context<'_>, event: &Event, relation: &Relation, column: &Column, to: &str) -> StandIn {
    let again = cx.later(event).find_map(|later| match &later.change {
        Change::ColumnAdded { relation: on, column: added } if on.id == relation.id && added.name == column.name => Some(added),
        _ => None,
    });
    let Some(again) = again else { return StandIn::None };
    if again.generated.is_some() {
        return StandIn::Generated;
    }
    let kept = cx.later(event).any(|later| {
        matches!(&later.change, Change::TriggerCreated { relation: on, trigger, .. }
            if on.id == relation.id && keeps_in_step(cx, trigger, &column.name, to))
    });
    if kept { StandIn::InStep } else { StandIn::AloneBehind }
}

/// A BEFORE INSERT OR UPDATE row trigger that writes the new column.
fn keeps_in_step(cx: &Context<'_>, trigger: &Trigger, old: &str, new: &str) -> bool {
    trigger.for_each_row
        && trigger.timing == TriggerTiming::Before
        && trigger.events.contains(&TriggerEvent::Insert)
        && trigger.events.contains(&TriggerEvent::Update)
        && trigger_body::function(cx.after, trigger).is_some_and(|routine| {
            trigger_body::assigns(&routine.body, new) && trigger_body::assigns(&routine.body, old)
        })
}
