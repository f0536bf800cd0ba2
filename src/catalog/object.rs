//! The objects of a modelled schema. Identity is [`Id`], as an OID on a server: a rename keeps it, DROP and CREATE does not.

use super::types::DataType;
use crate::expr::Expr;
use crate::op::{
    ArgMode, Body, FkAction, GeneratedKind, IdentityKind, IndexElement, PartitionBound, PartitionStrategy, Persistence, Policy,
    Query, ReplicaIdentity, RoutineKind, Span, TriggerEvent, TriggerState, TriggerTiming, Volatility,
};
use std::sync::Arc;

/// Identity of an object in the catalog, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u32);

/// Where an object came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Birth {
    /// Index of the unit in its history, from 1. 0 is before every visible unit: never created here, or from `--schema`.
    pub unit: u32,
    /// The statement that created it, in that unit's file.
    pub span: Span,
}

impl Birth {
    pub const UNSEEN: Birth = Birth { unit: 0, span: Span { start: 0, end: 0 } };
}

/// Identity of a column within its relation, as an attribute number: never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnId(pub u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RelationKind {
    Table,
    PartitionedTable,
    ForeignTable,
    View,
    MaterializedView,
    Sequence,
    Composite,
}

impl RelationKind {
    /// It has rows in a file of its own: a partitioned table has none, and those of a foreign table are not this server's.
    pub fn has_rows(self) -> bool {
        matches!(self, RelationKind::Table | RelationKind::MaterializedView)
    }
}

/// What another object needs to exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    Relation(Id),
    Column(Id, ColumnId),
    Type(Id),
    Routine(Id),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    pub id: Id,
    pub schema: String,
    pub name: String,
    pub kind: RelationKind,
    pub persistence: Persistence,
    pub birth: Birth,
    /// False for a relation that no visible statement created: its columns are those that statements named so far.
    pub known: bool,
    pub columns: Vec<Column>,
    pub next_column: u32,
    pub constraints: Vec<Constraint>,
    pub triggers: Vec<Trigger>,
    pub policies: Vec<RowPolicy>,
    pub rules: Vec<RewriteRule>,
    pub rls_enabled: bool,
    pub rls_forced: bool,
    pub owner: Option<String>,
    /// INHERITS parents, or the one partitioned parent.
    pub parents: Vec<Id>,
    pub partition_bound: Option<PartitionBound>,
    pub partition_strategy: Option<PartitionStrategy>,
    /// Key columns of a partitioned table; `None` for an expression.
    pub partition_columns: Vec<Option<ColumnId>>,
    pub of_type: Option<Id>,
    /// Views and materialized views.
    pub view: Option<ViewDefinition>,
    pub sequence: Option<SequenceState>,
    pub replica_identity: ReplicaIdentity,
    /// Where a statement named one; the server's default is `heap`.
    pub access_method: Option<String>,
    /// Where a statement named one.
    pub tablespace: Option<String>,
    /// Storage parameters and view options, lower case.
    pub options: Vec<(String, Option<String>)>,
    /// (grantee, privilege, column): lower case, PUBLIC is `public`; no column is the whole relation.
    pub grants: Vec<(String, String, Option<String>)>,
    /// Set for members of an extension: outside of what migrations made by name.
    pub extension: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub id: ColumnId,
    pub name: String,
    pub data_type: DataType,
    pub collation: Option<String>,
    pub not_null: bool,
    /// From 18 on: NOT NULL is a constraint of this name that is NOT VALID, so that older rows may hold NULL.
    pub pending_not_null: Option<String>,
    pub default: Option<Expr>,
    pub identity: Option<IdentityKind>,
    pub generated: Option<(GeneratedKind, Expr)>,
    pub birth: Birth,
    /// Defined (also) here, not only by a parent.
    pub is_local: bool,
    /// Number of parents that have it.
    pub inherited: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ViewDefinition {
    /// `None` where the defining query is not known (a phantom).
    pub query: Option<Arc<Query>>,
    pub references: Vec<Reference>,
    pub populated: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SequenceState {
    pub data_type: DataType,
    pub owned_by: Option<(Id, ColumnId)>,
    /// The sequence of an identity column falls with the identity.
    pub identity: bool,
    pub increment: i64,
    pub max_value: Option<i64>,
    pub min_value: Option<i64>,
    pub start: Option<i64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    pub id: Id,
    pub name: String,
    pub kind: ConstraintType,
    pub birth: Birth,
    pub validated: bool,
    pub enforced: bool,
    pub deferrable: bool,
    pub initially_deferred: bool,
    pub no_inherit: bool,
    pub is_local: bool,
    pub inherited: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ConstraintType {
    Check {
        expr: Expr,
        columns: Vec<ColumnId>,
    },
    /// NOT NULL as an object of its own: only where a server from 18 on would name it and it says more than the column
    /// (NOT VALID, a chosen name).
    NotNull {
        column: ColumnId,
    },
    Unique {
        columns: Vec<ColumnId>,
        index: Id,
    },
    PrimaryKey {
        columns: Vec<ColumnId>,
        index: Id,
    },
    Exclude {
        columns: Vec<ColumnId>,
        index: Id,
    },
    ForeignKey {
        columns: Vec<ColumnId>,
        references: Id,
        ref_columns: Vec<ColumnId>,
        /// The referenced unique index, where it is known.
        ref_index: Option<Id>,
        on_delete: FkAction,
        on_update: FkAction,
    },
}

impl ConstraintType {
    pub fn columns(&self) -> &[ColumnId] {
        match self {
            ConstraintType::Check { columns, .. }
            | ConstraintType::Unique { columns, .. }
            | ConstraintType::PrimaryKey { columns, .. }
            | ConstraintType::Exclude { columns, .. }
            | ConstraintType::ForeignKey { columns, .. } => columns,
            ConstraintType::NotNull { column } => std::slice::from_ref(column),
        }
    }
    pub fn index(&self) -> Option<Id> {
        match self {
            ConstraintType::Unique { index, .. }
            | ConstraintType::PrimaryKey { index, .. }
            | ConstraintType::Exclude { index, .. } => Some(*index),
            ConstraintType::Check { .. } | ConstraintType::NotNull { .. } | ConstraintType::ForeignKey { .. } => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    pub id: Id,
    pub schema: String,
    pub name: String,
    pub relation: Id,
    pub unique: bool,
    pub valid: bool,
    pub nulls_not_distinct: bool,
    pub method: String,
    /// Key parts; a plain column has its id.
    pub keys: Vec<IndexKey>,
    pub including: Vec<ColumnId>,
    pub predicate: Option<Expr>,
    /// Columns used in key expressions and the predicate.
    pub expression_columns: Vec<ColumnId>,
    /// The constraint it backs.
    pub constraint: Option<Id>,
    /// The index of the partitioned parent that it is attached to.
    pub parent: Option<Id>,
    pub birth: Birth,
}

#[derive(Clone, Debug, PartialEq)]
pub struct IndexKey {
    pub column: Option<ColumnId>,
    pub element: IndexElement,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    pub name: String,
    pub timing: TriggerTiming,
    pub events: Vec<TriggerEvent>,
    pub update_columns: Vec<String>,
    pub for_each_row: bool,
    /// CREATE CONSTRAINT TRIGGER.
    pub constraint: bool,
    pub deferrable: bool,
    pub initially_deferred: bool,
    pub function: Option<Id>,
    pub function_name: String,
    pub when: Option<Expr>,
    pub state: TriggerState,
    pub birth: Birth,
    /// Cloned from the partitioned parent's trigger.
    pub from_parent: bool,
}

/// A row level security policy on a relation.
#[derive(Clone, Debug, PartialEq)]
pub struct RowPolicy {
    pub policy: Policy,
    pub birth: Birth,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RewriteRule {
    pub name: String,
    pub event: String,
    pub instead: bool,
    pub birth: Birth,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TypeObject {
    pub id: Id,
    pub schema: String,
    pub name: String,
    pub kind: TypeKind,
    pub birth: Birth,
    /// False for a type that no visible statement created.
    pub known: bool,
    pub owner: Option<String>,
    pub grants: Vec<(String, String)>,
    pub extension: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    Enum {
        /// In sort order, each with where it was added.
        labels: Vec<(String, Birth)>,
    },
    Domain {
        base: DataType,
        not_null: bool,
        default: Option<Expr>,
        constraints: Vec<DomainConstraint>,
    },
    /// The attributes live in a relation of kind Composite.
    Composite {
        relation: Id,
    },
    Range {
        subtype: Option<DataType>,
        multirange: String,
    },
    Base,
    Unknown,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DomainConstraint {
    pub name: String,
    pub expr: Expr,
    pub validated: bool,
    pub birth: Birth,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Routine {
    pub id: Id,
    pub schema: String,
    pub name: String,
    pub kind: RoutineKind,
    pub birth: Birth,
    pub args: Vec<Argument>,
    pub returns: Option<DataType>,
    pub returns_set: bool,
    pub language: String,
    pub volatility: Volatility,
    pub strict: bool,
    pub security_definer: bool,
    pub settings: Vec<(String, String)>,
    pub body: Arc<Body>,
    pub references: Vec<Reference>,
    pub owner: Option<String>,
    /// (grantee, privilege); a new routine starts with `("public", "execute")`.
    pub grants: Vec<(String, String)>,
    pub extension: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    pub name: Option<String>,
    pub data_type: DataType,
    pub mode: ArgMode,
    pub has_default: bool,
}

impl Routine {
    /// Types by which overloads differ (`proargtypes`): of IN, INOUT and VARIADIC arguments, for procedures too.
    pub fn input_types(&self) -> impl Iterator<Item = &DataType> {
        self.args.iter().filter(|a| a.mode.is_input()).map(|a| &a.data_type)
    }
    /// The longer list by which a statement may name a procedure: with its OUT arguments.
    pub fn call_types(&self) -> impl Iterator<Item = &DataType> {
        let procedure = self.kind == RoutineKind::Procedure;
        self.args.iter().filter(move |a| a.mode.is_input() || (procedure && a.mode == ArgMode::Out)).map(|a| &a.data_type)
    }
}

impl ArgMode {
    pub fn is_input(self) -> bool {
        matches!(self, ArgMode::In | ArgMode::InOut | ArgMode::Variadic)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct SchemaObject {
    pub name: String,
    pub birth: Birth,
    pub known: bool,
    pub owner: Option<String>,
    pub grants: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Extension {
    pub name: String,
    pub schema: String,
    pub birth: Birth,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    pub name: String,
    pub birth: Birth,
    pub login: bool,
    pub superuser: bool,
    pub bypass_rls: bool,
    pub member_of: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    pub name: String,
    pub birth: Birth,
    pub all_tables: bool,
    pub tables: Vec<Id>,
    pub schemas: Vec<String>,
    /// Tables that are published in part.
    pub filters: Vec<PublishedPart>,
    /// `publish` option, lower case: insert, update, delete, truncate.
    pub publishes: Vec<String>,
}

/// The row filter and column list of a published table.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedPart {
    pub table: Id,
    /// Empty is all columns.
    pub columns: Vec<String>,
    pub condition: Option<Expr>,
}

/// Objects without a model of their own: operators, casts, collations, languages, servers, event triggers …
#[derive(Clone, Debug, PartialEq)]
pub struct OtherObject {
    pub kind: crate::op::ObjectKind,
    /// As reports name it.
    pub name: String,
    pub birth: Birth,
}

impl TypeObject {
    pub fn is_domain(&self) -> bool {
        matches!(self.kind, TypeKind::Domain { .. })
    }
}

impl Relation {
    /// The column with a NOT NULL constraint of this name that is NOT VALID.
    pub fn pending_not_null(&self, constraint: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.pending_not_null.as_deref() == Some(constraint))
    }
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }
    pub fn column_by_id(&self, id: ColumnId) -> Option<&Column> {
        self.columns.iter().find(|c| c.id == id)
    }
    pub fn constraint(&self, name: &str) -> Option<&Constraint> {
        self.constraints.iter().find(|c| c.name == name)
    }
    pub fn primary_key(&self) -> Option<&Constraint> {
        self.constraints.iter().find(|c| matches!(c.kind, ConstraintType::PrimaryKey { .. }))
    }
    /// Tables, partitioned and foreign tables: what INSERT and ALTER TABLE … ADD COLUMN take.
    pub fn is_table(&self) -> bool {
        matches!(self.kind, RelationKind::Table | RelationKind::PartitionedTable | RelationKind::ForeignTable)
    }
    pub fn is_view(&self) -> bool {
        matches!(self.kind, RelationKind::View | RelationKind::MaterializedView)
    }
}
