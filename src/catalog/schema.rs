//! Schemas (namespaces).

use super::Catalog;
use super::change::Change;
use super::object::SchemaObject;
use crate::op::{ObjectKind, Op};
use std::sync::Arc;

/// CREATE SCHEMA with its elements. Without a name it is named for its owner (CREATE SCHEMA AUTHORIZATION).
pub(super) fn create(c: &mut Catalog, name: &str, if_not_exists: bool, owner: Option<&str>, elements: &[Op]) {
    let name = if name.is_empty() { owner.unwrap_or_default() } else { name };
    if name.is_empty() {
        return;
    }
    if if_not_exists && c.schemas.contains_key(name) {
        return c.nothing_exists(ObjectKind::Schema, crate::sql::names::quote_identifier(name));
    }
    let owner = owner.map(str::to_string).or_else(|| c.current_role());
    let grants = super::default_privilege::initial(c, ObjectKind::Schema, name);
    let schema = SchemaObject { name: name.to_string(), birth: c.birth(), known: true, owner, grants };
    let schema = Arc::new(schema);
    c.schemas.insert(name.to_string(), schema.clone());
    c.record(Change::SchemaCreated { schema });
    if !elements.is_empty() {
        with_elements(c, name, elements);
    }
}

/// Applies the elements with the new schema first on the path, in the order of `transformCreateSchemaStmtElements`.
fn with_elements(c: &mut Catalog, name: &str, elements: &[Op]) {
    let before = c.settings.get("search_path").cloned();
    let quoted = |name: &String| format!("\"{name}\"");
    let rest = before.clone().unwrap_or_else(|| c.search_path().iter().map(quoted).collect::<Vec<_>>().join(", "));
    c.settings.insert("search_path".into(), format!("\"{name}\", {rest}"));
    let mut ordered: Vec<&Op> = elements.iter().collect();
    ordered.sort_by_key(|op| match op {
        Op::CreateSequence { .. } => 0,
        Op::CreateTable(_) => 1,
        Op::CreateView(_) => 2,
        Op::CreateIndex(_) => 3,
        Op::CreateTrigger(_) => 4,
        Op::Grant(_) => 5,
        // The grammar knows no other element.
        _ => 6,
    });
    for op in ordered {
        c.apply(op);
    }
    match before {
        Some(path) => c.settings.insert("search_path".into(), path),
        None => c.settings.remove("search_path"),
    };
}
