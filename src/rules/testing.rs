//! Units judged from SQL text, for what no example in `rules/` can show: settings, and statements that the grammar does not have.

use super::{Context, judge};
use crate::catalog::change::{Cause, Change, Event};
use crate::catalog::{Catalog, replay};
use crate::check;
use crate::config::Settings;
use crate::finding::Finding;
use crate::op::Span;
use crate::release::Releases;
use crate::source::{History, Migration};
use crate::sql::{self, ParsedUnit};

/// Replays each text as a unit of its own, and judges the last one.
pub fn judged(texts: &[&str], settings: Settings) -> Vec<Finding> {
    judged_with(texts, settings, Vec::new())
}

/// As [`judged`], with changes that no statement makes.
pub fn judged_with(texts: &[&str], settings: Settings, more: Vec<Change>) -> Vec<Finding> {
    let migrations: Vec<Migration> = texts.iter().enumerate().map(|(at, text)| migration(at + 1, text)).collect();
    let history = History { migrations, whole: true, ..History::default() };
    let mut catalog = Catalog::new();
    let mut last = Vec::new();
    for (position, migration) in history.migrations.iter().enumerate() {
        let parsed: ParsedUnit = sql::parse::unit_with(migration, &check::placeholders(&history, &settings));
        let before = catalog.clone();
        let unit = u32::try_from(position + 1).unwrap_or(u32::MAX);
        let mut replayed = replay::unit(&mut catalog, unit, migration, &parsed);
        replayed.events.extend(more.iter().map(|change| Event {
            statement: 0,
            span: Span { start: 0, end: 1 },
            cause: Cause::Direct,
            change: change.clone(),
        }));
        last = judge(&Context {
            history: &history,
            migration,
            unit,
            parsed: &parsed,
            released: &before,
            before: &before,
            after: &catalog,
            end: &catalog,
            events: &replayed.events,
            work: &replayed.work,
            circumstances: &replayed.circumstances,
            notes: &replayed.notes,
            pending: &[],
            releases: &Releases::default(),
            settings: &settings,
            seen: None,
        });
    }
    last
}

fn migration(number: usize, text: &str) -> Migration {
    let id = format!("{number:04}");
    Migration::of_text(&id, &format!("{id}.sql"), text.as_bytes())
}
