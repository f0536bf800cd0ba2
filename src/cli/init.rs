//! `phasegate init`: looks at a project, decides, writes the first `phasegate.toml`, and says what it decided.

use super::environment;
use super::exit::Exit;
use super::hook;
use super::terminal::{self, Volume};
use crate::check::{self, Checked, CheckedHistory, Request};
use crate::config::starter::{Start, Starter, StarterHistory};
use crate::config::{self, FILE_NAME, FileChoice, Settings, Wanted};
use crate::finding::Level;
use crate::report::Report;
use crate::report::escape::escape;
use crate::source::git::{GitEnvironment, GitError, Repository};
use crate::source::{Wrapping, layouts};
use crate::sql::placeholder;
use crate::versions::KNOWN;
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Write a commented phasegate.toml that starts after the last migration there is
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  phasegate init              write phasegate.toml at the top of the repository
  phasegate init --dry-run    show it, write nothing
  phasegate init --hook       judge what is staged before each commit

The file goes to the top of the git repository around PATH; without one, to the working directory if PATH is \
    below it, else to PATH. What it says is tried at once.\n\nExit codes: 0 written; 2 nothing was recognised, or something could not \
    be used.")]
pub struct Arguments {
    /// The project, or a directory of it
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Take this layout instead of recognising one
    #[arg(long, value_name = "NAME")]
    layout: Option<String>,
    /// Replace a phasegate.toml that is there
    #[arg(long)]
    force: bool,
    /// Write the file to standard output, and nothing to disk
    #[arg(long, conflicts_with = "force")]
    dry_run: bool,
    /// Write git's pre-commit hook instead, which judges what is staged. A hook that is there already stays as it is
    #[arg(long, conflicts_with_all = ["force", "layout"])]
    hook: bool,
}

/// Looks, decides, writes and tries. An error is one of standard output.
pub fn run(arguments: &Arguments, volume: Volume) -> io::Result<Exit> {
    if arguments.hook {
        return hook::run(&arguments.path, arguments.dry_run, volume);
    }
    match decide(arguments) {
        Ok(decided) if arguments.dry_run => {
            terminal::write_stdout(|out| out.write_all(decided.starter.text().as_bytes()))?;
            Ok(decided.exit())
        }
        Ok(decided) => match write(&decided.file, &decided.starter.text(), arguments.force) {
            Ok(()) => {
                let tried = decided.tried();
                terminal::tell(volume, &decided.lines(&tried))?;
                tried.complaints.iter().for_each(|complaint| terminal::complain(complaint));
                Ok(decided.exit().max(if tried.complaints.is_empty() { Exit::Clean } else { Exit::Unusable }))
            }
            Err(why) => {
                terminal::complain(&why);
                Ok(Exit::Unusable)
            }
        },
        Err(complaints) => {
            complaints.iter().for_each(|complaint| terminal::complain(complaint));
            Ok(Exit::Unusable)
        }
    }
}

/// What was recognised, and where it is written.
struct Decided {
    file: PathBuf,
    starter: Starter,
    /// For each history of the starter, its units.
    units: Vec<usize>,
    /// Why git does not say what is released, where it could have been expected to.
    without_git: Option<String>,
    /// Histories that could not be read; the others are in the starter.
    complaints: Vec<String>,
}

fn decide(arguments: &Arguments) -> Result<Decided, Vec<String>> {
    let shown = arguments.path.display();
    match fs::metadata(&arguments.path) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(vec![format!("{shown}: is a file; give the directory of the project or of its migrations")]),
        Err(error) => return Err(vec![format!("{shown}: {error}")]),
    }
    let environment = environment::git();
    let repository = repository(&arguments.path, &environment).map_err(|error| vec![told(&error)])?;
    let directory = place(&arguments.path, repository.as_deref()).map_err(|error| vec![format!("{shown}: {error}")])?;
    let file = directory.join(FILE_NAME);
    if !arguments.dry_run && !arguments.force && file.exists() {
        return Err(vec![format!("{} is there already: change it, or replace it with --force", file.display())]);
    }
    let settings = Settings { layout: arguments.layout.clone(), ..Settings::default() };
    let checked = check::run(&Request { git: environment, ..Request::of_paths([&arguments.path], settings) });
    let complaints: Vec<String> = checked.unusable.iter().map(|one| told_of_path(&one.path, &one.why)).collect();
    if checked.histories.is_empty() {
        return Err(complaints);
    }
    let (base, without_git) = match repository.as_deref().map(base) {
        None => (None, None),
        Some(Ok(base)) => (base, None),
        Some(Err(error)) => (None, Some(told(&error))),
    };
    let histories: Vec<StarterHistory> = checked.histories.iter().map(|one| history(one, &directory, base.as_deref())).collect();
    let units = checked.histories.iter().map(|one| one.history.migrations.len()).collect();
    let starter = Starter { histories, placeholders: placeholders(&checked) };
    Ok(Decided { file, starter, units, without_git, complaints })
}

/// The repository around a path, if there is one.
fn repository(path: &Path, environment: &GitEnvironment) -> Result<Option<Arc<Repository>>, GitError> {
    match Repository::around(&path.to_string_lossy(), environment) {
        Ok(repository) => Ok(Some(repository)),
        Err(GitError::NotARepository { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The directory that the configuration goes to, without links.
fn place(path: &Path, repository: Option<&Repository>) -> io::Result<PathBuf> {
    let path = path.canonicalize()?;
    if let Some(repository) = repository {
        return Ok(repository.work_tree().to_path_buf());
    }
    let here = std::env::current_dir().and_then(|here| here.canonicalize())?;
    Ok(if path.starts_with(&here) { here } else { path })
}

/// The branch of the remote that work starts from, where it has a merge base with HEAD.
fn base(repository: &Repository) -> Result<Option<String>, GitError> {
    let Some(branch) = repository.default_branch() else { return Ok(None) };
    repository.merge_base(&repository.commit(&branch)?)?;
    Ok(Some(branch))
}

fn history(checked: &CheckedHistory, directory: &Path, base: Option<&str>) -> StarterHistory {
    let CheckedHistory { history, releases, .. } = checked;
    let disk = Path::new(&history.path).canonicalize().unwrap_or_else(|_| PathBuf::from(&history.path));
    let below = disk.strip_prefix(directory).unwrap_or(&disk);
    let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    let start = match (base, history.migrations.last()) {
        // Without a configuration nothing but a manifest can have said so.
        _ if releases.are_known() => Start::Manifest,
        (Some(base), _) => Start::Base(base.to_string()),
        (None, Some(last)) => Start::Through(last.id.clone()),
        (None, None) => Start::First,
    };
    StarterHistory {
        path: if parts.is_empty() { ".".to_string() } else { parts.join("/") },
        layout: history.layout.clone(),
        recognised_by: history.recognised_by.clone(),
        start,
    }
}

/// The names of placeholders that have no value yet.
fn placeholders(checked: &Checked) -> BTreeSet<String> {
    let files = checked.histories.iter().flat_map(|one| &one.history.migrations).map(|unit| &unit.file);
    let texts = files.filter_map(|file| file.text().ok().map(|text| (file.path.as_str(), text)));
    let texts: std::collections::BTreeMap<&str, &str> = texts.collect();
    let unresolved = checked.findings.iter().filter(|finding| finding.rule == "unresolved-placeholder");
    let written = unresolved.filter_map(|finding| texts.get(finding.path.as_str())?.get(finding.span.start..finding.span.end));
    written.filter_map(placeholder::key).map(str::to_string).collect()
}

/// Writes a new file; with `force` over one that is there.
fn write(file: &Path, text: &str, force: bool) -> Result<(), String> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).create_new(!force);
    let written = options.open(file).and_then(|mut out| out.write_all(text.as_bytes()));
    written.map_err(|error| format!("{} could not be written: {error}", file.display()))
}

/// What a check says under the new file.
struct Tried {
    summary: String,
    complaints: Vec<String>,
}

impl Decided {
    fn exit(&self) -> Exit {
        if self.complaints.is_empty() { Exit::Clean } else { Exit::Unusable }
    }

    fn tried(&self) -> Tried {
        let directory = self.file.parent().map_or_else(PathBuf::new, Path::to_path_buf);
        let plan =
            config::plan(&Wanted { paths: vec![directory], file: FileChoice::Named(self.file.clone()), ..Wanted::default() });
        let mut complaints: Vec<String> = plan.errors.iter().map(|error| format!("{error}; {}", error.help())).collect();
        let histories = plan.histories.into_iter().map(|planned| planned.request).collect();
        let checked = check::run(&Request { histories, git: environment::git(), ..Request::default() });
        complaints.extend(checked.unusable.iter().map(|one| told_of_path(&one.path, &one.why)));
        let released: usize = checked.histories.iter().map(|one| one.releases.count()).sum();
        let report = Report::new(&checked, KNOWN);
        let pending = report.summary.migrations;
        let found = if report.fails_at(Level::Error) {
            format!("{} errors in pending migrations", report.summary.errors)
        } else {
            "no errors".to_string()
        };
        Tried { summary: format!("{released} released, {pending} pending, {found}"), complaints }
    }

    /// What was decided, for people.
    fn lines(&self, tried: &Tried) -> Vec<String> {
        let mut lines = vec![format!("wrote {}", escape(&self.file.display().to_string()))];
        for (history, units) in self.starter.histories.iter().zip(&self.units) {
            lines.push(String::new());
            let noun = if *units == 1 { "migration" } else { "migrations" };
            lines.push(format!("history   {} ({units} {noun})", escape(&history.path)));
            lines.push(format!("layout    {}: {}", history.layout, escape(&history.recognised_by)));
            if let Some(layout) = layouts::named(&history.layout) {
                lines.push(format!("runner    {}", transaction(layout.wrapping())));
            }
            lines.push(format!("released  {}", started(&history.start)));
        }
        lines.push(String::new());
        if let Some(why) = &self.without_git {
            lines.push(format!("git       does not say what is released: {}", escape(why)));
        }
        if !self.starter.placeholders.is_empty() {
            let names: Vec<String> = self.starter.placeholders.iter().map(|name| escape(name).into_owned()).collect();
            lines.push(format!("values    missing for {}: write them below [placeholders]", names.join(", ")));
        }
        lines.push(format!("check     {}", tried.summary));
        lines.push(
            "next      `phasegate check`; `phasegate config` prints what is in force; `phasegate init --hook` judges each commit"
                .to_string(),
        );
        lines
    }
}

fn transaction(wrapping: Wrapping) -> &'static str {
    match wrapping {
        Wrapping::Wrapped => "each migration in a transaction, unless it says otherwise",
        Wrapping::Batch => "each file is sent as one batch: several statements share a transaction",
        Wrapping::None => "statement by statement, without a transaction",
        Wrapping::Explicit => "the transactions that the files write themselves",
    }
}

fn started(start: &Start) -> String {
    match start {
        Start::Manifest => "what released.sha256 lists".to_string(),
        Start::Base(base) => format!("what the merge base with {} holds", escape(base)),
        Start::Through(last) => format!("everything through {}", escape(last)),
        Start::First => "nothing yet".to_string(),
    }
}

fn told(error: &GitError) -> String {
    let help = miette::Diagnostic::help(error).map(|help| format!("; {help}")).unwrap_or_default();
    format!("{error}{help}")
}

fn told_of_path(path: &str, why: &str) -> String {
    if path.is_empty() { why.to_string() } else { format!("{path}: {why}") }
}
