//! tern: `<number>_<name>.sql`, undone by what stands below `---- create above / drop below ----`.
//!
//! The line is looked for wherever it stands, and only the first counts (`migrate/migrate.go`, LoadMigrations). Order: the number,
//! which has to count from 1 without a gap or a double, else tern refuses the directory (FindMigrations). Transaction: the runner's
//! own; a line `---- tern: disable-tx ----` above the dividing line gives it up, and each statement is sent alone (doSQLMigration);
//! before a carriage return it is no such line (disableTxPattern). Files are Go templates: `{{ … }}` is a placeholder, and `.sql` files
//! in sub-directories are templates that steps may call. Held against version 2.2.0 by tests/ledgers.rs.
//!
//! The dividing line is often absent, so tern is recognised by its `tern.conf` and by a go.mod that requires it, too.

use super::sections::lines;
use super::{Claim, Late, Layout, OptOut, Reading, Statements, Step, Strength, go_dependency, of_other_database_in, share};
use crate::op::Span;
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::{leading_digits, split_direction};
use crate::source::{Migration, UnitKind, Version, Wrapping};

const DIVIDE: &str = "---- create above / drop below ----";
const DISABLE_TRANSACTION: &str = "---- tern: disable-tx ----";

pub struct Tern;

impl Layout for Tern {
    fn name(&self) -> &'static str {
        "tern"
    }

    fn marks(&self) -> &'static str {
        "files named <number>_<name>.sql, one with `---- create above / drop below ----` or `---- tern: disable-tx ----`, or a tern.conf or a go.mod with tern above"
    }

    fn file_names(&self) -> &'static str {
        "`<number>_<name>.sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Mark {
            mark: "---- tern: disable-tx ----",
            place: "on a line of its own at the top",
            statements: Statements::Apart,
        }
    }

    /// `migrate/migrate.go`, acquireAdvisoryLock: `select pg_advisory_lock($1)`.
    fn waits_for_advisory_lock(&self) -> bool {
        true
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    /// A number that was applied is taken, and the numbers have no gaps (`migrate/migrate.go`, FindMigrations).
    fn late(&self, _: &Migration) -> Late {
        Late::Refused
    }

    /// `migrate/migrate.go`, FindMigrations.
    fn on_same_version(&self) -> Option<&'static str> {
        Some("tern refuses the directory")
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let named: Vec<&FileEntry> = directory.files.iter().filter(|f| version(f).is_some()).collect();
        named.first()?;
        // Pairs are another runner's, whatever else the module requires.
        let is_paired = named.iter().all(|f| split_direction(f.stem()).1.is_some());
        let (strength, mark) = match named.iter().find(|f| is_marked(f)) {
            Some(file) => (Strength::Content, format!("{} holds a `---- … ----` line of tern's", file.name)),
            None if directory.file("tern.conf").is_some() => (Strength::Content, "a tern.conf stands beside them".to_string()),
            None if is_paired => return None,
            None => (Strength::Surroundings, mark_above(directory)?),
        };
        Some(Claim {
            strength,
            evidence: format!("{}, and {mark}", share(named.len(), directory, "<number>_<name>.sql")),
            files: named.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        for entry in &directory.files {
            let Some(id) = version(entry) else { continue };
            match of_other_database_in(directory, &entry.name) {
                Some(why) => reading.skip(entry, &why),
                None => reading.steps.push(step(id, entry).versioned(Version::number(id))),
            }
        }
        for entry in directory.directories.iter().flat_map(Directory::files_below).filter(|f| f.is_sql()) {
            reading.skip(entry, "a template: it is run where a step calls it");
        }
        reading.order_by_version();
        object_to_gap(&mut reading);
        reading
    }

    fn read_script(&self, script: &FileEntry) -> Option<Vec<Step>> {
        is_marked(script).then(|| vec![step(version(script).unwrap_or(script.stem()), script)])
    }
}

/// Says where the numbers do not count on from 1.
fn object_to_gap(reading: &mut Reading) {
    let numbers = reading.steps.iter().map(|step| step.version.as_ref().and_then(Version::single));
    let mut counted = (1..).zip(numbers).zip(&reading.steps);
    let gap = counted.find(|((wanted, have), _)| have.is_none_or(|have| have > *wanted));
    if let Some(((wanted, _), step)) = gap {
        let path = step.file.path.clone();
        let why = format!("there is no migration {wanted} before it: tern refuses the directory");
        reading.object(&path, why, "number the files from 1 on without a gap");
    }
}

fn mark_above(directory: &Directory) -> Option<String> {
    if !directory.above("tern.conf").is_empty() {
        return Some("a tern.conf stands above".to_string());
    }
    go_dependency(directory, "github.com/jackc/tern").then(|| "a go.mod above requires tern".to_string())
}

fn version(entry: &FileEntry) -> Option<&str> {
    leading_digits(entry.stem()).filter(|(_, rest)| entry.is_sql() && rest.len() > 1 && rest.starts_with('_')).map(|(id, _)| id)
}

fn is_marked(entry: &FileEntry) -> bool {
    entry.text().is_some_and(|text| text.contains(DIVIDE) || gives_up_transaction(text, entry.source().body()))
}

fn step(id: &str, entry: &FileEntry) -> Step {
    let step = Step::of_file(id, entry, Wrapping::Wrapped);
    let (UnitKind::Sql, Some(text)) = (step.kind, entry.text()) else { return step };
    let (up, down) = divided(text, entry.source().body());
    let step = Step { parts: vec![up], tag_regions: vec![up], ..step };
    let step = match down.filter(|down| !text[down.start..down.end].trim().is_empty()) {
        Some(down) => step.undone_by(down),
        None => step,
    };
    if gives_up_transaction(text, up) { Step { wrapping: Wrapping::None, ..step }.or_explicit() } else { step }
}

fn divided(text: &str, body: Span) -> (Span, Option<Span>) {
    match text[body.start..body.end].find(DIVIDE) {
        Some(at) => {
            let end = body.start + at;
            (Span { start: body.start, end }, Some(Span { start: end + DIVIDE.len(), end: body.end }))
        }
        None => (body, None),
    }
}

fn gives_up_transaction(text: &str, part: Span) -> bool {
    lines(text, part).any(|(_, line)| line.strip_suffix('\n').unwrap_or(line) == DISABLE_TRANSACTION)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Span {
        Span { start: 0, end: text.len() }
    }

    #[test]
    fn the_first_dividing_line_divides() {
        let text = "A;\n---- create above / drop below ----\nB;\n---- create above / drop below ----\nC;";
        let (up, down) = divided(text, whole(text));
        assert_eq!(&text[up.start..up.end], "A;\n");
        assert_eq!(down.map(|s| &text[s.start..s.end]), Some("\nB;\n---- create above / drop below ----\nC;"));
        assert_eq!(divided("A;", whole("A;")), (whole("A;"), None));
    }

    #[test]
    fn a_transaction_is_given_up_by_a_whole_line() {
        for text in ["---- tern: disable-tx ----\nA;", "A;\n---- tern: disable-tx ----"] {
            assert!(gives_up_transaction(text, whole(text)), "{text}");
        }
        for text in ["---- tern: disable-tx ----\r\nA;", " ---- tern: disable-tx ----\nA;", "-- tern: disable-tx"] {
            assert!(!gives_up_transaction(text, whole(text)), "{text}");
        }
    }
}
