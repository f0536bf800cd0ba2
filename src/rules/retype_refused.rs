use super::shared::list;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::object::{Column, Id, Reference, Relation, TypeKind};
use crate::catalog::types::{BaseType, DataType};
use crate::expr::Expr;
use crate::finding::Level;
use std::collections::BTreeMap;
use std::sync::Arc;

pub const RULE: Rule = Rule { id: "retype-refused", family: Family::Blocking, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.events {
        let Change::ColumnRetyped { relation, column, .. } = &event.change else { continue };
        let there = relations_at(cx, event);
        let (of_own, first) = own_uses(relation, column);
        let mut uses = of_own;
        let mut remedy = first;
        let views: Vec<String> = there
            .values()
            .filter(|view| view.is_view() && reads(view, relation.id, column))
            .map(|view| format!("the view {}", cx.label(view)))
            .collect();
        if !views.is_empty() {
            uses.extend(views);
            remedy = remedy.or(Some("drop what uses it before, and create it again after, in the same transaction"));
        }
        for publication in cx.before.publications.values().chain(cx.after.publications.values()) {
            let filters = publication.filters.iter().any(|filter| {
                filter.table == relation.id
                    && (filter.columns.contains(&column.name) || filter.condition.as_ref().is_some_and(|c| mentions(c, &column.name)))
            });
            let gone = cx.earlier(event).iter().any(
                |earlier| matches!(&earlier.change, Change::PublicationDropped { publication: dropped } if dropped.name == publication.name),
            );
            let label = format!("the row filter or column list of publication {}", publication.name);
            if filters && !gone && !uses.contains(&label) {
                uses.push(label);
                remedy = remedy.or(Some("take the filter out of the publication first"));
            }
        }
        for (table, named) in row_type_columns(cx, &there, relation.id) {
            uses.push(format!("{table}.{named}, which is of the table's row type"));
            remedy = remedy.or(Some("drop that column first: the server cannot follow"));
        }
        let (Some(remedy), false) = (remedy, uses.is_empty()) else { continue };
        let name = cx.part_label(relation, &column.name);
        findings.push(
            cx.finding(
                RULE.id,
                Level::Error,
                event,
                name.clone(),
                format!("the server refuses another type for {name}: it is used by {}", list(&uses)),
                remedy.to_string(),
            )
            .related(cx.created(relation.birth)),
        );
    }
}

/// What of the table itself holds on to the column's type, and what to do about the first.
fn own_uses(relation: &Relation, column: &Column) -> (Vec<String>, Option<&'static str>) {
    let mut uses = Vec::new();
    let mut remedy = None;
    if relation.partition_columns.contains(&Some(column.id)) {
        uses.push("the partition key (42P16)".to_string());
        remedy = remedy.or(Some("make a new partitioned table with that type and move the partitions' rows"));
    }
    for other in &relation.columns {
        if other.id != column.id && other.generated.as_ref().is_some_and(|(_, expr)| mentions(expr, &column.name)) {
            uses.push(format!("the generated column {}", other.name));
            remedy = remedy.or(Some("drop the generated column before, and add it again after"));
        }
    }
    for policy in &relation.policies {
        let parts = policy.policy.using.iter().chain(&policy.policy.check);
        if parts.into_iter().any(|expr| mentions(expr, &column.name)) {
            uses.push(format!("the policy {}", policy.policy.name));
            remedy = remedy.or(Some("drop the policy before, and create it again after, in the same transaction"));
        }
    }
    for trigger in &relation.triggers {
        let named = trigger.update_columns.contains(&column.name);
        if named || trigger.when.as_ref().is_some_and(|expr| mentions(expr, &column.name)) {
            uses.push(format!("the trigger {}", trigger.name));
            remedy = remedy.or(Some("drop the trigger before, and create it again after, in the same transaction"));
        }
    }
    (uses, remedy)
}

/// Outside of queries, whose names mean other relations.
fn mentions(expr: &Expr, column: &str) -> bool {
    let mut found = false;
    expr.walk(&mut |inner| found |= matches!(inner, Expr::Column(path) if path.last().is_some_and(|last| last == column)));
    found
}

fn reads(view: &Relation, table: Id, column: &Column) -> bool {
    view.view.as_ref().is_some_and(|view| view.references.contains(&Reference::Column(table, column.id)))
}

/// The relations as they are just before the event, as far as the journal says: what was touched before it is taken as it is after
/// the unit, the rest as it was before.
fn relations_at(cx: &Context<'_>, event: &Event) -> BTreeMap<Id, Arc<Relation>> {
    let mut there: BTreeMap<Id, Arc<Relation>> = cx.before.relations.iter().map(|(id, found)| (*id, found.clone())).collect();
    for earlier in cx.earlier(event) {
        match &earlier.change {
            Change::RelationCreated { relation: id } => {
                // One that is dropped later in the unit is in its own event.
                let later = cx.events.iter().find_map(|other| match &other.change {
                    Change::RelationDropped { relation } if relation.id == *id => Some(relation),
                    _ => None,
                });
                there.extend(cx.after.relation(*id).or(later).map(|found| (*id, found.clone())));
            }
            Change::RelationDropped { relation } => {
                there.remove(&relation.id);
            }
            Change::ViewReplaced { relation } => {
                there.extend(cx.after.relation(relation.id).map(|found| (relation.id, found.clone())));
            }
            Change::ColumnDropped { relation, column } => {
                if let Some(found) = there.get_mut(&relation.id) {
                    Arc::make_mut(found).columns.retain(|kept| kept.id != column.id);
                }
            }
            _ => {}
        }
    }
    there
}

/// Columns of tables that hold whole rows of this one.
fn row_type_columns(cx: &Context<'_>, there: &BTreeMap<Id, Arc<Relation>>, table: Id) -> Vec<(String, String)> {
    let composite = cx.before.types.values().find_map(|object| match object.kind {
        TypeKind::Composite { relation } if relation == table => Some(object.id),
        _ => None,
    });
    let is_row = |data_type: &DataType| match data_type.base {
        BaseType::Row(id) => id == table,
        BaseType::User(id) => Some(id) == composite,
        BaseType::Builtin(_) | BaseType::Unknown => false,
    };
    let holding = |relation: &&Arc<Relation>| relation.is_table() && relation.id != table;
    let columns = |relation: &Arc<Relation>| {
        let held: Vec<String> = relation.columns.iter().filter(|c| is_row(&c.data_type)).map(|c| c.name.clone()).collect();
        let label = cx.label(relation);
        held.into_iter().map(move |name| (label.clone(), name)).collect::<Vec<_>>()
    };
    there.values().filter(holding).flat_map(columns).collect()
}
