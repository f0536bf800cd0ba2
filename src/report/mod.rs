//! Reports: what a check found, in one model and several formats.
//!
//! The model is built once, sorted by (path, span, rule), and the same for every format. It holds facts, findings and what was
//! skipped; a format decides what to show and never what is true.

use crate::check::{Checked, CheckedHistory, Unusable};
use crate::finding::{Finding, Level};
use crate::op::Span;
use crate::prove::evidence::Evidence;
use crate::rules::{self, document};
use crate::source::{Migration, ReportPath};
use crate::versions::PostgresVersions;
use location::{Files, LineIndex};
use model::{
    FindingEntry, HistoryEntry, MigrationEntry, RelatedEntry, ReleasesEntry, SkippedEntry, StatementEntry, Summary, Tool,
    UnchangedEntry,
};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;

pub mod comparison;
pub mod escape;
mod excerpt;
pub mod formats;
pub mod github;
pub mod gitlab;
pub mod human;
pub mod json;
pub mod junit;
pub mod location;
pub mod markdown;
pub mod model;
mod proofs;
pub mod sarif;
pub mod schema;
mod units;

/// Writes a report in one format.
pub trait Format {
    /// Writes the whole report. Errors are those of `out`.
    fn write(&self, report: &Report, out: &mut dyn io::Write) -> io::Result<()>;
}

/// A report: version 1 of the machine form, and what formats for people need besides.
///
/// Offsets are bytes of the file as it is on disk, `end` exclusive. Lines and columns start at 1, columns count characters.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Report {
    /// Version of this form.
    pub version: u32,
    pub tool: Tool,
    /// The versions that were checked for.
    pub postgres: String,
    pub histories: Vec<HistoryEntry>,
    pub summary: Summary,
    pub migrations: Vec<MigrationEntry>,
    /// All of them, suppressed ones too, sorted by path, span and rule.
    pub findings: Vec<FindingEntry>,
    /// What was found and not checked, and what was asked for and could not be used.
    pub skipped: Vec<SkippedEntry>,
    /// What a server was seen to do, one entry for each history that `prove` ran; empty where nothing was run.
    pub evidence: Vec<Evidence>,
    /// One for each of `histories`.
    #[serde(skip)]
    pub outlines: Vec<Outline>,
    #[serde(skip)]
    pub unusable: Vec<Unusable>,
    #[serde(skip)]
    pub files: Files,
    /// What no excerpt may show, by path.
    #[serde(skip)]
    secrets: BTreeMap<String, Vec<Span>>,
}

/// How a history was recognised and how large it is.
#[derive(Clone, Debug)]
pub struct Outline {
    pub recognised_by: String,
    pub files: usize,
    pub migrations: usize,
    pub statements: usize,
    pub skipped: Vec<SkippedEntry>,
}

impl Report {
    /// The report about a check for these versions.
    pub fn new(checked: &Checked, postgres: PostgresVersions) -> Self {
        let every_file = checked.histories.iter().flat_map(|entry| &entry.history.migrations).map(|migration| &migration.file);
        let files = Files::new(every_file.chain(&checked.others));
        let migrations: Vec<_> = checked.histories.iter().flat_map(|history| migrations(history, &files)).collect();
        let findings = findings(checked, &files);
        let outlines: Vec<_> = checked.histories.iter().map(outline).collect();
        let mut skipped: Vec<_> = outlines.iter().flat_map(|outline| outline.skipped.iter().cloned()).collect();
        skipped.extend(
            checked.unusable.iter().map(|one| SkippedEntry { path: ReportPath::of_place(&one.path), why: one.why.clone() }),
        );
        skipped.sort();
        Report {
            version: 1,
            tool: Tool { name: "phasegate", version: env!("CARGO_PKG_VERSION") },
            postgres: postgres.to_string(),
            histories: checked.histories.iter().map(history).collect(),
            summary: summary(checked, &migrations, &findings),
            migrations,
            skipped,
            evidence: Vec::new(),
            outlines,
            unusable: checked.unusable.clone(),
            secrets: secrets(&findings),
            findings,
            files,
        }
    }

    /// A file as excerpts may show it, secrets blacked out; offsets stay.
    pub fn shown(&self, path: &str) -> Option<(Cow<'_, [u8]>, &LineIndex)> {
        let (file, lines) = self.files.get(path)?;
        let mut bytes = Cow::Borrowed(file.bytes.as_slice());
        for secret in self.secrets.get(path).into_iter().flatten() {
            let end = secret.end.min(bytes.len());
            for byte in &mut bytes.to_mut()[secret.start.min(end)..end] {
                *byte = if matches!(*byte, b'\n' | b'\r') { *byte } else { b'*' };
            }
        }
        Some((bytes, lines))
    }

    /// What could not be used, with its path as programs get it, and why.
    pub fn problems(&self) -> impl Iterator<Item = (ReportPath, &str)> {
        self.unusable.iter().map(|one| (ReportPath::of_place(&one.path), one.why.as_str()))
    }

    /// True where a finding that nothing suppressed is at `level` or above.
    pub fn fails_at(&self, level: Level) -> bool {
        self.findings.iter().any(|finding| finding.counts() && finding.level >= level)
    }
}

impl FindingEntry {
    /// True for findings that are shown and counted: not suppressed, not off.
    pub fn counts(&self) -> bool {
        self.suppressed.is_none() && self.level > Level::Off
    }

    /// What to do, in words, and the lines of SQL to paste, which stand at the end of `help` behind a colon.
    pub fn advice(&self) -> (&str, Vec<String>) {
        if let Some(recipe) = &self.recipe {
            let to_paste = recipe.lines();
            if let Some(words) = self.help.strip_suffix(&to_paste.join("\n")) {
                return (words.trim_end(), to_paste);
            }
        }
        // Where a name holds a line end, its second line stays where it is: at the start of one it could be a command to a log.
        match self.help.split_once(":\n") {
            Some((words, sql)) if !sql.lines().any(|line| line.trim_start().starts_with("::")) => {
                (&self.help[..=words.len()], sql.lines().map(str::to_owned).collect())
            }
            _ => (&self.help, Vec::new()),
        }
    }
}

/// Where secrets stand, whatever became of the findings about them.
fn secrets(findings: &[FindingEntry]) -> BTreeMap<String, Vec<Span>> {
    let mut secrets: BTreeMap<String, Vec<Span>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| rules::stands_on_secret(finding.rule)) {
        secrets.entry(finding.path.given().to_owned()).or_default().push(Span { start: finding.start, end: finding.end });
    }
    secrets
}

/// The units that were reported on, with their statements.
fn reported(history: &CheckedHistory) -> impl Iterator<Item = (&Migration, &[crate::effect::StatementFacts])> {
    let statements = history.units.iter().map(Vec::as_slice).chain(std::iter::repeat(&[][..]));
    history.history.migrations.iter().zip(statements).filter(|(migration, _)| migration.reported)
}

fn migrations(history: &CheckedHistory, files: &Files) -> Vec<MigrationEntry> {
    let entry = |(migration, statements): (&Migration, &[crate::effect::StatementFacts])| MigrationEntry {
        id: migration.id.clone(),
        path: ReportPath::of_file(&migration.file),
        phase: migration.phase,
        transaction: migration.wrapping,
        statements: statements
            .iter()
            .map(|facts| {
                let position = files.position(&migration.file.path, facts.span.start);
                StatementEntry {
                    index: facts.index,
                    start: facts.span.start,
                    end: facts.span.end,
                    line: position.line,
                    column: position.column,
                    verdict: facts.verdict,
                    blocking: facts.effect.blocking,
                    locks: facts.effect.locks.clone(),
                    rewrites: facts.effect.rewrites.clone(),
                    scans: facts.effect.scans.clone(),
                    index_builds: facts.effect.index_builds.clone(),
                    breaks: facts.effect.breaks.clone(),
                }
            })
            .collect(),
    };
    reported(history).map(entry).collect()
}

fn history(checked: &CheckedHistory) -> HistoryEntry {
    let CheckedHistory { history, postgres, releases, changed, .. } = checked;
    let released = |at: usize| releases.is_released(at);
    let unchanged = changed.as_ref().map(|changed| {
        let left_out = changed.units.iter().enumerate().filter(|(at, changed)| !**changed && !released(*at));
        UnchangedEntry { migrations: left_out.count(), since: changed.since.clone() }
    });
    let source = |name: &String| match &releases.manifest {
        Some(manifest) if manifest == name => ReportPath::of_place(manifest).below().to_owned(),
        _ => name.clone(),
    };
    let paths = if history.paths.is_empty() { std::slice::from_ref(&history.path) } else { &history.paths };
    HistoryEntry {
        path: ReportPath::of_place(&history.path),
        layout: history.layout.clone(),
        name: history.name.clone(),
        paths: paths.iter().map(|path| ReportPath::of_place(path)).collect(),
        postgres: postgres.to_string(),
        releases: releases.are_known().then(|| ReleasesEntry {
            migrations: releases.count(),
            sources: releases.sources.iter().map(source).collect(),
            shown: releases.sources.clone(),
        }),
        unchanged,
    }
}

fn outline(history: &CheckedHistory) -> Outline {
    let files: BTreeSet<&str> = reported(history).map(|(migration, _)| migration.file.path.as_str()).collect();
    let mut skipped: Vec<_> = history
        .history
        .skipped
        .iter()
        .map(|one| SkippedEntry { path: ReportPath::of_place(&one.path), why: one.why.clone() })
        .collect();
    skipped.sort();
    Outline {
        recognised_by: history.history.recognised_by.clone(),
        files: files.len(),
        migrations: reported(history).count(),
        statements: reported(history).map(|(_, statements)| statements.len()).sum(),
        skipped,
    }
}

fn summary(checked: &Checked, migrations: &[MigrationEntry], findings: &[FindingEntry]) -> Summary {
    let count = |level| findings.iter().filter(|finding| finding.counts() && finding.level == level).count();
    Summary {
        migrations: migrations.len(),
        statements: migrations.iter().map(|migration| migration.statements.len()).sum(),
        errors: count(Level::Error),
        warnings: count(Level::Warning),
        notes: count(Level::Note),
        released: checked.histories.iter().map(|history| history.releases.count()).sum(),
    }
}

fn findings(checked: &Checked, files: &Files) -> Vec<FindingEntry> {
    let related = checked.findings.iter().flat_map(|finding| &finding.related).map(|related| related.path.as_str());
    let named: BTreeSet<&str> = checked.findings.iter().map(|finding| finding.path.as_str()).chain(related).collect();
    let paths: HashMap<&str, ReportPath> = named.into_iter().map(|path| (path, files.path(path))).collect();
    let path = |path: &str| paths.get(path).cloned().unwrap_or_default();
    let entry = |finding: &Finding| {
        let start = files.position(&finding.path, finding.span.start);
        let end = files.position(&finding.path, finding.span.end);
        let related = finding.related.iter().map(|related| {
            let position = files.position(&related.path, related.span.start);
            RelatedEntry {
                path: path(&related.path),
                line: position.line,
                column: position.column,
                message: related.message.clone(),
            }
        });
        FindingEntry {
            rule: finding.rule,
            family: document::find(finding.rule).map(|document| document.family),
            level: finding.level,
            path: path(&finding.path),
            migration: finding.migration.clone(),
            statement: finding.statement,
            start: finding.span.start,
            end: finding.span.end,
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            message: finding.message.clone(),
            help: finding.help.clone(),
            fingerprint: finding.fingerprint.clone(),
            recipe: finding.recipe.clone(),
            related: related.collect(),
            suppressed: finding.suppressed.clone(),
        }
    };
    let mut entries: Vec<FindingEntry> = checked.findings.iter().map(entry).collect();
    entries.sort_by(|a, b| {
        let key = |entry: &FindingEntry| (entry.start, entry.end, entry.rule);
        a.path.cmp(&b.path).then_with(|| key(a).cmp(&key(b))).then_with(|| a.message.cmp(&b.message))
    });
    entries
}

/// A level as reports spell it.
pub fn level_name(level: Level) -> &'static str {
    match level {
        Level::Off => "off",
        Level::Note => "note",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

#[cfg(test)]
mod tests;
