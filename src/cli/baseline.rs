//! `phasegate baseline`: accept the findings there are, so that only new ones count.

use super::configuration;
use super::environment;
use super::exit::Exit;
use super::terminal::{self, Volume};
use crate::baseline::{Baseline, BaselineError};
use crate::check::{self, Checked, HistoryRequest, Request, Unusable};
use crate::config::{self, Flags, Wanted};
use crate::finding::Level;
use crate::versions::PostgresVersions;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// Accept the findings there are: write them to the baseline, so that `check` reports only what is new
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  phasegate baseline
  phasegate baseline db/migrations --level warning

The file is `baseline` of phasegate.toml; without that, phasegate.baseline.json beside phasegate.toml; \
    without phasegate.toml, at the root of the repository, else in the working directory. Entries of a file that is there are \
    brought up to date: a `reason` written by hand stays, and so does what is about paths that this run does not look at.\n\n\
    Exit codes: 0 written; 2 something could not be used, and nothing was written.")]
pub struct Arguments {
    /// Directories and files, each a history. Without any, the histories of `phasegate.toml`, else the working directory
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    configuration: configuration::ConfigurationArguments,
    /// Take this layout instead of recognising one
    #[arg(long, value_name = "NAME")]
    layout: Option<String>,
    /// The server versions that the migrations must work on: one, or a range
    #[arg(long, value_name = "VERSIONS")]
    postgres: Option<PostgresVersions>,
    /// A `pg_dump --schema-only` file: the schema before the first migration
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// The lowest level that is accepted
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "warning")]
    level: LeastLevel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum LeastLevel {
    Error,
    Warning,
    Note,
}

impl From<LeastLevel> for Level {
    fn from(level: LeastLevel) -> Self {
        match level {
            LeastLevel::Error => Level::Error,
            LeastLevel::Warning => Level::Warning,
            LeastLevel::Note => Level::Note,
        }
    }
}

/// Checks, writes the file and says what changed in it. An error is one of standard output.
pub fn run(arguments: &Arguments, volume: Volume) -> io::Result<Exit> {
    match accept(arguments) {
        Ok(said) => {
            terminal::tell(volume, &[said])?;
            Ok(Exit::Clean)
        }
        Err(problems) => {
            for problem in problems {
                terminal::complain(&problem);
            }
            terminal::complain("nothing was written");
            Ok(Exit::Unusable)
        }
    }
}

fn accept(arguments: &Arguments) -> Result<String, Vec<String>> {
    if arguments.paths.iter().any(|path| path == Path::new("-")) {
        return Err(vec!["standard input is no file whose findings could be accepted; name a directory".into()]);
    }
    let plan = config::plan(&Wanted {
        paths: arguments.paths.clone(),
        file: arguments.configuration.choice(),
        flags: Flags {
            layout: arguments.layout.clone(),
            postgres: arguments.postgres,
            schema_dump: arguments.schema.clone(),
            baseline: arguments.baseline.clone(),
        },
    });
    if !plan.errors.is_empty() {
        return Err(plan.errors.iter().map(|error| format!("{error}; {}", error.help())).collect());
    }
    let files: BTreeSet<PathBuf> = plan.histories.iter().map(|planned| planned.baseline.clone()).collect();
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let (Some(file), true) = (files.first(), files.len() < 2) else {
        return Err(vec![format!(
            "these paths have several baselines ({}); name paths of one, or one file with --baseline",
            names.join(", ")
        )]);
    };
    let earlier = match Baseline::read(file) {
        Ok((earlier, _)) => earlier,
        Err(BaselineError::Missing { .. }) => Baseline::default(),
        Err(error) => return Err(vec![line(&error.unusable())]),
    };
    // What is accepted is found without what was accepted before.
    let histories = plan.histories.into_iter().map(|planned| without_baseline(planned.request)).collect();
    let request = Request { histories, git: environment::git(), ..Request::default() };
    let checked = check::run(&request);
    if !checked.unusable.is_empty() {
        return Err(checked.unusable.iter().map(line).collect());
    }
    let accepted = Baseline::of(&checked, &request, arguments.level.into(), &earlier, file);
    accepted.write(file).map_err(|error| vec![line(&error.unusable())])?;
    Ok(summary(file, &accepted, &earlier, &checked))
}

fn without_baseline(mut request: HistoryRequest) -> HistoryRequest {
    request.settings.baseline = None;
    request
}

fn line(unusable: &Unusable) -> String {
    let place = if unusable.path.is_empty() { String::new() } else { format!("{}: ", unusable.path) };
    format!("{place}{}", unusable.why)
}

/// "phasegate.baseline.json: 12 findings accepted (10 errors, 2 warnings); 3 are new, 1 is gone, 4 of other paths are kept".
fn summary(file: &Path, accepted: &Baseline, earlier: &Baseline, checked: &Checked) -> String {
    let fingerprints =
        |baseline: &Baseline| -> BTreeSet<String> { baseline.entries.iter().map(|e| e.fingerprint.clone()).collect() };
    let (now, before) = (fingerprints(accepted), fingerprints(earlier));
    let of_level = |level: Level, noun: &str| {
        let number = checked.findings.iter().filter(|f| f.level == level && now.contains(&f.fingerprint)).count();
        (number > 0).then(|| count(number, noun))
    };
    let levels = [(Level::Error, "error"), (Level::Warning, "warning"), (Level::Note, "note")];
    let levels: Vec<String> = levels.iter().filter_map(|(level, noun)| of_level(*level, noun)).collect();
    let found: BTreeSet<&String> = checked.findings.iter().map(|f| &f.fingerprint).collect();
    let kept = now.iter().filter(|fingerprint| !found.contains(fingerprint)).count();
    let mut text = format!("{}: {} accepted", file.display(), count(now.len() - kept, "finding"));
    if !levels.is_empty() {
        text.push_str(&format!(" ({})", levels.join(", ")));
    }
    if !before.is_empty() {
        let (new, gone) = (now.difference(&before).count(), before.difference(&now).count());
        text.push_str(&format!("; {new} new, {gone} gone"));
    }
    if kept > 0 {
        text.push_str(&format!("; {kept} about paths that this run did not look at kept"));
    }
    text
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
