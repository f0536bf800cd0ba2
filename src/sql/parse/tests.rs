use super::*;
use crate::sql::OddityKind;

fn migration(bytes: &[u8], parts: Vec<Span>) -> Migration {
    Migration { parts, ..Migration::of_text("1", "a.sql", bytes) }
}

fn parse(text: &str) -> ParsedUnit {
    unit(&migration(text.as_bytes(), vec![Span { start: 0, end: text.len() }]))
}

/// The text of each statement, and of its error: the offending token and the message.
fn read(text: &str) -> Vec<(&str, Option<(&str, String)>)> {
    let slice = |span: Span| &text[span.start..span.end];
    let error = |s: &ParsedStatement| s.outcome.as_ref().err().map(|e| (slice(e.span), e.message.clone()));
    parse(text).statements.iter().map(|s| (slice(s.span), error(s))).collect()
}

fn near(token: &str) -> Option<(&str, String)> {
    Some((token, format!("syntax error at or near \"{token}\"")))
}

#[test]
fn spans_run_from_the_first_token_to_before_the_semicolon_in_the_file() {
    let text = "\u{feff}-- a\r\nSELECT 'ä' /* b */ -- c\r\n;\r\n\r\nSELECT\r\n\r\n2";
    assert_eq!(read(text), [("SELECT 'ä'", None), ("SELECT\r\n\r\n2", None)]);
    assert_eq!(parse(text).statements[0].span.start, 3 + 6);
}

#[test]
fn only_the_parts_are_read() {
    let text = "-- up\nCREATE TABLE t ();\n-- down\nDROP TABLE t;\n-- up\nSELECT 1";
    let parts = vec![Span { start: 6, end: 25 }, Span { start: 53, end: text.len() }];
    let unit = unit(&migration(text.as_bytes(), parts));
    let texts: Vec<_> = unit.statements.iter().map(|s| &text[s.span.start..s.span.end]).collect();
    assert_eq!(texts, ["CREATE TABLE t ()", "SELECT 1"]);
}

#[test]
fn a_bad_statement_never_silences_the_others() {
    let text = "SELECT 1;\nSELEC 2;\nCREATE TABLE a (b int;\nDROP TABLE c;\nSELECT (3";
    let expected = [
        ("SELECT 1", None),
        ("SELEC 2", near("SELEC")),
        ("CREATE TABLE a (b int", near(";")),
        ("DROP TABLE c", None),
        ("SELECT (3", Some(("", "syntax error at end of input".into()))),
    ];
    let found = read(text);
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.into_iter().zip(expected) {
        // The `;` is the offending token and is no part of the statement: the error stands right behind its last token.
        match expected.1 {
            Some((";", message)) => assert_eq!(found, (expected.0, Some(("", message)))),
            _ => assert_eq!(found, expected),
        }
    }
}

#[test]
fn a_quote_that_does_not_close_costs_one_statement() {
    let text = "SELECT 1;\nINSERT INTO t VALUES ('it's');\nDROP TABLE a;\nSELECT 'b';\n";
    assert_eq!(
        read(text),
        [("SELECT 1", None), ("INSERT INTO t VALUES ('it's')", near("s")), ("DROP TABLE a", None), ("SELECT 'b'", None)]
    );
    let text = "SELECT 'a;\nDROP TABLE b;\n";
    assert_eq!(read(text)[1], ("DROP TABLE b", None));
    let text = "DO $$ BEGIN\n NULL;\nEND $;\nDROP TABLE b;\n";
    assert_eq!(read(text).last(), Some(&("DROP TABLE b", None)));
}

#[test]
fn an_error_behind_many_bytes_per_character_stands_at_its_token() {
    assert_eq!(read("SELECT 'äöü€😀', FROM t"), [("SELECT 'äöü€😀', FROM t", near("FROM"))]);
}

#[test]
fn empty_text_comments_and_lone_semicolons_hold_no_statement() {
    for text in ["", "\u{feff}", " \r\n", "-- a", "/* ; */", ";;\n;"] {
        assert!(read(text).is_empty(), "{text:?}");
    }
}

#[test]
fn a_nul_byte_is_an_error_of_its_statement_alone() {
    let found = read("SELECT 1; SELECT\0 2; SELECT 3");
    assert_eq!(found[0].1, None);
    assert_eq!(found[1].1.as_ref().map(|(token, _)| *token), Some("\0"));
    assert_eq!(found[2].1, None);
}

#[test]
fn bytes_that_are_no_utf8_are_an_error_where_they_stand() {
    let unit = unit(&migration(b"SELECT '\xff'", vec![Span { start: 0, end: 10 }]));
    assert_eq!(unit.statements[0].outcome.as_ref().map_err(|e| e.span.start), Err(8));
}

#[test]
fn what_only_psql_reads_is_named_and_the_rest_parses() {
    let text = "\\connect db\nCOPY t (a) FROM stdin;\nit's\n\\.\nSELECT :'v', :w \\gset\nSELECT 3";
    assert_eq!(read(text), [("COPY t (a) FROM stdin", None), ("SELECT :'v', :w", None), ("SELECT 3", None)]);
    let kinds: Vec<_> = parse(text).oddities.iter().map(|o| (o.kind, o.text.clone())).collect();
    assert_eq!(
        kinds,
        [
            (OddityKind::MetaCommand, "\\connect db".into()),
            (OddityKind::CopyData, "it's".into()),
            (OddityKind::Variable, ":'v'".into()),
            (OddityKind::Variable, ":w".into()),
            (OddityKind::MetaCommand, "\\gset".into()),
        ]
    );
}

#[test]
fn a_placeholder_may_be_a_name_or_nothing() {
    assert_eq!(
        read("CREATE TABLE ${s}.t (a int); SELECT 1 ${tail}x"),
        [("CREATE TABLE ${s}.t (a int)", None), ("SELECT 1 ${tail}x", None)]
    );
    assert_eq!(read("DROP TABLE a ${cascade} ;"), [("DROP TABLE a", None)]);
    assert_eq!(read("CREATE TABLE x (${a} ${b} ${c} int int)").len(), 1);
}

#[test]
fn a_message_names_the_placeholder_and_not_its_stand_in() {
    let found = read("CREATE int TABLE ${X}");
    assert_eq!(found, [("CREATE int TABLE ${X}", near("int"))]);
    let found = read("SELECT a b ${X} ; SELECT (");
    assert_eq!(found[0], ("SELECT a b", None));
    let found = read("SELECT (a ${X} int)");
    assert_eq!(found[0].1, near("${X}"));
}

#[test]
fn a_chain_of_a_thousand_and_parentheses_of_ten_thousand_are_no_crash() {
    let text = format!("SELECT {}'';\nSELECT {}1{};\nSELECT 1", "'a' || ".repeat(1000), "(".repeat(10_000), ")".repeat(10_000));
    let found = read(&text);
    assert_eq!(found.len(), 3);
    assert_eq!(found[0].1, None);
    assert!(found[1].1.as_ref().is_some_and(|(_, message)| message.contains("memory exhausted")), "{:?}", found[1].1);
    assert_eq!(found[2].1, None);
}

#[test]
fn a_big_part_gives_the_statements_that_its_pieces_give() {
    let piece =
        "CREATE TABLE t (a int);\n-- c\nSELECT 'ä;';\nSELEC;\nCREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;\n";
    let count = PART_LIMIT / piece.len() + 10;
    let text = piece.repeat(count);
    let unit = parse(&text);
    let small = parse(piece);
    assert_eq!(unit.statements.len(), small.statements.len() * count);
    for (i, statement) in unit.statements.iter().enumerate() {
        let model = &small.statements[i % small.statements.len()];
        let base = i / small.statements.len() * piece.len();
        assert_eq!(statement.span, Span { start: model.span.start + base, end: model.span.end + base });
        assert_eq!(statement.outcome.is_ok(), model.outcome.is_ok());
    }
}

#[test]
fn rows_of_a_huge_insert_are_cut_and_it_is_said() {
    let rows = "(1, 'abc;'),\n".repeat(60_000);
    let text = format!("SELECT 1;\nINSERT INTO t VALUES {rows}(2, 'x') ON CONFLICT DO NOTHING;\nSELECT 2;\n");
    let unit = parse(&text);
    let spans: Vec<_> = unit.statements.iter().map(|s| &text[s.span.start..s.span.end]).collect();
    assert_eq!(spans.len(), 3);
    assert!(spans[1].starts_with("INSERT INTO") && spans[1].ends_with("DO NOTHING"));
    assert_eq!(spans[2], "SELECT 2");
    assert!(unit.statements[0].truncated.is_none());
    assert!(
        unit.statements[1].truncated.as_ref().is_some_and(|said| said.starts_with("row data of 77")),
        "{:?}",
        unit.statements[1].truncated
    );
}

#[test]
fn of_a_long_run_of_inserts_only_the_first_are_read_and_it_is_said() {
    let run = |count: usize| (0..count).map(|i| format!("INSERT INTO t (a, b) VALUES ({i}, 'it''s {i}');\n")).collect::<String>();
    let text = format!("{}SELECT 1;\n{}INSERT INTO u VALUES (f());\n{}", run(20_000), run(5), run(1_001));
    let unit = parse(&text);
    assert!(unit.statements.iter().all(|s| s.outcome.is_ok()));
    assert_eq!(unit.statements.len(), 1_000 + 1 + 5 + 1 + 1_000);
    let said: Vec<_> = unit.statements.iter().enumerate().filter_map(|(i, s)| Some((i, s.truncated.as_deref()?))).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(said[0].0, 999);
    assert!(said[0].1.starts_with("19,000 more INSERTs of this form"), "{}", said[0].1);
    assert!(said[1].0 == 2_006 && said[1].1.starts_with("1 more INSERT"), "{said:?}");
}

#[test]
fn a_message_about_an_open_quote_does_not_quote_the_rest_of_the_file() {
    let text = "SELECT 'a\nb\nc";
    let error = parse(text).statements.remove(0).outcome.expect_err("refused");
    assert_eq!(error.message, "unterminated quoted string at or near \"'a…\"");
    assert_eq!(&text[error.span.start..error.span.end], "'a\nb\nc");
}

/// The edges that issue 2 names for SQL, in one file.
#[test]
fn the_edges_of_real_files_are_read_exactly() {
    let chain = format!("SELECT {}'z'", "'a' || ".repeat(60));
    let text = format!(
        "\u{feff}-- ';\r\n/* a /* b; */ ; */\r\n\r\n{chain};\r\n\r\n\\set x 1\r\nCREATE TABLE t (\r\n\r\n  a int\r\n);\r\n\
         COPY t (a) FROM stdin;\r\n1;\r\n\\.\r\nDO $do$ BEGIN EXECUTE $x$ ; $x$; END $do$;\r\n\
         CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;\r\nSELECT 'ä', :'v';\r\nSELECT U&'\\00e4' ; ;\r\nSELECT 9"
    );
    let starts: Vec<_> =
        read(&text).into_iter().map(|(text, error)| (text.split_whitespace().next().unwrap_or_default(), error)).collect();
    let words = ["SELECT", "CREATE", "COPY", "DO", "CREATE", "SELECT", "SELECT", "SELECT"];
    assert_eq!(starts, words.map(|word| (word, None)));
    let kinds: Vec<_> = parse(&text).oddities.iter().map(|oddity| oddity.kind).collect();
    assert_eq!(kinds, [OddityKind::MetaCommand, OddityKind::CopyData, OddityKind::Variable]);
}

#[test]
fn depth_is_lowered_or_refused_and_never_a_crash() {
    let shapes: [(&str, &str, &str); 9] = [
        ("1 + ", "1", ""),
        ("f(", "1", ")"),
        ("(SELECT ", "1", ")"),
        ("CASE WHEN ", "true", " THEN 1 END"),
        ("NOT ", "true", ""),
        ("(a AND ", "b", " OR c)"),
        ("ARRAY[", "1", "]"),
        ("", "1", " UNION SELECT 1"),
        ("a.", "b", "::int"),
    ];
    for (open, middle, close) in shapes {
        for depth in [500, 1_600, 2_400, 3_300, 4_900, 20_000] {
            let text = format!("SELECT {}{middle}{}; SELECT 2", open.repeat(depth), close.repeat(depth));
            let unit = parse(&text);
            assert_eq!(unit.statements.len(), 2, "{open} {depth}");
            assert!(unit.statements[1].outcome.is_ok());
        }
    }
}

/// What is sent in the place of each statement, where that is not what stands in the file.
fn sent(text: &str, rewriting: Rewriting, placeholders: &Placeholders) -> Vec<Option<String>> {
    let migration = Migration { rewriting, ..Migration::of_text("1", "1.sql", text.as_bytes()) };
    unit_with(&migration, placeholders).statements.into_iter().map(|statement| statement.sent).collect()
}

#[test]
fn a_statement_is_kept_as_it_is_sent_where_that_is_not_what_is_written() {
    let values = [("s".to_owned(), "app".to_owned())].into();
    let placeholders = Placeholders { values, variables: true, ..Placeholders::default() };
    let some = |text: &str| Some(text.to_owned());
    let text = "CREATE TABLE ${s}.t (a text DEFAULT '${s}'); SELECT 1; SELEC ${s}; SELECT '${other}', :'s'";
    let expected = [some("CREATE TABLE app.t (a text DEFAULT 'app')"), None, some("SELEC app"), some("SELECT '${other}', 'app'")];
    assert_eq!(sent(text, Rewriting::None, &placeholders), expected);
    // A command of psql's between the words is not sent, and one that stands behind them sends them.
    let text = "SELECT 1,\n\\echo here\n2; SELECT 3 \\gset\nSELECT 4;";
    assert_eq!(sent(text, Rewriting::None, &placeholders), [some("SELECT 1,\n          \n2"), None, None]);
    let text = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1;; END $$";
    assert_eq!(sent(text, Rewriting::DoubledSemicolons, &Placeholders::default()), [some(&text.replace(";;", "; "))]);
    assert_eq!(sent("\u{feff}SELECT 1; SELECT ${s}", Rewriting::None, &placeholders), [None, some("SELECT app")]);
}
