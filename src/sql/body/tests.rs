use super::*;
use crate::expr::Expr;
use crate::op::{RaiseLevel, Span};
use crate::sql::ffi::{Mode, with_room};
use crate::sql::position::PositionMap;
use pg_query::protobuf::node::Node as Kind;
use pg_query::protobuf::{DefElem, ParseResult};

mod compiler;

/// Every routine and DO of a text: its range, language and source.
fn bodies(text: &str, tree: &ParseResult) -> Vec<(Span, String, String)> {
    let mut found = Vec::new();
    for raw in &tree.stmts {
        let node = raw.stmt.as_ref().and_then(|node| node.node.as_ref());
        let options: &[pg_query::Node] = match node {
            Some(Kind::CreateFunctionStmt(create)) => &create.options,
            Some(Kind::DoStmt(body)) => &body.args,
            _ => continue,
        };
        let (mut language, mut source) = (None, None);
        for option in options {
            let Some(Kind::DefElem(option)) = &option.node else { continue };
            let DefElem { defname, arg, .. } = option.as_ref();
            match (defname.as_str(), arg.as_ref().and_then(|arg| arg.node.as_ref())) {
                ("language", Some(Kind::String(name))) => language = Some(name.sval.clone()),
                ("as", Some(Kind::String(text))) => source = Some(text.sval.clone()),
                ("as", Some(Kind::List(list))) => {
                    if let Some(Kind::String(text)) = list.items.first().and_then(|item| item.node.as_ref()) {
                        source = Some(text.sval.clone());
                    }
                }
                _ => {}
            }
        }
        let start = usize::try_from(raw.stmt_location).expect("a location");
        let end = if raw.stmt_len == 0 { text.len() } else { start + usize::try_from(raw.stmt_len).expect("a length") };
        if let Some(source) = source {
            found.push((Span { start, end }, language.unwrap_or_else(|| "plpgsql".into()), source));
        }
    }
    found
}

struct Opened {
    body: Body,
    errors: Vec<SyntaxError>,
}

/// Opens the one body of a statement.
fn opened(statement: &str) -> Opened {
    with_room(|| {
        let tree = ffi::parse(statement, Mode::Statements).expect("the statement parses");
        let (span, language, source) = bodies(statement, &tree).remove(0);
        let positions = PositionMap::Linear(0);
        let cx = Lowering::new(statement, &positions);
        let body = open(&language, &source, true, span.start, span.end, &cx);
        Opened { body, errors: cx.errors.into_inner() }
    })
}

/// A DO block around some statements.
fn block(statements: &str) -> String {
    format!("DO $$\nBEGIN\n{statements}\nEND $$")
}

/// The steps as one line: `sql(…)` with the statement's text, `if(… | …)`, `dynamic(…)` …
fn shape(steps: &[Step], text: &str) -> String {
    let at = |span: &Span| text[span.start..span.end].split_whitespace().collect::<Vec<_>>().join(" ");
    let parts: Vec<_> = steps
        .iter()
        .filter(|step| !is_unknown_assignment(step))
        .map(|step| match step {
            Step::Sql(statement) => format!("sql({})", at(&statement.span)),
            Step::Dynamic { text, .. } => format!("dynamic({text})"),
            Step::If { arms, otherwise, .. } => {
                let mut parts: Vec<_> = arms.iter().map(|(_, steps)| shape(steps, text)).collect();
                parts.push(shape(otherwise, text));
                format!("if({})", parts.join(" | "))
            }
            Step::Loop { query, body, .. } => {
                format!("loop{}({})", if query.is_some() { "-rows" } else { "" }, shape(body, text))
            }
            Step::Block { body, handlers, .. } => {
                let handlers: Vec<_> =
                    handlers.iter().map(|(names, steps)| format!("{}: {}", names.join("/"), shape(steps, text))).collect();
                format!("block({} | {})", shape(body, text), handlers.join(" | "))
            }
            Step::Raise { level: RaiseLevel::Exception, .. } => "raise".into(),
            Step::Raise { level: RaiseLevel::Other, .. } => "say".into(),
            Step::Return { expr, .. } => if expr.is_some() { "return(…)" } else { "return" }.into(),
            Step::Evaluate { target, span, .. } => format!("{}:{}", target.as_deref().unwrap_or("do"), at(span)),
            Step::Transaction { commit, .. } => if *commit { "commit" } else { "rollback" }.into(),
            Step::Nothing => "-".into(),
        })
        .collect();
    parts.join("; ")
}

/// What is said about variables that get a value which the text does not tell.
fn is_unknown_assignment(step: &Step) -> bool {
    matches!(step, Step::Evaluate { target: Some(_), expr: Expr::Other { node, .. }, .. } if node == "assigned")
}

fn shaped(statement: &str) -> String {
    let opened = opened(statement);
    assert_eq!(opened.errors, [], "{statement}");
    shape(&opened.body.steps, statement)
}

fn shaped_block(statements: &str) -> String {
    shaped(&block(statements))
}

#[test]
fn every_variable_that_gets_an_unknown_value_is_named() {
    let names = |statements: &str| {
        let steps = opened(&block(statements)).body.steps;
        let mut names = Vec::new();
        for step in &steps {
            match step {
                Step::Evaluate { target: Some(target), .. } if is_unknown_assignment(step) => names.push(target.clone()),
                Step::Loop { body, .. } => names.extend(body.iter().filter(|step| is_unknown_assignment(step)).map(|step| {
                    let Step::Evaluate { target: Some(target), .. } = step else { unreachable!() };
                    target.clone()
                })),
                _ => {}
            }
        }
        names.join(" ")
    };
    assert_eq!(names("SELECT 1, 2 INTO STRICT a, b FROM t;"), "a b");
    assert_eq!(names("INSERT INTO t VALUES (1) RETURNING x INTO a;"), "a");
    assert_eq!(names("EXECUTE 'SELECT 1' INTO a USING b;"), "a");
    assert_eq!(names("GET DIAGNOSTICS n = ROW_COUNT;"), "n");
    assert_eq!(names("FOR r IN SELECT 1 LOOP NULL; END LOOP;"), "r");
    // These are told: the value of a query or an expression.
    assert_eq!(names("SELECT count(*) INTO a FROM t; b := 2;"), "");
}

#[test]
fn control_flow_is_read_with_exact_places() {
    let text = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $f$
#variable_conflict use_column
<<outer>>
DECLARE
  a int := 1; b CONSTANT text NOT NULL DEFAULT g(); c alias for a; r t%ROWTYPE;
BEGIN
  IF EXISTS (SELECT 1 FROM t) THEN DROP TABLE t; -- c
  ELSIF a > 1 THEN ALTER TABLE u ADD x int; RETURN 1;
  ELSE NULL; END IF;
  <<inner>> WHILE a < 3 LOOP a := a + 1; EXIT inner WHEN a = 2; END LOOP inner;
  FOR r IN SELECT * FROM t WHERE x = 1 LOOP DELETE FROM u; CONTINUE; END LOOP;
  FOR i IN REVERSE 10 .. 1 BY 2 LOOP PERFORM g(i); END LOOP;
  FOREACH a SLICE 1 IN ARRAY arr LOOP RAISE NOTICE 'x %', a; END LOOP;
  CASE a WHEN 1, 2 THEN TRUNCATE t; ELSE RAISE EXCEPTION 'no'; END CASE;
  CASE WHEN a = 1 THEN RAISE; WHEN b THEN NULL; END CASE;
  BEGIN
    CREATE TABLE v ();
  EXCEPTION WHEN duplicate_table OR SQLSTATE '42710' THEN NULL; WHEN OTHERS THEN RAISE WARNING 'w';
  END;
  BEGIN INSERT INTO u VALUES (1) RETURNING x INTO STRICT a; END;
  SELECT count(*), max(x) INTO a, r.x FROM t;
  GET DIAGNOSTICS a = ROW_COUNT;
  r.y[1] = 2;
  ASSERT a > 1, 'm';
  CALL p(1);
  RETURN a;
END outer;
$f$";
    let expected = "a:a int := 1; b:b CONSTANT text NOT NULL DEFAULT g(); \
        if(sql(DROP TABLE t) | sql(ALTER TABLE u ADD x int); return(…) | -); \
        do:a < 3; loop(a:a := a + 1; -); \
        loop-rows(sql(DELETE FROM u); -); \
        loop(do:PERFORM g(i)); \
        do:arr; loop(say); \
        if(sql(TRUNCATE t) | raise); \
        if(raise | - | ); \
        block(sql(CREATE TABLE v ()) | duplicate_table/42710: - | others: say); \
        sql(INSERT INTO u VALUES (1) RETURNING x INTO STRICT a); \
        sql(SELECT count(*), max(x) INTO a, r.x FROM t); \
        r.y[1]:r.y[1] = 2; -; sql(CALL p(1)); return(…)";
    assert_eq!(shaped(text), expected);
}

#[test]
fn constant_texts_are_folded_and_the_rest_is_dynamic() {
    assert_eq!(shaped_block("EXECUTE 'DROP TABLE a';"), "sql(EXECUTE 'DROP TABLE a')");
    assert_eq!(shaped_block("EXECUTE 'DROP TABLE a; DROP TABLE b' USING 1;").matches("sql(").count(), 2);
    assert_eq!(
        shaped_block("EXECUTE 'SELECT 1' || ' FROM t' INTO STRICT x;"),
        "sql(EXECUTE 'SELECT 1' || ' FROM t' INTO STRICT x)"
    );
    assert_eq!(shaped_block("EXECUTE format('DROP TABLE %I', tbl);"), "dynamic(format('DROP TABLE %I', tbl))");
    assert_eq!(
        shaped_block("EXECUTE 'COMMENT ON DATABASE ' || current_database();"),
        "dynamic('COMMENT ON DATABASE ' || current_database())"
    );
    assert_eq!(shaped_block("EXECUTE 'no sql';"), "dynamic('no sql')");
    assert_eq!(shaped_block("RETURN QUERY EXECUTE $x$SELECT 1$x$;"), "sql(RETURN QUERY EXECUTE $x$SELECT 1$x$)");
    assert_eq!(
        shaped_block("OPEN c FOR EXECUTE 'SELECT 1'; OPEN c NO SCROLL FOR SELECT 2;"),
        "sql(OPEN c FOR EXECUTE 'SELECT 1'); sql(SELECT 2)"
    );
}

#[test]
fn a_variable_is_a_constant_only_while_it_surely_is() {
    let folds = |statements: &str| {
        let text = format!(
            "DO $$\nDECLARE s text := 'DROP TABLE a'; n int := '05'; c char(9) := 'x'; v varchar; t text;\nBEGIN\n{statements}\nEND $$"
        );
        let shape = shaped(&text);
        assert!(shape.contains("EXECUTE") != shape.contains("dynamic("), "{shape}");
        !shape.contains("dynamic(")
    };
    assert!(folds("EXECUTE s;"));
    assert!(folds("EXECUTE 'DROP TABLE p' || n;"));
    assert!(folds("t := 'DROP TABLE b'; EXECUTE t;"));
    assert!(folds("v = s || ' CASCADE'; EXECUTE v;"));
    assert!(folds("IF x THEN t := s; ELSE t := s; END IF; EXECUTE t;"));
    assert!(folds("IF x THEN PERFORM 1; END IF; EXECUTE s;"));
    assert!(folds("DECLARE s text := f(); BEGIN NULL; END; EXECUTE s;"));
    assert!(folds("INSERT INTO s VALUES (1); EXECUTE s;"));
    assert!(!folds("EXECUTE 'DROP TABLE ' || c;"));
    assert!(!folds("EXECUTE t;"));
    assert!(!folds("s := f(); EXECUTE s;"));
    assert!(!folds("IF x THEN s := 'DROP TABLE b'; END IF; EXECUTE s;"));
    assert!(!folds("CASE x WHEN 1 THEN s := 'DROP TABLE b'; ELSE NULL; END CASE; EXECUTE s;"));
    assert!(!folds("SELECT y INTO s FROM z; EXECUTE s;"));
    assert!(!folds("WHILE x LOOP EXECUTE s; s := 'DROP TABLE b'; END LOOP;"));
    assert!(!folds("FOR s IN SELECT 1 LOOP EXECUTE s; END LOOP;"));
    assert!(!folds("BEGIN s := f(); EXCEPTION WHEN OTHERS THEN EXECUTE s; END;"));
    assert!(!folds("CALL p(s); EXECUTE s;"));
    assert!(!folds("GET DIAGNOSTICS s = PG_CONTEXT; EXECUTE s;"));
    assert!(!folds("FETCH c INTO s; EXECUTE s;"));
    assert!(!folds("DECLARE s text := f(); BEGIN EXECUTE s; END;"));
}

#[test]
fn loops_over_constants_are_unrolled_where_that_makes_sql_known() {
    let count = |statements: &str| {
        let shape = shaped_block(statements);
        (shape.matches("sql(").count(), shape.matches("dynamic(").count())
    };
    let execute = "EXECUTE format('DROP TABLE %I', x);";
    assert_eq!(count(&format!("FOREACH x IN ARRAY ARRAY['a','b','c'] LOOP {execute} END LOOP;")), (3, 0));
    assert_eq!(count(&format!("FOREACH x IN ARRAY '{{a,b}}'::text[] LOOP {execute} END LOOP;")), (2, 0));
    assert_eq!(count("FOR i IN 1..4 LOOP EXECUTE 'DROP TABLE p' || i; END LOOP;"), (4, 0));
    assert_eq!(count("FOR i IN REVERSE 9..1 BY 4 LOOP EXECUTE 'DROP TABLE p' || i; END LOOP;"), (3, 0));
    assert_eq!(
        count(&format!("FOR x IN SELECT unnest(ARRAY['a','b']) LOOP {} END LOOP;", execute.replace("x)", "x.unnest)"))),
        (2, 0)
    );
    assert_eq!(
        count(&format!("FOR x IN SELECT * FROM unnest(ARRAY['a','b']) AS c LOOP {} END LOOP;", execute.replace("x)", "x.c)"))),
        (2, 0)
    );
    assert_eq!(count(&format!("FOR x IN VALUES ('a'), ('b') LOOP {} END LOOP;", execute.replace("x)", "x.column1)"))), (2, 0));
    // Nothing is gained, nothing is known, too many.
    assert_eq!(count("FOREACH x IN ARRAY ARRAY['a','b'] LOOP DELETE FROM t WHERE y = x; END LOOP;"), (1, 0));
    assert_eq!(count(&format!("FOR x IN SELECT y FROM t LOOP {execute} END LOOP;")), (0, 1));
    assert_eq!(count(&format!("FOREACH x IN ARRAY arr LOOP {execute} END LOOP;")), (0, 1));
    assert_eq!(count("FOR i IN 1..101 LOOP EXECUTE 'DROP TABLE p' || i; END LOOP;"), (0, 1));
    assert_eq!(count("FOR i IN 1..100000000000 LOOP EXECUTE 'DROP TABLE p' || i; END LOOP;"), (0, 1));
    // One in the other.
    assert_eq!(
        count("FOR i IN 1..2 LOOP FOR j IN 1..3 LOOP EXECUTE format('DROP TABLE p%s_%s', i, j); END LOOP; END LOOP;"),
        (6, 0)
    );
}

/// The offending tokens and messages.
fn errors(statement: &str) -> Vec<(&str, String)> {
    opened(statement).errors.into_iter().map(|e| (&statement[e.span.start..e.span.end], e.message)).collect()
}

#[test]
fn errors_of_the_server_are_errors_where_they_stand() {
    assert_eq!(errors(&block("SELEC 1; DROP TABLE a;")), [("SELEC", "syntax error at or near \"SELEC\"".into())]);
    assert_eq!(errors(&block("PERFORM f(1,);")), [(")", "syntax error at or near \")\"".into())]);
    assert_eq!(errors("DO $$ DECLARE a int; BEGIN a := 1 + ; END $$")[0].1, "syntax error at end of input");
    assert_eq!(errors(&block("IF a THEN NULL; END;"))[0].1, "syntax error at or near \";\"");
    assert_eq!(errors(&block("IF a NULL; END IF;"))[0].1, "missing \"THEN\" at end of SQL expression");
    assert_eq!(errors(&block("NULL; END IF;")).len(), 1);
    assert_eq!(errors("DO $$ SELECT 1 $$").len(), 1);
    assert_eq!(
        errors("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT ''a''; SELEC 2; SELECT 3'"),
        [("SELEC", "syntax error at or near \"SELEC\"".into())]
    );
    assert_eq!(
        errors(
            "CREATE FUNCTION f(a my.type) RETURNS SETOF my.t LANGUAGE plpgsql AS E'BEGIN\\n PERFORM \\'x\\' FROM FROM t; END'"
        ),
        [("FROM", "syntax error at or near \"FROM\"".into())]
    );
}

#[test]
fn one_error_in_a_body_leaves_the_other_steps() {
    let text = block("DROP TABLE a; SELEC 1; IF x THEN DROP TABLE b; END IF;");
    let opened = opened(&text);
    assert_eq!(opened.errors.len(), 1);
    assert_eq!(shape(&opened.body.steps, &text), "sql(DROP TABLE a); dynamic(SELEC 1); if(sql(DROP TABLE b) | )");
}

#[test]
fn bodies_in_escaped_literals_have_places_too() {
    let text = "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DELETE FROM t WHERE a = ''b''; DROP TABLE u'";
    assert_eq!(shaped(text), "sql(DELETE FROM t WHERE a = ''b''); sql(DROP TABLE u)");
    let text = "DO E'BEGIN\\n\\tDROP TABLE \\'a\\'; DROP TABLE u; END'";
    let opened = opened(text);
    assert_eq!(opened.errors.len(), 1);
    assert_eq!(&text[opened.errors[0].span.start..opened.errors[0].span.end], "\\'a\\'");
}

#[test]
fn other_languages_are_opaque_and_text_is_normalised() {
    let python = opened("CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'return 1'").body;
    assert_eq!((python.opaque.as_deref(), python.text.as_str()), (Some("language plpython3u"), "return 1"));
    let sql = opened("CREATE FUNCTION f() RETURNS int LANGUAGE SQL AS ' SELECT /* c */ A,\n\"B\" -- d\n FROM T'").body;
    assert_eq!((sql.text.as_str(), sql.language.as_str()), ("select a , \"B\" from t", "sql"));
}

#[test]
fn deep_nesting_ends() {
    for depth in [100, 5_000, 50_000] {
        let text = block(&format!("{}DROP TABLE a;{}", "BEGIN ".repeat(depth), "END; ".repeat(depth)));
        let opened = opened(&text);
        assert_eq!(shape(&opened.body.steps, &text) == "sql(DROP TABLE a)", depth == 100);
    }
}
