use super::shared::{list, online};
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Cause, Change, Event};
use crate::catalog::object::Relation;
use crate::finding::Level;
use crate::op::{CreateTable, Op, PartitionBound};
use crate::recipe::Recipe;
use std::sync::Arc;

pub const RULE: Rule =
    Rule { id: "partition-created-locks", family: Family::Blocking, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.events.iter().filter(|event| event.cause == Cause::Direct) {
        match &event.change {
            Change::RelationCreated { relation } => {
                let Some(Op::CreateTable(create)) = online::op(cx, event.statement, event.span) else { continue };
                let Some(partition) = cx.after.relation(*relation).filter(|_| create.bound.is_some()) else { continue };
                if let Some(parent) = older_parent(cx, partition) {
                    created(cx, event, partition, parent, create, findings);
                }
            }
            Change::RelationDropped { relation } if relation.partition_bound.is_some() => {
                let with_parent = |parent: &Relation| {
                    cx.same_command(event).any(|other| matches!(&other.change, Change::RelationDropped { relation } if relation.id == parent.id))
                };
                if let Some(parent) = older_parent(cx, relation).filter(|parent| !with_parent(parent)) {
                    dropped(cx, event, relation, parent, findings);
                }
            }
            _ => {}
        }
    }
}

fn older_parent<'a>(cx: &Context<'a>, partition: &Relation) -> Option<&'a Arc<Relation>> {
    let parent = *partition.parents.first()?;
    let parent = cx.before.relation(parent).or_else(|| cx.after.relation(parent))?;
    cx.older_table(parent).then_some(parent)
}

/// The parent and, where there is one, its default partition.
fn locked(cx: &Context<'_>, parent: &Relation, but: &Relation) -> (Vec<String>, Option<String>) {
    let is_default = |child: &&Arc<Relation>| {
        child.partition_bound == Some(PartitionBound::Default) && child.parents.contains(&parent.id) && child.id != but.id
    };
    let default = cx.before.relations.values().find(is_default).map(|default| cx.label(default));
    let both = std::iter::once(cx.label(parent)).chain(default.clone()).collect();
    (both, default)
}

fn created(
    cx: &Context<'_>,
    event: &Event,
    partition: &Relation,
    parent: &Relation,
    create: &CreateTable,
    findings: &mut Findings,
) {
    let (both, default) = locked(cx, parent, partition);
    let (label, above) = (cx.label(partition), cx.label(parent));
    let reads = default.as_ref().map_or(String::new(), |default| format!(", and every row of {default} is read under it"));
    let message = format!(
        "CREATE TABLE {label} PARTITION OF takes ACCESS EXCLUSIVE on {}, which stops reads and writes{reads}",
        list(&both)
    );
    let keeps = default.map_or(String::new(), |default| {
        format!(" ({default} is still locked and read, unless a CHECK of it refuses the rows of the new partition)")
    });
    let help = format!("make the table first and attach it, which takes SHARE UPDATE EXCLUSIVE on {above} and lets everybody work{keeps}");
    let judged = cx.finding(RULE.id, Level::Warning, event, label.clone(), message, help).related(cx.created(parent.birth));
    // With a default partition no way spares its rows.
    findings.push(match bound(cx, event, create).filter(|_| both.len() == 1) {
        Some(bound) => {
            let make = format!("CREATE TABLE {label} (LIKE {above} INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS)");
            let attach = format!("ALTER TABLE {above} ATTACH PARTITION {label} {bound}");
            judged.with_recipe(Recipe::new().then("the partition, made beside its table", [make, attach]), cx.opt_out())
        }
        None => judged,
    });
}

/// The text of the bound, where nothing follows it.
fn bound(cx: &Context<'_>, event: &Event, create: &CreateTable) -> Option<String> {
    let plain = create.elements.is_empty()
        && create.partition_by.is_none()
        && create.options.is_empty()
        && create.access_method.is_none()
        && create.foreign_server.is_none();
    let text = online::text(cx, event.span);
    let start = match create.bound {
        Some(PartitionBound::Default) => return plain.then(|| "DEFAULT".to_string()),
        _ => online::top_level_word(&text, "for")?,
    };
    let bound = text.get(start..)?.trim().to_string();
    (plain && online::top_level_word(&bound, "tablespace").is_none()).then_some(bound)
}

fn dropped(cx: &Context<'_>, event: &Event, partition: &Relation, parent: &Relation, findings: &mut Findings) {
    let (both, default) = locked(cx, parent, partition);
    let (label, above) = (cx.label(partition), cx.label(parent));
    let message = format!("dropping the partition {label} takes ACCESS EXCLUSIVE on {}, which stops reads and writes", list(&both));
    let help = match default {
        // DETACH CONCURRENTLY refuses a table with a default partition.
        Some(default) => format!(
            "while {default} is there no way around the lock is open: give this a migration of its own, with a `lock_timeout`"
        ),
        None => "detach it first, which waits for nobody's lock to end".to_string(),
    };
    let judged = cx.finding(RULE.id, Level::Warning, event, label.clone(), message, help).related(cx.created(parent.birth));
    findings.push(if both.len() == 1 {
        let recipe = Recipe::new()
            .then_outside("the partition leaves its table", [format!("ALTER TABLE {above} DETACH PARTITION {label} CONCURRENTLY")])
            .then("nobody uses it", [format!("DROP TABLE {label}")]);
        judged.with_recipe(recipe, cx.opt_out())
    } else {
        judged
    });
}
