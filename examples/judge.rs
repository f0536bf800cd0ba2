//! Holds the model against a server: replays migrations on a local PostgreSQL and compares the modelled schema after every
//! unit, and the predicted breaks of every statement, with its catalogs.
//!
//! `cargo run --example judge -- DIRECTORY [--layout NAME] [--setup FILE.sql] [--pg-bin DIR] [--keep-going] [--verbose]
//! [--trace] [--postgres VERSIONS]`

use phasegate::catalog::Catalog;
use phasegate::check::{self, Checked, Request};
use phasegate::config::Settings;
use phasegate::prove::judge::{JudgeOptions, Judgement, judge_history};
use phasegate::prove::server::LocalServerOptions;
use phasegate::prove::trace::{TraceJudgement, trace_history};
use phasegate::source::History;
use phasegate::versions::PostgresVersions;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

/// Compare what phasegate predicts with what a server does
#[derive(clap::Parser)]
struct Arguments {
    /// Migration directories or files, each on a server of its own
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[arg(long)]
    layout: Option<String>,
    /// SQL to run first as superuser: roles, schemas, the runner's own tables
    #[arg(long)]
    setup: Option<PathBuf>,
    /// Directory of initdb and postgres
    #[arg(long)]
    pg_bin: Option<PathBuf>,
    /// Go on after a unit that the server refuses
    #[arg(long)]
    keep_going: bool,
    /// Compare locks, rewrites, scans and index builds, instead of schemas and breaks
    #[arg(long)]
    trace: bool,
    /// The versions that facts are about, as --postgres of phasegate
    #[arg(long)]
    postgres: Option<PostgresVersions>,
    /// Show what agrees too
    #[arg(long)]
    verbose: bool,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = <Arguments as clap::Parser>::parse();
    let settings = Settings { layout: arguments.layout.clone(), postgres: arguments.postgres, ..Settings::default() };
    let request = Request::of_paths(&arguments.paths, settings);
    let mut snapshots: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let checked = check::run_observed(&request, &mut |history: &History, _: usize, catalog: &Catalog| {
        snapshots.entry(history.path.clone()).or_default().push(catalog.snapshot());
    });
    for unusable in &checked.unusable {
        eprintln!("{} {}", unusable.path, unusable.why);
    }
    let options = JudgeOptions {
        server: LocalServerOptions { binaries: arguments.pg_bin.clone(), ..LocalServerOptions::default() },
        set_up: arguments.setup.as_ref().map(std::fs::read_to_string).transpose()?,
        keep_going: arguments.keep_going,
    };
    if arguments.trace {
        return trace(&checked, &options);
    }
    let mut all = Judgement::default();
    let mut agreed = checked.unusable.is_empty();
    for history in &checked.histories {
        println!("== {}", history.history.path);
        let predicted = snapshots.get(&history.history.path).map_or(&[][..], Vec::as_slice);
        let judgement = judge_history(history, predicted, &options)?;
        println!("{}", judgement.report(arguments.verbose));
        agreed &= judgement.is_agreed();
        all.merge(judgement);
    }
    if checked.histories.len() > 1 {
        println!("== all\n{}", all.totals());
    }
    Ok(if agreed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn trace(checked: &Checked, options: &JudgeOptions) -> Result<ExitCode, Box<dyn Error>> {
    let mut all = TraceJudgement::default();
    for history in &checked.histories {
        println!("== {}", history.history.path);
        let judgement = trace_history(history, options)?;
        println!("{judgement}");
        all.merge(judgement);
    }
    if checked.histories.len() > 1 {
        all.mismatches.clear();
        println!("== all\n{all}");
    }
    Ok(if all.is_agreed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
