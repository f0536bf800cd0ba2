//! `phasegate freeze`: what is there becomes released.

use super::configuration;
use super::environment;
use super::exit::Exit;
use super::terminal::{self, ColorChoice, Terminal, Volume};
use crate::check::{self, Checked, HistoryRequest, Request};
use crate::config::{self, Flags, Settings, Wanted};
use crate::finding::Level;
use crate::release::ReleaseError;
use crate::release::freeze::{self, Frozen};
use crate::report::escape::escape;
use crate::report::human::Human;
use crate::report::{Format, Report};
use crate::source::History;
use crate::versions::KNOWN;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Freeze the migrations that are there: they are released, and later checks hold them to what they are now
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  phasegate freeze                  at a release: all histories of phasegate.toml
  phasegate freeze db/migrations

Checks first, and writes nothing where the check has errors or a released file was edited, removed or renamed. \
    The manifest is `released.sha256` in the directory of the migrations, or what `[releases]` names; `sha256sum --check` reads it too.\n\n\
    Exit codes: 0 frozen; 1 refused because of findings; 2 something could not be used, or the manifest could not be written.")]
pub struct Arguments {
    /// Directories, each a history. Without any, the histories of `phasegate.toml`, else the working directory
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    configuration: configuration::ConfigurationArguments,
    /// Take this layout instead of recognising one
    #[arg(long, value_name = "NAME")]
    layout: Option<String>,
}

/// Ids that are named; of more the number is enough.
const MOST_IDS: usize = 8;

/// Checks, and writes the manifests. An error is one of standard output.
pub fn run(arguments: &Arguments, color: ColorChoice, volume: Volume) -> io::Result<Exit> {
    if arguments.paths.iter().any(|path| path == Path::new("-")) {
        terminal::complain("standard input cannot be frozen; give the directory of the migrations");
        return Ok(Exit::Unusable);
    }
    if let Some(file) = arguments.paths.iter().find(|path| path.is_file()) {
        terminal::complain(&format!(
            "{} is a file; give the directory of the migrations: a history is frozen as a whole",
            file.display()
        ));
        return Ok(Exit::Unusable);
    }
    let plan = config::plan(&Wanted {
        paths: arguments.paths.clone(),
        file: arguments.configuration.choice(),
        flags: Flags { layout: arguments.layout.clone(), ..Flags::default() },
    });
    configuration::complain(&plan.errors, color);
    if !plan.errors.is_empty() {
        return Ok(Exit::Unusable);
    }
    let mut manifests = Manifests::default();
    for planned in plan.histories {
        let settings = planned.request.settings.clone();
        let request = Request {
            histories: vec![HistoryRequest { settings: without_missing_manifest(&settings), ..planned.request }],
            git: environment::git(),
            ..Request::default()
        };
        let checked = check::run(&request);
        if let Some(exit) = refusal(&checked, color)? {
            return Ok(exit);
        }
        manifests.take(checked, &settings);
    }
    manifests.freeze(volume)
}

/// Before the first freeze, the manifest that the configuration names is not there yet.
fn without_missing_manifest(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    settings.releases.manifest.take_if(|path| !path.exists());
    settings
}

/// Why nothing is frozen: said here, with the report of the check.
fn refusal(checked: &Checked, color: ColorChoice) -> io::Result<Option<Exit>> {
    let report = Report::new(checked, KNOWN);
    let lone = checked.histories.iter().find(|one| !one.history.whole);
    let (exit, why) = if !report.unusable.is_empty() {
        (Exit::Unusable, "what could not be used has to be mended first".to_string())
    } else if let Some(lone) = lone {
        let path = &lone.history.path;
        (Exit::Unusable, format!("{path} is not known to be a whole history: give the directory of the migrations"))
    } else if checked.histories.iter().any(|one| !one.releases.deviations.is_empty()) {
        let help = "put them back as they were released (released-file-changed)";
        (Exit::Findings, format!("released files were edited, removed or renamed: {help}"))
    } else if report.fails_at(Level::Error) {
        let first = checked.histories.iter().all(|one| !one.releases.are_known());
        let help = if first {
            "; what was released before phasegate came is told by `through = \"<id>\"` below `[releases]` in phasegate.toml"
        } else {
            ""
        };
        (Exit::Findings, format!("the check has errors: mend them, or answer for them with a tag{help}"))
    } else {
        return Ok(None);
    };
    let Terminal { color, unicode, width } = Terminal::of_stdout(color);
    terminal::write_stdout(|out| Human { color, unicode, width, least: Level::Error }.write(&report, out))?;
    terminal::complain(&format!("nothing is frozen: {why}"));
    Ok(Some(exit))
}

/// What goes into which manifest.
#[derive(Default)]
struct Manifests {
    /// By the path of the manifest, as reports show it.
    histories: BTreeMap<String, Vec<History>>,
    /// What else says what is released, and will not agree with the manifest from now on.
    others: Vec<&'static str>,
}

impl Manifests {
    fn take(&mut self, checked: Checked, settings: &Settings) {
        for one in checked.histories {
            let path = freeze::path_of(&one.history, settings.releases.manifest.as_deref());
            self.histories.entry(path).or_default().push(one.history);
        }
        let others =
            [("base", &settings.releases.base), ("tags", &settings.releases.tags), ("through", &settings.releases.through)];
        self.others.extend(others.into_iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key));
        self.others.sort_unstable();
        self.others.dedup();
    }

    fn freeze(&self, volume: Volume) -> io::Result<Exit> {
        let mut frozen: Vec<Frozen> = Vec::new();
        for (path, histories) in &self.histories {
            match freeze::frozen(path, &histories.iter().collect::<Vec<_>>()) {
                Ok(one) => frozen.push(one),
                Err(error) => {
                    terminal::complain(&format!("nothing is frozen: {}", told(&error)));
                    return Ok(Exit::Unusable);
                }
            }
        }
        let mut said = Vec::new();
        for one in &frozen {
            if !one.is_written
                && let Err(error) = one.write()
            {
                terminal::complain(&format!("{} could not be written: {error}", one.manifest.path));
                return Ok(Exit::Unusable);
            }
            said.push(summary(one));
        }
        if frozen.iter().any(|one| !one.units.is_empty()) {
            said.extend(self.others.iter().map(|key| {
                format!("`{key}` below `[releases]` says less than the manifest now: take it out of the configuration, or bring it there too")
            }));
        }
        terminal::tell(volume, &said)?;
        Ok(Exit::Clean)
    }
}

fn told(error: &ReleaseError) -> String {
    let help = miette::Diagnostic::help(error).map(|help| format!("; {help}")).unwrap_or_default();
    format!("{error}{help}")
}

/// `froze 2 migrations (4 files) into db/released.sha256: 0004, 0005`.
fn summary(frozen: &Frozen) -> String {
    let path = escape(&frozen.manifest.path);
    let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    if frozen.files == 0 {
        let all = count(frozen.manifest.entries.len(), "file");
        return format!("nothing to freeze: {path} lists all there is ({all})");
    }
    let ids: Vec<_> = frozen.units.iter().take(MOST_IDS).map(|id| escape(id)).collect();
    let more = frozen.units.len().saturating_sub(MOST_IDS);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let names = if ids.is_empty() { String::new() } else { format!(": {}{more}", ids.join(", ")) };
    format!("froze {} ({}) into {path}{names}", count(frozen.units.len(), "migration"), count(frozen.files, "file"))
}
