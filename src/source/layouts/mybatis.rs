//! MyBatis Migrations: `<number>_<description>.sql`, undone by what stands below `-- //@UNDO`.
//!
//! The marker is read as its `MigrationReader` reads it (state machine of `determinePart`): the first line of `--` or `//`, `//` and
//! `@UNDO`, with blanks between them; all below it undoes. Order: the number, which may have a fraction (`Change.compareTo` of a
//! BigDecimal). `bootstrap.sql` is run by `migrate bootstrap` alone and `onabort.sql` after an error; any other name without a number
//! makes it refuse the directory (`FileMigrationLoader`). Transaction: one per script; with `auto_commit=true` in the environment none,
//! and then a script is one batch if `send_full_script=true`, else statement by statement (`operations/ScriptRunner`). The environments
//! are the `.properties` files of the directory `environments` beside the scripts; where they disagree, the default is taken.
//! `${…}` without a value stays as it is (`utils/VariableReplacer`).

use super::sections::{Section, Sections, lines};
use super::{Claim, Late, Layout, OptOut, Reading, Step, Strength, of_other_database};
use crate::op::Span;
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::leading_digits;
use crate::source::{Migration, Rewriting, Version, Wrapping};

/// Longest fraction that is told apart: `NUMERIC(20,0)` of its ledger holds none at all.
const FRACTION: usize = 18;

pub struct MyBatis;

impl Layout for MyBatis {
    fn name(&self) -> &'static str {
        "mybatis"
    }

    fn marks(&self) -> &'static str {
        "files named <number>_<description>.sql that hold a line `-- //@UNDO`"
    }

    fn file_names(&self) -> &'static str {
        "`<number>_<description>.sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Elsewhere("set `auto_commit=true` in the environment, or run it outside of the migrations")
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    fn rewriting(&self) -> Rewriting {
        Rewriting::UnknownStays
    }

    /// It runs what comes after the last one (`UpOperation.java`, operate).
    fn late(&self, _: &Migration) -> Late {
        Late::Skipped
    }

    /// The id is the key of the changelog (`UpOperation`).
    fn on_same_version(&self) -> Option<&'static str> {
        Some("MyBatis Migrations fails on the second one, whose id is recorded already")
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let numbered: Vec<&FileEntry> = directory.files.iter().filter(|f| f.is_sql() && number(f.stem()).is_some()).collect();
        let marked = numbered.iter().filter(|f| f.text().is_some_and(|text| has_undo(text, f.source().body()))).count();
        (marked > 0).then(|| Claim {
            strength: Strength::Content,
            evidence: format!("{marked} of {} numbered .sql files hold a `-- //@UNDO`", numbered.len()),
            files: numbered.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        let wrapping = wrapping(directory);
        for entry in directory.files.iter().filter(|f| f.is_sql()) {
            if entry.name == "bootstrap.sql" {
                // What it makes is there before the first script, where somebody ran it.
                reading.incomplete = true;
                reading.skip(entry, "run by `migrate bootstrap` alone, before the first script");
            } else if entry.name == "onabort.sql" {
                reading.skip(entry, "run after a script that failed");
            } else if let Some(why) = of_other_database(&entry.name) {
                reading.skip(entry, &why);
            } else if let Some(id) = number(entry.stem()) {
                reading.steps.push(step(id, entry, wrapping).versioned(version(id)));
            } else {
                reading.skip(entry, "no number before the first `_` of its name: MyBatis Migrations refuses the directory");
            }
        }
        reading.order_by_version();
        reading
    }

    fn read_script(&self, script: &FileEntry) -> Option<Vec<Step>> {
        let text = script.text()?;
        let id = number(script.stem()).unwrap_or(script.stem());
        has_undo(text, script.source().body()).then(|| vec![step(id, script, Wrapping::Wrapped)])
    }
}

fn step(id: &str, entry: &FileEntry, wrapping: Wrapping) -> Step {
    let Some(text) = entry.text().filter(|_| entry.failure().is_none()) else { return Step::of_file(id, entry, wrapping) };
    let body = entry.source().body();
    let mut undoes = false;
    let sections = Sections::read(text, body, |line, _| {
        let opens = !undoes && is_undo(line);
        undoes |= opens;
        opens.then_some(Section::Down)
    });
    // What is a header to other layouts is the script itself.
    let up = if sections.is_marked { sections.header.into_iter().collect() } else { vec![body] };
    let step = Sections { header: None, up, ..sections }.into_step(id, entry, wrapping);
    if wrapping == Wrapping::Wrapped { step } else { step.or_explicit() }
}

fn has_undo(text: &str, body: Span) -> bool {
    lines(text, body).any(|(_, line)| is_undo(line))
}

fn is_undo(line: &str) -> bool {
    let blank = |c: char| c == ' ' || c == '\t';
    let line = line.trim_start_matches(blank);
    let comment = line.strip_prefix("--").or_else(|| line.strip_prefix("//"));
    let tag = comment.and_then(|comment| comment.trim_start_matches(blank).strip_prefix("//"));
    tag.is_some_and(|tag| tag.trim_start_matches(blank).starts_with("@UNDO"))
}

/// What stands before the first `_` of a name, if it is a number.
fn number(stem: &str) -> Option<&str> {
    let id = stem.split('_').next()?;
    let (_, rest) = leading_digits(id)?;
    let is_fraction = rest.strip_prefix('.').is_some_and(|fraction| fraction.bytes().all(|b| b.is_ascii_digit()));
    (rest.is_empty() || is_fraction).then_some(id)
}

/// The fraction is made as long as any, so that 1.10 is less than 1.9.
fn version(id: &str) -> Version {
    match id.split_once('.') {
        None => Version::number(id),
        Some((whole, fraction)) => Version::numbers(&format!("{whole}.{fraction:0<FRACTION$}")),
    }
}

/// The transaction around a script, as the environments say it.
fn wrapping(directory: &Directory) -> Wrapping {
    let mut found = Vec::new();
    // The scripts' own directory has none; the one above is the project's.
    if let Some(environments) = directory.above("environments").first() {
        found.extend(environments.texts_in(".properties").iter().map(|text| wrapping_of(text)));
    }
    match found.as_slice() {
        [first, rest @ ..] if rest.iter().all(|other| other == first) => *first,
        _ => Wrapping::Wrapped,
    }
}

fn wrapping_of(properties: &str) -> Wrapping {
    let is_on = |wanted: &str| {
        let lines = properties.lines().map(str::trim).filter(|line| !line.starts_with(['#', '!']));
        let mut values = lines.filter_map(|line| line.split_once(['=', ':'])).filter(|(key, _)| key.trim() == wanted);
        values.next_back().is_some_and(|(_, value)| value.trim().eq_ignore_ascii_case("true"))
    };
    match (is_on("auto_commit"), is_on("send_full_script")) {
        (false, _) => Wrapping::Wrapped,
        (true, true) => Wrapping::Batch,
        (true, false) => Wrapping::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_is_read_as_its_reader_reads_it() {
        for line in ["-- //@UNDO", "--//@UNDO\r\n", "\t // // @UNDO now", "--  //  @UNDOING"] {
            assert!(is_undo(line), "{line}");
        }
        for line in ["-- @UNDO", "- //@UNDO", "-- //@undo", "-- / /@UNDO", "x -- //@UNDO", "-- // UNDO"] {
            assert!(!is_undo(line), "{line}");
        }
    }

    #[test]
    fn an_id_is_a_number_with_or_without_a_fraction() {
        assert_eq!(number("20250108000100_create_changelog"), Some("20250108000100"));
        assert_eq!(number("1.5_half"), Some("1.5"));
        assert_eq!(number("7"), Some("7"));
        for stem in ["bootstrap", "_x", "1a_x", "1-x", "v1_x"] {
            assert_eq!(number(stem), None, "{stem}");
        }
        assert!(version("1.10") < version("1.9") && version("1.9") < version("2"));
        assert_eq!(version("1.5"), version("1.50"));
        assert_eq!(version("002"), version("2"));
    }

    #[test]
    fn environments_say_what_transaction_there_is() {
        assert_eq!(wrapping_of("send_full_script=true\n#auto_commit=true\n"), Wrapping::Wrapped);
        assert_eq!(wrapping_of("auto_commit = true\nsend_full_script: true"), Wrapping::Batch);
        assert_eq!(wrapping_of("auto_commit=TRUE"), Wrapping::None);
    }
}
