use super::shared::type_family::{self, Retype};
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::object::{Column, Relation};
use crate::catalog::types::DataType;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "retype-column", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        match &event.change {
            Change::ColumnRetyped { relation, column, to, .. }
                if cx.older_relation(relation) && cx.older(column.birth) && becomes_another(cx, relation, column, to) =>
            {
                report(cx, event, relation, column, to, "changes", findings);
            }
            Change::ColumnDropped { relation, column } if cx.older_table(relation) && cx.older(column.birth) => {
                let Some(again) = added_again(cx, relation, column) else { continue };
                let same = type_family::compare(cx.before, &column.data_type, cx.after, &again.data_type) == Retype::Same;
                if !same && again.generated.is_none() {
                    report(cx, event, relation, column, &again.data_type, "is dropped and added again, which changes it", findings);
                }
            }
            _ => {}
        }
    }
}

/// What the previous release reads is not what it finds at the end of the unit. A step in between that nobody saw is none, and one
/// back to the type that it knows takes nothing away.
fn becomes_another(cx: &Context<'_>, relation: &Relation, column: &Column, to: &DataType) -> bool {
    let step = type_family::compare(cx.before, &column.data_type, cx.after, to) == Retype::Other;
    let now = cx.after.relation(relation.id).and_then(|now| now.column_by_id(column.id));
    match (cx.released_column(relation.id, column.id), now) {
        (Some(known), Some(now)) => {
            step && type_family::compare(cx.released, &known.data_type, cx.after, &now.data_type) == Retype::Other
        }
        _ => step,
    }
}

/// A column of the same name that the unit adds to the relation in place of a dropped one.
pub(super) fn added_again<'a>(cx: &Context<'a>, relation: &Relation, column: &Column) -> Option<&'a Column> {
    let now = cx.after.relation(relation.id)?;
    now.column(&column.name).filter(|again| again.id != column.id && !cx.older(again.birth))
}

fn report(cx: &Context<'_>, event: &Event, relation: &Relation, column: &Column, to: &DataType, how: &str, findings: &mut Findings) {
    let name = cx.part_label(relation, &column.name);
    let spell = |catalog: &crate::catalog::Catalog, data_type| catalog.format_type(data_type).unwrap_or_else(|| "a type that is not known".into());
    let from = spell(cx.before, &column.data_type);
    let mut to = spell(cx.after, to);
    if to == from {
        to = format!("a new {to}");
    }
    findings.push(
        cx.finding(
            RULE.id,
            Level::Error,
            event,
            name.clone(),
            format!(
                "the type of {name} {how} from {from} to {to}: the previous release reads and binds it as {from}, in results, parameters \
                 and comparisons"
            ),
            format!("add a column of the new type beside {name}, keep both in step with a trigger, backfill, move every release over, and drop {name} in a later one"),
        )
        .also_about(cx.label(relation))
        .related(cx.created(column.birth)),
    );
}
