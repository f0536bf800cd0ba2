//! Play evolutions: `1.sql`, `2.sql` … with `# --- !Ups` and `# --- !Downs` sections.
//!
//! Files are looked for by their number from 1 on, with or without leading zeros; the first number that is missing ends the history
//! (`EvolutionsApi.scala`, ResourceEvolutionsReader and loadResource). A marker is a line that begins with `#` or `--` and holds
//! `!Ups` or `!Downs`; what stands before the first one is not run. Statements are cut at every single `;`, those in strings, bodies
//! and comments included, and `;;` stands for a `;` that is none (`Evolutions.scala`, Script.statements): each statement is a part
//! here, and what does not parse then fails in Play as well. Transaction: none, each statement commits; with
//! `play.evolutions.autocommit = false` in an application.conf above there is one around all pending steps (DatabaseEvolutions.evolve).

use super::sections::{Section, Sections, lines};
use super::{Claim, Layout, OptOut, Reading, Step, Strength};
use crate::op::Span;
use crate::source::directory::{Above, Directory, FileEntry};
use crate::source::{Rewriting, Version, Wrapping};
use std::collections::BTreeMap;

/// Digits that Play fills a number up to when it looks for its file (findPaddedRevisionResource).
const LONGEST: usize = 15;

pub struct Play;

impl Layout for Play {
    fn name(&self) -> &'static str {
        "play"
    }

    fn marks(&self) -> &'static str {
        "files named <number>.sql that hold a line `# --- !Ups` or `-- !Ups`"
    }

    fn file_names(&self) -> &'static str {
        "`<number>.sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::None
    }

    fn opt_out(&self) -> OptOut {
        OptOut::None
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    fn rewriting(&self) -> Rewriting {
        Rewriting::DoubledSemicolons
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let numbered: Vec<&FileEntry> = directory.files.iter().filter(|f| number(f).is_some()).collect();
        let marked = numbered.iter().filter(|f| is_marked(f)).count();
        (marked > 0).then(|| Claim {
            strength: Strength::Content,
            evidence: format!("{marked} of {} files named <number>.sql hold a `!Ups`", numbered.len()),
            files: numbered.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        let mut revisions: BTreeMap<u64, Vec<&FileEntry>> = BTreeMap::new();
        for entry in &directory.files {
            match number(entry).map(str::parse) {
                Some(Ok(revision)) => revisions.entry(revision).or_default().push(entry),
                Some(Err(_)) => reading.skip(entry, "its number is too long for Play"),
                None => {}
            }
        }
        let wrapping = wrapping(directory);
        let mut next = 1;
        for (revision, mut entries) in revisions {
            entries.sort_by_key(|entry| entry.name.len());
            let mut entries = entries.into_iter();
            match entries.next() {
                Some(entry) if revision == next => {
                    reading.steps.push(step(entry, wrapping).versioned(Version::number(entry.stem())));
                    next += 1;
                }
                Some(entry) => reading.skip(entry, &format!("there is no {next}.sql: Play looks no further")),
                None => {}
            }
            for entry in entries {
                reading.skip(entry, "another file has the same number and fewer zeros: Play takes that one");
            }
        }
        reading
    }

    fn read_script(&self, script: &FileEntry) -> Option<Vec<Step>> {
        is_marked(script).then(|| vec![step(script, Wrapping::None)])
    }
}

fn number(entry: &FileEntry) -> Option<&str> {
    let stem = entry.stem();
    let is_number = entry.is_sql() && (1..=LONGEST).contains(&stem.len()) && stem.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(stem)
}

fn is_marked(entry: &FileEntry) -> bool {
    entry.text().is_some_and(|text| lines(text, entry.source().body()).any(|(_, line)| marker(line) == Some(Section::Up)))
}

fn marker(line: &str) -> Option<Section> {
    let line = line.trim();
    let comment = line.strip_prefix('#').or_else(|| line.strip_prefix("--"))?;
    if comment.contains("!Ups") { Some(Section::Up) } else { comment.contains("!Downs").then_some(Section::Down) }
}

fn step(entry: &FileEntry, wrapping: Wrapping) -> Step {
    let id = entry.stem();
    let Some(text) = entry.text().filter(|_| entry.failure().is_none()) else { return Step::of_file(id, entry, wrapping) };
    let sections = Sections::read(text, entry.source().body(), |line, _| marker(line));
    // A `#` line is no comment of SQL: a phase tag may stand on the other lines of the header.
    let header = sections.header.into_iter().flat_map(|header| lines(text, header));
    let comments: Vec<Span> = header.filter(|(_, line)| line.trim_start().starts_with("--")).map(|(span, _)| span).collect();
    let parts: Vec<Span> = sections.up.iter().flat_map(|&part| statements(text, part)).collect();
    let step = sections.into_step(id, entry, wrapping);
    let step = Step { tag_regions: comments.into_iter().chain(parts.iter().copied()).collect(), parts, ..step };
    if wrapping == Wrapping::None { step.or_explicit() } else { step }
}

/// The texts between the semicolons that stand alone. Blank ones are left out.
fn statements(text: &str, part: Span) -> Vec<Span> {
    let bytes = text.as_bytes();
    let is_semicolon = |at: usize| at < part.end && bytes[at] == b';';
    let mut found = Vec::new();
    let mut start = part.start;
    for at in part.start..=part.end {
        let is_single = is_semicolon(at) && !is_semicolon(at + 1) && (at == part.start || !is_semicolon(at - 1));
        if is_single || at == part.end {
            found.push(Span { start, end: at });
            start = at + 1;
        }
    }
    found.retain(|span| !text[span.start..span.end].trim().is_empty());
    found
}

/// What `autocommit` is for the database that the directory is named after.
fn wrapping(directory: &Directory) -> Wrapping {
    let paths = [format!("evolutions.db.{}.autocommit", directory.name), "evolutions.autocommit".to_string()];
    let read = |conf: Above| conf.text();
    let configured = directory.above("application.conf").into_iter().filter_map(read).find_map(|conf| {
        let settings = settings(&conf);
        paths
            .iter()
            .find_map(|wanted| settings.iter().rev().find(|(path, _)| path.ends_with(wanted)).map(|(_, value)| value.clone()))
    });
    match configured.as_deref() {
        Some("false" | "no" | "off") => Wrapping::Wrapped,
        Some(_) | None => Wrapping::None,
    }
}

/// The settings of a HOCON file that stand on one line: their full paths and their values, in lower case where they are words.
fn settings(conf: &str) -> Vec<(String, String)> {
    let mut path: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for line in conf.lines() {
        let line = line.split("//").next().and_then(|line| line.split('#').next()).unwrap_or_default();
        let mut rest = line.trim();
        while !rest.is_empty() {
            let end = rest.find(['{', '}', '=', ':', ',']).unwrap_or(rest.len());
            let key = rest[..end].trim().trim_end_matches('+').trim().trim_matches('"').to_string();
            let at = rest[end..].chars().next();
            rest = rest.get(end + 1..).unwrap_or_default().trim_start();
            match at {
                Some('{') => path.push(key),
                Some('}') => {
                    path.pop();
                }
                // `key = {` and `key: {` open a block as well.
                Some('=' | ':') if rest.starts_with('{') => {
                    path.push(key);
                    rest = rest[1..].trim_start();
                }
                Some('=' | ':') => {
                    let end = rest.find(['}', ',']).unwrap_or(rest.len());
                    let full = path.iter().map(String::as_str).chain([key.as_str()]).collect::<Vec<_>>().join(".");
                    found.push((full, rest[..end].trim().trim_matches('"').to_ascii_lowercase()));
                    rest = &rest[end..];
                }
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_lines_of_either_kind_of_comment() {
        for line in ["# --- !Ups", "  #!Ups", "-- !Ups", "--- !Ups \r\n", "# --- !Ups and !Downs"] {
            assert_eq!(marker(line), Some(Section::Up), "{line}");
        }
        assert_eq!(marker("# --- !Downs\n"), Some(Section::Down));
        for line in ["!Ups", "/* !Ups */", "# --- Ups", "SELECT 1 -- !Ups", "# --- !ups"] {
            assert_eq!(marker(line), None, "{line}");
        }
    }

    #[test]
    fn statements_end_at_semicolons_that_stand_alone() {
        let cut = |text: &str| -> Vec<String> {
            statements(text, Span { start: 0, end: text.len() }).iter().map(|s| text[s.start..s.end].to_string()).collect()
        };
        assert_eq!(cut("A; B;\n"), ["A", " B"]);
        assert_eq!(cut("$$ BEGIN;; x := 1;; END;; $$; B"), ["$$ BEGIN;; x := 1;; END;; $$", " B"]);
        assert_eq!(cut("A;;;B;"), ["A;;;B"]);
        assert_eq!(cut("SELECT ';' -- a;\n"), ["SELECT '", "' -- a"]);
        assert_eq!(cut(" ; ;"), Vec::<String>::new());
    }

    #[test]
    fn settings_are_read_by_their_full_path() {
        let conf = "play {\n  evolutions { # on\n    enabled = true, autocommit=false\n  }\n}\nplay.evolutions.db.other.autocommit = \"True\" // x\na = { b : 1 }\n";
        let found = settings(conf);
        let value = |path: &str| found.iter().find(|(p, _)| p == path).map(|(_, v)| v.as_str());
        assert_eq!(value("play.evolutions.autocommit"), Some("false"));
        assert_eq!(value("play.evolutions.db.other.autocommit"), Some("true"));
        assert_eq!(value("a.b"), Some("1"));
    }
}
