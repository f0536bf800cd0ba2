//! Name resolution as the server does it: `search_path`, never the last segment alone.

use super::Catalog;
use super::change::{Change, Nothing};
use super::object::*;
use super::types::DataType;
use crate::op::{ObjectKind, ObjectName, Persistence, ReplicaIdentity, TypeRef};
use std::sync::Arc;

impl Catalog {
    /// Schemas that unqualified names are looked up in, in order; `pg_catalog` is implied. `"$user"` has no schema here.
    pub fn search_path(&self) -> Vec<String> {
        match self.settings.get("search_path") {
            None if self.initial_search_path.is_empty() => vec!["public".into()],
            None => self.initial_search_path.clone(),
            Some(value) => split_search_path(value),
        }
    }

    /// Where an unqualified CREATE puts its object: the first schema of `search_path` that exists, else `public`.
    pub fn creation_schema(&self, name: &ObjectName) -> String {
        if let Some(schema) = &name.schema {
            return schema.clone();
        }
        let path = self.search_path();
        let existing = path.iter().find(|schema| self.schemas.contains_key(schema.as_str()));
        existing.or(path.first()).cloned().unwrap_or_else(|| "public".into())
    }

    fn lookup<T: Clone>(&self, name: &ObjectName, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        match &name.schema {
            Some(schema) => find(schema),
            None => std::iter::once("pg_temp".to_string()).chain(self.search_path()).find_map(|schema| find(&schema)),
        }
    }

    /// A relation (not an index) by name.
    pub fn resolve_relation(&self, name: &ObjectName) -> Option<Id> {
        let id = self.resolve_relation_or_index(name)?;
        self.relations.contains_key(&id).then_some(id)
    }
    pub fn resolve_index(&self, name: &ObjectName) -> Option<Id> {
        let id = self.resolve_relation_or_index(name)?;
        self.indexes.contains_key(&id).then_some(id)
    }
    pub fn resolve_relation_or_index(&self, name: &ObjectName) -> Option<Id> {
        self.lookup(name, |schema| self.relation_names.get(schema)?.get(&name.name).copied())
    }
    pub fn resolve_type(&self, name: &ObjectName) -> Option<Id> {
        self.lookup(name, |schema| self.type_names.get(schema)?.get(&name.name).copied())
    }
    /// The relation that holds the attributes of a composite type.
    pub fn composite_relation(&self, name: &ObjectName) -> Option<Id> {
        match self.types.get(&self.resolve_type(name)?)?.kind {
            TypeKind::Composite { relation } => Some(relation),
            TypeKind::Enum { .. } | TypeKind::Domain { .. } | TypeKind::Range { .. } | TypeKind::Base | TypeKind::Unknown => None,
        }
    }
    /// All overloads of a name in the first schema of the path that has any.
    pub fn resolve_routines(&self, name: &ObjectName) -> Vec<Id> {
        self.lookup(name, |schema| self.routine_names.get(schema)?.get(&name.name).filter(|list| !list.is_empty()).cloned())
            .unwrap_or_default()
    }
    /// The one overload with these argument types; without types, the only one there is.
    pub fn resolve_routine(&self, name: &ObjectName, args: Option<&[TypeRef]>) -> Option<Id> {
        let candidates = self.resolve_routines(name);
        let Some(args) = args else {
            return if let [only] = candidates.as_slice() { Some(*only) } else { None };
        };
        let wanted: Vec<DataType> = args.iter().map(|t| self.data_type(t).without_typmods()).collect();
        let is = |types: &mut dyn Iterator<Item = &DataType>| types.map(DataType::without_typmods).eq(wanted.iter().cloned());
        let named = |id: &&Id| self.routines.get(*id).is_some_and(|routine| is(&mut routine.input_types()));
        let called = |id: &&Id| self.routines.get(*id).is_some_and(|routine| is(&mut routine.call_types()));
        candidates.iter().find(named).or_else(|| candidates.iter().find(called)).copied()
    }
    pub fn relation_name_taken(&self, schema: &str, name: &str) -> bool {
        self.relation_names.get(schema).is_some_and(|names| names.contains_key(name))
    }
    pub fn type_name_taken(&self, schema: &str, name: &str) -> bool {
        self.type_names.get(schema).is_some_and(|names| names.contains_key(name))
    }

    /// The relation, or one made up for a name that no visible statement created: it is *older* and its columns are unknown.
    /// Names of the server's own schemas give `None`.
    pub fn relation_or_unseen(&mut self, name: &ObjectName, kind: RelationKind) -> Option<Id> {
        if let Some(id) = self.resolve_relation(name) {
            return Some(id);
        }
        let schema = self.creation_schema(name);
        if is_system_schema(&schema) || self.relation_name_taken(&schema, &name.name) {
            return None;
        }
        self.incomplete = true;
        let id = self.new_id();
        let mut relation = new_relation(id, &schema, &name.name, kind, Birth::UNSEEN);
        relation.known = false;
        if relation.is_view() {
            relation.view = Some(ViewDefinition { query: None, references: Vec::new(), populated: true });
        }
        self.insert_relation(relation);
        Some(id)
    }

    /// The column's id; in a relation whose columns are unknown it is made up.
    pub fn column_or_unseen(&mut self, relation: Id, name: &str) -> Option<ColumnId> {
        let found = self.relations.get(&relation)?;
        if let Some(column) = found.column(name) {
            return Some(column.id);
        }
        if found.known {
            return None;
        }
        let relation = self.relation_mut(relation)?;
        Some(push_column(relation, name, DataType::UNKNOWN, Birth::UNSEEN))
    }

    /// Notes that IF EXISTS found nothing.
    pub fn nothing_missing(&mut self, kind: ObjectKind, name: String) {
        let complete = !self.incomplete;
        self.record(Change::NothingDone { why: Nothing::Missing { kind, name, complete } });
    }
    pub fn nothing_exists(&mut self, kind: ObjectKind, name: String) {
        self.record(Change::NothingDone { why: Nothing::Exists { kind, name } });
    }

    /// The label of a name that resolves to nothing: in the schema where it would be created.
    pub fn missing_label(&self, name: &ObjectName) -> String {
        super::name::qualified(&self.creation_schema(name), &name.name)
    }
    /// `schema.table`, as reports show it.
    pub fn relation_label(&self, relation: &Relation) -> String {
        super::name::qualified(&relation.schema, &relation.name)
    }
    /// `schema.name(integer, text)`.
    pub fn routine_label(&self, routine: &Routine) -> String {
        let args: Vec<String> =
            routine.input_types().map(|t| self.format_type_alone(t).unwrap_or_else(|| "unknown".into())).collect();
        format!("{}({})", super::name::qualified(&routine.schema, &routine.name), args.join(", "))
    }

    /// A schema to put objects in, made up where no visible statement created it.
    pub fn schema_or_unseen(&mut self, name: &str) {
        if self.schemas.contains_key(name) || is_system_schema(name) {
            return;
        }
        self.incomplete = true;
        let schema = SchemaObject { name: name.into(), birth: Birth::UNSEEN, known: false, owner: None, grants: Vec::new() };
        self.schemas.insert(name.into(), Arc::new(schema));
    }
}

pub fn is_system_schema(name: &str) -> bool {
    matches!(name, "pg_catalog" | "information_schema" | "pg_toast")
}

/// Appends a column of its own (not inherited) to a relation.
pub fn push_column(relation: &mut Relation, name: &str, data_type: DataType, birth: Birth) -> ColumnId {
    relation.next_column += 1;
    let id = ColumnId(relation.next_column);
    relation.columns.push(Column {
        id,
        name: name.to_string(),
        data_type,
        collation: None,
        not_null: false,
        pending_not_null: None,
        default: None,
        identity: None,
        generated: None,
        birth,
        is_local: true,
        inherited: 0,
    });
    id
}

/// A relation with nothing in it.
pub fn new_relation(id: Id, schema: &str, name: &str, kind: RelationKind, birth: Birth) -> Relation {
    Relation {
        id,
        schema: schema.to_string(),
        name: name.to_string(),
        kind,
        persistence: Persistence::Permanent,
        birth,
        known: true,
        columns: Vec::new(),
        next_column: 0,
        constraints: Vec::new(),
        triggers: Vec::new(),
        policies: Vec::new(),
        rules: Vec::new(),
        rls_enabled: false,
        rls_forced: false,
        owner: None,
        parents: Vec::new(),
        partition_bound: None,
        partition_strategy: None,
        partition_columns: Vec::new(),
        of_type: None,
        view: None,
        sequence: None,
        replica_identity: ReplicaIdentity::Default,
        access_method: None,
        tablespace: None,
        options: Vec::new(),
        grants: Vec::new(),
        extension: None,
    }
}

/// `SET search_path` values are kept as one comma-separated list of identifiers, quoted where they were.
fn split_search_path(value: &str) -> Vec<String> {
    let parts = value.split(',').map(|part| part.trim().trim_matches('"'));
    parts.filter(|part| !part.is_empty() && !is_implied(part)).map(str::to_string).collect()
}

/// Names in a `search_path` that are no schema of the history: looked up anyway, or not there.
pub(super) fn is_implied(name: &str) -> bool {
    matches!(name, "$user" | "pg_catalog")
}
