//! `phasegate completions SHELL`: what the shell offers at a tab.

use super::exit::Exit;
use super::terminal;
use crate::prove::proofs::PROOFS;
use crate::rules::document;
use crate::source::layouts;
use clap::Command;
use clap::builder::PossibleValuesParser;
use clap_complete::Shell;
use std::io;

/// Write a completion script for a shell: subcommands, flags, and the names of layouts, rules and proofs
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  phasegate completions bash > ~/.local/share/bash-completion/completions/phasegate
  phasegate completions zsh > ~/.zfunc/_phasegate
  phasegate completions fish > ~/.config/fish/completions/phasegate.fish")]
pub struct Arguments {
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// Writes the script. `command` is the whole program's.
pub fn run(arguments: &Arguments, command: Command) -> io::Result<Exit> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut with_names(command), name, &mut script);
    terminal::write_stdout(|out| out.write_all(&script))?;
    Ok(Exit::Clean)
}

/// The program with its names as values that a shell can offer. It reads them itself, and says more about a wrong one.
fn with_names(command: Command) -> Command {
    let rules: Vec<&'static str> = document::all().map(|all| all.iter().map(|one| one.id.as_str()).collect()).unwrap_or_default();
    let layouts: Vec<&'static str> = layouts::all().iter().map(|layout| layout.name()).collect();
    let proofs: Vec<&'static str> = PROOFS.iter().map(|proof| proof.name()).collect();
    let subcommands: Vec<String> = command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    subcommands.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |subcommand| {
            subcommand.mut_args(|argument| {
                let values = match argument.get_id().as_str() {
                    "rule" => &rules,
                    "layout" => &layouts,
                    "only" | "skip" => &proofs,
                    _ => return argument,
                };
                argument.value_parser(PossibleValuesParser::new(values.iter().copied()))
            })
        })
    })
}
