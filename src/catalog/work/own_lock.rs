//! Which form of the table of lock modes a subcommand of ALTER TABLE is.

use crate::catalog::Catalog;
use crate::catalog::object::{ConstraintType, Id, Relation, RelationKind};
use crate::effect::LockMode;
use crate::op::{AlterTableCommand as Command, ConstraintDef, ConstraintKind};
use crate::versions::locks::{self, Form, Role};

/// The lock that the subcommand alone takes on the relation which the statement names.
pub(super) fn of(c: &Catalog, relation: Id, command: &Command) -> Option<LockMode> {
    let relation = c.relation(relation)?;
    let mode = |form: Form, role: Role| locks::mode(form, role, c.versions);
    match relation.kind {
        RelationKind::View => mode(Form::AlterView, Role::View),
        RelationKind::Composite => match command {
            Command::AddColumn { .. } => mode(Form::AddAttribute, Role::Type),
            Command::DropColumn { .. } => mode(Form::DropAttribute, Role::Type),
            _ => mode(Form::SetAttributeType, Role::Type),
        },
        RelationKind::Sequence => match command {
            Command::Owner { .. } => mode(Form::OwnerToOfSequence, Role::Sequence),
            _ => mode(Form::SetSequenceLogged, Role::Sequence),
        },
        RelationKind::ForeignTable => mode(Form::AlterForeignTable, Role::Table),
        RelationKind::Table | RelationKind::PartitionedTable | RelationKind::MaterializedView => of_table(c, relation, command),
    }
}

fn of_table(c: &Catalog, table: &Relation, command: &Command) -> Option<LockMode> {
    let mode = |form: Form| locks::mode(form, Role::Table, c.versions);
    match command {
        Command::AddColumn { .. } => mode(Form::AddColumn),
        Command::DropColumn { .. } => mode(Form::DropColumn),
        Command::SetType { .. } => mode(Form::SetType),
        Command::SetDefault { .. } => mode(Form::SetDefault),
        Command::DropDefault { .. } => mode(Form::DropDefault),
        Command::SetNotNull { .. } => mode(Form::SetNotNull),
        Command::DropNotNull { .. } => mode(Form::DropNotNull),
        Command::SetExpression { .. } => mode(Form::SetExpression).or_else(|| mode(Form::DropExpression)),
        Command::DropExpression { .. } => mode(Form::DropExpression),
        Command::AddIdentity { .. } => mode(Form::AddIdentity),
        Command::SetIdentity { .. } => mode(Form::SetIdentity),
        Command::DropIdentity { .. } => mode(Form::DropIdentity),
        Command::SetStatistics { .. } => mode(Form::SetStatistics),
        Command::SetColumnOptions { .. } => mode(Form::SetColumnOptions),
        Command::SetStorage { .. } => mode(Form::SetStorage),
        Command::SetCompression { .. } => mode(Form::SetCompression),
        Command::AddConstraint(def) => mode(of_constraint(def)),
        Command::AlterConstraint { enforced: None, .. } => mode(Form::AlterForeignKeyDeferrable),
        Command::AlterConstraint { enforced: Some(true), .. } => {
            mode(Form::AlterForeignKeyEnforced).or_else(|| mode(Form::AlterForeignKeyDeferrable))
        }
        Command::AlterConstraint { enforced: Some(false), .. } => {
            mode(Form::AlterForeignKeyNotEnforced).or_else(|| mode(Form::AlterForeignKeyDeferrable))
        }
        Command::ValidateConstraint { name } => match table.constraint(name).map(|constraint| &constraint.kind) {
            Some(ConstraintType::ForeignKey { .. }) => mode(Form::ValidateForeignKey),
            _ => mode(Form::ValidateCheck),
        },
        Command::DropConstraint { .. } => mode(Form::DropCheck),
        Command::ClusterOn { index: Some(_) } => mode(Form::ClusterOn),
        Command::ClusterOn { index: None } => mode(Form::SetWithoutCluster),
        Command::SetLogged => mode(Form::SetLogged),
        Command::SetUnlogged => mode(Form::SetUnlogged),
        Command::SetAccessMethod { .. } => mode(Form::SetAccessMethod),
        Command::SetTablespace { .. } => mode(Form::SetTablespace),
        Command::SetOptions { options } => options.iter().filter_map(|(name, _)| mode(of_parameter(name))).max(),
        Command::ResetOptions { options } => options.iter().filter_map(|name| mode(of_parameter(name))).max(),
        Command::EnableTrigger { .. } => mode(Form::EnableTrigger),
        Command::EnableRule { .. } => mode(Form::EnableRule),
        // The child is the table that the statement names.
        Command::Inherit { .. } => locks::mode(Form::Inherit, Role::Child, c.versions),
        Command::NoInherit { .. } => locks::mode(Form::NoInherit, Role::Child, c.versions),
        Command::OfType { .. } => locks::mode(Form::OfType, Role::Referenced, c.versions),
        Command::NotOf => mode(Form::NotOf),
        Command::ReplicaIdentity(_) => mode(Form::ReplicaIdentity),
        Command::EnableRls | Command::DisableRls | Command::ForceRls | Command::NoForceRls => mode(Form::RowLevelSecurity),
        Command::Owner { .. } => locks::mode(Form::OwnerTo, Role::Referenced, c.versions),
        // These lock the parent and more: see `partition`.
        Command::AttachPartition { .. } | Command::DetachPartition { .. } => None,
        Command::AttachIndex { .. } => None,
        Command::GenericOptions { .. } => mode(Form::AlterForeignTable),
        // What nobody knows is taken for the worst.
        Command::Unknown { .. } => Some(LockMode::AccessExclusiveLock),
    }
}

fn of_constraint(def: &ConstraintDef) -> Form {
    match &def.kind {
        ConstraintKind::Check(_) => Form::AddCheck,
        ConstraintKind::NotNull { .. } => Form::SetNotNull,
        ConstraintKind::Unique { using_index: Some(_), .. } => Form::AddUniqueUsingIndex,
        ConstraintKind::Unique { using_index: None, .. } => Form::AddUnique,
        ConstraintKind::PrimaryKey { using_index: Some(_), .. } => Form::AddPrimaryKeyUsingIndex,
        ConstraintKind::PrimaryKey { using_index: None, .. } => Form::AddPrimaryKey,
        ConstraintKind::Exclude { .. } => Form::AddExclude,
        ConstraintKind::ForeignKey { .. } if def.not_valid => Form::AddForeignKeyNotValid,
        ConstraintKind::ForeignKey { .. } => Form::AddForeignKey,
        // These stand in column definitions only.
        ConstraintKind::Null
        | ConstraintKind::Default(_)
        | ConstraintKind::Identity { .. }
        | ConstraintKind::Generated { .. } => Form::AddColumn,
    }
}

/// Storage parameters that take the weaker lock are many; the one that does not is `user_catalog_table`.
fn of_parameter(name: &str) -> Form {
    if name == "user_catalog_table" { Form::SetExclusiveParameter } else { Form::SetParameter }
}
