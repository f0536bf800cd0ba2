//! Does a CHECK pass for a row that an old client inserts? Evaluation with some columns known, the rest unknown.

use crate::catalog::implication::bare;
use crate::catalog::object::{Column, Relation};
use crate::expr::{Call, Expr};

/// What is known of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// Not null, and nothing more is known.
    Present,
    /// Anything, NULL included.
    Unknown,
}

/// True where the CHECK accepts every row in which `known` columns have their values: it gives true or NULL.
pub fn always_passes(check: &Expr, known: &dyn Fn(&str) -> Option<Value>) -> bool {
    matches!(evaluate(check, known), Value::Bool(true) | Value::Null)
}

/// True where the CHECK refuses every such row.
pub fn always_fails(check: &Expr, known: &dyn Fn(&str) -> Option<Value>) -> bool {
    evaluate(check, known) == Value::Bool(false)
}

/// What an INSERT that omits the column puts into it.
pub fn omitted(column: &Column) -> Value {
    if column.identity.is_some() {
        return Value::Present;
    }
    if column.generated.is_some() {
        return Value::Unknown;
    }
    match &column.default {
        None => Value::Null,
        Some(default) => evaluate(default, &|_| None),
    }
}

/// An INSERT that omits the column gets another value for each row: an identity, a sequence, a random UUID.
pub fn differs_for_each_row(column: &Column) -> bool {
    const GENERATORS: &[&str] =
        &["nextval", "gen_random_uuid", "uuidv4", "uuidv7", "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4"];
    column.identity.is_some()
        || matches!(column.default.as_ref().map(bare), Some(Expr::Call(call)) if GENERATORS.contains(&call.name.name.as_str()))
}

/// Values of the columns that `is_new` says no old client names.
pub fn omitted_values<'a>(relation: &'a Relation, is_new: impl Fn(&Column) -> bool + 'a) -> impl Fn(&str) -> Option<Value> + 'a {
    move |name| relation.column(name).filter(|column| is_new(column)).map(omitted)
}

pub fn evaluate(expr: &Expr, known: &dyn Fn(&str) -> Option<Value>) -> Value {
    match expr {
        Expr::Null => Value::Null,
        Expr::Bool(value) => Value::Bool(*value),
        Expr::Int(value) => Value::Number(*value as f64),
        Expr::Float(text) => text.parse().map_or(Value::Present, Value::Number),
        Expr::Str(text) => Value::Text(text.clone()),
        Expr::Bit(_) | Expr::Array(_) | Expr::SqlValue(_) => Value::Present,
        Expr::Column(path) => path.last().and_then(|name| known(name)).unwrap_or(Value::Unknown),
        Expr::Cast { expr, to } => cast(evaluate(expr, known), &to.name.name, to.array_dims > 0),
        Expr::Collate { expr, .. } => evaluate(expr, known),
        Expr::And(parts) => junction(parts, known, false),
        Expr::Or(parts) => junction(parts, known, true),
        Expr::Not(inner) => match evaluate(inner, known) {
            Value::Bool(value) => Value::Bool(!value),
            Value::Null => Value::Null,
            _ => Value::Unknown,
        },
        Expr::IsNull { expr, negated } => match (bare(expr), evaluate(expr, known)) {
            (Expr::Row(_), _) | (_, Value::Unknown) => Value::Unknown,
            (_, Value::Null) => Value::Bool(!negated),
            _ => Value::Bool(*negated),
        },
        Expr::IsDistinct { left, right, negated } => {
            let equal = match (evaluate(left, known), evaluate(right, known)) {
                (Value::Unknown, _) | (_, Value::Unknown) => return Value::Unknown,
                (Value::Null, Value::Null) => true,
                (Value::Null, _) | (_, Value::Null) => false,
                (Value::Present, _) | (_, Value::Present) => return Value::Unknown,
                (left, right) => left == right,
            };
            Value::Bool(equal == *negated)
        }
        Expr::BooleanTest { expr, test } => boolean_test(&evaluate(expr, known), test),
        Expr::Coalesce(parts) => {
            for part in parts {
                match evaluate(part, known) {
                    Value::Null => {}
                    Value::Unknown => return Value::Unknown,
                    value => return value,
                }
            }
            Value::Null
        }
        Expr::Operator { name, args } => operator(name, args.iter().map(|arg| evaluate(arg, known)).collect()),
        Expr::InList { expr, list, negated } => member(&evaluate(expr, known), list, *negated, known),
        Expr::AnyAll { name, all, left, right } => match (name.as_str(), all, bare(right)) {
            ("=", false, Expr::Array(list)) => member(&evaluate(left, known), list, false, known),
            ("<>", true, Expr::Array(list)) => member(&evaluate(left, known), list, true, known),
            _ => strict(&[evaluate(left, known)]),
        },
        Expr::Between { expr, low, high, negated } => {
            let value = evaluate(expr, known);
            let above = operator(">=", vec![value.clone(), evaluate(low, known)]);
            let below = operator("<=", vec![value, evaluate(high, known)]);
            match (conjunction([above, below].into_iter(), false), negated) {
                (Value::Bool(inside), true) => Value::Bool(!inside),
                (other, _) => other,
            }
        }
        Expr::Like { left, right, .. } => strict(&[evaluate(left, known), evaluate(right, known)]),
        Expr::AtTimeZone { expr, zone } => strict(&[evaluate(expr, known), evaluate(zone, known)]),
        Expr::Call(call) => function(call, known),
        Expr::Star(_)
        | Expr::Param(_)
        | Expr::NullIf { .. }
        | Expr::MinMax { .. }
        | Expr::Case { .. }
        | Expr::Row(_)
        | Expr::Exists(_)
        | Expr::Scalar(_)
        | Expr::ArrayQuery(_)
        | Expr::QueryTest { .. }
        | Expr::Subscript { .. }
        | Expr::Field { .. }
        | Expr::Other { .. } => Value::Unknown,
    }
}

fn cast(value: Value, to: &str, array: bool) -> Value {
    match value {
        Value::Text(_) if array => Value::Present,
        Value::Text(text) => match to {
            "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" => {
                text.trim().parse().map_or(Value::Present, Value::Number)
            }
            "bool" => match text.trim().to_ascii_lowercase().as_str() {
                "t" | "true" | "y" | "yes" | "on" | "1" => Value::Bool(true),
                "f" | "false" | "n" | "no" | "off" | "0" => Value::Bool(false),
                _ => Value::Present,
            },
            // An enum label or a text of any length keeps its spelling.
            _ => Value::Text(text),
        },
        other => other,
    }
}

fn junction(parts: &[Expr], known: &dyn Fn(&str) -> Option<Value>, or: bool) -> Value {
    conjunction(parts.iter().map(|part| evaluate(part, known)), or)
}

/// AND, or OR where `or`.
fn conjunction(values: impl Iterator<Item = Value>, or: bool) -> Value {
    let mut result = Value::Bool(!or);
    for value in values {
        match value {
            Value::Bool(value) if value == or => return Value::Bool(or),
            Value::Bool(_) => {}
            Value::Null if result != Value::Unknown => result = Value::Null,
            Value::Null => {}
            Value::Number(_) | Value::Text(_) | Value::Present | Value::Unknown => result = Value::Unknown,
        }
    }
    result
}

fn boolean_test(value: &Value, test: &str) -> Value {
    let (wanted, negated) = match test.strip_prefix("not ") {
        Some(wanted) => (wanted, true),
        None => (test, false),
    };
    let matches = match (value, wanted) {
        (Value::Bool(value), "true") => *value,
        (Value::Bool(value), "false") => !*value,
        (Value::Bool(_), "unknown") | (Value::Null, "true" | "false") => false,
        (Value::Null, "unknown") => true,
        _ => return Value::Unknown,
    };
    Value::Bool(matches != negated)
}

/// NULL in, NULL out; otherwise nothing is known.
fn strict(args: &[Value]) -> Value {
    if args.contains(&Value::Null) { Value::Null } else { Value::Unknown }
}

/// All operators of `pg_catalog` that a CHECK uses are strict (`pg_operator`, `pg_proc.proisstrict`).
fn operator(name: &str, args: Vec<Value>) -> Value {
    if args.contains(&Value::Null) {
        return Value::Null;
    }
    let order = match args.as_slice() {
        [Value::Number(value)] if name == "-" => return Value::Number(-value),
        [Value::Number(left), Value::Number(right)] => left.partial_cmp(right),
        [Value::Bool(left), Value::Bool(right)] => Some(left.cmp(right)),
        // Only equality of texts is the same in every collation that people use for keys.
        [Value::Text(left), Value::Text(right)] if matches!(name, "=" | "<>") => Some(left.cmp(right)),
        _ => None,
    };
    let Some(order) = order else { return Value::Unknown };
    Value::Bool(match name {
        "=" => order.is_eq(),
        "<>" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        _ => return Value::Unknown,
    })
}

fn member(value: &Value, list: &[Expr], negated: bool, known: &dyn Fn(&str) -> Option<Value>) -> Value {
    let equals = list.iter().map(|item| operator("=", vec![value.clone(), evaluate(item, known)]));
    match (conjunction(equals, true), negated) {
        (Value::Bool(found), true) => Value::Bool(!found),
        (other, _) => other,
    }
}

fn function(call: &Call, known: &dyn Fn(&str) -> Option<Value>) -> Value {
    if !matches!(call.name.schema.as_deref(), None | Some("pg_catalog")) {
        return Value::Unknown;
    }
    let args: Vec<Value> = call.args.iter().map(|arg| evaluate(arg, known)).collect();
    match (call.name.name.as_str(), args.as_slice()) {
        ("length" | "char_length" | "character_length", [Value::Text(text)]) => Value::Number(text.chars().count() as f64),
        ("octet_length", [Value::Text(text)]) => Value::Number(text.len() as f64),
        ("lower", [Value::Text(text)]) if text.is_ascii() => Value::Text(text.to_ascii_lowercase()),
        ("upper", [Value::Text(text)]) if text.is_ascii() => Value::Text(text.to_ascii_uppercase()),
        (
            "now"
            | "clock_timestamp"
            | "statement_timestamp"
            | "transaction_timestamp"
            | "gen_random_uuid"
            | "uuidv4"
            | "uuidv7"
            | "random"
            | "nextval"
            | "txid_current"
            | "pg_current_xact_id",
            _,
        ) => Value::Present,
        (name, args) if STRICT.contains(&name) => strict(args),
        _ => Value::Unknown,
    }
}

/// Functions of pg_catalog that CHECKs use and that give NULL for NULL (`pg_proc.proisstrict`, 15 to 18).
const STRICT: &[&str] = &[
    "abs",
    "array_length",
    "bit_length",
    "btrim",
    "cardinality",
    "char_length",
    "character_length",
    "date_part",
    "date_trunc",
    "extract",
    "json_array_length",
    "json_typeof",
    "jsonb_array_length",
    "jsonb_typeof",
    "length",
    "lower",
    "ltrim",
    "mod",
    "octet_length",
    "regexp_like",
    "round",
    "rtrim",
    "starts_with",
    "trunc",
    "upper",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str) -> Expr {
        Expr::Column(vec![name.into()])
    }

    #[test]
    fn a_check_over_a_null_passes_unless_it_asks_for_null() {
        let known = |name: &str| (name == "z").then_some(Value::Null);
        let positive = Expr::Operator { name: ">".into(), args: vec![column("z"), Expr::Int(0)] };
        assert!(always_passes(&positive, &known));
        let not_null = Expr::IsNull { expr: Box::new(column("z")), negated: true };
        assert!(always_fails(&not_null, &known));
    }

    #[test]
    fn a_default_outside_of_the_list_fails_and_one_inside_passes() {
        let list = vec![Expr::Str("a".into()), Expr::Str("b".into())];
        let check = Expr::InList { expr: Box::new(column("z")), list, negated: false };
        assert!(always_passes(&check, &|_| Some(Value::Text("a".into()))));
        assert!(always_fails(&check, &|_| Some(Value::Text("x".into()))));
        assert!(!always_passes(&check, &|_| Some(Value::Present)));
        assert!(!always_fails(&check, &|_| Some(Value::Present)));
    }

    #[test]
    fn an_unknown_column_leaves_the_answer_open() {
        let known = |name: &str| (name == "z").then_some(Value::Null);
        let old = Expr::Operator { name: ">".into(), args: vec![column("old"), Expr::Int(0)] };
        let new = Expr::Operator { name: ">".into(), args: vec![column("z"), Expr::Int(0)] };
        assert!(!always_passes(&Expr::And(vec![old.clone(), new.clone()]), &known));
        let missing = Expr::IsNull { expr: Box::new(column("z")), negated: false };
        assert!(always_passes(&Expr::Or(vec![missing, old]), &known));
    }
}
