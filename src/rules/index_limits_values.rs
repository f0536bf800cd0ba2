use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::name::qualified;
use crate::catalog::object::{Column, Id, Index, TypeKind};
use crate::catalog::types::{BaseType, DataType};
use crate::finding::Level;

pub const RULE: Rule =
    Rule { id: "index-limits-values", family: Family::Contract, level: Level::Note, check: Check::Unit(check) };

/// Longest index row of a btree in bytes (`BTMaxItemSize` of 8 kB pages, version 4).
const LONGEST_ROW: i64 = 2704;

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let (relation, index): (_, Id) = match &event.change {
            Change::IndexCreated { relation, index, .. } => (relation, *index),
            Change::ConstraintAdded { relation, constraint } => match constraint.kind.index() {
                Some(index) => (relation, index),
                None => continue,
            },
            _ => continue,
        };
        let Some(index) = cx.after.indexes.get(&index).filter(|index| index.method == "btree" && !cx.older(index.birth)) else { continue };
        if !cx.older_table(relation) {
            continue;
        }
        let Some(column) = indexed(index).filter_map(|id| relation.column_by_id(id)).find(|column| long(cx, column)) else { continue };
        let already = cx.released.indexes_of(relation.id).iter().any(|old| {
            old.method == "btree" && old.predicate.is_none() && indexed(old).any(|id| id == column.id)
        });
        if already {
            continue;
        }
        let (name, column) = (qualified(&index.schema, &index.name), cx.part_label(relation, &column.name));
        findings.push(
            cx.finding(
                RULE.id,
                Level::Note,
                event,
                name.clone(),
                format!("btree index {name} limits {column}: a value of the previous release that needs more than {LONGEST_ROW} bytes in it fails (54000)"),
                format!("index a hash of {column}, such as md5(…), or USING hash, where long values are possible"),
            )
            .related(cx.created(relation.birth)),
        );
    }
}

fn indexed(index: &Index) -> impl Iterator<Item = crate::catalog::object::ColumnId> {
    index.keys.iter().filter_map(|key| key.column).chain(index.including.iter().copied())
}

/// An older column whose values can be longer than an index row.
fn long(cx: &Context<'_>, column: &Column) -> bool {
    if !cx.older(column.birth) {
        return false;
    }
    let DataType { base, typmods, array: false } = cx.before.base_type(&column.data_type) else { return false };
    match base {
        BaseType::Builtin(name) => match (name.as_ref(), typmods.as_slice()) {
            ("text" | "bytea" | "jsonb", _) | ("varchar" | "bpchar", []) => true,
            // Four bytes are the most that a character of UTF-8 takes.
            ("varchar" | "bpchar", [length]) => length * 4 > LONGEST_ROW,
            _ => false,
        },
        BaseType::User(id) => {
            cx.before.types.get(&id).is_some_and(|object| object.name == "citext" && matches!(object.kind, TypeKind::Base))
        }
        BaseType::Row(_) | BaseType::Unknown => false,
    }
}
