use super::shared::held::{self, Held, Lock};
use super::shared::list;
use super::{Check, Context, Family, Findings, Pending, Rule};
use crate::catalog::object::{Id, Relation};
use crate::catalog::work::{Act, Work};
use crate::finding::{Level, Related};
use std::collections::BTreeMap;
use std::sync::Arc;

pub const RULE: Rule = Rule { id: "many-tables-locked", family: Family::Blocking, level: Level::Warning, check: Check::Unit(check) };

/// The tables that one transaction locks, each with the first such lock, in order.
type Order<'a> = Vec<(Arc<Relation>, Lock<'a>)>;

fn check(cx: &Context<'_>, findings: &mut Findings) {
    let held = Held::of(cx);
    let mut transactions: BTreeMap<u32, Order<'_>> = BTreeMap::new();
    for lock in held.strong_on_tables(cx) {
        let Some(transaction) = held.transaction(lock.work.statement) else { continue };
        let table = held::whole_table(cx, lock.relation());
        let order = transactions.entry(transaction).or_default();
        let place = (lock.work.statement, lock.work.span);
        order.retain(|(_, earlier)| held.lasts((earlier.work.statement, earlier.work.span), place));
        if !order.iter().any(|(known, _)| known.id == table.id) {
            order.push((table, lock));
            if let [_, (_, second)] = order.as_slice() {
                findings.push(several(cx, &held, second));
            }
        }
    }
    for order in transactions.values() {
        if let Some(finding) = crossing(cx, order) {
            findings.push(finding);
            return;
        }
    }
}

fn several(cx: &Context<'_>, held: &Held<'_>, second: &Lock<'_>) -> super::Judged {
    let transaction = held.transaction(second.work.statement);
    let mut all: Vec<(Arc<Relation>, Lock<'_>)> = Vec::new();
    for lock in held.strong_on_tables(cx).into_iter().filter(|lock| held.transaction(lock.work.statement) == transaction) {
        let table = held::whole_table(cx, lock.relation());
        if !all.iter().any(|(known, _)| known.id == table.id) {
            all.push((table, lock));
        }
    }
    let labels: Vec<String> = all.iter().map(|(table, _)| cx.label(table)).collect();
    let one_statement = all.iter().all(|(_, lock)| (lock.work.statement, lock.work.span) == (second.work.statement, second.work.span));
    let message = format!(
        "one transaction holds locks that stop writes on {}: who uses one of them and waits for another deadlocks with it",
        list(&labels)
    );
    let help = if one_statement {
        "the statement needs them all; keep everything else out of its migration, so that they are held for a moment only, and give it \
         a `lock_timeout`"
            .to_string()
    } else {
        format!("give each table a migration of its own: the locks on {} are held from here to the commit", list(&labels))
    };
    let mut judged = cx.finding(RULE.id, Level::Warning, second.work, labels.join(", "), message, help);
    if let Some((table, first)) = all.first().filter(|_| !one_statement) {
        judged = judged.related(Some(Related {
            path: cx.migration.file.path.clone(),
            span: first.work.span,
            message: format!("{} is locked here", cx.label(table)),
        }));
    }
    judged
}

/// An earlier file of the same release locks two of the tables in the opposite order.
fn crossing(cx: &Context<'_>, order: &Order<'_>) -> Option<super::Judged> {
    for (at, (second, lock)) in order.iter().enumerate() {
        for (first, _) in &order[..at] {
            for pending in cx.pending {
                if let Some(other) = locks_in_order(cx, pending, second.id, first.id) {
                    let unit = cx.history.migrations.get(pending.position)?;
                    let (first, second) = (cx.label(first), cx.label(second));
                    let judged = cx.finding(
                        RULE.id,
                        Level::Warning,
                        lock.work,
                        format!("{first}, {second}, order"),
                        format!(
                            "{first} is locked before {second} here, and after it in {}: whichever order the application uses, it \
                             deadlocks with one of them",
                            unit.file.path
                        ),
                        format!("lock them in one order everywhere, or give {first} and {second} a migration each"),
                    );
                    return Some(judged.related(Some(Related {
                        path: unit.file.path.clone(),
                        span: other.span,
                        message: format!("{first} is locked after {second} here"),
                    })));
                }
            }
        }
    }
    None
}

/// The lock on `later`, where a transaction of the unit locks `earlier` before it.
fn locks_in_order<'a>(cx: &Context<'_>, unit: &'a Pending<'_>, earlier: Id, later: Id) -> Option<&'a Work> {
    let mut seen = None;
    for work in &unit.replay.work {
        let transaction = unit.replay.circumstances.get(work.statement).map(|circumstances| circumstances.transaction);
        let strong = matches!(work.act, Act::Lock(mode) if mode.stops_writes());
        if !strong || !held::has_rows(&work.relation) {
            continue;
        }
        let table = held::whole_table(cx, &work.relation).id;
        if table == later {
            return Some(work).filter(|_| seen.is_some() && seen == transaction);
        }
        if table == earlier {
            seen = transaction;
        }
    }
    None
}
