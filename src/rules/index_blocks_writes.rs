use super::shared::online;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::object::{Id, Index, Relation, RelationKind};
use crate::catalog::work::{Act, Build};
use crate::finding::Level;
use crate::op::Op;
use crate::recipe::Recipe;
use crate::sql::names::quote_identifier;
use std::sync::Arc;

pub const RULE: Rule =
    Rule { id: "index-blocks-writes", family: Family::Blocking, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for work in cx.work.iter().filter(|work| cx.older_relation(&work.relation)) {
        let index = match &work.act {
            Act::Build(Build::Index { index, concurrently: false }) => index,
            Act::Build(Build::Retype { index }) => {
                if let Some(judged) = online::built_anew(cx, RULE.id, work, *index, false) {
                    findings.push(judged);
                }
                continue;
            }
            _ => continue,
        };
        let Some(Op::CreateIndex(create)) = online::op(cx, work.statement, work.span) else { continue };
        // An index of a partitioned table is built on each partition: one finding, about the table that the statement names.
        let Some(named) = cx.before.resolve_relation(&create.relation).and_then(|id| cx.before.relation(id)) else { continue };
        let built = cx.after.indexes.get(index).cloned();
        let top = built.as_ref().map(|index| topmost(cx, index.clone()));
        let label = cx.label(named);
        let name = top.as_ref().map_or_else(|| "the index".to_string(), |index| online::index_label(index));
        let message = format!(
            "building {name} stops every INSERT, UPDATE and DELETE on {label} until it is done: CREATE INDEX holds SHARE on the {}",
            online::kind_word(named)
        );
        let tail = online::index_tail(&online::text(cx, work.span));
        let recipe = top.as_ref().zip(tail).map(|(index, tail)| recipe(cx, named, index, create.unique, &tail));
        let judged = cx.finding(
            RULE.id,
            Level::Error,
            work,
            name,
            message,
            "build it with CONCURRENTLY, which lets writers through and cannot run in a transaction".into(),
        );
        let judged = judged.related(cx.created(named.birth));
        findings.push(match recipe {
            Some(recipe) => judged.with_recipe(recipe, cx.opt_out()),
            None => judged,
        });
    }
}

/// The index of the partitioned table that this one is part of, or itself.
fn topmost(cx: &Context<'_>, mut index: Arc<Index>) -> Arc<Index> {
    while let Some(parent) = index.parent.and_then(|id| cx.after.indexes.get(&id)) {
        index = parent.clone();
    }
    index
}

fn recipe(cx: &Context<'_>, table: &Relation, index: &Index, unique: bool, tail: &str) -> Recipe {
    let label = cx.label(table);
    if table.kind != RelationKind::PartitionedTable {
        return Recipe::new()
            .then_outside("nobody waits while it is built", online::concurrently(index, unique, &label, tail));
    }
    let word = if unique { "UNIQUE " } else { "" };
    let name = quote_identifier(&index.name);
    let mut recipe = Recipe::new().then(
        "an index of the parent alone, invalid for now",
        [format!("CREATE {word}INDEX {name} ON ONLY {label} {tail}")],
    );
    let mut attach = Vec::new();
    for (parent, id) in partitions(cx, table.id) {
        let Some(partition) = cx.after.relation(id) else { continue };
        let own = cx.after.indexes_of(id).into_iter().find(|own| is_below(cx, own, index.id));
        let Some(own) = own else { continue };
        let above = if parent == table.id { Some(index.clone()) } else { parent_index(cx, &own) };
        let on = cx.label(partition);
        recipe = if partition.kind == RelationKind::PartitionedTable {
            let own_name = quote_identifier(&own.name);
            recipe.then(format!("the same for {on}"), [format!("CREATE {word}INDEX {own_name} ON ONLY {on} {tail}")])
        } else {
            recipe.then_outside(format!("the index of {on}"), online::concurrently(&own, unique, &on, tail))
        };
        if let Some(above) = above {
            let (above, own) = (online::index_label(&above), online::index_label(&own));
            attach.push(format!("ALTER INDEX {above} ATTACH PARTITION {own}"));
        }
    }
    // From the leaves up: an index is valid once all of its partitions' are attached.
    attach.reverse();
    recipe.then("with the last one attached the parent's index is valid", attach)
}

fn parent_index(cx: &Context<'_>, index: &Index) -> Option<Index> {
    cx.after.indexes.get(&index.parent?).map(|parent| (**parent).clone())
}

fn is_below(cx: &Context<'_>, index: &Index, top: Id) -> bool {
    let mut above = index.parent;
    while let Some(id) = above {
        if id == top {
            return true;
        }
        above = cx.after.indexes.get(&id).and_then(|index| index.parent);
    }
    false
}

/// Everything below a partitioned table, each with its parent, parents first.
fn partitions(cx: &Context<'_>, table: Id) -> Vec<(Id, Id)> {
    let mut all: Vec<(Id, Id)> = Vec::new();
    let mut at = 0;
    let mut parents = vec![table];
    while at < parents.len() {
        for child in cx.after.children_of(parents[at]) {
            all.push((parents[at], child));
            parents.push(child);
        }
        at += 1;
    }
    all
}
