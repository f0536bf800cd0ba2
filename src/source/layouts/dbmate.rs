//! dbmate: `<version>….sql` with a `-- migrate:up` and a `-- migrate:down` block.
//!
//! Blocks are read as dbmate reads them (`pkg/dbmate/migration.go`, parseMigrationContents): by lines, `--` at their very start.
//! Both blocks must be there, Up first, and only comments may stand before them; a file that is otherwise makes dbmate stop, and its
//! Up block is read here all the same. A file may hold several pairs of them, each run in a transaction of its own; each then records the same version, whose primary key
//! refuses the second (`pkg/driver/postgres/postgres.go`, InsertMigration). Order: the file name, bytewise (`pkg/dbmate/db.go`,
//! FindMigrations). Transaction: the runner's own; `-- migrate:up transaction:false` gives it up, and the block is then one simple
//! query (Migrate), so that its statements share an implicit transaction. A late lower version is run. Held against version 2.37.0 by
//! tests/ledgers.rs.

use super::sections::{Section, Sections, lines};
use super::{Claim, Late, Layout, OptOut, Reading, Statements, Step, Strength, of_other_database_in};
use crate::op::Span;
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::leading_digits;
use crate::source::{Migration, Version, Wrapping};

pub struct Dbmate;

impl Layout for Dbmate {
    fn name(&self) -> &'static str {
        "dbmate"
    }

    fn marks(&self) -> &'static str {
        "files named <version>….sql that hold a line `-- migrate:up`"
    }

    fn file_names(&self) -> &'static str {
        "`<version>….sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Mark {
            mark: "-- migrate:up transaction:false",
            place: "in place of `-- migrate:up`",
            statements: Statements::Batch,
        }
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    /// It applies what is not in its table, unless `--strict` is given (`pkg/dbmate/db.go`, Migrate).
    fn late(&self, _: &Migration) -> Late {
        Late::Applied
    }

    /// The version is the key of `schema_migrations` (`pkg/dbmate/db.go`, Migrate).
    fn on_same_version(&self) -> Option<&'static str> {
        Some("dbmate fails on the second one, whose version is recorded already")
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let numbered: Vec<&FileEntry> = directory.files.iter().filter(|f| version(f).is_some()).collect();
        let marked: Vec<&&FileEntry> = numbered.iter().filter(|f| is_marked(f)).collect();
        (!marked.is_empty()).then(|| Claim {
            strength: Strength::Content,
            evidence: format!("{} of {} numbered .sql files hold a `-- migrate:up`", marked.len(), numbered.len()),
            files: marked.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        // The listing is in the order of names already.
        for entry in &directory.files {
            let Some(version) = version(entry) else { continue };
            if let Some(why) = of_other_database_in(directory, &entry.name) {
                reading.skip(entry, &why);
                continue;
            }
            match step(version, entry) {
                Ok(step) => reading.steps.push(step.versioned(Version::text(version))),
                Err(why) => reading.skip(entry, why),
            }
        }
        reading
    }

    fn read_script(&self, script: &FileEntry) -> Option<Vec<Step>> {
        let id = leading_digits(&script.name).map_or(script.stem(), |(version, _)| version);
        is_marked(script).then(|| step(id, script).ok()).flatten().map(|step| vec![step])
    }
}

fn version(entry: &FileEntry) -> Option<&str> {
    leading_digits(&entry.name).filter(|_| entry.is_sql()).map(|(version, _)| version)
}

fn is_marked(entry: &FileEntry) -> bool {
    entry
        .text()
        .is_some_and(|text| lines(text, entry.source().body()).any(|(_, line)| block(line).is_some_and(|b| b.0 == Section::Up)))
}

/// The unit of a file, or why dbmate refuses it.
fn step(id: &str, entry: &FileEntry) -> Result<Step, &'static str> {
    let Some(text) = entry.text().filter(|_| entry.failure().is_none()) else {
        return Ok(Step::of_file(id, entry, Wrapping::Wrapped));
    };
    let (sections, without_transaction) = sections(text, entry.source().body());
    if !sections.has_up {
        return Err("no `-- migrate:up` in it: dbmate refuses it");
    }
    let wrapping = if without_transaction { Wrapping::Batch } else { Wrapping::Wrapped };
    let step = sections.into_step(id, entry, wrapping);
    Ok(if without_transaction { step.or_explicit() } else { step })
}

/// The sections, and whether the first Up block gives up the transaction.
fn sections(text: &str, body: Span) -> (Sections, bool) {
    let mut first: Option<bool> = None;
    let sections = Sections::read(text, body, |line, _| {
        let (section, without_transaction) = block(line)?;
        if section == Section::Up {
            first.get_or_insert(without_transaction);
        }
        Some(section)
    });
    (sections, first.unwrap_or(false))
}

/// The block that a line opens, and whether it says `transaction:false`. Of several `transaction:` the last counts.
fn block(line: &str) -> Option<(Section, bool)> {
    let directive = line.strip_prefix("--")?.trim_start().strip_prefix("migrate:")?;
    let (section, options) = match (directive.strip_prefix("up"), directive.strip_prefix("down")) {
        (Some(options), _) => (Section::Up, options),
        (_, Some(options)) => (Section::Down, options),
        (None, None) => return None,
    };
    if options.starts_with(|c: char| !c.is_ascii_whitespace()) {
        return None;
    }
    let transaction = options.split_ascii_whitespace().filter_map(|option| option.strip_prefix("transaction:")).next_back();
    Some((section, transaction == Some("false")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_a_line_that_begins_with_it_and_may_have_options() {
        assert_eq!(block("-- migrate:up"), Some((Section::Up, false)));
        assert_eq!(block("--migrate:up\r\n"), Some((Section::Up, false)));
        assert_eq!(block("--   migrate:down  transaction:false\n"), Some((Section::Down, true)));
        assert_eq!(block("-- migrate:up foo:bar transaction:false"), Some((Section::Up, true)));
        assert_eq!(block("-- migrate:up transaction:false transaction:true"), Some((Section::Up, false)));
        for line in [" -- migrate:up", "-- migrate:upward", "-- Migrate:up", "- migrate:up", "-- migrate: up", "-- migrate:up:x"]
        {
            assert_eq!(block(line), None, "{line}");
        }
    }

    #[test]
    fn the_first_up_block_decides_about_the_transaction() {
        let text = "-- why\n-- migrate:up transaction:false\nA;\n-- migrate:down\nB;\n-- migrate:up\nC;\n-- migrate:down\n";
        let (sections, without_transaction) = sections(text, Span { start: 0, end: text.len() });
        assert!(without_transaction);
        let up: Vec<&str> = sections.up.iter().map(|s| &text[s.start..s.end]).collect();
        assert_eq!(up, ["A;\n", "C;\n"]);
    }
}
