//! `phasegate check`: the verdict on migration directories.

use super::exit::Exit;
use super::judging::JudgingArguments;
use super::terminal::{ColorChoice, Volume};
use super::verbose::{self, Watched};
use crate::check::{self, Unusable};
use crate::testimony::Testimony;
use std::io;
use std::path::{Path, PathBuf};

/// Check migrations: which statements take something from the previous release, and are not tagged
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  phasegate check                               what is not released yet, as phasegate.toml says
  phasegate check db/migrations --layout flyway
  phasegate check --since origin/main           in a merge request: what the branch adds
  phasegate check --staged --quiet              in a hook: what is about to be committed
  phasegate check --fail-on warning --notes     more is worth failing for, and all is shown
  pg_dump -s shop > schema.sql && phasegate check --schema schema.sql new.sql

Exit codes: 0 clean; 1 findings at --fail-on or above; 2 something could not be used \
    (arguments, a path that cannot be opened or holds no migration). 2 beats 1, and the rest is still in the report.")]
pub struct Arguments {
    #[command(flatten)]
    judging: JudgingArguments,
    /// A report of `phasegate prove --format json`: what it saw takes the place of what cannot be judged from the file
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
}

/// Checks, writes the report and says how it ended. An error is one of standard output.
pub fn run(arguments: &Arguments, color: ColorChoice, volume: Volume) -> io::Result<Exit> {
    let mut judging = match arguments.judging.judging(color) {
        Ok(judging) => judging,
        Err(exit) => return Ok(exit),
    };
    let mut unusable = None;
    if let Some(file) = &arguments.evidence {
        match testimony(file) {
            Ok(testimony) => judging.request.testimony = testimony,
            Err(why) => unusable = Some(Unusable { path: file.display().to_string(), why }),
        }
    }
    let mut watched = Watched::start(None);
    let mut checked = check::run_observed(&judging.request, &mut watched);
    if volume == Volume::Verbose {
        verbose::tell(&watched.lines);
    }
    checked.unusable.extend(unusable);
    judging.finish(checked, volume, |_| {})
}

fn testimony(file: &Path) -> Result<Testimony, String> {
    let json = std::fs::read(file).map_err(|error| format!("cannot be read: {error}"))?;
    Testimony::read(&json).map_err(|error| error.to_string())
}
