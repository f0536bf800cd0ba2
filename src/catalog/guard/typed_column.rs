//! Columns of the rows that are about types: attributes and the types themselves.

use super::columns::{modelled, schema_object};
use super::value::{Object, Value};
use crate::catalog::Catalog;
use crate::catalog::object::{Column, Id, Relation, TypeKind, TypeObject};
use crate::catalog::types::{BaseType, DataType};
use crate::op::{GeneratedKind, IdentityKind};
use std::borrow::Cow;

/// A row of `pg_attribute` or `information_schema.columns`.
pub fn attribute<'c>(c: &'c Catalog, relation: &'c Relation, found: &'c Column, column: &str) -> Value<'c> {
    let yes_or_no = |yes: bool| Value::text(if yes { "YES" } else { "NO" });
    match column {
        "attname" | "column_name" => return Value::text(&found.name),
        "table_name" => return Value::text(&relation.name),
        "table_schema" => return Value::text(&relation.schema),
        "attrelid" => return modelled(relation.id),
        "attisdropped" => return Value::Bool(false),
        "attnum" | "ordinal_position" => return if relation.known { Value::Int(found.id.0.into()) } else { Value::Unknown },
        _ if !relation.known && found.data_type.is_unknown() => return Value::Unknown,
        _ => {}
    }
    let base = c.base_type(&found.data_type);
    match column {
        "attnotnull" => Value::Bool(found.not_null),
        "is_nullable" => {
            let refused = found.not_null || domain_refuses_null(c, &found.data_type);
            yes_or_no(!refused)
        }
        "atthasdef" => Value::Bool(found.default.is_some() || found.generated.is_some()),
        "column_default" => {
            if found.default.is_some() {
                Value::Present
            } else {
                Value::Null
            }
        }
        "is_identity" => yes_or_no(found.identity.is_some()),
        "identity_generation" => Value::optional(found.identity.map(|kind| match kind {
            IdentityKind::Always => "ALWAYS",
            IdentityKind::ByDefault => "BY DEFAULT",
        })),
        "attidentity" => Value::text(match found.identity {
            Some(IdentityKind::Always) => "a",
            Some(IdentityKind::ByDefault) => "d",
            None => "",
        }),
        "is_generated" => Value::text(if found.generated.is_some() { "ALWAYS" } else { "NEVER" }),
        "generation_expression" => {
            if found.generated.is_some() {
                Value::Present
            } else {
                Value::Null
            }
        }
        "attgenerated" => Value::text(match &found.generated {
            Some((GeneratedKind::Stored, _)) => "s",
            Some((GeneratedKind::Virtual, _)) => "v",
            None => "",
        }),
        "attislocal" => Value::Bool(found.is_local),
        "attinhcount" => Value::Int(found.inherited.into()),
        "atttypid" => type_oid(&found.data_type),
        "data_type" => data_type_name(c, &base),
        "udt_name" => match &base.base {
            BaseType::Builtin(name) if base.array => Value::owned(format!("_{name}")),
            BaseType::Builtin(name) => Value::owned(name.to_string()),
            BaseType::User(id) => match c.types.get(id) {
                Some(object) if base.array => Value::owned(format!("_{}", object.name)),
                Some(object) => Value::text(&object.name),
                None => Value::Present,
            },
            BaseType::Row(_) | BaseType::Unknown => Value::Present,
        },
        "domain_name" => match c.types.get(&user_type(&found.data_type)) {
            Some(object) if matches!(object.kind, TypeKind::Domain { .. }) => Value::text(&object.name),
            _ if found.data_type.is_unknown() => Value::Unknown,
            _ => Value::Null,
        },
        "character_maximum_length" => match base.builtin_name() {
            Some("varchar" | "bpchar" | "bit" | "varbit") => base.typmods.first().map_or(Value::Null, |n| Value::Int(*n)),
            _ if base.is_unknown() => Value::Unknown,
            _ => Value::Null,
        },
        "numeric_precision" | "numeric_scale" => numeric_column(&base, column == "numeric_scale"),
        _ => Value::Unknown,
    }
}

fn user_type(data_type: &DataType) -> Id {
    match data_type.base {
        BaseType::User(id) if !data_type.array => id,
        _ => Id(0),
    }
}

fn domain_refuses_null(c: &Catalog, data_type: &DataType) -> bool {
    let object = c.types.get(&user_type(data_type)).map(|object| &object.kind);
    matches!(object, Some(TypeKind::Domain { not_null: true, .. }))
}

/// The OID of a type; of an array there is one, but the model has none.
fn type_oid(data_type: &DataType) -> Value<'_> {
    match &data_type.base {
        _ if data_type.array => Value::Present,
        BaseType::Builtin(name) => Value::Object(Object::BuiltinType(Cow::Borrowed(name))),
        BaseType::User(id) => modelled(*id),
        BaseType::Row(_) | BaseType::Unknown => Value::Present,
    }
}

fn data_type_name<'c>(c: &Catalog, base: &DataType) -> Value<'c> {
    match &base.base {
        BaseType::Unknown => Value::Present,
        _ if base.array => Value::text("ARRAY"),
        BaseType::User(_) | BaseType::Row(_) => Value::text("USER-DEFINED"),
        BaseType::Builtin(name) if &**name == "bpchar" => Value::text("character"),
        BaseType::Builtin(_) => c.format_type(&base.without_typmods()).map_or(Value::Present, Value::owned),
    }
}

fn numeric_column(base: &DataType, scale: bool) -> Value<'static> {
    let fixed = |precision: i64, own_scale: Option<i64>| match (scale, own_scale) {
        (false, _) => Value::Int(precision),
        (true, Some(own_scale)) => Value::Int(own_scale),
        (true, None) => Value::Null,
    };
    match base.builtin_name() {
        Some("int2") => fixed(16, Some(0)),
        Some("int4") => fixed(32, Some(0)),
        Some("int8") => fixed(64, Some(0)),
        Some("float4") => fixed(24, None),
        Some("float8") => fixed(53, None),
        Some("numeric") => base.typmods.get(usize::from(scale)).map_or(Value::Null, |n| Value::Int(*n)),
        _ if base.is_unknown() => Value::Unknown,
        _ => Value::Null,
    }
}

/// A row of `pg_type` or `information_schema.domains`.
pub fn data_type<'c>(c: &'c Catalog, object: &'c TypeObject, column: &str) -> Value<'c> {
    match column {
        "typname" | "domain_name" => Value::text(&object.name),
        "typnamespace" => schema_object(&object.schema),
        "domain_schema" => Value::text(&object.schema),
        "oid" => modelled(object.id),
        "typtype" => match &object.kind {
            TypeKind::Enum { .. } => Value::text("e"),
            TypeKind::Domain { .. } => Value::text("d"),
            TypeKind::Composite { .. } => Value::text("c"),
            TypeKind::Range { .. } => Value::text("r"),
            TypeKind::Base => Value::text("b"),
            TypeKind::Unknown => Value::Unknown,
        },
        "typrelid" => match &object.kind {
            TypeKind::Composite { relation } => modelled(*relation),
            TypeKind::Unknown => Value::Unknown,
            TypeKind::Enum { .. } | TypeKind::Domain { .. } | TypeKind::Range { .. } | TypeKind::Base => Value::Int(0),
        },
        "typnotnull" if object.known => Value::Bool(matches!(object.kind, TypeKind::Domain { not_null: true, .. })),
        "data_type" => match &object.kind {
            TypeKind::Domain { base, .. } => data_type_name(c, &c.base_type(base)),
            _ => Value::Unknown,
        },
        _ => Value::Unknown,
    }
}
