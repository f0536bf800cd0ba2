//! Formats over a report made by hand: what they show, and what they never let through.

use super::escape::is_unsafe;
use super::formats::{FORMATS, Manner};
use super::human::Human;
use super::json::Json;
use super::markdown;
use super::{Format, Report, formats};
use crate::check::{Checked, CheckedHistory, Unusable};
use crate::effect::{Break, BreakKind, Effect, Lock, LockMode, StatementFacts, Verdict};
use crate::finding::{Finding, Level, Related, SuppressedBy, Suppression};
use crate::fingerprint;
use crate::op::Span;
use crate::release::Releases;
use crate::release::standing::Changed;
use crate::source::{History, Migration, Skipped, SourceFile};
use crate::versions::PostgresVersions;
use std::collections::BTreeSet;
use std::sync::Arc;
use unicode_width::UnicodeWidthStr;

fn unit(path: &str, bytes: &[u8]) -> Migration {
    let name = path.rsplit('/').next().unwrap();
    let file = SourceFile { path: path.into(), repo_path: format!("repo/{path}"), bytes: bytes.into() };
    let id = name.split('_').next().unwrap();
    Migration { file: Arc::new(file), ..Migration::of_text(id, path, bytes) }
}

fn span_of(text: &str, part: &str) -> Span {
    let start = text.find(part).unwrap();
    Span { start, end: start + part.len() }
}

fn finding(rule: &'static str, level: Level, path: &str, span: Span) -> Finding {
    let message = "public.users.name is dropped while the previous release may still use it".into();
    let help = "release code that does not use it first, then drop it in a migration tagged `-- phase contract`".into();
    Finding { migration: "0002".into(), statement: Some(1), span, ..Finding::new(rule, level, path.into(), message, help) }
}

const INIT: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n";
const DROP: &str = "-- the name moved\n-- to profiles\nALTER TABLE users DROP COLUMN name;\n";

/// The example of the issue: a table, and a column of it dropped in the next file.
fn checked() -> Checked {
    let init = span_of(INIT, INIT.trim_end().trim_end_matches(';'));
    let drop = span_of(DROP, "ALTER TABLE users DROP COLUMN name");
    let mut effect = Effect::default();
    effect.breaks.push(Break { kind: BreakKind::DropColumn, object: "public.users.name".into() });
    effect.locks.push(Lock { relation: "public.users".into(), mode: LockMode::AccessExclusiveLock });
    let facts = |span, verdict, effect| StatementFacts { index: 1, span, verdict, effect };
    let mut dropped = finding("drop-column", Level::Error, "db/migrations/0002_drop.sql", drop);
    dropped.related.push(Related { path: "db/migrations/0001_init.sql".into(), span: init, message: "created here".into() });
    Checked {
        histories: vec![CheckedHistory {
            history: History {
                path: "db/migrations".into(),
                layout: "sqlx".into(),
                recognised_by: "2 of 2 files are named NUMBER_NAME.sql".into(),
                migrations: vec![
                    unit("db/migrations/0001_init.sql", INIT.as_bytes()),
                    unit("db/migrations/0002_drop.sql", DROP.as_bytes()),
                ],
                skipped: vec![Skipped { path: "db/migrations/schema.sql".into(), why: "no number at its start".into() }],
                misnamed: Vec::new(),
                findings: Vec::new(),
                whole: true,
                ..History::default()
            },
            postgres: PostgresVersions::default(),
            units: vec![vec![facts(init, Verdict::Expand, Effect::default())], vec![facts(drop, Verdict::Contract, effect)]],
            releases: Releases::default(),
            changed: None,
            request: 0,
        }],
        findings: vec![dropped],
        unusable: Vec::new(),
        others: Vec::new(),
    }
}

/// A history of one file with one finding over `span`.
fn one_file(path: &str, bytes: &[u8], span: Span) -> Checked {
    let mut checked = checked();
    checked.histories[0].history.migrations = vec![unit(path, bytes)];
    checked.histories[0].units =
        vec![vec![StatementFacts { index: 1, span, verdict: Verdict::Contract, effect: Effect::default() }]];
    checked.findings = vec![finding("drop-column", Level::Error, path, span)];
    checked
}

const MANNER: Manner = Manner { least: Level::Note, fail_on: Level::Error, color: false, unicode: true, width: 100 };
const PLAIN: Human = Human { color: false, unicode: true, width: 100, least: Level::Warning };

fn written(checked: &Checked, format: &dyn Format) -> String {
    let mut checked = checked.clone();
    fingerprint::assign(&checked.histories, None, &mut checked.findings);
    let mut out = Vec::new();
    format.write(&Report::new(&checked, PostgresVersions::default()), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn json(checked: &Checked) -> serde_json::Value {
    serde_json::from_str(&written(checked, &Json)).unwrap()
}

#[test]
fn json_has_the_fields_of_version_1_in_their_order() {
    insta::assert_snapshot!(written(&checked(), &Json).replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn the_human_report_shows_the_place_what_to_do_and_a_summary() {
    insta::assert_snapshot!(written(&checked(), &PLAIN));
}

#[test]
fn the_human_report_fits_into_40_columns() {
    let report = written(&checked(), &Human { width: 40, ..PLAIN });
    insta::assert_snapshot!(report);
}

#[test]
fn text_is_wrapped_and_source_is_cut_at_every_width() {
    let statement = format!("ALTER TABLE users {} DROP COLUMN name", "ADD COLUMN c int,".repeat(20));
    let checked = one_file("x.sql", statement.as_bytes(), Span { start: 0, end: statement.len() });
    for width in [0, 1, 20, 30, 40, 41, 79, 200] {
        for line in written(&checked, &Human { width, ..PLAIN }).lines() {
            assert!(line.width() <= width.max(30), "{width}: {line}");
        }
    }
}

#[test]
fn color_is_only_written_when_asked_for() {
    assert!(!written(&checked(), &PLAIN).contains('\u{1b}'));
    assert!(written(&checked(), &Human { color: true, ..PLAIN }).contains('\u{1b}'));
    assert!(written(&checked(), &Human { unicode: false, ..PLAIN }).is_ascii());
}

#[test]
fn nothing_from_files_or_names_reaches_the_terminal_as_a_control_character() {
    let evil = "\u{1b}[2J\u{9b}31m\u{202e}\u{7}\n::error::x\r";
    let text = format!("DROP TABLE \"{evil}\";\n");
    let mut checked = one_file(&format!("a{evil}.sql"), text.as_bytes(), span_of(&text, text.trim_end()));
    checked.findings[0].message = format!("m {evil}");
    checked.findings[0].help = format!("h {evil}");
    checked.findings[0].related.push(Related { path: format!("r{evil}"), span: Span::default(), message: evil.into() });
    checked.histories[0].history.path = evil.into();
    checked.histories[0].history.layout = evil.into();
    checked.histories[0].history.recognised_by = evil.into();
    checked.histories[0].history.skipped = vec![Skipped { path: evil.into(), why: evil.into() }];
    checked.unusable = vec![Unusable { path: evil.into(), why: evil.into() }];
    for named in FORMATS {
        let report = written(&checked, (named.make)(&MANNER).as_ref());
        assert!(!report.contains(|character| is_unsafe(character) && character != '\n'), "{}: {report:?}", named.name);
        let begins_with_command = |line: &str| line.trim_start().starts_with("::error::");
        assert!(!report.lines().any(begins_with_command), "{}: {report}", named.name);
    }
    assert_eq!(json(&checked)["findings"][0]["message"], format!("m {evil}"));
}

#[test]
fn a_statement_of_thousands_of_lines_is_shown_by_its_first_ones() {
    let statement = format!("INSERT INTO t VALUES\n{}(0)", "(1),\n".repeat(5000));
    let report = written(&one_file("x.sql", statement.as_bytes(), Span { start: 0, end: statement.len() }), &PLAIN);
    assert!(report.contains("and 4996 more lines"), "{report}");
    assert!(report.lines().count() < 25, "{report}");
}

#[test]
fn sql_in_an_advice_is_shown_line_by_line_and_a_name_begins_none() {
    let mut checked = checked();
    checked.findings[0].help = "put a limit before it:\nSET LOCAL lock_timeout = '5s';".into();
    let human = written(&checked, &PLAIN);
    assert!(human.contains("  help: put a limit before it:\n          SET LOCAL lock_timeout = '5s';\n"), "{human}");
    checked.findings[0].help = "drop \"a:\n::error::x\" later".into();
    for named in FORMATS {
        let report = written(&checked, (named.make)(&MANNER).as_ref());
        assert!(!report.lines().any(|line| line.trim_start().starts_with("::error::x")), "{}: {report}", named.name);
    }
}

#[test]
fn notes_are_counted_and_shown_on_request() {
    let mut checked = checked();
    checked.findings[0].level = Level::Note;
    let without = written(&checked, &PLAIN);
    assert!(
        without.ends_with("1 note (shown with --notes) in 2 migrations (2 statements)\n") && !without.contains("drop-column"),
        "{without}"
    );
    let with = written(&checked, &Human { least: Level::Note, ..PLAIN });
    assert!(with.contains("note[drop-column]") && with.ends_with("1 note in 2 migrations (2 statements)\n"), "{with}");
}

#[test]
fn suppressed_findings_stand_in_json_and_are_counted_nowhere_else() {
    let mut checked = checked();
    checked.findings[0].suppressed = Some(Suppression { by: SuppressedBy::Tag, reason: Some("done".into()) });
    let report = json(&checked);
    assert_eq!(report["findings"][0]["suppressed"], serde_json::json!({"by": "tag", "reason": "done"}));
    assert_eq!(report["summary"]["errors"], 0);
    assert!(!Report::new(&checked, PostgresVersions::default()).fails_at(Level::Note));
    let human = written(&checked, &PLAIN);
    assert!(human.ends_with("no findings in 2 migrations (2 statements); suppressed: 1 by tag\n"), "{human}");
}

#[test]
fn a_finding_fails_at_its_level_and_below_and_off_never() {
    let fails = |level, at| {
        let mut checked = checked();
        checked.findings[0].level = level;
        Report::new(&checked, PostgresVersions::default()).fails_at(at)
    };
    assert!(fails(Level::Error, Level::Error) && fails(Level::Error, Level::Note));
    assert!(!fails(Level::Warning, Level::Error) && fails(Level::Warning, Level::Warning));
    assert!(!fails(Level::Note, Level::Warning) && fails(Level::Note, Level::Note));
    assert!(!fails(Level::Off, Level::Note));
}

#[test]
fn findings_are_sorted_by_path_span_and_rule_whatever_order_they_come_in() {
    let mut checked = checked();
    let path = "db/migrations/0002_drop.sql";
    checked.findings = [("b", 60), ("a", 60), ("c", 0)]
        .map(|(rule, start)| finding(rule, Level::Error, path, Span { start, end: start + 1 }))
        .into_iter()
        .chain([finding("z", Level::Error, "db/migrations/0001_init.sql", Span::default())])
        .collect();
    let order = |checked: &Checked| -> Vec<String> {
        json(checked)["findings"].as_array().unwrap().iter().map(|entry| entry["rule"].as_str().unwrap().into()).collect()
    };
    assert_eq!(order(&checked), ["z", "c", "a", "b"]);
    checked.findings.reverse();
    assert_eq!(order(&checked), ["z", "c", "a", "b"]);
}

#[test]
fn a_fingerprint_does_not_change_when_lines_move() {
    let moved = format!("-- a new comment\n\n{DROP}").replace("DROP COLUMN", "drop\n  column");
    let fingerprint = |text: &str| {
        let start = text.find("ALTER").unwrap();
        let end = text.find(';').unwrap();
        json(&one_file("0002_drop.sql", text.as_bytes(), Span { start, end }))["findings"][0]["fingerprint"].clone()
    };
    assert_eq!(fingerprint(DROP), fingerprint(&moved));
    assert_ne!(fingerprint(DROP), fingerprint(&DROP.replace("name;", "nick;")));
}

#[test]
fn units_that_are_only_modelled_are_not_reported() {
    let mut checked = checked();
    checked.histories[0].history.migrations[0].reported = false;
    let report = json(&checked);
    assert_eq!(report["summary"]["migrations"], 1);
    assert_eq!(report["migrations"][0]["id"], "0002");
    assert_eq!(report["findings"][0]["related"][0]["line"], 1, "a related place may stand in such a unit");
}

#[test]
fn what_is_released_and_what_did_not_change_is_counted_with_what_said_so() {
    let mut checked = checked();
    let history = &mut checked.histories[0];
    history.history.migrations[0].reported = false;
    history.releases = Releases::of_units(vec![true, false]);
    history.releases.sources = vec!["db/released.sha256".into()];
    let human = written(&checked, &PLAIN);
    assert!(human.contains("  1 migration released, modelled and not judged: db/released.sha256\n"), "{human}");
    assert!(human.ends_with("in 1 migration (1 statement); 1 released and not judged\n"), "{human}");
    let report = json(&checked);
    assert_eq!(report["histories"][0]["releases"], serde_json::json!({"migrations": 1, "sources": ["db/released.sha256"]}));
    assert_eq!(report["summary"]["released"], 1);
    checked.histories[0].releases = Releases::default();
    checked.histories[0].changed = Some(Changed { units: vec![false, true], since: "HEAD (1a2b)".into() });
    let human = written(&checked, &PLAIN);
    assert!(human.contains("  1 migration unchanged, modelled and not judged: compared with HEAD (1a2b)\n"), "{human}");
    assert_eq!(json(&checked)["histories"][0]["unchanged"], serde_json::json!({"migrations": 1, "since": "HEAD (1a2b)"}));
}

#[test]
fn skipped_files_are_grouped_by_reason_and_what_could_not_be_used_is_named() {
    let mut checked = checked();
    let down = |number| Skipped { path: format!("{number:04}.down.sql"), why: "down part".into() };
    checked.histories[0].history.skipped.extend((1..=80).map(down));
    checked.unusable = vec![Unusable { path: "nope".into(), why: "there is no such file or directory".into() }];
    let human = written(&checked, &PLAIN);
    assert!(human.contains("skipped 80 files, down part: 0001.down.sql, 0002.down.sql, 0003.down.sql and 77 more"), "{human}");
    assert!(human.contains("not checked: nope: there is no such file or directory"), "{human}");
    assert!(human.ends_with("; not checked: 1 problem\n"), "{human}");
    let skipped = json(&checked)["skipped"].clone();
    assert_eq!(skipped.as_array().unwrap().len(), 82);
    assert!(
        skipped.as_array().unwrap().contains(&serde_json::json!({"path": "nope", "why": "there is no such file or directory"}))
    );
}

#[test]
fn a_finding_about_a_directory_or_an_empty_file_has_a_place_without_an_excerpt() {
    let mut checked = checked();
    checked.findings = vec![finding("drop-column", Level::Error, "db/migrations", Span::default())];
    let human = written(&checked, &PLAIN);
    assert!(human.contains("  at db/migrations:1:1\n"), "{human}");
    let empty = written(&one_file("empty.sql", b"", Span::default()), &PLAIN);
    assert!(empty.contains("  at empty.sql:1:1\n"), "{empty}");
}

#[test]
fn no_excerpt_shows_a_secret() {
    let text = b"CREATE ROLE app\n  PASSWORD 'hunter2';\n";
    let at = text.windows(7).position(|part| part == b"hunter2").unwrap();
    let mut checked = one_file("x.sql", text, Span { start: 0, end: text.len() - 2 });
    checked.findings.push(finding("secret-in-migration", Level::Warning, "x.sql", Span { start: at, end: at + 7 }));
    let human = written(&checked, &PLAIN);
    assert!(human.contains("drop-column") && human.contains("PASSWORD '*******'") && !human.contains("hunter2"), "{human}");
}

/// A finding whose every text tries to be markup of every format.
fn hostile() -> Checked {
    let evil = "a|b`c` <img src=x onerror=1> ]]> @admin #1 !2 [x](javascript:y) ::error::z %0A &amp; \"'\u{fffe}";
    let text = format!("DROP TABLE \"{}\";\n", evil.replace('"', ""));
    let mut checked = one_file("db/a|b`<x>,y:z%.sql", text.as_bytes(), Span { start: 0, end: text.len() - 2 });
    let finding = &mut checked.findings[0];
    finding.message = evil.into();
    finding.help = evil.into();
    finding.migration = checked.histories[0].history.migrations[0].id.clone();
    finding.related.push(Related { path: evil.into(), span: Span::default(), message: evil.into() });
    checked.histories[0].history.path = "db".into();
    checked.unusable = vec![Unusable { path: evil.into(), why: evil.into() }];
    checked
}

#[test]
fn a_workflow_command_keeps_its_properties_and_its_line() {
    let report = written(&hostile(), (formats::named("github").unwrap().make)(&MANNER).as_ref());
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines.len(), 2, "{report}");
    let (properties, message) = lines[0].strip_prefix("::error ").unwrap().split_once("::").unwrap();
    let names: Vec<&str> = properties.split(',').map(|one| one.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["file", "line", "endLine", "col", "endColumn", "title"]);
    assert!(properties.starts_with("file=repo/db/a|b`<x>%2Cy%3Az%25.sql,"), "{properties}");
    assert!(message.contains("%250A") && message.contains("::error::z"), "{message}");
    assert!(lines[1].starts_with("::error title=phasegate::not checked: "), "{}", lines[1]);
}

#[test]
fn junit_is_xml_whatever_the_names_are_and_keeps_what_they_say() {
    let report = written(&hostile(), (formats::named("junit").unwrap().make)(&MANNER).as_ref());
    let document = roxmltree::Document::parse(&report).unwrap();
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
    assert!(failure.attribute("message").unwrap().contains("]]> @admin #1"), "{report}");
    assert!(failure.attribute("message").unwrap().ends_with("\\u{fffe}"), "what no XML may hold is shown: {report}");
    let error = document.descendants().find(|node| node.has_tag_name("error")).unwrap();
    assert!(error.parent().unwrap().attribute("name").unwrap().contains("<img src=x onerror=1>"));
}

#[test]
fn no_text_of_a_file_is_markup_of_a_note() {
    let note = written(&hostile(), (formats::named("markdown").unwrap().make)(&MANNER).as_ref());
    let without_code: String = note
        .split("<code>")
        .enumerate()
        .map(|(at, part)| if at == 0 { part } else { part.split_once("</code>").unwrap().1 })
        .flat_map(|part| part.split('`').step_by(2).collect::<Vec<_>>())
        .collect();
    for sign in ["<img", "@", "#1", "!2", "javascript", "a|b", "]]", "%0A"] {
        assert!(!without_code.contains(sign), "{sign}: {note}");
    }
    let cells: BTreeSet<usize> =
        note.lines().filter(|line| line.starts_with('|')).map(|line| line.matches('|').count()).collect();
    assert_eq!(cells, BTreeSet::from([7]), "{note}");
}

/// So many errors in so many migrations of one statement each.
fn many(findings: usize, units: usize) -> Checked {
    let mut checked = checked();
    let history = &mut checked.histories[0];
    history.history.migrations = (0..units).map(|at| unit(&format!("db/migrations/{at:06}_x.sql"), DROP.as_bytes())).collect();
    history.units = (0..units)
        .map(|_| {
            vec![StatementFacts {
                index: 1,
                span: Span { start: 0, end: 9 },
                verdict: Verdict::Contract,
                effect: Effect::default(),
            }]
        })
        .collect();
    checked.findings = (0..findings)
        .map(|at| {
            let unit = at % units;
            let path = format!("db/migrations/{unit:06}_x.sql");
            let level = if at % 3 == 0 { Level::Error } else { Level::Warning };
            Finding {
                migration: format!("{unit:06}"),
                ..finding("drop-column", level, &path, Span { start: at % 20, end: at % 20 + 9 })
            }
        })
        .collect();
    checked
}

#[test]
fn a_note_is_cut_by_whole_migrations_and_says_how_many_are_left_out() {
    for (findings, units) in [(3000, 1500), (3000, 1), (40, 7)] {
        let note = written(&many(findings, units), (formats::named("markdown").unwrap().make)(&MANNER).as_ref());
        assert!(note.chars().count() < markdown::LIMIT, "{}", note.chars().count());
        assert!(note.starts_with(markdown::MARKER));
        assert_eq!(note.matches("<details").count(), note.matches("</details>").count());
        let shown = note.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(shown, note.matches("<details").count());
        let cut =
            format!("**Not shown here, to stay below 60000 characters: {} of {units} migrations and files**", units - shown);
        assert_eq!(note.contains(&cut), shown < units, "{shown} of {units}");
        assert!(shown > 0 && (units < 1000 || shown < units));
        // The worst come first: no migration that is shown has fewer errors than one that is not.
        assert!(!note.contains("| 2 warnings"), "{note}");
    }
}

#[test]
fn every_format_takes_very_many_findings() {
    let checked = many(20_000, 500);
    let mut sorted = checked.clone();
    fingerprint::assign(&sorted.histories, None, &mut sorted.findings);
    let report = Report::new(&sorted, PostgresVersions::default());
    for named in FORMATS {
        let mut out = Vec::new();
        (named.make)(&MANNER).write(&report, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let found = match named.name {
            "human" => text.matches("[drop-column]\n").count(),
            "json" => text.matches("\"rule\":\"drop-column\"").count(),
            "sarif" => text.matches("\"ruleId\":\"drop-column\"").count(),
            "gitlab" => {
                let issues: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
                issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect::<BTreeSet<_>>().len()
            }
            "github" => text.lines().count(),
            "junit" => text.matches("[drop-column]: ").count(),
            "markdown" => 20_000 * usize::from(text.chars().count() < markdown::LIMIT),
            other => panic!("{other} is not in this test"),
        };
        assert_eq!(found, 20_000, "{}", named.name);
    }
}
