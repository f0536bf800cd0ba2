//! The reader held against the server's own plpgsql compiler.

use super::{bodies, opened};
use crate::op::Step;
use crate::sql::body::embedded::Source;
use crate::sql::body::reader::Reader;
use crate::sql::body::{compile, is_about_syntax};
use crate::sql::ffi::{self, Mode, with_room};
use crate::sql::position::PositionMap;
use crate::sql::{corpus, lex, split};
use proptest::prelude::*;
use std::cell::RefCell;

#[test]
fn every_body_of_the_corpus_opens_as_the_compiler_sees_it() {
    let (mut count, mut texts, mut unknown, mut refused) = (0, 0, Vec::new(), 0);
    for text in corpus::texts("sql") {
        with_room(|| {
            let text = crate::sql::mask::mask(&text).text.into_owned();
            let statements: Vec<_> = split::statements(&text).map(|r| text[r.span.start..r.span.end].to_owned()).collect();
            for statement in statements {
                let Ok(tree) = ffi::parse(&statement, Mode::Statements) else { continue };
                for (_, language, source) in bodies(&statement, &tree) {
                    count += 1;
                    if language == "plpgsql" {
                        let positions = PositionMap::Linear(0);
                        let errors = RefCell::default();
                        let text = Source { text: &source, positions: &positions, errors: &errors, newer: &RefCell::default() };
                        let mut reader = Reader::new(&text);
                        reader.body();
                        let compiled = compile(Some(&statement), &source);
                        if compiled.is_ok() {
                            assert_eq!(reader.doubts, [], "{statement}");
                        } else {
                            refused += 1;
                            assert_ne!(reader.doubts, [], "{compiled:?} {statement}");
                        }
                    }
                    let opened = opened(&statement);
                    texts += opened.body.steps.len();
                    collect(&opened.body.steps, &mut unknown);
                }
            }
        });
    }
    println!("{count} bodies, {texts} steps, {} of them dynamic, {refused} refused by the compiler", unknown.len());
    unknown.iter().for_each(|text| println!("  {text}"));
    assert!(count > 0 || !corpus::is_there());
}

fn collect(steps: &[Step], unknown: &mut Vec<String>) {
    for step in steps {
        match step {
            Step::Dynamic { text, .. } => unknown.push(text.clone()),
            Step::If { arms, otherwise, .. } => {
                arms.iter().for_each(|(_, steps)| collect(steps, unknown));
                collect(otherwise, unknown);
            }
            Step::Loop { body, .. } => collect(body, unknown),
            Step::Block { body, handlers, .. } => {
                collect(body, unknown);
                handlers.iter().for_each(|(_, steps)| collect(steps, unknown));
            }
            Step::Sql(_)
            | Step::Raise { .. }
            | Step::Return { .. }
            | Step::Evaluate { .. }
            | Step::Transaction { .. }
            | Step::Nothing => {}
        }
    }
}

/// Bodies of many kinds that the compiler takes.
const COMPILING: &[&str] = &[
    "BEGIN IF EXISTS (SELECT 1 FROM t WHERE a = 'x') THEN DROP TABLE t; ELSIF 1 > 2 THEN NULL; ELSE PERFORM f(1); END IF; END",
    "DECLARE a int := 1; b text; BEGIN FOR a IN 1..10 LOOP b := 'x' || a; EXECUTE b; EXIT WHEN a = 2; END LOOP; END;",
    "<<l>> DECLARE r record; BEGIN FOR r IN SELECT * FROM t LOOP DELETE FROM u WHERE x = r.x; END LOOP; END l",
    "DECLARE a int; BEGIN BEGIN INSERT INTO t VALUES (1) RETURNING x INTO a; EXCEPTION WHEN unique_violation OR SQLSTATE '42P07' THEN \
     RAISE NOTICE 'x %', a; WHEN OTHERS THEN NULL; END; END",
    "DECLARE a int; BEGIN CASE a WHEN 1, 2 THEN a := 3; ELSE RETURN; END CASE; WHILE a < 3 LOOP a = a + 1; CONTINUE; END LOOP; END",
    "DECLARE a text[] := ARRAY['b','c']; x text; BEGIN FOREACH x IN ARRAY a LOOP EXECUTE format('DROP TABLE %I', x) USING 1; END LOOP; END",
    "DECLARE c CURSOR (k int) FOR SELECT k; r record; n int; BEGIN OPEN c (1); FETCH c INTO r; CLOSE c; GET DIAGNOSTICS n = ROW_COUNT; END",
    "#variable_conflict use_column\nBEGIN UPDATE t SET a = 1, b = (SELECT 2) WHERE c IN (1, 2); COMMIT; RAISE EXCEPTION 'e' USING HINT = 'h'; END",
];

/// Whether the reader has doubts, and whether the compiler refuses for the syntax, `None` for another reason.
fn verdicts(body: &str) -> (bool, Option<bool>) {
    with_room(|| {
        let positions = PositionMap::Linear(0);
        let errors = RefCell::default();
        let text = Source { text: body, positions: &positions, errors: &errors, newer: &RefCell::default() };
        let mut reader = Reader::new(&text);
        reader.body();
        assert!(reader.cursor.is_at_end());
        let refused = match ffi::compile_plpgsql(&format!("DO $body${body}$body$")) {
            Ok(()) => Some(false),
            Err(refusal) if is_about_syntax(&refusal.message) => Some(true),
            Err(_) => None,
        };
        (!reader.doubts.is_empty(), refused)
    })
}

#[test]
fn bodies_that_compile_leave_no_doubt() {
    for body in COMPILING {
        assert_eq!(verdicts(body), (false, Some(false)), "{body}");
    }
}

/// Every body with one token left out, put in or replaced.
fn changed() -> impl Iterator<Item = String> {
    COMPILING.iter().flat_map(|body| {
        let words: Vec<_> = lex::tokens(body).map(|token| token.text(body)).collect();
        let places = (0..words.len()).filter(|&i| !words[i].trim().is_empty()).collect::<Vec<_>>();
        places.into_iter().flat_map(move |i| {
            let words = words.clone();
            let replace = move |with: Vec<&str>| [&words[..i], &with, &words[i + 1..]].concat().join(" ");
            let old = lex::tokens(body).nth(i).map_or("", |token| token.text(body));
            let mut all = vec![replace(vec![])];
            for word in WORDS {
                all.push(replace(vec![word]));
                all.push(replace(vec![word, old]));
            }
            all
        })
    })
}

#[test]
fn a_changed_body_is_doubted_where_the_compiler_refuses_it_and_nowhere_else() {
    let (mut agreed, mut missed) = (0, Vec::new());
    for body in changed().step_by(3) {
        match verdicts(&body) {
            (true, Some(true)) | (false, Some(false)) => agreed += 1,
            (true, Some(false)) => panic!("a doubt about what compiles: {body}"),
            (false, Some(true)) => missed.push(body),
            (_, None) => {}
        }
    }
    println!("{agreed} verdicts agree, {} refusals are not seen", missed.len());
    // The rest is what only the compiler sees: labels, names of cursors, arguments of OPEN.
    assert!(missed.len() * 20 < agreed, "{missed:#?}");
}

const WORDS: &[&str] = &[
    "BEGIN",
    "END",
    "IF",
    "THEN",
    "ELSE",
    "ELSIF",
    "LOOP",
    "WHILE",
    "FOR",
    "IN",
    "EXECUTE",
    "'DROP TABLE a'",
    ";",
    ";",
    ";",
    "x",
    ":=",
    "=",
    "(",
    ")",
    "[",
    "]",
    "..",
    "1",
    "CASE",
    "WHEN",
    "EXCEPTION",
    "DECLARE",
    "text",
    "INTO",
    "SELECT",
    "PERFORM",
    "RETURN",
    "QUERY",
    "FOREACH",
    "ARRAY",
    "<<",
    ">>",
    "#",
    ",",
    ".",
    "OPEN",
    "CURSOR",
    "RAISE",
    "'",
    "$$",
    "/*",
    "OTHERS",
    "NULL",
    "END LOOP;",
    "END IF;",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_sequence_of_words_is_read_to_its_end(picks in prop::collection::vec(0..WORDS.len(), 0..60)) {
        let body = picks.into_iter().map(|i| WORDS[i]).collect::<Vec<_>>().join(" ");
        let (doubted, refused) = verdicts(&body);
        prop_assert!(refused != Some(true) || doubted, "{body}");
    }
}
