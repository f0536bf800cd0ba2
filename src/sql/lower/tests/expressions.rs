use super::*;
use crate::expr::Call;

fn int(value: i64) -> Box<Expr> {
    Box::new(Expr::Int(value))
}

fn boxed(name: &str) -> Box<Expr> {
    Box::new(column(name))
}

fn call(function: &str, args: Vec<Expr>) -> Call {
    Call { name: name(function), args, distinct: false, star: false, filter: None, window: false, extra: Vec::new() }
}

#[test]
fn constants_have_their_values() {
    for (sql, expected) in [
        ("NULL", Expr::Null),
        ("true", Expr::Bool(true)),
        ("false", Expr::Bool(false)),
        ("'it''s'", Expr::Str("it's".into())),
        ("E'a\\nb'", Expr::Str("a\nb".into())),
        ("-5", Expr::Int(-5)),
        ("0", Expr::Int(0)),
        ("3000000000", Expr::Int(3_000_000_000)),
        ("-9223372036854775808", Expr::Int(i64::MIN)),
        ("9223372036854775807", Expr::Int(i64::MAX)),
        ("9223372036854775808", Expr::Float("9223372036854775808".into())),
        ("0xFFFFFFFFFF", Expr::Int(0xFF_FFFF_FFFF)),
        ("-0xFFFFFFFFFF", Expr::Int(-0xFF_FFFF_FFFF)),
        ("0b1", Expr::Int(1)),
        ("10_000_000_000", Expr::Int(10_000_000_000)),
        ("1.50", Expr::Float("1.50".into())),
        ("b'101'", Expr::Bit("b101".into())),
    ] {
        assert_eq!(expr(sql), expected, "{sql}");
    }
}

#[test]
fn casts_in_all_spellings_are_casts() {
    for sql in ["'x'::text", "CAST('x' AS text)", "text 'x'"] {
        assert_eq!(expr(sql), Expr::Cast { expr: Box::new(Expr::Str("x".into())), to: type_named("text") }, "{sql}");
    }
}

#[test]
fn names_and_stars_are_told_apart() {
    assert_eq!(expr("s.t.a"), Expr::Column(vec!["s".into(), "t".into(), "a".into()]));
    assert_eq!(expr("*"), Expr::Star(vec![]));
    assert_eq!(expr("t.*"), Expr::Star(vec!["t".into()]));
    assert_eq!(expr("(t).a"), Expr::Field { expr: boxed("t"), field: "a".into() });
    assert_eq!(expr("(t).*"), Expr::Field { expr: boxed("t"), field: "*".into() });
    assert_eq!(expr("a[1:2]"), Expr::Subscript { expr: boxed("a"), indexes: vec![Expr::Int(1), Expr::Int(2)] });
    assert_eq!(expr("$2"), Expr::Param(2));
}

#[test]
fn logic_and_tests_keep_their_operands() {
    for (sql, expected) in [
        ("a AND b AND c", Expr::And(vec![column("a"), column("b"), column("c")])),
        ("a OR NOT b", Expr::Or(vec![column("a"), Expr::Not(boxed("b"))])),
        ("a IS NULL", Expr::IsNull { expr: boxed("a"), negated: false }),
        ("a IS NOT NULL", Expr::IsNull { expr: boxed("a"), negated: true }),
        ("a IS NOT UNKNOWN", Expr::BooleanTest { expr: boxed("a"), test: "not unknown".into() }),
        ("a IS DISTINCT FROM 1", Expr::IsDistinct { left: boxed("a"), right: int(1), negated: false }),
        ("a IS NOT DISTINCT FROM 1", Expr::IsDistinct { left: boxed("a"), right: int(1), negated: true }),
        ("a IN (1, 2)", Expr::InList { expr: boxed("a"), list: vec![Expr::Int(1), Expr::Int(2)], negated: false }),
        ("a NOT IN (1)", Expr::InList { expr: boxed("a"), list: vec![Expr::Int(1)], negated: true }),
        ("a = ANY (b)", Expr::AnyAll { name: "=".into(), all: false, left: boxed("a"), right: boxed("b") }),
        ("a <> ALL (b)", Expr::AnyAll { name: "<>".into(), all: true, left: boxed("a"), right: boxed("b") }),
        ("a BETWEEN 1 AND 2", Expr::Between { expr: boxed("a"), low: int(1), high: int(2), negated: false }),
        ("a NOT BETWEEN SYMMETRIC 1 AND 2", Expr::Between { expr: boxed("a"), low: int(1), high: int(2), negated: true }),
        ("a NOT LIKE b", Expr::Like { name: "!~~".into(), left: boxed("a"), right: boxed("b") }),
        ("a ILIKE b", Expr::Like { name: "~~*".into(), left: boxed("a"), right: boxed("b") }),
        ("nullif(a, 1)", Expr::NullIf { left: boxed("a"), right: int(1) }),
        ("coalesce(a, b)", Expr::Coalesce(vec![column("a"), column("b")])),
        ("least(a, b)", Expr::MinMax { greatest: false, args: vec![column("a"), column("b")] }),
        ("ARRAY[1]", Expr::Array(vec![Expr::Int(1)])),
        ("(a, 1)", Expr::Row(vec![column("a"), Expr::Int(1)])),
        ("current_timestamp(3)", Expr::SqlValue("current_timestamp".into())),
        ("CURRENT_USER", Expr::SqlValue("current_user".into())),
        (r#"a COLLATE "C""#, Expr::Collate { expr: boxed("a"), collation: name("C") }),
        ("- a", Expr::Operator { name: "-".into(), args: vec![column("a")] }),
        ("a OPERATOR(pg_catalog.+) b", Expr::Operator { name: "+".into(), args: vec![column("a"), column("b")] }),
        (
            "CASE a WHEN 1 THEN 2 ELSE 3 END",
            Expr::Case { operand: Some(boxed("a")), arms: vec![(Expr::Int(1), Expr::Int(2))], otherwise: Some(int(3)) },
        ),
    ] {
        assert_eq!(expr(sql), expected, "{sql}");
    }
}

#[test]
fn calls_keep_arguments_filters_and_windows() {
    let counted = take!(
        expr("count(DISTINCT a ORDER BY b) FILTER (WHERE c) OVER (PARTITION BY d ORDER BY e ROWS 1 PRECEDING)"),
        Expr::Call(call) => call
    );
    assert!(counted.distinct && counted.window && !counted.star);
    assert_eq!(counted.filter, Some(boxed("c")));
    assert_eq!(counted.extra, [column("b"), column("d"), column("e"), Expr::Int(1)]);
    assert!(take!(expr("count(*)"), Expr::Call(call) => call.star));
    let named = take!(expr("s.f(a => 1)"), Expr::Call(call) => call);
    assert_eq!(named.name, name("s.f"));
    assert_eq!(named.args, [Expr::Other { node: "NamedArgExpr".into(), children: vec![Expr::Str("a".into()), Expr::Int(1)] }]);
}

#[test]
fn what_the_grammar_writes_as_a_call_loses_pg_catalog_and_what_the_user_writes_keeps_it() {
    assert_eq!(expr("extract(year FROM d)"), Expr::Call(call("extract", vec![Expr::Str("year".into()), column("d")])));
    assert_eq!(expr("substring(a FROM 1)"), Expr::Call(call("substring", vec![column("a"), Expr::Int(1)])));
    assert_eq!(expr("pg_catalog.now()"), Expr::Call(call("pg_catalog.now", vec![])));
    assert_eq!(
        expr("now() AT TIME ZONE 'utc'"),
        Expr::AtTimeZone { expr: Box::new(Expr::Call(call("now", vec![]))), zone: Box::new(Expr::Str("utc".into())) }
    );
    assert_eq!(expr("timezone('utc', a)"), Expr::Call(call("timezone", vec![Expr::Str("utc".into()), column("a")])));
}

#[test]
fn subqueries_are_kept_in_their_kinds() {
    assert!(matches!(expr("EXISTS (SELECT 1)"), Expr::Exists(_)));
    assert!(matches!(expr("(SELECT 1)"), Expr::Scalar(_)));
    assert!(matches!(expr("ARRAY(SELECT 1)"), Expr::ArrayQuery(_)));
    assert!(matches!(expr("a IN (SELECT 1)"), Expr::QueryTest { left: Some(_), is_in: true, .. }));
    assert!(matches!(expr("a = ANY (SELECT 1)"), Expr::QueryTest { left: Some(_), is_in: true, .. }));
    assert!(matches!(expr("a > ALL (SELECT 1)"), Expr::QueryTest { left: Some(_), is_in: false, .. }));
    assert!(matches!(expr("a = ALL (SELECT 1)"), Expr::QueryTest { left: Some(_), is_in: false, .. }));
    assert!(matches!(expr("a <> ANY (SELECT 1)"), Expr::QueryTest { left: Some(_), is_in: false, .. }));
    assert!(matches!(expr("a NOT IN (SELECT 1)"), Expr::Not(inner) if matches!(*inner, Expr::QueryTest { .. })));
}

#[test]
fn nodes_without_a_name_keep_their_children() {
    for (sql, node, columns) in [
        ("grouping(a)", "GroupingFunc", 1),
        ("xmlelement(name foo, xmlattributes(a AS b), c)", "XmlExpr", 2),
        ("json_object('a': b)", "JsonObjectConstructor", 1),
        ("json_array(a, b)", "JsonArrayConstructor", 2),
        ("json_value(a, '$.x' PASSING b AS p DEFAULT c ON EMPTY)", "JsonFuncExpr", 3),
        ("json_arrayagg(a ORDER BY b)", "JsonArrayAgg", 2),
        ("json_objectagg(a: b)", "JsonObjectAgg", 2),
        ("json(a)", "JsonParseExpr", 1),
        ("json_scalar(a)", "JsonScalarExpr", 1),
        ("json_serialize(a)", "JsonSerializeExpr", 1),
        ("a IS JSON", "JsonIsPredicate", 1),
    ] {
        let lowered = expr(sql);
        let mut found = 0;
        lowered.walk(&mut |part| found += usize::from(matches!(part, Expr::Column(_))));
        assert_eq!(found, columns, "{sql}: {lowered:?}");
        assert_eq!(take!(lowered, Expr::Other { node, .. } => node), node, "{sql}");
    }
}

#[test]
fn long_chains_of_operators_are_lowered_in_a_loop_and_in_order() {
    let run = || {
        let parts: Vec<String> = (0..700).map(|number| number.to_string()).collect();
        let mut lowered = expr(&parts.join(" || "));
        for expected in (1..700).rev() {
            let mut args = take!(lowered, Expr::Operator { args, .. } => args);
            assert_eq!(args.pop(), Some(Expr::Int(expected)));
            lowered = args.remove(0);
        }
        assert_eq!(lowered, Expr::Int(0));
    };
    std::thread::Builder::new().stack_size(256 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn trees_as_deep_as_the_parser_allows_are_lowered_whole() {
    for (open, close, depth) in [("NOT ", "", 4900), ("f(", ")", 4900), ("(SELECT ", ")", 1200)] {
        let sql = format!("{}a{}", open.repeat(depth), close.repeat(depth));
        let run = move || {
            let mut found = 0;
            expr(&sql).walk(&mut |_| found += 1);
            found
        };
        let found = std::thread::Builder::new().stack_size(256 << 20).spawn(run).unwrap().join().unwrap();
        assert_eq!(found, depth + 1, "{open}");
    }
}

#[test]
fn columns_are_named_as_the_server_names_them() {
    // Column headings of PostgreSQL 15 for the same text, but json_object, which came with 16; `?column?` is None.
    for (sql, expected) in [
        ("a", Some("a")),
        ("t.a", Some("a")),
        ("1", None),
        ("true", None),
        ("'x'::text", Some("text")),
        ("a::text", Some("a")),
        ("1::pg_catalog.int4", Some("int4")),
        ("now()", Some("now")),
        ("now()::date", Some("now")),
        ("a || b", None),
        ("(SELECT b FROM u)", Some("b")),
        ("(SELECT 1)::int", None),
        ("(VALUES (1))", Some("column1")),
        ("CASE WHEN true THEN b ELSE a END", Some("a")),
        ("CASE WHEN true THEN 1::int END", Some("case")),
        ("coalesce(a, b)", Some("coalesce")),
        ("greatest(a, b)", Some("greatest")),
        ("nullif(a, b)", Some("nullif")),
        ("ARRAY[1]", Some("array")),
        ("(ARRAY[1])[1]", Some("array")),
        ("(r).f", Some("f")),
        ("ROW(1)", Some("row")),
        ("EXISTS (SELECT 1)", Some("exists")),
        ("ARRAY(SELECT 1)", Some("array")),
        ("current_date", Some("current_date")),
        ("extract(year FROM d)", Some("extract")),
        ("d AT TIME ZONE 'utc'", Some("timezone")),
        (r#"a COLLATE "C""#, Some("a")),
        ("interval '1 day'", Some("interval")),
        ("trim(a)", Some("btrim")),
        ("a IS NULL", None),
        ("a AS z", Some("z")),
        ("xmlelement(name foo)", Some("xmlelement")),
        ("json_object('a': 1)", Some("json_object")),
    ] {
        assert_eq!(query(&format!("SELECT {sql}")).targets[0].name.as_deref(), expected, "{sql}");
    }
}
