use super::shared::fallout;
use super::shared::type_family::{self, Retype};
use super::{Check, Context, Family, Findings, Rule, retype_column};
use crate::catalog::change::{Change, Event, RowChange};
use crate::catalog::object::Id;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "destroys-data", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        let (relation, name, message) = match &event.change {
            Change::RowsChanged { relation: Some(relation), how } if cx.older_table(relation) => {
                let name = cx.label(relation);
                let message = match how {
                    RowChange::Truncate => format!("TRUNCATE empties {name}, whose rows the previous release reads"),
                    RowChange::Delete { bounded: false } => {
                        format!("DELETE without WHERE empties {name}, whose rows the previous release reads")
                    }
                    RowChange::Insert
                    | RowChange::Update { .. }
                    | RowChange::Delete { bounded: true }
                    | RowChange::Merge
                    | RowChange::Copy => continue,
                };
                (relation, name, message)
            }
            Change::RelationDropped { relation } if cx.older_table(relation) => {
                let again = cx.after.relations.values().find(|new| {
                    !cx.older(new.birth) && new.schema == relation.schema && new.name == relation.name && new.is_table()
                });
                // A table that was created under another name holds the rows that were copied to it.
                let created = cx.events.iter().any(|other| {
                    matches!(&other.change, Change::RelationRenamed { schema, name, .. }
                        if *schema == relation.schema && *name == relation.name)
                });
                let Some(again) = again.filter(|_| !created) else { continue };
                let name = cx.label(relation);
                let is_filled = |how: &RowChange| matches!(how, RowChange::Insert | RowChange::Merge | RowChange::Copy);
                let lost = if rows_changed(cx, again.id, is_filled) {
                    "its grants, triggers and identity are gone, and of its rows there are those that this migration inserts"
                } else {
                    "its rows, grants, triggers and identity are gone"
                };
                let message = format!("{name} is dropped and created again: {lost}{}", fallout::along(cx, event));
                (relation, name, message)
            }
            Change::ColumnDropped { relation, column } if cx.older_table(relation) && cx.older(column.birth) => {
                let Some(again) = retype_column::added_again(cx, relation, column) else { continue };
                let same = type_family::compare(cx.before, &column.data_type, cx.after, &again.data_type) == Retype::Same;
                // A column that was added under another name holds what was written to it before it took this one.
                let took_the_name = |other: &Event| matches!(&other.change, Change::ColumnRenamed { column, .. } if column.id == again.id);
                let copied = cx.events.iter().any(took_the_name)
                    && rows_changed(cx, relation.id, |how| matches!(how, RowChange::Update { .. } | RowChange::Merge));
                if !same || again.generated.is_some() || copied {
                    continue;
                }
                let name = cx.part_label(relation, &column.name);
                let message = format!("{name} is dropped and added again: its values are gone");
                (relation, name, message)
            }
            _ => continue,
        };
        let help = format!("alter {name} in place, or keep its data: copy it to a new place first, and take the old one away in a later release, tagged `-- phase contract`");
        let judged = cx.finding(RULE.id, Level::Error, event, name, message, help).also_about(cx.label(relation));
        findings.push(judged.related(cx.created(relation.birth)));
    }
}

/// The unit changes rows of the relation in such a way.
fn rows_changed(cx: &Context<'_>, relation: Id, is_such: impl Fn(&RowChange) -> bool) -> bool {
    cx.events.iter().any(|event| {
        matches!(&event.change, Change::RowsChanged { relation: Some(changed), how } if changed.id == relation && is_such(how))
    })
}
