//! CREATE TYPE: enums, composites, ranges and base types.
//!
//! A composite's attributes live in a relation of kind Composite under the type's own name, as in `pg_class`.

use super::Catalog;
use super::change::Change;
use super::name::clip;
use super::object::{Birth, Id, RelationKind, TypeKind, TypeObject};
use super::resolve::{is_system_schema, new_relation, push_column};
use super::types::is_builtin;
use crate::op::{ColumnDef, ObjectName, TypeDefinition};
use std::sync::Arc;

/// CREATE TYPE.
pub(super) fn create(c: &mut Catalog, name: &ObjectName, definition: &TypeDefinition) {
    let schema = c.creation_schema(name);
    let kind = match definition {
        TypeDefinition::Enum(labels) => {
            let birth = c.birth();
            TypeKind::Enum { labels: labels.iter().map(|label| (label.clone(), birth)).collect() }
        }
        TypeDefinition::Composite(columns) => TypeKind::Composite { relation: create_composite(c, &schema, &name.name, columns) },
        TypeDefinition::Range { subtype, multirange } => TypeKind::Range {
            subtype: subtype.as_ref().map(|subtype| c.data_type(subtype)),
            multirange: multirange.as_ref().map_or_else(|| multirange_name(&name.name), |name| name.name.clone()),
        },
        TypeDefinition::Base => {
            // CREATE TYPE t; makes a shell, CREATE TYPE t (INPUT = …) then fills it: one type.
            let shell = c.type_named(&schema, &name.name);
            if shell.is_some_and(|object| object.known && object.kind == TypeKind::Base) {
                return;
            }
            TypeKind::Base
        }
    };
    enter(c, &schema, &name.name, kind);
}

/// Enters a new type and records it. A type of that name that was only made up becomes this one, so that what refers to it
/// keeps its type.
pub(super) fn enter(c: &mut Catalog, schema: &str, name: &str, kind: TypeKind) {
    c.schema_or_unseen(schema);
    let id = match c.type_named(schema, name).map(|object| object.id) {
        Some(id) => {
            c.remove_type(id);
            id
        }
        None => c.new_id(),
    };
    let object = TypeObject {
        id,
        schema: schema.to_string(),
        name: name.to_string(),
        kind,
        birth: c.birth(),
        known: true,
        owner: c.current_role(),
        grants: super::default_privilege::initial(c, crate::op::ObjectKind::Type, schema),
        extension: None,
    };
    c.insert_type(object);
    c.record(Change::TypeCreated { object: id });
}

/// The type, or one made up for a name that no visible statement created: it is older. Types of the server give `None`.
pub(super) fn resolve_or_unseen(c: &mut Catalog, name: &ObjectName, kind: impl FnOnce() -> TypeKind) -> Option<Id> {
    if let Some(id) = c.resolve_type(name) {
        return Some(id);
    }
    let schema = c.creation_schema(name);
    if is_system_schema(&schema) || (name.schema.is_none() && is_builtin(&name.name)) {
        return None;
    }
    Some(make_up(c, schema, &name.name, kind()))
}

/// A type made up for a name that no visible statement created.
fn make_up(c: &mut Catalog, schema: String, name: &str, kind: TypeKind) -> Id {
    c.incomplete = true;
    let object = TypeObject {
        id: c.new_id(),
        schema,
        name: name.to_string(),
        kind,
        birth: Birth::UNSEEN,
        known: false,
        owner: None,
        grants: Vec::new(),
        extension: None,
    };
    c.insert_type(object)
}

fn create_composite(c: &mut Catalog, schema: &str, name: &str, columns: &[ColumnDef]) -> Id {
    let id = c.new_id();
    let birth = c.birth();
    let mut relation = new_relation(id, schema, name, RelationKind::Composite, birth);
    relation.owner = c.current_role();
    for column in columns {
        let data_type = column.type_ref.as_ref().map_or(super::types::DataType::UNKNOWN, |type_ref| c.data_type(type_ref));
        push_column(&mut relation, &column.name, data_type, birth);
        if let (Some(added), Some(collation)) = (relation.columns.last_mut(), &column.collation) {
            added.collation = Some(collation.name.clone());
        }
    }
    c.insert_relation(relation)
}

/// `makeMultirangeTypeName` of `typecmds.c`: the first `range` becomes `multirange`, else `_multirange` is appended.
fn multirange_name(range: &str) -> String {
    let name = match range.find("range") {
        Some(at) => format!("{}multi{}", &range[..at], &range[at..]),
        None => format!("{}_multirange", clip(range, super::name::MAX_BYTES - "_multirange".len())),
    };
    clip(&name, super::name::MAX_BYTES).to_string()
}

impl Catalog {
    /// The type object under a schema-qualified name, known or made up.
    pub(super) fn type_named(&self, schema: &str, name: &str) -> Option<&Arc<TypeObject>> {
        self.types.get(&self.resolve_type(&ObjectName::qualified(schema, name))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multirange_is_named_after_its_range_as_the_server_does() {
        assert_eq!(multirange_name("floatrange"), "floatmultirange");
        assert_eq!(multirange_name("rangerange"), "multirangerange");
        assert_eq!(multirange_name("period"), "period_multirange");
        // Checked on PostgreSQL 15: 63 letters give 52 of them and the suffix.
        assert_eq!(multirange_name(&"a".repeat(63)), format!("{}_multirange", "a".repeat(52)));
    }
}
