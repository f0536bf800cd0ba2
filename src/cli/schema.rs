//! `phasegate schema`: the JSON Schema of what is written and read.

use super::exit::Exit;
use super::terminal;
use crate::{compare, config, report};
use std::io;

/// Print the JSON Schema of a form: the report, the comparison of two, or `phasegate.toml`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  phasegate schema
  phasegate schema config > phasegate.schema.json")]
pub struct Arguments {
    /// Which form
    #[arg(value_enum, value_name = "FORM", default_value = "report")]
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// What `check` and `prove` write with `--format json`
    Report,
    /// What `compare` writes with `--format json`
    Compare,
    /// `phasegate.toml`
    Config,
}

/// Writes the schema.
pub fn run(arguments: &Arguments) -> io::Result<Exit> {
    let schema = match arguments.form {
        Form::Report => report::schema::schema(),
        Form::Compare => compare::schema(),
        Form::Config => config::schema(),
    };
    let schema = serde_json::to_string_pretty(&schema)?;
    terminal::write_stdout(|out| writeln!(out, "{schema}"))?;
    Ok(Exit::Clean)
}
