use super::shared::outside::is_alone;
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::catalog::object::{Relation, RelationKind};
use crate::finding::Level;
use crate::op::{AlterTableCommand, ObjectName, Op, PartitionBound};
use crate::recipe::Recipe;

pub const RULE: Rule = Rule { id: "detach-pending", family: Family::Retry, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for (index, statement) in cx.parsed.statements.iter().enumerate() {
        let Ok(parsed) = &statement.outcome else { continue };
        let Op::AlterTable(alter) = &parsed.op else { continue };
        // Inside of a transaction it fails at once: another rule's.
        if !is_alone(cx, index) {
            continue;
        }
        for command in &alter.commands {
            let AlterTableCommand::DetachPartition { partition, concurrently: true, finalize: false } = command else { continue };
            let table = label(cx, &alter.name);
            let partition = label(cx, partition);
            let default = default_of(cx, &alter.name);
            let message = match &default {
                Some(default) => format!(
                    "{table} has the default partition {default}, so that the server refuses to detach {partition} CONCURRENTLY (55000)"
                ),
                None => format!(
                    "{partition} is detached in two transactions: where that stops between them, its rows are gone from {table}, a second \
                     run fails (55000), and only FINALIZE ends it"
                ),
            };
            let plain = format!("ALTER TABLE {table} DETACH PARTITION {partition}");
            let recipe = Recipe::new().then(
                "detach in one transaction, which waits for a short ACCESS EXCLUSIVE lock",
                ["SET LOCAL lock_timeout = '2s'".to_string(), plain.clone()],
            );
            let help = if default.is_some() {
                "detach without CONCURRENTLY".to_string()
            } else {
                format!("detach without CONCURRENTLY; where it has to be concurrent, keep it alone in its migration, and after a stop run {plain} FINALIZE")
            };
            let finding = cx.finding_at(RULE.id, Level::Error, Some(index), statement.span, message, help);
            findings.push(Judged { finding, subjects: vec![partition] }.with_recipe(recipe, cx.opt_out()));
        }
    }
}

fn relation<'a>(cx: &'a Context<'_>, name: &ObjectName) -> Option<&'a Relation> {
    cx.after.resolve_relation(name).and_then(|id| cx.after.relation(id)).map(AsRef::as_ref)
}

fn label(cx: &Context<'_>, name: &ObjectName) -> String {
    relation(cx, name).map_or_else(|| name.to_string(), |relation| cx.after.relation_label(relation))
}

fn default_of(cx: &Context<'_>, table: &ObjectName) -> Option<String> {
    let parent = relation(cx, table).filter(|parent| parent.kind == RelationKind::PartitionedTable)?;
    let children = cx.after.children_of(parent.id);
    let default = children
        .into_iter()
        .filter_map(|child| cx.after.relation(child))
        .find(|child| matches!(child.partition_bound, Some(PartitionBound::Default)))?;
    Some(cx.after.relation_label(default))
}
