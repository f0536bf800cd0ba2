//! SELECT, VALUES and set operations.
//!
//! Nothing that could name a column, a function or a relation is lost: what has no place of its own is in `conditions`.

use super::column_name::column_name;
use super::from::{Sources, from_items};
use super::node::{optional, string, strings};
use super::{Lowering, dml, expr};
use crate::expr::Expr;
use crate::op::{Query, Target};
use pg_query::NodeEnum;
use pg_query::protobuf::{CommonTableExpr, Node, SelectStmt, SetOperation, WindowDef, WithClause, a_const};

/// Lowers a SELECT, VALUES or set operation. `text` stays empty: only a whole statement knows its range.
pub fn lower(select: &SelectStmt, cx: &Lowering<'_>) -> Query {
    let mut query = Query {
        has_where: select.where_clause.is_some(),
        has_limit: select.limit_count.is_some(),
        distinct: !select.distinct_clause.is_empty(),
        grouped: !select.group_clause.is_empty(),
        for_update: !select.locking_clause.is_empty(),
        ..Query::default()
    };
    if let Some(with) = &select.with_clause {
        common_tables(with, &mut query, cx);
    }
    if select.op() != SetOperation::SetopNone && select.op() != SetOperation::Undefined {
        query.set_arms = arms(select).into_iter().map(|arm| lower(arm, cx)).collect();
    } else if !select.values_lists.is_empty() {
        values(&select.values_lists, &mut query, cx);
    } else {
        query.targets = targets(&select.target_list, cx);
        let sources = from_items(&select.from_clause, cx);
        take_sources(&mut query, sources);
    }
    query.conditions.extend(select.where_clause.as_deref().map(|condition| expr(condition, cx)));
    query.conditions.extend(nodes(&select.group_clause, cx));
    query.conditions.extend(select.having_clause.as_deref().map(|condition| expr(condition, cx)));
    for node in &select.window_clause {
        if let Some(NodeEnum::WindowDef(definition)) = &node.node {
            query.conditions.extend(window(definition, cx));
        }
    }
    query.conditions.extend(nodes(&select.distinct_clause, cx));
    query.conditions.extend(sort_keys(&select.sort_clause, cx));
    query.conditions.extend(select.limit_offset.iter().chain(&select.limit_count).map(|bound| expr(bound, cx)));
    query
}

/// The query in a node that holds one; data-modifying statements are kept as such.
pub fn subquery(node: &Node, cx: &Lowering<'_>) -> Query {
    match &node.node {
        Some(NodeEnum::SelectStmt(select)) => lower(select, cx),
        Some(inner) => match dml::lower(inner, cx) {
            Some((modifying, returned)) => Query { modifying: vec![modifying], ..returned },
            None => Query::default(),
        },
        None => Query::default(),
    }
}

/// Adds FROM items, join conditions and merged columns to a query.
pub fn take_sources(query: &mut Query, sources: Sources) {
    query.from.extend(sources.items);
    query.conditions.extend(sources.conditions);
    query.merged.extend(sources.merged);
    query.natural |= sources.natural;
}

/// Output columns, named as PostgreSQL names them; `?column?` is `None`.
pub fn targets(nodes: &[Node], cx: &Lowering<'_>) -> Vec<Target> {
    nodes
        .iter()
        .filter_map(|node| match &node.node {
            Some(NodeEnum::ResTarget(target)) => Some(Target {
                name: optional(&target.name).or_else(|| target.val.as_deref().and_then(column_name)),
                expr: target.val.as_deref().map_or(Expr::Null, |value| expr(value, cx)),
            }),
            _ => None,
        })
        .collect()
}

/// The expressions of an ORDER BY.
pub fn sort_keys(nodes: &[Node], cx: &Lowering<'_>) -> Vec<Expr> {
    nodes
        .iter()
        .filter_map(|node| match &node.node {
            Some(NodeEnum::SortBy(key)) => key.node.as_deref().map(|key| expr(key, cx)),
            Some(_) => Some(expr(node, cx)),
            None => None,
        })
        .collect()
}

/// The expressions of a window: PARTITION BY, ORDER BY, frame bounds.
pub fn window(definition: &WindowDef, cx: &Lowering<'_>) -> Vec<Expr> {
    let mut found = nodes(&definition.partition_clause, cx);
    found.extend(sort_keys(&definition.order_clause, cx));
    found.extend(definition.start_offset.iter().chain(&definition.end_offset).map(|offset| expr(offset, cx)));
    found
}

/// WITH: each member as a query by name; the modifying ones as statements too.
pub fn common_tables(with: &WithClause, query: &mut Query, cx: &Lowering<'_>) {
    query.recursive |= with.recursive;
    for node in &with.ctes {
        let Some(NodeEnum::CommonTableExpr(cte)) = &node.node else { continue };
        let CommonTableExpr { ctename, aliascolnames, ctequery, .. } = cte.as_ref();
        let columns = strings(aliascolnames);
        let lowered = match ctequery.as_deref() {
            Some(Node { node: Some(NodeEnum::SelectStmt(select)) }) => lower(select, cx),
            Some(Node { node: Some(inner) }) => match dml::lower(inner, cx) {
                Some((modifying, returned)) => {
                    query.modifying.push(modifying);
                    returned
                }
                None => Query::default(),
            },
            _ => Query::default(),
        };
        query.ctes.push((ctename.clone(), columns, lowered));
    }
}

/// The arms of a chain of set operations. Left-leaning chains may be thousands long, so they are followed in a loop; an arm
/// with its own WITH, ORDER BY or LIMIT stays whole.
fn arms(select: &SelectStmt) -> Vec<&SelectStmt> {
    let mut found = Vec::new();
    let mut current = select;
    loop {
        found.extend(current.rarg.as_deref());
        match current.larg.as_deref() {
            Some(left) if is_plain_set_operation(left) => current = left,
            left => {
                found.extend(left);
                break;
            }
        }
    }
    found.reverse();
    found
}

fn is_plain_set_operation(select: &SelectStmt) -> bool {
    select.op() != SetOperation::SetopNone
        && select.op() != SetOperation::Undefined
        && select.with_clause.is_none()
        && select.sort_clause.is_empty()
        && select.limit_count.is_none()
        && select.limit_offset.is_none()
        && select.locking_clause.is_empty()
}

/// VALUES: one row that stands for all. A column takes its first expression that says a type (no NULL, and no string where
/// another row has something else); every expression that is no constant and not chosen is a condition, so that no call is lost.
fn values(rows: &[Node], query: &mut Query, cx: &Lowering<'_>) {
    let mut chosen: Vec<&Node> = Vec::new();
    let mut passed: Vec<&Node> = Vec::new();
    for (index, cell) in rows.iter().flat_map(|row| super::node::items(row).iter().enumerate()) {
        match chosen.get_mut(index) {
            None => chosen.push(cell),
            Some(best) if type_strength(cell) > type_strength(best) => passed.push(std::mem::replace(best, cell)),
            Some(_) => passed.push(cell),
        }
    }
    query.values = Some(chosen.into_iter().map(|cell| expr(cell, cx)).collect());
    query
        .conditions
        .extend(passed.into_iter().filter(|cell| type_strength(cell) == Strength::Expression).map(|cell| expr(cell, cx)));
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Null,
    Literal,
    Number,
    Expression,
}

fn type_strength(node: &Node) -> Strength {
    match &node.node {
        Some(NodeEnum::AConst(constant)) => match &constant.val {
            None => Strength::Null,
            Some(a_const::Val::Sval(_)) => Strength::Literal,
            Some(_) => Strength::Number,
        },
        Some(NodeEnum::SetToDefault(_)) | None => Strength::Null,
        Some(_) => Strength::Expression,
    }
}

/// Expressions of a list in which the grammar may leave holes (`SELECT DISTINCT` is a list of one NULL).
fn nodes(list: &[Node], cx: &Lowering<'_>) -> Vec<Expr> {
    list.iter().filter(|node| node.node.is_some()).map(|node| expr(node, cx)).collect()
}

/// The name of the first output column, for a query that is used as one value.
pub fn first_column(node: &Node) -> Option<String> {
    let Some(NodeEnum::SelectStmt(select)) = &node.node else { return None };
    let mut select: &SelectStmt = select;
    while let Some(left) = select.larg.as_deref() {
        select = left;
    }
    if !select.values_lists.is_empty() {
        return Some("column1".into());
    }
    match &select.target_list.first()?.node {
        Some(NodeEnum::ResTarget(target)) => optional(&target.name).or_else(|| target.val.as_deref().and_then(column_name)),
        Some(NodeEnum::String(_)) => select.target_list.first().and_then(string),
        _ => None,
    }
}
