//! Functions, procedures, aggregates, DO and CALL.

use super::definition::{boolean, elements, find, text, type_value};
use super::expression::call as lower_call;
use super::node::{argument_types, items, name_of, optional, strings};
use super::object::{kind_of, routine};
use super::session::setting;
use super::text::{atomic_statements, element_end, literal_after, word_at};
use super::types::{required_type, type_ref};
use super::{Lowering, expr, statement};
use crate::expr::Expr;
use crate::op::{ArgMode, Body, CreateRoutine, Op, RoutineArg, RoutineKind, SettingValue, Statement, Step, TypeRef, Volatility};
use crate::sql::{body, lex};
use pg_query::NodeEnum;
use pg_query::protobuf::{
    AlterFunctionStmt, CallStmt, CreateFunctionStmt, DefElem, DefineStmt, DoStmt, FunctionParameter, FunctionParameterMode, Node,
    VariableSetStmt,
};

pub fn create(stmt: &CreateFunctionStmt, start: usize, end: usize, cx: &Lowering<'_>) -> Op {
    let options = &stmt.options;
    let language = match find(options, "language").and_then(text) {
        Some(language) => language.to_ascii_lowercase(),
        // The server takes SQL for a body without quotes, and refuses to guess for a quoted one.
        None => "sql".into(),
    };
    Op::CreateRoutine(CreateRoutine {
        name: name_of(&stmt.funcname),
        kind: if stmt.is_procedure { RoutineKind::Procedure } else { RoutineKind::Function },
        or_replace: stmt.replace,
        args: stmt.parameters.iter().filter_map(|node| argument(node, cx)).collect(),
        returns: stmt.return_type.as_ref().map(type_ref),
        body: match &stmt.sql_body {
            Some(sql) => sql_body(sql, start, end, cx),
            None => quoted_body(&language, find(options, "as"), true, end, cx),
        },
        language,
        volatility: match find(options, "volatility").and_then(text).as_deref() {
            Some("immutable") => Volatility::Immutable,
            Some("stable") => Volatility::Stable,
            _ => Volatility::Volatile,
        },
        strict: find(options, "strict").is_some_and(boolean),
        security_definer: find(options, "security").is_some_and(boolean),
        settings: settings(options),
    })
}

fn argument(node: &Node, cx: &Lowering<'_>) -> Option<RoutineArg> {
    match node.node.as_ref()? {
        NodeEnum::FunctionParameter(parameter) => Some(RoutineArg {
            name: optional(&parameter.name),
            type_ref: required_type(parameter.arg_type.as_ref()),
            mode: mode(parameter),
            default: parameter.defexpr.as_deref().map(|default| expr(default, cx)),
        }),
        _ => None,
    }
}

fn mode(parameter: &FunctionParameter) -> ArgMode {
    match parameter.mode() {
        FunctionParameterMode::FuncParamOut => ArgMode::Out,
        FunctionParameterMode::FuncParamInout => ArgMode::InOut,
        FunctionParameterMode::FuncParamVariadic => ArgMode::Variadic,
        FunctionParameterMode::FuncParamTable => ArgMode::Table,
        FunctionParameterMode::FuncParamIn | FunctionParameterMode::FuncParamDefault | FunctionParameterMode::Undefined => {
            ArgMode::In
        }
    }
}

fn settings(options: &[Node]) -> Vec<(String, String)> {
    elements(options)
        .filter_map(variable)
        .map(setting)
        .filter_map(|parameter| {
            let value = match parameter.value {
                SettingValue::Values(values) => values.join(", "),
                // As if it were not written: `update_proconfig_value`.
                SettingValue::Default => return None,
                SettingValue::FromCurrent => "from current".into(),
            };
            Some((parameter.name, value))
        })
        .collect()
}

fn variable(element: &DefElem) -> Option<&VariableSetStmt> {
    match element.arg.as_deref()?.node.as_ref()? {
        NodeEnum::VariableSetStmt(stmt) => Some(stmt),
        _ => None,
    }
}

/// A body in quotes, of a routine that keeps it or of a DO. `AS 'object', 'symbol'` names code outside of SQL.
fn quoted_body(language: &str, source: Option<&DefElem>, is_kept: bool, end: usize, cx: &Lowering<'_>) -> Body {
    let opaque = |text: String, why: &str| Body {
        language: language.into(),
        steps: Vec::new(),
        text,
        opaque: Some(why.into()),
        bound: false,
    };
    let Some(source) = source else { return opaque(String::new(), "no body") };
    let parts = source.arg.as_deref().map(|arg| strings(items(arg))).unwrap_or_default();
    let [only] = parts.as_slice() else { return opaque(parts.join(", "), "code in an object file") };
    if matches!(language, "c" | "internal") {
        return opaque(only.clone(), "code in an object file");
    }
    let literal = usize::try_from(source.location).ok().and_then(|from| literal_after(cx.text, from, end));
    match literal {
        Some((from, to)) => body::open(language, only, is_kept, from, to, cx),
        None => opaque(only.clone(), "the body has no place in the text"),
    }
}

/// A body in SQL itself: `RETURN expression` or `BEGIN ATOMIC … END`.
fn sql_body(node: &Node, start: usize, end: usize, cx: &Lowering<'_>) -> Body {
    if let Some(NodeEnum::ReturnStmt(stmt)) = &node.node {
        let from = word_at(cx.text, start, end, "return").unwrap_or(start);
        let step = return_step(stmt.returnval.as_deref(), from, element_end(cx.text, from, end), cx);
        return Body {
            language: "sql".into(),
            steps: vec![step],
            text: lex::normalise(cx.slice(from, end)),
            opaque: None,
            bound: true,
        };
    }
    // One list around the list of statements; empty statements are not in it.
    let statements: Vec<&Node> = items(node).iter().flat_map(items).filter(|node| node.node.is_some()).collect();
    let from = word_at(cx.text, start, end, "atomic").unwrap_or(start);
    let ranges = atomic_statements(cx.text, from, end);
    let whole = ranges.len() != statements.len();
    let steps = statements
        .into_iter()
        .enumerate()
        .map(|(index, inner)| {
            let (from, to) = if whole { (start, end) } else { ranges[index] };
            match &inner.node {
                Some(NodeEnum::ReturnStmt(stmt)) => return_step(stmt.returnval.as_deref(), from, to, cx),
                _ => Step::Sql(Statement { span: cx.positions.span(from, to), op: statement(inner, from, to, cx) }),
            }
        })
        .collect();
    Body { language: "sql".into(), steps, text: lex::normalise(cx.slice(from, end)), opaque: None, bound: true }
}

fn return_step(value: Option<&Node>, from: usize, to: usize, cx: &Lowering<'_>) -> Step {
    Step::Return { expr: value.map(|value| expr(value, cx)), span: cx.positions.span(from, to) }
}

pub fn alter(stmt: &AlterFunctionStmt) -> Op {
    let (Some(kind), Some(target)) = (kind_of(stmt.objtype()), &stmt.func) else {
        return Op::Unclassified { node: "AlterFunctionStmt".into() };
    };
    Op::AlterRoutine { routine: routine(kind, target), changes: elements(&stmt.actions).map(change).collect() }
}

fn change(element: &DefElem) -> String {
    let value = text(element).unwrap_or_default();
    let choose = |on: &str, off: &str| if boolean(element) { on.to_owned() } else { off.to_owned() };
    match element.defname.as_str() {
        "volatility" => value,
        "strict" => choose("strict", "called on null input"),
        "security" => choose("security definer", "security invoker"),
        "leakproof" => choose("leakproof", "not leakproof"),
        "set" => match variable(element).map(setting) {
            Some(parameter) if parameter.value == SettingValue::Default => format!("reset {}", parameter.name),
            Some(parameter) => format!("set {}", parameter.name),
            None => "set".into(),
        },
        "parallel" => format!("parallel {}", value.to_ascii_lowercase()),
        name => name.to_ascii_lowercase(),
    }
}

/// CREATE AGGREGATE, in the new spelling (arguments in parentheses) and the old (`basetype = …`).
pub fn create_aggregate(stmt: &DefineStmt) -> Op {
    let args: Vec<TypeRef> = if stmt.oldstyle {
        // `basetype = 'ANY'` is how the old spelling says `*`.
        find(&stmt.definition, "basetype").and_then(type_value).filter(|base| base.name.name != "any").into_iter().collect()
    } else {
        stmt.args.first().map(|list| argument_types(items(list))).unwrap_or_default()
    };
    Op::CreateAggregate {
        name: name_of(&stmt.defnames),
        or_replace: stmt.replace,
        args,
        state: find(&stmt.definition, "stype").and_then(type_value),
        final_function: find(&stmt.definition, "finalfunc").and_then(super::definition::name),
    }
}

/// DO; the language is plpgsql unless it says otherwise.
pub fn do_block(stmt: &DoStmt, end: usize, cx: &Lowering<'_>) -> Op {
    let language = find(&stmt.args, "language").and_then(text).map_or_else(|| "plpgsql".into(), |name| name.to_ascii_lowercase());
    Op::Do(quoted_body(&language, find(&stmt.args, "as"), false, end, cx))
}

pub fn call(stmt: &CallStmt, cx: &Lowering<'_>) -> Op {
    match stmt.funccall.as_deref().map(|function| lower_call(function, cx)) {
        Some(Expr::Call(call)) => Op::Call { routine: call.name, args: call.args },
        _ => Op::Unclassified { node: "CallStmt".into() },
    }
}
