use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Cause, Change};
use crate::catalog::name::{choose_name, join_columns};
use crate::catalog::object::{ColumnId, ConstraintType, Index, Relation, RelationKind};
use crate::finding::Level;
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
        let help = match index(cx, now, columns) {
            Some(lines) => format!("build one, while the table is new or everybody works:\n{lines}"),
            None => "build one on each partition, and one of the whole table over them".to_string(),
        };
        let message = format!(
            "no index begins with the columns of {name}: each DELETE from {referenced}, and each change of its key, reads all of {}",
            cx.label(now)
        );
        findings.push(cx.finding(RULE.id, Level::Note, event, name, message, help));
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

/// What to paste: in a migration outside of a transaction, where the table has rows by then.
fn index(cx: &Context<'_>, now: &Relation, columns: &[ColumnId]) -> Option<String> {
    let names: Vec<&str> = columns.iter().map(|id| Some(now.column_by_id(*id)?.name.as_str())).collect::<Option<_>>()?;
    let taken = |name: &str| cx.end.relation_name_taken(&now.schema, name);
    let name = choose_name(&now.name, Some(&join_columns(names.iter().copied())), "idx", taken);
    let columns = names.iter().map(|name| quote_identifier(name)).collect::<Vec<_>>().join(", ");
    let (name, table) = (quote_identifier(&name), cx.label(now));
    let concurrently = if cx.older(now.birth) { "CONCURRENTLY " } else { "" };
    (now.kind == RelationKind::Table).then(|| format!("CREATE INDEX {concurrently}{name} ON {table} ({columns});"))
}
