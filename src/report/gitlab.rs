//! `--format gitlab`: a Code Quality report, as `artifacts:reports:codequality` takes it.
//!
//! The widget of a merge request compares two of them by fingerprint, so each finding has one of its own, which does not depend on
//! lines. Suppressed findings are not in it: it knows no such thing.
//!
//! Severities: an error breaks clients that are running, which is `critical`; a warning may stop traffic or fail, `major`; a note is
//! `info`. `blocker` is for what phasegate does not know, and `minor` for matters of style, which it has none of.

use super::escape::{escape, write_json};
use super::formats::NamedFormat;
use super::model::FindingEntry;
use super::{Format, Report};
use crate::finding::Level;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::io;

pub const FORMAT: NamedFormat =
    NamedFormat { name: "gitlab", about: "For GitLab: a Code Quality report", make: |_| Box::new(CodeQuality) };

/// A Code Quality report.
#[derive(Clone, Copy, Debug, Default)]
pub struct CodeQuality;

impl Format for CodeQuality {
    fn write(&self, report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
        write_json(&mut *out, &Issues(report))?;
        out.write_all(b"\n")
    }
}

struct Issues<'a>(&'a Report);

impl Serialize for Issues<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.findings.iter().filter(|finding| finding.counts()).map(issue))
    }
}

#[derive(Serialize)]
struct Issue<'a> {
    description: Cow<'a, str>,
    check_name: &'static str,
    fingerprint: &'a str,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

/// From 1.
#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

fn issue(finding: &FindingEntry) -> Issue<'_> {
    Issue {
        description: escape(&finding.message),
        check_name: finding.rule,
        fingerprint: &finding.fingerprint,
        severity: match finding.level {
            Level::Error => "critical",
            Level::Warning => "major",
            Level::Note | Level::Off => "info",
        },
        location: Location { path: finding.path.below(), lines: Lines { begin: finding.line, end: finding.end_line } },
    }
}
