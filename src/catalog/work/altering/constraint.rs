//! Constraints that ALTER TABLE adds, alters and validates, and the foreign keys on either side of a column that changes.

use super::Altering;
use crate::catalog::Catalog;
use crate::catalog::object::*;
use crate::catalog::work::Scan;
use crate::op::{ConstraintDef, ConstraintKind};
use crate::versions::locks::{Form, Role};

impl Altering {
    /// `column` is set for a constraint that stands in the definition of a new column.
    pub(super) fn add_constraint(&mut self, c: &mut Catalog, column: Option<&str>, def: &ConstraintDef) {
        let relation = self.relation;
        let name = || def.name.clone().unwrap_or_default();
        match &def.kind {
            ConstraintKind::Check(_) => {
                let tree = if def.no_inherit { vec![relation] } else { self.tree(c) };
                if def.no_inherit && !self.only {
                    for child in c.with_descendants(relation).split_off(1) {
                        c.take(child, Form::AddCheckNoInherit, Role::Child);
                    }
                }
                if def.enforced && !def.not_valid {
                    let scans = tree.into_iter().map(|id| (id, Scan::Check { constraint: name(), validate: false }));
                    self.scans.extend(scans);
                }
            }
            ConstraintKind::NotNull { column: Some(column) } if !def.not_valid => {
                for id in self.tree(c) {
                    self.set_not_null(c, id, column);
                }
            }
            ConstraintKind::NotNull { .. } => {
                self.tree(c);
            }
            ConstraintKind::PrimaryKey { columns, using_index, .. } => {
                let mut keys: Vec<String> = match (column, using_index) {
                    (Some(_), _) => Vec::new(),
                    (None, Some(index)) => index_columns(c, relation, index),
                    (None, None) => columns.clone(),
                };
                keys.retain(|key| c.relation(relation).and_then(|table| table.column(key)).is_none_or(|column| !column.not_null));
                if !keys.is_empty() {
                    for id in self.tree(c) {
                        for key in &keys {
                            self.set_not_null(c, id, key);
                        }
                    }
                }
                let form = if using_index.is_some() { Form::AddPrimaryKeyUsingIndex } else { Form::AddPrimaryKey };
                self.build(c, using_index.is_none(), form);
            }
            ConstraintKind::Unique { using_index, .. } => {
                let form = if using_index.is_some() { Form::AddUniqueUsingIndex } else { Form::AddUnique };
                self.build(c, using_index.is_none(), form);
            }
            ConstraintKind::Exclude { .. } => self.build(c, true, Form::AddExclude),
            ConstraintKind::ForeignKey { references, .. } => {
                let Some(target) = c.resolve_relation(references) else { return };
                let form = if column.is_some() { Form::AddColumnReferences } else { Form::AddForeignKey };
                for id in c.with_descendants_if_partitioned(target) {
                    c.take(id, form, Role::Referenced);
                }
                let tree = if self.is_partitioned(c) { self.tree(c) } else { vec![relation] };
                if self.checks_foreign_keys && def.enforced && !def.not_valid {
                    let scan = |referenced| Scan::ForeignKey { constraint: name(), referenced, validate: false };
                    self.scans.extend(tree.into_iter().map(|id| (id, scan(false))));
                    // ADD COLUMN z, ADD FOREIGN KEY (z): every value is NULL, and nobody looks further.
                    self.scans.extend(c.with_descendants_if_partitioned(target).into_iter().map(|id| (id, scan(true))));
                }
            }
            ConstraintKind::Null
            | ConstraintKind::Default(_)
            | ConstraintKind::Identity { .. }
            | ConstraintKind::Generated { .. } => {}
        }
    }

    pub(super) fn alter_constraint(&mut self, c: &mut Catalog, name: &str, enforced: Option<bool>) {
        let Some(table) = c.relation(self.relation).cloned() else { return };
        let Some(constraint) = table.constraint(name) else { return };
        let ConstraintType::ForeignKey { references, .. } = constraint.kind else { return };
        let tree = if self.is_partitioned(c) { self.tree(c) } else { vec![self.relation] };
        if enforced == Some(constraint.enforced) && table.known {
            return;
        }
        let form = match enforced {
            Some(true) => Form::AlterForeignKeyEnforced,
            Some(false) => Form::AlterForeignKeyNotEnforced,
            None => return,
        };
        c.take(references, form, Role::Referenced);
        if enforced == Some(true) {
            let scan = |referenced| Scan::ForeignKey { constraint: name.to_string(), referenced, validate: false };
            self.scans.extend(tree.into_iter().map(|id| (id, scan(false))));
            self.scans.push((references, scan(true)));
        }
    }

    pub(super) fn validate(&mut self, c: &mut Catalog, name: &str) {
        let Some(table) = c.relation(self.relation).cloned() else { return };
        let Some(constraint) = table.constraint(name) else { return self.validate_not_null(c, &table, name) };
        if constraint.validated && table.known {
            return;
        }
        match &constraint.kind {
            ConstraintType::ForeignKey { references, .. } => {
                c.take(*references, Form::ValidateForeignKey, Role::Referenced);
                if c.relation(*references).is_some_and(|table| table.kind == RelationKind::PartitionedTable) {
                    for below in c.with_descendants(*references) {
                        c.take(below, Form::ValidateForeignKeyReferencingPartitioned, Role::Partition);
                    }
                }
                let scan = |referenced| Scan::ForeignKey { constraint: name.to_string(), referenced, validate: true };
                let tree = if self.is_partitioned(c) { self.tree(c) } else { vec![self.relation] };
                self.scans.extend(tree.into_iter().map(|id| (id, scan(false))));
                self.scans.push((*references, scan(true)));
            }
            ConstraintType::Check { .. } => {
                for id in self.tree(c) {
                    let pending = c.relation(id).and_then(|table| table.constraint(name)).is_some_and(|own| !own.validated);
                    if pending {
                        self.scans.push((id, Scan::Check { constraint: name.to_string(), validate: true }));
                    }
                }
            }
            ConstraintType::NotNull { .. }
            | ConstraintType::Unique { .. }
            | ConstraintType::PrimaryKey { .. }
            | ConstraintType::Exclude { .. } => {}
        }
    }

    pub(super) fn validate_not_null(&mut self, c: &mut Catalog, table: &Relation, name: &str) {
        let Some(column) = table.pending_not_null(name).map(|column| column.name.clone()) else { return };
        for id in self.tree(c) {
            let there = c.relation(id).and_then(|table| table.column(&column));
            if let Some(there) = there.filter(|there| there.pending_not_null.is_some()) {
                self.scans.push((id, Scan::NotNull { column: there.id, validate: true }));
            }
        }
    }

    /// Foreign keys on either side are dropped and made again; where the values changed, they are checked again.
    pub(super) fn foreign_keys_of(&mut self, c: &mut Catalog, table: &Relation, column: &Column, rewrites: bool) {
        let mut pairs: Vec<(Id, Id, String)> = Vec::new();
        for constraint in &table.constraints {
            if let ConstraintType::ForeignKey { columns, references, .. } = &constraint.kind
                && columns.contains(&column.id)
            {
                pairs.push((table.id, *references, constraint.name.clone()));
            }
        }
        for other in c.relations.values() {
            for constraint in &other.constraints {
                if let ConstraintType::ForeignKey { references, ref_columns, .. } = &constraint.kind
                    && *references == table.id
                    && ref_columns.contains(&column.id)
                {
                    pairs.push((other.id, table.id, constraint.name.clone()));
                }
            }
        }
        for (referencing, referenced, constraint) in pairs {
            c.take(referencing, Form::SetTypeWithForeignKey, Role::Table);
            let sides = [(vec![referencing], false), (c.with_descendants_if_partitioned(referenced), true)];
            for id in &sides[1].0 {
                c.take(*id, Form::SetTypeWithForeignKey, Role::Referenced);
            }
            for (tables, referenced) in sides.into_iter().filter(|_| rewrites) {
                let scan = Scan::ForeignKey { constraint: constraint.clone(), referenced, validate: false };
                self.scans.extend(tables.into_iter().map(|id| (id, scan.clone())));
            }
        }
    }
}

fn index_columns(c: &Catalog, relation: Id, index: &str) -> Vec<String> {
    let Some(table) = c.relation(relation) else { return Vec::new() };
    let found = c.indexes_of(relation).into_iter().find(|candidate| candidate.name == index);
    let ids = found.iter().flat_map(|index| index.keys.iter().filter_map(|key| key.column)).collect::<Vec<_>>();
    ids.into_iter().filter_map(|id| table.column_by_id(id)).map(|column| column.name.clone()).collect()
}
