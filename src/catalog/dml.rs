//! Statements that change or read rows, and what the expressions in them call.

use super::change::{Cause, Change, RowChange};
use super::guard::{self, Value, Variables};
use super::object::{ColumnId, ConstraintType, Id, Relation, RelationKind};
use super::{Catalog, body, call, session};
use crate::expr::{Call, Expr};
use crate::op::{Dml, DmlKind, FromItem, ObjectName, Query};
use std::sync::Arc;

/// Tables in which runners write down what they have applied. That no migration creates them says nothing about the history.
const LEDGERS: &[&str] = &[
    "_prisma_migrations",
    "_sqlx_migrations",
    "_sqlx_test_databases",
    "__EFMigrationsHistory",
    "__diesel_schema_migrations",
    "__drizzle_migrations",
    "__efmigrationshistory",
    "__ef_migrations_history",
    "alembic_version",
    "ar_internal_metadata",
    "atlas_schema_revisions",
    "changelog",
    "databasechangelog",
    "databasechangeloglock",
    "django_migrations",
    "flyway_schema_history",
    "goose_db_version",
    "gorp_migrations",
    "hdb_version",
    "knex_migrations",
    "knex_migrations_lock",
    "pgmigrations",
    "play_evolutions",
    "refinery_schema_history",
    "schema_lock",
    "schema_migration",
    "schema_migrations",
    "schema_version",
];

/// The table of a runner, by its name.
pub fn is_ledger(name: &str) -> bool {
    LEDGERS.contains(&name)
}

/// INSERT, UPDATE, DELETE and MERGE.
pub(super) fn apply(c: &mut Catalog, dml: &Dml) {
    read(c, &dml.sources, &Variables::new(), false);
    if let Some(condition) = &dml.condition {
        act(c, [condition], &Variables::new(), false);
    }
    let bounded = dml.has_where && !always_true(c, dml);
    let how = match dml.kind {
        DmlKind::Insert => RowChange::Insert,
        DmlKind::Update => RowChange::Update { bounded },
        DmlKind::Delete => RowChange::Delete { bounded },
        DmlKind::Merge => RowChange::Merge,
    };
    rows_changed(c, &dml.relation, how);
    // The columns that a statement names are all that is known about a table which nobody created here.
    if let Some(id) = c.resolve_relation(&dml.relation) {
        for column in &dml.columns {
            c.column_or_unseen(id, column);
        }
    }
}

/// SELECT, as a statement: it reads, and what it calls acts.
pub(super) fn select(c: &mut Catalog, query: &Query) {
    select_with(c, query, &Variables::new());
}

/// SELECT in a body with these variables.
pub(super) fn select_with(c: &mut Catalog, query: &Query, variables: &Variables) {
    read(c, query, variables, true);
}

/// TRUNCATE. CASCADE takes along the tables that refer to these; partitions lose their rows with the parent.
pub(super) fn truncate(c: &mut Catalog, relations: &[ObjectName], only: bool, restart_identity: bool, cascade: bool) {
    let mut truncated: Vec<Id> = Vec::new();
    for name in relations {
        rows_changed(c, name, RowChange::Truncate);
        truncated.extend(c.resolve_relation(name).filter(|id| !truncated.contains(id)));
    }
    let mut at = 0;
    while at < truncated.len() {
        let children = if only { Vec::new() } else { c.children_of(truncated[at]) };
        // What refers to a partitioned table refers to its partitions.
        let referred = c.with_partitioned_above(truncated[at]);
        let referencing = if cascade { referred.into_iter().flat_map(|id| c.referencing(id)).collect() } else { Vec::new() };
        let inherited = children.into_iter().map(|id| (id, Cause::Inherited));
        for (id, cause) in inherited.chain(referencing.into_iter().map(|id| (id, Cause::Cascade))) {
            if !truncated.contains(&id) {
                truncated.push(id);
                let relation = c.relation(id).cloned();
                c.because(cause, |c| c.record(Change::RowsChanged { relation, how: RowChange::Truncate }));
            }
        }
        at += 1;
    }
    if restart_identity {
        let owned = |relation: &&Arc<Relation>| {
            let owner = relation.sequence.as_ref().and_then(|sequence| sequence.owned_by);
            owner.is_some_and(|(table, _)| truncated.contains(&table))
        };
        let sequences: Vec<Arc<Relation>> = c.relations.values().filter(owned).cloned().collect();
        for relation in sequences {
            c.because(Cause::Cascade, |c| c.record(Change::SequenceAltered { relation, what: vec!["restart"] }));
        }
    }
}

/// Records that rows of a table change. Writing to the server's own tables changes the schema behind its back.
pub(super) fn rows_changed(c: &mut Catalog, relation: &ObjectName, how: RowChange) {
    if is_server_table(c, relation) {
        let name = super::name::qualified("pg_catalog", &relation.name);
        body::opaque(c, &format!("direct change of {name}"));
        return;
    }
    let id = note(c, relation);
    let relation = id.and_then(|id| c.relation(id).cloned());
    c.record(Change::RowsChanged { relation, how });
}

/// What expressions call acts. `unseen_matters`: a routine that no visible statement created is noted.
pub(super) fn act<'e>(
    c: &mut Catalog,
    expressions: impl IntoIterator<Item = &'e Expr>,
    variables: &Variables,
    unseen_matters: bool,
) {
    let mut calls: Vec<&Call> = Vec::new();
    for expr in expressions {
        expr.walk(&mut |inner| {
            if let Expr::Call(call) = inner {
                calls.push(call);
            }
        });
    }
    for found in calls {
        call_function(c, found, variables, unseen_matters);
    }
}

fn call_function(c: &mut Catalog, found: &Call, variables: &Variables, unseen_matters: bool) {
    let of_server = matches!(found.name.schema.as_deref(), None | Some("pg_catalog"));
    match (found.name.name.as_str(), found.args.as_slice()) {
        ("set_config", [name, value, local]) if of_server => {
            let Value::Text(name) = guard::evaluate(c, variables, name) else {
                c.incomplete = true;
                return;
            };
            let local = guard::holds(c, variables, local).unwrap_or(false);
            match guard::evaluate(c, variables, value) {
                Value::Text(value) => session::set_config(c, &name, &value, local),
                _ => session::set_config_unknown(c, &name, local),
            }
        }
        ("setval", [sequence, ..]) if of_server => {
            if let Some(relation) = sequence_named(c, variables, sequence) {
                c.record(Change::SequenceAltered { relation, what: vec!["setval"] });
            }
        }
        (_, args) => call::call(c, &found.name, args, variables, unseen_matters),
    }
}

/// The sequence that an argument of `setval` means: a literal, a `regclass`, or `pg_get_serial_sequence`.
fn sequence_named(c: &mut Catalog, variables: &Variables, expr: &Expr) -> Option<Arc<Relation>> {
    let literal = match expr {
        Expr::Cast { expr, .. } => expr.as_ref(),
        other => other,
    };
    let Value::Text(text) = guard::evaluate(c, variables, literal) else { return None };
    let name = guard::parse_name(&text);
    let id = c.relation_or_unseen(&name, RelationKind::Sequence)?;
    c.relation(id).cloned()
}

/// A query that runs: its data-modifying parts act, then what it calls. Tables that nobody created here are noted.
fn read(c: &mut Catalog, query: &Query, variables: &Variables, unseen_matters: bool) {
    for dml in &query.modifying {
        apply(c, dml);
    }
    let mut names = Vec::new();
    let mut expressions = Vec::new();
    collect(query, &mut Vec::new(), &mut names, &mut expressions);
    for name in names {
        if !is_server_table(c, name) {
            note(c, name);
        }
    }
    act(c, expressions, variables, unseen_matters);
}

/// The relations and expressions of a query, without its data-modifying parts. `ctes` are the names of common table
/// expressions in scope, which are no relations.
fn collect<'q>(query: &'q Query, ctes: &mut Vec<&'q str>, names: &mut Vec<&'q ObjectName>, expressions: &mut Vec<&'q Expr>) {
    let outside = ctes.len();
    ctes.extend(query.ctes.iter().map(|(name, _, _)| name.as_str()));
    for (_, _, inner) in &query.ctes {
        collect(inner, ctes, names, expressions);
    }
    for item in &query.from {
        match item {
            FromItem::Relation { name, .. } => {
                if name.schema.is_some() || !ctes.contains(&name.name.as_str()) {
                    names.push(name);
                }
            }
            FromItem::Subquery { query, .. } => collect(query, ctes, names, expressions),
            FromItem::Function { calls, .. } => expressions.extend(calls),
            FromItem::Other { .. } => {}
        }
    }
    for arm in &query.set_arms {
        collect(arm, ctes, names, expressions);
    }
    let own = query.targets.iter().map(|target| &target.expr).chain(&query.conditions).chain(query.values.iter().flatten());
    expressions.extend(own);
    ctes.truncate(outside);
}

/// The relation, made up where nobody created it. A runner's ledger leaves the history complete.
fn note(c: &mut Catalog, name: &ObjectName) -> Option<Id> {
    let complete = !c.incomplete;
    let id = c.relation_or_unseen(name, RelationKind::Table);
    if complete && is_ledger(&name.name) {
        c.incomplete = false;
    }
    id
}

/// A table of the server itself: `pg_catalog` comes before every schema of the path.
fn is_server_table(c: &Catalog, name: &ObjectName) -> bool {
    match name.schema.as_deref() {
        Some(schema) => super::resolve::is_system_schema(schema),
        None => name.name.starts_with("pg_") && c.resolve_relation(name).is_none(),
    }
}

/// `WHERE true` and `WHERE 1 = 1` bound nothing.
fn always_true(c: &Catalog, dml: &Dml) -> bool {
    dml.condition.as_ref().is_some_and(|condition| {
        let mut reads = false;
        condition.walk(&mut |inner| {
            reads |= matches!(inner, Expr::Column(_) | Expr::Exists(_) | Expr::Scalar(_) | Expr::QueryTest { .. });
        });
        !reads && guard::holds(c, &Variables::new(), condition) == Some(true)
    })
}

/// Tables with a foreign key to this one, itself left out.
impl Catalog {
    /// Other tables with a foreign key to this one.
    /// The relation and the partitioned tables that it is a partition of, directly or not.
    fn with_partitioned_above(&self, relation: Id) -> Vec<Id> {
        let mut all = vec![relation];
        let mut at = 0;
        while let Some(table) = all.get(at).and_then(|id| self.relation(*id)) {
            if table.partition_bound.is_some() {
                all.extend(table.parents.iter().copied());
            }
            at += 1;
        }
        all
    }
    pub(super) fn referencing(&self, referenced: Id) -> Vec<Id> {
        let refers = |relation: &&Arc<Relation>| {
            relation.id != referenced
                && relation.constraints.iter().any(
                    |found| matches!(&found.kind, ConstraintType::ForeignKey { references, .. } if *references == referenced),
                )
        };
        self.relations.values().filter(refers).map(|relation| relation.id).collect()
    }
    /// The sequence that a serial or identity column owns.
    pub(super) fn owned_sequence(&self, table: Id, column: ColumnId) -> Option<&Arc<Relation>> {
        self.relations
            .values()
            .find(|relation| relation.sequence.as_ref().is_some_and(|sequence| sequence.owned_by == Some((table, column))))
    }
}
