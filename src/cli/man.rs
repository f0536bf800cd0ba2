//! `phasegate man`: the manual, one page for the program and one for each subcommand.

use super::exit::Exit;
use super::terminal::{self, Volume};
use clap::Command;
use clap_mangen::Man;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Write the manual: with DIR all pages, one for each subcommand; without it the program's own to standard output
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  phasegate man | man -l -
  phasegate man ~/.local/share/man/man1")]
pub struct Arguments {
    /// Where the pages go; it is made where it is not there
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

/// Writes the pages. `command` is the whole program's.
pub fn run(arguments: &Arguments, command: Command, volume: Volume) -> io::Result<Exit> {
    let Some(directory) = &arguments.directory else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page)?;
        terminal::write_stdout(|out| out.write_all(&page))?;
        return Ok(Exit::Clean);
    };
    match write(directory, command) {
        Ok(pages) => {
            terminal::tell(volume, &[format!("wrote {pages} pages")])?;
            Ok(Exit::Clean)
        }
        Err(error) => {
            terminal::complain(&format!("{}: the manual could not be written: {error}", directory.display()));
            Ok(Exit::Unusable)
        }
    }
}

/// The program's page and those of its subcommands; how many there are.
fn write(directory: &Path, command: Command) -> io::Result<usize> {
    fs::create_dir_all(directory)?;
    // `help` says what the pages say.
    let command = command.disable_help_subcommand(true);
    let pages = 1 + command.get_subcommands().count();
    clap_mangen::generate_to(command, directory)?;
    Ok(pages)
}
