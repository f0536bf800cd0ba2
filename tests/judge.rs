//! What `check` predicts about the histories in fixtures/ is what a server does: the schema after every unit, the breaks of
//! every statement. Without a server this fails, it is not skipped.

use phasegate::catalog::snapshot::Snapshot;
use phasegate::check::{self, Request};
use phasegate::config::Settings;
use phasegate::prove::judge::{JudgeOptions, judge_history};
use phasegate::prove::server::LocalServerOptions;
use std::path::{Path, PathBuf};

/// Units that the server refuses, because the fixture is about something else: text that is not SQL, objects that a history
/// never made.
const REFUSED: [(&str, &[&str]); 5] = [
    ("layouts/diesel", &["2024-01-31-140000_both"]),
    ("layouts/golang_migrate", &["4"]),
    ("layouts/hasura", &["1676582194859_concurrently"]),
    ("layouts/pop", &["20240103000000000000"]),
    ("layouts/prisma", &["20240202000000_drop"]),
];

/// Fixtures whose text is not what a server gets: their runners give placeholders values and undo escapes first.
const REWRITTEN: [&str; 5] = ["layouts/graphile_migrate", "layouts/liquibase", "layouts/mybatis", "layouts/play", "layouts/tern"];

/// What is there before the first unit: the runner's own table, where the scripts read it and do not make it.
const SET_UP: [(&str, &str); 1] = [(
    "layouts/ef_core",
    "CREATE SCHEMA app; CREATE TABLE app.__ef_migrations_history (migration_id text PRIMARY KEY, product_version text)",
)];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Every directory of fixtures/ and of fixtures/layouts/ is a history, so a new one is judged without a word. Those of
/// fixtures/runners/ need what their runner makes first, and are held against that runner's own ledger.
fn histories() -> Vec<String> {
    let mut found = Vec::new();
    for below in ["", "layouts/"] {
        for entry in std::fs::read_dir(fixtures().join(below)).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{below}{}", entry.file_name().into_string().unwrap());
            let is_history = !["layouts", "runners"].contains(&name.as_str()) && !REWRITTEN.contains(&name.as_str());
            if entry.file_type().unwrap().is_dir() && is_history {
                found.push(name);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty());
    found
}

#[test]
fn every_fixture_is_as_a_server_has_it() {
    let options = JudgeOptions {
        server: LocalServerOptions {
            binaries: std::env::var_os("PHASEGATE_PG_BIN").map(PathBuf::from),
            ..LocalServerOptions::default()
        },
        keep_going: true,
        set_up: None,
    };
    let mut wrong = String::new();
    for name in histories() {
        let mut snapshots: Vec<Snapshot> = Vec::new();
        let request = Request::of_paths([fixtures().join(&name)], Settings::default());
        let checked = check::run_observed(&request, &mut |_, _, catalog| snapshots.push(catalog.snapshot()));
        if (checked.histories.len(), checked.unusable.as_slice()) != (1, &[][..]) {
            wrong.push_str(&format!("=== {name}: {} histories, {:?}\n", checked.histories.len(), checked.unusable));
            continue;
        }
        let set_up = SET_UP.iter().find(|(fixture, _)| *fixture == name).map(|(_, sql)| (*sql).to_owned());
        let options = JudgeOptions { set_up, ..options.clone() };
        let judgement = judge_history(&checked.histories[0], &snapshots, &options).unwrap();
        let refused: Vec<&str> =
            judgement.units.iter().filter(|unit| unit.failure.is_some()).map(|unit| unit.id.as_str()).collect();
        let expected = REFUSED.iter().find(|(fixture, _)| *fixture == name).map_or(&[][..], |(_, units)| *units);
        let differs = judgement.units.iter().any(|unit| {
            unit.schema.as_ref().is_none_or(|schema| !schema.differences.is_empty())
                || unit.statements.iter().any(|found| !found.missed.is_empty() || !found.invented.is_empty())
        });
        if refused != expected || differs {
            wrong.push_str(&format!("=== {name}: refused {refused:?}, expected {expected:?}\n{}\n", judgement.report(false)));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
