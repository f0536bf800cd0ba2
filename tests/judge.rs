//! What `check` predicts about the histories in fixtures/ is what a server does: the schema after every unit, the breaks of
//! every statement. Without a server this fails, it is not skipped.

#[path = "support/histories.rs"]
mod histories;

use phasegate::catalog::Catalog;
use phasegate::catalog::snapshot::Snapshot;
use phasegate::check::{self, Request};
use phasegate::config::Settings;
use phasegate::prove::judge::{JudgeOptions, judge_history};
use phasegate::prove::server::LocalServerOptions;
use phasegate::source::History;
use std::path::PathBuf;

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
    for name in histories::histories() {
        let mut snapshots: Vec<Snapshot> = Vec::new();
        let request = Request::of_paths([histories::directory().join(&name)], Settings::default());
        let checked =
            check::run_observed(&request, &mut |_: &History, _: usize, catalog: &Catalog| snapshots.push(catalog.snapshot()));
        if (checked.histories.len(), checked.unusable.as_slice()) != (1, &[][..]) {
            wrong.push_str(&format!("=== {name}: {} histories, {:?}\n", checked.histories.len(), checked.unusable));
            continue;
        }
        let set_up = histories::set_up(&name).map(str::to_owned);
        let options = JudgeOptions { set_up, ..options.clone() };
        let judgement = judge_history(&checked.histories[0], &snapshots, &options).unwrap();
        let refused: Vec<&str> =
            judgement.units.iter().filter(|unit| unit.failure.is_some()).map(|unit| unit.id.as_str()).collect();
        let expected = histories::refused(&name);
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
