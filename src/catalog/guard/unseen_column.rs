//! Columns of the rows that stand for any number of objects: what is sure about all of them.

use super::columns::{modelled, schema_object};
use super::rows::Unseen;
use super::value::{Names, Value};
use crate::catalog::object::Relation;

/// A part of a relation that nobody created here: the relation is known by name, the part is none of those seen.
pub fn part<'c>(relation: &'c Relation, column: &str) -> Value<'c> {
    match column {
        "table_name" | "tablename" | "event_object_table" => Value::text(&relation.name),
        "table_schema" | "schemaname" | "event_object_schema" | "constraint_schema" => Value::text(&relation.schema),
        "attrelid" | "conrelid" | "tgrelid" | "indrelid" | "polrelid" => modelled(relation.id),
        "attname" | "column_name" => Value::Unseen(Names::Columns(relation.id)),
        "indexname" => Value::Unseen(Names::Relations),
        "attisdropped" | "tgisinternal" => Value::Bool(false),
        _ => Value::Unknown,
    }
}

/// An object that nobody created here.
pub fn unseen(unseen: Unseen, column: &str) -> Value<'static> {
    match (unseen, column) {
        (Unseen::Schema, "nspname" | "schema_name") => Value::Unseen(Names::Schemas),
        (
            Unseen::Relation,
            "relname" | "table_name" | "tablename" | "viewname" | "matviewname" | "sequencename" | "sequence_name",
        ) => Value::Unseen(Names::Relations),
        (Unseen::Part, "table_name" | "tablename" | "event_object_table" | "indexname") => Value::Unseen(Names::Relations),
        (Unseen::Part, "attrelid" | "conrelid" | "tgrelid" | "indrelid" | "indexrelid" | "polrelid") => Value::UnseenObject,
        (Unseen::Type, "typname" | "domain_name") => Value::Unseen(Names::Types),
        (Unseen::Label, "enumtypid") => Value::UnseenObject,
        (Unseen::Routine, "proname" | "routine_name") => Value::Unseen(Names::Routines),
        (Unseen::Extension, "extname") => Value::Unseen(Names::Extensions),
        (Unseen::Role, "rolname" | "usename") => Value::Unseen(Names::Roles),
        (_, "attisdropped" | "tgisinternal") => Value::Bool(false),
        (_, "oid") => Value::UnseenObject,
        _ => Value::Unknown,
    }
}

/// The server's own objects of a kind, as one row.
pub fn system(unseen: Unseen, column: &str) -> Value<'static> {
    match (unseen, column) {
        (Unseen::Relation, "relname" | "table_name" | "tablename" | "viewname" | "matviewname" | "sequencename") => {
            Value::Unseen(Names::System)
        }
        (Unseen::Type, "typname") => Value::Unseen(Names::SystemTypes),
        (Unseen::Routine, "proname" | "routine_name") => Value::Unseen(Names::SystemRoutines),
        (_, "relnamespace" | "typnamespace" | "pronamespace") => schema_object("pg_catalog"),
        (_, "schemaname" | "table_schema" | "sequence_schema" | "routine_schema" | "specific_schema") => {
            Value::text("pg_catalog")
        }
        (_, "oid") => Value::UnseenObject,
        _ => Value::Unknown,
    }
}
