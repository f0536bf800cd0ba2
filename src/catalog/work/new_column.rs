//! ADD COLUMN: does the table have to be rewritten, or looked through?

use super::{Rewrite, volatile};
use crate::catalog::Catalog;
use crate::catalog::object::{ColumnId, Id, TypeKind};
use crate::catalog::types::{BaseType, DataType, serial_type};
use crate::expr::Expr;
use crate::op::{ColumnDef, ConstraintKind, GeneratedKind};

/// A column that is about to be added.
pub(super) struct NewColumn {
    /// The number that it will have.
    pub id: ColumnId,
    /// Why every row gets a value of its own.
    pub rewrite: Option<Rewrite>,
    /// NOT NULL, and nothing fills it: the server looks for rows, and fails where there is one.
    pub is_required: bool,
    /// Sequences of before that its default calls.
    pub sequences: Vec<Id>,
    /// The composite type that it is of.
    pub composite: Option<Id>,
}

impl NewColumn {
    pub fn of(c: &Catalog, relation: Id, def: &ColumnDef) -> NewColumn {
        let id = ColumnId(c.relation(relation).map_or(0, |table| table.next_column));
        let data_type = def.type_ref.as_ref().map_or(DataType::UNKNOWN, |type_ref| c.data_type(type_ref));
        let mut not_null = false;
        let mut written: Option<&Expr> = None;
        let mut identity = def.type_ref.as_ref().is_some_and(|type_ref| serial_type(type_ref).is_some());
        let mut generated = None;
        for constraint in &def.constraints {
            match &constraint.kind {
                ConstraintKind::NotNull { .. } | ConstraintKind::PrimaryKey { .. } => not_null = true,
                ConstraintKind::Default(expr) => written = Some(expr),
                ConstraintKind::Identity { .. } => identity = true,
                ConstraintKind::Generated { kind, .. } => generated = Some(*kind),
                ConstraintKind::Null
                | ConstraintKind::Check(_)
                | ConstraintKind::Unique { .. }
                | ConstraintKind::Exclude { .. }
                | ConstraintKind::ForeignKey { .. } => {}
            }
        }
        let domain = Domain::of(c, &data_type);
        let default = written.or(domain.default);
        let rewrite = if identity {
            Some(Rewrite::Identity { column: id })
        } else if generated == Some(GeneratedKind::Stored) {
            Some(Rewrite::Generated { column: id })
        } else if domain.is_constrained && generated.is_none() {
            Some(Rewrite::ConstrainedDomain { column: id })
        } else if default.is_some_and(|default| volatile::is_volatile(c, default)) {
            Some(Rewrite::VolatileDefault { column: id })
        } else {
            None
        };
        let filled = default.is_some_and(|default| !default.is_null()) && generated.is_none();
        let sequences = default.map(|default| volatile::sequences(c, default)).unwrap_or_default();
        let composite = composite_of(c, &data_type);
        NewColumn { id, composite, rewrite, is_required: not_null && !filled, sequences }
    }
}

/// The relation behind a composite type, or behind an array of one.
pub(super) fn composite_of(c: &Catalog, data_type: &DataType) -> Option<Id> {
    let BaseType::User(id) = data_type.base else { return None };
    match c.types.get(&id)?.kind {
        TypeKind::Composite { relation } => Some(relation),
        TypeKind::Enum { .. } | TypeKind::Domain { .. } | TypeKind::Range { .. } | TypeKind::Base | TypeKind::Unknown => None,
    }
}

/// What the domains around a type add up to.
struct Domain<'c> {
    /// Some CHECK or NOT NULL (`DomainHasConstraints`).
    is_constrained: bool,
    /// The outermost default.
    default: Option<&'c Expr>,
}

impl<'c> Domain<'c> {
    fn of(c: &'c Catalog, data_type: &DataType) -> Domain<'c> {
        let mut found = Domain { is_constrained: false, default: None };
        let mut current = data_type.clone();
        while let BaseType::User(id) = current.base {
            let Some(TypeKind::Domain { base, not_null, default, constraints }) = c.types.get(&id).map(|object| &object.kind)
            else {
                break;
            };
            if current.array {
                break;
            }
            found.is_constrained |= *not_null || !constraints.is_empty();
            found.default = found.default.or(default.as_ref());
            current = base.clone();
        }
        found
    }
}

/// True where values of the type must pass a CHECK or be not null.
pub(super) fn is_constrained_domain(c: &Catalog, data_type: &DataType) -> bool {
    Domain::of(c, data_type).is_constrained
}
