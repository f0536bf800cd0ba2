//! The modelled schema and its history: replaying statements, and what each of them does.
//!
//! PostgreSQL's rules live here, one file per object kind. Every change goes through [`Catalog::record`], so the journal is
//! complete; objects are shared, so that a copy of the whole catalog (a savepoint, the state before a unit) costs nothing.

pub mod again;
pub mod builtin;
pub mod change;
pub mod facts;
pub mod implication;
pub mod name;
pub mod object;
pub mod replay;
pub mod resolve;
pub mod snapshot;
pub mod types;
pub mod work;

mod alter_table;
mod apply;
mod body;
#[cfg(test)]
mod body_tests;
mod call;
mod column;
mod constraint;
mod default_privilege;
mod depend;
mod dml;
mod domain;
mod drop;
mod enumeration;
mod extension;
mod failure;
mod guard;
mod index;
mod inheritance;
mod like;
mod other;
mod owner;
mod policy;
mod privilege;
mod publication;
mod query;
mod relocate;
mod rename;
mod role;
mod routine;
mod schema;
mod sequence;
mod server_routine;
mod session;
mod snapshot_model;
mod table;
mod transaction;
mod trigger;
mod type_object;
mod view;

use crate::op::{Op, Span};
use crate::versions::PostgresVersions;
use change::{Cause, Change, Event};
pub use dml::is_ledger;
use imbl::{OrdMap, Vector};
use object::*;
use std::sync::Arc;

/// All objects at one moment, and the session state that name resolution needs. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub schemas: OrdMap<String, Arc<SchemaObject>>,
    pub relations: OrdMap<Id, Arc<Relation>>,
    pub indexes: OrdMap<Id, Arc<Index>>,
    pub types: OrdMap<Id, Arc<TypeObject>>,
    pub routines: OrdMap<Id, Arc<Routine>>,
    pub extensions: OrdMap<String, Arc<Extension>>,
    pub roles: OrdMap<String, Arc<Role>>,
    pub publications: OrdMap<String, Arc<Publication>>,
    pub others: Vector<Arc<OtherObject>>,
    /// schema → name → relation or index: they share one namespace.
    relation_names: OrdMap<String, OrdMap<String, Id>>,
    type_names: OrdMap<String, OrdMap<String, Id>>,
    /// schema → name → overloads.
    routine_names: OrdMap<String, OrdMap<String, Vec<Id>>>,
    /// schema → constraint name → how many: for names that the server makes up.
    constraint_names: OrdMap<String, OrdMap<String, u32>>,
    /// Relation → indexes on it, in order of creation.
    relation_indexes: OrdMap<Id, Vec<Id>>,
    /// Parent → children (partitions and inheriting tables), in order of creation.
    children: OrdMap<Id, Vec<Id>>,
    /// Settings in effect: SET and SET LOCAL, lower case.
    pub settings: OrdMap<String, String>,
    /// Settings as they will be when the transaction has ended.
    session_settings: OrdMap<String, String>,
    /// `search_path` where nothing sets it; empty is the server's own default.
    initial_search_path: Vec<String>,
    /// The bodies that run now.
    running: body::Running,
    /// ALTER DEFAULT PRIVILEGES: (kind, schema or empty, grantee, privilege).
    pub default_grants: Vector<(crate::op::ObjectKind, String, String, String)>,
    /// True once something was used that no visible statement created, or that could not be read.
    pub incomplete: bool,
    next_id: u32,
    /// What has happened since the journal was last taken.
    pub journal: Vec<Event>,
    /// What it cost since that was last taken.
    pub work: Vec<work::Work>,
    /// The servers that facts are about: where they differ, the worst of them counts.
    pub versions: PostgresVersions,
    /// Where we are: unit from 1, statement from 0.
    pub unit: u32,
    pub statement: usize,
    pub span: Span,
    /// What [`Catalog::record`] stamps on entries.
    cause: Cause,
}

impl Catalog {
    /// The catalog of a new database: schema `public`, extension `plpgsql`, and `search_path` as the server has it.
    pub fn new() -> Self {
        let mut catalog = Catalog::default();
        let public = SchemaObject { name: "public".into(), birth: Birth::UNSEEN, known: true, owner: None, grants: Vec::new() };
        catalog.schemas.insert("public".into(), Arc::new(public));
        extension::install_initial(&mut catalog);
        catalog
    }

    pub fn record(&mut self, change: Change) {
        let event = Event { statement: self.statement, span: self.span, cause: self.cause, change };
        self.journal.push(event);
    }

    /// Runs `f` with another cause on everything it records.
    pub fn because<T>(&mut self, cause: Cause, f: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.cause, cause);
        let result = f(self);
        self.cause = before;
        result
    }

    pub fn birth(&self) -> Birth {
        Birth { unit: self.unit, span: self.span }
    }

    pub fn new_id(&mut self) -> Id {
        self.next_id += 1;
        Id(self.next_id)
    }

    /// The relation to change, unshared.
    pub fn relation_mut(&mut self, id: Id) -> Option<&mut Relation> {
        self.relations.get_mut(&id).map(Arc::make_mut)
    }
    pub fn relation(&self, id: Id) -> Option<&Arc<Relation>> {
        self.relations.get(&id)
    }
    pub fn index_mut(&mut self, id: Id) -> Option<&mut Index> {
        self.indexes.get_mut(&id).map(Arc::make_mut)
    }
    pub fn routine_mut(&mut self, id: Id) -> Option<&mut Routine> {
        self.routines.get_mut(&id).map(Arc::make_mut)
    }
    pub fn type_mut(&mut self, id: Id) -> Option<&mut TypeObject> {
        self.types.get_mut(&id).map(Arc::make_mut)
    }
    /// Indexes on a relation, in order of creation.
    pub fn indexes_of(&self, relation: Id) -> Vec<Arc<Index>> {
        let ids = self.relation_indexes.get(&relation).cloned().unwrap_or_default();
        ids.iter().filter_map(|id| self.indexes.get(id).cloned()).collect()
    }
    /// Partitions and inheriting tables, direct ones.
    pub fn children_of(&self, relation: Id) -> Vec<Id> {
        self.children.get(&relation).cloned().unwrap_or_default()
    }
    /// The relation and all below it, parents first.
    pub fn with_descendants(&self, relation: Id) -> Vec<Id> {
        let mut all = vec![relation];
        let mut at = 0;
        while at < all.len() {
            for child in self.children_of(all[at]) {
                if !all.contains(&child) {
                    all.push(child);
                }
            }
            at += 1;
        }
        all
    }
    pub fn link_child(&mut self, parent: Id, child: Id) {
        self.children.entry(parent).or_default().push(child);
    }
    pub fn unlink_child(&mut self, parent: Id, child: Id) {
        if let Some(list) = self.children.get_mut(&parent) {
            list.retain(|id| *id != child);
        }
    }

    /// Enters a relation under its name. The caller records the change.
    pub fn insert_relation(&mut self, relation: Relation) -> Id {
        let id = relation.id;
        self.relation_names.entry(relation.schema.clone()).or_default().insert(relation.name.clone(), id);
        for parent in &relation.parents {
            self.children.entry(*parent).or_default().push(id);
        }
        self.relations.insert(id, Arc::new(relation));
        id
    }
    /// Takes a relation out, with its name and its place below its parents. Nothing else falls.
    pub fn remove_relation(&mut self, id: Id) -> Option<Arc<Relation>> {
        let relation = self.relations.remove(&id)?;
        if let Some(names) = self.relation_names.get_mut(&relation.schema) {
            names.remove(&relation.name);
        }
        for constraint in &relation.constraints {
            self.forget_constraint_name(&relation.schema, &constraint.name);
        }
        for parent in &relation.parents {
            self.unlink_child(*parent, id);
        }
        self.relation_indexes.remove(&id);
        Some(relation)
    }
    /// Changes the name or schema of a relation.
    pub fn rename_relation_entry(&mut self, id: Id, schema: &str, name: &str) {
        let Some(old) = self.relations.get(&id).cloned() else { return };
        if let Some(names) = self.relation_names.get_mut(&old.schema) {
            names.remove(&old.name);
        }
        self.relation_names.entry(schema.to_string()).or_default().insert(name.to_string(), id);
        if let Some(relation) = self.relation_mut(id) {
            relation.schema = schema.to_string();
            relation.name = name.to_string();
        }
        if old.schema != schema {
            for constraint in &old.constraints {
                self.forget_constraint_name(&old.schema, &constraint.name);
                self.remember_constraint_name(schema, &constraint.name);
            }
        }
    }
    pub fn insert_index(&mut self, index: Index) -> Id {
        let id = index.id;
        self.relation_names.entry(index.schema.clone()).or_default().insert(index.name.clone(), id);
        self.relation_indexes.entry(index.relation).or_default().push(id);
        self.indexes.insert(id, Arc::new(index));
        id
    }
    pub fn remove_index(&mut self, id: Id) -> Option<Arc<Index>> {
        let index = self.indexes.remove(&id)?;
        if let Some(names) = self.relation_names.get_mut(&index.schema) {
            names.remove(&index.name);
        }
        if let Some(list) = self.relation_indexes.get_mut(&index.relation) {
            list.retain(|other| *other != id);
        }
        Some(index)
    }
    pub fn rename_index_entry(&mut self, id: Id, schema: &str, name: &str) {
        let Some(old) = self.indexes.get(&id).cloned() else { return };
        if let Some(names) = self.relation_names.get_mut(&old.schema) {
            names.remove(&old.name);
        }
        self.relation_names.entry(schema.to_string()).or_default().insert(name.to_string(), id);
        if let Some(index) = self.index_mut(id) {
            index.schema = schema.to_string();
            index.name = name.to_string();
        }
    }
    pub fn insert_type(&mut self, object: TypeObject) -> Id {
        let id = object.id;
        self.type_names.entry(object.schema.clone()).or_default().insert(object.name.clone(), id);
        self.types.insert(id, Arc::new(object));
        id
    }
    pub fn remove_type(&mut self, id: Id) -> Option<Arc<TypeObject>> {
        let object = self.types.remove(&id)?;
        if let Some(names) = self.type_names.get_mut(&object.schema) {
            names.remove(&object.name);
        }
        Some(object)
    }
    pub fn rename_type_entry(&mut self, id: Id, schema: &str, name: &str) {
        let Some(old) = self.types.get(&id).cloned() else { return };
        if let Some(names) = self.type_names.get_mut(&old.schema) {
            names.remove(&old.name);
        }
        self.type_names.entry(schema.to_string()).or_default().insert(name.to_string(), id);
        if let Some(object) = self.type_mut(id) {
            object.schema = schema.to_string();
            object.name = name.to_string();
        }
    }
    pub fn insert_routine(&mut self, routine: Routine) -> Id {
        let id = routine.id;
        self.routine_names.entry(routine.schema.clone()).or_default().entry(routine.name.clone()).or_default().push(id);
        self.routines.insert(id, Arc::new(routine));
        id
    }
    pub fn remove_routine(&mut self, id: Id) -> Option<Arc<Routine>> {
        let routine = self.routines.remove(&id)?;
        if let Some(list) = self.routine_names.get_mut(&routine.schema).and_then(|names| names.get_mut(&routine.name)) {
            list.retain(|other| *other != id);
        }
        Some(routine)
    }
    pub fn rename_routine_entry(&mut self, id: Id, schema: &str, name: &str) {
        let Some(old) = self.routines.get(&id).cloned() else { return };
        if let Some(list) = self.routine_names.get_mut(&old.schema).and_then(|names| names.get_mut(&old.name)) {
            list.retain(|other| *other != id);
        }
        self.routine_names.entry(schema.to_string()).or_default().entry(name.to_string()).or_default().push(id);
        if let Some(routine) = self.routine_mut(id) {
            routine.schema = schema.to_string();
            routine.name = name.to_string();
        }
    }

    /// Constraint names in use in a schema, for the server's own choice of names.
    pub fn constraint_name_taken(&self, schema: &str, name: &str) -> bool {
        self.constraint_names.get(schema).is_some_and(|names| names.contains_key(name))
    }
    pub fn remember_constraint_name(&mut self, schema: &str, name: &str) {
        *self.constraint_names.entry(schema.to_string()).or_default().entry(name.to_string()).or_default() += 1;
    }
    pub fn forget_constraint_name(&mut self, schema: &str, name: &str) {
        if let Some(names) = self.constraint_names.get_mut(schema) {
            match names.get_mut(name) {
                Some(count) if *count > 1 => *count -= 1,
                _ => {
                    names.remove(name);
                }
            }
        }
    }

    /// Ends the reading of a schema dump: its session settings and its journal are no part of the history.
    pub fn end_of_dump(&mut self) {
        self.settings = OrdMap::new();
        self.session_settings = OrdMap::new();
        self.journal.clear();
        self.work.clear();
        self.incomplete = false;
    }

    /// Carries out one statement that is not transaction control. Everything it does is in the journal afterwards.
    pub fn apply(&mut self, op: &Op) {
        work::of_statement(self, op, |catalog| apply::apply(catalog, op));
    }
}
