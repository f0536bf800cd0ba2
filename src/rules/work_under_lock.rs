use super::shared::backfill;
use super::shared::held::{Held, Lock};
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::catalog::work::{Act, Build, Scan, Work};
use crate::finding::{Level, Related};
use crate::op::Span;

pub const RULE: Rule = Rule { id: "work-under-lock", family: Family::Blocking, level: Level::Warning, check: Check::Unit(check) };

/// A statement that takes the longer the larger a table is.
struct Long {
    statement: usize,
    span: Span,
    level: Level,
    /// As the beginning of a sentence.
    what: String,
}

fn check(cx: &Context<'_>, findings: &mut Findings) {
    let held = Held::of(cx);
    let locks = held.strong_on_tables(cx);
    for long in long(cx) {
        let place = (long.statement, long.span);
        let earlier = |lock: &&Lock<'_>| {
            let at = (lock.work.statement, lock.work.span);
            (at.0 < place.0 || at.1.start < place.1.start) && held.lasts(at, place) && !takes_itself(cx, place, lock)
        };
        // The strongest, and of several such the first.
        let Some(lock) = locks.iter().filter(earlier).reduce(|a, b| if b.mode > a.mode { b } else { a }) else { continue };
        findings.push(finding(cx, &long, lock));
    }
}

/// The statement would hold such a lock on that table anyway: that is a rule of its own.
fn takes_itself(cx: &Context<'_>, (statement, span): (usize, Span), lock: &Lock<'_>) -> bool {
    cx.work.iter().any(|work| {
        work.statement == statement
            && work.span == span
            && work.relation.id == lock.relation().id
            && matches!(work.act, Act::Lock(mode) if mode >= lock.mode)
    })
}

fn long(cx: &Context<'_>) -> Vec<Long> {
    let mut all: Vec<Long> = Vec::new();
    for backfill in backfill::all(cx) {
        let what = format!("this {} rows of {} without a bound", backfill.verb(), cx.label(&backfill.table));
        all.push(Long { statement: backfill.event.statement, span: backfill.event.span, level: Level::Error, what });
    }
    for work in cx.work.iter().filter(|work| cx.older_relation(&work.relation)) {
        if let Some(verb) = takes_long(&work.act) {
            let what = format!("this {verb} {}", cx.label(&work.relation));
            all.push(Long { statement: work.statement, span: work.span, level: Level::Warning, what });
        }
    }
    all.sort_by_key(|long| (long.statement, long.span.start, std::cmp::Reverse(long.level)));
    all.dedup_by_key(|long| (long.statement, long.span));
    all
}

fn takes_long(act: &Act) -> Option<&'static str> {
    match act {
        Act::Rewrite(_) => Some("rewrites"),
        // The server only looks whether there is any row.
        Act::Scan(Scan::RequiredColumn { .. }) => None,
        Act::Scan(_) => Some("reads every row of"),
        Act::Build(Build::Index { concurrently: true, .. } | Build::Reindex { concurrently: true }) => None,
        Act::Build(_) => Some("builds an index on"),
        Act::Lock(_) | Act::LockIndex(..) => None,
    }
}

fn finding(cx: &Context<'_>, long: &Long, lock: &Lock<'_>) -> Judged {
    let Work { span, .. } = *lock.work;
    let table = cx.label(lock.relation());
    let finding = cx.finding_at(
        RULE.id,
        long.level,
        Some(long.statement),
        long.span,
        format!(
            "{} while the transaction holds {} on {table}, which stops {} of it until all of this is done",
            long.what,
            lock.mode.words(),
            lock.stops()
        ),
        format!("move this to the next migration, so that the lock on {table} is held for a moment only"),
    );
    Judged { finding, subjects: vec![table.clone()] }.related(Some(Related {
        path: cx.migration.file.path.clone(),
        span,
        message: format!("{table} is locked here"),
    }))
}
