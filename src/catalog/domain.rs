//! Domains: a base type with a default, NOT NULL and CHECK constraints of its own.

use super::Catalog;
use super::change::Change;
use super::name::{choose_name, qualified};
use super::object::{Birth, DomainConstraint, Id, TypeKind, TypeObject};
use super::type_object;
use super::types::DataType;
use crate::expr::Expr;
use crate::op::{AlterDomain, ConstraintDef, ConstraintKind, ObjectKind, ObjectName, TypeRef};
use std::sync::Arc;

/// CREATE DOMAIN. The collation says nothing that a client of the domain's columns sees.
pub(super) fn create(
    c: &mut Catalog,
    name: &ObjectName,
    base: &TypeRef,
    _collation: Option<&ObjectName>,
    constraints: &[ConstraintDef],
) {
    let schema = c.creation_schema(name);
    let birth = c.birth();
    let mut not_null = false;
    let mut default = None;
    let mut checks: Vec<DomainConstraint> = Vec::new();
    for constraint in constraints {
        match &constraint.kind {
            ConstraintKind::NotNull { .. } => not_null = true,
            ConstraintKind::Null => not_null = false,
            ConstraintKind::Default(expr) => default = Some(expr.clone()).filter(|expr| *expr != Expr::Null),
            ConstraintKind::Check(expr) => {
                let taken: Vec<String> = checks.iter().map(|check| check.name.clone()).collect();
                checks.push(check(c, &schema, &name.name, &taken, constraint, expr, birth));
            }
            // The grammar takes no others on a domain.
            ConstraintKind::Identity { .. }
            | ConstraintKind::Generated { .. }
            | ConstraintKind::Unique { .. }
            | ConstraintKind::PrimaryKey { .. }
            | ConstraintKind::Exclude { .. }
            | ConstraintKind::ForeignKey { .. } => {}
        }
    }
    let base = c.data_type(base);
    for check in &checks {
        c.remember_constraint_name(&schema, &check.name);
    }
    type_object::enter(c, &schema, &name.name, TypeKind::Domain { base, not_null, default, constraints: checks });
}

/// ALTER DOMAIN.
pub(super) fn alter(c: &mut Catalog, name: &ObjectName, change: &AlterDomain) {
    let unseen = || TypeKind::Domain { base: DataType::UNKNOWN, not_null: false, default: None, constraints: Vec::new() };
    let Some(id) = type_object::resolve_or_unseen(c, name, unseen) else { return };
    let Some(object) = c.types.get(&id).cloned() else { return };
    match change {
        AlterDomain::SetDefault(expr) => {
            let set = *expr != Expr::Null;
            c.record(Change::DomainDefault { object, set });
            change_domain(c, id, |_, default, _| *default = Some(expr.clone()).filter(|_| set));
        }
        AlterDomain::DropDefault => {
            c.record(Change::DomainDefault { object, set: false });
            change_domain(c, id, |_, default, _| *default = None);
        }
        AlterDomain::SetNotNull => set_not_null(c, id, object, true),
        AlterDomain::DropNotNull => set_not_null(c, id, object, false),
        AlterDomain::AddConstraint(constraint) => match &constraint.kind {
            ConstraintKind::NotNull { .. } => set_not_null(c, id, object, true),
            ConstraintKind::Check(expr) => {
                let birth = c.birth();
                let added = check(c, &object.schema, &object.name, &[], constraint, expr, birth);
                c.remember_constraint_name(&object.schema, &added.name);
                c.record(Change::DomainConstraintAdded { object, constraint: added.clone() });
                change_domain(c, id, |_, _, constraints| constraints.push(added));
            }
            ConstraintKind::Null
            | ConstraintKind::Default(_)
            | ConstraintKind::Identity { .. }
            | ConstraintKind::Generated { .. }
            | ConstraintKind::Unique { .. }
            | ConstraintKind::PrimaryKey { .. }
            | ConstraintKind::Exclude { .. }
            | ConstraintKind::ForeignKey { .. } => {}
        },
        AlterDomain::DropConstraint { name, if_exists, .. } => drop_constraint(c, id, object, name, *if_exists),
        AlterDomain::ValidateConstraint { name } => {
            let pending = domain_constraints(&object).iter().any(|check| check.name == *name && !check.validated);
            if pending || !object.known {
                c.record(Change::DomainConstraintValidated { object, name: name.clone() });
            }
            change_domain(c, id, |_, _, constraints| {
                constraints.iter_mut().filter(|check| check.name == *name).for_each(|check| check.validated = true);
            });
        }
    }
}

fn set_not_null(c: &mut Catalog, id: Id, object: Arc<TypeObject>, set: bool) {
    let already = matches!(&object.kind, TypeKind::Domain { not_null, .. } if *not_null == set);
    // SET and DROP NOT NULL of what is so already changes nothing (AlterDomainNotNull returns early); a domain that nobody
    // created may have been either.
    if !already || !object.known {
        c.record(Change::DomainNotNull { object, set });
        change_domain(c, id, |not_null, _, _| *not_null = set);
    }
}

fn drop_constraint(c: &mut Catalog, id: Id, object: Arc<TypeObject>, name: &str, if_exists: bool) {
    if let Some(found) = domain_constraints(&object).iter().find(|check| check.name == name).cloned() {
        c.forget_constraint_name(&object.schema, name);
        c.record(Change::DomainConstraintDropped { object, constraint: found });
        change_domain(c, id, |_, _, constraints| constraints.retain(|check| check.name != name));
        return;
    }
    // From 17 on NOT NULL is a constraint with the name that `choose_name` gives it.
    let is_not_null = matches!(&object.kind, TypeKind::Domain { not_null: true, .. })
        && name == super::name::make_object_name(&object.name, None, "not_null");
    if is_not_null {
        set_not_null(c, id, object, false);
    } else if object.known {
        if if_exists {
            let label = format!("{}.{}", qualified(&object.schema, &object.name), crate::sql::names::quote_identifier(name));
            c.nothing_missing(ObjectKind::DomainConstraint, label);
        }
    } else {
        let constraint = DomainConstraint { name: name.to_string(), expr: Expr::Null, validated: true, birth: Birth::UNSEEN };
        c.record(Change::DomainConstraintDropped { object, constraint });
    }
}

/// A CHECK with its name: as written, or `domain_check`, `domain_check1` … as `ChooseConstraintName` does.
fn check(
    c: &Catalog,
    schema: &str,
    domain: &str,
    taken: &[String],
    constraint: &ConstraintDef,
    expr: &Expr,
    birth: Birth,
) -> DomainConstraint {
    let in_use = |candidate: &str| c.constraint_name_taken(schema, candidate) || taken.iter().any(|name| name == candidate);
    let name = constraint.name.clone().unwrap_or_else(|| choose_name(domain, None, "check", in_use));
    DomainConstraint { name, expr: expr.clone(), validated: !constraint.not_valid, birth }
}

fn domain_constraints(object: &TypeObject) -> &[DomainConstraint] {
    match &object.kind {
        TypeKind::Domain { constraints, .. } => constraints,
        TypeKind::Enum { .. } | TypeKind::Composite { .. } | TypeKind::Range { .. } | TypeKind::Base | TypeKind::Unknown => &[],
    }
}

fn change_domain(c: &mut Catalog, id: Id, f: impl FnOnce(&mut bool, &mut Option<Expr>, &mut Vec<DomainConstraint>)) {
    if let Some(TypeKind::Domain { not_null, default, constraints, .. }) = c.type_mut(id).map(|object| &mut object.kind) {
        f(not_null, default, constraints);
    }
}
