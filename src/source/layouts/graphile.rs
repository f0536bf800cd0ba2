//! graphile-migrate: `committed/<number>[-<message>].sql`, chained by hashes, and the migration being written in `current.sql` or
//! `current/`.
//!
//! Order: the number as it is written (`src/migration.ts`, getAllMigrations); each file names the hash of the one before
//! (`--! Previous:`) and its own (`--! Hash:`, the SHA-1 of `src/hash.ts`), and a chain that does not hold, or a text that is not the
//! hash's, makes graphile-migrate refuse to run anything: that is said. Current comes last: `watch` runs it while it is written, and
//! `commit` makes it the next of the chain. Its `--!include` lines are replaced by files of `fixtures/` (compileIncludes), which are
//! units of their own here. Transaction: the runner's own; `--! no-transaction` as the first line of the text gives it up, and the text is then
//! one simple query (`src/header.ts`, runStringMigration). `:NAME` is a placeholder. Other files are run by actions of `.gmrc`, if at all.
//! Committed files are held against version 2.0.0-rc.3 by tests/ledgers.rs.

use super::{Claim, Late, Layout, OptOut, PlaceholderForms, Reading, Statements, Step, Strength};
use crate::op::Span;
use crate::source::directory::{Directory, FileEntry};
use crate::source::layouts::sections::lines;
use crate::source::name::{compare_numbers, leading_digits};
use crate::source::{Migration, Rewriting, UnitKind, Version, Wrapping};
use sha1::{Digest, Sha1};
use std::fmt::Write;

pub struct Graphile;

impl Layout for Graphile {
    fn name(&self) -> &'static str {
        "graphile-migrate"
    }

    fn marks(&self) -> &'static str {
        "a directory committed/ of files named <number>[-<message>].sql that begin with `--! Previous:`"
    }

    fn file_names(&self) -> &'static str {
        "`committed/<number>[-<message>].sql`, `current.sql` or `current/<number>[-<message>].sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Mark { mark: "--! no-transaction", place: "as the first line", statements: Statements::Batch }
    }

    fn is_recursive(&self) -> bool {
        true
    }

    fn rewriting(&self) -> Rewriting {
        Rewriting::ColonNames
    }

    fn placeholders(&self) -> PlaceholderForms {
        PlaceholderForms { variables: true, ..PlaceholderForms::default() }
    }

    /// The one behind it names the hash of another one (`src/migration.ts`, getAllMigrations).
    fn late(&self, _: &Migration) -> Late {
        Late::Refused
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let Tree { committed, current, .. } = Tree::of(directory);
        let Some(committed) = committed else {
            return Some(Claim {
                strength: Strength::Content,
                evidence: "a directory committed/ stands beside current/".to_string(),
                files: current.iter().map(|f| f.path.clone()).collect(),
            });
        };
        let committed: Vec<&FileEntry> = numbered(committed);
        let chained = committed.iter().filter(|f| Header::of(f).is_some_and(|header| header.previous.is_some())).count();
        (chained > 0).then(|| Claim {
            strength: Strength::Content,
            evidence: format!("{chained} of {} committed files name the one before (`--! Previous:`)", committed.len()),
            files: committed.iter().chain(&current).map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        let tree = Tree::of(directory);
        if let Some(committed) = tree.committed {
            read_committed(committed, &mut reading);
        }
        for entry in &tree.current {
            let id = if entry.name == "current.sql" { entry.name.clone() } else { format!("current/{}", entry.name) };
            Including { tree: &tree, reading: &mut reading, open: Vec::new() }.read(id, entry);
        }
        for entry in tree.beside_current().filter(|f| f.is_sql()) {
            reading.skip(entry, "its name is not `<number>[-<message>].sql`: graphile-migrate refuses the current migration");
        }
        for entry in tree.fixtures.map(Directory::files_below).unwrap_or_default() {
            if entry.is_sql() && !reading.steps.iter().any(|step| step.file.path == entry.path) {
                reading.skip(entry, "a fixture that the current migration does not include");
            }
        }
        for entry in tree.root.iter().filter(|f| f.is_sql() && !tree.current.iter().any(|c| c.path == f.path)) {
            reading.incomplete = true;
            reading.skip(entry, "outside of committed/ and current: an action of .gmrc runs it, or nothing does");
        }
        reading
    }
}

/// The folder of a history, whichever of its directories is looked at.
struct Tree<'a> {
    committed: Option<&'a Directory>,
    /// The directory `current/`.
    parts: Option<&'a Directory>,
    /// In the order they are joined.
    current: Vec<&'a FileEntry>,
    fixtures: Option<&'a Directory>,
    /// Files of the folder itself.
    root: &'a [FileEntry],
}

impl<'a> Tree<'a> {
    fn of(directory: &'a Directory) -> Tree<'a> {
        let below = |name: &str| directory.directories.iter().find(|d| d.name == name);
        let committed = below("committed");
        if directory.name == "current" && directory.nearest("committed").is_some_and(|(_, from)| from == "current") {
            let current = in_order(numbered(directory));
            return Tree { committed: None, parts: Some(directory), current, fixtures: None, root: &[] };
        }
        if committed.is_none() {
            return Tree { committed: Some(directory), parts: None, current: Vec::new(), fixtures: None, root: &[] };
        }
        let current = match (below("current"), directory.file("current.sql")) {
            (Some(current), _) => in_order(numbered(current)),
            (None, file) => file.into_iter().collect(),
        };
        Tree { committed, parts: below("current"), current, fixtures: below("fixtures"), root: &directory.files }
    }

    /// Files of `current/` that are no part of it.
    fn beside_current(&self) -> impl Iterator<Item = &'a FileEntry> {
        self.parts.into_iter().flat_map(|parts| &parts.files).filter(|f| number(f).is_none())
    }
}

fn number(entry: &FileEntry) -> Option<&str> {
    let (number, rest) = leading_digits(entry.stem()).filter(|_| entry.is_sql())?;
    let is_message = rest.is_empty()
        || rest.strip_prefix('-').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')));
    is_message.then_some(number)
}

fn numbered(directory: &Directory) -> Vec<&FileEntry> {
    directory.files.iter().filter(|f| number(f).is_some()).collect()
}

fn in_order(mut entries: Vec<&FileEntry>) -> Vec<&FileEntry> {
    entries.sort_by(|a, b| compare_numbers(number(a).unwrap_or_default(), number(b).unwrap_or_default()));
    entries
}

fn read_committed(committed: &Directory, reading: &mut Reading) {
    let mut entries = Vec::new();
    for entry in &committed.files {
        match number(entry) {
            Some(number) => entries.push((number, entry)),
            None if entry.is_sql() => {
                reading.skip(entry, "its name is not `<number>[-<message>].sql`: graphile-migrate does not run it");
            }
            None => {}
        }
    }
    entries.sort_by(|a, b| a.0.cmp(b.0));
    let mut previous: Option<String> = None;
    for (number, entry) in entries {
        let header = Header::of(entry);
        reading.steps.push(step(number, entry, header.as_ref()).versioned(Version::text(number)));
        if let Some(header) = header {
            if let Some(why) = header.refusal(previous.as_deref()) {
                let help = "restore the file as it was committed, or commit the change as a migration of its own";
                reading.object(&entry.path, format!("{why}: graphile-migrate refuses it"), help);
            }
            previous = header.hash;
        }
    }
}

/// The lines `--! Key: value` that a file begins with.
#[derive(Debug, Default, PartialEq, Eq)]
struct Header {
    previous: Option<String>,
    hash: Option<String>,
    allows_invalid_hash: bool,
    /// Where the text behind it begins.
    end: usize,
    /// Whether an empty line follows.
    is_set_apart: bool,
    /// The SHA-1 that the text has behind the hash of its header's `Previous`.
    found_hash: String,
    has_no_transaction: bool,
}

impl Header {
    /// `None` for a file that is no text.
    fn of(entry: &FileEntry) -> Option<Header> {
        entry.text().filter(|_| entry.failure().is_none()).map(|text| Header::read(text, entry.source().body()))
    }

    fn read(text: &str, body: Span) -> Header {
        let mut header = Header { end: body.start, ..Header::default() };
        for (span, line) in lines(text, body) {
            let Some((key, value)) = key_and_value(line.strip_suffix('\n').unwrap_or(line)) else { break };
            match key {
                "Previous" => header.previous = Some(value.to_string()),
                "Hash" => header.hash = Some(value.to_string()),
                "AllowInvalidHash" => header.allows_invalid_hash = true,
                _ => {}
            }
            header.end = span.end;
        }
        header.is_set_apart = text[header.end..body.end].starts_with('\n');
        let text = text[header.end..body.end].trim();
        let before = header.previous.as_deref().filter(|&previous| previous != "-").unwrap_or_default();
        header.found_hash = hash(before, text);
        let first = text.lines().next().unwrap_or_default();
        let word = first.strip_prefix("--!").and_then(|rest| rest.trim_start().strip_prefix("no-transaction"));
        header.has_no_transaction = word.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
        header
    }

    /// Why the chain does not hold at this file.
    fn refusal(&self, previous: Option<&str>) -> Option<String> {
        let (Some(own_previous), Some(hash)) = (&self.previous, &self.hash) else {
            return Some("no `--! Previous:` and `--! Hash:` at its very beginning".to_string());
        };
        if !self.is_set_apart {
            return Some("no empty line behind its header".to_string());
        }
        match previous {
            Some(previous) if previous != own_previous => {
                return Some("its Previous is not the Hash of the file before".to_string());
            }
            None if own_previous != "-" => return Some("its Previous is of no file here".to_string()),
            Some(_) | None => {}
        }
        match (hash == &self.found_hash, self.allows_invalid_hash) {
            (false, false) => Some("its text is not the one that its Hash was made of".to_string()),
            (true, true) => Some("it allows an invalid Hash, and its Hash is valid".to_string()),
            (true, false) | (false, true) => None,
        }
    }
}

/// `/^--! ([A-Z][a-zA-Z0-9_]*)(?::(.*))?$/`.
fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix("--! ").filter(|line| !line.contains('\r'))?;
    let (key, value) = line.split_once(':').unwrap_or((line, ""));
    let is_key = key.starts_with(|c: char| c.is_ascii_uppercase()) && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_key.then_some((key, value.trim()))
}

fn hash(previous: &str, text: &str) -> String {
    let hashed = format!("{}\n", format!("{previous}\n{text}").trim());
    Sha1::digest(hashed.as_bytes()).iter().fold("sha1:".to_string(), |mut hex, byte| {
        // Writing into a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn step(id: &str, entry: &FileEntry, header: Option<&Header>) -> Step {
    let step = Step::of_file(id, entry, Wrapping::Wrapped);
    let (UnitKind::Sql, Some(header)) = (step.kind, header) else { return step };
    let part = Span { start: header.end, end: entry.source().body().end };
    let step = Step { parts: vec![part], tag_regions: vec![part], ..step };
    if header.has_no_transaction { Step { wrapping: Wrapping::Batch, ..step }.or_explicit() } else { step }
}

/// The current migration with what it includes, in the order in which it runs.
struct Including<'t, 'a> {
    tree: &'t Tree<'a>,
    reading: &'t mut Reading,
    /// Paths of the files that are being read: one among them includes itself.
    open: Vec<&'a str>,
}

impl<'a> Including<'_, 'a> {
    fn read(&mut self, id: String, entry: &'a FileEntry) {
        let header = Header::of(entry);
        let step = step(&id, entry, header.as_ref());
        let (UnitKind::Sql, Some(text), Some(&part)) = (step.kind, entry.text(), step.parts.first()) else {
            self.reading.steps.push(step);
            return;
        };
        self.open.push(&entry.path);
        let mut start = part.start;
        let mut pieces = 0;
        for (span, line) in lines(text, part) {
            let Some(wanted) = include(line) else { continue };
            pieces += self.piece(&step, Span { start, end: span.start }, text);
            start = span.end;
            let found = self.fixture(wanted);
            match found {
                Some(fixture) if !self.open.contains(&fixture.path.as_str()) => self.read(format!("fixtures/{wanted}"), fixture),
                Some(_) | None => {
                    self.reading.incomplete = true;
                    let why = if found.is_some() { "is being included already" } else { "is not in fixtures/" };
                    let why = format!("{wanted}, which it includes, {why}: graphile-migrate refuses it");
                    self.reading.object(&entry.path, why, "include a file of fixtures/ that does not lead back here");
                }
            }
        }
        pieces += self.piece(&step, Span { start, end: part.end }, text);
        if pieces == 0 {
            self.reading.steps.push(Step { parts: Vec::new(), tag_regions: Vec::new(), ..step });
        }
        self.open.pop();
    }

    /// One stretch of a file between its includes; how many units that makes.
    fn piece(&mut self, whole: &Step, span: Span, text: &str) -> usize {
        if text[span.start..span.end].trim().is_empty() {
            return 0;
        }
        self.reading.steps.push(Step { parts: vec![span], tag_regions: vec![span], ..whole.clone() });
        1
    }

    fn fixture(&self, wanted: &str) -> Option<&'a FileEntry> {
        let fixtures = self.tree.fixtures?;
        let path = format!("{}/{wanted}", fixtures.path);
        fixtures.files_below().into_iter().find(|f| f.path == path)
    }
}

/// The file that a line `--!include functions/f.sql` names.
fn include(line: &str) -> Option<&str> {
    let blank = |c: char| c == ' ' || c == '\t';
    let rest = line.trim_end_matches('\n').strip_prefix("--!")?.trim_start_matches(blank).strip_prefix("include")?;
    rest.starts_with(blank).then(|| rest.trim_matches(blank)).filter(|name| name.ends_with(".sql"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Header {
        Header::read(text, Span { start: 0, end: text.len() })
    }

    #[test]
    fn a_header_ends_with_the_first_other_line() {
        let text = "--! Previous: -\n--! Hash: sha1:ab\n--! AllowInvalidHash\n\n--! no-transaction\nA;\n--! Message: no\n";
        let header = header(text);
        assert_eq!((header.previous.as_deref(), header.hash.as_deref()), (Some("-"), Some("sha1:ab")));
        assert!(header.allows_invalid_hash && header.has_no_transaction);
        assert!(text[header.end..].starts_with("\n--! no-transaction"));
    }

    #[test]
    fn a_header_with_carriage_returns_is_none() {
        let header = header("--! Previous: -\r\n--! Hash: sha1:ab\r\n\r\nA;\r\n");
        assert_eq!((header.previous, header.end), (None, 0));
    }

    #[test]
    fn only_the_first_line_of_the_text_gives_up_the_transaction() {
        assert!(header("--!no-transaction\nA;").has_no_transaction);
        for text in ["--! no-transactions\nA;", "-- ! no-transaction\nA;", "A;\n--! no-transaction\n"] {
            assert!(!header(text).has_no_transaction, "{text}");
        }
    }

    #[test]
    fn hashes_are_those_that_it_computes() {
        // printf 'select 1;\n' | sha1sum, and with a line `abc` before it.
        assert_eq!(hash("", "select 1;"), "sha1:005c6eb7364156e6b0d158d8b2767a24f1ce6611");
        assert_eq!(hash("abc", "select 1;"), "sha1:d190a65facb8c22d455471e81e4251e5d12b4263");
    }

    #[test]
    fn an_include_is_a_line_that_begins_with_it() {
        assert_eq!(include("--!include functions/f.sql\n"), Some("functions/f.sql"));
        assert_eq!(include("--! \tinclude a b.sql  "), Some("a b.sql"));
        for line in ["--!included f.sql", " --!include f.sql", "--!include f.txt", "-- !include f.sql"] {
            assert_eq!(include(line), None, "{line}");
        }
    }
}
