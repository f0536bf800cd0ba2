//! `phasegate compare`: what one report has that another has not.

use super::exit::Exit;
use super::judging::FailOn;
use super::terminal::{self, ColorChoice, Terminal};
use crate::compare::{Comparison, ReadReport};
use crate::finding::Level;
use crate::report::comparison;
use crate::report::escape::write_json;
use std::io;
use std::path::PathBuf;

/// Compare two JSON reports: findings that are new, fixed, unchanged; statements that block, proofs that end otherwise
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  phasegate compare main.json branch.json
  phasegate compare main.json branch.json --format markdown > note.md

Exit codes: 0 nothing new at --fail-on or above; 1 new findings there, or findings that rose to it; \
    2 a file that is no report, or one of another version.")]
pub struct Arguments {
    /// The report of what was there before, written with --format json
    #[arg(value_name = "BASE")]
    base: PathBuf,
    /// The report of what is there now
    #[arg(value_name = "HEAD")]
    head: PathBuf,
    /// How to write the comparison
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "human")]
    format: FormatName,
    /// The lowest level of new findings that makes the exit code 1
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "error")]
    fail_on: FailOn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FormatName {
    /// For people: a line for each finding
    Human,
    /// For programs: version 1
    Json,
    /// For reviewers: a note for a merge request, below 60,000 characters
    Markdown,
}

/// Writes the comparison and says how it ended. An error is one of standard output.
pub fn run(arguments: &Arguments, color: ColorChoice) -> io::Result<Exit> {
    let (base, head) = match (ReadReport::read(&arguments.base), ReadReport::read(&arguments.head)) {
        (Ok(base), Ok(head)) => (base, head),
        (base, head) => {
            [base.err(), head.err()].iter().flatten().for_each(|error| terminal::complain(&error.to_string()));
            return Ok(Exit::Unusable);
        }
    };
    let comparison = Comparison::new(&base, &head);
    terminal::write_stdout(|out| match arguments.format {
        FormatName::Human => comparison::human(&comparison, Terminal::of_stdout(color).width, out),
        FormatName::Json => {
            write_json(&mut *out, &comparison)?;
            out.write_all(b"\n")
        }
        FormatName::Markdown => out.write_all(comparison::markdown(&comparison).as_bytes()),
    })?;
    Ok(if comparison.fails_at(Level::from(arguments.fail_on)) { Exit::Findings } else { Exit::Clean })
}
