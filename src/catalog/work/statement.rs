//! What each kind of statement costs. ALTER TABLE is told by [`super::altering`], from inside of its subcommands; what falls along by
//! [`super::fallout`], from the journal.

use super::{Build, Rewrite, Scan, partition, query};
use crate::catalog::Catalog;
use crate::catalog::change::Change;
use crate::catalog::object::*;
use crate::catalog::types::BaseType;
use crate::effect::LockMode;
use crate::op::{
    AlterDomain, Body, ConstraintKind, CreateIndex, CreateTable, CreateTrigger, ObjectKind, ObjectName, ObjectRef, Op,
    PublicationChange, ReindexKind, Step, TableElement,
};
use crate::versions::locks::{Form, Role};

/// What the statement costs, as far as that is known before it is carried out.
pub(super) fn before(c: &mut Catalog, op: &Op) {
    match op {
        Op::CreateTable(create) => create_table(c, create),
        Op::CreateTableAs(create) => query::read(c, &create.query),
        Op::CreateView(create) => {
            if let Some(view) = c.resolve_relation(&create.name).filter(|_| create.or_replace) {
                c.take(view, Form::ReplaceView, Role::View);
            }
            query::mention(c, &create.query);
        }
        Op::CreateIndex(create) => create_index(c, create),
        Op::AlterSequence { name, options, .. } => {
            if let Some(sequence) = c.resolve_relation(name) {
                let owned = options.iter().any(|option| matches!(option, crate::op::SequenceOption::OwnedBy(_)));
                c.take(sequence, if owned { Form::SequenceOwnedBy } else { Form::AlterSequence }, Role::Sequence);
            }
            lock_owner_table(c, options, Form::SequenceOwnedBy);
        }
        Op::CreateSequence { options, .. } => lock_owner_table(c, options, Form::CreateSequenceOwnedBy),
        Op::AlterDomain { name, change } => alter_domain(c, name, change),
        Op::CreateTrigger(create) => create_trigger(c, create),
        Op::CreateRule { relation, .. } => {
            if let Some(relation) = c.resolve_relation(relation) {
                c.take(relation, Form::CreateRule, Role::Table);
            }
        }
        Op::CreatePolicy(policy) => {
            if let Some(relation) = c.resolve_relation(&policy.relation) {
                c.take(relation, Form::CreatePolicy, Role::Table);
            }
        }
        Op::AlterPolicy(policy) => {
            if let Some(relation) = c.resolve_relation(&policy.relation) {
                c.take(relation, Form::AlterPolicy, Role::Table);
            }
        }
        Op::Rename { object, .. } => rename(c, object),
        Op::SetSchema { object, .. } => set_schema(c, object),
        Op::SetOwner { object, .. } => set_owner(c, object),
        Op::Comment { object, .. } => comment(c, object),
        Op::Grant(grant) => grant_on(c, grant),
        Op::CreatePublication { tables, .. } => tables.iter().for_each(|name| publish(c, name, Form::CreatePublication)),
        Op::AlterPublication { change, .. } => match change {
            PublicationChange::Add { tables, .. } => tables.iter().for_each(|name| publish(c, name, Form::PublicationAddTable)),
            PublicationChange::Set { tables, .. } => tables.iter().for_each(|name| publish(c, name, Form::PublicationSetTable)),
            PublicationChange::Drop { tables, .. } => tables.iter().for_each(|name| publish(c, name, Form::PublicationDropTable)),
            PublicationChange::Options(_) => {}
        },
        Op::Dml(dml) => query::write(c, dml),
        Op::Select(select) => query::read(c, select),
        Op::Copy { relation, from, query: inner, .. } => {
            if let Some(id) = relation.as_ref().and_then(|name| c.resolve_relation(name)) {
                let form = if *from { Form::Insert } else { Form::Select };
                c.take(id, form, Role::Table);
            }
            if let Some(inner) = inner {
                query::read(c, inner);
            }
        }
        Op::Lock { relations, mode, .. } => {
            if let Some(mode) = LockMode::named(mode) {
                for id in relations.iter().filter_map(|name| c.resolve_relation(name)).collect::<Vec<_>>() {
                    query::lock_below(c, id, mode, 16);
                }
            }
        }
        Op::Vacuum { relations, full, analyze_only } => vacuum(c, relations, *full, *analyze_only),
        Op::Cluster { relation } => {
            if let Some(id) = relation.as_ref().and_then(|name| c.resolve_relation(name)) {
                c.take(id, Form::ClusterUsing, Role::Table);
                c.rewrite(id, Rewrite::Cluster);
                c.build_index(id, Build::Rewrite);
            }
        }
        Op::Reindex { kind, name, concurrently } => reindex(c, *kind, name.as_ref(), *concurrently),
        Op::Refresh { name, concurrently, .. } => refresh(c, name, *concurrently),
        // These lock no relation of users, or [`super::fallout`], [`super::altering`] and the statements inside say what.
        Op::AlterTable(_) | Op::Drop { .. } | Op::DropOwned { .. } | Op::Truncate { .. } | Op::ReassignOwned { .. } => {}
        Op::Do(_) | Op::Call { .. } | Op::Explain { .. } | Op::CreateSchema { .. } => {}
        Op::AlterAllInTablespace | Op::CreateType { .. } | Op::CreateDomain { .. } | Op::AlterEnum { .. } => {}
        Op::CreateRoutine(create) if create.language == "sql" => analyse(c, &create.body),
        Op::CreateRoutine(_) | Op::AlterRoutine { .. } | Op::CreateAggregate { .. } => {}
        Op::CreateEventTrigger { .. } | Op::AlterEventTrigger { .. } => {}
        Op::CreateExtension { .. } | Op::AlterExtension { .. } | Op::CreateOther { .. } | Op::AlterOther { .. } => {}
        Op::DependsOnExtension { .. } | Op::SecurityLabel | Op::GrantRole { .. } => {}
        Op::CreateRole { .. } | Op::AlterRole { .. } | Op::AlterSettings { .. } | Op::DropRole { .. } => {}
        Op::CreateSubscription { .. } | Op::AlterSubscription { .. } => {}
        Op::Transaction(_) | Op::Set(_) | Op::Show | Op::SetConstraints { .. } | Op::Discard { .. } => {}
        Op::Session { .. } | Op::ImportForeignSchema { .. } | Op::Load { .. } | Op::Unclassified { .. } => {}
    }
}

/// What only the journal tells: which tables a TRUNCATE reached, which index was made.
pub(super) fn after(c: &mut Catalog, op: &Op, mark: usize) {
    let done: Vec<Change> = c.journal.get(mark..).unwrap_or_default().iter().map(|event| event.change.clone()).collect();
    for change in done {
        match (op, change) {
            (Op::Truncate { .. }, Change::RowsChanged { relation: Some(relation), .. }) => {
                c.take(relation.id, Form::Truncate, Role::Table)
            }
            (Op::Truncate { .. }, Change::SequenceAltered { relation, .. }) => {
                c.take(relation.id, Form::TruncateRestartIdentity, Role::Sequence)
            }
            (Op::CreateIndex(create), Change::IndexCreated { relation, index, concurrently }) => {
                if matches!(relation.kind, RelationKind::Table | RelationKind::MaterializedView) {
                    let form = if concurrently { Form::CreateIndexConcurrently } else { Form::CreateIndex };
                    c.take(relation.id, form, Role::Table);
                    c.build_index(relation.id, Build::Index { index, concurrently });
                } else if !create.only {
                    c.take(relation.id, Form::CreateIndexOnPartitioned, Role::Partitioned);
                }
            }
            (Op::ReassignOwned { .. }, Change::OwnerChanged { object, .. }) => {
                if let crate::catalog::change::Privileged::Relation(id) = object {
                    c.take(id, Form::ReassignOwnedTable, Role::Table);
                }
            }
            _ => {}
        }
    }
}

/// The body of a function in SQL is looked at when it is made (`check_function_bodies`).
fn analyse(c: &mut Catalog, body: &Body) {
    for step in &body.steps {
        match step {
            Step::Sql(statement) => match &statement.op {
                Op::Select(select) => query::mention(c, select),
                Op::Dml(dml) => query::write(c, dml),
                _ => {}
            },
            Step::Return { expr: Some(expr), .. } => query::mention_in(c, expr),
            _ => {}
        }
    }
}

fn create_table(c: &mut Catalog, create: &CreateTable) {
    let schema = create.name.schema.clone().unwrap_or_else(|| c.creation_schema(&create.name));
    let exists = c.resolve_relation(&ObjectName::qualified(schema, create.name.name.clone()));
    if create.if_not_exists && exists.is_some() {
        if let Some(id) = exists {
            c.take(id, Form::CreateTableExisting, Role::Table);
        }
        return;
    }
    let parents: Vec<Id> = create.inherits.iter().filter_map(|name| c.resolve_relation(name)).collect();
    for parent in parents {
        if create.bound.is_some() {
            partition::create(c, parent);
        } else {
            c.take(parent, Form::CreateTableInherits, Role::Table);
        }
    }
    if let Some(ty) = create.of_type.as_ref().and_then(|name| c.composite_relation(name)) {
        c.take(ty, Form::CreateTableOf, Role::Type);
    }
    for element in &create.elements {
        match element {
            TableElement::Column(column) => {
                column.constraints.iter().for_each(|constraint| lock_referenced(c, &constraint.kind));
            }
            TableElement::Constraint(constraint) => lock_referenced(c, &constraint.kind),
            TableElement::Like { source, .. } => {
                if let Some(source) = c.resolve_relation(source) {
                    c.take(source, Form::CreateTableLike, Role::Table);
                }
            }
        }
    }
}

fn lock_referenced(c: &mut Catalog, kind: &ConstraintKind) {
    if let ConstraintKind::ForeignKey { references, .. } = kind
        && let Some(target) = c.resolve_relation(references)
    {
        for id in c.with_descendants_if_partitioned(target) {
            c.take(id, Form::CreateTableReferences, Role::Referenced);
        }
    }
}

fn create_index(c: &mut Catalog, create: &CreateIndex) {
    let Some(id) = c.resolve_relation(&create.relation) else { return };
    let Some(table) = c.relation(id).cloned() else { return };
    let exists = create.name.as_ref().is_some_and(|name| c.relation_name_taken(&table.schema, name)) && create.if_not_exists;
    let form = match (create.concurrently, exists) {
        (true, false) => Form::CreateIndexConcurrently,
        (true, true) => Form::CreateIndexConcurrentlyExisting,
        (false, false) => Form::CreateIndex,
        (false, true) => Form::CreateIndexExisting,
    };
    c.take(id, form, Role::Table);
    if table.kind == RelationKind::PartitionedTable && !create.only && !exists {
        // All below it, before it is known which of them has an index that fits.
        for id in c.with_descendants(id) {
            c.take(id, Form::CreateIndexOnPartitioned, Role::Partition);
        }
    }
}

fn create_trigger(c: &mut Catalog, create: &CreateTrigger) {
    let Some(id) = c.resolve_relation(&create.relation) else { return };
    let Some(table) = c.relation(id) else { return };
    let (kind, for_each_row) = (table.kind, create.for_each_row);
    match kind {
        RelationKind::View => c.take(id, Form::CreateViewTrigger, Role::View),
        RelationKind::PartitionedTable if for_each_row => {
            for id in c.with_descendants(id) {
                c.take(id, Form::CreateTrigger, Role::Table);
            }
        }
        _ => c.take(id, Form::CreateTrigger, Role::Table),
    }
}

fn lock_owner_table(c: &mut Catalog, options: &[crate::op::SequenceOption], form: Form) {
    for option in options {
        if let crate::op::SequenceOption::OwnedBy(Some((table, _))) = option
            && let Some(table) = c.resolve_relation(table)
        {
            c.take(table, form, Role::Table);
        }
    }
}

/// A constraint of a domain is checked in every table that has a column of it, or of a domain over it.
fn alter_domain(c: &mut Catalog, name: &ObjectName, change: &AlterDomain) {
    let Some(domain) = c.resolve_type(name) else { return };
    let (form, validate) = match change {
        AlterDomain::AddConstraint(def) if def.not_valid => return,
        AlterDomain::AddConstraint(def) if matches!(def.kind, ConstraintKind::Check(_)) => (Form::DomainAddCheck, false),
        AlterDomain::AddConstraint(_) => (Form::DomainAddNotNull, false),
        AlterDomain::SetNotNull => (Form::DomainSetNotNull, false),
        AlterDomain::ValidateConstraint { .. } => (Form::DomainValidate, true),
        AlterDomain::SetDefault(_) | AlterDomain::DropDefault | AlterDomain::DropNotNull | AlterDomain::DropConstraint { .. } => {
            return;
        }
    };
    let already = matches!(c.types.get(&domain).map(|object| &object.kind),
        Some(TypeKind::Domain { not_null: true, .. }) if matches!(change, AlterDomain::SetNotNull));
    if already {
        return;
    }
    let mut using: Vec<(Id, ColumnId)> = Vec::new();
    for relation in c.relations.values() {
        for column in &relation.columns {
            if c.is_over(&column.data_type, domain) && has_rows(relation.kind) {
                using.push((relation.id, column.id));
            }
        }
    }
    for (id, column) in using {
        c.take(id, form, Role::Using);
        c.scan(id, Scan::Domain { column, validate });
    }
}

fn has_rows(kind: RelationKind) -> bool {
    matches!(kind, RelationKind::Table | RelationKind::MaterializedView)
}

fn publish(c: &mut Catalog, name: &ObjectName, form: Form) {
    if let Some(id) = c.resolve_relation(name) {
        c.take(id, form, Role::Table);
    }
}

fn vacuum(c: &mut Catalog, relations: &[ObjectName], full: bool, analyze_only: bool) {
    let tables: Vec<Id> = if relations.is_empty() {
        c.relations.values().filter(|relation| has_rows(relation.kind)).map(|relation| relation.id).collect()
    } else {
        relations.iter().filter_map(|name| c.resolve_relation(name)).collect()
    };
    for id in tables {
        let form = match (full, analyze_only) {
            (true, _) => Form::VacuumFull,
            (false, true) => Form::Analyze,
            (false, false) => Form::Vacuum,
        };
        c.take(id, form, Role::Table);
        if full {
            c.rewrite(id, Rewrite::VacuumFull);
            if !c.indexes_of(id).is_empty() {
                c.build_index(id, Build::Rewrite);
            }
        }
    }
}

fn reindex(c: &mut Catalog, kind: ReindexKind, name: Option<&ObjectName>, concurrently: bool) {
    let tables: Vec<Id> = match (kind, name) {
        (ReindexKind::Index, Some(name)) => {
            let Some(index) = c.resolve_index(name) else { return };
            let Some(table) = c.indexes.get(&index).map(|index| index.relation) else { return };
            let form = if concurrently { Form::ReindexIndexConcurrently } else { Form::ReindexIndex };
            c.take(table, form, Role::Table);
            // CONCURRENTLY locks an index in the end that nobody uses any more.
            if !concurrently {
                c.take_index(index, form, Role::Index);
            }
            c.build_index(table, Build::Reindex { concurrently });
            return;
        }
        (ReindexKind::Table, Some(name)) => c.resolve_relation(name).into_iter().flat_map(|id| c.with_descendants(id)).collect(),
        (ReindexKind::Schema, Some(name)) => {
            let in_schema = |relation: &&std::sync::Arc<Relation>| relation.schema == name.name;
            c.relations.values().filter(in_schema).map(|relation| relation.id).collect()
        }
        (ReindexKind::Database | ReindexKind::System, _) | (_, None) => {
            c.relations.values().map(|relation| relation.id).collect()
        }
    };
    let form = if concurrently { Form::ReindexTableConcurrently } else { Form::ReindexTable };
    for table in tables {
        if c.relation(table).is_none_or(|relation| !has_rows(relation.kind)) {
            continue;
        }
        c.take(table, form, Role::Table);
        let indexes = c.indexes_of(table);
        for index in indexes.iter().filter(|_| !concurrently) {
            c.take_index(index.id, form, Role::Index);
        }
        if !indexes.is_empty() {
            c.build_index(table, Build::Reindex { concurrently });
        }
    }
}

fn refresh(c: &mut Catalog, name: &ObjectName, concurrently: bool) {
    let Some(id) = c.resolve_relation(name) else { return };
    if concurrently {
        c.take(id, Form::RefreshConcurrently, Role::MaterializedView);
        return;
    }
    c.take(id, Form::Refresh, Role::MaterializedView);
    c.rewrite(id, Rewrite::Refresh);
    if !c.indexes_of(id).is_empty() {
        c.build_index(id, Build::Rewrite);
    }
}

/// The relation that an object is or hangs on.
fn relation_of(c: &Catalog, object: &ObjectRef) -> Option<Id> {
    c.resolve_relation(&object.name)
}

fn index_of(c: &mut Catalog, object: &ObjectRef, form: Form) {
    if let Some(index) = c.resolve_index(&object.name) {
        c.take_index(index, form, Role::Index);
    }
}

fn rename(c: &mut Catalog, object: &ObjectRef) {
    if let Some(index) = c.resolve_index(&object.name).filter(|_| object.sub.is_none()) {
        let form = if object.kind == ObjectKind::Index { Form::RenameIndex } else { Form::RenameIndexAsTable };
        c.take_index(index, form, Role::Index);
        return;
    }
    if matches!(object.kind, ObjectKind::Type | ObjectKind::Attribute) {
        if let Some(ty) = c.composite_relation(&object.name) {
            let form = if object.kind == ObjectKind::Type { Form::RenameCompositeType } else { Form::RenameAttribute };
            c.take(ty, form, Role::Type);
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
        ObjectKind::Trigger => c.take(id, Form::RenameTrigger, Role::Table),
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

fn set_schema(c: &mut Catalog, object: &ObjectRef) {
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

fn set_owner(c: &mut Catalog, object: &ObjectRef) {
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

fn comment(c: &mut Catalog, object: &ObjectRef) {
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
fn grant_on(c: &mut Catalog, grant: &crate::op::Grant) {
    use crate::op::GrantTargets;
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

impl Catalog {
    /// The type is this domain, or a domain over it.
    fn is_over(&self, data_type: &crate::catalog::types::DataType, domain: Id) -> bool {
        let mut current = data_type.clone();
        while let BaseType::User(id) = current.base {
            if current.array {
                return false;
            }
            if id == domain {
                return true;
            }
            match self.types.get(&id).map(|object| &object.kind) {
                Some(TypeKind::Domain { base, .. }) => current = base.clone(),
                _ => return false,
            }
        }
        false
    }
}
