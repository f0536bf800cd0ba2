//! ALTER TABLE: its subcommands in the server's own order of passes.

use super::change::Change;
use super::constraint::{self, Place};
use super::object::*;
use super::work::altering::Altering;
use super::{Catalog, column, drop, inheritance, owner, policy, sequence, trigger};
use crate::op::{AlterTable, AlterTableCommand as Command, ConstraintKind, ObjectKind, ObjectName};

pub(super) fn apply(c: &mut Catalog, alter: &AlterTable) {
    let kind = match alter.kind {
        ObjectKind::Index => return apply_to_index(c, &alter.name, alter),
        ObjectKind::Type => RelationKind::Composite,
        ObjectKind::View => RelationKind::View,
        ObjectKind::MaterializedView => RelationKind::MaterializedView,
        ObjectKind::Sequence => RelationKind::Sequence,
        ObjectKind::ForeignTable => RelationKind::ForeignTable,
        _ => RelationKind::Table,
    };
    if c.resolve_relation(&alter.name).is_none() {
        if c.resolve_index(&alter.name).is_some() {
            return apply_to_index(c, &alter.name, alter);
        }
        if alter.if_exists {
            c.nothing_missing(alter.kind, c.missing_label(&alter.name));
            return;
        }
    }
    let found = if alter.kind == ObjectKind::Type { c.composite_relation(&alter.name) } else { None };
    let Some(relation) = found.or_else(|| c.relation_or_unseen(&alter.name, kind)) else { return };
    let mut commands: Vec<(u8, usize, &Command)> =
        alter.commands.iter().enumerate().map(|(position, command)| (pass(command), position, command)).collect();
    commands.sort_by_key(|(pass, position, _)| (*pass, *position));
    let mut added = Vec::new();
    let mut altering = Altering::begin(c, relation, alter);
    for (_, _, command) in commands {
        altering.command(c, command);
        run(c, relation, command, !alter.only, &mut added);
    }
    for (id, def) in added {
        column::add_constraints(c, relation, id, def, !alter.only);
    }
    altering.finish(c);
}

/// The pass of `tablecmds.c` (AT_PASS_…) in which a subcommand runs.
fn pass(command: &Command) -> u8 {
    match command {
        Command::DropColumn { .. }
        | Command::DropConstraint { .. }
        | Command::DropNotNull { .. }
        | Command::DropDefault { .. }
        | Command::DropExpression { .. }
        | Command::DropIdentity { .. } => 0,
        Command::SetType { .. } => 1,
        Command::SetExpression { .. } => 2,
        Command::AddColumn { .. } => 3,
        Command::SetNotNull { .. } | Command::SetIdentity { .. } | Command::AddIdentity { .. } => 4,
        Command::AddConstraint(def) => match &def.kind {
            ConstraintKind::Unique { .. } | ConstraintKind::PrimaryKey { .. } | ConstraintKind::Exclude { .. } => 6,
            ConstraintKind::Check(_) => 7,
            ConstraintKind::ForeignKey { .. } => 8,
            _ => 5,
        },
        Command::SetDefault { .. } => 7,
        _ => 9,
    }
}

type Added<'a> = Vec<(ColumnId, &'a crate::op::ColumnDef)>;

fn run<'a>(c: &mut Catalog, relation: Id, command: &'a Command, recurse: bool, added: &mut Added<'a>) {
    match command {
        Command::AddColumn { column: def, if_not_exists } => {
            if let Some(id) = column::add(c, relation, def, *if_not_exists, recurse) {
                added.push((id, def));
            }
        }
        Command::DropColumn { name, if_exists, cascade } => drop::column(c, relation, name, *if_exists, *cascade, recurse),
        Command::SetType { column, type_ref, collation, using } => {
            column::set_type(c, relation, column, type_ref, collation.as_ref(), using.as_ref(), recurse)
        }
        Command::SetDefault { column, expr } => column::set_default(c, relation, column, Some(expr), recurse),
        Command::DropDefault { column } => column::set_default(c, relation, column, None, recurse),
        Command::SetNotNull { column } => {
            if let Some(id) = c.column_or_unseen(relation, column) {
                column::set_not_null(c, relation, id, recurse);
            }
        }
        Command::DropNotNull { column } => column::drop_not_null(c, relation, column, recurse),
        Command::SetExpression { column, expr } => column::set_expression(c, relation, column, expr),
        Command::DropExpression { column, .. } => column::drop_expression(c, relation, column),
        Command::AddIdentity { column, kind, options } => column::add_identity(c, relation, column, *kind, options),
        Command::SetIdentity { column, kind, options } => column::set_identity(c, relation, column, *kind, options),
        Command::DropIdentity { column, if_exists } => column::drop_identity(c, relation, column, *if_exists),
        Command::SetStatistics { .. } => storage(c, relation, "statistics"),
        Command::SetColumnOptions { .. } => storage(c, relation, "column options"),
        Command::SetStorage { .. } => storage(c, relation, "storage"),
        Command::SetCompression { .. } => storage(c, relation, "compression"),
        Command::AddConstraint(def) => constraint::add(c, Place { relation, column: None, recurse }, def),
        Command::AlterConstraint { name, deferrable, initially_deferred, enforced, no_inherit } => {
            constraint::alter(c, relation, name, |k| {
                k.deferrable = deferrable.unwrap_or(k.deferrable);
                k.initially_deferred = initially_deferred.unwrap_or(k.initially_deferred);
                k.enforced = enforced.unwrap_or(k.enforced);
                k.no_inherit = no_inherit.unwrap_or(k.no_inherit);
            })
        }
        Command::ValidateConstraint { name } => constraint::validate(c, relation, name),
        Command::DropConstraint { name, if_exists, cascade } => {
            drop::constraint(c, relation, name, *if_exists, *cascade, recurse)
        }
        Command::ClusterOn { .. } => storage(c, relation, "cluster"),
        Command::SetLogged => set_logged(c, relation, true),
        Command::SetUnlogged => set_logged(c, relation, false),
        Command::SetAccessMethod { method } => {
            storage(c, relation, "access method");
            if let Some(relation) = c.relation_mut(relation) {
                relation.access_method = method.clone();
            }
        }
        Command::SetTablespace { tablespace } => {
            storage(c, relation, "tablespace");
            if let Some(relation) = c.relation_mut(relation) {
                relation.tablespace = Some(tablespace.clone());
            }
        }
        Command::SetOptions { options } => set_options(c, relation, options),
        Command::ResetOptions { options } => reset_options(c, relation, options),
        Command::EnableTrigger { name, state, .. } => trigger::set_trigger_state(c, relation, name.as_deref(), *state, !recurse),
        Command::EnableRule { name, state } => trigger::set_rule_state(c, relation, name, *state),
        Command::Inherit { parent } => inheritance::inherit(c, relation, parent),
        Command::NoInherit { parent } => inheritance::no_inherit(c, relation, parent),
        Command::OfType { name } => {
            let of_type = c.resolve_type(name);
            if let Some(relation) = c.relation_mut(relation) {
                relation.of_type = of_type;
            }
        }
        Command::NotOf => {
            if let Some(relation) = c.relation_mut(relation) {
                relation.of_type = None;
            }
        }
        Command::ReplicaIdentity(identity) => {
            let Some(before) = c.relation(relation).cloned() else { return };
            if let Some(relation) = c.relation_mut(relation) {
                relation.replica_identity = identity.clone();
            }
            if before.replica_identity != *identity {
                c.record(Change::ReplicaIdentityChanged { relation: before });
            }
        }
        Command::EnableRls => policy::set_rls(c, relation, true),
        Command::DisableRls => policy::set_rls(c, relation, false),
        Command::ForceRls => policy::force_rls(c, relation, true),
        Command::NoForceRls => policy::force_rls(c, relation, false),
        Command::Owner { role } => owner::set_relation_owner(c, relation, role),
        Command::AttachPartition { partition, bound } => inheritance::attach(c, relation, partition, bound),
        Command::AttachIndex { .. } => {}
        Command::DetachPartition { partition, concurrently, finalize } => {
            if !finalize {
                inheritance::detach(c, relation, partition, *concurrently);
            }
        }
        Command::GenericOptions { .. } => storage(c, relation, "options"),
        Command::Unknown { name } => c.record(Change::Unclassified { node: name.clone() }),
    }
}

fn storage(c: &mut Catalog, relation: Id, what: &'static str) {
    if let Some(relation) = c.relation(relation).cloned() {
        c.record(Change::StorageChanged { relation, what });
    }
}

fn set_logged(c: &mut Catalog, relation: Id, logged: bool) {
    use crate::op::Persistence;
    let Some(before) = c.relation(relation).cloned() else { return };
    let persistence = if logged { Persistence::Permanent } else { Persistence::Unlogged };
    if before.persistence == persistence && before.known {
        return;
    }
    let mut all = sequence::owned_by(c, relation, None);
    all.push(relation);
    for id in all {
        if let Some(relation) = c.relation_mut(id) {
            relation.persistence = persistence;
        }
    }
    c.record(Change::PersistenceChanged { relation: before, logged });
}

fn set_options(c: &mut Catalog, relation: Id, options: &[(String, Option<String>)]) {
    let Some(before) = c.relation(relation).cloned() else { return };
    if let Some(relation) = c.relation_mut(relation) {
        for (name, value) in options {
            relation.options.retain(|(n, _)| n != name);
            relation.options.push((name.clone(), value.clone()));
        }
    }
    c.record(Change::OptionsChanged { relation: before, options: options.iter().map(|(n, _)| n.clone()).collect() });
}

fn reset_options(c: &mut Catalog, relation: Id, options: &[String]) {
    let Some(before) = c.relation(relation).cloned() else { return };
    if let Some(relation) = c.relation_mut(relation) {
        relation.options.retain(|(n, _)| !options.contains(n));
    }
    c.record(Change::OptionsChanged { relation: before, options: options.to_vec() });
}

fn apply_to_index(c: &mut Catalog, name: &ObjectName, alter: &AlterTable) {
    let Some(index) = c.resolve_index(name) else {
        if alter.if_exists {
            c.nothing_missing(ObjectKind::Index, c.missing_label(name));
        } else {
            c.incomplete = true;
        }
        return;
    };
    for command in &alter.commands {
        if let Command::AttachIndex { index: child } = command {
            if let Some(child) = c.resolve_index(child) {
                inheritance::attach_index(c, index, child);
            }
        } else if let Some(table) = c.indexes.get(&index).map(|i| i.relation) {
            // SET (fillfactor), SET TABLESPACE, STATISTICS: nothing that a client or the model sees.
            storage(c, table, "index");
        }
    }
}
