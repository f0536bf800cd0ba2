//! Publications.

use super::Catalog;
use super::change::Change;
use super::object::{Birth, Id, Publication, PublishedPart, RelationKind};
use crate::op::{ObjectName, PublicationChange, PublicationFilter};
use std::sync::Arc;

/// CREATE PUBLICATION.
pub(super) fn create(
    c: &mut Catalog,
    name: &str,
    all_tables: bool,
    tables: &[ObjectName],
    schemas: &[String],
    filters: &[PublicationFilter],
    options: &[(String, Option<String>)],
) {
    let publication = Publication {
        name: name.to_string(),
        birth: c.birth(),
        all_tables,
        tables: relations(c, tables),
        schemas: schemas.to_vec(),
        filters: parts(c, filters),
        publishes: published(options).unwrap_or_else(everything),
    };
    let publication = Arc::new(publication);
    c.publications.insert(name.to_string(), publication.clone());
    c.record(Change::PublicationCreated { publication });
}

/// ALTER PUBLICATION: `Change::PublicationAltered` carries the publication as it was.
pub(super) fn alter(c: &mut Catalog, name: &str, change: &PublicationChange) {
    let before = publication_or_unseen(c, name);
    let mut after = Publication::clone(&before);
    match change {
        PublicationChange::Add { tables, schemas: more, filters } => {
            after.filters.extend(parts(c, filters));
            for id in relations(c, tables) {
                if !after.tables.contains(&id) {
                    after.tables.push(id);
                }
            }
            for schema in more {
                if !after.schemas.contains(schema) {
                    after.schemas.push(schema.clone());
                }
            }
        }
        PublicationChange::Drop { tables, schemas } => {
            let gone = relations(c, tables);
            // What a made-up publication held is known only from what leaves it.
            for id in &gone {
                if before.birth == Birth::UNSEEN && !before.tables.contains(id) {
                    return c.record(Change::PublicationAltered { publication: before, removed: gone, added: Vec::new() });
                }
            }
            after.tables.retain(|id| !gone.contains(id));
            after.filters.retain(|part| !gone.contains(&part.table));
            after.schemas.retain(|schema| !schemas.contains(schema));
        }
        PublicationChange::Set { tables, schemas, filters } => {
            after.filters = parts(c, filters);
            after.tables = relations(c, tables);
            after.schemas = schemas.clone();
        }
        PublicationChange::Options(options) => {
            if let Some(publishes) = published(options) {
                after.publishes = publishes;
            }
        }
    }
    let without = |of: &[Id], other: &[Id]| of.iter().filter(|id| !other.contains(id)).copied().collect();
    let removed = without(&before.tables, &after.tables);
    let added = without(&after.tables, &before.tables);
    c.publications.insert(name.to_string(), Arc::new(after));
    c.record(Change::PublicationAltered { publication: before, removed, added });
}

fn publication_or_unseen(c: &mut Catalog, name: &str) -> Arc<Publication> {
    if let Some(found) = c.publications.get(name) {
        return found.clone();
    }
    c.incomplete = true;
    let publication = Publication {
        name: name.to_string(),
        birth: Birth::UNSEEN,
        all_tables: false,
        tables: Vec::new(),
        schemas: Vec::new(),
        filters: Vec::new(),
        publishes: everything(),
    };
    let publication = Arc::new(publication);
    c.publications.insert(name.to_string(), publication.clone());
    publication
}

fn relations(c: &mut Catalog, names: &[ObjectName]) -> Vec<Id> {
    names.iter().filter_map(|name| c.relation_or_unseen(name, RelationKind::Table)).collect()
}

fn parts(c: &Catalog, filters: &[PublicationFilter]) -> Vec<PublishedPart> {
    let part = |filter: &PublicationFilter| {
        let table = c.resolve_relation(&filter.relation)?;
        Some(PublishedPart { table, columns: filter.columns.clone(), condition: filter.condition.clone() })
    };
    filters.iter().filter_map(part).collect()
}

fn everything() -> Vec<String> {
    ["insert", "update", "delete", "truncate"].map(str::to_string).to_vec()
}

/// The `publish` option, where it is given.
fn published(options: &[(String, Option<String>)]) -> Option<Vec<String>> {
    let (_, value) = options.iter().find(|(name, _)| name == "publish")?;
    let list = value.as_deref().unwrap_or_default();
    Some(list.split(',').map(|part| part.trim().to_ascii_lowercase()).filter(|part| !part.is_empty()).collect())
}

pub(super) fn drop(c: &mut Catalog, name: &str, if_exists: bool) {
    let quoted = crate::sql::names::quote_identifier(name);
    match c.publications.remove(name) {
        Some(publication) => c.record(Change::PublicationDropped { publication }),
        None if if_exists => c.nothing_missing(crate::op::ObjectKind::Publication, quoted),
        None => {
            c.incomplete = true;
            let publication = Publication {
                name: name.to_string(),
                birth: Birth::UNSEEN,
                all_tables: false,
                tables: Vec::new(),
                schemas: Vec::new(),
                filters: Vec::new(),
                publishes: Vec::new(),
            };
            c.record(Change::PublicationDropped { publication: publication.into() });
        }
    }
}
