//! ALTER TABLE and its siblings for views, indexes, sequences, foreign tables and composite types.

use super::constraint::{constraint, identity_change, identity_kind};
use super::node::{name_of, optional, optional_role, relation_of};
use super::object::kind_of;
use super::types::{required_type, type_ref};
use super::{Lowering, definition, expr, sequence, table};
use crate::op::{AlterTable, AlterTableCommand as Command, ObjectKind, ObjectName, Op, ReplicaIdentity, TriggerState};
use pg_query::NodeEnum;
use pg_query::protobuf::{
    AlterTableCmd, AlterTableStmt, AlterTableType as Subtype, ConstrType, DropBehavior, Node, PartitionCmd, ReplicaIdentityStmt,
};

pub fn alter(stmt: &AlterTableStmt, cx: &Lowering<'_>) -> Op {
    let Some(kind) = kind_of(stmt.objtype()) else { return Op::Unclassified { node: "AlterTableStmt".into() } };
    Op::AlterTable(AlterTable {
        name: relation_of(stmt.relation.as_ref()),
        kind,
        // The grammar gives the name of a composite type without the mark that ONLY would take away.
        only: kind != ObjectKind::Type && stmt.relation.as_ref().is_some_and(|relation| !relation.inh),
        if_exists: stmt.missing_ok,
        commands: stmt
            .cmds
            .iter()
            .filter_map(|node| match &node.node {
                Some(NodeEnum::AlterTableCmd(cmd)) => Some(command(cmd, cx)),
                _ => None,
            })
            .collect(),
    })
}

fn command(cmd: &AlterTableCmd, cx: &Lowering<'_>) -> Command {
    lowered(cmd, cx).unwrap_or_else(|| Command::Unknown { name: cmd.subtype().as_str_name().into() })
}

/// `None` where the subcommand is none of the grammar's, or lacks what the grammar always gives.
fn lowered(cmd: &AlterTableCmd, cx: &Lowering<'_>) -> Option<Command> {
    let name = || cmd.name.clone();
    let column = name;
    let def = cmd.def.as_deref().and_then(|node| node.node.as_ref());
    let cascade = cmd.behavior() == DropBehavior::DropCascade;
    let if_exists = cmd.missing_ok;
    Some(match cmd.subtype() {
        Subtype::AtAddColumn | Subtype::AtAddColumnToView => match def? {
            NodeEnum::ColumnDef(added) => Command::AddColumn { column: table::column(added, cx), if_not_exists: if_exists },
            _ => return None,
        },
        Subtype::AtColumnDefault => match cmd.def.as_deref() {
            Some(default) => Command::SetDefault { column: column(), expr: expr(default, cx) },
            None => Command::DropDefault { column: column() },
        },
        Subtype::AtDropNotNull => Command::DropNotNull { column: column() },
        Subtype::AtSetNotNull => Command::SetNotNull { column: column() },
        Subtype::AtSetExpression => Command::SetExpression { column: column(), expr: expr(cmd.def.as_deref()?, cx) },
        Subtype::AtDropExpression => Command::DropExpression { column: column(), if_exists },
        Subtype::AtSetStatistics => Command::SetStatistics { column: optional(&cmd.name) },
        Subtype::AtSetOptions | Subtype::AtResetOptions => Command::SetColumnOptions { column: column() },
        Subtype::AtSetStorage => Command::SetStorage { column: column() },
        Subtype::AtSetCompression => Command::SetCompression { column: column() },
        Subtype::AtDropColumn => Command::DropColumn { name: name(), if_exists, cascade },
        Subtype::AtAddConstraint => match def? {
            NodeEnum::Constraint(added) => Command::AddConstraint(constraint(added, cx.text.len(), cx)?),
            _ => return None,
        },
        Subtype::AtAlterConstraint => match def? {
            NodeEnum::AtalterConstraint(change) => Command::AlterConstraint {
                name: change.conname.clone(),
                deferrable: change.alter_deferrability.then_some(change.deferrable),
                initially_deferred: change.alter_deferrability.then_some(change.initdeferred),
                enforced: change.alter_enforceability.then_some(change.is_enforced),
                no_inherit: change.alter_inheritability.then_some(change.noinherit),
            },
            _ => return None,
        },
        Subtype::AtValidateConstraint => Command::ValidateConstraint { name: name() },
        Subtype::AtDropConstraint => Command::DropConstraint { name: name(), if_exists, cascade },
        Subtype::AtAlterColumnType => match def? {
            NodeEnum::ColumnDef(change) => Command::SetType {
                column: column(),
                type_ref: required_type(change.type_name.as_ref()),
                collation: change.coll_clause.as_ref().map(|clause| name_of(&clause.collname)),
                using: change.raw_default.as_deref().map(|using| expr(using, cx)),
            },
            _ => return None,
        },
        Subtype::AtChangeOwner => Command::Owner { role: optional_role(cmd.newowner.as_ref()) },
        Subtype::AtClusterOn => Command::ClusterOn { index: Some(name()) },
        Subtype::AtDropCluster => Command::ClusterOn { index: None },
        Subtype::AtSetLogged => Command::SetLogged,
        Subtype::AtSetUnLogged => Command::SetUnlogged,
        Subtype::AtSetAccessMethod => Command::SetAccessMethod { method: optional(&cmd.name) },
        Subtype::AtSetTableSpace => Command::SetTablespace { tablespace: name() },
        Subtype::AtSetRelOptions => Command::SetOptions { options: definition::pairs(list(def?)?) },
        Subtype::AtResetRelOptions => Command::ResetOptions { options: definition::names(list(def?)?) },
        Subtype::AtEnableTrig => trigger(Some(name()), TriggerState::Enabled, false),
        Subtype::AtEnableAlwaysTrig => trigger(Some(name()), TriggerState::Always, false),
        Subtype::AtEnableReplicaTrig => trigger(Some(name()), TriggerState::Replica, false),
        Subtype::AtDisableTrig => trigger(Some(name()), TriggerState::Disabled, false),
        Subtype::AtEnableTrigAll => trigger(None, TriggerState::Enabled, false),
        Subtype::AtDisableTrigAll => trigger(None, TriggerState::Disabled, false),
        Subtype::AtEnableTrigUser => trigger(None, TriggerState::Enabled, true),
        Subtype::AtDisableTrigUser => trigger(None, TriggerState::Disabled, true),
        Subtype::AtEnableRule => Command::EnableRule { name: name(), state: TriggerState::Enabled },
        Subtype::AtEnableAlwaysRule => Command::EnableRule { name: name(), state: TriggerState::Always },
        Subtype::AtEnableReplicaRule => Command::EnableRule { name: name(), state: TriggerState::Replica },
        Subtype::AtDisableRule => Command::EnableRule { name: name(), state: TriggerState::Disabled },
        Subtype::AtAddInherit => Command::Inherit { parent: related(def?)? },
        Subtype::AtDropInherit => Command::NoInherit { parent: related(def?)? },
        Subtype::AtAddOf => match def? {
            NodeEnum::TypeName(of) => Command::OfType { name: type_ref(of).name },
            _ => return None,
        },
        Subtype::AtDropOf => Command::NotOf,
        Subtype::AtReplicaIdentity => match def? {
            NodeEnum::ReplicaIdentityStmt(identity) => Command::ReplicaIdentity(replica_identity(identity)),
            _ => return None,
        },
        Subtype::AtEnableRowSecurity => Command::EnableRls,
        Subtype::AtDisableRowSecurity => Command::DisableRls,
        Subtype::AtForceRowSecurity => Command::ForceRls,
        Subtype::AtNoForceRowSecurity => Command::NoForceRls,
        Subtype::AtGenericOptions | Subtype::AtAlterColumnGenericOptions => {
            Command::GenericOptions { options: definition::pairs(list(def?)?) }
        }
        // SET WITHOUT OIDS is accepted and does nothing.
        Subtype::AtDropOids => Command::GenericOptions { options: Vec::new() },
        Subtype::AtAttachPartition => {
            let partition = partition(def?)?;
            let relation = relation_of(partition.name.as_ref());
            match &partition.bound {
                Some(spec) => Command::AttachPartition { partition: relation, bound: table::bound(spec, cx) },
                None => Command::AttachIndex { index: relation },
            }
        }
        Subtype::AtDetachPartition => detach(partition(def?)?, false),
        Subtype::AtDetachPartitionFinalize => detach(partition(def?)?, true),
        Subtype::AtAddIdentity => match def? {
            NodeEnum::Constraint(identity) if identity.contype() == ConstrType::ConstrIdentity => Command::AddIdentity {
                column: column(),
                kind: identity_kind(&identity.generated_when),
                options: sequence::options(&identity.options),
            },
            _ => return None,
        },
        Subtype::AtSetIdentity => {
            let changes = list(def?)?;
            Command::SetIdentity { column: column(), kind: identity_change(changes), options: sequence::options(changes) }
        }
        Subtype::AtDropIdentity => Command::DropIdentity { column: column(), if_exists },
        // Made by the server's own analysis, never by the grammar.
        Subtype::Undefined
        | Subtype::AtCookedColumnDefault
        | Subtype::AtAddIndex
        | Subtype::AtReAddIndex
        | Subtype::AtReAddConstraint
        | Subtype::AtReAddDomainConstraint
        | Subtype::AtAddIndexConstraint
        | Subtype::AtReAddComment
        | Subtype::AtReplaceRelOptions
        | Subtype::AtReAddStatistics => return None,
    })
}

fn trigger(name: Option<String>, state: TriggerState, user_only: bool) -> Command {
    Command::EnableTrigger { name, state, user_only }
}

fn detach(partition: &PartitionCmd, finalize: bool) -> Command {
    Command::DetachPartition { partition: relation_of(partition.name.as_ref()), concurrently: partition.concurrent, finalize }
}

fn list(node: &NodeEnum) -> Option<&[Node]> {
    match node {
        NodeEnum::List(list) => Some(&list.items),
        _ => None,
    }
}

fn related(node: &NodeEnum) -> Option<ObjectName> {
    match node {
        NodeEnum::RangeVar(range) => Some(relation_of(Some(range))),
        _ => None,
    }
}

fn partition(node: &NodeEnum) -> Option<&PartitionCmd> {
    match node {
        NodeEnum::PartitionCmd(partition) => Some(partition),
        _ => None,
    }
}

fn replica_identity(stmt: &ReplicaIdentityStmt) -> ReplicaIdentity {
    match stmt.identity_type.as_str() {
        "f" => ReplicaIdentity::Full,
        "n" => ReplicaIdentity::Nothing,
        "i" => ReplicaIdentity::Index(stmt.name.clone()),
        _ => ReplicaIdentity::Default,
    }
}
