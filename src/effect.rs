//! Effects: what a statement does to a server, in the words that prediction and observation share. Facts, never softened.

use crate::op::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Lock modes as `pg_locks` spells them, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub enum LockMode {
    AccessShareLock,
    RowShareLock,
    RowExclusiveLock,
    ShareUpdateExclusiveLock,
    ShareLock,
    ShareRowExclusiveLock,
    ExclusiveLock,
    AccessExclusiveLock,
}

impl LockMode {
    /// Every mode, weakest first.
    pub const ALL: [LockMode; 8] = [
        LockMode::AccessShareLock,
        LockMode::RowShareLock,
        LockMode::RowExclusiveLock,
        LockMode::ShareUpdateExclusiveLock,
        LockMode::ShareLock,
        LockMode::ShareRowExclusiveLock,
        LockMode::ExclusiveLock,
        LockMode::AccessExclusiveLock,
    ];

    /// By its name in `pg_locks`.
    pub fn named(name: &str) -> Option<LockMode> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
    /// As `pg_locks` spells it.
    pub fn name(self) -> &'static str {
        match self {
            LockMode::AccessShareLock => "AccessShareLock",
            LockMode::RowShareLock => "RowShareLock",
            LockMode::RowExclusiveLock => "RowExclusiveLock",
            LockMode::ShareUpdateExclusiveLock => "ShareUpdateExclusiveLock",
            LockMode::ShareLock => "ShareLock",
            LockMode::ShareRowExclusiveLock => "ShareRowExclusiveLock",
            LockMode::ExclusiveLock => "ExclusiveLock",
            LockMode::AccessExclusiveLock => "AccessExclusiveLock",
        }
    }
    /// It conflicts with ROW EXCLUSIVE, which INSERT, UPDATE and DELETE take.
    pub fn stops_writes(self) -> bool {
        self >= LockMode::ShareLock
    }
    /// It conflicts with ACCESS SHARE, which SELECT takes.
    pub fn stops_reads(self) -> bool {
        self == LockMode::AccessExclusiveLock
    }
    /// As LOCK TABLE and the documentation write it: `SHARE ROW EXCLUSIVE`.
    pub fn words(self) -> &'static str {
        match self {
            LockMode::AccessShareLock => "ACCESS SHARE",
            LockMode::RowShareLock => "ROW SHARE",
            LockMode::RowExclusiveLock => "ROW EXCLUSIVE",
            LockMode::ShareUpdateExclusiveLock => "SHARE UPDATE EXCLUSIVE",
            LockMode::ShareLock => "SHARE",
            LockMode::ShareRowExclusiveLock => "SHARE ROW EXCLUSIVE",
            LockMode::ExclusiveLock => "EXCLUSIVE",
            LockMode::AccessExclusiveLock => "ACCESS EXCLUSIVE",
        }
    }
}

/// The strongest lock a statement takes on a relation from before the unit: a table, view, materialized view, sequence or foreign
/// table, and an index where the statement is about the index itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Lock {
    pub relation: String,
    pub mode: LockMode,
}

/// What is taken away from old clients. One entry per object of the schema from before the unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Break {
    pub kind: BreakKind,
    /// `schema.table.column`, routines with argument types; quoted only where SQL needs it.
    pub object: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BreakKind {
    DropRelation,
    DropColumn,
    RenameRelation,
    RenameColumn,
    TypeChange,
    SetNotNull,
    RequiredColumn,
    AddCheck,
    AddForeignKey,
    AddUnique,
    AddPrimaryKey,
    AddExclude,
    DropConstraint,
    DropDefault,
    DropFunction,
    DropType,
    DropEnumLabel,
    DropTrigger,
    DropPolicy,
    DropSchema,
    EnableRls,
    AddTrigger,
    Revoke,
    /// A unique index without a constraint.
    DropIndex,
    DropExtension,
    DropSequenceOwnership,
    DropIdentity,
    DropExpression,
    DropRule,
    DropRole,
    DropOther,
    SetDomainNotNull,
    IdentityAlways,
    AddRule,
    DetachPartition,
    ChangeOwner,
    RowsRemoved,
    ReplicationChange,
    AddAttribute,
}

impl fmt::Display for BreakKind {
    /// As reports spell it: `drop-column`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// All facts about one statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    pub breaks: Vec<Break>,
    pub locks: Vec<Lock>,
    pub rewrites: Vec<String>,
    pub scans: Vec<String>,
    /// Of `scans` those on the far side of a foreign key: the server looks there only for rows that refer to something.
    pub scans_where_referred: Vec<String>,
    pub index_builds: Vec<String>,
    pub blocking: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Opaque,
    Contract,
    Data,
    Expand,
    Neutral,
    SyntaxError,
}

/// One statement of a unit, judged.
#[derive(Clone, Debug)]
pub struct StatementFacts {
    /// 1-based in its unit.
    pub index: usize,
    pub span: Span,
    pub verdict: Verdict,
    pub effect: Effect,
}
