use super::shared::backfill::{self, Backfill};
use super::shared::online;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::RowChange;
use crate::finding::Level;
use crate::op::DmlKind;

pub const RULE: Rule = Rule { id: "unbatched-backfill", family: Family::Blocking, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for backfill in backfill::all(cx) {
        let table = cx.label(&backfill.table);
        let message = match backfill.how {
            RowChange::Update { .. } | RowChange::Delete { .. } => format!(
                "one statement {} as many rows of {table} as there are: each stays locked until the commit, and nothing behind the \
                 transaction is vacuumed meanwhile",
                backfill.verb()
            ),
            RowChange::Insert | RowChange::Merge | RowChange::Truncate | RowChange::Copy => format!(
                "one statement {} as many rows of {table} as there are: nothing behind the transaction is vacuumed until the commit, \
                 and what others write meanwhile is missed",
                backfill.verb()
            ),
        };
        findings.push(cx.finding(RULE.id, Level::Warning, backfill.event, table.clone(), message, help(cx, &backfill, &table)));
    }
}

/// One batch of this statement, to be repeated by whoever runs it.
fn help(cx: &Context<'_>, backfill: &Backfill<'_>, table: &str) -> String {
    let key = online::batch_key(&backfill.table).unwrap_or_else(|| "ctid".into());
    let again = "run it outside of the transaction, again until it changes no row, or keep it out of migrations";
    let Some(dml) = backfill.dml.filter(|dml| dml.sources.from.is_empty()) else {
        return format!("take a range of {key} or a LIMIT at a time; {again}");
    };
    let condition = match dml.condition.as_ref().and_then(|_| condition(cx, backfill)) {
        Some(condition) => format!(" WHERE {condition}"),
        None if dml.kind == DmlKind::Update => " WHERE <not yet changed>".to_string(),
        None => String::new(),
    };
    let rows = format!("{key} IN (SELECT {key} FROM {table}{condition} LIMIT 10000)");
    match (dml.kind, assignments(cx, backfill)) {
        (DmlKind::Delete, _) => format!("in batches, outside of the transaction, again until it changes no row:\nDELETE FROM {table} WHERE {rows};"),
        (DmlKind::Update, Some(set)) => {
            format!("in batches, outside of the transaction, again until it changes no row:\nUPDATE {table} SET {set} WHERE {rows};")
        }
        (DmlKind::Update | DmlKind::Insert | DmlKind::Merge, _) => format!("take a range of {key} or a LIMIT at a time; {again}"),
    }
}

/// The text of the statement's WHERE.
fn condition(cx: &Context<'_>, backfill: &Backfill<'_>) -> Option<String> {
    let text = online::text(cx, backfill.event.span);
    Some(text.get(online::top_level_word(&text, "where")? + "where".len()..)?.trim().to_string()).filter(|rest| !returns(rest))
}

/// The text between SET and WHERE.
fn assignments(cx: &Context<'_>, backfill: &Backfill<'_>) -> Option<String> {
    let text = online::text(cx, backfill.event.span);
    let start = online::top_level_word(&text, "set")? + "set".len();
    let end = online::top_level_word(&text, "where").unwrap_or(text.len());
    text.get(start..end).map(|set| set.trim().to_string()).filter(|rest| !returns(rest))
}

fn returns(text: &str) -> bool {
    online::top_level_word(text, "returning").is_some()
}
