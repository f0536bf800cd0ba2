//! Functions of the server that guards call, and the texts of objects.

use super::comparison::parse_name;
use super::expression::{Scope, known_or_null};
use super::value::{Object, Truth, Value};
use crate::catalog::Catalog;
use crate::catalog::name::qualified;
use crate::catalog::object::Id;
use crate::expr::{Call, Expr};
use crate::op::ObjectName;
use crate::sql::names::quote_identifier;
use std::borrow::Cow;

/// Servers that this crate knows, as `server_version_num` counts: 15.0 to before 19.
const SERVER_VERSIONS: Value<'static> = Value::Between(150_000, Some(189_999));

/// A call, evaluated. Functions of users are not: what they return is unknown.
pub fn call<'s>(scope: &'s Scope<'_>, call: &'s Call) -> Value<'s> {
    if !matches!(call.name.schema.as_deref(), None | Some("pg_catalog")) || call.window {
        return Value::Unknown;
    }
    let c = scope.catalog;
    let name = call.name.name.as_str();
    if name == "count" {
        return count(scope, call);
    }
    let args: Vec<Value<'s>> = call.args.iter().map(|arg| scope.evaluate(arg)).collect();
    match (name, args.as_slice()) {
        ("current_schema", []) => current_schema(c),
        ("current_schemas", [implicit]) => {
            let first = (implicit.truth() == Truth::True).then(|| "pg_catalog".to_string());
            let path = c.search_path().into_iter().filter(|schema| c.schemas.contains_key(schema));
            Value::List(first.into_iter().chain(path).map(Value::owned).collect())
        }
        ("current_database", []) => Value::Object(Object::Database),
        ("current_user" | "session_user" | "user", []) => current_user(c),
        ("current_setting", [Value::Text(setting), ..]) => match setting.to_lowercase().as_str() {
            "server_version_num" => SERVER_VERSIONS,
            setting => c.settings.get(setting).map_or(Value::Unknown, |value| Value::text(value)),
        },
        ("pg_is_in_recovery", []) => Value::Bool(false),
        ("to_regclass", [Value::Text(text)]) => {
            let name = parse_name(text);
            match c.resolve_relation_or_index(&name) {
                Some(id) => Value::Object(Object::Modelled(id)),
                None => absent(c, &name),
            }
        }
        ("to_regtype", [Value::Text(text)]) => {
            let name = parse_name(text);
            match scope.type_named(&name) {
                Value::UnseenObject => absent(c, &name),
                found => found,
            }
        }
        ("to_regnamespace", [Value::Text(text)]) => {
            let name = parse_name(text).name;
            if c.schemas.contains_key(&name) || name == "pg_catalog" || name == "information_schema" {
                Value::Object(Object::Schema(Cow::Owned(name)))
            } else {
                absent(c, &ObjectName::bare(name))
            }
        }
        ("to_regproc" | "to_regprocedure", [Value::Text(text)]) => match routine_named(c, text) {
            Value::UnseenObject => absent(c, &parse_name(before_parenthesis(text))),
            found => found,
        },
        ("to_regclass" | "to_regtype" | "to_regnamespace" | "to_regproc" | "to_regprocedure", [Value::Null]) => Value::Null,
        ("pg_table_is_visible" | "pg_type_is_visible" | "pg_function_is_visible", [Value::Object(Object::Modelled(id))]) => {
            is_visible(c, *id).value()
        }
        ("lower", [Value::Text(text)]) => Value::owned(text.to_lowercase()),
        ("upper", [Value::Text(text)]) => Value::owned(text.to_uppercase()),
        ("quote_ident", [Value::Text(text)]) => Value::owned(quote_identifier(text)),
        ("concat", values) if values.iter().all(|value| matches!(value, Value::Text(_) | Value::Null)) => {
            Value::owned(values.iter().map(|value| if let Value::Text(text) = value { text.as_ref() } else { "" }).collect())
        }
        ("length" | "char_length", [Value::Text(text)]) => length(text.chars().count()),
        // The length of an empty array is null.
        ("array_length", [Value::List(list), Value::Int(1)]) => {
            if list.is_empty() {
                Value::Null
            } else {
                length(list.len())
            }
        }
        ("cardinality", [Value::List(list)]) => length(list.len()),
        ("enum_range", [_]) => call.args.first().and_then(|arg| enum_range(scope, arg)).unwrap_or(Value::Unknown),
        ("format_type" | "pg_get_constraintdef" | "pg_get_indexdef" | "pg_get_viewdef" | "pg_get_functiondef", [first, ..]) => {
            known_or_null(first)
        }
        ("pg_get_serial_sequence", [Value::Text(table), Value::Text(column)]) => serial_sequence(c, table, column),
        _ => Value::Unknown,
    }
}

/// CURRENT_SCHEMA, CURRENT_USER and their kin.
pub fn sql_value<'c>(c: &'c Catalog, name: &str) -> Value<'c> {
    match name {
        "current_schema" => current_schema(c),
        "current_catalog" => Value::Object(Object::Database),
        "current_user" | "current_role" | "session_user" | "user" => current_user(c),
        _ => Value::Present,
    }
}

/// An object as its `reg…` type writes it: qualified unless the search path finds it.
pub fn object_text<'c>(c: &'c Catalog, object: &Object<'c>) -> Value<'c> {
    match object {
        Object::Modelled(id) => {
            let named = c.relations.get(id).map(|relation| (&relation.schema, &relation.name));
            let named = named.or_else(|| c.indexes.get(id).map(|index| (&index.schema, &index.name)));
            let named = named.or_else(|| c.types.get(id).map(|object| (&object.schema, &object.name)));
            match named {
                Some((_, name)) if is_visible(c, *id) == Truth::True => Value::owned(quote_identifier(name)),
                Some((schema, name)) => Value::owned(qualified(schema, name)),
                None => Value::Present,
            }
        }
        Object::Schema(name) | Object::Role(name) => Value::owned(quote_identifier(name)),
        Object::BuiltinType(name) => {
            c.format_type(&crate::catalog::types::DataType::builtin(name)).map_or(Value::Present, Value::owned)
        }
        Object::Extension(_) | Object::Database => Value::Present,
    }
}

/// A routine by name, or by name and argument types in parentheses.
pub fn routine_named(c: &Catalog, text: &str) -> Value<'static> {
    match c.resolve_routines(&parse_name(before_parenthesis(text))).as_slice() {
        [] => Value::UnseenObject,
        [only] => Value::Object(Object::Modelled(*only)),
        _ => Value::Present,
    }
}

fn before_parenthesis(text: &str) -> &str {
    text.split('(').next().unwrap_or(text)
}

/// The null that `to_reg…` gives for a name nobody created, where the history is complete and the name is not the server's.
fn absent(c: &Catalog, name: &ObjectName) -> Value<'static> {
    let of_server = name.name.starts_with("pg_") || matches!(name.schema.as_deref(), Some("pg_catalog" | "information_schema"));
    let known = !c.incomplete && !of_server && !crate::catalog::server_routine::is_routine(&name.name);
    if known { Value::Null } else { Value::Unknown }
}

fn current_schema(c: &Catalog) -> Value<'_> {
    c.search_path().into_iter().find(|schema| c.schemas.contains_key(schema)).map_or(Value::Null, Value::owned)
}

fn current_user(c: &Catalog) -> Value<'_> {
    c.current_role().map_or(Value::Present, Value::owned)
}

fn length(length: usize) -> Value<'static> {
    i64::try_from(length).map_or(Value::Present, Value::Int)
}

/// Whether the search path finds this object under its bare name.
fn is_visible(c: &Catalog, id: Id) -> Truth {
    if let Some(relation) = c.relations.get(&id) {
        return Truth::of(c.resolve_relation_or_index(&ObjectName::bare(&relation.name)) == Some(id));
    }
    if let Some(index) = c.indexes.get(&id) {
        return Truth::of(c.resolve_relation_or_index(&ObjectName::bare(&index.name)) == Some(id));
    }
    if let Some(object) = c.types.get(&id) {
        return Truth::of(c.resolve_type(&ObjectName::bare(&object.name)) == Some(id));
    }
    match c.routines.get(&id) {
        Some(routine) => Truth::of(c.resolve_routines(&ObjectName::bare(&routine.name)).contains(&id)),
        None => Truth::Unknown,
    }
}

/// `enum_range(NULL::mood)`.
fn enum_range(scope: &Scope<'_>, arg: &Expr) -> Option<Value<'static>> {
    let Expr::Cast { to, .. } = arg else { return None };
    let object = scope.catalog.types.get(&scope.catalog.resolve_type(&to.name)?)?;
    let labels = crate::catalog::enumeration::labels(&object.kind);
    object.known.then(|| Value::List(labels.iter().map(|(label, _)| Value::owned(label.clone())).collect()))
}

/// The sequence that a serial or identity column owns, by name.
fn serial_sequence(c: &Catalog, table: &str, column: &str) -> Value<'static> {
    let Some(relation) = c.resolve_relation(&parse_name(table)).and_then(|id| c.relation(id)) else { return Value::Unknown };
    // The column is taken as it is, never folded.
    let Some(column) = relation.column(column) else { return Value::Unknown };
    match c.owned_sequence(relation.id, column.id) {
        Some(sequence) => Value::owned(qualified(&sequence.schema, &sequence.name)),
        None if relation.known => Value::Null,
        None => Value::Unknown,
    }
}

/// `count(*)` and `count(x)` in the output of an aggregating query; `x` is taken as not null, as guards mean it.
fn count(scope: &Scope<'_>, call: &Call) -> Value<'static> {
    match scope.count {
        Some(_) if call.filter.is_some() => Value::Between(0, None),
        Some((low, high)) if call.distinct => Value::Between(low.min(1), high),
        Some((low, Some(high))) if low == high => Value::Int(low),
        Some((low, high)) => Value::Between(low, high),
        None => Value::Between(0, None),
    }
}
