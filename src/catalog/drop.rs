//! DROP and what falls with it: by itself (a column's indexes, a table's sequences), or by CASCADE (views, foreign keys).

use super::change::{Cause, Change};
use super::depend::Calling;
use super::object::*;
use super::types::BaseType;
use super::{Catalog, column as columns, extension, other, policy, publication, role, sequence, trigger};
use crate::op::{FkAction, ObjectKind, ObjectRef};

pub(super) fn objects(c: &mut Catalog, objects: &[ObjectRef], if_exists: bool, cascade: bool, concurrently: bool) {
    for object in objects {
        one(c, object, if_exists, cascade, concurrently);
    }
}

fn one(c: &mut Catalog, object: &ObjectRef, if_exists: bool, cascade: bool, concurrently: bool) {
    let missing = |c: &mut Catalog| c.nothing_missing(object.kind, c.missing_label(&object.name));
    match object.kind {
        ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Sequence => {
            let found = c.resolve_relation(&object.name);
            let kind = match object.kind {
                ObjectKind::View => RelationKind::View,
                ObjectKind::MaterializedView => RelationKind::MaterializedView,
                ObjectKind::Sequence => RelationKind::Sequence,
                ObjectKind::ForeignTable => RelationKind::ForeignTable,
                _ => RelationKind::Table,
            };
            match found {
                None if if_exists => missing(c),
                None => {
                    if let Some(id) = c.relation_or_unseen(&object.name, kind) {
                        relation(c, id, cascade);
                    }
                }
                Some(id) => relation(c, id, cascade),
            }
        }
        ObjectKind::Index => match c.resolve_index(&object.name) {
            Some(id) => index(c, id, concurrently),
            None if if_exists => missing(c),
            None => unseen_index(c, object, concurrently),
        },
        ObjectKind::Type | ObjectKind::Domain => match c.resolve_type(&object.name) {
            Some(id) => data_type(c, id, cascade),
            None if if_exists => missing(c),
            None => {
                if let Some(id) = super::type_object::resolve_or_unseen(c, &object.name, || TypeKind::Unknown) {
                    data_type(c, id, cascade);
                }
            }
        },
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
            match c.resolve_routine(&object.name, object.args.as_deref()) {
                Some(id) => routine(c, id, cascade),
                None if if_exists => missing(c),
                None => {
                    let id = super::routine::unseen(c, object);
                    routine(c, id, cascade);
                }
            }
        }
        ObjectKind::Schema => {
            let name = object.name.name.clone();
            if !c.schemas.contains_key(&name) {
                if if_exists {
                    return c.nothing_missing(object.kind, crate::sql::names::quote_identifier(&name));
                }
                c.schema_or_unseen(&name);
            }
            schema(c, &name);
        }
        ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => {
            let name = object.sub.as_deref().unwrap_or_default();
            if if_exists && c.resolve_relation(&object.name).is_none() {
                return missing(c);
            }
            let Some(id) = c.relation_or_unseen(&object.name, RelationKind::Table) else { return };
            let Some(table) = c.relation(id).cloned() else { return };
            let exists = match object.kind {
                ObjectKind::Trigger => table.triggers.iter().any(|t| t.name == name),
                ObjectKind::Policy => table.policies.iter().any(|p| p.policy.name == name),
                _ => table.rules.iter().any(|r| r.name == name),
            };
            if if_exists && !exists {
                let label = format!("{}.{}", c.relation_label(&table), crate::sql::names::quote_identifier(name));
                return c.nothing_missing(object.kind, label);
            }
            match object.kind {
                ObjectKind::Trigger => trigger::drop_trigger(c, id, name),
                ObjectKind::Policy => policy::drop_policy(c, id, name),
                _ => trigger::drop_rule(c, id, name),
            }
        }
        ObjectKind::Extension => extension::drop(c, &object.name.name, if_exists, cascade),
        ObjectKind::Publication => publication::drop(c, &object.name.name, if_exists),
        ObjectKind::Role => role::drop(c, std::slice::from_ref(&object.name.name), if_exists),
        ObjectKind::Subscription => c.record(Change::SubscriptionChanged { name: object.name.name.clone() }),
        // Operators, casts, collations, languages, servers …: no model of their own.
        ObjectKind::Operator
        | ObjectKind::OperatorClass
        | ObjectKind::OperatorFamily
        | ObjectKind::Cast
        | ObjectKind::Collation
        | ObjectKind::Conversion
        | ObjectKind::Language
        | ObjectKind::EventTrigger
        | ObjectKind::Database
        | ObjectKind::Tablespace
        | ObjectKind::ForeignServer
        | ObjectKind::ForeignDataWrapper
        | ObjectKind::UserMapping
        | ObjectKind::Statistics
        | ObjectKind::TextSearch
        | ObjectKind::AccessMethod
        | ObjectKind::Transform
        | ObjectKind::LargeObject
        | ObjectKind::Parameter
        | ObjectKind::Column
        | ObjectKind::Attribute
        | ObjectKind::TableConstraint
        | ObjectKind::DomainConstraint => {
            if if_exists && !other::exists(c, object) {
                return c.nothing_missing(object.kind, other::label(c, object));
            }
            other::drop(c, object);
        }
    }
}

/// A relation, its indexes and sequences, and with CASCADE what else needs it.
pub(super) fn relation(c: &mut Catalog, id: Id, cascade: bool) {
    let Some(target) = c.relation(id).cloned() else { return };
    let partitioned = target.kind == RelationKind::PartitionedTable;
    for child in c.children_of(id) {
        if partitioned || cascade {
            c.because(Cause::Cascade, |c| relation(c, child, cascade));
        }
    }
    c.because(Cause::Cascade, |c| {
        for (table, foreign_key) in c.foreign_keys_to(id) {
            if table != id {
                remove_constraint(c, table, &foreign_key);
            }
        }
        let uses = |r: &Reference| matches!(r, Reference::Relation(r) | Reference::Column(r, _) if *r == id);
        for view in c.views_using(uses) {
            if view != id {
                relation(c, view, true);
            }
        }
        if cascade {
            routines(c, uses);
        }
        drop_users_of_type(c, &BaseType::Row(id), cascade);
    });
    // What is left of the target (a view on itself cannot be).
    let Some(removed) = c.remove_relation_with_indexes(id) else { return };
    if removed.kind == RelationKind::Sequence {
        for (table, column) in c.defaults_using_sequence_named(&removed) {
            c.because(Cause::Cascade, |c| drop_default(c, table, column));
        }
    }
    c.record(Change::RelationDropped { relation: removed });
    c.because(Cause::Cascade, |c| {
        for sequence in sequence::owned_by(c, id, None) {
            relation(c, sequence, cascade);
        }
    });
}

impl Catalog {
    fn remove_relation_with_indexes(&mut self, id: Id) -> Option<std::sync::Arc<Relation>> {
        for index in self.indexes_of(id) {
            self.remove_index(index.id);
        }
        for publication in self.publications.clone().values().filter(|p| p.tables.contains(&id)) {
            if let Some(publication) = self.publications.get_mut(&publication.name) {
                std::sync::Arc::make_mut(publication).tables.retain(|t| *t != id);
            }
        }
        self.remove_relation(id)
    }

    /// Defaults that name a sequence which is no longer there to resolve.
    fn defaults_using_sequence_named(&mut self, sequence: &Relation) -> Vec<(Id, ColumnId)> {
        let entry = self.insert_relation(sequence.clone());
        let found = self.defaults_using_sequence(entry);
        self.remove_relation(entry);
        found
    }
}

fn drop_default(c: &mut Catalog, table: Id, id: ColumnId) {
    let Some(relation) = c.relation(table).cloned() else { return };
    let Some(column) = relation.column_by_id(id).cloned() else { return };
    columns::change(c, table, id, |column| column.default = None);
    c.record(Change::DefaultDropped { relation, column });
}

/// ALTER TABLE … DROP COLUMN.
pub(super) fn column(c: &mut Catalog, relation: Id, name: &str, if_exists: bool, cascade: bool, recurse: bool) {
    let Some(before) = c.relation(relation).cloned() else { return };
    if before.column(name).is_none() && if_exists {
        let label = format!("{}.{}", c.relation_label(&before), crate::sql::names::quote_identifier(name));
        return c.nothing_missing(ObjectKind::Column, label);
    }
    let Some(id) = c.column_or_unseen(relation, name) else { return };
    remove_column(c, relation, id, cascade, recurse);
}

pub(super) fn remove_column(c: &mut Catalog, relation_id: Id, id: ColumnId, cascade: bool, recurse: bool) {
    let Some(before) = c.relation(relation_id).cloned() else { return };
    let Some(column) = before.column_by_id(id).cloned() else { return };
    for child in c.children_of(relation_id) {
        let Some(own) = c.relation(child).and_then(|r| r.column(&column.name)).cloned() else { continue };
        if recurse && own.inherited <= 1 && !own.is_local {
            c.because(Cause::Inherited, |c| remove_column(c, child, own.id, cascade, true));
        } else {
            columns::change(c, child, own.id, |own| {
                own.inherited = own.inherited.saturating_sub(1);
                own.is_local |= !recurse;
            });
        }
    }
    c.because(Cause::Cascade, |c| fall_with_column(c, &before, id, cascade));
    if let Some(relation) = c.relation_mut(relation_id) {
        relation.columns.retain(|col| col.id != id);
        relation.grants.retain(|(_, _, col)| col.as_deref() != Some(&column.name));
    }
    c.record(Change::ColumnDropped { relation: before, column });
    c.because(Cause::Cascade, |c| {
        for sequence in sequence::owned_by(c, relation_id, Some(id)) {
            relation(c, sequence, cascade);
        }
    });
}

/// Constraints and indexes over the column go by themselves; views, keys of others, generated columns by CASCADE.
fn fall_with_column(c: &mut Catalog, table: &Relation, id: ColumnId, cascade: bool) {
    let name = table.column_by_id(id).map(|column| column.name.clone()).unwrap_or_default();
    for constraint in table.constraints.iter().filter(|k| k.kind.columns().contains(&id)) {
        remove_constraint(c, table.id, constraint);
    }
    let uses = |index: &Index| {
        index.keys.iter().any(|k| k.column == Some(id)) || index.including.contains(&id) || index.expression_columns.contains(&id)
    };
    for found in c.indexes_of(table.id).iter().filter(|i| uses(i)) {
        match table.constraints.iter().find(|k| k.kind.index() == Some(found.id)) {
            // A constraint whose index has the column only in INCLUDE.
            Some(constraint) => remove_constraint(c, table.id, constraint),
            None => index(c, found.id, false),
        }
    }
    for (other, foreign_key) in c.foreign_keys_to(table.id) {
        if matches!(&foreign_key.kind, ConstraintType::ForeignKey { ref_columns, .. } if ref_columns.contains(&id)) {
            remove_constraint(c, other, &foreign_key);
        }
    }
    let uses = |r: &Reference| matches!(r, Reference::Column(r, col) if *r == table.id && *col == id);
    for view in c.views_using(uses) {
        relation(c, view, true);
    }
    if !cascade {
        return;
    }
    routines(c, uses);
    let mentions = |expr: &crate::expr::Expr| {
        let mut found = false;
        expr.walk(&mut |e| found |= matches!(e, crate::expr::Expr::Column(parts) if parts.last() == Some(&name)));
        found
    };
    for column in &table.columns {
        if column.id != id && column.generated.as_ref().is_some_and(|(_, expr)| mentions(expr)) {
            remove_column(c, table.id, column.id, true, true);
        }
    }
    for found in &table.policies {
        if found.policy.using.as_ref().is_some_and(mentions) || found.policy.check.as_ref().is_some_and(mentions) {
            policy::drop_policy(c, table.id, &found.policy.name);
        }
    }
    for found in &table.triggers {
        if found.update_columns.contains(&name) || found.when.as_ref().is_some_and(mentions) {
            trigger::drop_trigger(c, table.id, &found.name);
        }
    }
}

/// ALTER TABLE … DROP CONSTRAINT.
pub(super) fn constraint(c: &mut Catalog, relation: Id, name: &str, if_exists: bool, cascade: bool, recurse: bool) {
    let Some(before) = c.relation(relation).cloned() else { return };
    match before.constraint(name).cloned() {
        Some(found) => {
            for child in c.children_of(relation) {
                constraint_of_child(c, child, &found, cascade, recurse);
            }
            remove_constraint(c, relation, &found);
        }
        None if before.pending_not_null(name).is_some() => {
            let column = before.pending_not_null(name).map(|column| column.name.clone()).unwrap_or_default();
            super::column::drop_not_null(c, relation, &column, recurse);
        }
        None if if_exists => {
            let label = format!("{}.{}", c.relation_label(&before), crate::sql::names::quote_identifier(name));
            c.nothing_missing(ObjectKind::TableConstraint, label);
        }
        None if !before.known || before.birth == Birth::UNSEEN => {
            // A constraint that no visible statement made.
            let id = c.new_id();
            let kind = kind_by_name(c, relation, name);
            let constraint = Constraint {
                id,
                name: name.to_string(),
                kind,
                birth: Birth::UNSEEN,
                validated: true,
                enforced: true,
                deferrable: false,
                initially_deferred: false,
                no_inherit: false,
                is_local: true,
                inherited: 0,
            };
            c.record(Change::ConstraintDropped { relation: before, constraint, index: None });
        }
        None => c.incomplete = true,
    }
}

/// The kind of a constraint that nobody saw made, where its name is one that the server makes up for one kind only.
fn kind_by_name(c: &mut Catalog, relation: Id, name: &str) -> ConstraintType {
    let columns = Vec::new();
    match name.trim_end_matches(|c: char| c.is_ascii_digit()).rsplit_once('_').map(|(_, label)| label) {
        Some("pkey") => ConstraintType::PrimaryKey { columns, index: c.new_id() },
        Some("key") => ConstraintType::Unique { columns, index: c.new_id() },
        Some("excl") => ConstraintType::Exclude { columns, index: c.new_id() },
        Some("fkey") => ConstraintType::ForeignKey {
            columns,
            references: relation,
            ref_columns: Vec::new(),
            ref_index: None,
            on_delete: FkAction::NoAction,
            on_update: FkAction::NoAction,
        },
        _ => ConstraintType::Check { expr: crate::expr::Expr::Null, columns },
    }
}

/// What came down with a parent's constraint goes with it.
fn constraint_of_child(c: &mut Catalog, child: Id, parent: &Constraint, cascade: bool, recurse: bool) {
    let Some(relation) = c.relation(child).cloned() else { return };
    let own = match &parent.kind {
        ConstraintType::Check { .. } | ConstraintType::NotNull { .. } => relation.constraint(&parent.name).cloned(),
        ConstraintType::Unique { index, .. }
        | ConstraintType::PrimaryKey { index, .. }
        | ConstraintType::Exclude { index, .. } => {
            let below =
                |k: &&Constraint| k.kind.index().and_then(|id| c.indexes.get(&id)).is_some_and(|i| i.parent == Some(*index));
            relation.constraints.iter().find(below).cloned()
        }
        ConstraintType::ForeignKey { references, ref_columns, .. } => {
            let same = |k: &&Constraint| {
                matches!(&k.kind, ConstraintType::ForeignKey { references: r, ref_columns: cols, .. } if r == references && cols == ref_columns)
                    && k.inherited > 0
            };
            relation.constraints.iter().find(same).cloned()
        }
    };
    let Some(own) = own else { return };
    if recurse && own.inherited <= 1 && !own.is_local {
        c.because(Cause::Inherited, |c| constraint(c, child, &own.name, true, cascade, true));
    } else if let Some(slot) = c.relation_mut(child).and_then(|r| r.constraints.iter_mut().find(|k| k.id == own.id)) {
        slot.inherited = slot.inherited.saturating_sub(1);
        slot.is_local |= slot.inherited == 0;
    }
}

/// Takes a constraint out, with its index and the foreign keys of others that rely on it.
fn remove_constraint(c: &mut Catalog, relation: Id, constraint: &Constraint) {
    let Some(before) = c.relation(relation).cloned() else { return };
    if !before.constraints.iter().any(|k| k.id == constraint.id) {
        return;
    }
    let index = constraint.kind.index();
    if let Some(index) = index {
        c.because(Cause::Cascade, |c| {
            for (other, foreign_key) in c.foreign_keys_to(relation) {
                if matches!(&foreign_key.kind, ConstraintType::ForeignKey { ref_index, .. } if *ref_index == Some(index)) {
                    remove_constraint(c, other, &foreign_key);
                }
            }
        });
    }
    c.forget_constraint_name(&before.schema, &constraint.name);
    if let Some(relation) = c.relation_mut(relation) {
        relation.constraints.retain(|k| k.id != constraint.id);
    }
    let index = index.and_then(|id| c.remove_index(id));
    c.record(Change::ConstraintDropped { relation: before, constraint: constraint.clone(), index });
}

pub(super) fn index(c: &mut Catalog, id: Id, concurrently: bool) {
    let Some(found) = c.indexes.get(&id).cloned() else { return };
    let Some(table) = c.relation(found.relation).cloned() else { return };
    for child in c.children_of(found.relation) {
        for below in c.indexes_of(child).iter().filter(|i| i.parent == Some(id)) {
            c.because(Cause::Cascade, |c| index(c, below.id, false));
        }
    }
    if found.unique {
        c.because(Cause::Cascade, |c| {
            for (other, foreign_key) in c.foreign_keys_to(found.relation) {
                if matches!(&foreign_key.kind, ConstraintType::ForeignKey { ref_index, .. } if *ref_index == Some(id)) {
                    remove_constraint(c, other, &foreign_key);
                }
            }
        });
    }
    c.remove_index(id);
    c.record(Change::IndexDropped { relation: table, index: found, concurrently });
}

/// DROP INDEX of an index that no visible statement created: on an unknown relation.
fn unseen_index(c: &mut Catalog, object: &ObjectRef, concurrently: bool) {
    c.incomplete = true;
    let schema = c.creation_schema(&object.name);
    let id = c.new_id();
    let table = super::resolve::new_relation(id, &schema, "?", RelationKind::Table, Birth::UNSEEN);
    let found = Index {
        id,
        schema,
        name: object.name.name.clone(),
        relation: id,
        unique: false,
        valid: true,
        nulls_not_distinct: false,
        method: "btree".into(),
        keys: Vec::new(),
        including: Vec::new(),
        predicate: None,
        expression_columns: Vec::new(),
        constraint: None,
        parent: None,
        birth: Birth::UNSEEN,
    };
    let (relation, index) = (std::sync::Arc::new(table), std::sync::Arc::new(found));
    c.record(Change::IndexDropped { relation, index, concurrently });
}

/// A type: with CASCADE the columns, domains and routines that use it.
pub(super) fn data_type(c: &mut Catalog, id: Id, cascade: bool) {
    let Some(object) = c.types.get(&id).cloned() else { return };
    c.because(Cause::Cascade, |c| drop_users_of_type(c, &BaseType::User(id), cascade));
    c.because(Cause::Cascade, |c| {
        for view in c.views_using(|r| *r == Reference::Type(id)) {
            relation(c, view, true);
        }
        if cascade {
            routines(c, |r| *r == Reference::Type(id));
        }
    });
    c.remove_type(id);
    if let TypeKind::Composite { relation } = object.kind {
        c.remove_relation(relation);
    }
    c.record(Change::TypeDropped { object });
}

fn drop_users_of_type(c: &mut Catalog, base: &BaseType, cascade: bool) {
    if !cascade {
        return;
    }
    for (table, column) in c.columns_of_type(base) {
        remove_column(c, table, column, true, true);
    }
    for (table, column) in c.defaults_casting_to(base) {
        drop_default(c, table, column);
    }
    for domain in c.domains_over(base) {
        data_type(c, domain, true);
    }
    for id in c.routines_using_type(base) {
        routine(c, id, true);
    }
}

/// A routine: with CASCADE the triggers, views, defaults and policies that call it.
pub(super) fn routine(c: &mut Catalog, id: Id, cascade: bool) {
    let Some(found) = c.routines.get(&id).cloned() else { return };
    c.because(Cause::Cascade, |c| {
        for (table, name) in c.triggers_running(id) {
            if cascade {
                trigger::drop_trigger(c, table, &name);
            }
        }
        for view in c.views_using(|r| *r == Reference::Routine(id)) {
            relation(c, view, true);
        }
        if cascade {
            routines(c, |r| *r == Reference::Routine(id));
            for calling in c.expressions_calling(id) {
                part(c, calling);
            }
        }
    });
    c.remove_routine(id);
    c.record(Change::RoutineDropped { routine: found });
}

/// Routines in SQL that use what goes.
fn routines(c: &mut Catalog, uses: impl Fn(&Reference) -> bool) {
    for id in c.routines_using(uses) {
        routine(c, id, true);
    }
}

/// A part of a table that calls a routine which goes.
fn part(c: &mut Catalog, calling: Calling) {
    match calling {
        Calling::Default(table, column) => drop_default(c, table, column),
        Calling::Generated(table, column) => remove_column(c, table, column, true, true),
        Calling::Check(table, constraint) => remove_constraint(c, table, &constraint),
        Calling::Policy(table, name) => policy::drop_policy(c, table, &name),
        Calling::Trigger(table, name) => trigger::drop_trigger(c, table, &name),
        Calling::Index(id) => index(c, id, false),
    }
}

/// A schema and all in it.
pub(super) fn schema(c: &mut Catalog, name: &str) {
    let Some(object) = c.schemas.get(name).cloned() else { return };
    c.because(Cause::Cascade, |c| {
        let relations: Vec<Id> =
            c.relations.values().filter(|r| r.schema == name && r.kind != RelationKind::Composite).map(|r| r.id).collect();
        for id in relations {
            relation(c, id, true);
        }
        let routines: Vec<Id> = c.routines.values().filter(|r| r.schema == name).map(|r| r.id).collect();
        for id in routines {
            routine(c, id, true);
        }
        let types: Vec<Id> = c.types.values().filter(|t| t.schema == name).map(|t| t.id).collect();
        for id in types {
            data_type(c, id, true);
        }
        let extensions: Vec<String> = c.extensions.values().filter(|e| e.schema == name).map(|e| e.name.clone()).collect();
        for extension in extensions {
            extension::drop(c, &extension, true, true);
        }
    });
    c.schemas.remove(name);
    // Default privileges of a schema go with it.
    c.default_grants.retain(|(_, schema, _, _)| schema != name);
    c.record(Change::SchemaDropped { schema: object });
}
