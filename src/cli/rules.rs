//! `phasegate rules`: every rule in one line.

use super::exit::Exit;
use super::terminal::{self, ListFormat};
use crate::effect::BreakKind;
use crate::finding::Level;
use crate::report::level_name;
use crate::rules::document::{self, Family, RuleDocument};
use serde::Serialize;
use std::io;

/// List the rules: id, level, family and what each catches
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  phasegate rules
  phasegate rules --format json")]
pub struct Arguments {
    /// How to write the list
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "human")]
    format: ListFormat,
}

/// A rule as `--format json` lists it.
#[derive(Debug, Serialize)]
struct Row<'a> {
    id: &'a str,
    level: Level,
    family: Family,
    summary: &'a str,
    breaks: &'a [BreakKind],
}

/// Writes the list, by id.
pub fn run(arguments: &Arguments) -> io::Result<Exit> {
    let documents = match document::all() {
        Ok(documents) => documents,
        Err(error) => {
            terminal::complain(&error.to_string());
            return Ok(Exit::Unusable);
        }
    };
    terminal::write_stdout(|out| match arguments.format {
        ListFormat::Human => {
            let widest = documents.iter().map(|document| document.id.len()).max().unwrap_or(0);
            documents.iter().try_for_each(|document| {
                let RuleDocument { id, level, family, summary, .. } = document;
                writeln!(out, "{id:widest$}  {:7}  {:8}  {summary}", level_name(*level), family.name())
            })
        }
        ListFormat::Json => {
            let row = |document: &'static RuleDocument| {
                let RuleDocument { id, level, family, summary, breaks, .. } = document;
                Row { id, level: *level, family: *family, summary, breaks }
            };
            serde_json::to_writer(&mut *out, &documents.iter().map(row).collect::<Vec<_>>())?;
            out.write_all(b"\n")
        }
    })?;
    Ok(Exit::Clean)
}
