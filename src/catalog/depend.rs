//! Who needs whom: the questions that DROP asks (pg_depend).

use super::object::*;
use super::types::{BaseType, DataType};
use super::{Catalog, sequence};
use crate::expr::Expr;

impl Catalog {
    /// Views and materialized views whose definition uses the object.
    pub fn views_using(&self, wanted: impl Fn(&Reference) -> bool) -> Vec<Id> {
        let uses = |relation: &Relation| relation.view.as_ref().is_some_and(|view| view.references.iter().any(&wanted));
        self.relations.values().filter(|r| r.is_view() && uses(r)).map(|r| r.id).collect()
    }
    /// Foreign keys of any table that refer to the relation: (table, constraint).
    pub fn foreign_keys_to(&self, target: Id) -> Vec<(Id, Constraint)> {
        let mut found = Vec::new();
        for relation in self.relations.values() {
            for constraint in &relation.constraints {
                if matches!(&constraint.kind, ConstraintType::ForeignKey { references, .. } if *references == target) {
                    found.push((relation.id, constraint.clone()));
                }
            }
        }
        found
    }
    /// Columns whose default takes numbers from the sequence.
    pub fn defaults_using_sequence(&self, sequence: Id) -> Vec<(Id, ColumnId)> {
        let mut found = Vec::new();
        for relation in self.relations.values() {
            for column in &relation.columns {
                if column.default.as_ref().is_some_and(|d| sequence::sequences_in(self, d).contains(&sequence)) {
                    found.push((relation.id, column.id));
                }
            }
        }
        found
    }
    /// Columns whose default casts to a type.
    pub fn defaults_casting_to(&self, base: &BaseType) -> Vec<(Id, ColumnId)> {
        let casts = |default: &Expr| {
            let mut found = false;
            default.walk(&mut |e| found |= matches!(e, Expr::Cast { to, .. } if self.data_type(to).base == *base));
            found
        };
        let mut found = Vec::new();
        for relation in self.relations.values() {
            let columns = relation.columns.iter().filter(|column| column.default.as_ref().is_some_and(casts));
            found.extend(columns.map(|column| (relation.id, column.id)));
        }
        found
    }
    /// Columns of a type, or of an array of it.
    pub fn columns_of_type(&self, base: &BaseType) -> Vec<(Id, ColumnId)> {
        let mut found = Vec::new();
        for relation in self.relations.values().filter(|r| !r.is_view()) {
            found.extend(relation.columns.iter().filter(|col| col.data_type.base == *base).map(|col| (relation.id, col.id)));
        }
        found
    }
    /// Routines that take or return a type.
    pub fn routines_using_type(&self, base: &BaseType) -> Vec<Id> {
        let is = |t: &DataType| t.base == *base;
        let uses = |r: &Routine| r.args.iter().any(|a| is(&a.data_type)) || r.returns.as_ref().is_some_and(is);
        self.routines.values().filter(|r| uses(r)).map(|r| r.id).collect()
    }
    /// Domains, composites and ranges over a type.
    pub fn domains_over(&self, base: &BaseType) -> Vec<Id> {
        let over = |t: &TypeObject| match &t.kind {
            TypeKind::Domain { base: below, .. } => below.base == *base,
            TypeKind::Range { subtype, .. } => subtype.as_ref().is_some_and(|s| s.base == *base),
            TypeKind::Enum { .. } | TypeKind::Composite { .. } | TypeKind::Base | TypeKind::Unknown => false,
        };
        self.types.values().filter(|t| over(t)).map(|t| t.id).collect()
    }
    /// Relations with a trigger that runs the routine.
    pub fn triggers_running(&self, routine: Id) -> Vec<(Id, String)> {
        let mut found = Vec::new();
        for relation in self.relations.values() {
            found.extend(relation.triggers.iter().filter(|t| t.function == Some(routine)).map(|t| (relation.id, t.name.clone())));
        }
        found
    }
}
