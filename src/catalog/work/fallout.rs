//! What falls along is locked too: from what a statement did away with to the relations that this held.

use super::Act;
use crate::catalog::Catalog;
use crate::catalog::change::{Change, Event};
use crate::catalog::object::*;
use crate::op::PartitionBound;
use crate::versions::locks::{self, Form, Role};
use std::sync::Arc;

/// Locks for everything that was taken away since the journal had `mark` entries. `before` is the catalog by then.
pub(super) fn lock(c: &mut Catalog, before: &Catalog, mark: usize) {
    let gone: Vec<Event> = c.journal.get(mark..).unwrap_or_default().to_vec();
    for event in &gone {
        c.span = event.span;
        match &event.change {
            Change::RelationDropped { relation } => dropped(c, before, relation),
            Change::ConstraintDropped { relation, constraint, .. } => {
                take(c, relation, Form::DropForeignKey, Role::Table);
                if let ConstraintType::ForeignKey { references, .. } = constraint.kind {
                    take_id(c, before, references, Form::DropForeignKey, Role::Referenced);
                }
            }
            Change::IndexDropped { relation, index: _, concurrently } => {
                let form = if *concurrently { Form::DropIndexConcurrently } else { Form::DropIndex };
                take(c, relation, form, Role::Table);
            }
            Change::ColumnDropped { relation, .. } if relation.kind != RelationKind::Composite => {
                take(c, relation, Form::DropColumn, Role::Table)
            }
            Change::DefaultDropped { relation, .. } => take(c, relation, Form::DropDefault, Role::Table),
            Change::TypeDropped { object } => {
                if let TypeKind::Composite { relation } = object.kind {
                    take_id(c, before, relation, Form::DropCompositeType, Role::Type);
                    for typed in before.typed_tables(relation) {
                        take_id(c, before, typed, Form::DropCompositeTypeInUse, Role::Using);
                    }
                }
            }
            Change::TriggerDropped { relation, .. } => take(c, relation, Form::DropTrigger, Role::Table),
            Change::RuleDropped { relation, .. } => take(c, relation, Form::DropRule, Role::Table),
            Change::PolicyDropped { relation, .. } => take(c, relation, Form::DropPolicy, Role::Table),
            _ => {}
        }
    }
}

fn dropped(c: &mut Catalog, before: &Catalog, relation: &Arc<Relation>) {
    match relation.kind {
        RelationKind::View => take(c, relation, Form::DropView, Role::View),
        RelationKind::MaterializedView => take(c, relation, Form::DropMaterializedView, Role::MaterializedView),
        RelationKind::Sequence => take(c, relation, Form::DropSequence, Role::Sequence),
        RelationKind::ForeignTable => take(c, relation, Form::DropForeignTable, Role::Table),
        RelationKind::Composite => take(c, relation, Form::DropCompositeType, Role::Type),
        RelationKind::Table | RelationKind::PartitionedTable => take(c, relation, Form::DropTable, Role::Referenced),
    }
    for constraint in &relation.constraints {
        if let ConstraintType::ForeignKey { references, .. } = constraint.kind {
            take_id(c, before, references, Form::DropTableWithForeignKey, Role::Referenced);
        }
    }
    if relation.partition_bound.is_some() {
        for parent in &relation.parents {
            if let Some(parent) = before.relation(*parent).cloned() {
                take(c, &parent, Form::DropPartition, Role::Partitioned);
            }
            if relation.partition_bound != Some(PartitionBound::Default)
                && let Some(default) = super::partition::default_of(before, *parent).and_then(|id| before.relation(id).cloned())
            {
                take(c, &default, Form::DropPartitionWithDefault, Role::DefaultPartition);
            }
        }
    }
}

fn take_id(c: &mut Catalog, before: &Catalog, id: Id, form: Form, role: Role) {
    for id in before.with_descendants_if_partitioned(id) {
        if let Some(relation) = before.relation(id).cloned() {
            take(c, &relation, form, role);
        }
    }
}

/// On the relation as it was: it may be gone.
fn take(c: &mut Catalog, relation: &Arc<Relation>, form: Form, role: Role) {
    if let Some(mode) = locks::mode(form, role, c.versions) {
        c.work_on_former(relation.clone(), Act::Lock(mode));
    }
}
