//! A prediction is held against the server: what agrees, what was missed, what was invented.

use crate::support::{replayer, unit};
use phasegate::catalog::snapshot::Snapshot;
use phasegate::effect::{Break, BreakKind};
use phasegate::prove::judge::{Prediction, Tally, judge};
use phasegate::source::Wrapping;

/// Per unit a schema and per statement breaks.
struct Written(Vec<(Option<Snapshot>, Vec<Vec<Break>>)>);

impl Prediction for Written {
    fn snapshot_after(&self, unit: usize) -> Option<&Snapshot> {
        self.0[unit].0.as_ref()
    }
    fn breaks(&self, unit: usize, statement: usize) -> &[Break] {
        &self.0[unit].1[statement]
    }
}

fn a_break(kind: BreakKind, object: &str) -> Break {
    Break { kind, object: object.into() }
}

const OLDER: &str = "CREATE TABLE t (a int, b int)";

#[test]
fn a_right_prediction_agrees() {
    let mut after = replayer("CREATE TABLE t (b int)").snapshot();
    let prediction = Written(vec![(Some(after.clone()), vec![vec![a_break(BreakKind::DropColumn, "public.t.a")]])]);
    let units = [unit("1", Wrapping::Wrapped, &["ALTER TABLE t DROP a"])];
    let judgement = judge(&mut replayer(OLDER), &units, &prediction, false).unwrap();
    assert!(judgement.is_agreed(), "{}", judgement.report(true));
    assert_eq!(judgement.promised(), Tally { observed: 1, predicted: 1, matched: 1 });

    after.schemas.insert("made_up".into());
    let wrong = Written(vec![(Some(after), vec![vec![a_break(BreakKind::DropColumn, "public.t.a")]])]);
    let judgement = judge(&mut replayer(OLDER), &units, &wrong, false).unwrap();
    assert!(!judgement.is_agreed());
    assert!(judgement.report(false).contains("schema: schemas: model"), "{}", judgement.report(false));
}

#[test]
fn what_was_missed_and_what_was_invented_are_told_apart() {
    let invented = vec![a_break(BreakKind::RenameColumn, "public.t.b"), a_break(BreakKind::RowsRemoved, "public.t")];
    let prediction = Written(vec![(None, vec![invented])]);
    let units = [unit("1", Wrapping::Wrapped, &["ALTER TABLE t DROP a"])];
    let judgement = judge(&mut replayer(OLDER), &units, &prediction, false).unwrap();
    let statement = &judgement.units[0].statements[0];
    assert_eq!(statement.missed, [a_break(BreakKind::DropColumn, "public.t.a")]);
    // Removed rows are in no catalog: neither right nor wrong.
    assert_eq!(statement.invented, [a_break(BreakKind::RenameColumn, "public.t.b")]);
    assert_eq!(judgement.unobservable, 1);
    assert_eq!(judgement.all(), Tally { observed: 1, predicted: 1, matched: 0 });
    let report = judgement.report(false);
    assert!(
        report.contains("missed: drop-column public.t.a") && report.contains("invented: rename-column public.t.b"),
        "{report}"
    );
}

#[test]
fn a_difference_that_stays_is_told_once() {
    let prediction = Written(vec![(Some(Snapshot::default()), vec![vec![]]), (Some(Snapshot::default()), vec![vec![]])]);
    let units = [unit("1", Wrapping::Wrapped, &["SELECT 1"]), unit("2", Wrapping::Wrapped, &["CREATE TABLE u (a int)"])];
    let judgement = judge(&mut replayer(OLDER), &units, &prediction, false).unwrap();
    let paths = |at: usize| judgement.units[at].new_differences.iter().map(|found| found.path.as_str()).collect::<Vec<_>>();
    assert_eq!(paths(0), ["extensions/plpgsql", "relations/public.t", "schemas"]);
    assert_eq!(paths(1), ["relations/public.u"]);
}

#[test]
fn the_replay_stops_at_a_refused_unit_unless_told_otherwise() {
    let nothing = || Written(vec![(None, vec![vec![], vec![]]), (None, vec![vec![]])]);
    let units = [
        unit("1", Wrapping::Wrapped, &["DROP TABLE t", "DROP TABLE no_such"]),
        unit("2", Wrapping::Wrapped, &["CREATE TABLE u (a int)"]),
    ];
    let stopped = judge(&mut replayer(OLDER), &units, &nothing(), false).unwrap();
    assert_eq!((stopped.units.len(), stopped.not_run), (1, 1));
    assert!(stopped.report(false).contains("FAILED at statement 2: 42P01 table \"no_such\" does not exist"));
    let went_on = judge(&mut replayer(OLDER), &units, &nothing(), true).unwrap();
    assert_eq!((went_on.units.len(), went_on.not_run), (2, 0));
    assert!(!went_on.is_agreed());
}

#[test]
fn what_the_set_up_made_is_compared_only_where_the_history_speaks_of_it() {
    let predicted = |schema: &str| Written(vec![(Some(replayer(schema).snapshot()), vec![vec![]])]);
    let units = [unit("1", Wrapping::Wrapped, &["CREATE TABLE u (a int)"])];
    let judged = |schema: &str| {
        let mut replayer = replayer("");
        replayer.set_up("CREATE TABLE ledger (id int); CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('sad')").unwrap();
        judge(&mut replayer, &units, &predicted(schema), false).unwrap()
    };
    let silent = judged("CREATE TABLE u (a int)");
    assert!(silent.is_agreed(), "{}", silent.report(true));
    let speaks = judged("CREATE TABLE u (a int); CREATE TABLE ledger (id bigint)");
    let paths: Vec<&str> = speaks.units[0].new_differences.iter().map(|found| found.path.as_str()).collect();
    assert_eq!(paths, ["relations/public.ledger/columns/id/type_name"]);
}
