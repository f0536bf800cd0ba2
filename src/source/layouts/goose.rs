//! goose: `<version>_<name>.sql` with `-- +goose Up` and `-- +goose Down` sections, and steps in Go between them.
//!
//! Annotations are read as goose reads them (`internal/sqlparser/parser.go`): by lines, wherever they stand, in any case. Order: the
//! version as an integer. Transaction: the runner's own; `-- +goose NO TRANSACTION` anywhere in the file gives it up, then each
//! statement is sent alone. `StatementBegin` … `StatementEnd` is one statement for goose and a part of its own here; several of them
//! without a transaction are taken for statements sent alone, one for a batch.
//! goose refuses a Down section before the Up section, blanks before an annotation, and a version that occurs twice; all of them are
//! read all the same. Held against version 3.20.0 by tests/ledgers.rs.

use super::sections::{Section, Sections, sent_whole};
use super::{Claim, Late, Layout, OptOut, Reading, Statements, Step, Strength, of_other_database_in, without_program_ending};
use crate::op::Span;
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::leading_digits;
use crate::source::{Migration, Version, Wrapping};

pub struct Goose;

impl Layout for Goose {
    fn name(&self) -> &'static str {
        "goose"
    }

    fn marks(&self) -> &'static str {
        "files named <version>_<name>.sql that hold a line `-- +goose Up`"
    }

    fn file_names(&self) -> &'static str {
        "`<version>_<name>.sql` or `.go`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Mark { mark: "-- +goose NO TRANSACTION", place: "at the top of the file", statements: Statements::Apart }
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    /// It stops at "missing migrations" unless `-allow-missing` is given (`up.go`).
    fn late(&self, _: &Migration) -> Late {
        Late::Refused
    }

    /// `provider_collect.go`, `migrate.go`.
    fn on_same_version(&self) -> Option<&'static str> {
        Some("goose refuses to run")
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let is_step = |f: &&FileEntry| f.is_sql() && version(&f.name).is_some();
        let annotated: Vec<_> = directory.files.iter().filter(is_step).filter(|f| is_annotated(f)).collect();
        let numbered = directory.files.iter().filter(is_step).count();
        (!annotated.is_empty()).then(|| Claim {
            strength: Strength::Content,
            evidence: format!("{} of {numbered} numbered .sql files hold `-- +goose` annotations", annotated.len()),
            files: annotated.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        for entry in &directory.files {
            let Some(version) = version(&entry.name) else { continue };
            let is_go = entry.name.ends_with(".go") && without_program_ending(&entry.name).is_some();
            if is_go {
                reading.steps.push(Step::of_program(version, entry, Wrapping::Wrapped).versioned(Version::number(version)));
            } else if !entry.is_sql() {
                continue;
            } else if let Some(why) = of_other_database_in(directory, &entry.name) {
                reading.skip(entry, &why);
            } else if let Some(step) = step(version, entry) {
                reading.steps.push(step.versioned(Version::number(version)));
            } else {
                reading.skip(entry, "no `-- +goose Up` in it: goose refuses it");
            }
        }
        reading.order_by_version();
        reading
    }

    fn read_script(&self, script: &FileEntry) -> Option<Vec<Step>> {
        let id = version(&script.name).unwrap_or(script.stem());
        is_annotated(script).then(|| step(id, script)).flatten().map(|step| vec![step])
    }
}

fn version(name: &str) -> Option<&str> {
    leading_digits(name).filter(|(_, rest)| rest.starts_with('_')).map(|(version, _)| version)
}

fn is_annotated(entry: &FileEntry) -> bool {
    entry.text().is_some_and(|text| sections(text, entry.source().body()).saw_annotation)
}

/// `None` for a text without an Up section. A file that is no text is a step that cannot be read.
fn step(id: &str, entry: &FileEntry) -> Option<Step> {
    let Some(text) = entry.text().filter(|_| entry.failure().is_none()) else {
        return Some(Step::of_file(id, entry, Wrapping::Wrapped));
    };
    let found = sections(text, entry.source().body());
    let wrapping = if found.without_transaction { Wrapping::None } else { Wrapping::Wrapped };
    let step = found.sections.has_up.then(|| found.sections.into_step(id, entry, wrapping))?;
    let begins = |line: &str| annotation(line).is_some_and(|word| word.eq_ignore_ascii_case("StatementBegin"));
    Some(if found.without_transaction { sent_whole(step.or_explicit(), begins) } else { step })
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Annotated {
    /// The Up section is cut at `StatementBegin` and `StatementEnd`.
    sections: Sections,
    saw_annotation: bool,
    without_transaction: bool,
}

fn sections(text: &str, body: Span) -> Annotated {
    let mut found = Annotated::default();
    found.sections = Sections::read(text, body, |line, section| {
        let annotation = annotation(line)?.to_ascii_lowercase();
        found.saw_annotation = true;
        match annotation.as_str() {
            "up" => Some(Section::Up),
            "down" => Some(Section::Down),
            "statementbegin" | "statementend" => Some(section),
            "no transaction" => {
                found.without_transaction = true;
                None
            }
            _ => None,
        }
    });
    found
}

/// What follows `-- +goose` on a line of its own.
fn annotation(line: &str) -> Option<&str> {
    line.trim().strip_prefix("--")?.trim_start().strip_prefix("+goose").map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(text: &str) -> Vec<&str> {
        sections(text, Span { start: 0, end: text.len() }).sections.up.iter().map(|s| &text[s.start..s.end]).collect()
    }

    #[test]
    fn the_up_section_ends_at_the_down_section_whichever_comes_first() {
        assert_eq!(up("-- +goose Up\nA;\n-- +goose Down\nB;\n"), ["A;\n"]);
        assert_eq!(up("-- +goose Down\nB;\n-- +goose Up\nA;"), ["A;"]);
        assert_eq!(up("--+goose UP\r\nA;\r\n--  +goose  down\r\nB;"), ["A;\r\n"]);
    }

    #[test]
    fn statement_blocks_are_parts_of_their_own() {
        let text = "-- +goose Up\nA;\n-- +goose StatementBegin\nB; C\n-- +goose StatementEnd\n\n-- +goose StatementBegin\nD\n-- +goose StatementEnd\n";
        assert_eq!(up(text), ["A;\n", "B; C\n", "D\n"]);
    }

    #[test]
    fn no_transaction_counts_before_and_after_up() {
        for text in ["-- +goose NO TRANSACTION\n-- +goose Up\nA;", "-- +goose Up\n-- +goose no transaction\nA;"] {
            assert!(sections(text, Span { start: 0, end: text.len() }).without_transaction, "{text}");
        }
    }

    #[test]
    fn a_text_without_annotations_has_no_section_and_no_header() {
        assert_eq!(sections("SELECT 1; -- +goose Up", Span { start: 0, end: 22 }), Annotated::default());
    }
}
