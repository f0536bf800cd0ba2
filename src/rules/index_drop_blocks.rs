use super::shared::online;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::object::RelationKind;
use crate::catalog::work::{Act, Build};
use crate::finding::Level;
use crate::op::{Op, ReindexKind};
use crate::recipe::Recipe;

pub const RULE: Rule =
    Rule { id: "index-drop-blocks", family: Family::Blocking, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    dropped(cx, findings);
    rebuilt(cx, findings);
}

/// DROP INDEX.
fn dropped(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::IndexDropped { relation, index, concurrently: false } = &event.change else { continue };
        if !cx.older_relation(relation) || !matches!(online::op(cx, event.statement, event.span), Some(Op::Drop { .. })) {
            continue;
        }
        let (table, name) = (cx.label(relation), online::index_label(index));
        let message = format!(
            "dropping {name} waits for every query on {table} and lets no new one begin: DROP INDEX takes ACCESS EXCLUSIVE on the table"
        );
        let judged = |help: &str| {
            cx.finding(RULE.id, Level::Warning, event, name.clone(), message.clone(), help.to_string()).related(cx.created(index.birth))
        };
        findings.push(if relation.kind == RelationKind::PartitionedTable {
            judged("the index of a partitioned table cannot be dropped concurrently: set a short lock_timeout and try again where it strikes")
        } else {
            let recipe = Recipe::new()
                .then_outside("nobody waits behind it", [format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")]);
            judged("drop it with CONCURRENTLY, which cannot run in a transaction").with_recipe(recipe, cx.opt_out())
        });
    }
}

/// REINDEX.
fn rebuilt(cx: &Context<'_>, findings: &mut Findings) {
    for work in cx.work {
        let Act::Build(Build::Reindex { concurrently: false }) = &work.act else { continue };
        if !cx.older_relation(&work.relation) {
            continue;
        }
        let table = cx.label(&work.relation);
        let message = format!(
            "REINDEX builds indexes of {table} anew under SHARE on the table and ACCESS EXCLUSIVE on the index: writers wait, and so do \
             readers that would use it"
        );
        let judged = cx.finding(
            RULE.id,
            Level::Error,
            work,
            table.clone(),
            message,
            "rebuild with CONCURRENTLY, which lets everybody through and cannot run in a transaction".into(),
        );
        let what = match online::op(cx, work.statement, work.span) {
            Some(Op::Reindex { kind: ReindexKind::Index, name: Some(name), .. }) => {
                let found = cx.before.resolve_index(name).and_then(|id| cx.before.indexes.get(&id));
                found.map(|index| format!("INDEX CONCURRENTLY {}", online::index_label(index)))
            }
            _ => Some(format!("TABLE CONCURRENTLY {table}")),
        };
        findings.push(match what {
            Some(what) => {
                let recipe = Recipe::new().then_outside("nobody waits while it is built", [format!("REINDEX {what}")]);
                judged.with_recipe(recipe, cx.opt_out())
            }
            None => judged,
        });
    }
}
