use super::*;
use crate::op::{DmlKind, FromItem, OnConflict, Persistence, Query};

fn relation(text: &str) -> FromItem {
    FromItem::Relation { name: name(text), alias: None, column_aliases: Vec::new(), only: false }
}

fn dml(sql: &str) -> crate::op::Dml {
    take!(op(sql), Op::Dml(dml) => dml)
}

#[test]
fn joins_are_flattened_in_the_order_of_text() {
    let query =
        query("SELECT * FROM ONLY s.a AS x (p, q) JOIN b USING (id, k) NATURAL JOIN c LEFT JOIN (d CROSS JOIN e) ON f, g");
    let names: Vec<_> = query.from.iter().map(|item| take!(item, FromItem::Relation { name, .. } => name.to_string())).collect();
    assert_eq!(names, ["s.a", "b", "c", "d", "e", "g"]);
    assert_eq!(query.merged, ["id", "k"]);
    assert!(query.natural);
    assert_eq!(query.conditions, [column("f")]);
    assert_eq!(
        query.from[0],
        FromItem::Relation {
            name: name("s.a"),
            alias: Some("x".into()),
            column_aliases: vec!["p".into(), "q".into()],
            only: true
        }
    );
}

#[test]
fn a_join_with_an_alias_hides_its_sides() {
    let mut query = query("SELECT * FROM (a JOIN b USING (id)) AS j");
    let (inner, alias) = take!(query.from.remove(0), FromItem::Subquery { query, alias, .. } => (query, alias));
    assert_eq!(alias.as_deref(), Some("j"));
    assert_eq!(inner.from, [relation("a"), relation("b")]);
    assert_eq!(inner.targets[0].expr, Expr::Star(vec![]));
    assert_eq!(inner.merged, ["id"]);
}

#[test]
fn other_from_items_keep_their_columns_and_expressions() {
    let query = query(
        "SELECT * FROM f(a) WITH ORDINALITY AS x (n, o), json_to_record(b) AS y (p int, q text), ROWS FROM (g() AS (r int), h()) AS z, \
         LATERAL (SELECT 1) AS l, t TABLESAMPLE system (c), xmltable('/r' PASSING d COLUMNS k int PATH 'p' DEFAULT e) AS w, \
         json_table(m, '$' COLUMNS (id FOR ORDINALITY, NESTED PATH '$.b' COLUMNS (v text))) AS v (renamed)",
    );
    let columns = |item: &FromItem| match item {
        FromItem::Function { column_aliases, .. } => column_aliases.join(","),
        FromItem::Other { columns, .. } => columns.join(","),
        FromItem::Subquery { lateral, .. } => format!("lateral {lateral}"),
        FromItem::Relation { name, .. } => name.to_string(),
    };
    assert_eq!(query.from.iter().map(columns).collect::<Vec<_>>(), ["n,o", "p,q", "r", "lateral true", "t", "k", "renamed,v"]);
    let types = take!(&query.from[1], FromItem::Function { column_types, .. } => column_types.clone());
    assert_eq!(types, [type_named("int4"), type_named("text")]);
    for wanted in ["c", "d", "e", "m"] {
        assert!(query.conditions.contains(&column(wanted)), "{wanted}: {:?}", query.conditions);
    }
}

#[test]
fn clauses_are_conditions_and_marks() {
    let query = query(
        "SELECT DISTINCT ON (a) a FROM t WHERE b GROUP BY c, ROLLUP (d) HAVING e WINDOW w AS (PARTITION BY f) ORDER BY g LIMIT h OFFSET i \
         FOR UPDATE OF t",
    );
    assert!(query.distinct && query.has_where && query.grouped && query.has_limit && query.for_update);
    let mut found = Vec::new();
    query.walk_exprs(&mut |part| found.extend(expect_column(part)));
    found.sort();
    assert_eq!(found, ["a", "a", "b", "c", "d", "e", "f", "g", "h", "i"]);
    assert!(super::query("SELECT DISTINCT a FROM t").conditions.is_empty());
}

fn expect_column(part: &Expr) -> Option<String> {
    match part {
        Expr::Column(parts) => parts.last().cloned(),
        _ => None,
    }
}

#[test]
fn set_operations_are_a_flat_list_of_arms() {
    let first = query("SELECT 1 AS a UNION ALL SELECT 2 EXCEPT SELECT 3 ORDER BY a");
    assert_eq!(first.set_arms.len(), 3);
    assert_eq!(first.set_arms[0].targets[0].name.as_deref(), Some("a"));
    assert_eq!(first.set_arms[2].targets[0].expr, Expr::Int(3));
    let nested = query("(SELECT 1 UNION SELECT 2 LIMIT 1) UNION SELECT 3");
    assert_eq!(nested.set_arms.len(), 2);
    assert!(nested.set_arms[0].has_limit);
}

#[test]
fn one_row_of_values_stands_for_all_and_no_call_is_lost() {
    let query = query("VALUES (NULL, 'a', f()), (1, 2, g()), (2, 'x', 3)");
    let calls = |found: &[Expr]| {
        found
            .iter()
            .filter_map(|part| match part {
                Expr::Call(call) => Some(call.name.to_string()),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let values = query.values.unwrap();
    assert_eq!(values[..2], [Expr::Int(1), Expr::Int(2)]);
    assert_eq!(calls(&values), ["f"]);
    assert_eq!(calls(&query.conditions), ["g"]);
}

#[test]
fn common_table_expressions_are_queries_by_name_even_when_they_modify() {
    let query = query("WITH RECURSIVE c AS (SELECT 1), d(x) AS (DELETE FROM s.t RETURNING id) SELECT * FROM c, d");
    assert!(query.recursive);
    assert_eq!(query.ctes.len(), 2);
    let (name_of_cte, columns, returned) = &query.ctes[1];
    assert_eq!((name_of_cte.as_str(), columns.as_slice()), ("d", ["x".to_owned()].as_slice()));
    assert_eq!(returned.targets[0].name.as_deref(), Some("id"));
    assert_eq!(returned.from, [relation("s.t")]);
    assert_eq!((query.modifying[0].kind, &query.modifying[0].relation), (DmlKind::Delete, &name("s.t")));
}

#[test]
fn views_keep_the_text_of_their_query() {
    let view = take!(
        op("CREATE OR REPLACE VIEW s.v (a) WITH (security_invoker) AS\n SELECT  B -- c\n FROM T WITH CHECK OPTION"),
        Op::CreateView(view) => view
    );
    assert!(view.or_replace && view.check_option);
    assert_eq!(view.columns, ["a"]);
    assert_eq!(view.query.text, "select b from t");
    assert_eq!(view.options, [("security_invoker".to_owned(), None)]);
    let recursive = take!(op("CREATE RECURSIVE VIEW r (n) AS SELECT 1"), Op::CreateView(view) => view);
    assert!(recursive.query.recursive);
}

#[test]
fn tables_from_queries_come_in_three_spellings() {
    let created = |sql: &str| take!(op(sql), Op::CreateTableAs(table) => table);
    let table = created("CREATE TEMP TABLE IF NOT EXISTS s.t (a) AS SELECT 1 WITH NO DATA");
    assert!(table.if_not_exists && !table.with_data && !table.materialized);
    assert_eq!((table.persistence, table.columns), (Persistence::Temporary, vec!["a".to_owned()]));
    assert_eq!(table.query.text, "select 1");
    let view = created("CREATE MATERIALIZED VIEW s.t AS SELECT 1");
    assert!(view.materialized && view.with_data);
    let into = created("SELECT a INTO UNLOGGED s.t FROM b UNION SELECT 2");
    assert_eq!((into.name, into.persistence), (name("s.t"), Persistence::Unlogged));
    assert_eq!(into.query.set_arms.len(), 2);
    assert_eq!(created("CREATE TABLE t AS EXECUTE foo").query, Query { text: "execute foo".into(), ..Query::default() });
}

#[test]
fn inserts_say_where_their_rows_come_from() {
    let values = dml("INSERT INTO s.t (a, b) VALUES (1, f()), (2, 3)");
    assert!(values.values && !values.has_where);
    assert_eq!((values.relation, values.columns), (name("s.t"), vec!["a".to_owned(), "b".to_owned()]));
    assert!(dml("INSERT INTO t DEFAULT VALUES").values);
    let select = dml("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM u WHERE v");
    assert!(!select.values);
    assert_eq!(select.sources.from, [relation("u")]);
    assert_eq!(select.sources.ctes.len(), 1);
}

#[test]
fn conflict_targets_are_told_apart() {
    for (sql, expected) in [
        ("ON CONFLICT DO NOTHING", OnConflict::Any),
        ("ON CONFLICT (a, b) DO UPDATE SET c = 1", OnConflict::Columns(vec!["a".into(), "b".into()])),
        ("ON CONFLICT ON CONSTRAINT k DO NOTHING", OnConflict::Constraint("k".into())),
        ("ON CONFLICT (lower(a)) DO NOTHING", OnConflict::Expressions),
    ] {
        assert_eq!(dml(&format!("INSERT INTO t VALUES (1) {sql}")).on_conflict, Some(expected), "{sql}");
    }
    assert_eq!(dml("INSERT INTO t VALUES (1)").on_conflict, None);
}

#[test]
fn updates_name_what_they_set_and_keep_every_value() {
    let update =
        dml("UPDATE t SET a = f(), (b, c) = (SELECT 1, 2), (d, e) = (g(), 2), h[i] = DEFAULT FROM u WHERE j RETURNING k");
    assert_eq!(update.columns, ["a", "b", "c", "d", "e", "h"]);
    assert!(update.has_where && update.returning);
    assert_eq!(update.condition, Some(column("j")));
    assert_eq!(update.sources.from, [relation("u")]);
    let mut calls = Vec::new();
    let mut columns = Vec::new();
    let mut subqueries = 0;
    update.sources.walk_exprs(&mut |part| match part {
        Expr::Call(call) => calls.push(call.name.to_string()),
        Expr::Column(parts) => columns.push(parts.join(".")),
        Expr::Scalar(_) => subqueries += 1,
        _ => {}
    });
    assert_eq!(calls, ["f", "g"]);
    assert_eq!(columns, ["i", "k"]);
    assert_eq!(subqueries, 1, "the subquery that b and c share is there once");
}

#[test]
fn deletes_and_merges_keep_their_conditions() {
    let delete = dml("DELETE FROM t USING u WHERE t.id = u.id");
    assert!(delete.has_where && delete.kind == DmlKind::Delete);
    assert!(!dml("DELETE FROM t").has_where);
    let merge = dml("MERGE INTO t USING s ON t.id = s.id WHEN MATCHED AND x THEN UPDATE SET a = f() \
         WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id) WHEN NOT MATCHED BY SOURCE THEN DELETE");
    assert_eq!((merge.kind, merge.columns), (DmlKind::Merge, vec!["a".to_owned(), "id".to_owned()]));
    assert_eq!(merge.sources.from, [relation("s")]);
    assert_eq!(merge.sources.conditions.len(), 3);
    assert!(merge.condition.is_some());
}
