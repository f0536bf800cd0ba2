//! `--format markdown`: a note for a merge request, of GitLab or GitHub.
//!
//! What a reviewer wants to know of each migration: its phase, the strongest lock on each table, what is written anew, read whole or
//! built, what it takes away from clients that are running, what was proven, and the findings. The first line is a comment by which a
//! bot finds its own note. A note has a limit: the worst migrations come first, and what is left out is counted and said.

mod inline;

use super::escape::escape;
use super::formats::{Manner, NamedFormat};
use super::model::{FindingEntry, HistoryEntry, MigrationEntry, Summary};
use super::units::{self, HistoryView, UnitView};
use super::{Format, Report, level_name};
use crate::effect::LockMode;
use crate::finding::Level;
use crate::prove::evidence::{Evidence, Outcome};
use crate::rules::document;
use crate::source::{Phase, ReportPath};
pub use inline::{code, fenced, prose};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io;

pub const FORMAT: NamedFormat = NamedFormat {
    name: "markdown",
    about: "For reviewers: a note for a merge request, below 60,000 characters",
    make: |&Manner { least, .. }| Box::new(Markdown { least }),
};

/// A note for a merge request.
#[derive(Clone, Copy, Debug)]
pub struct Markdown {
    /// Findings below this level are counted and not shown.
    pub least: Level,
}

/// The first line of every note, by which a bot finds its own.
pub const MARKER: &str = "<!-- phasegate:note -->";
/// GitHub takes 65,536 characters; what a bot adds needs room.
pub const LIMIT: usize = 60_000;
/// Kept for what comes after the migrations: the line about what was left out, problems.
const RESERVE: usize = 4_000;
/// Of one migration at most so many findings are shown, of each list so many items, of a sentence so many characters.
const MOST_FINDINGS: usize = 12;
const MOST_ITEMS: usize = 8;
const LONGEST: usize = 600;
/// Problems and proofs that are told; each is one line.
const MOST_LINES: usize = 12;

/// A migration or another file, of which a note says all or nothing.
struct Subject<'a> {
    history: usize,
    worst: Worst,
    /// None for other files: they are in no table.
    migration: Option<&'a MigrationEntry>,
    path: &'a ReportPath,
    findings: &'a [&'a FindingEntry],
}

/// What is said of a subject.
struct Block {
    /// A row of the table of migrations.
    row: Option<String>,
    details: String,
}

/// How bad it is: errors, warnings, notes, statements that block. The worst is the greatest.
type Worst = [usize; 4];

fn worst(findings: &[&FindingEntry], blocking: usize) -> Worst {
    let of = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
    [of(Level::Error), of(Level::Warning), of(Level::Note), blocking]
}

impl Format for Markdown {
    fn write(&self, report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(self.note(report).as_bytes())
    }
}

impl Markdown {
    fn note(&self, report: &Report) -> String {
        let views = units::histories(report);
        let mut subjects: Vec<Subject<'_>> = views.iter().enumerate().flat_map(|(at, view)| subjects(at, view)).collect();
        // Stable, so that of equal ones the order of the histories counts.
        subjects.sort_by_key(|subject| Reverse(subject.worst));
        let head = format!("{MARKER}\n{}", heading(report));
        let (tail, rest) = (problems(report), LIMIT - RESERVE);
        let mut room = rest.saturating_sub(length(&head) + length(&tail));
        let mut shown: Vec<Vec<Block>> = views.iter().map(|_| Vec::new()).collect();
        let mut left_out = subjects.len();
        let titles: Vec<String> = views.iter().map(title).collect();
        for subject in &subjects {
            let block = self.block(subject);
            let first = shown[subject.history].is_empty();
            let title = if first { length(&titles[subject.history]) } else { 0 };
            let size = title + block.row.as_deref().map_or(0, length) + length(&block.details);
            if size > room {
                break;
            }
            room -= size;
            left_out -= 1;
            shown[subject.history].push(block);
        }
        let mut note = head;
        for ((view, title), shown) in views.iter().zip(&titles).zip(&shown) {
            let has_nothing = view.units.is_empty() && view.others.is_empty();
            // A history without a word of it is told where there is room: that it was looked at is news.
            let is_told = !shown.is_empty() || (has_nothing && view.history.is_some() && length(title) < room);
            if !is_told {
                continue;
            }
            if shown.is_empty() {
                room -= length(title);
            }
            note.push_str(title);
            rows(shown, &mut note);
        }
        if left_out > 0 {
            note.push_str(&format!(
                "\n**Not shown here, to stay below {LIMIT} characters: {} of {}**, none of them worse than those above. \
                 The report has all of them: `--format json` or `--format human`.\n",
                left_out,
                count(subjects.len(), "migration or file", "migrations and files"),
            ));
        }
        note.push_str(&tail);
        note
    }

    fn block(&self, subject: &Subject<'_>) -> Block {
        let Subject { migration, path, findings, .. } = subject;
        let name = migration.map_or_else(|| shortened(path.below()), name);
        let details = self.details(&format!("<code>{}</code>", inline::html(&name)), findings);
        Block { row: migration.map(|migration| row(migration, findings)), details }
    }

    /// The findings of one migration or file, folded; empty where none is shown.
    fn details(&self, name: &str, findings: &[&FindingEntry]) -> String {
        let mut shown: Vec<&&FindingEntry> = findings.iter().filter(|finding| finding.level >= self.least).collect();
        if shown.is_empty() {
            return String::new();
        }
        shown.sort_by_key(|finding| Reverse(finding.level));
        let is_open = if shown[0].level == Level::Error { " open" } else { "" };
        let mut text = format!("\n<details{is_open}><summary>{name}: {}</summary>\n\n", levels(&shown));
        for finding in shown.iter().take(MOST_FINDINGS) {
            text.push_str(&entry(finding));
        }
        if shown.len() > MOST_FINDINGS {
            text.push_str(&format!("- and {} more, none of them worse\n", shown.len() - MOST_FINDINGS));
        }
        text.push_str("\n</details>\n");
        text
    }
}

/// What there is to say something of in a history.
fn subjects<'a>(history: usize, view: &'a HistoryView<'a>) -> Vec<Subject<'a>> {
    let of_unit = |unit: &'a UnitView<'a>| {
        let UnitView { migration, findings } = unit;
        let blocking = migration.statements.iter().filter(|statement| statement.blocking).count();
        Subject { history, worst: worst(findings, blocking), migration: Some(migration), path: &migration.path, findings }
    };
    let of_file = |(path, findings): &'a (&'a ReportPath, Vec<&'a FindingEntry>)| Subject {
        history,
        worst: worst(findings, 0),
        migration: None,
        path,
        findings,
    };
    view.units.iter().map(of_unit).chain(view.others.iter().map(of_file)).collect()
}

/// "## phasegate: 4 errors, 11 notes" and what was looked at.
fn heading(report: &Report) -> String {
    let Summary { migrations, statements, errors, warnings, notes, released } = report.summary;
    let mut found: Vec<String> = Vec::new();
    for (number, one, many) in [(errors, "error", "errors"), (warnings, "warning", "warnings"), (notes, "note", "notes")] {
        if number > 0 {
            found.push(count(number, one, many));
        }
    }
    let found = if found.is_empty() { "no findings".to_owned() } else { found.join(", ") };
    let mark = if errors > 0 {
        "❌"
    } else if warnings > 0 {
        "⚠️"
    } else {
        "✅"
    };
    let mark = if report.unusable.is_empty() && !report.evidence.iter().any(Evidence::is_incomplete) { mark } else { "❌" };
    let mut text = format!("## {mark} phasegate: {found}\n\n");
    text.push_str(&format!(
        "{} ({}) for PostgreSQL {}",
        count(migrations, "migration", "migrations"),
        count(statements, "statement", "statements"),
        prose(&report.postgres)
    ));
    if released > 0 {
        text.push_str(&format!("; {released} released and not judged"));
    }
    let suppressed = report.findings.iter().filter(|finding| finding.suppressed.is_some()).count();
    if suppressed > 0 {
        text.push_str(&format!("; {} suppressed", count(suppressed, "finding", "findings")));
    }
    text.push_str(".\n");
    text
}

/// What stands above the migrations of a history: its place, its proofs.
fn title(view: &HistoryView<'_>) -> String {
    let mut text = match view.history {
        None => "\n### Other files\n".to_owned(),
        Some(HistoryEntry { name, path, layout, .. }) => {
            let name = name.as_ref().map(|name| format!("{} ", code(&shortened(name)))).unwrap_or_default();
            format!("\n### {name}{} ({})\n", code(&shortened(path.below())), prose(layout))
        }
    };
    if let Some(evidence) = view.evidence {
        text.push_str(&proofs(evidence));
    }
    text
}

fn proofs(evidence: &Evidence) -> String {
    let mut text =
        format!("\nProven on {}\n\n| Proof | Outcome | Covered |\n|---|---|---|\n", prose(&shortened(&evidence.server)));
    for proof in evidence.proofs.iter().take(MOST_LINES) {
        let outcome = match &proof.outcome {
            Outcome::Passed => "✅ passed".to_owned(),
            Outcome::Failed => "❌ failed".to_owned(),
            Outcome::NotRun(why) => format!("⚠️ not run: {}", prose(&shortened(why))),
        };
        let coverage = &proof.coverage;
        let covered = match (coverage.what, coverage.done == coverage.of) {
            ("", _) => String::new(),
            (what, true) => format!("{} {what}", coverage.done),
            (what, false) => format!("{} of {} {what}", coverage.done, coverage.of),
        };
        text.push_str(&format!("| {} | {outcome} | {covered} |\n", proof.proof));
    }
    text
}

/// The table of migrations, then what is folded.
fn rows(blocks: &[Block], note: &mut String) {
    let rows: Vec<&String> = blocks.iter().filter_map(|block| block.row.as_ref()).collect();
    if !rows.is_empty() {
        note.push_str("\n| Migration | Phase | Strongest lock | Rewrites, scans, builds | Takes away | Findings |\n");
        note.push_str("|---|---|---|---|---|---|\n");
        rows.iter().for_each(|row| note.push_str(row));
    }
    blocks.iter().for_each(|block| note.push_str(&block.details));
}

fn row(migration: &MigrationEntry, findings: &[&FindingEntry]) -> String {
    let mut locks: BTreeMap<&str, LockMode> = BTreeMap::new();
    let mut work: Vec<(&str, &str)> = Vec::new();
    let mut breaks: Vec<(&str, String)> = Vec::new();
    for statement in &migration.statements {
        for lock in &statement.locks {
            let mode = locks.entry(&lock.relation).or_insert(lock.mode);
            *mode = lock.mode.max(*mode);
        }
        for (what, relations) in
            [("rewrites", &statement.rewrites), ("scans", &statement.scans), ("builds an index on", &statement.index_builds)]
        {
            work.extend(relations.iter().map(|relation| (what, relation.as_str())));
        }
        breaks.extend(statement.breaks.iter().map(|one| (one.object.as_str(), one.kind.to_string())));
    }
    let mut locks: Vec<(&str, LockMode)> = locks.into_iter().collect();
    locks.sort_by_key(|(relation, mode)| (Reverse(*mode), *relation));
    work.sort_unstable();
    work.dedup();
    breaks.sort();
    breaks.dedup();
    let phase = match migration.phase {
        Phase::Untagged => "",
        Phase::Contract => "contract",
        Phase::Expand => "expand",
    };
    let found = if findings.is_empty() { String::new() } else { levels(&findings.iter().collect::<Vec<_>>()) };
    format!(
        "| {} | {phase} | {} | {} | {} | {found} |\n",
        code(&name(migration)),
        list(&locks, |(relation, mode)| format!("{} {}", code(&shortened(relation)), mode.words())),
        list(&work, |(what, relation)| format!("{what} {}", code(&shortened(relation)))),
        list(&breaks, |(object, kind)| format!("{kind} {}", code(&shortened(object)))),
    )
}

/// The name of its file, which says more than its id, unless the file holds several.
fn name(migration: &MigrationEntry) -> String {
    let MigrationEntry { id, path, .. } = migration;
    let file = path.below().rsplit('/').next().unwrap_or_default();
    shortened(if file.contains(id.as_str()) { file } else { id })
}

/// The first items of a cell, one below the other.
fn list<T>(items: &[T], show: impl Fn(&T) -> String) -> String {
    let mut shown: Vec<String> = items.iter().take(MOST_ITEMS).map(show).collect();
    if items.len() > MOST_ITEMS {
        shown.push(format!("and {} more", items.len() - MOST_ITEMS));
    }
    shown.join("<br>")
}

fn entry(finding: &FindingEntry) -> String {
    let FindingEntry { rule, level, path, line, message, related, .. } = finding;
    let (advice, to_paste) = finding.advice();
    let mut text = format!(
        "- **{}** [{rule}]({}) at {}: {}\n",
        level_name(*level),
        document::url(rule),
        code(&place(path, *line)),
        prose(&shortened(message))
    );
    for related in related.iter().take(2) {
        text.push_str(&format!("  <br>{}: {}\n", prose(&shortened(&related.message)), code(&place(&related.path, related.line))));
    }
    if !advice.is_empty() {
        text.push_str(&format!("  <br>→ {}\n", prose(&shortened(advice))));
    }
    if !to_paste.is_empty() {
        // SQL is whole or not there: half of it would be wrong.
        let sql = fenced("sql", &to_paste, "  ");
        if length(&sql) <= 4 * LONGEST {
            text.push_str(&format!("\n{sql}"));
        } else {
            text.push_str("  <br>The SQL for it is too long for a note; the report has it.\n");
        }
    }
    text
}

fn place(path: &ReportPath, line: usize) -> String {
    format!("{}:{line}", shortened(path.below()))
}

/// What could not be used.
fn problems(report: &Report) -> String {
    let mut text = String::new();
    if report.unusable.is_empty() {
        return text;
    }
    text.push_str("\n### Not checked\n\n");
    for (path, why) in report.problems().take(MOST_LINES) {
        let path = if path.below().is_empty() { String::new() } else { format!("{}: ", code(&shortened(path.below()))) };
        text.push_str(&format!("- {path}{}\n", prose(&shortened(why))));
    }
    if report.unusable.len() > MOST_LINES {
        text.push_str(&format!("- and {} more\n", report.unusable.len() - MOST_LINES));
    }
    text
}

/// "2 errors, 1 note".
fn levels(findings: &[&&FindingEntry]) -> String {
    let mut parts = Vec::new();
    for (level, mark, one, many) in [
        (Level::Error, "❌ ", "error", "errors"),
        (Level::Warning, "⚠️ ", "warning", "warnings"),
        (Level::Note, "", "note", "notes"),
    ] {
        let number = findings.iter().filter(|finding| finding.level == level).count();
        if number > 0 {
            parts.push(format!("{mark}{}", count(number, one, many)));
        }
    }
    parts.join(", ")
}

pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// On one line, without unsafe characters, and not endless.
pub fn shortened(text: &str) -> String {
    let safe = escape(text);
    match safe.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &safe[..end]),
        None => safe.into_owned(),
    }
}

/// Characters, as those who set limits count.
pub fn length(text: &str) -> usize {
    text.chars().count()
}
