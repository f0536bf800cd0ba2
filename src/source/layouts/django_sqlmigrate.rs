//! What Django's `sqlmigrate` writes: each operation under a header of three comment lines, the middle one of which describes it.
//!
//! Order: that of the files' names; `sqlmigrate` writes one migration at a time and does not name it. A unit is a migration: BEGIN …
//! COMMIT around it, or nothing where it is not atomic (`django/core/management/commands/sqlmigrate.py`, output_transaction). Where
//! several outputs were put into one file, a BEGIN before a header begins the next one; two that are not atomic cannot be told apart.
//!
//! What is done in Python does not stand in the text, only that it is done (`django/db/migrations/migration.py`, apply): it is a step
//! that nobody knows, before its migration. pg_dump writes headers of the same form; only descriptions as Django's own operations
//! write them are a mark. Several statements of one RunSQL are one message to the server, which the text does not show either; without
//! BEGIN they are taken for statements sent alone. Held against Django 5.2.19 by tests/ledgers.rs.

use super::{Claim, Layout, OptOut, Reading, Step, Strength};
use crate::op::Span;
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::leading_version;
use crate::source::script::{self, Chunk};
use crate::source::{UnitKind, Version, Wrapping};
use crate::sql::lex::{self, TokenKind};
use std::sync::Arc;

/// How Django's operations describe themselves (`describe` in `django/db/migrations/operations/` and
/// `django/contrib/postgres/operations.py`).
const DESCRIPTIONS: [&str; 31] = [
    "Add field ",
    "Alter constraint ",
    "Alter field ",
    "Alter index_together for ",
    "Alter unique_together for ",
    "Change Meta options on ",
    "Change managers on ",
    "Concurrently create index ",
    "Concurrently remove index ",
    "Create collation ",
    "Create constraint ",
    "Create index ",
    "Create model ",
    "Create not valid constraint ",
    "Create proxy model ",
    "Creates extension ",
    "Custom state/database change combination",
    "Delete model ",
    "Raw Python operation",
    "Raw SQL operation",
    "Remove collation ",
    "Remove constraint ",
    "Remove field ",
    "Remove index ",
    "Rename field ",
    "Rename index ",
    "Rename model ",
    "Rename table for ",
    "Rename unnamed index for ",
    "Set order_with_respect_to on ",
    "Validate constraint ",
];
/// What stands where the SQL would, behind the header.
const IN_PYTHON: &str = "-- THIS OPERATION CANNOT BE WRITTEN AS SQL";
/// What older versions wrote instead, in the header and before the description.
const NOW_IN_PYTHON: &str = "-- MIGRATION NOW PERFORMS OPERATION THAT CANNOT BE WRITTEN AS SQL:";

pub struct DjangoSqlmigrate;

impl Layout for DjangoSqlmigrate {
    fn name(&self) -> &'static str {
        "django-sqlmigrate"
    }

    fn marks(&self) -> &'static str {
        "a script that begins with a header of Django's: `--`, `-- Create model …`, `--`"
    }

    fn file_names(&self) -> &'static str {
        "a script that begins with `--`, `-- Create model …`, `--`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Explicit
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Elsewhere("write `atomic = False` in the migration's class")
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let scripts: Vec<&FileEntry> = directory.files.iter().filter(|f| f.is_sql() && is_stream(f)).collect();
        let first = scripts.first()?;
        Some(Claim {
            strength: Strength::Content,
            evidence: format!("{} begins with a header of Django's", first.name),
            files: scripts.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        let mut scripts: Vec<&FileEntry> = directory.files.iter().filter(|f| f.is_sql()).collect();
        let number = |entry: &FileEntry| leading_version(&entry.name).map(Version::numbers);
        scripts.sort_by_cached_key(|entry| (number(entry).is_none(), number(entry), entry.name.clone()));
        for entry in scripts {
            match self.read_script(entry) {
                Some(steps) => reading.steps.extend(steps),
                // What a migration without operations is written as.
                None if entry.text().is_some_and(|text| text.trim().is_empty()) && number(entry).is_some() => {
                    reading.steps.push(Step::of_file(entry.stem(), entry, self.wrapping()));
                }
                None => reading.skip(entry, "it does not begin with a header of Django's"),
            }
        }
        reading
    }

    fn read_script(&self, script: &FileEntry) -> Option<Vec<Step>> {
        if !is_stream(script) {
            return None;
        }
        let text = script.text()?;
        let units = units(text, script.source().body());
        let is_only = units.len() == 1;
        let mut steps = Vec::new();
        for (at, unit) in units.into_iter().enumerate() {
            let id = if is_only { script.stem().to_string() } else { format!("{}#{}", script.stem(), at + 1) };
            let programs = unit.programs.iter().enumerate();
            steps.extend(programs.map(|(at, program)| {
                let id =
                    if unit.programs.len() == 1 { format!("{id} ({program})") } else { format!("{id} ({program} {})", at + 1) };
                Step::unseen(id, script.source(), unit.wrapping)
            }));
            steps.push(Step {
                id,
                version: None,
                down: None,
                file: Arc::clone(script.source()),
                parts: vec![unit.span],
                tag_regions: vec![unit.span],
                wrapping: unit.wrapping,
                kind: UnitKind::Sql,
            });
        }
        Some(steps)
    }
}

/// True where a header of Django's stands before the first statement, perhaps behind a BEGIN and other comments.
fn is_stream(entry: &FileEntry) -> bool {
    let text = entry.text().filter(|_| entry.failure().is_none());
    text.and_then(|text| text.get(entry.source().body().start..)).is_some_and(begins_with_header)
}

fn begins_with_header(text: &str) -> bool {
    // What stands before the first statement that is no BEGIN; a header is among its comments.
    let before = lex::tokens(text).filter(|token| token.kind != TokenKind::Whitespace).take_while(|token| match token.kind {
        TokenKind::LineComment | TokenKind::BlockComment | TokenKind::Semicolon => true,
        _ => token.text(text).eq_ignore_ascii_case("begin"),
    });
    let words: Vec<&str> = before.map(|token| token.text(text).trim_end()).collect();
    let header = |words: &[&str]| match words {
        ["--", description, "--", ..] => is_description(description),
        ["--", announcement, _, "--", ..] => *announcement == NOW_IN_PYTHON,
        _ => false,
    };
    (0..words.len()).any(|at| header(&words[at..]))
}

fn is_description(comment: &str) -> bool {
    comment.strip_prefix("-- ").is_some_and(|description| DESCRIPTIONS.iter().any(|known| description.starts_with(known)))
}

#[derive(Debug)]
struct Unit {
    span: Span,
    wrapping: Wrapping,
    /// Operations in Python, as they describe themselves.
    programs: Vec<String>,
}

fn units(text: &str, body: Span) -> Vec<Unit> {
    let chunks: Vec<Chunk> = script::chunks(text, body).collect();
    // Where a migration begins: at a BEGIN outside of a transaction, and behind a COMMIT.
    let mut starts = vec![body.start];
    let mut wrappings = Vec::new();
    let mut wrapping = Wrapping::None;
    for (at, chunk) in chunks.iter().enumerate() {
        if chunk.opens_transaction() && wrapping != Wrapping::Explicit {
            if at > 0 && starts.last().is_some_and(|&start| start < chunk.whole.start) {
                starts.push(chunk.whole.start);
                wrappings.push(wrapping);
            }
            wrapping = Wrapping::Explicit;
        } else if chunk.closes_transaction() && at + 1 < chunks.len() {
            starts.push(chunk.whole.end);
            wrappings.push(wrapping);
            wrapping = Wrapping::None;
        }
    }
    wrappings.push(wrapping);
    let ends = starts.iter().skip(1).copied().chain([body.end]);
    let spans = starts.iter().zip(ends).map(|(&start, end)| Span { start, end });
    spans.zip(wrappings).map(|(span, wrapping)| Unit { span, wrapping, programs: programs(text, span) }).collect()
}

fn programs(text: &str, span: Span) -> Vec<String> {
    let comments: Vec<&str> = lex::tokens_from(&text[..span.end], span.start)
        .filter(|token| token.kind == TokenKind::LineComment)
        .map(|token| token.text(text).trim_end())
        .collect();
    let mut found = Vec::new();
    let mut last = "an operation in Python";
    for (at, comment) in comments.iter().enumerate() {
        let description = comment.trim_start_matches('-').trim();
        match at.checked_sub(1).map(|before| comments[before]) {
            _ if *comment == IN_PYTHON => found.push(last.to_string()),
            Some(NOW_IN_PYTHON) => found.push(description.to_string()),
            Some("--") if !description.is_empty() => last = description,
            Some(_) | None => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    fn read(text: &str) -> Option<Vec<(String, Wrapping, String)>> {
        let file = SourceFile { path: "0001_a.sql".into(), repo_path: "0001_a.sql".into(), bytes: text.into() };
        let steps = DjangoSqlmigrate.read_script(&FileEntry::of_source("0001_a.sql", Arc::new(file)))?;
        let shown = |step: Step| {
            let text = step.parts.iter().map(|part| text[part.start..part.end].split_whitespace().collect::<Vec<_>>().join(" "));
            (step.id, step.wrapping, text.collect::<Vec<_>>().join(" | "))
        };
        Some(steps.into_iter().map(shown).collect())
    }

    #[test]
    fn a_migration_is_one_unit_and_what_it_does_in_python_is_a_step_that_nobody_knows() {
        let text = "BEGIN;\n--\n-- Create model User\n--\nCREATE TABLE u ();\n--\n-- Raw Python operation\n--\n\
            -- THIS OPERATION CANNOT BE WRITTEN AS SQL\nCREATE INDEX i ON u (a);\nCOMMIT;\n";
        let found = read(text).expect("a stream");
        let ids: Vec<(&str, Wrapping)> = found.iter().map(|(id, wrapping, _)| (id.as_str(), *wrapping)).collect();
        assert_eq!(ids, [("0001_a (Raw Python operation)", Wrapping::Explicit), ("0001_a", Wrapping::Explicit)]);
        assert!(found[1].2.starts_with("BEGIN;") && found[1].2.ends_with("COMMIT;"));
    }

    #[test]
    fn older_versions_announce_python_in_the_header() {
        let text = format!("BEGIN;\n--\n{NOW_IN_PYTHON}\n-- Raw Python operation\n--\nCOMMIT;\n");
        let ids: Vec<String> = read(&text).expect("a stream").into_iter().map(|(id, ..)| id).collect();
        assert_eq!(ids, ["0001_a (Raw Python operation)", "0001_a"]);
    }

    #[test]
    fn several_outputs_in_one_text_are_several_units() {
        let atomic = "BEGIN;\n--\n-- Add field a to user\n--\nSELECT 1;\nCOMMIT;\n";
        let other = "--\r\n-- Raw SQL operation\r\n--\r\nSELECT 2;\r\n--\r\n-- Change Meta options on user\r\n--\r\n-- (no-op)";
        let found = read(&format!("{atomic}{other}\n{atomic}")).expect("a stream");
        let ids: Vec<(&str, Wrapping)> = found.iter().map(|(id, wrapping, _)| (id.as_str(), *wrapping)).collect();
        assert_eq!(ids, [("0001_a#1", Wrapping::Explicit), ("0001_a#2", Wrapping::None), ("0001_a#3", Wrapping::Explicit)]);
        assert_eq!(read(other).map(|found| found.len()), Some(1));
    }

    #[test]
    fn headers_of_dumps_and_of_people_are_none() {
        for text in [
            "--\n-- PostgreSQL database dump\n--\nSELECT 1;",
            "--\n-- Name: users; Type: TABLE; Schema: public; Owner: -\n--\nCREATE TABLE users ();",
            "-- Create model User\nSELECT 1;",
            "SELECT 1;\n--\n-- Create model User\n--\n",
            "BEGIN;\n--\n-- Our tables\n--\n",
            "BEGIN;\n-- Create model User\nSELECT 1;",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
