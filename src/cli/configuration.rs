//! `--config` and `--no-config`, and what is said about a configuration that cannot be used.

use super::terminal;
use crate::config::{ConfigError, FileChoice};
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

/// Says on standard error what is wrong.
pub fn complain(errors: &[ConfigError]) {
    for error in errors {
        terminal::complain(&format!("{error}; {}", error.help()));
    }
}
