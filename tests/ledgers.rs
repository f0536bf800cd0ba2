//! Our layouts held against the real runners, through the front door of `source`.
//!
//! `fixtures/runners/<runner>.ledger` is what a run of the runner on the history in `fixtures/runners/<runner>/` left in its own
//! ledger, in which transaction each unit ran, and what the runner does with what it need not take. `scripts/ledgers` writes it; it
//! is no expectation of ours, and a difference is a mistake of ours.

use phasegate::source::layouts::Late;
use phasegate::source::{History, Migration, Request, UnitKind, Version, Wrapping, layouts, load};
use std::collections::BTreeMap;

/// Runners, and the name of the layout that reads what they run.
const RUNNERS: [(&str, &str); 18] = [
    ("alembic", "alembic-sql"),
    ("alembic-each", "alembic-sql"),
    ("dbmate", "dbmate"),
    ("diesel", "diesel"),
    ("django", "django-sqlmigrate"),
    ("drizzle", "drizzle"),
    ("flyway", "flyway"),
    ("golang-migrate", "golang-migrate"),
    ("goose", "goose"),
    ("graphile-migrate", "graphile-migrate"),
    ("liquibase", "liquibase"),
    ("node-pg-migrate", "node-pg-migrate"),
    ("refinery", "refinery"),
    ("sql-migrate", "sql-migrate"),
    ("sqitch", "sqitch"),
    ("sqlx", "sqlx"),
    ("tern", "tern"),
    ("yoyo", "yoyo"),
];

/// Runners that look at the statements of a file before they choose its transaction.
const READS_STATEMENTS: &[&str] = &["flyway"];

/// Units of which the text does not say what the runner does: Django sends the statements of one RunSQL in one message, and its
/// `sqlmigrate` does not write which they were.
const NOT_IN_THE_TEXT: &[(&str, &str)] = &[("django", "0013_one_text")];

/// What a runner did.
struct Ledger {
    /// In the order in which they ran.
    units: Vec<Ran>,
    /// What it does with histories of one file, by the question.
    answers: BTreeMap<String, String>,
}

struct Ran {
    /// As the runner records it.
    id: String,
    seen: Seen,
}

/// The transaction of a unit, as the server saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// Its statements shared a transaction that began with a BEGIN.
    Wrapped,
    /// They shared one, and there was no BEGIN.
    Batch,
    /// They were in different ones.
    None,
    /// Its one statement refuses a transaction, and ran.
    Outside,
    /// It has no statement that would tell.
    Unobserved,
}

impl Ledger {
    fn of(runner: &str) -> Ledger {
        let path = format!("fixtures/runners/{runner}.ledger");
        let text = std::fs::read_to_string(&path).expect("every runner has a ledger");
        let mut ledger = Ledger { units: Vec::new(), answers: BTreeMap::new() };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (first, rest) = line.split_once(' ').expect("a line has two parts");
            let seen = match first {
                "=" => {
                    let (question, answer) = rest.split_once(": ").expect("an answer");
                    ledger.answers.insert(question.to_owned(), answer.to_owned());
                    continue;
                }
                "wrapped" | "wrapped-together" => Seen::Wrapped,
                "batch" => Seen::Batch,
                "none" => Seen::None,
                "outside" => Seen::Outside,
                "unobserved" => Seen::Unobserved,
                other => panic!("{path}: {other}"),
            };
            ledger.units.push(Ran { id: rest.to_owned(), seen });
        }
        assert!(ledger.units.len() > 5, "{path} tells too little");
        ledger
    }
}

fn history(runner: &str, layout: &str) -> History {
    let loaded = load(&Request::of_paths([format!("fixtures/runners/{runner}")]));
    assert!(loaded.errors.is_empty(), "{runner}: {:?}", loaded.errors);
    let [history] = <[History; 1]>::try_from(loaded.histories).expect("one history");
    assert_eq!(history.layout, layout, "fixtures/runners/{runner} is taken for another layout");
    history
}

/// The id, or what the runner made of it: 11 of 0011, V1.9 of V1_9.
fn is_recorded_as(unit: &Migration, id: &str) -> bool {
    let parts = id.strip_prefix('V').map(Version::numbers);
    let versions = [Some(Version::number(id)), Some(Version::text(id)), parts];
    unit.id == id || (unit.version.is_some() && versions.contains(&unit.version))
}

fn fits(unit: &Migration, seen: Seen) -> bool {
    let text = unit.file.text().unwrap_or_default();
    let text = unit.parts.iter().map(|part| &text[part.start..part.end]).collect::<String>().to_ascii_uppercase();
    match (unit.wrapping, seen) {
        (_, Seen::Unobserved) => true,
        // It begins in a transaction; a COMMIT of its own ends that.
        (Wrapping::Wrapped, seen) => seen == Seen::Wrapped || text.contains("COMMIT;"),
        (Wrapping::Batch, seen) => matches!(seen, Seen::Batch | Seen::Outside),
        (Wrapping::None, seen) => matches!(seen, Seen::None | Seen::Outside),
        // What the runner does is then up to the file.
        (Wrapping::Explicit, _) => text.contains("BEGIN;") || text.contains("COMMIT;"),
    }
}

#[test]
fn units_have_the_order_the_ids_and_the_transactions_that_the_runner_recorded() {
    let mut differences = Vec::new();
    for (runner, layout) in RUNNERS {
        let (ledger, history) = (Ledger::of(runner), history(runner, layout));
        // What Django does in Python is a unit of its own here, before the SQL of its migration.
        let is_part = |unit: &Migration| unit.kind == UnitKind::Unknown && unit.id.ends_with(')');
        let units: Vec<&Migration> = history.migrations.iter().filter(|unit| !is_part(unit)).collect();
        let ran: Vec<&str> = ledger.units.iter().map(|ran| ran.id.as_str()).collect();
        if units.len() != ran.len() || units.iter().zip(&ran).any(|(unit, id)| !is_recorded_as(unit, id)) {
            let ours: Vec<&str> = units.iter().map(|unit| unit.id.as_str()).collect();
            differences.push(format!("{runner} ran\n  {ran:?}\nand we say\n  {ours:?}"));
            continue;
        }
        for (unit, ran) in units.iter().zip(&ledger.units).filter(|(unit, _)| unit.kind == UnitKind::Sql) {
            if !fits(unit, ran.seen) && !NOT_IN_THE_TEXT.contains(&(runner, ran.id.as_str())) {
                differences.push(format!("{runner} {}: seen {:?}, and we say {:?}", ran.id, ran.seen, unit.wrapping));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn a_file_that_says_nothing_has_the_transaction_that_the_runner_showed() {
    let mut asked = 0;
    for (runner, layout) in RUNNERS {
        let layout = layouts::named(layout).expect(layout);
        let Ledger { answers, .. } = Ledger::of(runner);
        let Some(alone) = answers.get("CONCURRENTLY alone") else { continue };
        asked += 1;
        let wrapping = layout.wrapping();
        let failing = &answers["a failing second statement"];
        assert_eq!(failing.ends_with("is kept"), wrapping == Wrapping::None, "{runner}: a failing second statement {failing}");
        if READS_STATEMENTS.contains(&runner) {
            continue;
        }
        assert_eq!(alone == "ran", wrapping != Wrapping::Wrapped, "{runner}: CONCURRENTLY alone {alone}");
        let twice = &answers["CONCURRENTLY twice"];
        assert_eq!(twice == "ran", wrapping == Wrapping::None, "{runner}: CONCURRENTLY twice {twice}");
    }
    assert!(asked >= 5);
}

#[test]
fn a_late_migration_has_the_fate_that_the_runner_showed() {
    let mut asked = 0;
    for (runner, name) in RUNNERS {
        let layout = layouts::named(name).expect(name);
        let Ledger { answers, .. } = Ledger::of(runner);
        let Some(answer) = answers.get("a late lower number") else { continue };
        asked += 1;
        let shown = match answer.as_str() {
            "ran (5, 3, 7)" => Late::Applied,
            "ran (5, 7)" => Late::Skipped,
            refused => {
                assert!(refused.contains("refused"), "{runner}: {refused}");
                Late::Refused
            }
        };
        let history = history(runner, name);
        let unit = history.migrations.iter().find(|unit| unit.kind == UnitKind::Sql).expect("a step in SQL");
        match runner {
            // Its command passes over it unless it is told otherwise. Its library, which projects call, stops.
            "refinery" => assert_eq!((shown, layout.late(unit)), (Late::Skipped, Late::Refused)),
            _ => assert_eq!(shown, layout.late(unit), "{runner}: {answer}"),
        }
    }
    assert!(asked >= 5);
}

#[test]
fn every_ledger_is_compared() {
    for entry in std::fs::read_dir("fixtures/runners").expect("the fixtures") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if let Some(runner) = name.strip_suffix(".ledger") {
            assert!(RUNNERS.iter().any(|(known, _)| *known == runner), "{name} is compared with nothing");
        }
    }
}
