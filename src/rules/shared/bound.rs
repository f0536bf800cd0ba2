//! Is it said how many rows a statement touches at most?

use crate::catalog::Catalog;
use crate::catalog::implication::bare;
use crate::catalog::object::{ConstraintType, Relation};
use crate::expr::Expr;
use crate::op::{Dml, FromItem, Query};

/// True where the condition, or what the rows come from, says how many rows of `target` the statement changes at most: a key that is
/// given, a range of a key with both ends, a query with LIMIT, the rows of a VALUES list, the row of a cursor.
pub fn is_bounded(catalog: &Catalog, target: &Relation, dml: &Dml) -> bool {
    limited(&dml.sources)
        || dml.condition.as_ref().is_some_and(|condition| by_condition(catalog, target, condition, &dml.sources))
}

/// The same for the rows that a query gives or locks.
pub fn is_bounded_query(catalog: &Catalog, sources: &[&Relation], query: &Query) -> bool {
    query.has_limit
        || (query.from.is_empty() && query.set_arms.iter().all(|arm| arm.from.is_empty()))
        || (sources.len() == 1 && query.conditions.iter().any(|condition| by_condition(catalog, sources[0], condition, query)))
}

/// A query that the rows come from has a LIMIT.
fn limited(sources: &Query) -> bool {
    let below = sources.from.iter().any(|item| matches!(item, FromItem::Subquery { query, .. } if query.has_limit));
    below || sources.ctes.iter().any(|(_, _, query)| query.has_limit)
}

fn by_condition(catalog: &Catalog, target: &Relation, condition: &Expr, sources: &Query) -> bool {
    let mut parts = Vec::new();
    conjuncts(condition, &mut parts);
    let by_one = parts.iter().any(|part| is_limit(part));
    by_one
        || keys(catalog, target).iter().any(|key| {
            key.iter().all(|column| parts.iter().any(|part| gives(part, column, target, sources)))
                || matches!(key.as_slice(), [column] if is_closed_range(&parts, column))
        })
}

fn conjuncts<'a>(expr: &'a Expr, parts: &mut Vec<&'a Expr>) {
    match expr {
        Expr::And(list) => list.iter().for_each(|part| conjuncts(part, parts)),
        other => parts.push(other),
    }
}

/// `x IN (SELECT … LIMIT n)`, `x = (SELECT …)`, `x = ANY (ARRAY(SELECT … LIMIT n))`, CURRENT OF.
fn is_limit(part: &Expr) -> bool {
    match part {
        Expr::QueryTest { query, is_in: true, .. } => query.has_limit || query.ctes.iter().any(|(_, _, inner)| inner.has_limit),
        Expr::AnyAll { name, all: false, right, .. } if name == "=" => {
            matches!(bare(right), Expr::ArrayQuery(query) if query.has_limit)
        }
        Expr::Other { node, .. } => node == "CurrentOfExpr",
        _ => false,
    }
}

/// Names of the columns of each key: what a unique index without a predicate makes different in every row. Of a table that nobody
/// created here it is taken for granted that `id` is one.
fn keys(catalog: &Catalog, target: &Relation) -> Vec<Vec<String>> {
    let name = |id| target.column_by_id(id).map(|column| column.name.clone());
    let mut keys: Vec<Vec<String>> = vec![vec!["ctid".to_string()]];
    if !target.known {
        keys.push(vec!["id".to_string()]);
    }
    for constraint in &target.constraints {
        if let ConstraintType::PrimaryKey { columns, .. } | ConstraintType::Unique { columns, .. } = &constraint.kind {
            keys.extend(columns.iter().map(|id| name(*id)).collect::<Option<Vec<_>>>());
        }
    }
    for index in catalog.indexes_of(target.id).iter().filter(|index| index.unique && index.predicate.is_none()) {
        keys.extend(index.keys.iter().map(|key| key.column.and_then(name)).collect::<Option<Vec<_>>>());
    }
    keys.retain(|key| !key.is_empty());
    keys
}

fn is_column(expr: &Expr, column: &str) -> bool {
    matches!(bare(expr), Expr::Column(path) if path.last().is_some_and(|last| last == column))
}

/// The condition gives the column one value, or each of a list that stands in the file.
fn gives(part: &Expr, column: &str, target: &Relation, sources: &Query) -> bool {
    match part {
        Expr::Operator { name, args } if name == "=" => match args.as_slice() {
            [left, right] => {
                (is_column(left, column) && is_given(right, target, sources))
                    || (is_column(right, column) && is_given(left, target, sources))
            }
            _ => false,
        },
        Expr::InList { expr, list, negated: false } => {
            is_column(expr, column) && list.iter().all(|item| is_given(item, target, sources))
        }
        Expr::AnyAll { name, all: false, left, right } => {
            name == "=" && is_column(left, column) && is_given(right, target, sources)
        }
        _ => false,
    }
}

/// Neither a column of a table nor anything that a query finds: constants, variables, rows of a VALUES list, one value of a query.
fn is_given(expr: &Expr, target: &Relation, sources: &Query) -> bool {
    if matches!(bare(expr), Expr::Scalar(_)) {
        return true;
    }
    let is_variable = |path: &[String]| match path {
        [name] => target.known && target.column(name).is_none(),
        [record, ..] => *record != target.name,
        [] => false,
    };
    let mut given = true;
    expr.walk(&mut |inner| match inner {
        Expr::Column(path) => given &= is_of_values(path, sources) || (sources.from.is_empty() && is_variable(path)),
        Expr::Exists(_) | Expr::ArrayQuery(_) | Expr::QueryTest { .. } => given = false,
        _ => {}
    });
    given
}

/// `v.id`, where `v` is a VALUES list of the statement.
fn is_of_values(path: &[String], sources: &Query) -> bool {
    let [table, _] = path else { return false };
    sources.from.iter().any(
        |item| matches!(item, FromItem::Subquery { query, alias: Some(alias), .. } if alias == table && query.values.is_some()),
    ) || sources.ctes.iter().any(|(name, _, query)| name == table && query.values.is_some())
}

/// How many rows an end of a range alone may stand for: numbers of keys begin at 1.
const FEW: i64 = 100_000;

/// `id >= a AND id < b`, `id BETWEEN a AND b`, `id < 1000`.
fn is_closed_range(parts: &[&Expr], column: &str) -> bool {
    let (mut above, mut below) = (false, false);
    for part in parts {
        match part {
            Expr::Between { expr, negated: false, .. } if is_column(expr, column) => return true,
            Expr::Operator { name, args } if args.len() == 2 => {
                let reversed = is_column(&args[1], column);
                if !reversed && !is_column(&args[0], column) {
                    continue;
                }
                let limit = if reversed { &args[0] } else { &args[1] };
                let few = matches!(bare(limit), Expr::Int(limit) if *limit <= FEW);
                match (name.as_str(), reversed) {
                    ("<" | "<=", false) | (">" | ">=", true) if few => return true,
                    (">" | ">=", false) | ("<" | "<=", true) => above = true,
                    ("<" | "<=", false) | (">" | ">=", true) => below = true,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    above && below
}
