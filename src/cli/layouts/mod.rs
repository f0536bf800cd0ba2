//! `phasegate layouts`: every convention that is recognised, and by what; with a name what its runner does.

mod page;

use super::exit::Exit;
use super::terminal::{self, ColorChoice, ListFormat, Terminal};
use crate::source::Wrapping;
use crate::source::layouts;
use clap::builder::PossibleValuesParser;
use serde::Serialize;
use std::io::{self, Write};
use textwrap::{Options, WordSeparator, WordSplitter};

/// List the layouts: marks by which each is recognised, names that its runner takes, transaction around a file
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  phasegate layouts
  phasegate layouts flyway
  phasegate layouts --format json")]
pub struct Arguments {
    /// Only this one: what its runner does, how to tag a migration in it and how to prove it (also in docs/layouts)
    #[arg(value_name = "LAYOUT", value_parser = layout_names(), conflicts_with = "format")]
    layout: Option<String>,
    /// How to write the list
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "human")]
    format: ListFormat,
}

/// A layout as `--format json` lists it.
#[derive(Debug, Serialize)]
struct Row {
    /// As `--layout` takes it.
    name: &'static str,
    marks: &'static str,
    file_names: &'static str,
    /// The transaction around a file that says nothing else.
    transaction: Wrapping,
    /// True where the runner reads sub-directories too.
    recursive: bool,
    down_parts: bool,
}

/// Writes the list, in the order in which equal claims are settled.
pub fn run(arguments: &Arguments, color: ColorChoice) -> io::Result<Exit> {
    if let Some(layout) = arguments.layout.as_deref().and_then(layouts::named) {
        terminal::write_stdout(|out| write!(out, "{}", page::page(layout)))?;
        return Ok(Exit::Clean);
    }
    let rows: Vec<Row> = layouts::all()
        .iter()
        .map(|layout| Row {
            name: layout.name(),
            marks: layout.marks(),
            file_names: layout.file_names(),
            transaction: layout.wrapping(),
            recursive: layout.is_recursive(),
            down_parts: layout.has_down_parts(),
        })
        .collect();
    match arguments.format {
        ListFormat::Human => {
            let terminal = Terminal::of_stdout(color);
            terminal::write_stdout(|out| human(&rows, terminal, out))?;
        }
        ListFormat::Json => {
            let json = serde_json::to_string(&rows)?;
            terminal::write_stdout(|out| writeln!(out, "{json}"))?;
        }
    }
    Ok(Exit::Clean)
}

fn human(rows: &[Row], terminal: Terminal, out: &mut dyn Write) -> io::Result<()> {
    /// Narrower terminals get lines of this width, wider ones no wider.
    const WIDTHS: std::ops::RangeInclusive<usize> = 30..=100;
    let options = Options::new(terminal.width.clamp(*WIDTHS.start(), *WIDTHS.end()))
        .initial_indent("  ")
        .subsequent_indent("    ")
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        if terminal.color {
            writeln!(out, "\u{1b}[1m{}\u{1b}[0m", row.name)?
        } else {
            writeln!(out, "{}", row.name)?
        }
        let below = if row.recursive { ", in sub-directories too" } else { "" };
        for line in [
            format!("recognised by {}", row.marks),
            format!("runs {}{below}", row.file_names),
            format!("transaction: {}", transaction(row.transaction)),
        ] {
            writeln!(out, "{}", textwrap::fill(&line, &options))?;
        }
    }
    Ok(())
}

fn layout_names() -> PossibleValuesParser {
    PossibleValuesParser::new(layouts::all().iter().map(|layout| layout.name()))
}

fn transaction(wrapping: Wrapping) -> &'static str {
    match wrapping {
        Wrapping::Wrapped => "one around each file",
        Wrapping::Batch => "a file is one message: an implicit transaction where it holds several statements",
        Wrapping::None => "none: each statement is its own",
        Wrapping::Explicit => "as the file says",
    }
}
