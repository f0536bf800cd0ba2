//! What the output goes to: colour, width, a reader that went away.

use std::env;
use std::io::{self, IsTerminal, Write};

/// Columns where the output is no terminal.
pub const DEFAULT_WIDTH: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

/// How much is said besides what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volume {
    /// Findings that decide the exit code, and complaints.
    Quiet,
    Normal,
    /// Also what was recognised and why, and what it cost.
    Verbose,
}

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ListFormat {
    Human,
    Json,
}

/// What is known about standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    pub color: bool,
    /// False where only ASCII can be drawn.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

impl Terminal {
    /// Looks at standard output and the environment (`NO_COLOR`, `TERM`, `COLUMNS`). An explicit choice of colour beats both.
    pub fn of_stdout(choice: ColorChoice) -> Self {
        Terminal::of_stream(choice, io::stdout().is_terminal())
    }

    /// As [`Terminal::of_stdout`] for standard error; none where that is no terminal.
    pub fn of_stderr(choice: ColorChoice) -> Option<Self> {
        io::stderr().is_terminal().then(|| Terminal::of_stream(choice, true))
    }

    fn of_stream(choice: ColorChoice, is_terminal: bool) -> Self {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let is_dumb = is_terminal && set("TERM").is_some_and(|term| term == "dumb");
        let color = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && !is_dumb && set("NO_COLOR").is_none(),
        };
        let asked = set("COLUMNS").and_then(|columns| columns.to_str()?.parse().ok()).filter(|columns| *columns > 0);
        let measured = || is_terminal.then(terminal_size::terminal_size).flatten().map(|(width, _)| usize::from(width.0));
        Terminal { color, unicode: !is_dumb, width: asked.or_else(measured).unwrap_or(DEFAULT_WIDTH) }
    }
}

/// Writes to standard output through a buffer. A reader that went away (`| head`) is no failure: what it wanted was written, and
/// the exit code stays that of the verdict, so that a pipeline with `pipefail` is not told "clean".
pub fn write_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let result = write(&mut out).and_then(|()| out.flush());
    // What is left in the buffer must not be written again, and fail again, when it is dropped.
    let _ = out.into_parts();
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Lines on standard output about what was done; none where that is not wanted.
pub fn tell(volume: Volume, lines: &[String]) -> io::Result<()> {
    if volume == Volume::Quiet {
        return Ok(());
    }
    write_stdout(|out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))
}

/// Text of several lines on standard error, which is safe already.
pub fn complain_at_length(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// One line on standard error. Where even that cannot be written there is nobody left to tell.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "error: {}", crate::report::escape::escape(text));
}
