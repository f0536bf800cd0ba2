//! The proofs, one file each, in the order in which they run.

mod apply;
mod cause;
mod clock;
mod crash;
mod help;
pub mod old_writes;
pub mod on_data;
mod reference;
mod rerun;
mod runners;
mod second_run;
mod steps;
mod trace;
mod walk;

use super::fingerprint::{self, Difference};
use super::stage::{Proof, Stage};
pub use reference::Reference;

/// Every proof.
pub const PROOFS: &[&dyn Proof] = &[
    &apply::Apply,
    &second_run::SecondRun,
    &rerun::Rerun,
    &runners::Runners,
    &crash::Crash,
    &trace::Trace,
    &on_data::OnData,
    &old_writes::OldWrites,
    &clock::Clock,
];

/// The first differences, in one line, and how many more there are.
fn differences(found: &[Difference]) -> String {
    const SHOWN: usize = 5;
    fingerprint::lines(found, SHOWN).join("; ")
}

/// True for units that findings may be about: asked for, and not released.
fn is_judged(stage: &Stage<'_>, unit: usize) -> bool {
    stage.chain.checked.history.migrations.get(unit).is_some_and(|migration| migration.reported)
}
