use super::*;
use crate::source::comment::comments;

fn scanned(text: &str) -> TagScan {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    scan(&comments(text, &[Span { start, end: text.len() }]), &["phase".to_string(), "caracal:phase".to_string()])
}

fn phase(text: &str) -> Option<Phase> {
    let found = scanned(text);
    assert_eq!(found.malformed, [], "{text}");
    found.tag.map(|(phase, _)| phase)
}

fn complaint(text: &str) -> String {
    let found = scanned(text);
    assert_eq!(found.tag, None, "{text}");
    assert_eq!(found.malformed.len(), 1, "{text}");
    format!("{} / {}", found.malformed[0].message, found.malformed[0].help)
}

#[test]
fn a_tag_is_read_in_every_spelling() {
    for text in [
        "-- phase contract",
        "-- phase: contract\r\nDROP TABLE a;",
        "--phase contract",
        "-- Phase : CONTRACT",
        "-- caracal:phase contract",
        "-- caracal:phase: contract",
        "\u{feff}-- phase contract\nDROP TABLE a;",
        "/* licence */\n\n-- words\n  -- phase contract\nDROP TABLE a;",
        "BEGIN;\n-- phase contract\nDROP TABLE a;\nCOMMIT;",
        "\\set ON_ERROR_STOP on\n-- phase contract\nDROP TABLE a;",
        "-- no-transaction\n-- phase contract\nDROP TABLE a;",
    ] {
        assert_eq!(phase(text), Some(Phase::Contract), "{text}");
    }
    assert_eq!(phase("-- phase expand"), Some(Phase::Expand));
}

#[test]
fn prose_is_no_tag() {
    for text in [
        "-- Phase 2: backfill",
        "-- phase",
        "-- phase out the old columns",
        "-- phase after the release",
        "-- phasecontract",
        "-- phaser contract",
        "-- the phase contract is drawn up elsewhere",
        "SELECT '-- phase contract';",
        "SELECT '\n-- phase contract\n';",
        "DO $$\n-- phase contract\nBEGIN NULL; END $$;",
        "",
    ] {
        assert_eq!(phase(text), None, "{text}");
    }
}

#[test]
fn options_are_read_with_and_without_quotes() {
    let text =
        r#"-- phase contract completes=0007_add objects=a,b.c,public."Odd, Name" after=v2.1 reason="the \"old\" name is gone""#;
    let Some((Phase::Contract, tag)) = scanned(text).tag else { panic!("no tag") };
    assert_eq!(tag.completes.as_deref(), Some("0007_add"));
    assert_eq!(tag.objects, ["a", "b.c", "public.\"Odd, Name\""]);
    assert_eq!(tag.after.as_deref(), Some("v2.1"));
    assert_eq!(tag.reason.as_deref(), Some("the \"old\" name is gone"));
    assert_eq!(tag.span, Span { start: 0, end: text.len() });
}

#[test]
fn a_quoted_list_is_a_list_and_a_quoted_name_is_a_name() {
    let objects = |text: &str| scanned(text).tag.map(|(_, tag)| tag.objects);
    assert_eq!(objects("-- phase contract objects=\"a,b.c\""), Some(vec!["a".to_string(), "b.c".to_string()]));
    assert_eq!(objects("-- phase contract objects=\"Users\""), Some(vec!["\"Users\"".to_string()]));
}

#[test]
fn a_typo_is_a_finding_with_a_suggestion() {
    for (text, said) in [
        ("-- phase contarct", "did you mean `-- phase contract`?"),
        ("-- phase contracts the table", "did you mean `-- phase contract`?"),
        ("-- phase: exapnd", "did you mean `-- phase expand`?"),
        ("-- caracal:phase contrct", "did you mean `-- caracal:phase contract`?"),
        ("-- phase-contract", "`-` between"),
        ("-- phase contract the old table", "`the` is no option"),
        ("-- phase contract.", "`.` right after the phase"),
        ("-- phase contract object=a", "did you mean `objects=`?"),
        ("-- phase contract reason=\"open", "is not closed"),
        ("-- phase contract reason=", "has no value"),
        ("-- phase contract objects=a,,b", "empty name"),
        ("-- phase contract after=1 after=2", "stands twice"),
        ("-- phase completes=0001", "without a phase"),
        ("/* phase contract */", "block comment"),
    ] {
        let complaint = complaint(text);
        assert!(complaint.contains(said), "{text}: {complaint}");
    }
}

#[test]
fn a_tag_after_the_first_statement_is_a_finding() {
    assert!(complaint("DROP TABLE a;\n-- phase contract\n").contains("first statement"));
    assert!(complaint("DROP TABLE a; -- phase contract").contains("first statement"));
    assert!(complaint("DROP TABLE\n-- phase contract\na;").contains("first statement"));
    assert!(complaint("SET lock_timeout = '2s';\n-- phase contract\nDROP TABLE a;").contains("first statement"));
}

#[test]
fn of_two_tags_the_first_counts_and_the_second_is_a_finding() {
    let found = scanned("-- phase expand\n-- phase contract\nDROP TABLE a;");
    assert_eq!(found.tag.map(|(phase, _)| phase), Some(Phase::Expand));
    assert_eq!(found.malformed.len(), 1);
    assert_eq!(found.malformed[0].span, Span { start: 16, end: 33 });
}

#[test]
fn a_header_before_the_marker_counts_and_text_between_regions_does_not() {
    let text = "-- phase contract\n-- +goose Down\n-- phase expand\nSELECT 1;\n-- +goose Up\nDROP TABLE a;";
    let up = text.find("DROP").unwrap_or(0);
    let regions = [Span { start: 0, end: 18 }, Span { start: up, end: text.len() }];
    let found = scan(&comments(text, &regions), &["phase".to_string()]);
    assert_eq!(found.tag.map(|(phase, _)| phase), Some(Phase::Contract));
    assert_eq!(found.malformed, []);
}
