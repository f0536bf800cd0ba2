//! Objects without a model of their own: operators, casts, collations, languages, servers, event triggers …
//!
//! They are kept by kind and [`label`], which is also how reports name them.

use super::Catalog;
use super::change::Change;
use super::object::{Birth, OtherObject};
use crate::op::{ObjectKind, ObjectName, ObjectRef, TypeRef};
use crate::sql::names::quote_identifier;
use std::sync::Arc;

/// CREATE OPERATOR, CAST, COLLATION …
pub(super) fn create(c: &mut Catalog, object: &ObjectRef, or_replace: bool, if_not_exists: bool) {
    let name = label(c, object);
    if find(c, object.kind, &name).is_some() {
        if if_not_exists {
            return c.nothing_exists(object.kind, name);
        }
        if or_replace {
            return c.record(Change::OtherAltered { kind: object.kind, name });
        }
    }
    enter(c, object.kind, name);
}

/// An object known by a lone name: an event trigger.
pub(super) fn create_named(c: &mut Catalog, kind: ObjectKind, name: &str) {
    enter(c, kind, quote_identifier(name));
}

fn enter(c: &mut Catalog, kind: ObjectKind, name: String) {
    let birth = c.birth();
    c.others.push_back(Arc::new(OtherObject { kind, name: name.clone(), birth }));
    c.record(Change::OtherCreated { kind, name });
}

/// Their ALTER forms other than rename, owner and schema.
pub(super) fn alter(c: &mut Catalog, object: &ObjectRef) {
    let name = label(c, object);
    c.record(Change::OtherAltered { kind: object.kind, name });
}

pub(super) fn alter_named(c: &mut Catalog, kind: ObjectKind, name: &str) {
    c.record(Change::OtherAltered { kind, name: quote_identifier(name) });
}

/// RENAME or SET SCHEMA: `to` is the new label.
pub(super) fn relabel(c: &mut Catalog, kind: ObjectKind, name: &str, to: String) {
    let birth = match find(c, kind, name) {
        Some(at) => {
            let birth = c.others.get(at).map_or(Birth::UNSEEN, |found| found.birth);
            c.others.set(at, Arc::new(OtherObject { kind, name: to.clone(), birth }));
            birth
        }
        None => {
            c.others.push_back(Arc::new(OtherObject { kind, name: to.clone(), birth: Birth::UNSEEN }));
            Birth::UNSEEN
        }
    };
    c.record(Change::OtherRenamed { kind, name: name.to_string(), birth, to });
}

/// DROP. One that no visible statement created is older.
pub(super) fn drop(c: &mut Catalog, object: &ObjectRef) {
    let name = label(c, object);
    let birth = match find(c, object.kind, &name) {
        Some(at) => c.others.remove(at).birth,
        None => {
            c.incomplete = true;
            Birth::UNSEEN
        }
    };
    c.record(Change::OtherDropped { kind: object.kind, name, birth });
}

/// Whether a visible statement created it, for IF EXISTS.
pub(super) fn exists(c: &Catalog, object: &ObjectRef) -> bool {
    find(c, object.kind, &label(c, object)).is_some()
}

fn find(c: &Catalog, kind: ObjectKind, name: &str) -> Option<usize> {
    c.others.iter().position(|other| other.kind == kind && other.name == name)
}

/// The object as reports name it: `public.===(integer, text)`, `cast (text as app.mood)`, `public.german`.
pub(super) fn label(c: &Catalog, object: &ObjectRef) -> String {
    if let Some((from, to)) = &object.cast {
        return format!("cast ({} as {})", type_label(c, from), type_label(c, to));
    }
    let mut text = if has_schema(object.kind) {
        let schema = c.creation_schema(&object.name);
        // Operator names are no identifiers and are never quoted.
        match object.kind {
            ObjectKind::Operator => format!("{}.{}", quote_identifier(&schema), object.name.name),
            _ => super::name::qualified(&schema, &object.name.name),
        }
    } else {
        quote_identifier(&object.name.name)
    };
    if let Some(args) = &object.args {
        let list: Vec<String> = args.iter().map(|arg| type_label(c, arg)).collect();
        text.push_str(&format!("({})", list.join(", ")));
    }
    if let Some(sub) = &object.sub {
        text.push_str(&format!(" {}", quote_identifier(sub)));
    }
    text
}

/// The same object in another schema or under another name.
pub(super) fn label_as(c: &Catalog, object: &ObjectRef, name: ObjectName) -> String {
    label(c, &ObjectRef { name, ..object.clone() })
}

fn type_label(c: &Catalog, type_ref: &TypeRef) -> String {
    c.format_type_alone(&c.data_type(type_ref)).unwrap_or_else(|| match &type_ref.name.schema {
        Some(schema) => super::name::qualified(schema, &type_ref.name.name),
        None => quote_identifier(&type_ref.name.name),
    })
}

/// Kinds whose objects live in a schema.
fn has_schema(kind: ObjectKind) -> bool {
    match kind {
        ObjectKind::Operator
        | ObjectKind::OperatorClass
        | ObjectKind::OperatorFamily
        | ObjectKind::Collation
        | ObjectKind::Conversion
        | ObjectKind::Statistics
        | ObjectKind::TextSearch
        | ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Index
        | ObjectKind::Sequence
        | ObjectKind::Type
        | ObjectKind::Domain
        | ObjectKind::Function
        | ObjectKind::Procedure
        | ObjectKind::Routine
        | ObjectKind::Aggregate
        | ObjectKind::Trigger
        | ObjectKind::Rule
        | ObjectKind::Policy
        | ObjectKind::Column
        | ObjectKind::Attribute
        | ObjectKind::TableConstraint
        | ObjectKind::DomainConstraint => true,
        ObjectKind::Schema
        | ObjectKind::Extension
        | ObjectKind::Cast
        | ObjectKind::Language
        | ObjectKind::EventTrigger
        | ObjectKind::Role
        | ObjectKind::Database
        | ObjectKind::Tablespace
        | ObjectKind::Publication
        | ObjectKind::Subscription
        | ObjectKind::ForeignServer
        | ObjectKind::ForeignDataWrapper
        | ObjectKind::UserMapping
        | ObjectKind::AccessMethod
        | ObjectKind::Transform
        | ObjectKind::LargeObject
        | ObjectKind::Parameter => false,
    }
}
