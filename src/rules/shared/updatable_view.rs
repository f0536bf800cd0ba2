//! A view that stands in for a renamed table.

use crate::catalog::Catalog;
use crate::catalog::object::{Relation, RelationKind};
use crate::expr::Expr;
use crate::op::{FromItem, Query, Target};

/// What keeps a view from standing in for the table it is named after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Not automatically updatable over that table (`CREATE VIEW`, "Updatable Views").
    NotUpdatable,
    Columns(Vec<String>),
    Grants(Vec<String>),
    /// Row level security of the table would be that of the view's owner.
    SecurityInvoker,
}

/// `table` is as it was, under its old name; `view` is there now.
pub fn gap(after: &Catalog, table: &Relation, view: &Relation) -> Option<Gap> {
    if view.kind != RelationKind::View || table.kind == RelationKind::MaterializedView {
        return Some(Gap::NotUpdatable);
    }
    let query = view.view.as_ref().and_then(|definition| definition.query.as_deref());
    if !query.is_some_and(|query| selects_from(after, query, table)) {
        return Some(Gap::NotUpdatable);
    }
    let missing: Vec<String> =
        table.columns.iter().filter(|column| view.column(&column.name).is_none()).map(|column| column.name.clone()).collect();
    if !missing.is_empty() || !table.known && view.columns.is_empty() {
        return Some(Gap::Columns(missing));
    }
    let mut grants: Vec<String> = table
        .grants
        .iter()
        .filter(|(grantee, ..)| table.owner.as_ref() != Some(grantee))
        .filter(|grant| !view.grants.contains(grant))
        .map(|(grantee, privilege, _)| format!("{privilege} to {grantee}"))
        .collect();
    grants.dedup();
    if !grants.is_empty() {
        return Some(Gap::Grants(grants));
    }
    let invoker = view.options.iter().any(|(name, value)| {
        name == "security_invoker" && value.as_deref().is_none_or(|value| matches!(value, "true" | "on" | "1" | "yes"))
    });
    if table.rls_enabled && !invoker {
        return Some(Gap::SecurityInvoker);
    }
    None
}

fn selects_from(after: &Catalog, query: &Query, table: &Relation) -> bool {
    let [FromItem::Relation { name, .. }] = query.from.as_slice() else { return false };
    let plain = |expr: &Expr| matches!(expr, Expr::Column(_) | Expr::Star(_));
    after.resolve_relation(name) == Some(table.id)
        && query.ctes.is_empty()
        && query.set_arms.is_empty()
        && query.modifying.is_empty()
        && !query.distinct
        && !query.grouped
        && !query.has_limit
        // Other targets are allowed, but are not updatable themselves.
        && query.targets.iter().all(|target| plain(&target.expr) && keeps_name(after, table, target))
}

/// An old column name must show that very column, whatever it is called now.
fn keeps_name(after: &Catalog, table: &Relation, target: &Target) -> bool {
    let (Some(name), Expr::Column(parts)) = (&target.name, &target.expr) else { return true };
    let Some(old) = table.column(name) else { return true };
    let now = after.relation(table.id).and_then(|now| now.column(parts.last()?));
    now.is_none_or(|now| now.id == old.id)
}
