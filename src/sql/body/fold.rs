//! Constant folding of the text that EXECUTE runs: literals, `||`, `format()`, quoting functions and variables that are known
//! to hold a constant. By the server's rules, or not at all: what is not certain is no constant.

use crate::expr::Expr;
use crate::sql::names::quote_literal;
use pg_query::Node;
use pg_query::protobuf::node::Node as Kind;
use pg_query::protobuf::{AExprKind, FuncCall, KeywordKind, TypeName, a_const};
use std::collections::BTreeMap;

/// A value that is known when the text is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Null,
    Text(String),
    Integer(i64),
    /// A one-dimensional array of text or integers.
    Array(Vec<Option<String>>),
}

impl Value {
    /// The constant itself; an array has none here.
    pub fn as_expr(&self) -> Option<Expr> {
        match self {
            Value::Null => Some(Expr::Null),
            Value::Text(text) => Some(Expr::Str(text.clone())),
            Value::Integer(number) => Some(Expr::Int(*number)),
            Value::Array(_) => None,
        }
    }

    /// As text, NULL as `None`; an outer `None` for what has no single text.
    fn text(&self) -> Option<Option<String>> {
        match self {
            Value::Null => Some(None),
            Value::Text(text) => Some(Some(text.clone())),
            Value::Integer(number) => Some(Some(number.to_string())),
            Value::Array(_) => None,
        }
    }
}

/// The variables that hold a known value here, by folded name; a field of a record as `record.field`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    values: BTreeMap<String, Value>,
}

impl Environment {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Sets a variable, or forgets it.
    pub fn set(&mut self, name: &str, value: Option<Value>) {
        match value {
            Some(value) => {
                self.values.insert(name.into(), value);
            }
            None => {
                // A record's fields go with it.
                let fields = format!("{name}.");
                self.values.retain(|known, _| known != name && !known.starts_with(&fields));
            }
        }
    }

    /// What is known whichever of two ways was taken.
    pub fn join(&mut self, other: &Environment) {
        self.values.retain(|name, value| other.get(name) == Some(value));
    }
}

/// The value of an expression, if it is a constant.
pub fn fold(node: &Node, environment: &Environment) -> Option<Value> {
    match node.node.as_ref()? {
        Kind::AConst(constant) if constant.isnull => Some(Value::Null),
        Kind::AConst(constant) => match constant.val.as_ref()? {
            a_const::Val::Sval(text) => Some(Value::Text(text.sval.clone())),
            a_const::Val::Ival(number) => Some(Value::Integer(number.ival.into())),
            a_const::Val::Fval(number) => number.fval.parse().ok().map(Value::Integer),
            a_const::Val::Boolval(_) | a_const::Val::Bsval(_) => None,
        },
        Kind::ColumnRef(column) => {
            let names: Option<Vec<_>> = column.fields.iter().map(string).collect();
            environment.get(&names?.join(".")).cloned()
        }
        Kind::AExpr(expression) if expression.kind() == AExprKind::AexprOp => {
            let [name] = expression.name.as_slice() else { return None };
            let left = fold(expression.lexpr.as_deref()?, environment)?;
            let right = fold(expression.rexpr.as_deref()?, environment)?;
            operator(string(name)?, &left, &right)
        }
        Kind::TypeCast(node) => cast(fold(node.arg.as_deref()?, environment)?, node.type_name.as_ref()?),
        Kind::AArrayExpr(array) => {
            array.elements.iter().map(|element| fold(element, environment)?.text()).collect::<Option<_>>().map(Value::Array)
        }
        Kind::CoalesceExpr(coalesce) => {
            for argument in &coalesce.args {
                match fold(argument, environment)? {
                    Value::Null => {}
                    value => return Some(value),
                }
            }
            Some(Value::Null)
        }
        Kind::FuncCall(call) => function(call, environment),
        _ => None,
    }
}

fn string(node: &Node) -> Option<&str> {
    match node.node.as_ref()? {
        Kind::String(text) => Some(&text.sval),
        _ => None,
    }
}

fn operator(name: &str, left: &Value, right: &Value) -> Option<Value> {
    match (name, left, right) {
        // Two numbers have no `||`.
        ("||", Value::Integer(_), Value::Integer(_)) => None,
        ("||", _, _) => {
            let (left, right) = (left.text()?, right.text()?);
            Some(left.zip(right).map_or(Value::Null, |(left, right)| Value::Text(left + &right)))
        }
        ("+", Value::Integer(a), Value::Integer(b)) => integer(a.checked_add(*b)?),
        ("-", Value::Integer(a), Value::Integer(b)) => integer(a.checked_sub(*b)?),
        ("*", Value::Integer(a), Value::Integer(b)) => integer(a.checked_mul(*b)?),
        _ => None,
    }
}

/// In the range of the server's `integer`: past it the result has another type or is an error.
fn integer(number: i64) -> Option<Value> {
    i32::try_from(number).ok().map(|number| Value::Integer(number.into()))
}

/// What a cast to a type makes of a value.
fn cast(value: Value, to: &TypeName) -> Option<Value> {
    if to.setof || to.pct_type || !to.typmods.is_empty() {
        return None;
    }
    let names: Vec<_> = to.names.iter().map(string).collect::<Option<_>>()?;
    match names.as_slice() {
        [name] | ["pg_catalog", name] => convert(value, name, to.array_bounds.len()),
        _ => None,
    }
}

/// What a variable of a type, as it is written in lower case, keeps of a value.
pub fn store(value: Value, type_text: &str) -> Option<Value> {
    let (name, dimensions) = match type_text.strip_suffix("[ ]").or_else(|| type_text.strip_suffix("array")) {
        Some(name) => (name.trim_end(), 1),
        None => (type_text, 0),
    };
    let name = match name {
        "character varying" => "varchar",
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        name => name,
    };
    convert(value, name, dimensions)
}

/// What a value is in a type, by the parser's name for it; `None` for types whose text is not the value's own.
fn convert(value: Value, name: &str, dimensions: usize) -> Option<Value> {
    let is_text = matches!(name, "text" | "varchar" | "name");
    let is_integer = matches!(name, "int2" | "int4" | "int8");
    match (value, dimensions) {
        (Value::Null, _) => Some(Value::Null),
        (Value::Array(elements), 1) if is_text || (is_integer && elements.iter().flatten().all(|e| e.parse::<i64>().is_ok())) => {
            Some(Value::Array(elements))
        }
        (Value::Text(text), 1) if is_text => array_literal(&text).map(Value::Array),
        (value, 0) if is_text => {
            const NAME_LENGTH: usize = 63;
            let text = value.text()??;
            (name != "name" || text.len() <= NAME_LENGTH).then_some(Value::Text(text))
        }
        (Value::Integer(number), 0) if is_integer => integer(number),
        (Value::Text(text), 0) if is_integer => integer(text.trim().parse().ok()?),
        _ => None,
    }
}

/// `{a,b}` where no element needs quotes.
fn array_literal(text: &str) -> Option<Vec<Option<String>>> {
    let inside = text.strip_prefix('{')?.strip_suffix('}')?;
    if inside.is_empty() {
        return Some(Vec::new());
    }
    inside
        .split(',')
        .map(|element| {
            let is_plain = !element.is_empty()
                && !element.eq_ignore_ascii_case("null")
                && element.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
            is_plain.then(|| Some(element.to_owned()))
        })
        .collect()
}

fn function(call: &FuncCall, environment: &Environment) -> Option<Value> {
    let names: Vec<_> = call.funcname.iter().map(string).collect::<Option<_>>()?;
    let name = match names.as_slice() {
        [name] | ["pg_catalog", name] => *name,
        _ => return None,
    };
    if call.func_variadic || call.agg_distinct || call.agg_filter.is_some() || call.over.is_some() || !call.agg_order.is_empty() {
        return None;
    }
    let known = ["format", "concat", "quote_ident", "quote_literal", "quote_nullable", "lower", "upper", "replace"];
    if !known.contains(&name) {
        return None;
    }
    let arguments: Vec<_> = call.args.iter().map(|argument| fold(argument, environment)?.text()).collect::<Option<_>>()?;
    let text = |text: String| Some(Value::Text(text));
    match (name, arguments.as_slice()) {
        ("concat", [_, ..]) => text(arguments.into_iter().flatten().collect()),
        ("format", [Some(template), values @ ..]) => format(template, values).map(Value::Text),
        ("quote_nullable", [None]) => text("NULL".into()),
        ("quote_nullable" | "quote_literal", [Some(value)]) => text(quote_literal(value)),
        ("quote_ident", [Some(value)]) => quote_ident(value).map(Value::Text),
        ("lower", [Some(value)]) if value.is_ascii() => text(value.to_ascii_lowercase()),
        ("upper", [Some(value)]) if value.is_ascii() => text(value.to_ascii_uppercase()),
        ("replace", [Some(value), Some(from), Some(to)]) if !from.is_empty() => text(value.replace(from, to)),
        ("format" | "quote_literal" | "quote_ident" | "lower" | "upper" | "replace", [_, ..]) if arguments.contains(&None) => {
            Some(Value::Null)
        }
        _ => None,
    }
}

/// `format()` of the server; `None` where it would be an error. (documentation, 9.4.1)
fn format(template: &str, values: &[Option<String>]) -> Option<String> {
    let mut out = String::with_capacity(template.len());
    let mut next = 0;
    let mut rest = template.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut specifier = String::new();
        let kind = loop {
            match rest.next()? {
                kind @ ('%' | 's' | 'I' | 'L') => break kind,
                c @ ('0'..='9' | '$' | '-') => specifier.push(c),
                _ => return None,
            }
        };
        if kind == '%' {
            specifier.is_empty().then_some(())?;
            out.push('%');
            continue;
        }
        let (position, width) = match specifier.split_once('$') {
            Some((position, width)) => (Some(position), width),
            None => (None, specifier.as_str()),
        };
        let index = match position {
            Some(position) => position.parse::<usize>().ok()?.checked_sub(1)?,
            None => next,
        };
        next = index + 1;
        let value = values.get(index)?.as_deref();
        let text = match (kind, value) {
            ('I', None) => return None,
            ('I', Some(value)) => quote_ident(value)?,
            ('L', None) => "NULL".into(),
            ('L', Some(value)) => quote_literal(value),
            (_, value) => value.unwrap_or_default().to_owned(),
        };
        pad(&mut out, &text, width)?;
    }
    Some(out)
}

fn pad(out: &mut String, text: &str, width: &str) -> Option<()> {
    const WIDEST: usize = 1000;
    let (left, width) = width.strip_prefix('-').map_or((false, width), |width| (true, width));
    let width: usize = if width.is_empty() { 0 } else { width.parse().ok()? };
    (width <= WIDEST).then_some(())?;
    let blanks = " ".repeat(width.saturating_sub(text.chars().count()));
    if left {
        out.extend([text, &blanks]);
    } else {
        out.extend([&blanks, text]);
    }
    Some(())
}

/// As `quote_ident` of the server: safe are lower-case names that are no keyword, or one without a meaning of its own.
pub fn quote_ident(value: &str) -> Option<String> {
    let mut letters = value.bytes();
    let is_name = letters.next().is_some_and(|c| c.is_ascii_lowercase() || c == b'_')
        && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
    if is_name {
        let tokens = pg_query::scan_tokens(value).ok()?;
        let is_free = |kind: i32| kind == KeywordKind::NoKeyword as i32 || kind == KeywordKind::UnreservedKeyword as i32;
        if tokens.iter().all(|token| is_free(token.keyword_kind)) {
            return Some(value.into());
        }
    }
    Some(format!("\"{}\"", value.replace('"', "\"\"")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::body::embedded::select;
    use crate::sql::ffi::Mode;

    fn folded(text: &str) -> Option<Value> {
        let mut environment = Environment::default();
        environment.set("tbl", Some(Value::Text("My \"T".into())));
        environment.set("n", Some(Value::Integer(7)));
        environment.set("r.f", Some(Value::Text("x".into())));
        fold(select(text, Mode::Expression).expect("parses").value()?, &environment)
    }

    fn text(source: &str) -> Option<String> {
        match folded(source) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    #[test]
    fn constants_fold_as_on_the_server() {
        // Each right side is what PostgreSQL 15 answers.
        for (source, expected) in [
            ("'a' || 'b' || 1", "ab1"),
            ("E'a\\n' || $$b$$ || U&'\\0063'", "a\nbc"),
            ("format('DROP TABLE %I.%I', 'public', tbl)", "DROP TABLE public.\"My \"\"T\""),
            ("format('%s %L %L %%', n, 'it''s', 'a\\b')", "7 'it''s' E'a\\\\b' %"),
            ("format('%2$s %1$s %s', 'a', 'b')", "b a b"),
            ("format('|%5s|%-5s|%1$-3s|', 'a', 'b')", "|    a|b    |a  |"),
            ("format('%L', NULL)", "NULL"),
            ("format('%s', NULL)", ""),
            (
                "quote_ident('select') || quote_ident('name') || quote_ident('Ab') || quote_ident('int') || quote_ident('')",
                "\"select\"name\"Ab\"\"int\"\"\"",
            ),
            ("quote_literal('a''b')", "'a''b'"),
            ("concat('a', NULL, 2)", "a2"),
            ("pg_catalog.format('x')", "x"),
            ("'a'::text || lower('B') || upper('c') || replace('xyx', 'x', 'z')", "abCzyz"),
            ("coalesce(NULL, r.f)", "x"),
            ("'p' || (n + 1)::text", "p8"),
        ] {
            assert_eq!(text(source).as_deref(), Some(expected), "{source}");
        }
    }

    #[test]
    fn arrays_fold() {
        let array = |names: &[&str]| Some(Value::Array(names.iter().map(|name| Some((*name).to_owned())).collect()));
        assert_eq!(folded("ARRAY['a', 'b']"), array(&["a", "b"]));
        assert_eq!(folded("ARRAY['a', 'b']::text[]"), array(&["a", "b"]));
        assert_eq!(folded("'{a,b}'::text[]"), array(&["a", "b"]));
        assert_eq!(folded("'{a,\"b c\"}'::text[]"), None);
    }

    #[test]
    fn what_depends_on_the_server_is_no_constant() {
        for source in [
            "current_schema() || 'a'",
            "current_user || 'a'",
            "unknown",
            "'a' || other",
            "'t'::regclass",
            "'a'::varchar(3)",
            "format('%I', NULL)",
            "format('%s %s', 'a')",
            "format('%d', 1)",
            "my.format('x')",
            "1 || 2",
            "now()::text",
            "2147483647 + 1",
        ] {
            assert_eq!(folded(source), None, "{source}");
        }
    }

    #[test]
    fn null_swallows_concatenation() {
        assert_eq!(folded("'a' || NULL"), Some(Value::Null));
        assert_eq!(folded("quote_ident(NULL)"), Some(Value::Null));
    }

    #[test]
    fn joining_keeps_what_both_ways_agree_on() {
        let mut one = Environment::default();
        one.set("a", Some(Value::Integer(1)));
        one.set("b", Some(Value::Integer(2)));
        let mut two = one.clone();
        two.set("b", Some(Value::Integer(3)));
        one.join(&two);
        assert_eq!((one.get("a"), one.get("b")), (Some(&Value::Integer(1)), None));
    }
}
