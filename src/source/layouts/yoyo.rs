//! yoyo: `<id>.sql` and `<id>.py` that say what they depend on, with `<id>.rollback.sql` beside them.
//!
//! Order: the names of the files with their endings, bytewise, but none before what it depends on (`yoyo/migrations.py`,
//! read_migrations; `yoyo/topologicalsort.py`). A dependency that is no file here is in another of yoyo's sources, or else yoyo
//! refuses the history; it orders nothing here. A late file is run, whatever its name. `post-apply*` runs after every run and is no
//! migration; `_tmp_yoyonew*` is what its editor leaves.
//!
//! Transaction: one around the file, with a savepoint around each statement; after `-- transactional: false` each statement is sent
//! alone (`Migration.process_steps`). Both `depends` and `transactional` are read from the comments before the first statement only
//! (parse_metadata_from_sql_comments), and not behind a byte order mark, which the server refuses then. What the text of a step in
//! Python does is unknown; its `__depends__` is read where it is written out.
//!
//! Held against version 9.0.0 by tests/ledgers.rs.

use super::{Claim, Late, Layout, OptOut, Reading, Statements, Step, Strength};
use crate::source::directory::{Directory, FileEntry};
use crate::source::{DownPart, Migration, Wrapping};
use std::collections::BTreeSet;
use std::sync::Arc;

const ROLLBACK: &str = ".rollback.sql";

pub struct Yoyo;

impl Layout for Yoyo {
    fn name(&self) -> &'static str {
        "yoyo"
    }

    fn marks(&self) -> &'static str {
        "an .sql file with `-- depends:` or `-- transactional:` before its first statement, a .py file that imports yoyo, or a yoyo.ini above"
    }

    fn file_names(&self) -> &'static str {
        "`<id>.sql`, `<id>.rollback.sql` or `<id>.py`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Mark {
            mark: "-- transactional: false",
            place: "among the comments before the first statement",
            statements: Statements::Apart,
        }
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    /// It applies what is not in its table, whatever its name (`yoyo/backends/base.py`, to_apply).
    fn late(&self, _: &Migration) -> Late {
        Late::Applied
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let files: Vec<&FileEntry> = directory.files.iter().filter(|f| is_migration(f) || is_rollback(f)).collect();
        let step = files.iter().find(|f| f.is_sql() && is_migration(f))?;
        let mark = files.iter().filter(|f| is_migration(f)).find_map(|file| {
            let text = file.text()?;
            match file.is_sql() {
                true => Header::of(text).is_written.then(|| format!("{} says `-- depends:` or `-- transactional:`", file.name)),
                false => imports_yoyo(text).then(|| format!("{} imports yoyo", file.name)),
            }
        });
        let (strength, mark) = match mark {
            Some(mark) => (Strength::Content, mark),
            None if !directory.above("yoyo.ini").is_empty() => (Strength::Surroundings, "a yoyo.ini stands above".to_string()),
            None => return None,
        };
        let files: Vec<String> = files.iter().map(|f| f.path.clone()).collect();
        Some(Claim { strength, evidence: format!("{} is one of {} files, and {mark}", step.name, files.len()), files })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        let mut waiting = Vec::new();
        for entry in directory.files.iter().filter(|f| is_migration(f)) {
            if entry.name.starts_with("post-apply") {
                reading.skip(entry, "yoyo runs it after every run, and does not record it");
            } else {
                waiting.push((entry, step(entry), dependencies(entry)));
            }
        }
        let all: BTreeSet<&str> = waiting.iter().map(|(entry, ..)| id(entry)).collect();
        let mut done = BTreeSet::new();
        while !waiting.is_empty() {
            let is_ready = |needed: &[String]| needed.iter().all(|id| done.contains(id) || !all.contains(id.as_str()));
            let Some(next) = waiting.iter().position(|(.., needed)| is_ready(needed)) else { break };
            let (_, step, _) = waiting.remove(next);
            done.insert(step.id.clone());
            reading.steps.push(step);
        }
        for (entry, ..) in &waiting {
            reading.skip(entry, "it depends on a file that depends on it: yoyo refuses the history");
        }
        for entry in directory.files.iter().filter(|f| is_rollback(f)) {
            reading.skip(entry, "down part");
            let down = DownPart { file: Arc::clone(entry.source()), span: entry.source().body() };
            let undone = entry.name.strip_suffix(ROLLBACK).unwrap_or_default();
            reading.steps.iter_mut().filter(|step| step.id == undone).for_each(|step| step.down = Some(down.clone()));
        }
        reading
    }
}

fn is_rollback(entry: &FileEntry) -> bool {
    entry.is_sql() && entry.name.ends_with(ROLLBACK)
}

fn is_migration(entry: &FileEntry) -> bool {
    let is_file = entry.is_sql() || (entry.name.ends_with(".py") && !entry.name.starts_with('.'));
    is_file && !is_rollback(entry) && !entry.name.starts_with("_tmp_yoyonew")
}

/// The name without its ending.
fn id(entry: &FileEntry) -> &str {
    entry.name.rsplit_once('.').map_or(entry.name.as_str(), |(stem, _)| stem)
}

fn step(entry: &FileEntry) -> Step {
    if !entry.is_sql() {
        return Step::of_program(id(entry), entry, Wrapping::Wrapped);
    }
    match entry.text().map(Header::of) {
        Some(Header { is_transactional: false, .. }) => Step::of_file(id(entry), entry, Wrapping::None).or_explicit(),
        Some(_) | None => Step::of_file(id(entry), entry, Wrapping::Wrapped),
    }
}

fn dependencies(entry: &FileEntry) -> Vec<String> {
    let Some(text) = entry.text() else { return Vec::new() };
    if entry.is_sql() { Header::of(text).depends } else { depends_of_python(text) }
}

/// What the comments before the first statement say.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    depends: Vec<String>,
    is_transactional: bool,
    /// True when they say anything of the two.
    is_written: bool,
}

impl Header {
    fn of(text: &str) -> Header {
        let mut header = Header { depends: Vec::new(), is_transactional: true, is_written: false };
        for line in text.lines().map(str::trim_start) {
            if line.is_empty() {
                continue;
            }
            let Some(comment) = line.strip_prefix("--") else { break };
            let Some((word, value)) = comment.split_once(':') else { continue };
            match word.trim() {
                "depends" => header.depends.extend(value.split_whitespace().map(str::to_owned)),
                "transactional" => header.is_transactional = !value.trim().eq_ignore_ascii_case("false"),
                _ => continue,
            }
            header.is_written = true;
        }
        header
    }
}

fn imports_yoyo(text: &str) -> bool {
    text.lines().map(str::trim_start).any(|line| {
        let name = line.strip_prefix("from ").or_else(|| line.strip_prefix("import "));
        name.and_then(|name| name.trim_start().strip_prefix("yoyo"))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '.']))
    })
}

/// The strings of `__depends__ = {…}`, and of the other ways to write a collection or a single one.
fn depends_of_python(text: &str) -> Vec<String> {
    let assigned = text.lines().position(|line| line.starts_with("__depends__")).and_then(|at| {
        let value = text.split_inclusive('\n').skip(at).map(str::len).sum::<usize>();
        text[text.len() - value..].split_once('=')
    });
    let value = assigned.map_or("", |(_, value)| value.trim_start());
    let value = value.strip_prefix("set(").unwrap_or(value);
    let end = match value.chars().next() {
        Some('{') => '}',
        Some('[') => ']',
        Some('(') => ')',
        Some('"' | '\'') => '\n',
        Some(_) | None => return Vec::new(),
    };
    let mut strings = Vec::new();
    let mut characters = value.chars();
    while let Some(character) = characters.next().filter(|&c| c != end) {
        match character {
            '"' | '\'' => strings.push(characters.by_ref().take_while(|&c| c != character).collect()),
            '#' => characters.by_ref().take_while(|&c| c != '\n').for_each(drop),
            _ => {}
        }
    }
    strings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_ends_at_the_first_statement() {
        let header = Header::of(
            "-- why: not\n\n  --depends :  a  b\r\n-- depends: c\nSELECT 1;\n-- depends: d\n-- transactional: false\n",
        );
        assert_eq!(
            header,
            Header { depends: vec!["a".into(), "b".into(), "c".into()], is_transactional: true, is_written: true }
        );
        assert!(!Header::of("-- transactional: False").is_transactional);
        for text in ["", "-- why\nSELECT 1;", "/* depends: a */", "\u{FEFF}-- depends: a\n", "-- see depends: a"] {
            assert!(!Header::of(text).is_written, "{text:?}");
        }
    }

    #[test]
    fn dependencies_of_a_step_in_python_are_read_where_they_are_written_out() {
        let texts = [
            "__depends__ = {'a', \"b\"}",
            "from yoyo import step\n__depends__ = [\n    \"a\",\n    \"b\",  # it's why\n]\nstep(\"c\")\n",
            "__depends__=('a','b')",
            "__depends__ = set(['a', 'b'])",
        ];
        for text in texts {
            assert_eq!(depends_of_python(text), ["a", "b"], "{text}");
        }
        assert_eq!(depends_of_python("__depends__ = 'a'"), ["a"]);
        for text in ["__depends__ = {}", "__depends__ = names()", "# __depends__ = {'a'}", ""] {
            assert!(depends_of_python(text).is_empty(), "{text}");
        }
        assert!(
            imports_yoyo("\"\"\"Why\"\"\"\nfrom yoyo import step\n")
                && imports_yoyo("import yoyo")
                && !imports_yoyo("import yoyodyne")
        );
    }
}
