//! Partitions come and go: the parent, its default partition and what both refer to are locked, and rows are read to see that
//! they belong where they will be.

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
    if !wanted.is_some_and(|wanted| proof::satisfies(&below, &wanted)) {
        for id in &tree {
            if c.relation(*id).is_some_and(|table| table.kind == RelationKind::Table) {
                c.scan(*id, Scan::PartitionBound);
            }
        }
    }
    look_into_default(c, parent, Form::AttachPartitionWithDefault);
    adopt(c, &above, child);
}

/// CREATE TABLE … PARTITION OF.
pub(super) fn create(c: &mut Catalog, parent: Id) {
    c.take(parent, Form::CreatePartition, Role::Partitioned);
    look_into_default(c, parent, Form::CreatePartitionWithDefault);
    let Some(above) = c.relation(parent).cloned() else { return };
    lock_referenced(c, &above, Form::CreatePartitionWithForeignKey);
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
    c.take(child, form, role);
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

fn look_into_default(c: &mut Catalog, parent: Id, form: Form) {
    if let Some(default) = default_of(c, parent) {
        for id in c.with_descendants(default) {
            c.take(id, form, Role::DefaultPartition);
            if c.relation(id).is_some_and(|table| table.kind == RelationKind::Table) {
                c.scan(id, Scan::DefaultPartition);
            }
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
        if let ConstraintType::ForeignKey { references, .. } = constraint.kind
            && !crate::catalog::inheritance::has_foreign_key(c, above.id, child, constraint)
        {
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

/// What every row of a partition satisfies, as the server makes it (`get_qual_from_partbound`); `None` where no CHECK proves it.
fn constraint_of(c: &Catalog, parent: &Relation, partition: &Relation, bound: &PartitionBound) -> Option<Vec<Expr>> {
    let _ = c;
    let key = parent.partition_columns.iter().map(|column| Some(parent.column_by_id((*column)?)?.name.clone()));
    let key: Vec<String> = key.collect::<Option<_>>()?;
    let _ = partition;
    let column = |name: &String| Expr::Column(vec![name.clone()]);
    let not_null = |name: &String| Expr::IsNull { expr: Box::new(column(name)), negated: true };
    match bound {
        PartitionBound::List(values) => {
            let [name] = key.as_slice() else { return None };
            if values.iter().any(Expr::is_null) {
                return None;
            }
            let list = Expr::InList { expr: Box::new(column(name)), list: values.clone(), negated: false };
            Some(vec![not_null(name), list])
        }
        PartitionBound::Range { from, to } => {
            let [name] = key.as_slice() else { return None };
            let mut wanted = vec![not_null(name)];
            let compared = |operator: &str, limit: &Expr| Expr::Operator {
                name: operator.to_string(),
                args: vec![column(name), limit.clone()],
            };
            if let [Some(limit)] = from.as_slice() {
                wanted.push(compared(">=", limit));
            }
            if let [Some(limit)] = to.as_slice() {
                wanted.push(compared("<", limit));
            }
            Some(wanted)
        }
        PartitionBound::Default | PartitionBound::Hash { .. } => None,
    }
}
