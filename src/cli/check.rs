//! `phasegate check`: the verdict on migration directories.

use super::configuration;
use super::environment;
use super::exit::Exit;
use super::terminal::{self, ColorChoice, Terminal};
use crate::check::{self, Request, Unusable};
use crate::config::{self, ConfigError, Flags, Wanted};
use crate::finding::Level;
use crate::release::Scope;
use crate::report::human::Human;
use crate::report::json::Json;
use crate::report::{Format, Report};
use crate::versions::PostgresVersions;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Check migrations: which statements take something from the previous release, and are not tagged
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 clean; 1 findings at --fail-on or above; 2 something could not be used \
    (arguments, a path that cannot be opened or holds no migration). 2 beats 1, and the rest is still in the report.")]
pub struct Arguments {
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
    /// How to write the report
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "human")]
    format: FormatName,
    /// The lowest level that makes the exit code 1
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "error")]
    fail_on: FailOn,
    /// Show notes too
    #[arg(long)]
    notes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FormatName {
    /// For people: source excerpts and a summary
    Human,
    /// For programs: version 1, all findings and facts
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
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

/// Checks, writes the report and says how it ended. An error is one of standard output.
pub fn run(arguments: &Arguments, color: ColorChoice) -> io::Result<Exit> {
    let stdin = match read_stdin(&arguments.paths) {
        Ok(stdin) => stdin,
        Err(error) => {
            terminal::complain(&format!("standard input could not be read: {error}"));
            return Ok(Exit::Unusable);
        }
    };
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
    let was_nothing_planned = plan.histories.is_empty();
    let histories = plan.histories.into_iter().map(|planned| planned.request).collect();
    let scope = match (&arguments.since, arguments.staged) {
        (Some(name), _) => Scope::Since(name.clone()),
        (None, true) => Scope::Staged,
        (None, false) => Scope::All,
    };
    let mut checked = check::run(&Request { histories, stdin, scope, git: environment::git() });
    checked.unusable.extend(plan.errors.iter().map(unusable));
    checked.unusable.sort();
    let report = Report::new(&checked, PostgresVersions::covering(checked.histories.iter().map(|one| one.postgres)));
    let fail_on = Level::from(arguments.fail_on);
    let format: Box<dyn Format> = match arguments.format {
        FormatName::Human => {
            let Terminal { color, unicode, width } = Terminal::of_stdout(color);
            // A finding that decides the exit code is always shown.
            let least = if arguments.notes { Level::Note } else { fail_on.min(Level::Warning) };
            Box::new(Human { color, unicode, width, least })
        }
        FormatName::Json => Box::new(Json),
    };
    // People need no summary of nothing; programs get their object all the same.
    let is_nothing = was_nothing_planned && arguments.format == FormatName::Human;
    if !is_nothing {
        terminal::write_stdout(|out| format.write(&report, out))?;
    }
    configuration::complain(&plan.errors, color);
    let is_of_configuration = |one: &&Unusable| plan.errors.iter().any(|error| unusable(error) == **one);
    for unusable in report.unusable.iter().filter(|one| !is_of_configuration(one)) {
        let place = if unusable.path.is_empty() { String::new() } else { format!("{}: ", unusable.path) };
        terminal::complain(&format!("{place}{}", unusable.why));
    }
    let found = if report.fails_at(fail_on) { Exit::Findings } else { Exit::Clean };
    Ok(if report.unusable.is_empty() { found } else { found.max(Exit::Unusable) })
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
