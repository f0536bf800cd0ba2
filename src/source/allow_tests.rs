use super::*;
use crate::source::comment::comments;

fn scanned(text: &str) -> Vec<Directive> {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    scan(&comments(text, &[Span { start, end: text.len() }]))
}

fn allow(text: &str) -> Allow {
    match scanned(text).as_slice() {
        [Directive::Allow(allow)] => allow.clone(),
        other => panic!("{text}: {other:?}"),
    }
}

fn said(text: &str) -> String {
    match scanned(text).as_slice() {
        [Directive::Unreadable(unreadable)] => unreadable.message.clone(),
        other => panic!("{text}: {other:?}"),
    }
}

fn names(allow: &Allow) -> Vec<&str> {
    allow.rules.iter().map(|rule| rule.name.as_str()).collect()
}

#[test]
fn an_allow_is_read_in_every_spelling() {
    for text in [
        "-- phasegate: allow drop-table -- nobody reads it",
        "--phasegate:allow drop-table -- nobody reads it\r\nDROP TABLE a;",
        "-- PhaseGate  allow drop-table --nobody reads it",
        "-- phasegate : ALLOW drop-table -- nobody reads it  ",
        "\u{feff}-- phasegate: allow drop-table -- nobody reads it",
        "--- phasegate: allow drop-table -- nobody reads it",
        "/* phasegate: allow drop-table -- nobody reads it */ DROP TABLE a;",
        "/*\n * phasegate: allow drop-table --\n *   nobody\n *   reads it\n */",
        "-- words\n\n  -- phasegate: allow drop-table -- nobody reads it\n-- more words",
        "BEGIN;\n\\set x\n-- phasegate: allow drop-table -- nobody reads it",
    ] {
        let allow = allow(text);
        assert_eq!((names(&allow), allow.reason.as_deref()), (vec!["drop-table"], Some("nobody reads it")), "{text}");
        assert_eq!((allow.scope, allow.position), (AllowScope::Statement, AllowPosition::Header), "{text}");
        assert!(text[allow.span.start..allow.span.end].to_lowercase().starts_with("phasegate"), "{text}");
    }
}

#[test]
fn several_rules_stand_apart_by_commas_each_with_its_place() {
    let text = "-- phasegate: allow-file drop-table,  drop-column,no-such -- a -- b";
    let allow = allow(text);
    assert_eq!(allow.scope, AllowScope::Unit);
    assert_eq!(names(&allow), ["drop-table", "drop-column", "no-such"]);
    assert!(allow.rules.iter().all(|rule| text[rule.span.start..rule.span.end] == rule.name));
    assert_eq!(allow.reason.as_deref(), Some("a -- b"));
    assert_eq!(names(&super::tests::allow("-- phasegate: allow drop-table  drop-column -- a")), ["drop-table drop-column"]);
}

#[test]
fn what_is_no_reason_is_none() {
    for text in [
        "-- phasegate: allow drop-table",
        "-- phasegate: allow drop-table --",
        "-- phasegate: allow drop-table -- ...",
        "-- phasegate: allow drop-table - nobody reads it",
        "/* phasegate: allow drop-table -- */",
    ] {
        assert_eq!(allow(text).reason, None, "{text}");
    }
}

#[test]
fn the_position_of_an_allow_is_known() {
    for (text, position) in [
        ("SELECT 1;\n-- phasegate: allow a -- b", AllowPosition::OwnLine),
        ("SELECT\n-- phasegate: allow a -- b\n1;", AllowPosition::OwnLine),
        ("SELECT 1; -- phasegate: allow a -- b", AllowPosition::Trailing),
        ("SELECT 1; /* phasegate: allow a -- b */ SELECT 2;", AllowPosition::Trailing),
        ("DO $$ BEGIN\n-- phasegate: allow a -- b\nEND $$;", AllowPosition::Body),
        ("BEGIN\n-- phasegate: allow a -- b\n;", AllowPosition::OwnLine),
    ] {
        assert_eq!(allow(text).position, position, "{text}");
    }
}

#[test]
fn a_block_comment_may_hold_several() {
    let found = scanned(
        "/* Read this:\n * phasegate: allow a -- one\n *   and more\n * phasegate: allow-file b -- two\n * phasegate: alow c\n */",
    );
    let [Directive::Allow(first), Directive::Allow(second), Directive::Unreadable(_)] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(first.reason.as_deref(), Some("one and more"));
    assert_eq!(second.reason.as_deref(), Some("two"));
}

#[test]
fn prose_is_no_allow() {
    for text in [
        "-- phasegate",
        "-- phasegate checks this file",
        "-- phasegate also runs in CI",
        "-- phasegate all good",
        "-- phasegates and other tools",
        "-- see phasegate: allow drop-table",
        "-- phase contract",
        "-- passage allow nothing",
        "-- allow drop-table -- x",
        "SELECT '-- phasegate: allow drop-table';",
        "SELECT $$\n-- phasegate: allow drop-table\n$$;",
        "",
    ] {
        assert_eq!(scanned(text), [], "{text}");
    }
}

#[test]
fn a_typo_is_never_silence() {
    for (text, expected) in [
        ("-- phasegate: alow drop-table -- x", "`alow` is nothing"),
        ("-- phasegate allwo drop-table -- x", "`allwo` is nothing"),
        ("-- phasegate allowed drop-table -- x", "`allowed` is nothing"),
        ("-- phasegate: ignore drop-table -- x", "`ignore` is nothing"),
        ("-- phasegate disable drop-table", "`disable` is nothing"),
        ("-- phasegate: allow_file drop-table -- x", "`allow_file` is nothing"),
        ("-- phasegate: drop-table", "`drop-table` is nothing"),
        ("-- phasegate:", "nothing behind"),
        ("-- phasegate-allow drop-table -- x", "`-` between"),
        ("-- phasegate:: allow drop-table -- x", "`::` between"),
        ("-- phasegateallow drop-table -- x", "nothing between"),
        ("-- phasegate: allow: drop-table -- x", "`:` behind"),
        ("-- phasegate: allow(drop-table) -- x", "`(` behind"),
        ("-- phasegate: allow", "without a rule"),
        ("-- phasegate: allow -- x", "without a rule"),
        ("-- phasegate: allow drop-table, -- x", "empty place"),
        ("-- phasgate: allow drop-table -- x", "`phasgate` is not"),
        ("-- phasegates allow drop-table -- x", "`phasegates` is not"),
        ("-- Phase-Gate allow drop-table -- x", "`Phase-Gate` is not"),
        ("-- phase gate: allow-file drop-table -- x", "`phase gate` is not"),
        ("DO $$ -- phasegate: alow x\nBEGIN NULL; END $$;", "`alow` is nothing"),
    ] {
        assert!(said(text).contains(expected), "{text}: {}", said(text));
    }
}
