//! Resolved data types and how the server spells them (`format_type`).

use super::Catalog;
use super::object::{Id, TypeKind};
use crate::op::TypeRef;
use std::sync::Arc;

/// A resolved type with its modifiers. Compare with `==`: modifiers are in one form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DataType {
    pub base: BaseType,
    /// As `TypeRef::typmods`, completed: `numeric(10)` is `[10, 0]`.
    pub typmods: Vec<i64>,
    pub array: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BaseType {
    /// A type of pg_catalog by its internal name: `int4`, `varchar`, `timestamptz`.
    Builtin(Arc<str>),
    /// A type of the modelled schema.
    User(Id),
    /// The row type of a relation.
    Row(Id),
    /// Nobody declared it.
    Unknown,
}

impl DataType {
    pub const UNKNOWN: DataType = DataType { base: BaseType::Unknown, typmods: Vec::new(), array: false };

    pub fn builtin(name: &str) -> Self {
        DataType { base: BaseType::Builtin(name.into()), typmods: Vec::new(), array: false }
    }
    pub fn user(id: Id) -> Self {
        DataType { base: BaseType::User(id), typmods: Vec::new(), array: false }
    }
    pub fn is_unknown(&self) -> bool {
        self.base == BaseType::Unknown
    }
    /// The name of a scalar type of pg_catalog.
    pub fn builtin_name(&self) -> Option<&str> {
        match &self.base {
            BaseType::Builtin(name) if !self.array => Some(name),
            _ => None,
        }
    }
    pub fn with_array(mut self) -> Self {
        self.array = true;
        self
    }
    pub fn element(&self) -> DataType {
        DataType { array: false, ..self.clone() }
    }
    /// The same type without modifiers, as expressions and function arguments carry it.
    pub fn without_typmods(&self) -> DataType {
        DataType { typmods: Vec::new(), ..self.clone() }
    }
}

/// Types of pg_catalog that can be columns, by internal name (pg_type of 15 to 18), sorted.
const BUILTIN: &[&str] = &[
    "aclitem",
    "any",
    "anyarray",
    "anycompatible",
    "anycompatiblearray",
    "anycompatiblemultirange",
    "anycompatiblenonarray",
    "anycompatiblerange",
    "anyelement",
    "anyenum",
    "anymultirange",
    "anynonarray",
    "anyrange",
    "bit",
    "bool",
    "box",
    "bpchar",
    "bytea",
    "char",
    "cid",
    "cidr",
    "circle",
    "cstring",
    "date",
    "datemultirange",
    "daterange",
    "event_trigger",
    "fdw_handler",
    "float4",
    "float8",
    "gtsvector",
    "index_am_handler",
    "inet",
    "int2",
    "int2vector",
    "int4",
    "int4multirange",
    "int4range",
    "int8",
    "int8multirange",
    "int8range",
    "internal",
    "interval",
    "json",
    "jsonb",
    "jsonpath",
    "language_handler",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "numeric",
    "nummultirange",
    "numrange",
    "oid",
    "oidvector",
    "path",
    "pg_lsn",
    "pg_snapshot",
    "point",
    "polygon",
    "record",
    "refcursor",
    "regclass",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regnamespace",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regrole",
    "regtype",
    "table_am_handler",
    "text",
    "tid",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "trigger",
    "tsm_handler",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "txid_snapshot",
    "unknown",
    "uuid",
    "varbit",
    "varchar",
    "void",
    "xid",
    "xid8",
    "xml",
];

pub fn is_builtin(name: &str) -> bool {
    BUILTIN.binary_search(&name).is_ok()
}

/// `serial` and its kin: the integer type behind the notation.
pub fn serial_type(type_ref: &TypeRef) -> Option<&'static str> {
    if type_ref.name.schema.is_some() || type_ref.array_dims > 0 {
        return None;
    }
    match type_ref.name.name.as_str() {
        "smallserial" | "serial2" => Some("int2"),
        "serial" | "serial4" => Some("int4"),
        "bigserial" | "serial8" => Some("int8"),
        _ => None,
    }
}

impl Catalog {
    /// Resolves a type as written. A type nobody declared is unknown, unless `declare_type` made it before.
    pub fn data_type(&self, type_ref: &TypeRef) -> DataType {
        if type_ref.percent_type {
            return DataType::UNKNOWN;
        }
        let name = &type_ref.name.name;
        let schema = type_ref.name.schema.as_deref();
        let mut array = type_ref.array_dims > 0;
        let mut base = None;
        if matches!(schema, None | Some("pg_catalog")) {
            if is_builtin(name) {
                base = Some(BaseType::Builtin(name.as_str().into()));
            } else if let Some(element) = name.strip_prefix('_').filter(|element| is_builtin(element)) {
                array = true;
                base = Some(BaseType::Builtin(element.into()));
            } else if let Some(element) = serial_type(type_ref) {
                base = Some(BaseType::Builtin(element.into()));
            }
        }
        let base = base.or_else(|| self.resolve_type(&type_ref.name).map(BaseType::User)).or_else(|| {
            let relation = self.resolve_relation(&type_ref.name)?;
            Some(BaseType::Row(relation))
        });
        let base = base.unwrap_or(BaseType::Unknown);
        let typmods = match &base {
            BaseType::Builtin(name) => complete_typmods(name, &type_ref.typmods),
            _ => type_ref.typmods.clone(),
        };
        DataType { base, typmods, array }
    }

    /// The type as `format_type` spells it, user types always qualified. `None` where it is unknown.
    pub fn format_type(&self, data_type: &DataType) -> Option<String> {
        let mut text = match &data_type.base {
            BaseType::Builtin(name) => format_builtin(name, &data_type.typmods),
            BaseType::User(id) => {
                let object = self.types.get(id)?;
                let mut text = super::name::qualified(&object.schema, &object.name);
                if !data_type.typmods.is_empty() {
                    let list: Vec<String> = data_type.typmods.iter().map(i64::to_string).collect();
                    text.push_str(&format!("({})", list.join(",")));
                }
                text
            }
            BaseType::Row(id) => {
                let relation = self.relations.get(id)?;
                super::name::qualified(&relation.schema, &relation.name)
            }
            BaseType::Unknown => return None,
        };
        if data_type.array {
            text.push_str("[]");
        }
        Some(text)
    }

    /// The type as `format_type(oid, NULL)` spells it: without any word on modifiers, as in signatures.
    pub fn format_type_alone(&self, data_type: &DataType) -> Option<String> {
        let plain = data_type.without_typmods();
        let alone = match &plain.base {
            BaseType::Builtin(name) if &**name == "bpchar" => "character",
            BaseType::Builtin(name) if &**name == "bit" => "bit",
            _ => return self.format_type(&plain),
        };
        Some(if plain.array { format!("{alone}[]") } else { alone.to_string() })
    }

    /// The type below all domains, with the modifiers in force.
    pub fn base_type(&self, data_type: &DataType) -> DataType {
        let mut current = data_type.clone();
        while let BaseType::User(id) = current.base {
            match self.types.get(&id).map(|t| &t.kind) {
                Some(TypeKind::Domain { base, .. }) if !current.array => current = base.clone(),
                _ => break,
            }
        }
        current
    }
}

/// Modifiers in the form that the server stores.
fn complete_typmods(name: &str, typmods: &[i64]) -> Vec<i64> {
    match (name, typmods) {
        ("numeric", [precision]) => vec![*precision, 0],
        // An interval mask of all fields says nothing.
        ("interval", [0x7fff]) => Vec::new(),
        ("bit", []) => vec![1],
        // Time types hold at most microseconds.
        ("timestamp" | "timestamptz" | "time" | "timetz", [precision]) => vec![(*precision).min(6)],
        _ => typmods.to_vec(),
    }
}

fn format_builtin(name: &str, typmods: &[i64]) -> String {
    let list = || typmods.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    let paren = || if typmods.is_empty() { String::new() } else { format!("({})", list()) };
    match name {
        "int2" => "smallint".into(),
        "int4" => "integer".into(),
        "int8" => "bigint".into(),
        "float4" => "real".into(),
        "float8" => "double precision".into(),
        "bool" => "boolean".into(),
        "varchar" => format!("character varying{}", paren()),
        "bpchar" if typmods.is_empty() => "bpchar".into(),
        "bpchar" => format!("character{}", paren()),
        "char" => "\"char\"".into(),
        // Plain `bit` in SQL is bit(1); one of any length has no other spelling.
        "bit" if typmods.is_empty() => "\"bit\"".into(),
        "bit" => format!("bit{}", paren()),
        "varbit" => format!("bit varying{}", paren()),
        "timestamp" => format!("timestamp{} without time zone", paren()),
        "timestamptz" => format!("timestamp{} with time zone", paren()),
        "time" => format!("time{} without time zone", paren()),
        "timetz" => format!("time{} with time zone", paren()),
        "interval" => format_interval(typmods),
        "any" => "\"any\"".into(),
        _ => format!("{name}{}", paren()),
    }
}

/// `interval` modifiers are a field mask and perhaps a precision (`timestamp.h`, `intervaltypmodout`).
fn format_interval(typmods: &[i64]) -> String {
    const FIELDS: &[(i64, &str)] = &[
        (1 << 2, " year"),
        (1 << 1, " month"),
        (1 << 3, " day"),
        (1 << 10, " hour"),
        (1 << 11, " minute"),
        (1 << 12, " second"),
        ((1 << 2) | (1 << 1), " year to month"),
        ((1 << 3) | (1 << 10), " day to hour"),
        ((1 << 3) | (1 << 10) | (1 << 11), " day to minute"),
        ((1 << 3) | (1 << 10) | (1 << 11) | (1 << 12), " day to second"),
        ((1 << 10) | (1 << 11), " hour to minute"),
        ((1 << 10) | (1 << 11) | (1 << 12), " hour to second"),
        ((1 << 11) | (1 << 12), " minute to second"),
    ];
    let field = typmods.first().and_then(|mask| FIELDS.iter().find(|(m, _)| m == mask)).map_or("", |(_, text)| text);
    match typmods.get(1) {
        Some(precision) => format!("interval{field}({precision})"),
        None => format!("interval{field}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_builtin_types_is_sorted_for_binary_search() {
        assert!(BUILTIN.is_sorted());
    }
}
