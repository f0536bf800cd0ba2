use super::shared::online;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::object::Index;
use crate::catalog::work::{Act, Rewrite, Work};
use crate::effect::LockMode;
use crate::finding::Level;
use crate::op::Op;
use crate::recipe::Recipe;

pub const RULE: Rule = Rule { id: "matview-refresh", family: Family::Blocking, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for work in cx.work {
        match work.act {
            Act::Rewrite(Rewrite::Refresh) if cx.older_relation(&work.relation) => refreshed(cx, work, findings),
            Act::Lock(LockMode::AccessShareLock) if cx.older_relation(&work.relation) => filled_under_lock(cx, work, findings),
            _ => {}
        }
    }
}

/// REFRESH MATERIALIZED VIEW.
fn refreshed(cx: &Context<'_>, work: &Work, findings: &mut Findings) {
    let Some(Op::Refresh { with_data: true, .. }) = online::op(cx, work.statement, work.span) else { return };
    let name = cx.label(&work.relation);
    // One that holds no rows yet is read by nobody (55000), and CONCURRENTLY is refused for it.
    let Some(view) = cx.before.relation(work.relation.id) else { return };
    if view.known && !view.view.as_ref().is_some_and(|view| view.populated) {
        return;
    }
    let message = format!("REFRESH runs the query of {name} while ACCESS EXCLUSIVE stops everybody who reads it");
    let unique = cx.before.indexes_of(view.id).into_iter().any(|index| can_refresh(&index));
    let help = if unique {
        "refresh it with CONCURRENTLY: its unique index allows that"
    } else {
        "CONCURRENTLY lets readers through, and needs a unique index over plain columns of the view, without WHERE: build one with CREATE \
         UNIQUE INDEX CONCURRENTLY first"
    };
    let judged =
        cx.finding(RULE.id, Level::Error, work, name.clone(), message, help.into()).related(cx.created(view.birth));
    findings.push(if unique {
        let recipe =
            Recipe::new().then("readers see the old rows meanwhile", [format!("REFRESH MATERIALIZED VIEW CONCURRENTLY {name}")]);
        judged.with_recipe(recipe, cx.opt_out())
    } else {
        judged
    });
}

/// What REFRESH … CONCURRENTLY asks for.
fn can_refresh(index: &Index) -> bool {
    index.unique && index.valid && index.predicate.is_none() && index.keys.iter().all(|key| key.column.is_some())
}

/// CREATE MATERIALIZED VIEW or CREATE TABLE AS reads older tables while the transaction holds a strong lock.
fn filled_under_lock(cx: &Context<'_>, work: &Work, findings: &mut Findings) {
    let Some(Op::CreateTableAs(create)) = online::op(cx, work.statement, work.span) else { return };
    if !create.with_data {
        return;
    }
    let transaction = |statement: usize| cx.circumstances.get(statement).map(|circumstances| circumstances.transaction);
    let held = cx.work.iter().find(|held| {
        held.statement < work.statement
            && transaction(held.statement) == transaction(work.statement)
            && matches!(held.act, Act::Lock(mode) if mode.stops_writes())
            && cx.older_relation(&held.relation)
    });
    let Some(held) = held else { return };
    let Act::Lock(mode) = held.act else { return };
    let (read, locked) = (cx.label(&work.relation), cx.label(&held.relation));
    let message = format!(
        "it reads all of {read} while the transaction holds {} on {locked} since an earlier statement: {}",
        mode.words(),
        if mode.stops_reads() { "nobody reads or writes that meanwhile" } else { "nobody writes that meanwhile" }
    );
    let help = "fill it in a migration of its own, before or after the one that locks";
    let subject = locked.clone();
    findings.push(cx.finding(RULE.id, Level::Warning, work, subject, message, help.into()));
}

