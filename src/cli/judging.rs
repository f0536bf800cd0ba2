//! What `check` and `prove` have in common: which histories, under what configuration, and how the report is written.

use super::configuration;
use super::environment;
use super::exit::Exit;
use super::outputs::{Asked, OutputArguments, Outputs};
use super::terminal::{self, ColorChoice, Volume};
use crate::check::{Checked, Request, Unusable};
use crate::config::{self, ConfigError, Flags, Plan, Wanted};
use crate::finding::Level;
use crate::release::Scope;
use crate::report::Report;
use crate::versions::PostgresVersions;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct JudgingArguments {
    /// Directories and files, each a history; `-` is standard input. Without any, the histories of `phasegate.toml`, else the working directory
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    configuration: configuration::ConfigurationArguments,
    /// Take this layout instead of recognising one
    #[arg(long, value_name = "NAME")]
    layout: Option<String>,
    /// The server versions that the migrations must work on: one, or a range such as 15..18. Without it all known versions are
    /// meant, and what only some of them have is no finding
    #[arg(long, value_name = "VERSIONS")]
    postgres: Option<PostgresVersions>,
    /// A `pg_dump --schema-only` file: the schema before the first migration
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Report only on migrations that are new or changed since HEAD left this branch, tag or commit
    #[arg(long, value_name = "REF")]
    since: Option<String>,
    /// Report only on migrations that are new or changed in git's index, and read that instead of the work tree
    #[arg(long, conflicts_with = "since")]
    staged: bool,
    /// Accepted findings, instead of those in `phasegate.baseline.json`
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    #[command(flatten)]
    outputs: OutputArguments,
    /// The lowest level that makes the exit code 1
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "error")]
    fail_on: FailOn,
    /// Show notes too
    #[arg(long)]
    notes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    Error,
    Warning,
    Note,
}

impl From<FailOn> for Level {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Error => Level::Error,
            FailOn::Warning => Level::Warning,
            FailOn::Note => Level::Note,
        }
    }
}

/// What is to be judged.
pub struct Judging<'a> {
    arguments: &'a JudgingArguments,
    outputs: Outputs,
    color: ColorChoice,
    plan: Plan,
    pub request: Request,
}

impl JudgingArguments {
    /// Reads the configuration, and standard input where a path asks for it. The error is one of standard input or of the arguments,
    /// already told.
    pub fn judging(&self, color: ColorChoice) -> Result<Judging<'_>, Exit> {
        let outputs = self.outputs.outputs().map_err(|why| {
            terminal::complain(&why);
            Exit::Unusable
        })?;
        let stdin = read_stdin(&self.paths).map_err(|error| {
            terminal::complain(&format!("standard input could not be read: {error}"));
            Exit::Unusable
        })?;
        let plan = config::plan(&Wanted {
            paths: self.paths.clone(),
            file: self.configuration.choice(),
            flags: Flags {
                layout: self.layout.clone(),
                postgres: self.postgres,
                schema_dump: self.schema.clone(),
                baseline: self.baseline.clone(),
            },
        });
        let histories = plan.histories.iter().map(|planned| planned.request.clone()).collect();
        let scope = match (&self.since, self.staged) {
            (Some(name), _) => Scope::Since(name.clone()),
            (None, true) => Scope::Staged,
            (None, false) => Scope::All,
        };
        let request = Request { histories, stdin, scope, git: environment::git(), ..Request::default() };
        Ok(Judging { arguments: self, outputs, color, plan, request })
    }
}

impl Judging<'_> {
    /// Writes the report and says how it ended. `add` puts into it what is no finding. An error is one of standard output.
    pub fn finish(&self, mut checked: Checked, volume: Volume, add: impl FnOnce(&mut Report)) -> io::Result<Exit> {
        let Judging { arguments, outputs, color, plan, .. } = self;
        checked.unusable.extend(plan.errors.iter().map(unusable));
        checked.unusable.sort();
        let mut report = Report::new(&checked, PostgresVersions::covering(checked.histories.iter().map(|one| one.postgres)));
        add(&mut report);
        let fail_on = Level::from(arguments.fail_on);
        // A finding that decides the exit code is always shown.
        let least = match (volume, arguments.notes) {
            (Volume::Quiet, _) => fail_on,
            (Volume::Normal | Volume::Verbose, true) => Level::Note,
            (Volume::Normal | Volume::Verbose, false) => fail_on.min(Level::Warning),
        };
        // People need no summary of nothing; programs get their object all the same.
        let is_quiet = volume == Volume::Quiet && report.unusable.is_empty() && !report.fails_at(fail_on);
        let is_nothing = (plan.histories.is_empty() || is_quiet) && outputs.is_for_people();
        let are_written = outputs.write(&report, Asked { color: *color, least, fail_on }, !is_nothing)?;
        configuration::complain(&plan.errors, *color);
        let is_of_configuration = |one: &&Unusable| plan.errors.iter().any(|error| unusable(error) == **one);
        for unusable in report.unusable.iter().filter(|one| !is_of_configuration(one)) {
            let place = if unusable.path.is_empty() { String::new() } else { format!("{}: ", unusable.path) };
            terminal::complain(&format!("{place}{}", unusable.why));
        }
        let found = if report.fails_at(fail_on) { Exit::Findings } else { Exit::Clean };
        Ok(if report.unusable.is_empty() && are_written { found } else { found.max(Exit::Unusable) })
    }
}

/// A configuration that could not be used, for the report.
pub fn unusable(error: &ConfigError) -> Unusable {
    let text = error.to_string();
    let what = text.strip_prefix(error.path()).and_then(|rest| rest.strip_prefix(':')).unwrap_or(&text).trim_start();
    Unusable { path: error.path().to_owned(), why: format!("{what}; {}", error.help()) }
}

/// All of standard input, where a path asks for it.
fn read_stdin(paths: &[PathBuf]) -> io::Result<Option<Vec<u8>>> {
    if !paths.iter().any(|path| path == Path::new("-")) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}
