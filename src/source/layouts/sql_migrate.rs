//! sql-migrate: `.sql` files of any name with `-- +migrate Up` and `-- +migrate Down` sections.
//!
//! Markers are read as sql-migrate reads them (`sqlparse/sqlparse.go`, ParseMigration): `-- +migrate ` at the very start of a line,
//! case and blanks included; sections may repeat, and Down may come first. What stands before the first one is not run. A file
//! without any makes sql-migrate refuse the directory. Order: the number that a name begins with, then the whole name; names without
//! a number come last (`migrate.go`, Migration.Less). It records whole names, so two files of one number are two steps. Transaction:
//! the runner's own; `-- +migrate Up notransaction` gives it up for all of the file's Up sections, and each statement is sent alone
//! (ExecMaxContext). `StatementBegin` … `StatementEnd` is one statement for sql-migrate and a part of its own here; several of them
//! without a transaction are taken for statements sent alone, one for a batch. A byte order mark hides a marker on the first line,
//! so that nothing of such an Up section runs, and the file is recorded all the same. A late lower number is run. Held against
//! Debian's 0.0~git20191213 by tests/ledgers.rs.

use super::sections::{Section, Sections, sent_whole};
use super::{Claim, Late, Layout, OptOut, Reading, Statements, Step, Strength, of_other_database_in};
use crate::op::Span;
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::leading_digits;
use crate::source::{Migration, Version, Wrapping};

const MARKER: &str = "-- +migrate ";

pub struct SqlMigrate;

impl Layout for SqlMigrate {
    fn name(&self) -> &'static str {
        "sql-migrate"
    }

    fn marks(&self) -> &'static str {
        "files that hold a line `-- +migrate Up`"
    }

    fn file_names(&self) -> &'static str {
        "`….sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Mark {
            mark: "-- +migrate Up notransaction",
            place: "in place of `-- +migrate Up`",
            statements: Statements::Apart,
        }
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    /// It catches up first with what is missing before the last one (`migrate.go`, ToCatchup).
    fn late(&self, _: &Migration) -> Late {
        Late::Applied
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let all = directory.files.iter().filter(|f| f.is_sql());
        let (marked, others): (Vec<&FileEntry>, Vec<&FileEntry>) = all.partition(|f| is_annotated(f));
        (!marked.is_empty()).then(|| Claim {
            strength: Strength::Content,
            evidence: format!("{} of {} .sql files hold `-- +migrate` annotations", marked.len(), marked.len() + others.len()),
            files: marked.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        for entry in directory.files.iter().filter(|f| f.is_sql()) {
            if let Some(why) = of_other_database_in(directory, &entry.name) {
                reading.skip(entry, &why);
            } else if let Some(step) = step(entry) {
                reading.steps.push(step.versioned(version(&entry.name)));
            } else {
                reading.skip(entry, "no `-- +migrate` annotation in it: sql-migrate refuses the directory");
            }
        }
        reading.order_by_version();
        reading
    }

    fn read_script(&self, script: &FileEntry) -> Option<Vec<Step>> {
        is_annotated(script).then(|| step(script)).flatten().map(|step| vec![step])
    }
}

fn version(name: &str) -> Version {
    leading_digits(name).map_or_else(|| Version::text(name), |(digits, _)| Version::named(digits, name))
}

fn is_annotated(entry: &FileEntry) -> bool {
    entry.text().is_some_and(|text| sections(text, entry.source().body()).0.is_marked)
}

/// `None` for a text without annotations. A file that is no text is a step that cannot be read.
fn step(entry: &FileEntry) -> Option<Step> {
    let id = entry.name.as_str();
    let Some(text) = entry.text().filter(|_| entry.failure().is_none()) else {
        return Some(Step::of_file(id, entry, Wrapping::Wrapped));
    };
    // A byte order mark is part of the first line here.
    let (sections, without_transaction) = sections(text, Span { start: 0, end: text.len() });
    let wrapping = if without_transaction { Wrapping::None } else { Wrapping::Wrapped };
    let step = sections.is_marked.then(|| sections.into_step(id, entry, wrapping))?;
    let begins =
        |line: &str| line.strip_prefix(MARKER).is_some_and(|words| words.split_whitespace().next() == Some("StatementBegin"));
    Some(if without_transaction { sent_whole(step.or_explicit(), begins) } else { step })
}

/// The sections, and whether a marker of an Up section gives up the transaction.
fn sections(text: &str, body: Span) -> (Sections, bool) {
    let mut without_transaction = false;
    let sections = Sections::read(text, body, |line, section| {
        let mut words = line.strip_prefix(MARKER)?.split_whitespace();
        match (words.next()?, section) {
            ("Up", _) => {
                without_transaction |= words.any(|option| option == "notransaction");
                Some(Section::Up)
            }
            ("Down", _) => Some(Section::Down),
            // Before the first section they mean nothing.
            ("StatementBegin" | "StatementEnd", Section::Up | Section::Down) => Some(section),
            _ => None,
        }
    });
    (sections, without_transaction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<&str>, Option<&str>, bool) {
        let (sections, without_transaction) = sections(text, Span { start: 0, end: text.len() });
        let of = |span: &Span| &text[span.start..span.end];
        let texts = |spans: &[Span]| spans.iter().map(|s| &text[s.start..s.end]).collect();
        (texts(&sections.up), sections.down.as_ref().map(of), without_transaction)
    }

    #[test]
    fn down_may_come_first_and_sections_may_repeat() {
        let text = "-- +migrate Down\nB;\n-- +migrate Up\nA;\n-- +migrate Down\nC;\n-- +migrate Up notransaction\nD;\n";
        assert_eq!(read(text), (vec!["A;\n", "D;\n"], Some("C;\n"), true));
    }

    #[test]
    fn a_marker_is_read_to_the_letter() {
        for text in [" -- +migrate Up\nA;", "--+migrate Up\nA;", "-- +migrate up\nA;", "-- +migrate\nA;"] {
            assert_eq!(read(text).0, Vec::<&str>::new(), "{text}");
        }
        assert_eq!(read("-- +migrate   Up  notransaction\r\nA;\r\n"), (vec!["A;\r\n"], None, true));
    }

    #[test]
    fn statement_blocks_are_parts_of_their_own_inside_of_sections() {
        let text =
            "-- +migrate StatementBegin\nX\n-- +migrate Up\n-- +migrate StatementBegin\nA; B\n-- +migrate StatementEnd\nC;\n";
        assert_eq!(read(text).0, ["A; B\n", "C;\n"]);
    }

    #[test]
    fn only_the_options_of_an_up_section_count() {
        assert!(!read("-- +migrate Up\nA;\n-- +migrate Down notransaction\nB;\n").2);
    }
}
