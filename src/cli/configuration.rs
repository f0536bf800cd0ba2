//! `--config` and `--no-config`, and what is said about a configuration that cannot be used.

use super::terminal::{self, ColorChoice, Terminal};
use crate::config::{ConfigError, FileChoice};
use crate::finding::Level;
use crate::report::human::{Human, Problem};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct ConfigurationArguments {
    /// Take this configuration for all paths, instead of the nearest `phasegate.toml` above each
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Take no configuration
    #[arg(long, conflicts_with = "config")]
    no_config: bool,
}

impl ConfigurationArguments {
    pub fn choice(&self) -> FileChoice {
        match (&self.config, self.no_config) {
            (_, true) => FileChoice::Without,
            (Some(file), false) => FileChoice::Named(file.clone()),
            (None, false) => FileChoice::Nearest,
        }
    }
}

/// Says on standard error what is wrong: with the lines of the file on a terminal, else in one line each.
pub fn complain(errors: &[ConfigError], color: ColorChoice) {
    let terminal = Terminal::of_stderr(color);
    for error in errors {
        match (terminal, error) {
            (Some(Terminal { color, unicode, width }), ConfigError::Invalid { place, wrong }) => {
                let human = Human { color, unicode, width, least: Level::Error };
                terminal::complain_at_length(&human.problem(&Problem {
                    place: &place.to_string(),
                    bytes: place.file.text.as_bytes(),
                    span: place.span,
                    message: &wrong.to_string(),
                    help: &wrong.help(),
                }));
            }
            _ => terminal::complain(&format!("{error}; {}", error.help())),
        }
    }
}
