//! Expressions, evaluated as far as the catalog, the body's variables and the rows in scope say.

use super::comparison::{compare, equal, matches, number, parse_name};
use super::rows::Row;
use super::table::SystemTable;
use super::value::{Object, Truth, Value};
use super::{Variables, columns, function};
use crate::catalog::Catalog;
use crate::catalog::types::{BaseType, is_builtin};
use crate::expr::Expr;
use crate::op::{ObjectName, TypeRef};
use std::borrow::Cow;

/// A FROM item and, while its rows are visited, the current one.
#[derive(Clone, Copy)]
pub struct Source<'e> {
    pub alias: Option<&'e str>,
    /// `None` for anything but a table of the server: its columns are not known.
    pub table: Option<SystemTable>,
    pub row: Option<Row<'e>>,
}

/// What names mean where an expression stands.
#[derive(Clone)]
pub struct Scope<'e> {
    pub catalog: &'e Catalog,
    pub variables: &'e Variables,
    pub sources: Vec<Source<'e>>,
    /// The query around a subquery.
    pub outer: Option<&'e Scope<'e>>,
    /// In the output of an aggregating query: how many rows there are.
    pub count: Option<(i64, Option<i64>)>,
}

impl<'e> Scope<'e> {
    pub fn outermost(catalog: &'e Catalog, variables: &'e Variables) -> Self {
        Scope { catalog, variables, sources: Vec::new(), outer: None, count: None }
    }

    pub fn evaluate<'s>(&'s self, expr: &'s Expr) -> Value<'s> {
        match expr {
            Expr::Null => Value::Null,
            Expr::Bool(value) => Value::Bool(*value),
            Expr::Int(value) => Value::Int(*value),
            Expr::Str(text) => Value::text(text),
            Expr::Float(_) | Expr::Bit(_) => Value::Present,
            Expr::Column(path) => self.column(path),
            Expr::Param(number) => self.variables.get(&format!("${number}")).cloned().unwrap_or(Value::Unknown),
            Expr::Cast { expr, to } => self.cast(expr, to),
            Expr::Call(call) => function::call(self, call),
            Expr::Operator { name, args } => self.operator(name, args),
            Expr::InList { expr, list, negated } => {
                let left = self.evaluate(expr);
                let any = list.iter().map(|member| equal(self.catalog, &left, &self.evaluate(member)));
                negate(any.fold(Truth::False, Truth::or), *negated).value()
            }
            Expr::AnyAll { name, all, left, right } => self.any_all(name, *all, left, right).value(),
            Expr::Between { expr, low, high, negated } => {
                let (value, low, high) = (self.evaluate(expr), self.evaluate(low), self.evaluate(high));
                let inside = compare(self.catalog, ">=", &value, &low).and(compare(self.catalog, "<=", &value, &high));
                negate(inside, *negated).value()
            }
            Expr::Like { name, left, right } => {
                let found = matches(&self.evaluate(left), &self.evaluate(right), name.ends_with('*'));
                match name.as_str() {
                    "~~" | "~~*" => found.value(),
                    "!~~" | "!~~*" => found.not().value(),
                    _ => Value::Unknown,
                }
            }
            Expr::IsDistinct { left, right, negated } => {
                let (left, right) = (self.evaluate(left), self.evaluate(right));
                let distinct = match (left.is_null(), right.is_null()) {
                    (Truth::True, other) | (other, Truth::True) => other.not(),
                    (Truth::False, Truth::False) => equal(self.catalog, &left, &right).not(),
                    _ => Truth::Unknown,
                };
                negate(distinct, *negated).value()
            }
            Expr::NullIf { left, right } => {
                let (left, right) = (self.evaluate(left), self.evaluate(right));
                match equal(self.catalog, &left, &right) {
                    Truth::True => Value::Null,
                    Truth::False | Truth::Null => left,
                    Truth::Unknown => Value::Unknown,
                }
            }
            Expr::And(list) => list.iter().map(|e| self.evaluate(e).truth()).fold(Truth::True, Truth::and).value(),
            Expr::Or(list) => list.iter().map(|e| self.evaluate(e).truth()).fold(Truth::False, Truth::or).value(),
            Expr::Not(inner) => self.evaluate(inner).truth().not().value(),
            Expr::IsNull { expr, negated } => negate(self.evaluate(expr).is_null(), *negated).value(),
            Expr::BooleanTest { expr, test } => boolean_test(self.evaluate(expr).truth(), test).value(),
            Expr::Coalesce(list) => {
                for member in list {
                    let value = self.evaluate(member);
                    match value.is_null() {
                        Truth::False => return value,
                        Truth::True | Truth::Null => {}
                        Truth::Unknown => return Value::Unknown,
                    }
                }
                Value::Null
            }
            Expr::Case { operand, arms, otherwise } => self.case(operand.as_deref(), arms, otherwise.as_deref()),
            Expr::Array(list) | Expr::Row(list) => Value::List(list.iter().map(|e| self.evaluate(e)).collect()),
            Expr::SqlValue(name) => function::sql_value(self.catalog, name),
            Expr::Exists(query) => self.exists(query).value(),
            Expr::Scalar(query) => self.scalar(query).into_owned(),
            Expr::ArrayQuery(query) => self.column_of(query).map_or(Value::Unknown, Value::List),
            Expr::QueryTest { left: Some(left), query, is_in: true } => self.in_query(left, query).value(),
            Expr::Collate { expr, .. } => self.evaluate(expr),
            Expr::Field { expr, field } => match expr.as_ref() {
                Expr::Column(path) => {
                    let path: Vec<String> = path.iter().chain([field]).cloned().collect();
                    self.column(&path).into_owned()
                }
                _ => Value::Unknown,
            },
            Expr::Star(_) | Expr::MinMax { .. } | Expr::QueryTest { .. } => Value::Unknown,
            Expr::Subscript { .. } | Expr::AtTimeZone { .. } | Expr::Other { .. } => Value::Unknown,
        }
    }

    /// A column of a row in scope, here or further out; else a variable.
    fn column(&self, path: &[String]) -> Value<'e> {
        if let [.., qualifier, name] = path {
            if let Some(source) = self.sources.iter().find(|source| source.alias == Some(qualifier)) {
                return self.of_row(source, name);
            }
        } else if let [name] = path {
            if let Some(source) = self.sources.iter().find(|source| source.table.is_some_and(|table| table.has_column(name))) {
                return self.of_row(source, name);
            }
            // A column of a user's table comes before a variable only where it exists, which is not known here.
            if self.sources.iter().any(|source| source.table.is_none()) && !self.variables.contains_key(name) {
                return Value::Unknown;
            }
        }
        match self.outer {
            Some(outer) => outer.column(path),
            None => self.variables.get(&path.join(".")).cloned().unwrap_or(Value::Unknown),
        }
    }

    fn of_row(&self, source: &Source<'e>, column: &str) -> Value<'e> {
        source.row.map_or(Value::Unknown, |row| columns::value(self.catalog, row, column))
    }

    fn operator(&self, name: &str, args: &[Expr]) -> Value<'_> {
        let values: Vec<Value<'_>> = args.iter().map(|arg| self.evaluate(arg)).collect();
        match (name, values.as_slice()) {
            ("=" | "<>" | "!=" | "<" | "<=" | ">" | ">=", [left, right]) => compare(self.catalog, name, left, right).value(),
            (_, values) if values.contains(&Value::Null) => Value::Null,
            ("||", [Value::Text(left), Value::Text(right)]) => Value::owned(format!("{left}{right}")),
            ("+", [Value::Int(left), Value::Int(right)]) => left.checked_add(*right).map_or(Value::Unknown, Value::Int),
            ("-", [Value::Int(left), Value::Int(right)]) => left.checked_sub(*right).map_or(Value::Unknown, Value::Int),
            ("-", [Value::Int(number)]) => number.checked_neg().map_or(Value::Unknown, Value::Int),
            _ => Value::Unknown,
        }
    }

    fn any_all(&self, name: &str, all: bool, left: &Expr, right: &Expr) -> Truth {
        let left = self.evaluate(left);
        let list = match self.evaluate(right) {
            Value::List(list) => list,
            Value::Null => return Truth::Null,
            _ => return Truth::Unknown,
        };
        let each = list.iter().map(|member| match name {
            "~~" | "~~*" => matches(&left, member, name.ends_with('*')),
            "!~~" | "!~~*" => matches(&left, member, name.ends_with('*')).not(),
            _ => compare(self.catalog, name, &left, member),
        });
        if all { each.fold(Truth::True, Truth::and) } else { each.fold(Truth::False, Truth::or) }
    }

    fn case<'s>(&'s self, operand: Option<&'s Expr>, arms: &'s [(Expr, Expr)], otherwise: Option<&'s Expr>) -> Value<'s> {
        let operand = operand.map(|operand| self.evaluate(operand));
        for (when, then) in arms {
            let when = self.evaluate(when);
            let taken = match &operand {
                Some(operand) => equal(self.catalog, operand, &when),
                None => when.truth(),
            };
            match taken.holds() {
                Some(true) => return self.evaluate(then),
                Some(false) => {}
                None => return Value::Unknown,
            }
        }
        otherwise.map_or(Value::Null, |otherwise| self.evaluate(otherwise))
    }

    fn cast<'s>(&'s self, expr: &'s Expr, to: &TypeRef) -> Value<'s> {
        let value = self.evaluate(expr);
        if to.array_dims > 0 {
            return match value {
                Value::List(list) => Value::List(list.into_iter().map(|member| self.cast_value(member, to)).collect()),
                Value::Text(text) => array_literal(&text).map_or(Value::Unknown, Value::List),
                other => other,
            };
        }
        self.cast_value(value, to)
    }

    fn cast_value<'s>(&'s self, value: Value<'s>, to: &TypeRef) -> Value<'s> {
        if !matches!(to.name.schema.as_deref(), None | Some("pg_catalog")) {
            return known_or_null(&value);
        }
        match (to.name.name.as_str(), value) {
            (_, Value::Null) => Value::Null,
            ("text" | "varchar" | "name" | "bpchar" | "char" | "cstring", value) => match value {
                Value::Object(object) => function::object_text(self.catalog, &object),
                Value::Bool(value) => Value::text(if value { "true" } else { "false" }),
                Value::Int(number) => Value::owned(number.to_string()),
                Value::Text(text)
                    if to.typmods.iter().any(|limit| text.chars().count() > usize::try_from(*limit).unwrap_or(0)) =>
                {
                    Value::Present
                }
                other => other,
            },
            ("bool", value) => value.truth().value(),
            ("int2" | "int4" | "int8" | "numeric", value) => match number(&value) {
                Some((low, Some(high))) if low == high => Value::Int(low),
                Some((low, high)) => Value::Between(low, high),
                None => known_or_null(&value),
            },
            ("oid", value @ (Value::Object(_) | Value::UnseenObject)) => value,
            ("regclass", Value::Text(text)) => self.relation_named(&parse_name(&text)),
            ("regtype", Value::Text(text)) => self.type_named(&parse_name(&text)),
            ("regnamespace", Value::Text(text)) => Value::Object(Object::Schema(Cow::Owned(parse_name(&text).name))),
            ("regrole", Value::Text(text)) => Value::Object(Object::Role(Cow::Owned(parse_name(&text).name))),
            ("regproc" | "regprocedure", Value::Text(text)) => function::routine_named(self.catalog, &text),
            ("regclass" | "regtype" | "regnamespace" | "regrole" | "regproc" | "regprocedure", value) => value,
            (_, value) => known_or_null(&value),
        }
    }

    /// `'t'::regclass`: the server raises an error where there is none, so there is one.
    pub fn relation_named(&self, name: &ObjectName) -> Value<'static> {
        match self.catalog.resolve_relation_or_index(name) {
            Some(id) => Value::Object(Object::Modelled(id)),
            None => Value::UnseenObject,
        }
    }

    pub fn type_named(&self, name: &ObjectName) -> Value<'static> {
        let type_ref = TypeRef {
            name: ObjectName { schema: name.schema.clone(), name: builtin_spelling(&name.name).to_string() },
            typmods: Vec::new(),
            modifier_words: Vec::new(),
            array_dims: 0,
            setof: false,
            percent_type: false,
        };
        let data_type = self.catalog.data_type(&type_ref);
        match data_type.base {
            _ if data_type.array => Value::Present,
            BaseType::Builtin(name) => Value::Object(Object::BuiltinType(Cow::Owned(name.to_string()))),
            BaseType::User(id) => Value::Object(Object::Modelled(id)),
            BaseType::Row(_) => Value::Present,
            BaseType::Unknown => Value::UnseenObject,
        }
    }
}

/// The parser's spelling of a type that SQL spells with other words.
fn builtin_spelling(name: &str) -> &str {
    match name {
        name if is_builtin(name) => name,
        "integer" | "int" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "boolean" => "bool",
        "real" => "float4",
        "decimal" => "numeric",
        name => name,
    }
}

/// A value that went through something unknown: still null, or still not.
pub fn known_or_null<'v>(value: &Value<'_>) -> Value<'v> {
    match value.is_null() {
        Truth::True => Value::Null,
        Truth::False => Value::Present,
        Truth::Null | Truth::Unknown => Value::Unknown,
    }
}

fn negate(truth: Truth, negated: bool) -> Truth {
    if negated { truth.not() } else { truth }
}

/// IS [NOT] TRUE / FALSE / UNKNOWN.
fn boolean_test(value: Truth, test: &str) -> Truth {
    let (negated, wanted) = match test.strip_prefix("not ") {
        Some(wanted) => (true, wanted),
        None => (false, test),
    };
    let is = match (value, wanted) {
        (Truth::Unknown, _) => Truth::Unknown,
        (value, "true") => Truth::of(value == Truth::True),
        (value, "false") => Truth::of(value == Truth::False),
        (value, "unknown") => Truth::of(value == Truth::Null),
        _ => Truth::Unknown,
    };
    negate(is, negated)
}

/// `'{a,b}'`; `None` for literals with quotes, escapes or further braces.
fn array_literal(text: &str) -> Option<Vec<Value<'static>>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    if inner.contains(['"', '\\', '{', '}']) {
        return None;
    }
    let members = inner.split(',').map(str::trim).filter(|_| !inner.trim().is_empty());
    Some(
        members
            .map(|member| if member.eq_ignore_ascii_case("null") { Value::Null } else { Value::owned(member.into()) })
            .collect(),
    )
}
