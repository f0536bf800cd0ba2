use super::shared::held::{Held, has_rows};
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event, RowChange};
use crate::catalog::object::Id;
use crate::finding::{Level, Related};
use std::collections::BTreeSet;

pub const RULE: Rule = Rule { id: "lock-upgrade", family: Family::Blocking, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    let held = Held::of(cx);
    let mut said: BTreeSet<(u32, Id)> = BTreeSet::new();
    for event in cx.events {
        let Change::RowsChanged { relation: Some(relation), how } = &event.change else { continue };
        if !locks_rows(*how) || !cx.older_table(relation) {
            continue;
        }
        let place = (event.statement, event.span);
        let Some(transaction) = held.transaction(event.statement) else { continue };
        let of_table = || held.locks.iter().filter(|lock| lock.relation().id == relation.id && lock.mode.stops_writes());
        // Whoever stops writes before it writes itself has nobody to wait for.
        let before = |at: (usize, crate::op::Span)| at.0 < place.0 || (at.0 == place.0 && at.1.start < place.1.start);
        let had = of_table().any(|lock| {
            let at = (lock.work.statement, lock.work.span);
            before(at) && held.lasts(at, place)
        });
        let later = of_table().find(|lock| {
            let at = (lock.work.statement, lock.work.span);
            !before(at) && at != place && held.lasts(place, at)
        });
        let Some(later) = later.filter(|lock| !had && has_rows(lock.relation())) else { continue };
        if !said.insert((transaction, relation.id)) {
            continue;
        }
        let table = cx.label(relation);
        let judged = cx.finding(
            RULE.id,
            Level::Warning,
            later.work,
            table.clone(),
            format!(
                "the transaction has changed rows of {table} and now wants {} on it: a client that holds the table and waits for such a \
                 row deadlocks with it (40P01)",
                later.mode.words()
            ),
            format!("end the migration after the rows of {table} are changed, and alter it in the next one"),
        );
        findings.push(judged.related(Some(changed_here(cx, event, &table))));
    }
}

fn changed_here(cx: &Context<'_>, event: &Event, table: &str) -> Related {
    Related { path: cx.migration.file.path.clone(), span: event.span, message: format!("rows of {table} are changed here") }
}

/// TRUNCATE locks the table itself.
fn locks_rows(how: RowChange) -> bool {
    match how {
        RowChange::Insert | RowChange::Update { .. } | RowChange::Delete { .. } | RowChange::Merge | RowChange::Copy => true,
        RowChange::Truncate => false,
    }
}
