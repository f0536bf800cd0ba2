//! `--format json`: the model as it is, on one line.

use super::formats::NamedFormat;
use super::{Format, Report, escape};
use std::io;

pub const FORMAT: NamedFormat =
    NamedFormat { name: "json", about: "For programs: version 1, all findings and facts", make: |_| Box::new(Json) };

/// Version 1 of the machine form. Characters that could drive a terminal are escaped, although JSON would allow them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Format for Json {
    fn write(&self, report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
        escape::write_json(&mut *out, report)?;
        out.write_all(b"\n")
    }
}
