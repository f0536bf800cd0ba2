//! FROM: joins flattened into items in the order of text.

use super::expression::list;
use super::node::{relation, strings};
use super::select::subquery;
use super::types::required_type;
use super::{Lowering, expr, json};
use crate::expr::Expr;
use crate::op::{FromItem, Query, Target};
use pg_query::NodeEnum;
use pg_query::protobuf::{Alias, JoinExpr, Node, RangeFunction, RangeTableFunc};

/// What a FROM clause gives to its query.
#[derive(Default)]
pub struct Sources {
    pub items: Vec<FromItem>,
    /// Join conditions, sampling arguments, arguments of table functions.
    pub conditions: Vec<Expr>,
    pub merged: Vec<String>,
    pub natural: bool,
}

/// Lowers the items of a FROM or USING clause.
pub fn from_items(nodes: &[Node], cx: &Lowering<'_>) -> Sources {
    let mut sources = Sources::default();
    for node in nodes {
        add(node, &mut sources, cx);
    }
    sources
}

fn add(node: &Node, sources: &mut Sources, cx: &Lowering<'_>) {
    match &node.node {
        Some(NodeEnum::RangeVar(range)) => {
            let (alias, column_aliases) = aliases(range.alias.as_ref());
            sources.items.push(FromItem::Relation { name: relation(range), alias, column_aliases, only: !range.inh });
        }
        Some(NodeEnum::RangeSubselect(select)) => {
            let (alias, column_aliases) = aliases(select.alias.as_ref());
            let query = Box::new(select.subquery.as_deref().map_or_else(Query::default, |query| subquery(query, cx)));
            sources.items.push(FromItem::Subquery { query, alias, column_aliases, lateral: select.lateral });
        }
        Some(NodeEnum::RangeFunction(function)) => sources.items.push(range_function(function, cx)),
        Some(NodeEnum::JoinExpr(join)) => add_join(join, sources, cx),
        Some(NodeEnum::RangeTableSample(sample)) => {
            if let Some(sampled) = sample.relation.as_deref() {
                add(sampled, sources, cx);
            }
            sources.conditions.extend(list(&sample.args, cx));
            sources.conditions.extend(sample.repeatable.as_deref().map(|seed| expr(seed, cx)));
        }
        Some(NodeEnum::RangeTableFunc(table)) => add_xml_table(table, sources, cx),
        Some(NodeEnum::JsonTable(table)) => {
            let (alias, column_aliases) = aliases(table.alias.as_ref());
            sources.conditions.extend(json::table_expressions(table, cx));
            sources.items.push(FromItem::Other { alias, columns: renamed(json::table_columns(table), column_aliases) });
        }
        Some(_) => sources.items.push(FromItem::Other { alias: None, columns: Vec::new() }),
        None => {}
    }
}

/// A join with an alias hides the names of its sides: it is the subquery `SELECT * FROM join`.
fn add_join(join: &JoinExpr, sources: &mut Sources, cx: &Lowering<'_>) {
    // Left-leaning chains of joins are followed in a loop, in the order of text.
    let mut links = vec![join];
    let mut left = join.larg.as_deref();
    while let Some(Node { node: Some(NodeEnum::JoinExpr(inner)) }) = left
        && inner.alias.is_none()
        && links.last().is_some_and(|link| link.alias.is_none())
    {
        links.push(inner);
        left = inner.larg.as_deref();
    }
    let mut inside = Sources::default();
    if let Some(left) = left {
        add(left, &mut inside, cx);
    }
    for link in links.into_iter().rev() {
        if let Some(right) = link.rarg.as_deref() {
            add(right, &mut inside, cx);
        }
        inside.conditions.extend(link.quals.as_deref().map(|condition| expr(condition, cx)));
        inside.merged.extend(strings(&link.using_clause));
        inside.natural |= link.is_natural;
    }
    if join.alias.is_some() {
        let mut query = Query { targets: vec![Target { name: None, expr: Expr::Star(Vec::new()) }], ..Query::default() };
        super::select::take_sources(&mut query, inside);
        let (alias, column_aliases) = aliases(join.alias.as_ref());
        sources.items.push(FromItem::Subquery { query: Box::new(query), alias, column_aliases, lateral: false });
    } else {
        sources.items.extend(inside.items);
        sources.conditions.extend(inside.conditions);
        sources.merged.extend(inside.merged);
        sources.natural |= inside.natural;
    }
}

fn range_function(function: &RangeFunction, cx: &Lowering<'_>) -> FromItem {
    let (alias, mut column_aliases) = aliases(function.alias.as_ref());
    let mut calls = Vec::new();
    let mut column_types = Vec::new();
    let mut define = |nodes: &[Node]| {
        for node in nodes {
            if let Some(NodeEnum::ColumnDef(column)) = &node.node {
                column_aliases.push(column.colname.clone());
                column_types.push(required_type(column.type_name.as_ref()));
            }
        }
    };
    // Each member of ROWS FROM is a pair: the call, and its column definitions or nothing.
    for member in &function.functions {
        let pair = super::node::items(member);
        calls.extend(pair.first().map(|call| expr(call, cx)));
        for definitions in pair.get(1..).unwrap_or_default() {
            define(super::node::items(definitions));
        }
    }
    define(&function.coldeflist);
    FromItem::Function { calls, alias, column_aliases, column_types, ordinality: function.ordinality }
}

fn add_xml_table(table: &RangeTableFunc, sources: &mut Sources, cx: &Lowering<'_>) {
    let (alias, column_aliases) = aliases(table.alias.as_ref());
    let mut columns = Vec::new();
    sources.conditions.extend(table.docexpr.iter().chain(&table.rowexpr).map(|part| expr(part, cx)));
    sources.conditions.extend(list(&table.namespaces, cx));
    for node in &table.columns {
        if let Some(NodeEnum::RangeTableFuncCol(column)) = &node.node {
            columns.push(column.colname.clone());
            sources.conditions.extend(column.colexpr.iter().chain(&column.coldefexpr).map(|part| expr(part, cx)));
        }
    }
    sources.items.push(FromItem::Other { alias, columns: renamed(columns, column_aliases) });
}

fn aliases(alias: Option<&Alias>) -> (Option<String>, Vec<String>) {
    alias.map_or((None, Vec::new()), |alias| (Some(alias.aliasname.clone()), strings(&alias.colnames)))
}

/// Column aliases replace the first names; the rest keep theirs.
fn renamed(mut columns: Vec<String>, aliases: Vec<String>) -> Vec<String> {
    for (column, alias) in columns.iter_mut().zip(aliases) {
        *column = alias;
    }
    columns
}
