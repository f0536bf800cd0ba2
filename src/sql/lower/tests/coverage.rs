use super::*;
use std::collections::BTreeSet;

/// The variants of [`Op`]: a match that does not compile until each has a name here, and the list of those names.
macro_rules! variants {
    ($($name:ident),* $(,)?) => {
        const VARIANTS: &[&str] = &[$(stringify!($name)),*];
        fn variant(op: &Op) -> &'static str {
            match op {
                $(Op::$name { .. } => stringify!($name),)*
            }
        }
    };
}

variants! {
    CreateSchema, CreateTable, CreateTableAs, CreateView, CreateIndex, CreateSequence, AlterSequence, AlterTable, AlterAllInTablespace,
    CreateType, CreateDomain, AlterEnum, AlterDomain, CreateRoutine, AlterRoutine, CreateAggregate, CreateTrigger, CreateEventTrigger,
    AlterEventTrigger, CreateRule, CreatePolicy, AlterPolicy, CreateExtension, AlterExtension, CreateOther, AlterOther, Drop, Rename,
    SetSchema, SetOwner, DependsOnExtension, Comment, SecurityLabel, Grant, GrantRole, CreateRole, AlterRole, AlterSettings, DropRole,
    DropOwned, ReassignOwned, CreatePublication, AlterPublication, CreateSubscription, AlterSubscription, Dml, Select, Truncate, Copy,
    Lock, Transaction, Set, Show, SetConstraints, Discard, Vacuum, Cluster, Reindex, Refresh, Call, Do, Explain, Session,
    ImportForeignSchema, Load, Unclassified,
}

/// One statement or more for each variant that the grammar leads to, rich in expressions.
const STATEMENTS: &[&str] = &[
    "CREATE SCHEMA s CREATE TABLE t (a int DEFAULT f())",
    "CREATE TABLE t (a int DEFAULT f(g(1)) CHECK (h(a) > 0), b int GENERATED ALWAYS AS (i(a)) STORED, EXCLUDE USING gist (j(a) WITH =) WHERE (k(a)))",
    "CREATE TABLE t AS SELECT f(a) FROM u WHERE EXISTS (SELECT g(b) FROM v WHERE v.c = ANY (ARRAY(SELECT d FROM w)))",
    "CREATE VIEW v AS WITH RECURSIVE x AS (SELECT f(a) FROM t UNION ALL SELECT g(b) FROM x) SELECT count(*) FILTER (WHERE h(c)) OVER w \
     FROM x JOIN y ON i(x.d) = y.e WINDOW w AS (PARTITION BY j(k) ORDER BY l(m)) ORDER BY n(o) LIMIT (SELECT p(q) FROM r)",
    "CREATE INDEX i ON t (f(a), (g(b) || c)) WHERE h(d) IS NOT NULL",
    "CREATE SEQUENCE s",
    "ALTER SEQUENCE s RESTART",
    "ALTER TABLE t ADD COLUMN a int DEFAULT f(), ALTER b TYPE int USING g(b), ALTER c SET DEFAULT h(), ADD CHECK (i(d))",
    "ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b",
    "CREATE TYPE t AS ENUM ('a')",
    "CREATE DOMAIN d AS int DEFAULT f() CHECK (g(value) > 0)",
    "ALTER TYPE t ADD VALUE 'b'",
    "ALTER DOMAIN d SET DEFAULT f(1)",
    "CREATE FUNCTION f(a int DEFAULT g(1)) RETURNS int RETURN h(a) + (SELECT i(b) FROM t)",
    "ALTER FUNCTION f(int) STRICT",
    "CREATE AGGREGATE a (int) (SFUNC = f, STYPE = int)",
    "CREATE TRIGGER x AFTER UPDATE ON t FOR EACH ROW WHEN (f(new.a) <> g(old.a)) EXECUTE FUNCTION h()",
    "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()",
    "ALTER EVENT TRIGGER e DISABLE",
    "CREATE RULE r AS ON INSERT TO t WHERE f(new.a) DO INSTEAD INSERT INTO u SELECT g(b) FROM v",
    "CREATE POLICY p ON t USING (a = f()) WITH CHECK (b IN (SELECT c FROM g(1)))",
    "ALTER POLICY p ON t USING (f(a))",
    "CREATE EXTENSION e",
    "ALTER EXTENSION e UPDATE",
    "CREATE CAST (int AS t) WITH INOUT",
    "ALTER COLLATION c REFRESH VERSION",
    "DROP TABLE t",
    "ALTER TABLE t RENAME TO u",
    "ALTER TABLE t SET SCHEMA u",
    "ALTER TYPE t OWNER TO u",
    "ALTER FUNCTION f() DEPENDS ON EXTENSION e",
    "COMMENT ON TABLE t IS 'x'",
    "SECURITY LABEL ON TABLE t IS 'x'",
    "GRANT SELECT ON t TO u",
    "GRANT a TO b",
    "CREATE ROLE r",
    "ALTER ROLE r LOGIN",
    "ALTER ROLE r SET a = 1",
    "DROP ROLE r",
    "DROP OWNED BY r",
    "REASSIGN OWNED BY r TO s",
    "CREATE PUBLICATION p FOR TABLE t WHERE (f(a))",
    "ALTER PUBLICATION p ADD TABLE t WHERE (g(b))",
    "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p",
    "ALTER SUBSCRIPTION s DISABLE",
    "INSERT INTO t (a) VALUES (f(1)), (g(2)), ((SELECT h(b) FROM u)) ON CONFLICT (i(c)) WHERE j(d) DO UPDATE SET a = k(excluded.a) RETURNING l(e)",
    "WITH x AS (DELETE FROM t USING u WHERE f(t.a) RETURNING g(b)) UPDATE v SET c = h(d), (e, i[j(1)]) = (SELECT k(l), m FROM n) FROM x WHERE o(p)",
    "MERGE INTO t USING (SELECT f(a) FROM u) s ON g(t.b) = s.c WHEN MATCHED AND h(d) THEN UPDATE SET e = i(j) WHEN NOT MATCHED THEN INSERT VALUES (k(l)) RETURNING m(n)",
    "SELECT f(a => g(b)), CASE h(c) WHEN i(d) THEN j(e) ELSE k(l) END, ARRAY[m(n)], (o(p)).q, r[s(1)], COALESCE(t(u), v(w)), x(y) AT TIME ZONE z(1), \
     json_object('k': aa(bb)), xmlforest(cc(dd) AS ee), ff(gg) IS TRUE, (hh(ii), jj) = ANY (SELECT kk(ll), mm FROM nn), oo(pp)::text, qq COLLATE \"C\" \
     FROM rr(ss), LATERAL (SELECT tt(uu) FROM vv) ww, xx TABLESAMPLE system (yy(1)), json_table(zz(a1), '$' COLUMNS (b1 int PATH '$.x' DEFAULT c1(2) ON EMPTY)) d1 \
     GROUP BY GROUPING SETS ((e1(f1)), ()) HAVING g1(h1) BETWEEN i1(1) AND j1(2) ORDER BY k1(l1) USING <",
    "TRUNCATE t",
    "COPY (SELECT f(a) FROM t) TO STDOUT",
    "LOCK t",
    "BEGIN",
    "SET a = 1",
    "SHOW a",
    "SET CONSTRAINTS ALL DEFERRED",
    "DISCARD ALL",
    "VACUUM",
    "CLUSTER",
    "REINDEX TABLE t",
    "REFRESH MATERIALIZED VIEW v",
    "CALL p(f(1))",
    "DO $$ BEGIN END $$",
    "EXPLAIN SELECT f(a)",
    "CHECKPOINT",
    "IMPORT FOREIGN SCHEMA a FROM SERVER b INTO c",
    "LOAD 'x'",
];

#[test]
fn every_variant_has_a_statement_that_makes_it() {
    let made: BTreeSet<&str> = STATEMENTS.iter().map(|sql| variant(&op(sql))).collect();
    // The grammar has no statement left that this crate cannot name.
    let expected: BTreeSet<&str> = VARIANTS.iter().copied().filter(|&name| name != "Unclassified").collect();
    assert_eq!(made, expected);
}

#[test]
fn nothing_but_a_statement_is_unclassified() {
    let positions = PositionMap::Linear(0);
    let cx = Lowering::new("", &positions);
    let node = |inner| pg_query::protobuf::Node { node: inner };
    let empty = statement(&node(None), 0, 0, &cx);
    assert_eq!(empty, Op::Unclassified { node: "empty".into() });
    let alias = statement(&node(Some(pg_query::NodeEnum::Alias(Default::default()))), 0, 0, &cx);
    assert_eq!(alias, Op::Unclassified { node: "Alias".into() });
}

/// Counts in the parse tree and in the result must agree: whoever walks the result finds all that the text names.
#[test]
fn no_call_column_or_subquery_is_lost() {
    for sql in STATEMENTS {
        let tree = format!("{:?}", pg_query::parse(sql, 0).unwrap().protobuf);
        let lowered = format!("{:?}", op(sql));
        let count = |text: &str, marks: &[&str]| marks.iter().map(|mark| text.matches(mark).count()).sum::<usize>();
        let is_call = sql.starts_with("CALL");
        for (what, in_tree, in_result) in [
            ("calls", count(&tree, &["FuncCall(FuncCall {"]), count(&lowered, &["Call(Call {", "AtTimeZone {"])),
            ("columns", count(&tree, &["ColumnRef(ColumnRef {"]), count(&lowered, &["Column([", "Star(["])),
            (
                "subqueries",
                count(&tree, &["SubLink(SubLink {"]),
                count(&lowered, &["Scalar(", "Exists(", "ArrayQuery(", "QueryTest {"]),
            ),
        ] {
            assert!(in_tree > 0 || in_result == 0 || is_call, "{what} from nowhere: {sql}");
            // A subquery assigned to several columns stands in the tree once for each of them.
            let shared =
                if sql.contains("(e, i[") { usize::from(what != "columns") + 2 * usize::from(what == "columns") } else { 0 };
            assert_eq!(in_tree, in_result + shared, "{what} in {sql}\n{lowered}");
        }
    }
}
