//! ALTER TABLE of tables: what its subcommands cost together. As on the server, the whole statement takes the strongest lock that any
//! of its subcommands needs, and a table is rewritten or scanned once, at the end, however many subcommands ask for it.

mod constraint;

use super::new_column::NewColumn;
use super::retype::{self, Retyping};
use super::{Build, Rewrite, Scan, own_lock, proof, volatile};
use crate::catalog::Catalog;
use crate::catalog::object::*;
use crate::effect::LockMode;
use crate::op::{AlterTable, AlterTableCommand as Command, ConstraintKind, Persistence};
use crate::versions::locks::{Form, Role};
use std::collections::BTreeSet;

/// One ALTER TABLE on its way through its subcommands.
pub(in crate::catalog) struct Altering {
    relation: Id,
    only: bool,
    /// The lock that the whole statement takes.
    mode: Option<LockMode>,
    /// A foreign key of this statement is checked against the rows that are there: without a default, a new column has none to check.
    checks_foreign_keys: bool,
    rewrites: Vec<(Id, Rewrite)>,
    scans: Vec<(Id, Scan)>,
    builds: Vec<(Id, Build)>,
    /// Indexes that were there before: what is newer is not built anew by a rewrite.
    indexes: Vec<(Id, BTreeSet<Id>)>,
}

impl Altering {
    /// Before the first subcommand: the statement's own lock, on the table and on what its subcommands reach below it.
    pub(in crate::catalog) fn begin(c: &mut Catalog, relation: Id, alter: &AlterTable) -> Altering {
        let mode = alter.commands.iter().filter_map(|command| own_lock::of(c, relation, command)).max();
        let mut altering = Altering {
            relation,
            only: alter.only,
            mode,
            checks_foreign_keys: alter.commands.iter().any(checks_foreign_keys),
            rewrites: Vec::new(),
            scans: Vec::new(),
            builds: Vec::new(),
            indexes: Vec::new(),
        };
        if let Some(mode) = mode {
            c.lock(relation, mode);
            // Tables of a composite type follow it.
            for typed in c.typed_tables(relation) {
                c.lock(typed, mode);
            }
        }
        altering.indexes = c
            .with_descendants(relation)
            .into_iter()
            .map(|id| (id, c.indexes_of(id).iter().map(|index| index.id).collect()))
            .collect();
        altering
    }

    /// The table and, without ONLY, everything below it, which the subcommand reaches and so locks.
    fn tree(&self, c: &mut Catalog) -> Vec<Id> {
        if self.only {
            return vec![self.relation];
        }
        let tree = c.with_descendants(self.relation);
        if let Some(mode) = self.mode {
            tree[1..].iter().for_each(|id| c.lock(*id, mode));
        }
        tree
    }

    /// As [`Altering::tree`], but not below a child that has the column already: there it is merged.
    fn tree_without(&self, c: &mut Catalog, column: &str) -> Vec<Id> {
        if self.only {
            return vec![self.relation];
        }
        let mut reached = vec![self.relation];
        let mut at = 0;
        while at < reached.len() {
            let has_it = at > 0 && c.relation(reached[at]).is_some_and(|table| table.column(column).is_some());
            let below = if has_it { Vec::new() } else { c.children_of(reached[at]) };
            below.into_iter().for_each(|id| {
                if !reached.contains(&id) {
                    reached.push(id)
                }
            });
            at += 1;
        }
        if let Some(mode) = self.mode {
            reached[1..].iter().for_each(|id| c.lock(*id, mode));
        }
        reached
    }

    /// Before a subcommand is carried out: the catalog is as the subcommands of earlier passes left it.
    pub(in crate::catalog) fn command(&mut self, c: &mut Catalog, command: &Command) {
        let relation = self.relation;
        match command {
            Command::AddColumn { column, if_not_exists } => {
                let exists = c.relation(relation).is_some_and(|table| table.column(&column.name).is_some());
                if !(exists && *if_not_exists) {
                    self.add_column(c, column);
                }
            }
            Command::DropColumn { name, .. } => {
                if c.relation(relation).is_none_or(|table| !table.known || table.column(name).is_some()) {
                    self.tree(c);
                }
            }
            Command::SetDefault { expr, .. } => {
                self.tree(c);
                for sequence in volatile::sequences(c, expr) {
                    c.take(sequence, Form::SetDefaultNextval, Role::Sequence);
                }
            }
            Command::DropDefault { .. } => {
                self.tree(c);
            }
            Command::SetType { column, type_ref, collation, using } => {
                let to = c.data_type(type_ref);
                for typed in c.typed_tables(relation) {
                    let retyping = retype::of_column(c, typed, column, &to, collation.as_ref(), using.as_ref());
                    self.retype(c, typed, column, retyping);
                }
                for id in self.tree(c) {
                    let retyping = retype::of_column(c, id, column, &to, collation.as_ref(), using.as_ref());
                    self.retype(c, id, column, retyping);
                }
            }
            Command::SetNotNull { column } => {
                for id in self.tree(c) {
                    self.set_not_null(c, id, column);
                }
            }
            Command::DropNotNull { .. } => {
                self.tree(c);
            }
            Command::SetExpression { column, .. } => {
                for id in self.tree(c) {
                    let Some(there) = c.relation(id).and_then(|table| table.column(column)) else { continue };
                    let stored = !matches!(there.generated, Some((crate::op::GeneratedKind::Virtual, _)));
                    if stored {
                        self.rewrites.push((id, Rewrite::Generated { column: there.id }));
                    }
                }
            }
            Command::DropExpression { .. } => {
                self.tree(c);
            }
            Command::AddIdentity { .. } => {}
            Command::SetIdentity { column, .. } => self.lock_sequences(c, column, Form::SetIdentity),
            Command::DropIdentity { column, .. } => self.lock_sequences(c, column, Form::DropIdentity),
            Command::SetStatistics { .. } | Command::SetStorage { .. } => {
                self.tree(c);
            }
            Command::SetColumnOptions { .. } => {}
            Command::SetCompression { .. } => {}
            Command::AddConstraint(def) => self.add_constraint(c, None, def),
            Command::AlterConstraint { name, enforced, .. } => self.alter_constraint(c, name, *enforced),
            Command::ValidateConstraint { name } => self.validate(c, name),
            Command::DropConstraint { name, .. } => {
                let Some(table) = c.relation(relation) else { return };
                let is_inherited_check =
                    |constraint: &Constraint| matches!(constraint.kind, ConstraintType::Check { .. }) && !constraint.no_inherit;
                let inherits = table.constraint(name).is_some_and(is_inherited_check) || table.pending_not_null(name).is_some();
                if inherits {
                    self.tree(c);
                }
            }
            Command::ClusterOn { .. } => {}
            Command::SetLogged | Command::SetUnlogged => {
                let wanted = if matches!(command, Command::SetLogged) { Persistence::Permanent } else { Persistence::Unlogged };
                let Some(table) = c.relation(relation) else { return };
                let has_file = table.kind == RelationKind::Table;
                if has_file && (table.persistence != wanted || !table.known) {
                    self.rewrites.push((relation, Rewrite::Persistence));
                    for sequence in crate::catalog::sequence::owned_by(c, relation, None) {
                        c.take(sequence, Form::SetUnloggedWithSequence, Role::Sequence);
                    }
                }
            }
            Command::SetAccessMethod { method } => {
                let Some(table) = c.relation(relation) else { return };
                let current = table.access_method.as_deref().unwrap_or("heap");
                let same = table.known && method.as_deref().unwrap_or("heap") == current;
                if !same && matches!(table.kind, RelationKind::Table | RelationKind::MaterializedView) {
                    self.rewrites.push((relation, Rewrite::AccessMethod));
                }
            }
            Command::SetTablespace { tablespace } => {
                let Some(table) = c.relation(relation) else { return };
                let same = table.known && table.tablespace.as_deref().unwrap_or("pg_default") == tablespace;
                if !same && matches!(table.kind, RelationKind::Table | RelationKind::MaterializedView) {
                    // Copied block by block: no row is looked at, and the indexes stay where they are.
                    c.rewrite(relation, Rewrite::Tablespace);
                }
            }
            Command::SetOptions { .. } | Command::ResetOptions { .. } => {}
            Command::EnableTrigger { name, .. } => {
                if name.is_some() && self.is_partitioned(c) {
                    self.tree(c);
                }
            }
            Command::EnableRule { .. } => {}
            Command::Inherit { parent } => {
                if let Some(parent) = c.resolve_relation(parent) {
                    c.take(parent, Form::Inherit, Role::Table);
                }
            }
            Command::NoInherit { parent } => {
                if let Some(parent) = c.resolve_relation(parent) {
                    c.take(parent, Form::NoInherit, Role::Table);
                }
            }
            Command::OfType { name } => {
                if let Some(ty) = c.composite_relation(name) {
                    c.take(ty, Form::OfType, Role::Type);
                }
            }
            Command::NotOf | Command::ReplicaIdentity(_) => {}
            Command::EnableRls | Command::DisableRls | Command::ForceRls | Command::NoForceRls => {}
            Command::Owner { .. } => {
                for sequence in crate::catalog::sequence::owned_by(c, relation, None) {
                    c.take(sequence, Form::OwnerToWithSequence, Role::Sequence);
                }
            }
            Command::AttachPartition { partition, bound } => super::partition::attach(c, relation, partition, bound),
            Command::AttachIndex { .. } => {}
            Command::DetachPartition { partition, concurrently, finalize } => {
                super::partition::detach(c, relation, partition, *concurrently, *finalize);
            }
            Command::GenericOptions { .. } | Command::Unknown { .. } => {}
        }
    }

    /// After the last subcommand: tables are rewritten or scanned, indexes built.
    pub(in crate::catalog) fn finish(self, c: &mut Catalog) {
        let rewritten: BTreeSet<Id> = self
            .rewrites
            .iter()
            .map(|(id, _)| *id)
            .filter(|id| c.relation(*id).is_some_and(|table| table.kind.has_rows()))
            .collect();
        for (id, why) in &self.rewrites {
            if rewritten.contains(id) {
                c.rewrite(*id, *why);
            }
        }
        for id in &rewritten {
            let old = self.indexes.iter().find(|(table, _)| table == id).map(|(_, old)| old);
            if c.indexes_of(*id).iter().any(|index| old.is_none_or(|old| old.contains(&index.id))) {
                c.build_index(*id, Build::Rewrite);
            }
        }
        for (id, why) in self.scans {
            // A rewrite reads every row and checks it along the way. A foreign key is checked by a query of its own.
            let of_its_own = matches!(why, Scan::ForeignKey { .. });
            if c.relation(id).is_some_and(|table| table.kind.has_rows()) && (of_its_own || !rewritten.contains(&id)) {
                c.scan(id, why);
            }
        }
        for (id, what) in self.builds {
            if c.relation(id).is_some_and(|table| table.kind.has_rows()) {
                c.build_index(id, what);
            }
        }
    }

    fn add_column(&mut self, c: &mut Catalog, def: &crate::op::ColumnDef) {
        let new = NewColumn::of(c, self.relation, def);
        for id in self.tree_without(c, &def.name) {
            if let Some(why) = new.rewrite {
                self.rewrites.push((id, why));
            } else if new.is_required {
                self.scans.push((id, Scan::RequiredColumn { column: new.id }));
            }
        }
        if let Some(ty) = new.composite {
            c.take(ty, Form::AddCompositeColumn, Role::Type);
        }
        for sequence in &new.sequences {
            c.take(*sequence, Form::AddColumnNextval, Role::Sequence);
        }
        for constraint in &def.constraints {
            self.add_constraint(c, Some(&def.name), constraint);
        }
    }

    fn is_partitioned(&self, c: &Catalog) -> bool {
        c.relation(self.relation).is_some_and(|table| table.kind == RelationKind::PartitionedTable)
    }

    /// The index of a key or exclusion constraint, and those of the partitions.
    fn build(&mut self, c: &mut Catalog, new: bool, form: Form) {
        let below = if self.only { Vec::new() } else { c.with_descendants(self.relation).split_off(1) };
        let partitioned = self.is_partitioned(c);
        for id in &below {
            match partitioned {
                true => c.take(*id, Form::AddUniqueToPartitioned, Role::Partition),
                false => c.take(*id, form, Role::Child),
            }
        }
        if !new {
            return;
        }
        let tables = std::iter::once(self.relation).chain(if partitioned { below } else { Vec::new() });
        self.builds.extend(tables.into_iter().map(|id| (id, Build::Constraint)));
    }

    fn set_not_null(&mut self, c: &Catalog, id: Id, column: &str) {
        let Some(table) = c.relation(id) else { return };
        let Some(there) = table.column(column) else { return };
        if (!there.not_null || there.pending_not_null.is_some()) && !proof::refuses_null(table, there) {
            self.scans.push((id, Scan::NotNull { column: there.id, validate: false }));
        }
    }

    fn retype(&mut self, c: &mut Catalog, id: Id, column: &str, retyping: Retyping) {
        let Some(table) = c.relation(id).cloned() else { return };
        let Some(there) = table.column(column) else { return };
        match retyping {
            Retyping::Rewrite => self.rewrites.push((id, Rewrite::Retype { column: there.id })),
            Retyping::Same { index_kept } => {
                for index in c.indexes_of(id) {
                    let uses_plainly = index.keys.iter().any(|key| key.column == Some(there.id));
                    let uses_in_expression = index.expression_columns.contains(&there.id);
                    if uses_in_expression || (uses_plainly && (!index_kept || index.predicate.is_some())) {
                        self.builds.push((id, Build::Retype { index: index.id }));
                    }
                }
                for constraint in &table.constraints {
                    if let ConstraintType::Check { columns, .. } = &constraint.kind
                        && columns.contains(&there.id)
                        && constraint.validated
                    {
                        self.scans.push((id, Scan::Check { constraint: constraint.name.clone(), validate: false }));
                    }
                }
            }
        }
        self.foreign_keys_of(c, &table, there, retyping == Retyping::Rewrite);
        if there.identity.is_some() {
            self.lock_sequences(c, column, Form::SetTypeOfIdentity);
        }
        // The default is stored anew, under the new type.
        for sequence in there.default.as_ref().map(|default| volatile::sequences(c, default)).unwrap_or_default() {
            c.take(sequence, Form::SetTypeOfSerial, Role::Sequence);
        }
    }

    fn lock_sequences(&self, c: &mut Catalog, column: &str, form: Form) {
        let Some(id) = c.relation(self.relation).and_then(|table| table.column(column)).map(|column| column.id) else { return };
        for sequence in crate::catalog::sequence::owned_by(c, self.relation, Some(id)) {
            c.take(sequence, form, Role::Sequence);
        }
    }
}

/// As `transformAlterTableStmt` decides `skipValidation`.
fn checks_foreign_keys(command: &Command) -> bool {
    match command {
        Command::AddColumn { column, .. } => {
            let serial = column.type_ref.as_ref().is_some_and(|t| crate::catalog::types::serial_type(t).is_some());
            serial || column.constraints.iter().any(|constraint| matches!(constraint.kind, ConstraintKind::Default(_)))
        }
        Command::AddConstraint(def) => matches!(def.kind, ConstraintKind::ForeignKey { .. }),
        _ => false,
    }
}
