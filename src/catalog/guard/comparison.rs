//! Comparing values of which only a part may be known.

use super::value::{Names, Object, Truth, Value, compare_numbers, like};
use crate::catalog::Catalog;
use crate::catalog::server_routine;
use crate::catalog::types::is_builtin;
use crate::op::ObjectName;

/// `left operator right` for `=`, `<>`, `<`, `<=`, `>`, `>=`.
pub fn compare(c: &Catalog, operator: &str, left: &Value<'_>, right: &Value<'_>) -> Truth {
    if *left == Value::Null || *right == Value::Null {
        return Truth::Null;
    }
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return compare_numbers(operator, left, right);
    }
    match operator {
        "=" => equal(c, left, right),
        "<>" | "!=" => equal(c, left, right).not(),
        // How text sorts depends on the collation.
        _ => Truth::Unknown,
    }
}

/// `=`, also of lists.
pub fn equal(c: &Catalog, left: &Value<'_>, right: &Value<'_>) -> Truth {
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => Truth::Null,
        (Value::Text(left), Value::Text(right)) => Truth::of(left == right),
        (Value::Bool(left), right) | (right, Value::Bool(left)) => match right.truth().holds() {
            Some(right) => Truth::of(*left == right),
            None => Truth::Unknown,
        },
        (Value::Object(left), Value::Object(right)) => Truth::of(left == right),
        // A literal beside a value of a `reg…` type is read as one.
        (Value::Object(object), Value::Text(text)) | (Value::Text(text), Value::Object(object)) => names_object(c, object, text),
        (Value::UnseenObject, Value::Object(object)) | (Value::Object(object), Value::UnseenObject) => match object {
            Object::Modelled(_) | Object::Extension(_) => Truth::False,
            // A schema may be known by name alone, from a qualified name.
            Object::Schema(name) if c.schemas.contains_key(&**name) => Truth::False,
            Object::Schema(_) | Object::Role(_) | Object::BuiltinType(_) | Object::Database => Truth::Unknown,
        },
        (Value::Unseen(names), Value::Text(text)) | (Value::Text(text), Value::Unseen(names)) => is_unseen(c, *names, text),
        (Value::List(left), Value::List(right)) => {
            if left.len() != right.len() {
                return Truth::False;
            }
            left.iter().zip(right).map(|(left, right)| equal(c, left, right)).fold(Truth::True, Truth::and)
        }
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => compare_numbers("=", left, right),
            _ => Truth::Unknown,
        },
    }
}

/// `text LIKE pattern`; `fold` for ILIKE.
pub fn matches(value: &Value<'_>, pattern: &Value<'_>, fold: bool) -> Truth {
    match (value, pattern) {
        (Value::Null, _) | (_, Value::Null) => Truth::Null,
        (Value::Text(text), Value::Text(pattern)) if fold => Truth::of(like(&text.to_lowercase(), &pattern.to_lowercase())),
        (Value::Text(text), Value::Text(pattern)) => Truth::of(like(text, pattern)),
        // Names of the server's own relations start with pg_.
        (Value::Unseen(Names::System), Value::Text(pattern)) if !fold => {
            let fixed = pattern.split(['%', '_', '\\']).next().unwrap_or_default();
            if fixed.starts_with("pg") || "pg_".starts_with(fixed) { Truth::Unknown } else { Truth::False }
        }
        _ => Truth::Unknown,
    }
}

/// The bounds of a number.
pub fn number(value: &Value<'_>) -> Option<(i64, Option<i64>)> {
    match value {
        Value::Int(number) => Some((*number, Some(*number))),
        Value::Between(low, high) => Some((*low, *high)),
        Value::Text(text) => text.trim().parse().ok().map(|number| (number, Some(number))),
        _ => None,
    }
}

/// Whether an object that nobody created here may have this name.
fn is_unseen(c: &Catalog, names: Names, text: &str) -> Truth {
    let not_if = |known: bool| if known { Truth::False } else { Truth::Unknown };
    match names {
        Names::Relations => not_if(
            c.relations.values().any(|relation| relation.name == text) || c.indexes.values().any(|index| index.name == text),
        ),
        Names::Types => not_if(c.types.values().any(|object| object.name == text)),
        Names::Routines => not_if(c.routines.values().any(|routine| routine.name == text)),
        Names::Schemas => not_if(c.schemas.contains_key(text)),
        Names::Extensions => not_if(c.extensions.contains_key(text) || text == "plpgsql"),
        Names::Roles => not_if(c.roles.contains_key(text)),
        Names::Columns(relation) => not_if(c.relation(relation).is_some_and(|relation| relation.column(text).is_some())),
        Names::Labels(object) => {
            let kind = c.types.get(&object).map(|object| &object.kind);
            not_if(kind.is_some_and(|kind| crate::catalog::enumeration::labels(kind).iter().any(|(label, _)| label == text)))
        }
        Names::System => {
            if text.starts_with("pg_") {
                Truth::Unknown
            } else {
                Truth::False
            }
        }
        // These lists are whole for the oldest server, so that what they have is there.
        Names::SystemTypes => Truth::of(is_builtin(text.strip_prefix('_').unwrap_or(text))),
        Names::SystemRoutines => match server_routine::is_routine(text) {
            true if server_routine::is_later_routine(text) => Truth::Unknown,
            known => Truth::of(known),
        },
    }
}

/// Whether a text, read as `regclass`, `regtype`, `regnamespace` or `regrole`, is this object.
fn names_object(c: &Catalog, object: &Object<'_>, text: &str) -> Truth {
    let name = parse_name(text);
    match object {
        Object::Modelled(id) => {
            let found = c.resolve_relation_or_index(&name).or_else(|| c.resolve_type(&name));
            found.map_or(Truth::Unknown, |found| Truth::of(found == *id))
        }
        Object::Schema(schema) => Truth::of(name.schema.is_none() && **schema == *name.name),
        Object::Role(role) => Truth::of(**role == *name.name),
        Object::BuiltinType(_) | Object::Extension(_) | Object::Database => Truth::Unknown,
    }
}

/// A possibly qualified name in a string, folded and unquoted as `stringToQualifiedNameList` does.
pub fn parse_name(text: &str) -> ObjectName {
    let mut parts = crate::catalog::session::split_quoted(text, '.');
    let name = parts.pop().unwrap_or_default();
    ObjectName { schema: parts.pop(), name }
}
