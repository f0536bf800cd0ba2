//! The command line: one file per subcommand, each with its own arguments.
//!
//! Output goes to standard output, complaints to standard error. The only room besides `prove` that looks at the environment.

use clap::{CommandFactory, Parser, Subcommand};
use exit::Exit;
use terminal::{ColorChoice, Volume};

mod baseline;
mod check;
mod compare;
mod completions;
mod config;
mod configuration;
mod environment;
pub mod exit;
mod explain;
mod freeze;
mod hook;
mod init;
mod judging;
mod layouts;
mod man;
mod outputs;
mod prove;
mod rules;
mod schema;
mod terminal;
mod verbose;

/// Says whether PostgreSQL migrations can run while the previous release still serves.
#[derive(Debug, Parser)]
#[command(name = "phasegate", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Examples:
  phasegate init                       recognise what is there, write phasegate.toml
  phasegate check                      judge what is not released yet
  phasegate check --since origin/main  judge what a branch adds
  phasegate prove                      run it all on a disposable server
  phasegate explain drop-column        why, and what to do instead

Exit codes: 0 clean; 1 findings; 2 something could not be used; 3 could not prove.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// When to colour the output
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto", global = true)]
    color: ColorChoice,
    /// Say nothing unless there is something to do: no report where nothing decides the exit code, no word where it went well
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say on standard error what was recognised and why, what was skipped, and what each history cost
    #[arg(long, short, global = true)]
    verbose: bool,
}

impl Arguments {
    fn volume(&self) -> Volume {
        match (self.quiet, self.verbose) {
            (true, _) => Volume::Quiet,
            (false, true) => Volume::Verbose,
            (false, false) => Volume::Normal,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Baseline(baseline::Arguments),
    Check(check::Arguments),
    Compare(compare::Arguments),
    Completions(completions::Arguments),
    Config(config::Arguments),
    Explain(explain::Arguments),
    Freeze(freeze::Arguments),
    Init(init::Arguments),
    Layouts(layouts::Arguments),
    Man(man::Arguments),
    Prove(Box<prove::Arguments>),
    Rules(rules::Arguments),
    Schema(schema::Arguments),
}

/// Runs the program with the arguments of the process.
pub fn run() -> Exit {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are asked for; they go to standard output and are no failure.
            let exit = if error.use_stderr() { Exit::Unusable } else { Exit::Clean };
            let _ = error.print();
            return exit;
        }
    };
    let volume = arguments.volume();
    let result = match arguments.command {
        Command::Baseline(command) => baseline::run(&command, volume),
        Command::Check(command) => check::run(&command, arguments.color, volume),
        Command::Compare(command) => compare::run(&command, arguments.color),
        Command::Completions(command) => completions::run(&command, Arguments::command()),
        Command::Config(command) => config::run(&command, arguments.color),
        Command::Explain(command) => explain::run(&command, arguments.color),
        Command::Freeze(command) => freeze::run(&command, arguments.color, volume),
        Command::Init(command) => init::run(&command, volume),
        Command::Layouts(command) => layouts::run(&command, arguments.color),
        Command::Man(command) => man::run(&command, Arguments::command(), volume),
        Command::Prove(command) => prove::run(&command, arguments.color, volume),
        Command::Rules(command) => rules::run(&command),
        Command::Schema(command) => schema::run(&command),
    };
    result.unwrap_or_else(|error| {
        terminal::complain(&format!("the output could not be written: {error}"));
        Exit::Unusable
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a help text that show a use, as their arguments.
    fn examples(command: &clap::Command) -> Vec<Vec<String>> {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines =
            help.lines().filter(|line| line.starts_with("  ")).filter_map(|line| line.find("phasegate ").map(|at| &line[at..]));
        // What follows two blanks is an explanation; what follows these signs is the shell's.
        let uses = lines.map(|line| line.split("  ").next().unwrap().split([';', '|', '>']).next().unwrap());
        uses.map(|line| line.split('\'').enumerate().flat_map(words).collect()).collect()
    }

    /// What stands between quotes is one word.
    fn words((at, part): (usize, &str)) -> Vec<String> {
        if at % 2 == 1 { vec![part.to_owned()] } else { part.split_whitespace().map(str::to_owned).collect() }
    }

    #[test]
    fn the_examples_of_every_help_text_can_be_typed() {
        let command = Arguments::command();
        command.clone().debug_assert();
        let mut all = examples(&command);
        for subcommand in command.get_subcommands() {
            let of_it = examples(subcommand);
            assert!(!of_it.is_empty(), "{} has no example", subcommand.get_name());
            assert!(of_it.iter().all(|example| example[1] == subcommand.get_name()), "{of_it:?}");
            all.extend(of_it);
        }
        for example in all {
            let parsed = Arguments::try_parse_from(&example);
            assert!(parsed.is_ok(), "{example:?}: {}", parsed.unwrap_err());
        }
    }
}
