//! Where a report goes: `--format` on standard output, `--output` into files, each in its format.

use super::terminal::{self, ColorChoice, Terminal};
use crate::finding::Level;
use crate::report::Report;
use crate::report::formats::{FORMATS, Manner, NamedFormat, named};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct OutputArguments {
    /// How to write the report to standard output [default: human]
    #[arg(long, value_name = "FORMAT", value_parser = format_names())]
    format: Option<&'static NamedFormat>,
    /// Write the report to this file too, in this format: sarif=reports/phasegate.sarif. May be given several times. Directories are
    /// made; `-` is standard output, instead of --format
    #[arg(long, value_name = "FORMAT=PATH", value_parser = output)]
    output: Vec<Output>,
}

/// One `--output`.
#[derive(Clone, Debug)]
struct Output {
    format: &'static NamedFormat,
    path: PathBuf,
}

fn format_names() -> impl TypedValueParser<Value = &'static NamedFormat> {
    let names = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.about));
    // The parser lets nothing else through.
    PossibleValuesParser::new(names).map(|name| named(&name).unwrap_or(&FORMATS[0]))
}

/// `format=path`.
fn output(text: &str) -> Result<Output, String> {
    let (name, path) = text.split_once('=').ok_or("write it as FORMAT=PATH, as in sarif=phasegate.sarif")?;
    let format = named(name).ok_or_else(|| {
        let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
        format!("`{name}` is no format; there are {}", names.join(", "))
    })?;
    if path.is_empty() {
        return Err("there is no path behind the `=`".to_owned());
    }
    Ok(Output { format, path: path.into() })
}

const STANDARD_OUTPUT: &str = "-";

/// What was asked for, without contradictions.
#[derive(Debug)]
pub struct Outputs {
    on_stdout: &'static NamedFormat,
    files: Vec<Output>,
}

impl OutputArguments {
    /// Fails, with a sentence, where two reports would go to the same place.
    pub fn outputs(&self) -> Result<Outputs, String> {
        let (to_stdout, files): (Vec<_>, Vec<_>) =
            self.output.iter().cloned().partition(|one| one.path == Path::new(STANDARD_OUTPUT));
        let on_stdout = match (self.format, to_stdout.as_slice()) {
            (Some(format), []) => format,
            (None, []) => &FORMATS[0],
            (None, [only]) => only.format,
            (Some(_), [one, ..]) => {
                return Err(format!("--format and --output {}=- both mean standard output; leave one out", one.format.name));
            }
            (None, [one, other, ..]) => {
                return Err(format!(
                    "--output {}=- and --output {}=- both mean standard output; give one of them a file",
                    one.format.name, other.format.name
                ));
            }
        };
        for (at, one) in files.iter().enumerate() {
            if files[..at].iter().any(|earlier| earlier.path == one.path) {
                return Err(format!("two reports would be written to {}; give each a file of its own", one.path.display()));
            }
        }
        Ok(Outputs { on_stdout, files })
    }
}

impl Outputs {
    /// True where standard output is read by people.
    pub fn is_for_people(&self) -> bool {
        std::ptr::eq(self.on_stdout, &FORMATS[0])
    }

    /// Writes the report to every place. A file that cannot be written is told, and the others are written all the same; false where
    /// there was one. The error is one of standard output, and comes after the files.
    pub fn write(&self, report: &Report, asked: Asked, on_stdout: bool) -> io::Result<bool> {
        let Asked { color, least, fail_on } = asked;
        let in_file = Manner { least, fail_on, color: false, unicode: true, width: terminal::DEFAULT_WIDTH };
        let mut are_written = true;
        for Output { format, path } in &self.files {
            if let Err(error) = write_file(path, |out| (format.make)(&in_file).write(report, out)) {
                terminal::complain(&format!("{}: the report could not be written ({}): {error}", path.display(), format.name));
                are_written = false;
            }
        }
        if on_stdout {
            let Terminal { color, unicode, width } = Terminal::of_stdout(color);
            let format = (self.on_stdout.make)(&Manner { color, unicode, width, ..in_file });
            terminal::write_stdout(|out| format.write(report, out))?;
        }
        Ok(are_written)
    }
}

/// What the command line says about every format.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub color: ColorChoice,
    pub least: Level,
    pub fail_on: Level,
}

/// Writes a file whole or not at all: beside its place first, then renamed. Directories that are missing are made. What is there and no
/// regular file (`/dev/stderr`, a pipe) is written to.
fn write_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let there = fs::metadata(path);
    if there.as_ref().is_ok_and(|there| !there.is_file()) {
        let mut out = BufWriter::new(fs::OpenOptions::new().write(true).open(path)?);
        return write(&mut out).and_then(|()| out.flush());
    }
    // A link stays a link.
    let path = if there.is_ok() { path.canonicalize()? } else { path.to_path_buf() };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As for any new file, the umask takes away from it; a file that is there keeps what it has.
        builder.permissions(there.map_or_else(|_| fs::Permissions::from_mode(0o666), |there| there.permissions()));
    }
    let mut file = builder.prefix(".phasegate.").tempfile_in(directory)?;
    let mut out = BufWriter::new(file.as_file_mut());
    write(&mut out)?;
    out.flush()?;
    drop(out);
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
