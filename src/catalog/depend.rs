//! Who needs whom: the questions that DROP asks (pg_depend).

use super::object::*;
use super::types::{BaseType, DataType};
use super::{Catalog, sequence};
use crate::expr::Expr;
use std::sync::Arc;

/// A part of a table that calls a routine.
pub(super) enum Calling {
    Default(Id, ColumnId),
    Generated(Id, ColumnId),
    Check(Id, Constraint),
    Policy(Id, String),
    Trigger(Id, String),
    Index(Id),
}

/// A cheap look before names are resolved.
fn mentions_call(expr: &Expr, name: &str) -> bool {
    let mut found = false;
    expr.walk(&mut |part| found |= matches!(part, Expr::Call(call) if call.name.name == name));
    found
}

impl Catalog {
    /// Views and materialized views whose definition uses the object.
    pub fn views_using(&self, wanted: impl Fn(&Reference) -> bool) -> Vec<Id> {
        let uses = |relation: &Relation| relation.view.as_ref().is_some_and(|view| view.references.iter().any(&wanted));
        self.relations.values().filter(|r| r.is_view() && uses(r)).map(|r| r.id).collect()
    }
    /// Routines whose body in SQL, defaults or signature use the object.
    pub fn routines_using(&self, wanted: impl Fn(&Reference) -> bool) -> Vec<Id> {
        self.routines.values().filter(|routine| routine.references.iter().any(&wanted)).map(|routine| routine.id).collect()
    }
    /// What of a table calls the routine in an expression.
    pub(super) fn expressions_calling(&mut self, routine: Id) -> Vec<Calling> {
        let Some(name) = self.routines.get(&routine).map(|found| found.name.clone()) else { return Vec::new() };
        let mut found = Vec::new();
        let relations: Vec<Arc<Relation>> = self.relations.values().filter(|r| !r.is_view()).cloned().collect();
        for relation in relations {
            let mut calls = |expr: &Expr| mentions_call(expr, &name) && self.calls(expr, relation.id, routine);
            for column in &relation.columns {
                if column.default.as_ref().is_some_and(&mut calls) {
                    found.push(Calling::Default(relation.id, column.id));
                }
                if column.generated.as_ref().is_some_and(|(_, expr)| calls(expr)) {
                    found.push(Calling::Generated(relation.id, column.id));
                }
            }
            for constraint in &relation.constraints {
                if matches!(&constraint.kind, ConstraintType::Check { expr, .. } if calls(expr)) {
                    found.push(Calling::Check(relation.id, constraint.clone()));
                }
            }
            for policy in &relation.policies {
                if policy.policy.using.iter().chain(&policy.policy.check).any(&mut calls) {
                    found.push(Calling::Policy(relation.id, policy.policy.name.clone()));
                }
            }
            for trigger in &relation.triggers {
                if trigger.when.as_ref().is_some_and(&mut calls) {
                    found.push(Calling::Trigger(relation.id, trigger.name.clone()));
                }
            }
            for index in self.indexes_of(relation.id) {
                let keys = index.keys.iter().filter_map(|key| key.element.expr.as_ref());
                let mut calls = |expr: &Expr| mentions_call(expr, &name) && self.calls(expr, relation.id, routine);
                if keys.chain(&index.predicate).any(&mut calls) {
                    found.push(Calling::Index(index.id));
                }
            }
        }
        found
    }
    fn calls(&mut self, expr: &Expr, relation: Id, routine: Id) -> bool {
        super::query::analyze_expression(self, expr, Some(relation)).1.contains(&Reference::Routine(routine))
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
    /// Relations with a trigger of their own that runs the routine; clones on partitions follow it.
    pub fn triggers_running(&self, routine: Id) -> Vec<(Id, String)> {
        let mut found = Vec::new();
        for relation in self.relations.values() {
            found.extend(
                relation
                    .triggers
                    .iter()
                    .filter(|t| t.function == Some(routine) && !t.from_parent)
                    .map(|t| (relation.id, t.name.clone())),
            );
        }
        found
    }
}
