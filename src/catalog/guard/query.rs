//! Queries of guards: which rows of the server's tables satisfy them.

use super::expression::{Scope, Source};
use super::rows::{Row, rows};
use super::table::SystemTable;
use super::value::{Object, Truth, Value};
use crate::catalog::guard::comparison::equal;
use crate::catalog::object::Relation;
use crate::expr::Expr;
use crate::op::{FromItem, Query};
use std::ops::ControlFlow;

/// Combinations of rows that one query may look at before its answer is "not known".
const ROW_LIMIT: usize = 500_000;

const AGGREGATES: &[&str] = &[
    "count",
    "sum",
    "min",
    "max",
    "avg",
    "bool_and",
    "bool_or",
    "every",
    "array_agg",
    "string_agg",
    "json_agg",
    "jsonb_agg",
    "json_object_agg",
    "jsonb_object_agg",
];

/// Rows that satisfy a query: `low` of them for sure, at most `high`.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    low: i64,
    high: Option<i64>,
}

/// A FROM item with its rows.
struct Table<'e> {
    source: Source<'e>,
    rows: Vec<Row<'e>>,
}

impl<'e> Scope<'e> {
    /// EXISTS (query).
    pub fn exists(&self, query: &Query) -> Truth {
        if !query.modifying.is_empty() {
            return Truth::Unknown;
        }
        if !query.set_arms.is_empty() {
            // Which set operation it is is not kept: only where no arm has a row the result is sure.
            let arms = query.set_arms.iter().map(|arm| self.exists(arm));
            return if arms.fold(Truth::False, Truth::or) == Truth::False { Truth::False } else { Truth::Unknown };
        }
        if query.values.is_some() {
            return Truth::True;
        }
        if is_aggregating(query) {
            // Without GROUP BY there is always one row, unless HAVING refuses it.
            return if query.conditions.iter().any(has_aggregate) { Truth::Unknown } else { Truth::True };
        }
        let mut found = Truth::False;
        let complete = self.matching(query, &mut |_, certain| {
            found = if certain { Truth::True } else { Truth::Unknown };
            if certain { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if complete || found == Truth::True { found } else { Truth::Unknown }
    }

    /// (SELECT one value).
    pub fn scalar(&self, query: &Query) -> Value<'static> {
        let [target] = query.targets.as_slice() else { return Value::Unknown };
        if !query.modifying.is_empty() || !query.set_arms.is_empty() || query.values.is_some() {
            return Value::Unknown;
        }
        if is_aggregating(query) {
            if query.conditions.iter().any(has_aggregate) {
                return Value::Unknown;
            }
            let count = self.count_of(query);
            let mut scope = self.inner(Vec::new());
            scope.count = Some((count.low, count.high));
            // Other aggregates of no rows are null; they are not computed from rows.
            return scope.evaluate(&target.expr).into_owned();
        }
        let mut value: Option<Value<'static>> = None;
        let mut certain_rows = 0;
        let mut same = true;
        let complete = self.matching(query, &mut |scope, certain| {
            let next = scope.evaluate(&target.expr).into_owned();
            same &= value.as_ref().is_none_or(|value| *value == next);
            value = Some(next);
            certain_rows += usize::from(certain);
            if same { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        match value {
            None if complete => Value::Null,
            Some(value) if complete && same && certain_rows > 0 => value,
            _ => Value::Unknown,
        }
    }

    /// The one output column of a query whose rows are all known.
    pub fn column_of(&self, query: &Query) -> Option<Vec<Value<'static>>> {
        let [target] = query.targets.as_slice() else { return None };
        if !query.set_arms.is_empty() || query.values.is_some() || !query.modifying.is_empty() || is_aggregating(query) {
            return None;
        }
        let mut list = Vec::new();
        let mut certain = true;
        let complete = self.matching(query, &mut |scope, sure| {
            certain &= sure;
            list.push(scope.evaluate(&target.expr).into_owned());
            ControlFlow::Continue(())
        });
        (complete && certain && !query.has_limit).then_some(list)
    }

    /// `left IN (query)`.
    pub fn in_query(&self, left: &Expr, query: &Query) -> Truth {
        let left = self.evaluate(left);
        match self.column_of(query) {
            Some(list) => list.iter().map(|member| equal(self.catalog, &left, member)).fold(Truth::False, Truth::or),
            None => Truth::Unknown,
        }
    }

    fn count_of(&self, query: &Query) -> Count {
        let mut count = Count { low: 0, high: Some(0) };
        let complete = self.matching(query, &mut |scope, certain| {
            let single = scope.sources.iter().all(|source| source.row.is_none_or(|row| row.is_certain()));
            count.low += i64::from(certain);
            count.high = count.high.filter(|_| single).map(|high| high + 1);
            ControlFlow::Continue(())
        });
        if complete { count } else { Count { low: 0, high: None } }
    }

    /// Calls `f` with each combination of rows that satisfies the query, or may; the flag is true where it surely does. Returns
    /// false where not all could be looked at.
    fn matching(&self, query: &Query, f: &mut dyn FnMut(&Scope<'_>, bool) -> ControlFlow<()>) -> bool {
        let mut conditions = Vec::new();
        query.conditions.iter().for_each(|condition| flatten(condition, &mut conditions));
        let tables: Vec<Table<'_>> = query.from.iter().map(|item| self.table(item, query, &conditions)).collect();
        let mut scope = self.inner(tables.iter().map(|table| table.source).collect());
        let mut visited = 0;
        let flow = join(&mut scope, &tables, 0, &conditions, &mut visited, f);
        flow.is_continue() || visited < ROW_LIMIT
    }

    fn inner<'s>(&'s self, sources: Vec<Source<'s>>) -> Scope<'s> {
        Scope { catalog: self.catalog, variables: self.variables, sources, outer: Some(self), count: None }
    }

    /// The relation whose parts a table is asked for, by name or as an object, where a condition says so outright.
    fn wanted<'s>(&'s self, table: SystemTable, alias: Option<&str>, conditions: &[&'s Expr]) -> Option<Value<'s>> {
        conditions.iter().filter_map(|condition| equated(condition)).find_map(|(path, constant)| {
            let own = match path {
                [column] => table.has_column(column),
                [.., qualifier, _] => alias == Some(qualifier),
                [] => false,
            };
            let owner = path.last().is_some_and(|column| OWNERS.contains(&column.as_str()));
            (own && owner).then(|| self.evaluate(constant))
        })
    }

    fn table<'s>(&'s self, item: &'s FromItem, query: &Query, conditions: &[&'s Expr]) -> Table<'s> {
        let unknown = |alias| Table { source: Source { alias, table: None, row: None }, rows: vec![Row::Anything] };
        match item {
            FromItem::Relation { name, alias, column_aliases, .. } => {
                let alias = Some(alias.as_deref().unwrap_or(&name.name));
                let is_cte = name.schema.is_none() && query.ctes.iter().any(|(cte, _, _)| *cte == name.name);
                match SystemTable::named(name).filter(|_| !is_cte && column_aliases.is_empty()) {
                    Some(table) => {
                        let wanted = self.wanted(table, alias, conditions);
                        let only = |relation: &Relation| match &wanted {
                            Some(Value::Text(name)) => relation.name == **name,
                            Some(Value::Object(object)) => *object == Object::Modelled(relation.id),
                            _ => true,
                        };
                        let rows = rows(self.catalog, table.table, &only);
                        Table { source: Source { alias, table: Some(table), row: None }, rows }
                    }
                    None => unknown(alias),
                }
            }
            FromItem::Subquery { alias, .. } | FromItem::Function { alias, .. } | FromItem::Other { alias, .. } => {
                unknown(alias.as_deref())
            }
        }
    }
}

/// Columns by which a part of a relation says whose it is.
const OWNERS: &[&str] = &["table_name", "tablename", "event_object_table", "attrelid", "conrelid", "tgrelid", "polrelid"];

/// The constant on the other side of an equation with a column, and that column.
fn equated(condition: &Expr) -> Option<(&[String], &Expr)> {
    let Expr::Operator { name, args } = condition else { return None };
    let constant = |expr: &Expr| match expr {
        Expr::Str(_) => true,
        Expr::Cast { expr, .. } => matches!(**expr, Expr::Str(_)),
        _ => false,
    };
    match (name.as_str(), args.as_slice()) {
        ("=", [Expr::Column(path), other] | [other, Expr::Column(path)]) if constant(other) => Some((path, other)),
        _ => None,
    }
}

/// Binds the rows of each table in turn. A condition that is false whatever the tables not yet bound may have ends a branch.
fn join<'e>(
    scope: &mut Scope<'e>,
    tables: &[Table<'e>],
    at: usize,
    conditions: &[&Expr],
    visited: &mut usize,
    f: &mut dyn FnMut(&Scope<'_>, bool) -> ControlFlow<()>,
) -> ControlFlow<()> {
    *visited += 1;
    if *visited >= ROW_LIMIT {
        return ControlFlow::Break(());
    }
    let mut certain = true;
    for condition in conditions {
        let value = scope.evaluate(condition);
        // Sort keys stand among the conditions; they filter nothing.
        if !matches!(value, Value::Bool(_) | Value::Null | Value::Unknown) {
            continue;
        }
        match value.truth().holds() {
            Some(true) => {}
            Some(false) => return ControlFlow::Continue(()),
            None => certain = false,
        }
    }
    let Some(table) = tables.get(at) else {
        let rows_are_certain = scope.sources.iter().all(|source| source.row.is_none_or(|row| stands(&row)));
        return f(scope, certain && rows_are_certain);
    };
    for row in &table.rows {
        scope.sources[at].row = Some(*row);
        join(scope, tables, at + 1, conditions, visited, f)?;
    }
    scope.sources[at].row = None;
    ControlFlow::Continue(())
}

/// A row that is surely there. Of the server's own objects there always are some, and where all conditions hold one is meant.
fn stands(row: &Row<'_>) -> bool {
    row.is_certain() || matches!(row, Row::System(_))
}

/// The members of a conjunction.
fn flatten<'e>(expr: &'e Expr, out: &mut Vec<&'e Expr>) {
    match expr {
        Expr::And(list) => list.iter().for_each(|member| flatten(member, out)),
        other => out.push(other),
    }
}

fn is_aggregating(query: &Query) -> bool {
    !query.grouped && query.targets.iter().any(|target| has_aggregate(&target.expr))
}

/// An aggregate of this query's own: those of subqueries are theirs.
fn has_aggregate(expr: &Expr) -> bool {
    let mut found = false;
    let mut inside_subqueries: Vec<*const Expr> = Vec::new();
    expr.walk(&mut |inner| {
        if let Expr::Exists(query) | Expr::Scalar(query) | Expr::ArrayQuery(query) | Expr::QueryTest { query, .. } = inner {
            query.walk_exprs(&mut |below| inside_subqueries.push(std::ptr::from_ref(below)));
        }
        if let Expr::Call(call) = inner {
            let aggregate = !call.window && AGGREGATES.contains(&call.name.name.as_str());
            found |= aggregate && !inside_subqueries.contains(&std::ptr::from_ref(inner));
        }
    });
    found
}
