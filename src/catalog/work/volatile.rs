//! Is an expression volatile in the eyes of the planner (`contain_volatile_functions`), so that each row needs a value of its own?

use crate::catalog::Catalog;
use crate::catalog::object::{Id, Routine};
use crate::catalog::query;
use crate::catalog::types::{BaseType, DataType};
use crate::expr::{Call, Expr};
use crate::op::{ObjectName, Op, RoutineKind, Step, TypeRef, Volatility};
use crate::versions::volatility;

/// How deep SQL functions are followed into one another.
const DEPTH: usize = 8;

/// True where the value may be another for each row. A function that nobody declared is volatile, as the server's own default is.
pub(super) fn is_volatile(c: &Catalog, expr: &Expr) -> bool {
    of(c, expr, DEPTH) == Volatility::Volatile
}

/// The sequences that the expression moves on.
pub(super) fn sequences(c: &Catalog, expr: &Expr) -> Vec<Id> {
    let mut found = Vec::new();
    expr.walk(&mut |expr| {
        if let Expr::Call(call) = expr
            && matches!(call.name.name.as_str(), "nextval" | "setval")
            && let Some(text) = call.args.first().and_then(literal)
        {
            let parts = crate::catalog::session::split_quoted(text, '.');
            let name = match parts.as_slice() {
                [name] => ObjectName::bare(name.clone()),
                [.., schema, name] => ObjectName::qualified(schema.clone(), name.clone()),
                [] => return,
            };
            found.extend(c.resolve_relation(&name));
        }
    });
    found
}

fn literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Str(text) => Some(text),
        Expr::Cast { expr, .. } => literal(expr),
        _ => None,
    }
}

fn of(c: &Catalog, expr: &Expr, depth: usize) -> Volatility {
    let mut worst = Volatility::Immutable;
    let mut never = Vec::new();
    expr.walk(&mut |expr| {
        never.extend(left_out(expr));
        if !never.iter().any(|out: &&Expr| std::ptr::eq(*out, expr)) {
            worst = worst.max(own(c, expr, depth));
        } else {
            never.extend(children(expr));
        }
    });
    worst
}

/// Parts that constants before them decide never to be evaluated: the planner takes them out (`eval_const_expressions`).
fn left_out(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Coalesce(parts) => match parts.iter().position(|part| is_constant(part) && !part.is_null()) {
            Some(last) => parts.iter().skip(last + 1).collect(),
            None => Vec::new(),
        },
        Expr::Case { operand: None, arms, otherwise } => {
            let mut out: Vec<&Expr> = arms.iter().filter(|(when, _)| *when == Expr::Bool(false)).map(|(_, then)| then).collect();
            if let Some(last) = arms.iter().position(|(when, _)| *when == Expr::Bool(true)) {
                out.extend(arms.iter().skip(last + 1).flat_map(|(when, then)| [when, then]));
                out.extend(otherwise.as_deref());
            }
            out
        }
        _ => Vec::new(),
    }
}

fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Null | Expr::Bool(_) | Expr::Int(_) | Expr::Float(_) | Expr::Str(_) | Expr::Bit(_) => true,
        Expr::Cast { expr, .. } => is_constant(expr),
        _ => false,
    }
}

/// Everything below an expression.
fn children(expr: &Expr) -> Vec<&Expr> {
    let mut below = Vec::new();
    expr.walk(&mut |part| below.push(part));
    below
}

/// Of this node alone.
fn own(c: &Catalog, expr: &Expr, depth: usize) -> Volatility {
    match expr {
        Expr::Call(call) => of_call(c, call, depth),
        Expr::Operator { name, args } => {
            let types: Vec<DataType> = args.iter().map(|arg| type_of(c, arg)).collect();
            let names = Names::of(types.iter());
            volatility::of_operator(name, &names.list(), c.versions).unwrap_or(Volatility::Immutable)
        }
        Expr::Cast { expr, to } => of_cast(c, expr, to),
        Expr::SqlValue(_) | Expr::AtTimeZone { .. } => Volatility::Stable,
        // No default and no index may hold a query; where one stands all the same, it is no constant.
        Expr::Exists(_) | Expr::Scalar(_) | Expr::ArrayQuery(_) | Expr::QueryTest { .. } => Volatility::Stable,
        Expr::Null
        | Expr::Bool(_)
        | Expr::Int(_)
        | Expr::Float(_)
        | Expr::Str(_)
        | Expr::Bit(_)
        | Expr::Column(_)
        | Expr::Star(_)
        | Expr::Param(_)
        | Expr::InList { .. }
        | Expr::AnyAll { .. }
        | Expr::Between { .. }
        | Expr::Like { .. }
        | Expr::IsDistinct { .. }
        | Expr::NullIf { .. }
        | Expr::And(_)
        | Expr::Or(_)
        | Expr::Not(_)
        | Expr::IsNull { .. }
        | Expr::BooleanTest { .. }
        | Expr::Coalesce(_)
        | Expr::MinMax { .. }
        | Expr::Case { .. }
        | Expr::Array(_)
        | Expr::Row(_)
        | Expr::Subscript { .. }
        | Expr::Field { .. }
        | Expr::Collate { .. }
        | Expr::Other { .. } => Volatility::Immutable,
    }
}

fn of_cast(c: &Catalog, expr: &Expr, to: &TypeRef) -> Volatility {
    let target = c.data_type(to);
    let source = type_of(c, expr);
    match target.builtin_name() {
        Some(name) => volatility::of_cast(internal_name(&source).as_deref(), name).unwrap_or(Volatility::Stable),
        // Input functions of enums, domains and composites are stable at most.
        None => Volatility::Stable,
    }
}

/// The internal names of types, as the tables have them.
struct Names(Vec<Option<String>>);

impl Names {
    fn of<'t>(types: impl Iterator<Item = &'t DataType>) -> Names {
        Names(types.map(internal_name).collect())
    }
    fn list(&self) -> Vec<Option<&str>> {
        self.0.iter().map(Option::as_deref).collect()
    }
}

fn internal_name(data_type: &DataType) -> Option<String> {
    if query::is_literal(data_type) {
        return Some(volatility::LITERAL.to_string());
    }
    match &data_type.base {
        BaseType::Builtin(name) if data_type.array => Some(format!("_{name}")),
        BaseType::Builtin(name) => Some(name.to_string()),
        BaseType::User(_) | BaseType::Row(_) | BaseType::Unknown => None,
    }
}

fn type_of(c: &Catalog, expr: &Expr) -> DataType {
    // The analysis makes up what it does not know; that must not stay.
    let mut scratch = c.clone();
    query::analyze_expression(&mut scratch, expr, None).0
}

fn of_call(c: &Catalog, call: &Call, depth: usize) -> Volatility {
    let made: Vec<Id> = c.resolve_routines(&call.name);
    let mut fitting =
        made.iter().filter_map(|id| c.routines.get(id)).filter(|routine| takes(routine, call.args.len())).peekable();
    if fitting.peek().is_some() {
        return fitting.map(|routine| of_routine(c, routine, depth)).max().unwrap_or(Volatility::Volatile);
    }
    let args: Vec<DataType> = call.args.iter().map(|arg| type_of(c, arg)).collect();
    let names = Names::of(args.iter());
    let names = names.list();
    if matches!(call.name.schema.as_deref(), None | Some("pg_catalog"))
        && let Some(found) = volatility::of(&call.name.name, &names, c.versions)
    {
        return found;
    }
    let of_extension = |extension: &String| volatility::of_extension(extension, &call.name.name, &names, c.versions);
    c.extensions.keys().find_map(of_extension).unwrap_or(Volatility::Volatile)
}

fn takes(routine: &Routine, count: usize) -> bool {
    let inputs: Vec<_> = routine.args.iter().filter(|arg| arg.mode.is_input()).collect();
    let required = inputs.iter().filter(|arg| !arg.has_default && arg.mode != crate::op::ArgMode::Variadic).count();
    let variadic = inputs.iter().any(|arg| arg.mode == crate::op::ArgMode::Variadic);
    count >= required && (variadic || count <= inputs.len())
}

/// A function in SQL that is one expression is put in its place before anybody asks (`inline_function`), unless it says that it is
/// less volatile than its body.
fn of_routine(c: &Catalog, routine: &Routine, depth: usize) -> Volatility {
    if let Some(extension) = &routine.extension {
        let names = Names::of(routine.input_types());
        return volatility::of_extension(extension, &routine.name, &names.list(), c.versions).unwrap_or(routine.volatility);
    }
    let simple = routine.language == "sql"
        && routine.kind == RoutineKind::Function
        && !routine.security_definer
        && !routine.returns_set
        && routine.settings.is_empty();
    if routine.volatility != Volatility::Volatile || !simple || depth == 0 {
        return routine.volatility;
    }
    // One that is STRICT only where its body is, in every argument.
    let fits = |expr: &Expr| !routine.strict || is_strict_in(expr, &routine.args);
    match routine.body.steps.as_slice() {
        [Step::Return { expr: Some(expr), .. }] if fits(expr) => of(c, expr, depth - 1),
        [Step::Sql(statement)] => match &statement.op {
            Op::Select(query) if query.from.is_empty() && query.set_arms.is_empty() && !query.has_where => {
                match query.targets.as_slice() {
                    [target] if fits(&target.expr) => of(c, &target.expr, depth - 1),
                    _ => routine.volatility,
                }
            }
            _ => routine.volatility,
        },
        _ => routine.volatility,
    }
}

/// NULL in any argument makes it NULL: operators and casts alone, and each argument is used.
fn is_strict_in(expr: &Expr, args: &[crate::catalog::object::Argument]) -> bool {
    let mut strict = true;
    let mut used = vec![false; args.len()];
    expr.walk(&mut |part| match part {
        Expr::Operator { .. } | Expr::Cast { .. } => {}
        Expr::Param(number) => {
            let at = usize::try_from(*number).ok().and_then(|number| number.checked_sub(1));
            if let Some(slot) = at.and_then(|at| used.get_mut(at)) {
                *slot = true;
            }
        }
        Expr::Column(path) => {
            let at = args.iter().position(|arg| arg.name.as_ref() == path.last());
            match at.and_then(|at| used.get_mut(at)) {
                Some(slot) => *slot = true,
                None => strict = false,
            }
        }
        other => strict &= is_constant(other),
    });
    strict && used.iter().all(|used| *used)
}
