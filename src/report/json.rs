//! `--format json`: the model as it is, on one line.

use super::{Format, Report, escape};
use std::io;

/// Version 1 of the machine form. Characters that could drive a terminal are escaped, although JSON would allow them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Format for Json {
    fn write(&self, report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
        let json = serde_json::to_string(report)?;
        out.write_all(escape::escape_json(&json).as_bytes())?;
        out.write_all(b"\n")
    }
}
