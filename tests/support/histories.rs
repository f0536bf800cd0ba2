//! The histories of fixtures/, and what servers have to know about them.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::{Path, PathBuf};

/// Units that the server refuses, because the fixture is about something else: text that is not SQL, objects that a history
/// never made.
const REFUSED: [(&str, &[&str]); 6] = [
    ("layouts/diesel", &["2024-01-31-140000_both"]),
    ("layouts/golang_migrate", &["4"]),
    ("layouts/hasura", &["1676582194859_concurrently"]),
    // A semicolon in a string ends a statement there, as it does in Play.
    ("layouts/play", &["6"]),
    ("layouts/pop", &["20240103000000000000"]),
    ("layouts/prisma", &["20240202000000_drop"]),
];

/// Fixtures with placeholders whose values their runners know and nobody here does.
const REWRITTEN: [&str; 4] = ["layouts/graphile_migrate", "layouts/liquibase", "layouts/mybatis", "layouts/tern"];

/// What is there before the first unit: the runner's own table, where the scripts read it and do not make it.
const SET_UP: [(&str, &str); 1] = [(
    "layouts/ef_core",
    "CREATE SCHEMA app; CREATE TABLE app.__ef_migrations_history (migration_id text PRIMARY KEY, product_version text)",
)];

pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Every directory of fixtures/ and of fixtures/layouts/ is a history, so a new one is judged without a word. Those of
/// fixtures/runners/ need what their runner makes first, and are held against that runner's own ledger; those of fixtures/trace/
/// are statements, each for itself.
pub fn histories() -> Vec<String> {
    let mut found = Vec::new();
    for below in ["", "layouts/"] {
        for entry in std::fs::read_dir(directory().join(below)).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{below}{}", entry.file_name().into_string().unwrap());
            let is_history = !["layouts", "runners", "trace"].contains(&name.as_str()) && !REWRITTEN.contains(&name.as_str());
            if entry.file_type().unwrap().is_dir() && is_history {
                found.push(name);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty());
    found
}

/// The units of a history that the server refuses, by their id.
pub fn refused(history: &str) -> &'static [&'static str] {
    REFUSED.iter().find(|(fixture, _)| *fixture == history).map_or(&[][..], |(_, units)| *units)
}

/// What is there before the first unit of a history.
pub fn set_up(history: &str) -> Option<&'static str> {
    SET_UP.iter().find(|(fixture, _)| *fixture == history).map(|(_, sql)| *sql)
}
