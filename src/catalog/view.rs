//! Views, materialized views and CREATE TABLE AS.

use super::Catalog;
use super::change::{Change, Nothing};
use super::object::*;
use super::query::{Analysis, OutputColumn, analyze};
use super::resolve::{new_relation, push_column};
use crate::op::{CreateTableAs, CreateView, ObjectKind, ObjectName, Persistence, Query};
use std::sync::Arc;

/// CREATE [OR REPLACE] [TEMP] [RECURSIVE] VIEW.
pub(super) fn create(c: &mut Catalog, create: &CreateView) {
    let analysis = output(c, &create.query, &create.columns);
    let schema = place(c, &create.name, create.persistence);
    let name = ObjectName::qualified(schema.clone(), create.name.name.clone());
    let existing = c.resolve_relation(&name).and_then(|id| c.relation(id).cloned());
    let mut options = create.options.clone();
    if create.check_option && !options.iter().any(|(name, _)| name == "check_option") {
        options.push(("check_option".into(), Some("cascaded".into())));
    }
    let definition = definition(&create.query, &analysis, true);
    if create.or_replace
        && let Some(before) = existing
    {
        return replace(c, &before, analysis, definition, options);
    }
    let kind = RelationKind::View;
    let mut view = start(c, &schema, &create.name.name, kind, create.persistence, &analysis);
    view.options = options;
    view.view = Some(definition);
    enter(c, view);
}

/// CREATE OR REPLACE of an existing view: the columns it had keep their place, name and type; new ones follow them.
fn replace(
    c: &mut Catalog,
    before: &Arc<Relation>,
    analysis: Analysis,
    definition: ViewDefinition,
    options: Vec<(String, Option<String>)>,
) {
    let birth = c.birth();
    let mut added = Vec::new();
    if let Some(view) = c.relation_mut(before.id) {
        for column in &analysis.columns {
            match view.columns.iter_mut().find(|known| known.name == column.name) {
                Some(known) => {
                    // Of a view that nobody created the columns are learnt now.
                    if known.data_type.is_unknown() {
                        known.data_type = column.data_type.clone();
                    }
                }
                None => {
                    // In a made-up view it may have been there all along.
                    let birth = if before.known { birth } else { Birth::UNSEEN };
                    push_output(view, column, birth);
                    added.extend(view.columns.last().filter(|_| before.known).cloned());
                }
            }
        }
        if !before.known && analysis.complete {
            let order = |column: &Column| analysis.columns.iter().position(|output| output.name == column.name);
            view.columns.sort_by_key(|column| order(column).unwrap_or(usize::MAX));
            view.known = true;
        }
        view.options = options;
        view.view = Some(definition);
    }
    c.record(Change::ViewReplaced { relation: before.clone() });
    for column in added {
        c.record(Change::ColumnAdded { relation: before.clone(), column });
    }
}

/// CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW.
pub(super) fn create_table_as(c: &mut Catalog, create: &CreateTableAs) {
    let kind = if create.materialized { RelationKind::MaterializedView } else { RelationKind::Table };
    let schema = place(c, &create.name, create.persistence);
    if create.if_not_exists && c.relation_name_taken(&schema, &create.name.name) {
        let kind = if create.materialized { ObjectKind::MaterializedView } else { ObjectKind::Table };
        let name = super::name::qualified(&schema, &create.name.name);
        return c.record(Change::NothingDone { why: Nothing::Exists { kind, name } });
    }
    let mut analysis = output(c, &create.query, &create.columns);
    // CREATE TABLE AS EXECUTE: the prepared statement's columns are not known.
    let query = &create.query;
    if query.targets.is_empty() && query.set_arms.is_empty() && query.values.is_none() {
        analysis.complete = false;
    }
    let mut relation = start(c, &schema, &create.name.name, kind, create.persistence, &analysis);
    if create.materialized {
        relation.view = Some(definition(query, &analysis, create.with_data));
    }
    enter(c, relation);
}

/// REFRESH MATERIALIZED VIEW.
pub(super) fn refresh(c: &mut Catalog, name: &ObjectName, concurrently: bool, with_data: bool) {
    let Some(id) = c.relation_or_unseen(name, RelationKind::MaterializedView) else { return };
    let Some(before) = c.relation(id).cloned() else { return };
    if let Some(view) = c.relation_mut(id).and_then(|relation| relation.view.as_mut()) {
        view.populated = with_data;
    }
    c.record(Change::MatviewRefreshed { relation: before, concurrently });
}

/// The query's columns under the names that the statement gives.
fn output(c: &mut Catalog, query: &Query, names: &[String]) -> Analysis {
    let mut analysis = analyze(c, query);
    for (column, name) in analysis.columns.iter_mut().zip(names) {
        column.name.clone_from(name);
    }
    analysis
}

fn definition(query: &Query, analysis: &Analysis, populated: bool) -> ViewDefinition {
    ViewDefinition { query: Some(Arc::new(query.clone())), references: analysis.references.clone(), populated }
}

fn place(c: &Catalog, name: &ObjectName, persistence: Persistence) -> String {
    match persistence {
        Persistence::Temporary => "pg_temp".into(),
        Persistence::Permanent | Persistence::Unlogged => c.creation_schema(name),
    }
}

fn start(
    c: &mut Catalog,
    schema: &str,
    name: &str,
    kind: RelationKind,
    persistence: Persistence,
    analysis: &Analysis,
) -> Relation {
    let birth = c.birth();
    let mut relation = new_relation(c.new_id(), schema, name, kind, birth);
    relation.persistence = persistence;
    relation.known = analysis.complete;
    relation.owner = c.current_role();
    relation.grants = super::default_privilege::initial_on_relation(c, kind, schema);
    for column in &analysis.columns {
        push_output(&mut relation, column, birth);
    }
    relation
}

fn push_output(relation: &mut Relation, column: &OutputColumn, birth: Birth) {
    push_column(relation, &column.name, column.data_type.clone(), birth);
    if let Some(pushed) = relation.columns.last_mut() {
        pushed.collation.clone_from(&column.collation);
    }
}

/// Enters a new relation. One that still stands under that name was taken away unseen, else the statement would have failed.
fn enter(c: &mut Catalog, relation: Relation) {
    if relation.schema != "pg_temp" {
        c.schema_or_unseen(&relation.schema);
    }
    let name = ObjectName::qualified(relation.schema.clone(), relation.name.clone());
    if let Some(stale) = c.resolve_relation(&name) {
        c.incomplete = true;
        c.remove_relation(stale);
    }
    let id = c.insert_relation(relation);
    c.record(Change::RelationCreated { relation: id });
}
