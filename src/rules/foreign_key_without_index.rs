use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Cause, Change};
use crate::catalog::name::{choose_name, join_columns};
use crate::catalog::object::{ColumnId, ConstraintType, Index, Relation, RelationKind};
use crate::finding::Level;
use crate::recipe::Recipe;
use crate::sql::names::quote_identifier;

pub const RULE: Rule =
    Rule { id: "foreign-key-without-index", family: Family::Blocking, level: Level::Note, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.events.iter().filter(|event| event.cause == Cause::Direct) {
        let Change::ConstraintAdded { relation, constraint } = &event.change else { continue };
        let ConstraintType::ForeignKey { columns, references, .. } = &constraint.kind else { continue };
        let Some(now) = cx.end.relation(relation.id) else { continue };
        let is_kept = now.constraints.iter().any(|kept| kept.id == constraint.id);
        if !is_kept || !now.known || cx.end.indexes_of(now.id).iter().any(|index| serves(index, columns)) {
            continue;
        }
        let referenced = cx.end.relation(*references).map(|found| cx.label(found)).unwrap_or_default();
        let name = cx.part_label(now, &constraint.name);
        let judged = cx.finding(
            RULE.id,
            Level::Note,
            event,
            name.clone(),
            format!(
                "no index begins with the columns of {name}: each DELETE from {referenced}, and each change of its key, reads all of {}",
                cx.label(now)
            ),
            "build one".into(),
        );
        findings.push(match recipe(cx, now, columns) {
            Some(recipe) => judged.with_recipe(recipe, cx.opt_out()),
            None => judged,
        });
    }
}

/// The first columns of the index are those of the key, in any order.
fn serves(index: &Index, columns: &[ColumnId]) -> bool {
    let first: Vec<ColumnId> = index.keys.iter().take(columns.len()).filter_map(|key| key.column).collect();
    index.valid
        && index.predicate.is_none()
        && matches!(index.method.as_str(), "btree" | "hash")
        && first.len() == columns.len()
        && columns.iter().all(|column| first.contains(column))
}

fn recipe(cx: &Context<'_>, now: &Relation, columns: &[ColumnId]) -> Option<Recipe> {
    let names: Vec<&str> = columns.iter().map(|id| Some(now.column_by_id(*id)?.name.as_str())).collect::<Option<_>>()?;
    let taken = |name: &str| cx.end.relation_name_taken(&now.schema, name);
    let name = choose_name(&now.name, Some(&join_columns(names.iter().copied())), "idx", taken);
    let columns = names.iter().map(|name| quote_identifier(name)).collect::<Vec<_>>().join(", ");
    let table = cx.label(now);
    let schema = quote_identifier(&now.schema);
    let name = quote_identifier(&name);
    Some(match now.kind {
        RelationKind::Table if cx.older(now.birth) => Recipe::new().then_outside(
            "an index for the key, while everybody works",
            [
                format!("DROP INDEX CONCURRENTLY IF EXISTS {schema}.{name}"),
                format!("CREATE INDEX CONCURRENTLY {name} ON {table} ({columns})"),
            ],
        ),
        RelationKind::Table => {
            Recipe::new().then("beside the table, while it is new", [format!("CREATE INDEX {name} ON {table} ({columns})")])
        }
        _ => return None,
    })
}
