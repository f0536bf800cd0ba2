//! What each kind of statement costs. ALTER TABLE is told by [`super::altering`], from inside of its subcommands; what falls along by
//! [`super::fallout`], from the journal.

use super::{Build, Rewrite, Scan, maintenance, naming, new_column, partition, query, volatile};
use crate::catalog::Catalog;
use crate::catalog::change::{Change, Privileged};
use crate::catalog::object::*;
use crate::catalog::types::BaseType;
use crate::op::{
    AlterDomain, Body, ConstraintKind, CreateTable, CreateTrigger, ObjectKind, ObjectName, Op, PublicationChange, Step,
    TableElement,
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
        Op::CreateIndex(create) => maintenance::create_index(c, create),
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
        Op::CreateRule { relation, actions, .. } => {
            if let Some(relation) = c.resolve_relation(relation) {
                c.take(relation, Form::CreateRule, Role::Table);
            }
            for action in actions {
                match action {
                    Op::Dml(dml) => query::write(c, dml),
                    Op::Select(select) => query::mention(c, select),
                    _ => {}
                }
            }
        }
        Op::CreatePolicy(policy) => {
            if let Some(relation) = c.resolve_relation(&policy.relation) {
                c.take(relation, Form::CreatePolicy, Role::Table);
            }
            policy.using.iter().chain(&policy.check).for_each(|expr| query::mention_in(c, expr));
        }
        Op::AlterPolicy(policy) => {
            if let Some(relation) = c.resolve_relation(&policy.relation) {
                c.take(relation, Form::AlterPolicy, Role::Table);
            }
            policy.using.iter().chain(&policy.check).for_each(|expr| query::mention_in(c, expr));
        }
        Op::Rename { object, .. } => naming::rename(c, object),
        Op::SetSchema { object, .. } => naming::set_schema(c, object),
        Op::SetOwner { object, .. } => naming::set_owner(c, object),
        Op::Comment { object, .. } => naming::comment(c, object),
        Op::Grant(grant) => naming::grant_on(c, grant),
        Op::CreatePublication { tables, .. } => tables.iter().for_each(|name| publish(c, name, Form::CreatePublication)),
        Op::AlterPublication { name, change } => match change {
            PublicationChange::Add { tables, .. } => tables.iter().for_each(|name| publish(c, name, Form::PublicationAddTable)),
            PublicationChange::Set { tables, .. } => {
                let before = c.publications.get(name).map(|found| found.tables.clone()).unwrap_or_default();
                before.into_iter().for_each(|id| c.take(id, Form::PublicationSetTable, Role::Table));
                tables.iter().for_each(|name| publish(c, name, Form::PublicationSetTable));
            }
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
            for id in relations.iter().filter_map(|name| c.resolve_relation(name)).collect::<Vec<_>>() {
                query::lock_below(c, id, *mode, query::DEPTH);
            }
        }
        Op::Vacuum { relations, full, analyze_only } => maintenance::vacuum(c, relations, *full, *analyze_only),
        Op::Cluster { relation } => {
            if let Some(id) = relation.as_ref().and_then(|name| c.resolve_relation(name)) {
                for table in c.with_descendants_if_partitioned(id) {
                    c.take(table, Form::ClusterUsing, Role::Table);
                    maintenance::rewrite(c, table, Rewrite::Cluster);
                }
            }
        }
        Op::Reindex { kind, name, concurrently } => maintenance::reindex(c, *kind, name.as_ref(), *concurrently),
        Op::Refresh { name, concurrently, .. } => maintenance::refresh(c, name, *concurrently),
        // These lock no relation of users, or [`super::fallout`], [`super::altering`] and the statements inside say what.
        Op::AlterTable(alter) if c.resolve_relation(&alter.name).is_none() => {
            if let Some(index) = c.resolve_index(&alter.name) {
                alter.commands.iter().for_each(|command| maintenance::alter_index(c, index, command));
            }
        }
        Op::AlterTable(_) | Op::Drop { .. } | Op::DropOwned { .. } | Op::Truncate { .. } | Op::ReassignOwned { .. } => {}
        Op::Do(_) | Op::Call { .. } | Op::Explain { .. } | Op::CreateSchema { .. } => {}
        Op::AlterAllInTablespace | Op::CreateType { .. } | Op::CreateDomain { .. } | Op::AlterEnum { .. } => {}
        Op::CreateRoutine(create) if create.language == "sql" => analyse(c, &create.body),
        Op::CreateRoutine(_) | Op::AlterRoutine { .. } | Op::CreateAggregate { .. } => {}
        Op::CreateEventTrigger { .. } | Op::AlterEventTrigger { .. } => {}
        Op::CreateOther { object, options, .. } if object.kind == ObjectKind::Statistics => {
            for (_, relation) in options.iter().filter(|(name, _)| name == "on") {
                let parts = crate::catalog::session::split_quoted(relation.as_deref().unwrap_or_default(), '.');
                let name = match parts.as_slice() {
                    [name] => ObjectName::bare(name.clone()),
                    [.., schema, name] => ObjectName::qualified(schema.clone(), name.clone()),
                    [] => continue,
                };
                if let Some(id) = c.resolve_relation(&name) {
                    c.take(id, Form::CreateStatistics, Role::Table);
                }
            }
        }
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
            (Op::ReassignOwned { .. }, Change::OwnerChanged { object: Privileged::Relation(id), .. }) => {
                c.take(id, Form::ReassignOwnedTable, Role::Table);
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
        if let Some(bound) = &create.bound {
            partition::create(c, parent, bound);
        } else {
            c.take(parent, Form::CreateTableInherits, Role::Table);
        }
        store_defaults(c, parent);
    }
    if let Some(ty) = create.of_type.as_ref().and_then(|name| c.composite_relation(name)) {
        c.take(ty, Form::CreateTableOf, Role::Type);
    }
    for element in &create.elements {
        match element {
            TableElement::Column(column) => {
                let data_type = column.type_ref.as_ref().map(|type_ref| c.data_type(type_ref));
                if let Some(ty) = data_type.and_then(|data_type| new_column::composite_of(c, &data_type)) {
                    c.take(ty, Form::CreateTableWithCompositeColumn, Role::Type);
                }
                for constraint in &column.constraints {
                    lock_referenced(c, &constraint.kind);
                    if let ConstraintKind::Default(expr) = &constraint.kind {
                        lock_sequences(c, expr);
                    }
                }
            }
            TableElement::Constraint(constraint) => lock_referenced(c, &constraint.kind),
            TableElement::Like { source, options } => {
                if let Some(source) = c.resolve_relation(source) {
                    c.take(source, Form::CreateTableLike, Role::Table);
                    if options.defaults {
                        store_defaults(c, source);
                    }
                }
            }
        }
    }
}

/// The new table has the defaults of this one.
fn store_defaults(c: &mut Catalog, source: Id) {
    let Some(source) = c.relation(source).cloned() else { return };
    source.columns.iter().filter_map(|column| column.default.as_ref()).for_each(|expr| lock_sequences(c, expr));
}

/// A default that names a sequence depends on it from now on.
fn lock_sequences(c: &mut Catalog, expr: &crate::expr::Expr) {
    for sequence in volatile::sequences(c, expr) {
        c.take(sequence, Form::CreateTableDefaultNextval, Role::Sequence);
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
            if c.is_over(&column.data_type, domain) && relation.kind.has_rows() {
                using.push((relation.id, column.id));
            }
        }
    }
    for (id, column) in using {
        c.take(id, form, Role::Using);
        c.scan(id, Scan::Domain { column, validate });
    }
}

fn publish(c: &mut Catalog, name: &ObjectName, form: Form) {
    if let Some(id) = c.resolve_relation(name) {
        c.take(id, form, Role::Table);
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
