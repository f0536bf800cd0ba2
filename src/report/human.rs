//! `--format human`: findings with source excerpts, then what was looked at, then one line that sums it up.

use super::escape::escape;
use super::excerpt::Excerpt;
use super::formats::{Manner, NamedFormat};
use super::location::LineIndex;
use super::model::{FindingEntry, HistoryEntry, ReleasesEntry, SkippedEntry, Summary, UnchangedEntry};
use super::{Format, Outline, Report, level_name, proofs};
use crate::finding::{Level, SuppressedBy};
use crate::op::Span;
use crate::prove::evidence::Evidence;
use crate::source::ReportPath;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, Severity, SourceCode, ThemeCharacters, ThemeStyles,
};
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::io;
use textwrap::{WordSeparator, WordSplitter};

/// The report for people. Everything that comes from files is escaped.
#[derive(Clone, Copy, Debug)]
pub struct Human {
    pub color: bool,
    /// False draws with ASCII only.
    pub unicode: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Findings below this level are counted and not shown.
    pub least: Level,
}

pub const FORMAT: NamedFormat = NamedFormat {
    name: "human",
    about: "For people: source excerpts and a summary",
    make: |&Manner { least, color, unicode, width, .. }| Box::new(Human { color, unicode, width, least }),
};

/// Something wrong at a place of a file.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// `path:line:column`
    pub place: &'a str,
    /// The whole file.
    pub bytes: &'a [u8],
    pub span: Span,
    pub message: &'a str,
    pub help: &'a str,
}

/// Narrower terminals get lines of this width.
const LEAST_WIDTH: usize = 30;
/// Skipped files that are named for each reason.
const MOST_NAMES: usize = 3;

impl Format for Human {
    fn write(&self, report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
        let handler = self.handler();
        for finding in report.findings.iter().filter(|finding| self.shows(finding)) {
            out.write_all(self.finding(finding, report, &handler).as_bytes())?;
            out.write_all(b"\n")?;
        }
        for (history, outline) in report.histories.iter().zip(&report.outlines) {
            let sizes =
                [count(outline.files, "file"), count(outline.migrations, "migration"), count(outline.statements, "statement")];
            let paths = history.paths.iter().map(ReportPath::given).collect::<Vec<_>>().join(", ");
            let mut about = match &history.name {
                Some(name) => format!("{} ({})", escape(name), escape(&paths)),
                None => escape(&paths).into_owned(),
            };
            about.push_str(&format!(": layout {}", escape(&history.layout)));
            if !outline.recognised_by.is_empty() {
                about.push_str(&format!(" ({})", escape(&outline.recognised_by)));
            }
            about.push_str(&format!("; {}", sizes.join(", ")));
            writeln!(out, "{}", self.wrap(&about, "", "  "))?;
            self.left_out(history, out)?;
            self.skipped(history.path.given(), outline, out)?;
        }
        for evidence in &report.evidence {
            self.proofs(evidence, out)?;
        }
        for unusable in &report.unusable {
            let place = if unusable.path.is_empty() { String::new() } else { format!("{}: ", escape(&unusable.path)) };
            writeln!(out, "{}", self.wrap(&format!("not checked: {place}{}", escape(&unusable.why)), "", "  "))?;
        }
        writeln!(out, "\n{}", self.wrap(&self.summary(report), "", "  "))
    }
}

impl Human {
    fn shows(&self, finding: &FindingEntry) -> bool {
        finding.counts() && finding.level >= self.least
    }

    fn columns(&self) -> usize {
        self.width.max(LEAST_WIDTH)
    }

    fn handler(&self) -> GraphicalReportHandler {
        let theme = GraphicalTheme {
            characters: if self.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() },
            styles: if self.color { ThemeStyles::ansi() } else { ThemeStyles::none() },
        };
        GraphicalReportHandler::new_themed(theme)
            .with_width(self.columns())
            .with_links(false)
            .without_primary_span_start()
            .with_word_separator(WordSeparator::AsciiSpace)
            .with_word_splitter(WordSplitter::NoHyphenation)
    }

    fn wrap(&self, text: &str, first: &str, rest: &str) -> String {
        // Paths and names hold hyphens and slashes: only a blank is a place to break.
        let options = textwrap::Options::new(self.columns())
            .initial_indent(first)
            .subsequent_indent(rest)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation);
        textwrap::fill(text, options)
    }

    /// What is wrong at a place of a file that is no migration: a configuration, a list. Everything is escaped.
    pub fn problem(&self, problem: &Problem<'_>) -> String {
        let lines = LineIndex::new(problem.bytes);
        let excerpt = Excerpt::new(escape(problem.place).into_owned(), problem.bytes, &lines, problem.span, self.columns());
        let shown = ShownFinding {
            code: "error".into(),
            severity: Severity::Error,
            message: escape(problem.message).into_owned(),
            help: escape(problem.help).into_owned(),
            excerpt,
        };
        let mut text = String::new();
        // Writing to a String cannot fail, and an excerpt can be read at any span.
        let _ = self.handler().render_report(&mut text, &shown);
        let place = if shown.excerpt.is_none() { format!("\n  at {}", escape(problem.place)) } else { String::new() };
        format!("{}{place}\n", text.trim_end())
    }

    fn finding(&self, finding: &FindingEntry, report: &Report, handler: &GraphicalReportHandler) -> String {
        let name = format!("{}:{}:{}", escape(finding.path.given()), finding.line, finding.column);
        let span = Span { start: finding.start, end: finding.end };
        let excerpt = report
            .shown(finding.path.given())
            .and_then(|(bytes, lines)| Excerpt::new(name.clone(), &bytes, lines, span, self.columns()));
        // SQL to paste stands below the advice: no line of it is broken.
        let (advice, to_paste) = finding.advice();
        let shown = ShownFinding {
            code: format!("{}[{}]", level_name(finding.level), finding.rule),
            severity: severity(finding.level),
            message: escape(&finding.message).into_owned(),
            help: escape(advice).into_owned(),
            excerpt,
        };
        let mut text = String::new();
        // Writing to a String cannot fail, and an excerpt can be read at any span.
        let _ = handler.render_report(&mut text, &shown);
        let mut text = text.trim_end().to_owned();
        text.push('\n');
        for line in to_paste {
            text.push_str(format!("          {}", escape(&line)).trim_end());
            text.push('\n');
        }
        if shown.excerpt.is_none() {
            text.push_str(&format!("  at {name}\n"));
        }
        for related in &finding.related {
            let place =
                format!("{}: {}:{}:{}", escape(&related.message), escape(related.path.given()), related.line, related.column);
            text.push_str(&self.wrap(&place, "  note: ", "        "));
            text.push('\n');
        }
        text
    }

    /// What was proven of one history, on what server and with what runner.
    fn proofs(&self, evidence: &Evidence, out: &mut dyn io::Write) -> io::Result<()> {
        let Evidence { history, server, runner, .. } = evidence;
        let runner = if runner.is_empty() { String::new() } else { format!("; {}", escape(runner)) };
        writeln!(
            out,
            "\n{}",
            self.wrap(&format!("proofs of {} on {}{runner}", escape(history.given()), escape(server)), "", "  ")
        )?;
        for proofs::Line { text, below } in proofs::lines(evidence, self.color) {
            writeln!(out, "  {}", text.trim_end())?;
            for remark in below {
                writeln!(out, "{}", self.wrap(&remark, "      ", "      "))?;
            }
        }
        Ok(())
    }

    /// What was modelled and not judged, and what said so.
    fn left_out(&self, history: &HistoryEntry, out: &mut dyn io::Write) -> io::Result<()> {
        let mut lines = Vec::new();
        if let Some(ReleasesEntry { migrations, shown, .. }) = &history.releases {
            let sources = shown.iter().map(|source| escape(source)).collect::<Vec<_>>().join(" and ");
            lines.push(format!("{} released, modelled and not judged: {sources}", count(*migrations, "migration")));
        }
        if let Some(UnchangedEntry { migrations, since }) = &history.unchanged {
            let (number, since) = (count(*migrations, "migration"), escape(since));
            if history.releases.is_none() || *migrations > 0 {
                lines.push(format!("{number} unchanged, modelled and not judged: compared with {since}"));
            }
        }
        for line in lines {
            writeln!(out, "{}", self.wrap(&line, "  ", "    "))?;
        }
        Ok(())
    }

    /// Skipped files by reason, most frequent first, with the first names of each, as they stand below the history's path.
    fn skipped(&self, history: &str, outline: &Outline, out: &mut dyn io::Write) -> io::Result<()> {
        let below = |path: &'_ str| -> String {
            let rest = path.strip_prefix(history).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path);
            escape(rest).into_owned()
        };
        let mut reasons: BTreeMap<&str, Vec<&SkippedEntry>> = BTreeMap::new();
        for skipped in &outline.skipped {
            reasons.entry(&skipped.why).or_default().push(skipped);
        }
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by_key(|(why, files)| (std::cmp::Reverse(files.len()), *why));
        for (why, files) in reasons {
            let names: Vec<_> = files.iter().take(MOST_NAMES).map(|file| below(file.path.given())).collect();
            let more = files.len() - names.len();
            let more = if more > 0 { format!(" and {more} more (--format json names all)") } else { String::new() };
            let text = format!("skipped {}, {}: {}{more}", count(files.len(), "file"), escape(why), names.join(", "));
            writeln!(out, "{}", self.wrap(&text, "  ", "    "))?;
        }
        Ok(())
    }

    /// "2 errors, 1 warning in 12 migrations (34 statements)", then what is not shown.
    fn summary(&self, report: &Report) -> String {
        let Summary { migrations, statements, errors, warnings, notes, released } = report.summary;
        let mut parts = Vec::new();
        for (number, noun, level) in
            [(errors, "error", Level::Error), (warnings, "warning", Level::Warning), (notes, "note", Level::Note)]
        {
            if number > 0 {
                let hidden = match level {
                    Level::Note if self.least > level => " (shown with --notes)",
                    _ => "",
                };
                parts.push(format!("{}{hidden}", count(number, noun)));
            }
        }
        if parts.is_empty() {
            parts.push("no findings".into());
        }
        let mut text = format!("{} in {} ({})", parts.join(", "), count(migrations, "migration"), count(statements, "statement"));
        if released > 0 {
            text.push_str(&format!("; {released} released and not judged"));
        }
        let suppressed = suppressed(report);
        if !suppressed.is_empty() {
            text.push_str(&format!("; suppressed: {suppressed}"));
        }
        if !report.unusable.is_empty() {
            text.push_str(&format!("; not checked: {}", count(report.unusable.len(), "problem")));
        }
        text
    }
}

/// "3 by tag, 1 by allow"; empty where nothing is.
fn suppressed(report: &Report) -> String {
    let by = |suppressed_by: SuppressedBy, name: &str| {
        let is = |finding: &&FindingEntry| finding.suppressed.as_ref().is_some_and(|suppression| suppression.by == suppressed_by);
        let number = report.findings.iter().filter(is).count();
        (number > 0).then(|| format!("{number} by {name}"))
    };
    let kinds = [
        by(SuppressedBy::Tag, "tag"),
        by(SuppressedBy::Allow, "allow"),
        by(SuppressedBy::Baseline, "baseline"),
        by(SuppressedBy::Level, "level"),
    ];
    kinds.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// "1 file", "2 files".
fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn severity(level: Level) -> Severity {
    match level {
        Level::Error => Severity::Error,
        Level::Warning => Severity::Warning,
        Level::Note | Level::Off => Severity::Advice,
    }
}

/// A finding as miette draws it.
#[derive(Debug)]
struct ShownFinding {
    code: String,
    severity: Severity,
    message: String,
    help: String,
    excerpt: Option<Excerpt>,
}

impl Display for ShownFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ShownFinding {}

impl Diagnostic for ShownFinding {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        (!self.help.is_empty()).then(|| Box::new(&self.help) as Box<dyn Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let excerpt = self.excerpt.as_ref()?;
        let text = match (excerpt.hidden_lines, excerpt.several_lines) {
            (0, false) => None,
            (0, true) => Some("this statement".to_owned()),
            (hidden, _) => Some(format!("and {hidden} more {}", if hidden == 1 { "line" } else { "lines" })),
        };
        Some(Box::new(std::iter::once(LabeledSpan::new(text, excerpt.label.start, excerpt.label.len()))))
    }
}
