//! The weak locks of queries: what they read, what they write. Which partitions and which triggers' tables are reached is for the
//! rows to say.

use crate::catalog::Catalog;
use crate::catalog::object::{Id, Reference, RelationKind};
use crate::effect::LockMode;
use crate::op::{Dml, FromItem, ObjectName, Query};
use crate::versions::locks::{self, Form, Role};

/// How deep views are followed into one another.
pub(super) const DEPTH: usize = 16;

/// Everything that a query reads.
pub(super) fn read(c: &mut Catalog, query: &Query) {
    let form = if query.for_update { Form::SelectForUpdate } else { Form::Select };
    let mut names = Vec::new();
    from(query, &mut names);
    for name in names {
        if let Some(id) = c.resolve_relation(&name) {
            lock_read(c, id, form, DEPTH);
        }
    }
    for dml in modifying(query) {
        write(c, dml);
    }
}

/// What a query that is stored and not run names: nothing behind views, and no partitions.
pub(super) fn mention(c: &mut Catalog, query: &Query) {
    let mut names = Vec::new();
    from(query, &mut names);
    for name in names {
        if let Some(id) = c.resolve_relation(&name) {
            c.take(id, Form::Select, Role::Table);
        }
    }
}

/// The queries inside a stored expression.
pub(super) fn mention_in(c: &mut Catalog, expr: &crate::expr::Expr) {
    let mut inner = Vec::new();
    subqueries(expr, &mut inner);
    inner.into_iter().for_each(|query| mention(c, query));
}

/// INSERT, UPDATE, DELETE and MERGE.
pub(super) fn write(c: &mut Catalog, dml: &Dml) {
    if let Some(id) = c.resolve_relation(&dml.relation) {
        lock_written(c, id);
    }
    read(c, &dml.sources);
}

/// The table, or behind a view the tables that it stands for.
pub(super) fn lock_written(c: &mut Catalog, id: Id) {
    for id in c.with_descendants(id) {
        c.take(id, Form::Update, Role::Table);
    }
    if let Some(view) = c.relation(id).filter(|relation| relation.kind == RelationKind::View).cloned() {
        let references: Vec<Reference> = view.view.iter().flat_map(|view| view.references.clone()).collect();
        for reference in references {
            if let Reference::Relation(below) | Reference::Column(below, _) = reference {
                c.take(below, Form::Update, Role::Table);
            }
        }
    }
}

fn lock_read(c: &mut Catalog, id: Id, form: Form, depth: usize) {
    let Some(mode) = locks::mode(form, Role::Table, c.versions) else { return };
    lock_below(c, id, mode, depth);
}

/// A relation, what inherits from it, and what a view reads.
pub(super) fn lock_below(c: &mut Catalog, id: Id, mode: LockMode, depth: usize) {
    for id in c.with_descendants(id) {
        c.lock(id, mode);
    }
    let Some(view) = c.relation(id).filter(|relation| relation.kind == RelationKind::View).cloned() else { return };
    if depth == 0 {
        return;
    }
    let references: Vec<Reference> = view.view.iter().flat_map(|view| view.references.clone()).collect();
    let mut below: Vec<Id> = references
        .into_iter()
        .filter_map(|reference| match reference {
            Reference::Relation(id) | Reference::Column(id, _) => Some(id),
            Reference::Type(_) | Reference::Routine(_) => None,
        })
        .collect();
    below.sort_unstable();
    below.dedup();
    for id in below {
        lock_below(c, id, mode, depth - 1);
    }
}

/// Names of relations in a query and the queries inside it.
fn from(query: &Query, names: &mut Vec<ObjectName>) {
    let hidden = |name: &ObjectName| name.schema.is_none() && query.ctes.iter().any(|(cte, _, _)| *cte == name.name);
    for item in &query.from {
        match item {
            FromItem::Relation { name, .. } if !hidden(name) => names.push(name.clone()),
            FromItem::Relation { .. } | FromItem::Function { .. } | FromItem::Other { .. } => {}
            FromItem::Subquery { query, .. } => from(query, names),
        }
    }
    query.ctes.iter().for_each(|(_, _, query)| from(query, names));
    query.set_arms.iter().for_each(|query| from(query, names));
    let mut inner = Vec::new();
    let expressions =
        query.targets.iter().map(|target| &target.expr).chain(&query.conditions).chain(query.values.iter().flatten());
    expressions.for_each(|expr| subqueries(expr, &mut inner));
    inner.into_iter().for_each(|query| from(query, names));
}

fn subqueries<'a>(expr: &'a crate::expr::Expr, found: &mut Vec<&'a Query>) {
    use crate::expr::Expr;
    expr.walk(&mut |expr| match expr {
        Expr::Exists(query) | Expr::Scalar(query) | Expr::ArrayQuery(query) | Expr::QueryTest { query, .. } => found.push(query),
        _ => {}
    });
}

fn modifying(query: &Query) -> Vec<&Dml> {
    let mut found: Vec<&Dml> = query.modifying.iter().collect();
    query.ctes.iter().for_each(|(_, _, query)| found.extend(modifying(query)));
    found
}
