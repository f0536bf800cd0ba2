use super::*;
use crate::op::{Op, TableElement};
use crate::source::Migration;
use crate::sql::{ParsedUnit, parse};

fn parsed(sql: &str) -> ParsedUnit {
    parse::unit(&Migration::of_text("1", "1.sql", sql.as_bytes()))
}

/// Every use in a file: the token, what it is, when older servers refuse it.
fn uses_in(sql: &str) -> Vec<(String, String, When)> {
    let parsed = parsed(sql);
    let all = parsed.statements.iter().flat_map(|statement| {
        assert_eq!((statement.outcome.as_ref().err(), &statement.inner_errors), (None, &Vec::new()), "{sql}");
        &statement.newer
    });
    let name = |what: &What| match what {
        What::Form { id, .. } => (*id).to_owned(),
        What::Function { name, arguments, .. } => format!("{name}/{arguments}"),
        What::Name { name, .. } => name.clone(),
        What::Word { word, .. } => format!("word {word}"),
    };
    all.map(|newer| (sql[newer.span.start..newer.span.end].to_owned(), name(&newer.what), newer.when)).collect()
}

#[track_caller]
fn assert_uses(sql: &str, expected: &[(&str, &str, When)]) {
    let found = uses_in(sql);
    let found: Vec<(&str, &str, When)> = found.iter().map(|(text, what, when)| (text.as_str(), what.as_str(), *when)).collect();
    assert_eq!(found, expected, "{sql}");
}

#[test]
fn a_use_stands_at_its_token() {
    assert_uses("SELECT 'ä', x->0xFF FROM t", &[("0xFF", "number-literal", When::Now)]);
    assert_uses("CREATE TABLE t (a uuid DEFAULT uuidv7())", &[("uuidv7", "uuidv7/0", When::Now)]);
    assert_uses("ALTER ROLE r SET Transaction_Timeout = 1", &[("Transaction_Timeout", "transaction_timeout", When::Now)]);
    assert_uses("SELECT set_config('io_method', 'x', true)", &[("set_config", "io_method", When::Now)]);
    assert_uses("PREPARE p AS SELECT JSON_VALUE(a, '$')", &[("JSON_VALUE", "json-query", When::Now)]);
}

#[test]
fn what_only_looks_like_a_newer_form_is_none() {
    for sql in [
        "SELECT '1_000', a_1, \"0x1\", $tag$0xFF$tag$ -- 1_000\nFROM t",
        "SELECT current_setting('transaction_timeout', true), app.uuidv7(), JSON_OBJECT('{a,1}'), json(x)",
        "SELECT a FROM t, (SELECT 1) AS b",
        "ALTER TABLE t ADD CHECK (enforced > 0), ADD CONSTRAINT period UNIQUE (virtual)",
        "UPDATE t AS new SET a = 1 FROM u AS old RETURNING old.b, new.a",
        "CREATE RULE r AS ON UPDATE TO t DO INSTEAD DELETE FROM u RETURNING old.a",
        "GRANT r TO s WITH ADMIN OPTION",
        "REVOKE ADMIN OPTION FOR r FROM s",
        "CREATE DOMAIN d AS int CONSTRAINT c NOT NULL",
        "CREATE TABLE t (a int NOT NULL, b int CONSTRAINT c NOT NULL, c int GENERATED ALWAYS AS (a) STORED)",
        "CLUSTER VERBOSE",
        "COPY t FROM '/dev/null' (FORMAT csv, FORCE_NULL (a))",
        "SET app.transaction_timeout = 1",
    ] {
        assert_uses(sql, &[]);
    }
}

#[test]
fn a_body_is_refused_when_it_is_created_called_or_perhaps_never() {
    let body = |language: &str, text: &str| format!("CREATE FUNCTION f() RETURNS void LANGUAGE {language} AS $$ {text} $$");
    let plpgsql = |text: &str| body("plpgsql", &format!("BEGIN {text} END"));
    assert_uses(&body("sql", "SELECT uuidv7()"), &[("uuidv7", "uuidv7/0", When::Now)]);
    assert_uses(&plpgsql("PERFORM uuidv7();"), &[("uuidv7", "uuidv7/0", When::Called)]);
    assert_uses(&plpgsql("PERFORM 0xFF;"), &[("0xFF", "number-literal", When::Now)]);
    assert_uses(&plpgsql("EXECUTE 'SELECT 0xFF';"), &[("0xFF", "number-literal", When::Called)]);
    assert_uses("DO $$ BEGIN PERFORM uuidv7(); END $$", &[("uuidv7", "uuidv7/0", When::Now)]);
    assert_uses("DO $$ BEGIN EXECUTE 'SELECT 0xFF'; END $$", &[("0xFF", "number-literal", When::Now)]);
    let guarded =
        |text: &str| format!("DO $$ BEGIN IF current_setting('server_version_num')::int >= 180000 THEN {text} END IF; END $$");
    assert_uses(&guarded("PERFORM uuidv7();"), &[("uuidv7", "uuidv7/0", When::Guarded)]);
    assert_uses(&guarded("EXECUTE 'SELECT 0xFF';"), &[("0xFF", "number-literal", When::Guarded)]);
    assert_uses(&guarded("PERFORM 0xFF;"), &[("0xFF", "number-literal", When::Now)]);
}

#[test]
fn every_expression_of_a_body_is_looked_at_and_each_place_is_told_once() {
    let body = "DO $$ DECLARE c CURSOR (a int) FOR SELECT a; x t.a%TYPE[] := 0x1; BEGIN \
                ASSERT any_value(1) > 0; RAISE '%', erf(1); EXIT WHEN 0b1 > 0; OPEN c (a => 1); \
                FOR i IN 1..3 LOOP EXECUTE format('SELECT %s', i) USING uuidv4(); END LOOP; END $$";
    let mut found: Vec<String> = uses_in(body).into_iter().map(|(_, what, _)| what).collect();
    found.sort();
    assert_eq!(
        found,
        ["any_value/1", "array-of-type", "cursor-argument", "erf/1", "number-literal", "number-literal", "uuidv4/0"]
    );
}

#[test]
fn words_that_became_keywords_are_names_also_inside_bodies() {
    let word = |text: &'static str, word: &'static str| (text, word, When::Now);
    assert_uses("CREATE TABLE t (System_User text, a json)", &[word("System_User", "word system_user")]);
    assert_uses("CREATE TABLE t (a json_table)", &[word("json_table", "word json_table")]);
    let body = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE t (system_user text); END $$";
    assert_uses(body, &[word("system_user", "word system_user")]);
    // As a column it is one for older servers; our parser reads the function.
    assert_uses("SELECT system_user", &[("system_user", "system_user/0", When::Now)]);
}

#[test]
fn the_statement_is_read_as_older_servers_read_it() {
    let sql = "CREATE TABLE t (system_user text, b int);";
    let parsed = parsed(sql);
    let [statement] = parsed.statements.as_slice() else { panic!("{parsed:?}") };
    assert_eq!(statement.span, Span { start: 0, end: sql.len() - 1 });
    let Ok(Op::CreateTable(table)) = statement.outcome.as_ref().map(|statement| &statement.op) else { panic!("{statement:?}") };
    let columns: Vec<(&str, &str)> = table
        .elements
        .iter()
        .filter_map(|element| match element {
            TableElement::Column(column) => Some((column.name.as_str(), &sql[column.span.start..column.span.end])),
            _ => None,
        })
        .collect();
    assert_eq!(columns, [("system_user", "system_user text"), ("b", "b int")]);
    let What::Word { error, .. } = &statement.newer[0].what else { panic!("{:?}", statement.newer) };
    assert_eq!(
        (&sql[error.span.start..error.span.end], error.message.as_str()),
        ("system_user", "syntax error at or near \"system_user\"")
    );
}
