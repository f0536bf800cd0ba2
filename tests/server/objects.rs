//! The model of objects against a server: the same SQL text on both sides must give the same schema, and nothing that the model
//! does not know where it could.

use crate::support;
use phasegate::catalog::snapshot::{Snapshot, compare};
use phasegate::catalog::{Catalog, replay};
use phasegate::op::Span;
use phasegate::prove::replay::Replayer;
use phasegate::source::{Migration, Phase, SourceFile, UnitKind, Wrapping};
use std::sync::Arc;

/// The model after the text has run as one unit.
fn modelled(sql: &str) -> Catalog {
    let path = "0001.sql".to_string();
    let file = SourceFile { path: path.clone(), repo_path: path, bytes: sql.as_bytes().to_vec() };
    let migration = Migration {
        id: "0001".into(),
        file: Arc::new(file),
        parts: vec![Span { start: 0, end: sql.len() }],
        phase: Phase::Untagged,
        tag: None,
        directives: Vec::new(),
        wrapping: Wrapping::None,
        rewriting: Default::default(),
        kind: UnitKind::Sql,
        reported: true,
        version: None,
        down: None,
    };
    let parsed = phasegate::sql::parse::unit(&migration);
    let mut catalog = Catalog::new();
    replay::unit(&mut catalog, 1, &migration, &parsed);
    catalog
}

/// Paths of what differs or is not known. Grants and owners may be unknown (a migration seldom says who runs it), and a relation
/// that is no sequence says nothing about one.
fn unequal(model: &Snapshot, server: &Snapshot) -> Vec<String> {
    let mut found: Vec<String> = compare(model, server)
        .differences
        .into_iter()
        .map(|difference| format!("{}: model {} server {}", difference.path, difference.model, difference.server))
        .collect();
    let value = serde_json::to_value(model).unwrap();
    unknown("", &value, &mut found);
    found
}

fn unknown(path: &str, value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Null if !path.ends_with("/owner") && path != "/grants" && !path.contains("/sequence/") => {
            found.push(format!("{path}: not known"))
        }
        serde_json::Value::Object(map) => map.iter().for_each(|(key, value)| unknown(&format!("{path}/{key}"), value, found)),
        serde_json::Value::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                let name = value.get("name").and_then(|name| name.as_str()).map_or_else(|| at.to_string(), str::to_string);
                unknown(&format!("{path}/{name}"), value, found);
            }
        }
        _ => {}
    }
}

#[track_caller]
fn assert_agree(sql: &str) {
    let server = support::snapshot(sql);
    let found = unequal(&modelled(sql).snapshot(), &server);
    assert!(found.is_empty(), "{sql}\n{}", found.join("\n"));
}

/// Each view, named `v`, over the same older schema. A view that the server refuses fails the test.
fn agree_on_each(older: &str, views: &[String]) {
    let numbered: Vec<String> =
        views.iter().enumerate().map(|(at, view)| view.replacen(" v AS", &format!(" v{at} AS"), 1)).collect();
    let mut client = support::SERVER.connect(&support::new_database()).unwrap();
    client.batch_execute(older).unwrap();
    let mut problems = Vec::new();
    for view in &numbered {
        if let Err(error) = client.batch_execute(view) {
            problems.push(format!("{view}\n    the server: {}", error.as_db_error().map_or("", |error| error.message())));
        }
    }
    let server = Replayer::new(client).unwrap().snapshot();
    for line in unequal(&modelled(&format!("{older};{}", numbered.join(";"))).snapshot(), &server) {
        let number = line.split("public.v").nth(1).and_then(|rest| rest.split('/').next()?.parse::<usize>().ok());
        let view = number.and_then(|number| views.get(number)).map_or("", String::as_str);
        problems.push(format!("{view}\n    {line}"));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

const TABLES: &str = "
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE DOMAIN email AS varchar(200) CHECK (VALUE LIKE '%@%');
    CREATE TYPE pair AS (a int, b text);
    CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50) NOT NULL, email email, mood mood, tags text[], amount numeric(10,2),
        born date, created timestamptz(3) DEFAULT now(), updated timestamp, data jsonb, doc json, code char(3), f4 real, f8 float8,
        small smallint, i int, ok boolean, u uuid, b bytea, span interval, pr pair, ip inet, vec tsvector);
    CREATE TABLE orders (id serial, user_id bigint REFERENCES users, total numeric, note text, created timestamptz, moods mood[]);
";

/// One view of each expression: its column must have the server's type.
#[test]
fn expressions_in_a_view_have_the_types_that_the_server_infers() {
    let expressions = [
        "id",
        "name",
        "email",
        "mood",
        "tags",
        "amount",
        "created",
        "code",
        "pr",
        "users",
        "(pr).a",
        "tags[1]",
        "data['a']",
        "1",
        "3000000000",
        "1.5",
        "1e10",
        "'x'",
        "NULL",
        "true",
        "b'101'",
        "DATE '2020-01-01'",
        "'1 day'::interval",
        "'5'::numeric(6,2)",
        "name::varchar(10)",
        "name::text",
        "id::int",
        "CAST(i AS smallint)",
        "amount::integer",
        "name::char(5)",
        "count(*) OVER ()",
        "lower(name)",
        "upper(code)",
        "length(name)",
        "coalesce(name, 'x')",
        "coalesce(i, small, 0)",
        "coalesce(i, amount)",
        "coalesce(created, now())",
        "coalesce(updated, created)",
        "greatest(i, 5)",
        "least(born, updated)",
        "nullif(name, '')",
        "nullif(i, 0)",
        "nullif(mood, 'ok')",
        "CASE WHEN ok THEN 1 ELSE 2.5 END",
        "CASE WHEN ok THEN 'a' END",
        "CASE mood WHEN 'ok' THEN name ELSE 'none' END",
        "CASE WHEN ok THEN name END",
        "i + 1",
        "i + small",
        "i * 1.0",
        "i / 2",
        "amount * 2",
        "f4 + f8",
        "f4 * 2",
        "small + small",
        "id - 1",
        "-i",
        "-amount",
        "i % 3",
        "2 ^ 3",
        "i::numeric / 3",
        "@ i",
        "born + 1",
        "born - born",
        "born + interval '1 day'",
        "created - interval '1 day'",
        "created - created",
        "now() - created",
        "updated + '1 hour'",
        "born + time '10:00'",
        "span * 2",
        "name || 'x'",
        "name || i",
        "'a' || name",
        "tags || 'x'::text",
        "tags || tags",
        "ARRAY[1, 2]",
        "ARRAY[1, 2.5]",
        "ARRAY['a', name]",
        "ARRAY(SELECT o.id FROM orders o)",
        "data -> 'a'",
        "data ->> 'a'",
        "doc -> 1",
        "doc ->> 'x'",
        "data #> '{a,b}'",
        "data #>> '{a,b}'",
        "data - 'a'",
        "data || '{}'",
        "data @> '{}'",
        "(data ->> 'n')::int",
        "name = 'x'",
        "i > 3",
        "i IN (1, 2)",
        "name LIKE 'a%'",
        "name ~ 'x'",
        "ok AND NOT ok",
        "i BETWEEN 1 AND 2",
        "name IS NULL",
        "ok IS TRUE",
        "mood = 'ok'",
        "i IS DISTINCT FROM 1",
        "EXISTS (SELECT 1)",
        "i = ANY (ARRAY[1])",
        "(SELECT max(o.total) FROM orders o)",
        "(SELECT o.note FROM orders o LIMIT 1)",
        "created AT TIME ZONE 'UTC'",
        "updated AT TIME ZONE 'UTC'",
        "date_trunc('day', created)",
        "date_trunc('day', born)",
        "extract(epoch FROM created)",
        "date_part('year', born)",
        "to_char(created, 'YYYY')",
        "to_date('2020', 'YYYY')",
        "to_timestamp(0)",
        "age(created)",
        "now()",
        "current_date",
        "current_timestamp",
        "localtimestamp",
        "current_user",
        "current_time",
        "clock_timestamp()",
        "gen_random_uuid()",
        "md5(name)",
        "concat(name, i)",
        "concat_ws(',', name, i)",
        "format('%s', i)",
        "substring(name FROM 1 FOR 2)",
        "substr(name, 1)",
        "replace(name, 'a', 'b')",
        "split_part(name, ',', 1)",
        "trim(name)",
        "position('a' IN name)",
        "left(name, 3)",
        "round(amount, 1)",
        "round(f8)",
        "floor(amount)",
        "ceil(f4)",
        "abs(i)",
        "abs(amount)",
        "mod(i, 2)",
        "power(i, 2)",
        "sqrt(i)",
        "random()",
        "array_length(tags, 1)",
        "cardinality(tags)",
        "array_to_string(tags, ',')",
        "string_to_array(name, ',')",
        "array_append(tags, 'x')",
        "unnest(tags)",
        "to_json(users)",
        "to_jsonb(name)",
        "row_to_json(users)",
        "json_build_object('a', i)",
        "jsonb_build_object('a', i)",
        "jsonb_build_array(1, 2)",
        "jsonb_set(data, '{a}', '1')",
        "jsonb_array_elements(data)",
        "jsonb_array_length(data)",
        "jsonb_typeof(data)",
        "jsonb_object_keys(data)",
        "to_tsvector(name)",
        "to_tsvector('english', name)",
        "vec @@ to_tsquery('x')",
        "ts_rank(vec, to_tsquery('x'))",
        "host(ip)",
        "ip << '10.0.0.0/8'",
        "encode(b, 'hex')",
        "make_interval(days => 1)",
        "(jsonb_each(data)).key",
        "nextval('orders_id_seq')",
        "pg_typeof(i)",
        "txid_current()",
        "name COLLATE \"C\"",
        "row_number() OVER (ORDER BY id)",
        "rank() OVER (ORDER BY id)",
        "lag(name) OVER (ORDER BY id)",
        "lag(amount, 1, 0) OVER (ORDER BY id)",
        "first_value(created) OVER (ORDER BY id)",
        "sum(i) OVER ()",
        "ntile(4) OVER (ORDER BY id)",
        "i::bigint::text",
        "i | 1",
        "i << 2",
        "width_bucket(i, 1, 10, 5)",
        "int4range(1, 5)",
        "lower(int4range(1, 5))",
        "tstzrange(created, created)",
        "overlay(name placing 'x' from 1)",
        "ok::int",
        "i::bool",
        "chr(65)",
        "ascii(name)",
        "greatest(created, now())",
        "ctid",
        "tableoid",
        "xmin",
    ];
    let views = expressions.map(|expression| format!("CREATE VIEW v AS SELECT {expression} AS x FROM users"));
    agree_on_each(TABLES, &views);
}

/// Output names, stars, joins, subqueries: whole queries.
#[test]
fn queries_have_the_columns_that_the_server_gives() {
    let queries = [
        "SELECT * FROM users",
        "SELECT u.*, o.total FROM users u JOIN orders o ON o.user_id = u.id WHERE o.note IS NULL ORDER BY o.total",
        "SELECT o.*, name FROM orders o, users u WHERE u.id = o.user_id",
        "SELECT * FROM (SELECT id AS user_id, name FROM users) u JOIN orders USING (user_id)",
        "SELECT * FROM (SELECT id AS user_id, name FROM users) u NATURAL JOIN (SELECT user_id, total FROM orders) o",
        "SELECT user_id FROM (SELECT id AS user_id FROM users) u LEFT JOIN orders USING (user_id)",
        "SELECT count(*), sum(total), avg(total), min(note), max(created), array_agg(moods), sum(id) AS s, avg(id) AS a, bool_and(true) AS b FROM orders",
        "SELECT user_id, count(*) AS n, string_agg(note, ',') AS notes, json_agg(total) AS j, jsonb_agg(orders) AS k FROM orders GROUP BY user_id",
        "SELECT user_id, sum(total) FILTER (WHERE note IS NULL) AS s FROM orders GROUP BY 1 HAVING count(*) > 1 ORDER BY s",
        "SELECT array_agg(name), array_agg(tags) AS t, array_agg(amount) AS a, jsonb_object_agg(name, i) FROM users",
        "SELECT sum(i), sum(small) AS s, sum(f4) AS f, sum(span) AS sp, avg(f8), avg(i) AS ai, stddev(i), every(ok), min(mood), max(email::text) FROM users",
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY f8), mode() WITHIN GROUP (ORDER BY name) FROM users",
        "WITH a AS (SELECT id, name FROM users), b AS (SELECT a.id, a.name || '!' AS loud FROM a) SELECT b.*, a.name FROM a JOIN b ON a.id = b.id",
        "WITH a(x, y) AS (SELECT id, name FROM users) SELECT x, y FROM a",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 10) SELECT n FROM t",
        "WITH RECURSIVE t AS (SELECT id, user_id, 1 AS depth, ARRAY[id] AS path FROM orders UNION ALL SELECT o.id, o.user_id, t.depth + 1, t.path || o.id FROM orders o JOIN t ON o.user_id = t.id) SELECT * FROM t",
        "SELECT id, name FROM users UNION ALL SELECT id, note FROM orders",
        "SELECT id, 'x' AS kind FROM users UNION SELECT id, name FROM users",
        "SELECT NULL AS a, 1 AS b UNION SELECT created, 2.5 FROM orders",
        "SELECT name FROM users UNION SELECT name FROM users",
        "SELECT id FROM users EXCEPT SELECT user_id FROM orders ORDER BY id",
        "(SELECT id FROM users LIMIT 1) UNION ALL (SELECT 5)",
        "VALUES (1, 'a'), (2, 'b')",
        "SELECT * FROM (VALUES (1, 'a', now())) AS t(a, b)",
        "SELECT * FROM generate_series(1, 10)",
        "SELECT * FROM generate_series(1, 10) AS g(n)",
        "SELECT n FROM generate_series(now(), now(), '1 day') n",
        "SELECT e.value, ord FROM users, jsonb_array_elements(data) WITH ORDINALITY AS e(value, ord)",
        "SELECT u.id, e ->> 'a' AS a, e FROM users u CROSS JOIN LATERAL jsonb_array_elements(u.data) AS e",
        "SELECT u.id, k, v FROM users u, jsonb_each_text(u.data) AS kv(k, v)",
        "SELECT u.id, kv.key, kv.value FROM users u, jsonb_each(u.data) kv",
        "SELECT u.id, t FROM users u, unnest(u.tags) t",
        "SELECT u.id, t.tag, t.n FROM users u, unnest(u.tags) WITH ORDINALITY t(tag, n)",
        "SELECT r.* FROM users u, jsonb_to_record(u.data) AS r(a int, b text, c numeric(5,2))",
        "SELECT x.a FROM json_to_recordset('[]') AS x(a date)",
        "SELECT l.n FROM users u LEFT JOIN LATERAL (SELECT count(*) AS n FROM orders o WHERE o.user_id = u.id) l ON true",
        "SELECT id, (SELECT count(*) FROM orders o WHERE o.user_id = users.id) FROM users",
        "SELECT DISTINCT ON (user_id) user_id, total FROM orders ORDER BY user_id, created DESC",
        "SELECT name, lower(name), name::text AS t, coalesce(name, ''), CASE WHEN ok THEN 1 END, (pr).b, 1 + 1 AS s FROM users",
        "SELECT public.users.id, users.name FROM public.users",
        "SELECT a.id AS x, b.id AS y FROM users a JOIN users b ON a.id = b.id",
        "SELECT usr FROM users usr",
        "SELECT (usr).name, (usr.pr).b FROM users usr",
        "SELECT current_date, current_timestamp, now(), 'x'::text, 5::bigint AS five, true AS t",
        "SELECT f.* FROM pair_of(1) f",
        "SELECT * FROM rows_of(1)",
        "SELECT * FROM users_like('x')",
        "SELECT pair_of(1), twice(2), twice(2.5) AS n, twice(amount) AS s, ident(name) AS i, ident(tags) AS t FROM users",
        "SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY['a'])) AS r(a, b)",
        "SELECT grp, sum(n) FROM (SELECT mood AS grp, count(*) AS n FROM users GROUP BY mood) s GROUP BY ROLLUP (grp)",
        "SELECT o.id, u.name FROM orders o LEFT JOIN users u ON u.id = o.user_id WHERE EXISTS (SELECT 1 FROM users x WHERE x.id = o.user_id)",
        "SELECT j.x FROM (users u JOIN orders o ON o.user_id = u.id) AS j(x)",
    ];
    let functions = "
        CREATE FUNCTION pair_of(int) RETURNS pair LANGUAGE sql AS 'SELECT NULL::pair';
        CREATE FUNCTION rows_of(n int) RETURNS TABLE (a int, b varchar(10)) LANGUAGE sql AS 'SELECT 1, NULL::varchar';
        CREATE FUNCTION users_like(p text) RETURNS SETOF users LANGUAGE sql AS 'SELECT * FROM users';
        CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION twice(numeric) RETURNS numeric LANGUAGE sql AS 'SELECT 1.0';
        CREATE FUNCTION ident(anyelement) RETURNS anyelement LANGUAGE sql AS 'SELECT $1';";
    let views: Vec<String> = queries.iter().map(|query| format!("CREATE MATERIALIZED VIEW v AS {query} WITH NO DATA")).collect();
    agree_on_each(&format!("{TABLES}{functions}"), &views);
}

#[test]
fn a_view_is_replaced_renamed_and_moved_as_on_the_server() {
    assert_agree(
        "CREATE TABLE t (a int, b varchar(10));
        CREATE VIEW v AS SELECT a FROM t;
        CREATE OR REPLACE VIEW v WITH (security_barrier) AS SELECT a, b, now() AS c FROM t;
        CREATE VIEW w (x, y) AS SELECT a, b FROM v;
        CREATE OR REPLACE VIEW w AS SELECT a AS x, b AS y FROM v;
        ALTER TABLE t RENAME COLUMN a TO renamed;
        ALTER VIEW v RENAME COLUMN b TO bee;
        ALTER VIEW w RENAME TO w2;
        CREATE SCHEMA app;
        ALTER VIEW w2 SET SCHEMA app;
        CREATE MATERIALIZED VIEW m AS SELECT * FROM app.w2;
        CREATE UNIQUE INDEX m_x ON m (x);
        ALTER MATERIALIZED VIEW m RENAME TO m2;
        REFRESH MATERIALIZED VIEW m2;
        CREATE DOMAIN dom AS int;
        CREATE TABLE nothing (a int DEFAULT NULL, b varchar(5) DEFAULT NULL, c text DEFAULT NULL::text, d dom DEFAULT NULL, e int DEFAULT NULL::bigint);
        CREATE TABLE copy AS SELECT * FROM t;
        CREATE TABLE IF NOT EXISTS copy AS SELECT 1 AS other;
        CREATE TABLE named (p, q) AS SELECT renamed, b FROM t WITH NO DATA;
        SELECT 1 AS one, 'x' AS two INTO picked;
        CREATE TEMP VIEW gone AS SELECT 1 AS a;
        CREATE RECURSIVE VIEW numbers (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < 5;",
    );
}

#[test]
fn a_dropped_column_takes_only_the_views_that_use_it() {
    assert_agree(
        "CREATE TABLE t (a int, b int, c int);
        CREATE VIEW on_a AS SELECT a FROM t;
        CREATE VIEW on_b_in_where AS SELECT a FROM t WHERE b > 0;
        CREATE VIEW on_c AS SELECT c FROM t;
        CREATE VIEW on_on_b AS SELECT * FROM on_b_in_where;
        CREATE VIEW in_subquery AS SELECT 1 AS one WHERE EXISTS (SELECT FROM t WHERE t.b = 1);
        CREATE VIEW in_join AS SELECT x.a FROM t x JOIN t y USING (b);
        CREATE VIEW whole AS SELECT count(*) AS n FROM t;
        CREATE VIEW in_order AS SELECT a FROM t ORDER BY b;
        CREATE VIEW in_cte AS WITH q AS (SELECT b FROM t) SELECT 1 AS one FROM q;
        ALTER TABLE t DROP COLUMN b CASCADE;",
    );
}

#[test]
fn what_falls_with_a_routine_a_type_or_a_sequence_falls_in_the_model() {
    assert_agree(
        "CREATE TYPE mood AS ENUM ('a');
        CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION g(mood) RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION h() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT f(1); END;
        CREATE FUNCTION r() RETURNS int LANGUAGE sql RETURN f(2);
        CREATE FUNCTION text_only() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN f(1); END';
        CREATE FUNCTION pure(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
        CREATE FUNCTION pure(text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
        CREATE TABLE calls (a int DEFAULT f(1), b int CHECK (pure(b) > 0), c int GENERATED ALWAYS AS (pure(1)) STORED, d text DEFAULT pure('x'));
        CREATE INDEX calling ON calls (pure(b));
        CREATE POLICY calling ON calls USING (pure(a) = 1);
        CREATE TABLE source (a int);
        CREATE FUNCTION reads() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(a) FROM source; END;
        CREATE SEQUENCE s;
        CREATE TABLE t (a int DEFAULT nextval('s'), m mood);
        CREATE VIEW uses_f AS SELECT f(1) AS x;
        CREATE VIEW uses_type AS SELECT 'a'::mood AS x;
        CREATE VIEW uses_sequence AS SELECT nextval('s') AS x;
        CREATE VIEW stays AS SELECT a FROM t;
        DROP FUNCTION f(int) CASCADE;
        DROP FUNCTION pure(int) CASCADE;
        DROP TABLE source CASCADE;
        DROP TYPE mood CASCADE;
        DROP SEQUENCE s CASCADE;",
    );
}

#[test]
fn routines_differ_by_input_types_and_replace_in_place() {
    assert_agree(
        "CREATE SCHEMA app;
        CREATE TYPE pair AS (a int, b text);
        CREATE TABLE t (a int, b numeric(5,2));
        CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION f(a text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT a';
        CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE plpgsql STABLE SECURITY DEFINER AS 'BEGIN RETURN 2; END';
        CREATE FUNCTION out_one(a int, OUT b text) LANGUAGE sql AS 'SELECT NULL::text';
        CREATE FUNCTION out_two(a int, OUT b text, INOUT c int) LANGUAGE sql AS 'SELECT NULL::text, 1';
        CREATE FUNCTION as_table(int) RETURNS TABLE (a int, b char(3)) LANGUAGE sql AS 'SELECT 1, NULL::char(3)';
        CREATE FUNCTION as_table_one() RETURNS TABLE (a varchar(3)) LANGUAGE sql AS 'SELECT NULL::varchar';
        CREATE FUNCTION set_of(pair[], VARIADIC text[]) RETURNS SETOF pair LANGUAGE sql AS 'SELECT NULL::pair';
        CREATE FUNCTION row_of(t) RETURNS t LANGUAGE sql AS 'SELECT NULL::t';
        CREATE FUNCTION of_column(x t.b%TYPE) RETURNS t.b%TYPE LANGUAGE sql AS 'SELECT 1.0';
        CREATE FUNCTION chars(char(5), bit(3), bpchar, varchar(2), numeric(3,1)) RETURNS char LANGUAGE sql AS 'SELECT NULL::char';
        CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE PROCEDURE p(a int, OUT b int) LANGUAGE plpgsql AS 'BEGIN b := 1; END';
        CREATE PROCEDURE p2(a int, INOUT b int) LANGUAGE plpgsql AS 'BEGIN b := 1; END';
        CREATE PROCEDURE q() LANGUAGE plpgsql AS 'BEGIN NULL; END';
        CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int);
        CREATE FUNCTION app.f(int) RETURNS void LANGUAGE plpgsql AS 'BEGIN NULL; END';
        ALTER FUNCTION f(text) RENAME TO f2;
        ALTER FUNCTION f2(text) SET SCHEMA app;
        ALTER FUNCTION app.f(int) VOLATILE SECURITY DEFINER;
        ALTER FUNCTION app.f(int) SECURITY INVOKER STABLE;
        DROP FUNCTION out_one(int);
        DROP PROCEDURE p(int, int);
        DROP FUNCTION IF EXISTS nothing(int);
        ALTER FUNCTION trg() RENAME TO trg2;
        ALTER ROUTINE q RENAME TO q2;
        DROP FUNCTION of_column;",
    );
}

#[test]
fn triggers_and_rules_come_and_go_as_on_the_server() {
    assert_agree(
        "CREATE TABLE t (a int, b int);
        CREATE TABLE parted (a int, b int) PARTITION BY RANGE (a);
        CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10);
        CREATE TABLE later (a int, b int);
        CREATE VIEW v AS SELECT a FROM t;
        CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER one BEFORE INSERT OR UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION trg();
        CREATE TRIGGER two AFTER DELETE OR TRUNCATE ON t EXECUTE PROCEDURE trg();
        CREATE OR REPLACE TRIGGER two AFTER TRUNCATE ON t EXECUTE FUNCTION other();
        CREATE CONSTRAINT TRIGGER three AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trg();
        CREATE TRIGGER gone AFTER INSERT ON t EXECUTE FUNCTION trg();
        DROP TRIGGER gone ON t;
        DROP TRIGGER IF EXISTS never ON t;
        CREATE TRIGGER instead INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION trg();
        CREATE TRIGGER cloned AFTER INSERT ON parted FOR EACH ROW EXECUTE FUNCTION trg();
        ALTER TABLE parted ATTACH PARTITION later FOR VALUES FROM (10) TO (20);
        ALTER TRIGGER cloned ON parted RENAME TO cloned2;
        ALTER TABLE parted DETACH PARTITION part;
        ALTER TABLE t DISABLE TRIGGER one;
        ALTER TABLE t ENABLE ALWAYS TRIGGER two;
        ALTER TRIGGER three ON t RENAME TO drei;
        ALTER FUNCTION other() RENAME TO another;
        CREATE TRIGGER search BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
        CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;
        CREATE OR REPLACE RULE r AS ON DELETE TO t DO ALSO NOTHING;
        CREATE RULE r2 AS ON INSERT TO t DO ALSO NOTHING;
        ALTER RULE r2 ON t RENAME TO r3;
        ALTER TABLE t RENAME COLUMN a TO aa;
        DROP FUNCTION another() CASCADE;",
    );
}

#[test]
fn policies_and_row_security_agree() {
    assert_agree(
        "CREATE TABLE t (a int, owner text);
        CREATE TABLE u (a int);
        ALTER TABLE t ENABLE ROW LEVEL SECURITY;
        ALTER TABLE t FORCE ROW LEVEL SECURITY;
        ALTER TABLE u ENABLE ROW LEVEL SECURITY;
        ALTER TABLE u DISABLE ROW LEVEL SECURITY;
        CREATE POLICY p ON t USING (owner = current_user);
        CREATE POLICY q ON t AS RESTRICTIVE FOR SELECT TO pg_monitor, pg_read_all_data USING (a > 0);
        CREATE POLICY r ON t FOR INSERT WITH CHECK (true);
        ALTER POLICY p ON t TO pg_monitor;
        ALTER POLICY q ON t USING (a > 1);
        ALTER POLICY r ON t RENAME TO r2;
        CREATE POLICY gone ON t USING (true);
        DROP POLICY gone ON t;
        ALTER TABLE t RENAME TO t2;",
    );
}

#[test]
fn schemas_with_elements_and_their_renames_agree() {
    assert_agree(
        "CREATE SCHEMA app CREATE VIEW v AS SELECT a FROM t CREATE TABLE t (a serial PRIMARY KEY, b text) CREATE INDEX i ON t (b);
        CREATE SCHEMA IF NOT EXISTS app;
        CREATE SCHEMA owned AUTHORIZATION pg_monitor;
        CREATE TYPE app.mood AS ENUM ('a');
        CREATE TYPE app.pair AS (x int);
        CREATE FUNCTION app.f(app.mood) RETURNS app.pair LANGUAGE sql AS 'SELECT NULL::app.pair';
        CREATE TABLE uses (m app.mood, p app.pair, t app.t);
        CREATE VIEW v AS SELECT * FROM app.v;
        ALTER SCHEMA app RENAME TO application;
        SET search_path = application, public;
        CREATE TABLE here (a int REFERENCES t);
        ALTER TABLE here SET SCHEMA public;
        ALTER TABLE t SET SCHEMA public;
        ALTER TYPE mood SET SCHEMA public;
        ALTER TYPE pair RENAME TO couple;
        CREATE SCHEMA empty;
        DROP SCHEMA empty;
        DROP SCHEMA application CASCADE;",
    );
}

#[test]
fn renames_take_along_what_the_server_takes_along() {
    assert_agree(
        "CREATE TABLE parent (a int CONSTRAINT positive CHECK (a > 0), b text UNIQUE, c int);
        CREATE TABLE child (d int) INHERITS (parent);
        CREATE TABLE keyed (id serial PRIMARY KEY, p text REFERENCES parent (b));
        CREATE INDEX by_c ON parent (c) WHERE c > 0;
        ALTER TABLE parent RENAME COLUMN a TO aa;
        ALTER TABLE parent RENAME CONSTRAINT positive TO above_zero;
        ALTER TABLE parent RENAME CONSTRAINT parent_b_key TO unique_b;
        ALTER INDEX by_c RENAME TO by_c2;
        ALTER INDEX unique_b RENAME TO unique_bee;
        ALTER TABLE keyed RENAME TO keyed2;
        ALTER SEQUENCE keyed_id_seq RENAME TO numbers;
        ALTER TABLE keyed2 RENAME CONSTRAINT keyed_p_fkey TO fk;
        ALTER TABLE by_c2 RENAME TO by_c3;
        CREATE TYPE mood AS ENUM ('a', 'b');
        ALTER TYPE mood RENAME TO feeling;
        ALTER TYPE feeling RENAME VALUE 'a' TO 'aa';
        CREATE TYPE pair AS (x int, y int);
        ALTER TYPE pair RENAME ATTRIBUTE x TO xx;
        CREATE DOMAIN d AS int CONSTRAINT c CHECK (VALUE > 0);
        ALTER DOMAIN d RENAME CONSTRAINT c TO c2;
        ALTER DOMAIN d RENAME TO e;
        ALTER TABLE IF EXISTS nothing RENAME TO something;
        ALTER TABLE parent RENAME TO ancestor;",
    );
}

#[test]
fn extensions_bring_their_members_and_take_them_away() {
    assert_agree(
        "CREATE EXTENSION citext;
        CREATE EXTENSION IF NOT EXISTS plpgsql;
        CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\";
        CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\";
        CREATE SCHEMA ext;
        CREATE EXTENSION hstore WITH SCHEMA ext;
        CREATE EXTENSION earthdistance CASCADE;
        CREATE EXTENSION pgcrypto SCHEMA ext;
        CREATE EXTENSION pg_trgm;
        CREATE EXTENSION pg_stat_statements;
        CREATE TABLE t (id uuid DEFAULT uuid_generate_v4(), email citext, tags ext.hstore, place earth, note text);
        CREATE VIEW v AS SELECT id, email, lower(email) AS l, email = 'x' AS e, coalesce(email, 'x') AS c, email || 'x' AS j,
            uuid_generate_v1() AS u, similarity(note, 'x') AS s, ext.digest(note, 'sha256') AS d, max(email) OVER () AS m FROM t;
        CREATE VIEW calls AS SELECT query, calls FROM pg_stat_statements;
        CREATE INDEX trgm ON t USING gin (note gin_trgm_ops);
        ALTER EXTENSION citext SET SCHEMA ext;
        DROP EXTENSION hstore CASCADE;
        DROP EXTENSION pg_stat_statements CASCADE;
        CREATE EXTENSION btree_gist;
        DROP EXTENSION btree_gist;
        DROP EXTENSION IF EXISTS ltree;",
    );
}

#[test]
fn publications_hold_what_they_are_told() {
    assert_agree(
        "CREATE TABLE a (id int PRIMARY KEY);
        CREATE TABLE b (id int PRIMARY KEY);
        CREATE SCHEMA app;
        CREATE PUBLICATION everything FOR ALL TABLES;
        CREATE PUBLICATION chosen FOR TABLE a, b WITH (publish = 'insert');
        CREATE PUBLICATION in_schema FOR TABLES IN SCHEMA app, TABLE a;
        ALTER PUBLICATION chosen DROP TABLE b;
        ALTER PUBLICATION in_schema SET TABLE b;
        CREATE PUBLICATION gone;
        DROP PUBLICATION gone;
        ALTER PUBLICATION chosen RENAME TO few;
        ALTER TABLE a RENAME TO a2;
        ALTER SCHEMA app RENAME TO app2;",
    );
}

#[test]
fn owners_follow_owner_to_and_reassign() {
    assert_agree(
        "CREATE TABLE t (id serial);
        CREATE TYPE mood AS ENUM ('a');
        CREATE TYPE pair AS (a int);
        CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE SCHEMA app AUTHORIZATION pg_monitor;
        CREATE VIEW v AS SELECT 1 AS a;
        ALTER TABLE t OWNER TO pg_monitor;
        ALTER TYPE mood OWNER TO pg_monitor;
        ALTER TYPE pair OWNER TO pg_read_all_data;
        ALTER FUNCTION f() OWNER TO pg_monitor;
        ALTER VIEW v OWNER TO pg_read_all_data;
        CREATE TABLE theirs (a int);
        ALTER TABLE theirs OWNER TO pg_read_all_data;
        ALTER TABLE theirs OWNER TO CURRENT_USER;
        SET ROLE pg_read_all_data;
        RESET ROLE;",
    );
}
