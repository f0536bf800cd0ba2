//! `phasegate config`: what is in force, and where each value comes from.

use super::configuration::{self, ConfigurationArguments};
use super::exit::Exit;
use super::terminal::{self, ColorChoice};
use crate::config::{self, Flags, Origin, Planned, Row, Wanted};
use crate::report::escape::{escape, escape_json};
use crate::versions::PostgresVersions;
use serde::Serialize;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Show the settings in force for each history, and where each comes from: default, file and line, flag
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  phasegate config                             for all histories
  phasegate config db/migrations               for the one there
  phasegate config --schema > phasegate.schema.json")]
pub struct Arguments {
    /// As for `check`. Without any, the histories of `phasegate.toml`, else the working directory
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    configuration: ConfigurationArguments,
    /// As for `check`
    #[arg(long, value_name = "NAME")]
    layout: Option<String>,
    /// As for `check`
    #[arg(long, value_name = "VERSIONS")]
    postgres: Option<PostgresVersions>,
    /// How to write the settings
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "human")]
    format: FormatName,
    /// Print the JSON Schema of `phasegate.toml` instead, for editors
    #[arg(long, conflicts_with_all = ["paths", "config", "no_config", "layout", "postgres", "format"])]
    schema: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FormatName {
    /// For people: lines of TOML, each with its origin
    Human,
    /// For programs: version 1
    Json,
}

/// What `--format json` writes. Fields may be added, never renamed or retyped.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    version: u32,
    histories: Vec<ShownHistory<'a>>,
}

#[derive(Debug, Serialize)]
struct ShownHistory<'a> {
    name: Option<&'a str>,
    paths: Vec<String>,
    /// The configuration that holds; `null` for none.
    file: Option<&'a str>,
    settings: Vec<ShownRow>,
}

#[derive(Debug, Serialize)]
struct ShownRow {
    key: String,
    value: Option<toml::Value>,
    origin: ShownOrigin,
}

#[derive(Debug, Serialize)]
#[serde(tag = "from", rename_all = "lowercase")]
enum ShownOrigin {
    Default,
    File { path: String, line: usize },
    Flag { flag: &'static str },
}

/// Writes the settings, or what is wrong with a configuration.
pub fn run(arguments: &Arguments, color: ColorChoice) -> io::Result<Exit> {
    if arguments.schema {
        let schema = serde_json::to_string_pretty(&config::schema())?;
        terminal::write_stdout(|out| writeln!(out, "{schema}"))?;
        return Ok(Exit::Clean);
    }
    let plan = config::plan(&Wanted {
        paths: arguments.paths.clone(),
        file: arguments.configuration.choice(),
        flags: Flags { layout: arguments.layout.clone(), postgres: arguments.postgres, ..Flags::default() },
    });
    let is_missing = |path: &&PathBuf| path.as_path() != Path::new("-") && !path.exists();
    let missing: Vec<&PathBuf> = arguments.paths.iter().filter(is_missing).collect();
    let shown: Vec<&Planned> =
        plan.histories.iter().filter(|planned| !planned.request.paths.iter().any(|path| missing.contains(&path))).collect();
    match arguments.format {
        FormatName::Human => terminal::write_stdout(|out| human(&shown, out))?,
        FormatName::Json => {
            let json = serde_json::to_string(&Shown { version: 1, histories: shown.iter().map(|one| history(one)).collect() })?;
            terminal::write_stdout(|out| writeln!(out, "{}", escape_json(&json)))?;
        }
    }
    configuration::complain(&plan.errors, color);
    for path in &missing {
        terminal::complain(&format!("{}: no such file or directory", path.display()));
    }
    Ok(if plan.errors.is_empty() && missing.is_empty() { Exit::Clean } else { Exit::Unusable })
}

/// TOML that says what is in force, one part for each history.
fn human(planned: &[&Planned], out: &mut dyn Write) -> io::Result<()> {
    for (at, one) in planned.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        let ShownHistory { name, paths, file, .. } = history(one);
        let paths = escape(&paths.join(", ")).into_owned();
        let title = name.map_or(paths.clone(), |name| format!("{} ({paths})", escape(name)));
        let by = file.map_or("no phasegate.toml".to_owned(), |file| format!("by {}", escape(file)));
        writeln!(out, "# {title}, {by}")?;
        for row in rows(one) {
            line(&row, out)?;
        }
    }
    Ok(())
}

/// One setting as TOML; what is not set as a comment. Overrides come last, so that they may begin a table.
fn line(row: &Row, out: &mut dyn Write) -> io::Result<()> {
    let origin = row.origin.to_string();
    let origin = escape(&origin);
    match &row.value {
        Some(toml::Value::Table(table)) => {
            writeln!(out, "[[{}]]  # {origin}", row.table.unwrap_or(&row.name))?;
            for (key, value) in table {
                writeln!(out, "{} = {}", escape(key), escape(&value.to_string()))?;
            }
            Ok(())
        }
        Some(value) => writeln!(out, "{} = {}  # {origin}", escape(&row.toml_key()), escape(&value.to_string())),
        None => writeln!(out, "# {}: {}", escape(&row.key()), unset(&row.name)),
    }
}

/// What holds where nothing is said.
fn unset(key: &str) -> &'static str {
    match key {
        "layout" => "recognised",
        "search_path" => "as the server has it",
        "include" => "every file",
        "exclude" => "no file",
        _ => "not set",
    }
}

fn rows(planned: &Planned) -> Vec<Row> {
    config::rows(&planned.request.settings, &planned.origins)
}

fn history(planned: &Planned) -> ShownHistory<'_> {
    let row = |row: Row| {
        let origin = match row.origin.clone() {
            Origin::Default => ShownOrigin::Default,
            Origin::File { path, line } => ShownOrigin::File { path, line },
            Origin::Flag(flag) => ShownOrigin::Flag { flag },
        };
        ShownRow { key: row.key(), value: row.value, origin }
    };
    ShownHistory {
        name: planned.request.history.as_ref().and_then(|history| history.name.as_deref()),
        paths: planned.request.paths.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
        file: planned.file.as_deref(),
        settings: rows(planned).into_iter().map(row).collect(),
    }
}
