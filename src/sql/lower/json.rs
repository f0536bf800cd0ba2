//! SQL/JSON constructors and query functions: [`Expr::Other`] with all their children.

use super::Lowering;
use super::expression::{list, lower as expr, optional, other};
use super::node::kind_name;
use super::select::window;
use super::select::{sort_keys, subquery};
use crate::expr::Expr;
use pg_query::NodeEnum;
use pg_query::protobuf::{
    JsonAggConstructor, JsonBehavior, JsonFuncExpr, JsonKeyValue, JsonTable, JsonTableColumn, JsonValueExpr, Node,
};

/// Lowers a JSON node; `None` for any other.
pub fn lower(node: &NodeEnum, cx: &Lowering<'_>) -> Option<Expr> {
    let children = match node {
        NodeEnum::JsonValueExpr(json) => value(Some(json), cx),
        NodeEnum::JsonIsPredicate(json) => optional(json.expr.as_deref(), cx).into_iter().collect(),
        NodeEnum::JsonArgument(json) => value(json.val.as_deref(), cx),
        NodeEnum::JsonKeyValue(json) => key_value(Some(json), cx),
        NodeEnum::JsonFuncExpr(json) => function(json, cx),
        NodeEnum::JsonParseExpr(json) => value(json.expr.as_deref(), cx),
        NodeEnum::JsonScalarExpr(json) => optional(json.expr.as_deref(), cx).into_iter().collect(),
        NodeEnum::JsonSerializeExpr(json) => value(json.expr.as_deref(), cx),
        NodeEnum::JsonObjectConstructor(json) => list(&json.exprs, cx),
        NodeEnum::JsonArrayConstructor(json) => list(&json.exprs, cx),
        NodeEnum::JsonArrayQueryConstructor(json) => {
            json.query.iter().map(|query| Expr::Scalar(Box::new(subquery(query, cx)))).collect()
        }
        NodeEnum::JsonObjectAgg(json) => {
            let mut children = key_value(json.arg.as_deref(), cx);
            children.extend(aggregate(json.constructor.as_deref(), cx));
            children
        }
        NodeEnum::JsonArrayAgg(json) => {
            let mut children = value(json.arg.as_deref(), cx);
            children.extend(aggregate(json.constructor.as_deref(), cx));
            children
        }
        _ => return None,
    };
    Some(other(&kind_name(node), children))
}

/// The expressions of a JSON_TABLE: its context, its arguments and the defaults of its columns.
pub fn table_expressions(table: &JsonTable, cx: &Lowering<'_>) -> Vec<Expr> {
    let mut found = value(table.context_item.as_deref(), cx);
    found.extend(list(&table.passing, cx));
    found.extend(behaviour(table.on_error.as_deref(), cx));
    for column in columns(&table.columns) {
        found.extend(behaviour(column.on_empty.as_deref(), cx));
        found.extend(behaviour(column.on_error.as_deref(), cx));
    }
    found
}

/// The columns of a JSON_TABLE in output order, those of NESTED PATH in their place.
pub fn table_columns(table: &JsonTable) -> Vec<String> {
    columns(&table.columns).into_iter().filter(|column| !column.name.is_empty()).map(|column| column.name.clone()).collect()
}

fn columns(nodes: &[Node]) -> Vec<&JsonTableColumn> {
    let mut found = Vec::new();
    for node in nodes {
        if let Some(NodeEnum::JsonTableColumn(column)) = &node.node {
            if column.columns.is_empty() {
                found.push(column.as_ref());
            } else {
                found.extend(columns(&column.columns));
            }
        }
    }
    found
}

fn value(json: Option<&JsonValueExpr>, cx: &Lowering<'_>) -> Vec<Expr> {
    json.and_then(|json| json.raw_expr.as_deref()).map(|raw| expr(raw, cx)).into_iter().collect()
}

fn key_value(json: Option<&JsonKeyValue>, cx: &Lowering<'_>) -> Vec<Expr> {
    let Some(json) = json else { return Vec::new() };
    let mut children: Vec<Expr> = optional(json.key.as_deref(), cx).into_iter().collect();
    children.extend(value(json.value.as_deref(), cx));
    children
}

fn behaviour(json: Option<&JsonBehavior>, cx: &Lowering<'_>) -> Option<Expr> {
    json.and_then(|json| json.expr.as_deref()).map(|default| expr(default, cx))
}

fn function(json: &JsonFuncExpr, cx: &Lowering<'_>) -> Vec<Expr> {
    let mut children = value(json.context_item.as_deref(), cx);
    children.extend(optional(json.pathspec.as_deref(), cx));
    children.extend(list(&json.passing, cx));
    children.extend(behaviour(json.on_empty.as_deref(), cx));
    children.extend(behaviour(json.on_error.as_deref(), cx));
    children
}

fn aggregate(json: Option<&JsonAggConstructor>, cx: &Lowering<'_>) -> Vec<Expr> {
    let Some(json) = json else { return Vec::new() };
    let mut children: Vec<Expr> = optional(json.agg_filter.as_deref(), cx).into_iter().collect();
    children.extend(sort_keys(&json.agg_order, cx));
    if let Some(over) = &json.over {
        children.extend(window(over, cx));
    }
    children
}
