//! Statements about an object as a whole: its name, schema, owner, comment and privileges. They do no work, and lock what they name.

use crate::catalog::Catalog;
use crate::catalog::object::*;
use crate::op::{Grant, GrantTargets, ObjectKind, ObjectRef};
use crate::versions::locks::{Form, Role};

/// The relation that an object is or hangs on.
fn relation_of(c: &Catalog, object: &ObjectRef) -> Option<Id> {
    c.resolve_relation(&object.name)
}

fn index_of(c: &mut Catalog, object: &ObjectRef, form: Form) {
    if let Some(index) = c.resolve_index(&object.name) {
        c.take_index(index, form, Role::Index);
    }
}

pub(super) fn rename(c: &mut Catalog, object: &ObjectRef) {
    if let Some(index) = c.resolve_index(&object.name).filter(|_| object.sub.is_none()) {
        let form = if object.kind == ObjectKind::Index { Form::RenameIndex } else { Form::RenameIndexAsTable };
        c.take_index(index, form, Role::Index);
        return;
    }
    if matches!(object.kind, ObjectKind::Type | ObjectKind::Attribute) {
        if let Some(ty) = c.composite_relation(&object.name) {
            let form = if object.kind == ObjectKind::Type { Form::RenameCompositeType } else { Form::RenameAttribute };
            c.take(ty, form, Role::Type);
            if object.kind == ObjectKind::Attribute {
                c.typed_tables(ty).into_iter().for_each(|id| c.take(id, Form::RenameAttributeOfTypedTable, Role::Table));
            }
        }
        return;
    }
    let Some(id) = relation_of(c, object) else { return };
    match object.kind {
        ObjectKind::Column => {
            for id in c.with_descendants(id) {
                c.take(id, Form::RenameColumn, Role::Table);
            }
        }
        ObjectKind::TableConstraint => {
            c.take(id, Form::RenameCheck, Role::Table);
            let inherits = object.sub.as_ref().is_some_and(|name| {
                let constraint = c.relation(id).and_then(|table| table.constraint(name));
                constraint.is_some_and(|found| matches!(found.kind, ConstraintType::Check { .. }) && !found.no_inherit)
            });
            if inherits {
                c.with_descendants(id).into_iter().for_each(|id| c.take(id, Form::RenameCheck, Role::Table));
            }
        }
        ObjectKind::Trigger => {
            for id in c.with_descendants_if_partitioned(id) {
                c.take(id, Form::RenameTrigger, Role::Table);
            }
        }
        ObjectKind::Policy => c.take(id, Form::RenamePolicy, Role::Table),
        ObjectKind::Rule => c.take(id, Form::RenameRule, Role::Table),
        _ => {
            let (form, role) = match c.relation(id).map(|relation| relation.kind) {
                Some(RelationKind::View) => (Form::RenameView, Role::View),
                Some(RelationKind::MaterializedView) => (Form::RenameMaterializedView, Role::MaterializedView),
                Some(RelationKind::Sequence) => (Form::RenameSequence, Role::Sequence),
                _ => (Form::RenameTable, Role::Referenced),
            };
            c.take(id, form, role);
        }
    }
}

pub(super) fn set_schema(c: &mut Catalog, object: &ObjectRef) {
    if object.kind == ObjectKind::Type {
        if let Some(ty) = c.composite_relation(&object.name) {
            c.take(ty, Form::SetSchemaOfCompositeType, Role::Type);
        }
        return;
    }
    let Some(id) = relation_of(c, object) else { return };
    let (form, role) = match c.relation(id).map(|relation| relation.kind) {
        Some(RelationKind::View) => (Form::SetSchemaOfView, Role::View),
        Some(RelationKind::MaterializedView) => (Form::SetSchemaOfMaterializedView, Role::MaterializedView),
        Some(RelationKind::Sequence) => (Form::SetSchemaOfSequence, Role::Sequence),
        _ => (Form::SetSchema, Role::Referenced),
    };
    c.take(id, form, role);
    for sequence in crate::catalog::sequence::owned_by(c, id, None) {
        c.take(sequence, Form::SetSchemaWithSequence, Role::Sequence);
    }
}

pub(super) fn set_owner(c: &mut Catalog, object: &ObjectRef) {
    match object.kind {
        ObjectKind::Type => {
            if let Some(ty) = c.composite_relation(&object.name) {
                c.take(ty, Form::OwnerToOfCompositeType, Role::Type);
            }
        }
        ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Sequence => {
            let Some(id) = relation_of(c, object) else { return };
            let (form, role) = match c.relation(id).map(|relation| relation.kind) {
                Some(RelationKind::View) => (Form::OwnerToOfView, Role::View),
                Some(RelationKind::MaterializedView) => (Form::OwnerToOfMaterializedView, Role::MaterializedView),
                Some(RelationKind::Sequence) => (Form::OwnerToOfSequence, Role::Sequence),
                _ => (Form::OwnerTo, Role::Referenced),
            };
            c.take(id, form, role);
        }
        _ => {}
    }
}

pub(super) fn comment(c: &mut Catalog, object: &ObjectRef) {
    let (form, role) = match object.kind {
        ObjectKind::Index => return index_of(c, object, Form::CommentOnIndex),
        ObjectKind::Type => {
            if let Some(ty) = c.composite_relation(&object.name) {
                c.take(ty, Form::CommentOnCompositeType, Role::Type);
            }
            return;
        }
        ObjectKind::Table => (Form::CommentOnTable, Role::Table),
        ObjectKind::ForeignTable => (Form::CommentOnForeignTable, Role::Table),
        ObjectKind::View => (Form::CommentOnView, Role::View),
        ObjectKind::MaterializedView => (Form::CommentOnMaterializedView, Role::MaterializedView),
        ObjectKind::Sequence => (Form::CommentOnSequence, Role::Sequence),
        ObjectKind::Column => (Form::CommentOnColumn, Role::Table),
        ObjectKind::TableConstraint => (Form::CommentOnConstraint, Role::Table),
        ObjectKind::Trigger => (Form::CommentOnTrigger, Role::Table),
        ObjectKind::Rule => (Form::CommentOnRule, Role::Table),
        ObjectKind::Policy => (Form::CommentOnPolicy, Role::Table),
        _ => return,
    };
    if let Some(id) = relation_of(c, object) {
        c.take(id, form, role);
    }
}

/// GRANT and REVOKE on relations.
pub(super) fn grant_on(c: &mut Catalog, grant: &Grant) {
    let take = |c: &mut Catalog, id: Id| {
        let sequence = c.relation(id).is_some_and(|relation| relation.kind == RelationKind::Sequence);
        let (form, role) = if sequence { (Form::GrantOnSequence, Role::Sequence) } else { (Form::Grant, Role::Table) };
        c.take(id, form, role);
    };
    match &grant.targets {
        GrantTargets::Objects { kind: ObjectKind::Table | ObjectKind::Sequence | ObjectKind::View, objects } => {
            for object in objects {
                if let Some(id) = c.resolve_relation(&object.name) {
                    take(c, id);
                }
            }
        }
        GrantTargets::AllInSchema { kind, schemas } => {
            let wanted = |relation: &&std::sync::Arc<Relation>| {
                schemas.contains(&relation.schema)
                    && match kind {
                        ObjectKind::Sequence => relation.kind == RelationKind::Sequence,
                        ObjectKind::Table => !matches!(relation.kind, RelationKind::Sequence | RelationKind::Composite),
                        _ => false,
                    }
            };
            let ids: Vec<Id> = c.relations.values().filter(wanted).map(|relation| relation.id).collect();
            ids.into_iter().for_each(|id| c.take(id, Form::GrantAllInSchema, Role::Table));
        }
        GrantTargets::Objects { .. } | GrantTargets::Defaults { .. } => {}
    }
}
