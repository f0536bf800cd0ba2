//! Partitions come and go: the parent, its default partition and what both refer to are locked, and rows are read to see that
//! they belong where they will be.

use super::implied::{Clause, Comparison, Reader};
use super::{Build, Scan, proof};
use crate::catalog::Catalog;
use crate::catalog::object::*;
use crate::expr::Expr;
use crate::op::{ObjectName, PartitionBound};
use crate::versions::locks::{Form, Role};

/// The default partition of a table, where it has one.
pub(super) fn default_of(c: &Catalog, parent: Id) -> Option<Id> {
    let is_default = |id: &Id| c.relation(*id).is_some_and(|child| child.partition_bound == Some(PartitionBound::Default));
    c.children_of(parent).into_iter().find(is_default)
}

/// ALTER TABLE … ATTACH PARTITION, before it is done.
pub(super) fn attach(c: &mut Catalog, parent: Id, partition: &ObjectName, bound: &PartitionBound) {
    c.take(parent, Form::AttachPartition, Role::Partitioned);
    let Some(child) = c.resolve_relation(partition) else { return };
    let tree = c.with_descendants(child);
    for id in &tree {
        c.take(*id, Form::AttachPartition, Role::Partition);
    }
    let (Some(above), Some(below)) = (c.relation(parent).cloned(), c.relation(child).cloned()) else { return };
    let wanted = constraint_of(c, &above, &below, bound);
    if !wanted.is_some_and(|wanted| proof::satisfies(c, &below, &wanted)) {
        for id in &tree {
            if c.relation(*id).is_some_and(|table| table.kind == RelationKind::Table) {
                c.scan(*id, Scan::PartitionBound);
            }
        }
    }
    look_into_default(c, &above, bound, Form::AttachPartitionWithDefault);
    lock_referencing(c, &above, Form::AttachPartitionToReferenced);
    adopt(c, &above, child);
}

/// CREATE TABLE … PARTITION OF.
pub(super) fn create(c: &mut Catalog, parent: Id, bound: &PartitionBound) {
    c.take(parent, Form::CreatePartition, Role::Partitioned);
    let Some(above) = c.relation(parent).cloned() else { return };
    look_into_default(c, &above, bound, Form::CreatePartitionWithDefault);
    lock_referenced(c, &above, Form::CreatePartitionWithForeignKey);
    lock_referencing(c, &above, Form::CreatePartitionOfReferenced);
}

/// Foreign keys to the parent refer to the new partition too.
fn lock_referencing(c: &mut Catalog, above: &Relation, form: Form) {
    for referencing in c.referencing(above.id) {
        c.take(referencing, form, Role::Referencing);
    }
}

/// DETACH PARTITION.
pub(super) fn detach(c: &mut Catalog, parent: Id, partition: &ObjectName, concurrently: bool, finalize: bool) {
    let Some(child) = c.resolve_relation(partition) else { return };
    let form = match (concurrently, finalize) {
        (_, true) => Form::DetachPartitionFinalize,
        (true, _) => Form::DetachPartitionConcurrently,
        (false, _) => Form::DetachPartition,
    };
    c.take(parent, form, Role::Partitioned);
    let role = if finalize { Role::Partition } else { Role::OtherPartition };
    for id in c.with_descendants(child) {
        c.take(id, form, role);
    }
    if let Some(default) = default_of(c, parent).filter(|default| *default != child && !finalize) {
        c.take(default, Form::DetachPartitionWithDefault, Role::DefaultPartition);
    }
    let Some(above) = c.relation(parent).cloned() else { return };
    if !finalize && !concurrently {
        lock_referenced(c, &above, Form::DetachPartitionWithForeignKey);
        // Tables that refer to the parent are asked whether any of their rows refers to the partition.
        for referencing in c.referencing(parent) {
            c.take(referencing, Form::DetachReferencedPartition, Role::Referencing);
            let constraint = String::new();
            c.scan(referencing, Scan::ForeignKey { constraint, referenced: false, validate: true });
        }
    }
}

/// None of the rows of the default partition may belong into the new one.
fn look_into_default(c: &mut Catalog, parent: &Relation, bound: &PartitionBound, form: Form) {
    let Some(default) = default_of(c, parent.id) else { return };
    for id in c.with_descendants(default) {
        c.take(id, form, Role::DefaultPartition);
        let Some(table) = c.relation(id).cloned().filter(|table| table.kind == RelationKind::Table) else { continue };
        let outside = constraint_of(c, parent, &table, bound).map(|inside| inside.negated());
        if !outside.is_some_and(|outside| proof::satisfies(c, &table, &outside)) {
            c.scan(id, Scan::DefaultPartition);
        }
    }
}

fn lock_referenced(c: &mut Catalog, above: &Relation, form: Form) {
    for constraint in &above.constraints {
        if let ConstraintType::ForeignKey { references, .. } = constraint.kind {
            c.take(references, form, Role::Referenced);
        }
    }
}

/// The partition gets the parent's indexes and foreign keys, as far as it has none that fit.
fn adopt(c: &mut Catalog, above: &Relation, child: Id) {
    lock_referenced(c, above, Form::AttachPartitionWithForeignKey);
    for constraint in &above.constraints {
        if let ConstraintType::ForeignKey { references, .. } = constraint.kind {
            if crate::catalog::inheritance::has_foreign_key(c, above.id, child, constraint) {
                // Its own triggers on the referenced table make way for those of the parent.
                c.take(references, Form::DropForeignKey, Role::Referenced);
                continue;
            }
            let scan = |referenced| Scan::ForeignKey { constraint: constraint.name.clone(), referenced, validate: false };
            c.scan(child, scan(false));
            c.scan(references, scan(true));
        }
    }
    for index in c.indexes_of(above.id) {
        if !crate::catalog::inheritance::has_index_like(c, index.id, child) {
            c.build_index(child, Build::Partition { index: index.id });
        }
    }
}

/// What every row of a partition satisfies, as the server makes it (`get_qual_from_partbound`), in the columns of `partition`;
/// `None` where no CHECK proves it.
fn constraint_of(c: &Catalog, parent: &Relation, partition: &Relation, bound: &PartitionBound) -> Option<Clause> {
    let key = parent.partition_columns.iter().map(|column| Some(parent.column_by_id((*column)?)?.name.clone()));
    let key: Vec<Expr> = key.map(|name| name.map(|name| Expr::Column(vec![name]))).collect::<Option<_>>()?;
    let reader = Reader { catalog: c, table: partition };
    match bound {
        PartitionBound::List(values) => {
            let [column] = key.as_slice() else { return None };
            let (nulls, values): (Vec<&Expr>, Vec<&Expr>) = values.iter().partition(|value| value.is_null());
            let listed = values.iter().map(|value| reader.compare(column, Comparison::Equal, value, value)).collect();
            Some(match (nulls.is_empty(), values.is_empty()) {
                (true, _) => Clause::And(vec![Clause::NotNull(column.clone()), Clause::Or(listed)]),
                (false, true) => Clause::IsNull(column.clone()),
                (false, false) => Clause::Or(vec![Clause::IsNull(column.clone()), Clause::Or(listed)]),
            })
        }
        PartitionBound::Range { from, to } => Some(range(&reader, &key, from, to)),
        PartitionBound::Default => {
            let siblings =
                c.children_of(parent.id).into_iter().filter_map(|id| c.relation(id)).filter(|child| child.id != partition.id);
            let of_sibling =
                |child: &std::sync::Arc<Relation>| constraint_of(c, parent, partition, child.partition_bound.as_ref()?);
            Some(Clause::Or(siblings.map(of_sibling).collect::<Option<_>>()?).negated())
        }
        PartitionBound::Hash { .. } => None,
    }
}

/// As `get_qual_for_range`: keys that both bounds share are equal, the rest is an OR over how many of them stand at the bound.
fn range(reader: &Reader<'_>, key: &[Expr], from: &[Option<Expr>], to: &[Option<Expr>]) -> Clause {
    let mut wanted: Vec<Clause> = key.iter().map(|column| Clause::NotNull(column.clone())).collect();
    let compare = |at: usize, how: Comparison, value: &Expr| reader.compare(&key[at], how, value, value);
    let same = |at: usize| matches!((from.get(at), to.get(at)), (Some(Some(low)), Some(Some(high))) if low == high);
    let shared = (0..key.len()).take_while(|at| same(*at)).count();
    for (at, value) in from.iter().enumerate().take(shared) {
        wanted.extend(value.as_ref().map(|value| compare(at, Comparison::Equal, value)));
    }
    let last = key.len().saturating_sub(1);
    for (values, lower) in [(from, true), (to, false)] {
        let mut arms = Vec::new();
        for at in shared..key.len() {
            let Some(Some(value)) = values.get(at) else { break };
            let next_is_endless = at < last && matches!(values.get(at + 1), Some(None));
            // MINVALUE and MAXVALUE are not told apart: a lower bound goes on with the one, an upper bound hardly with the other.
            let how = match lower {
                true if at == last || next_is_endless => Comparison::GreaterOrEqual,
                true => Comparison::Greater,
                false => Comparison::Less,
            };
            let mut arm: Vec<Clause> = (shared..at)
                .filter_map(|before| values.get(before)?.as_ref().map(|value| compare(before, Comparison::Equal, value)))
                .collect();
            arm.push(compare(at, how, value));
            arms.push(Clause::And(arm));
        }
        if !arms.is_empty() {
            wanted.push(Clause::Or(arms));
        }
    }
    Clause::And(wanted)
}
