//! What happened to the catalog, in order: the journal that effects and rules are made from.
//!
//! Each entry carries the object as it was, so that a rule needs no second look at an old catalog. Whether an object is from
//! before the unit is its [`Birth`].

use super::object::{
    Birth, Column, ColumnId, Constraint, DomainConstraint, Extension, Id, Index, Publication, Relation, RewriteRule, Role,
    Routine, SchemaObject, Trigger, TypeObject,
};
use super::types::DataType;
use crate::expr::Expr;
use crate::op::{IdentityKind, ObjectKind, Policy, Span};
use std::sync::Arc;

/// Why a change happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    /// The statement names the object.
    #[default]
    Direct,
    /// It fell with something else (CASCADE, a column's own index or constraint).
    Cascade,
    /// It came down from a parent table.
    Inherited,
}

#[derive(Clone, Debug)]
pub struct Event {
    /// Index of the statement in its unit, from 0.
    pub statement: usize,
    /// The statement, or the one inside a body that did it.
    pub span: Span,
    pub cause: Cause,
    pub change: Change,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Privileged {
    Relation(Id),
    Routine(Id),
    Type(Id),
    Schema(String),
    Other(ObjectKind, String),
    /// Every object of a kind in a schema, or default privileges.
    Defaults,
}

#[derive(Clone, Debug)]
pub enum Change {
    SchemaCreated {
        schema: Arc<SchemaObject>,
    },
    SchemaDropped {
        schema: Arc<SchemaObject>,
    },
    SchemaRenamed {
        schema: Arc<SchemaObject>,
        to: String,
    },

    RelationCreated {
        relation: Id,
    },
    RelationDropped {
        relation: Arc<Relation>,
    },
    /// Renamed, or moved to another schema (`moved`).
    RelationRenamed {
        relation: Arc<Relation>,
        schema: String,
        name: String,
    },
    ColumnAdded {
        relation: Arc<Relation>,
        column: Column,
    },
    ColumnDropped {
        relation: Arc<Relation>,
        column: Column,
    },
    ColumnRenamed {
        relation: Arc<Relation>,
        column: Column,
        to: String,
    },
    /// Type or typmod changed; `relation` and `column` are as before. `using` is the USING expression.
    ColumnRetyped {
        relation: Arc<Relation>,
        column: Column,
        to: DataType,
        using: Option<Expr>,
    },
    CollationChanged {
        relation: Arc<Relation>,
        column: Column,
    },
    NotNullSet {
        relation: Arc<Relation>,
        column: Column,
    },
    NotNullDropped {
        relation: Arc<Relation>,
        column: Column,
    },
    DefaultSet {
        relation: Arc<Relation>,
        column: Column,
        to: Expr,
    },
    DefaultDropped {
        relation: Arc<Relation>,
        column: Column,
    },
    /// ADD, SET, DROP IDENTITY: `column` is as before.
    IdentityChanged {
        relation: Arc<Relation>,
        column: Column,
        to: Option<IdentityKind>,
    },
    ExpressionDropped {
        relation: Arc<Relation>,
        column: Column,
    },
    ExpressionSet {
        relation: Arc<Relation>,
        column: Column,
    },

    ConstraintAdded {
        relation: Arc<Relation>,
        constraint: Constraint,
    },
    ConstraintDropped {
        relation: Arc<Relation>,
        constraint: Constraint,
        index: Option<Arc<Index>>,
    },
    ConstraintRenamed {
        relation: Arc<Relation>,
        constraint: Constraint,
        to: String,
    },
    ConstraintValidated {
        relation: Arc<Relation>,
        constraint: Constraint,
    },
    /// ALTER CONSTRAINT: `constraint` is as before, `to` after.
    ConstraintAltered {
        relation: Arc<Relation>,
        constraint: Constraint,
        to: Constraint,
    },

    IndexCreated {
        relation: Arc<Relation>,
        index: Id,
        concurrently: bool,
    },
    /// An index without a constraint; one that backs a constraint is part of ConstraintDropped.
    IndexDropped {
        relation: Arc<Relation>,
        index: Arc<Index>,
        concurrently: bool,
    },
    IndexRenamed {
        relation: Arc<Relation>,
        index: Arc<Index>,
        to: String,
    },

    TriggerCreated {
        relation: Arc<Relation>,
        trigger: Trigger,
        replaced: Option<Trigger>,
    },
    TriggerDropped {
        relation: Arc<Relation>,
        trigger: Trigger,
    },
    TriggerRenamed {
        relation: Arc<Relation>,
        trigger: Trigger,
        to: String,
    },
    /// ENABLE / DISABLE TRIGGER: `trigger` is as before; `None` for ALL or USER.
    TriggerStateChanged {
        relation: Arc<Relation>,
        trigger: Option<Trigger>,
        enabled: bool,
    },
    RuleCreated {
        relation: Arc<Relation>,
        rule: RewriteRule,
    },
    RuleDropped {
        relation: Arc<Relation>,
        rule: RewriteRule,
    },
    RuleStateChanged {
        relation: Arc<Relation>,
        name: String,
        enabled: bool,
    },
    PolicyCreated {
        relation: Arc<Relation>,
        policy: Policy,
    },
    PolicyDropped {
        relation: Arc<Relation>,
        policy: Policy,
        birth: Birth,
    },
    PolicyAltered {
        relation: Arc<Relation>,
        policy: Policy,
    },
    PolicyRenamed {
        relation: Arc<Relation>,
        name: String,
        to: String,
    },
    /// ENABLE / DISABLE ROW LEVEL SECURITY.
    RlsChanged {
        relation: Arc<Relation>,
        enabled: bool,
    },
    RlsForced {
        relation: Arc<Relation>,
        forced: bool,
    },

    PartitionAttached {
        parent: Arc<Relation>,
        partition: Arc<Relation>,
    },
    PartitionDetached {
        parent: Arc<Relation>,
        partition: Arc<Relation>,
        concurrently: bool,
    },
    InheritAdded {
        parent: Arc<Relation>,
        child: Arc<Relation>,
    },
    InheritRemoved {
        parent: Arc<Relation>,
        child: Arc<Relation>,
    },
    PersistenceChanged {
        relation: Arc<Relation>,
        logged: bool,
    },
    ReplicaIdentityChanged {
        relation: Arc<Relation>,
    },
    /// SET / RESET (storage parameters, view options).
    OptionsChanged {
        relation: Arc<Relation>,
        options: Vec<String>,
    },
    /// Tablespace, access method, CLUSTER ON, statistics, storage, compression …: nothing a client sees.
    StorageChanged {
        relation: Arc<Relation>,
        what: &'static str,
    },

    /// CREATE OR REPLACE of an existing view: `relation` is as before.
    ViewReplaced {
        relation: Arc<Relation>,
    },
    MatviewRefreshed {
        relation: Arc<Relation>,
        concurrently: bool,
    },
    SequenceAltered {
        relation: Arc<Relation>,
        what: Vec<&'static str>,
    },
    SequenceOwnerChanged {
        relation: Arc<Relation>,
        owned: bool,
    },

    TypeCreated {
        object: Id,
    },
    TypeDropped {
        object: Arc<TypeObject>,
    },
    /// Renamed or moved.
    TypeRenamed {
        object: Arc<TypeObject>,
        schema: String,
        name: String,
    },
    LabelAdded {
        object: Arc<TypeObject>,
        label: String,
    },
    LabelRenamed {
        object: Arc<TypeObject>,
        from: String,
        to: String,
    },
    DomainNotNull {
        object: Arc<TypeObject>,
        set: bool,
    },
    DomainDefault {
        object: Arc<TypeObject>,
        set: bool,
    },
    DomainConstraintAdded {
        object: Arc<TypeObject>,
        constraint: DomainConstraint,
    },
    DomainConstraintDropped {
        object: Arc<TypeObject>,
        constraint: DomainConstraint,
    },
    DomainConstraintValidated {
        object: Arc<TypeObject>,
        name: String,
    },

    RoutineCreated {
        routine: Id,
    },
    /// CREATE OR REPLACE: `routine` is as before, the new one has the same id.
    RoutineReplaced {
        routine: Arc<Routine>,
    },
    RoutineDropped {
        routine: Arc<Routine>,
    },
    RoutineRenamed {
        routine: Arc<Routine>,
        schema: String,
        name: String,
    },
    RoutineAltered {
        routine: Arc<Routine>,
        changes: Vec<String>,
    },

    ExtensionCreated {
        extension: Arc<Extension>,
    },
    ExtensionDropped {
        extension: Arc<Extension>,
    },
    ExtensionMoved {
        extension: Arc<Extension>,
        schema: String,
    },
    ExtensionAltered {
        name: String,
    },

    OwnerChanged {
        object: Privileged,
        name: String,
        birth: Birth,
        from: Option<String>,
        to: String,
    },
    Granted {
        object: Privileged,
        name: String,
        birth: Birth,
        grantee: String,
        privilege: String,
    },
    Revoked {
        object: Privileged,
        name: String,
        birth: Birth,
        grantee: String,
        privilege: String,
        had: Option<bool>,
    },
    RoleGranted {
        role: String,
        member: String,
        granted: bool,
    },
    RoleCreated {
        role: Arc<Role>,
    },
    RoleAltered {
        name: String,
        birth: Birth,
        options: Vec<(String, Option<String>)>,
    },
    RoleDropped {
        name: String,
        birth: Birth,
    },
    RoleRenamed {
        name: String,
        birth: Birth,
        to: String,
    },
    OwnedDropped {
        role: String,
    },
    OwnedReassigned {
        role: String,
        to: String,
    },
    /// ALTER ROLE / DATABASE … SET, ALTER SYSTEM.
    SettingsAltered {
        scope: String,
        target: Option<String>,
        parameter: String,
    },

    PublicationCreated {
        publication: Arc<Publication>,
    },
    PublicationAltered {
        publication: Arc<Publication>,
        removed: Vec<Id>,
        added: Vec<Id>,
    },
    PublicationDropped {
        publication: Arc<Publication>,
    },
    SubscriptionChanged {
        name: String,
    },

    OtherCreated {
        kind: ObjectKind,
        name: String,
    },
    OtherAltered {
        kind: ObjectKind,
        name: String,
    },
    OtherDropped {
        kind: ObjectKind,
        name: String,
        birth: Birth,
    },
    OtherRenamed {
        kind: ObjectKind,
        name: String,
        birth: Birth,
        to: String,
    },
    Commented,

    /// Rows changed by DML. `relation` is `None` where the target is not known.
    RowsChanged {
        relation: Option<Arc<Relation>>,
        how: RowChange,
    },
    /// CREATE … IF NOT EXISTS or DROP … IF EXISTS that did nothing.
    NothingDone {
        why: Nothing,
    },
    /// SQL text built at run time, that runs now.
    Opaque {
        text: String,
    },
    /// A call of a routine that no visible statement created (not of pg_catalog): whatever it does is not modelled.
    UnknownCall {
        name: String,
    },
    Unclassified {
        node: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowChange {
    Insert,
    Update { bounded: bool },
    Delete { bounded: bool },
    Merge,
    Truncate,
    Copy,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// IF NOT EXISTS on an object that exists.
    Exists { kind: ObjectKind, name: String },
    /// IF EXISTS on an object that the history never created. `complete`: the history is known to be whole so far.
    Missing { kind: ObjectKind, name: String, complete: bool },
}

impl Event {
    /// The column's relation and id, where the change is about one column.
    pub fn column(&self) -> Option<(&Arc<Relation>, ColumnId)> {
        match &self.change {
            Change::ColumnAdded { relation, column }
            | Change::ColumnDropped { relation, column }
            | Change::ColumnRenamed { relation, column, .. }
            | Change::ColumnRetyped { relation, column, .. }
            | Change::CollationChanged { relation, column }
            | Change::NotNullSet { relation, column }
            | Change::NotNullDropped { relation, column }
            | Change::DefaultSet { relation, column, .. }
            | Change::DefaultDropped { relation, column }
            | Change::IdentityChanged { relation, column, .. }
            | Change::ExpressionDropped { relation, column }
            | Change::ExpressionSet { relation, column } => Some((relation, column.id)),
            _ => None,
        }
    }
}
