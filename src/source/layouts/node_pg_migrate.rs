//! node-pg-migrate: `<number>_<name>.sql` with `-- Up Migration` and `-- Down Migration` sections, and steps in JavaScript or
//! TypeScript between them.
//!
//! Markers are read as it reads them (`src/sqlMigration.ts`, getActions): in any case, only the first of each counts, and a file
//! without an Up marker runs as a whole, its Down section included. `x.up.sql` and `x.down.sql` are read as the pair that they are
//! for its loader `sql`; its default one would run both (`src/migrationLoader.ts`). Order: the number that the name begins with, 17
//! digits being a date (`src/utils/fileNameUtils.ts`, getNumericPrefix), then the name; it records names, so two files may share a
//! number. Of one number it compares names by the locale, which is not done here. Transaction: all pending steps in one, or one each
//! with `--no-single-transaction`; an SQL file cannot opt out (`src/migration.ts`, _apply), and a step in JavaScript that does commits
//! what ran before it. A file before one that ran makes it refuse to run. Held against version 8.0.4 by tests/ledgers.rs.

use super::sections::{Section, Sections, lines};
use super::{
    Claim, Late, Layout, OptOut, Reading, Step, Strength, node_dependency, of_other_database_in, share, without_program_ending,
};
use crate::op::Span;
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::{Direction, leading_digits, split_direction};
use crate::source::{Migration, Version, Wrapping};

pub struct NodePgMigrate;

impl Layout for NodePgMigrate {
    fn name(&self) -> &'static str {
        "node-pg-migrate"
    }

    fn marks(&self) -> &'static str {
        "files named <number>….sql that hold `-- Up Migration` and `-- Down Migration`, or a package.json with node-pg-migrate above"
    }

    fn file_names(&self) -> &'static str {
        "`<number>_<name>.sql`, `.js` or `.ts`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Elsewhere(
            "write it as a step in JavaScript that calls `pgm.noTransaction()`: an SQL file cannot leave its transaction",
        )
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    /// It stops at a migration that precedes one it has run (`src/runner.ts`, checkOrder).
    fn late(&self, _: &Migration) -> Late {
        Late::Refused
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let named: Vec<&FileEntry> = directory.files.iter().filter(|f| f.is_sql() && leading_digits(&f.name).is_some()).collect();
        let first = named.first()?;
        let (strength, mark) = match named.iter().find(|f| has_both_sections(f)) {
            Some(file) => (Strength::Content, format!("{} holds `-- Up Migration` and `-- Down Migration`", file.name)),
            None if node_dependency(directory, "node-pg-migrate") => {
                (Strength::Surroundings, format!("a package.json above {} depends on node-pg-migrate", first.name))
            }
            None => return None,
        };
        Some(Claim {
            strength,
            evidence: format!("{}, and {mark}", share(named.len(), directory, "<number>….sql")),
            files: named.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        let mut downs = Vec::new();
        for entry in &directory.files {
            let program = without_program_ending(&entry.name);
            let (stem, direction) = split_direction(program.unwrap_or(entry.stem()));
            let Some(version) = version(stem) else { continue };
            if program.is_some() {
                reading.steps.push(Step::of_program(stem, entry, Wrapping::Wrapped).versioned(version));
            } else if !entry.is_sql() {
                continue;
            } else if let Some(why) = of_other_database_in(directory, &entry.name) {
                reading.skip(entry, &why);
            } else if direction == Some(Direction::Down) {
                downs.push((entry, version));
            } else {
                reading.steps.push(step(stem, entry).versioned(version));
            }
        }
        reading.order_by_version();
        downs.iter().for_each(|(entry, version)| reading.undo(entry, version));
        reading
    }

    fn read_script(&self, script: &FileEntry) -> Option<Vec<Step>> {
        has_both_sections(script).then(|| vec![step(script.stem(), script)])
    }
}

fn version(stem: &str) -> Option<Version> {
    let (digits, _) = leading_digits(stem)?;
    let number = milliseconds(digits).map_or_else(|| digits.to_string(), |milliseconds| milliseconds.to_string());
    Some(Version::named(&number, stem))
}

/// 17 digits are `YYYYMMDDhhmmssSSS` in UTC: the milliseconds since 1970.
fn milliseconds(digits: &str) -> Option<u64> {
    let of = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i64>().ok();
    let is_date = digits.len() == 17;
    let (year, month, day) = (of(0..4).filter(|_| is_date)?, of(4..6)?, of(6..8)?);
    let (hour, minute, second, rest) = (of(8..10)?, of(10..12)?, of(12..14)?, of(14..17)?);
    // Howard Hinnant's days from civil: years begin in March, so that a leap day is the last of its year.
    let year = year - i64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    u64::try_from((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + rest).ok()
}

fn has_both_sections(entry: &FileEntry) -> bool {
    entry.text().is_some_and(|text| {
        let has = |wanted| lines(text, entry.source().body()).any(|(_, line)| marker(line) == Some(wanted));
        has(Section::Up) && has(Section::Down)
    })
}

fn step(id: &str, entry: &FileEntry) -> Step {
    let Some(text) = entry.text().filter(|_| entry.failure().is_none()) else {
        return Step::of_file(id, entry, Wrapping::Wrapped);
    };
    let found = sections(text, entry.source().body());
    if found.has_up { found.into_step(id, entry, Wrapping::Wrapped) } else { Step::of_file(id, entry, Wrapping::Wrapped) }
}

fn sections(text: &str, body: Span) -> Sections {
    let mut seen = Vec::new();
    Sections::read(text, body, |line, _| {
        let section = marker(line).filter(|section| !seen.contains(section))?;
        seen.push(section);
        Some(section)
    })
}

/// The section that a comment such as `-- Up Migration` opens.
fn marker(line: &str) -> Option<Section> {
    let comment = line.trim_start().strip_prefix("--")?.trim_start_matches(|c: char| c.is_whitespace() || c == '-');
    let mut words = comment.split_whitespace();
    let section = match words.next()? {
        word if word.eq_ignore_ascii_case("up") => Section::Up,
        word if word.eq_ignore_ascii_case("down") => Section::Down,
        _ => return None,
    };
    let second = words.next()?;
    second.get(.."migration".len()).is_some_and(|word| word.eq_ignore_ascii_case("migration")).then_some(section)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_comments_in_any_case() {
        for line in ["-- Up Migration", "  ---- UP  migration: why\n", "--up migrations"] {
            assert_eq!(marker(line), Some(Section::Up), "{line}");
        }
        assert_eq!(marker("-- Down Migration\r\n"), Some(Section::Down));
        for line in ["Up Migration", "-- Update migration", "-- Up", "-- Up to migration", "- Up Migration"] {
            assert_eq!(marker(line), None, "{line}");
        }
    }

    #[test]
    fn only_the_first_marker_of_each_kind_counts() {
        let text = "-- Down Migration\nB;\n-- Up Migration\nA;\n-- Down Migration\nC;\n";
        let found = sections(text, Span { start: 0, end: text.len() });
        assert_eq!(found.up.iter().map(|s| &text[s.start..s.end]).collect::<Vec<_>>(), ["A;\n-- Down Migration\nC;\n"]);
        assert_eq!(found.down.map(|s| &text[s.start..s.end]), Some("B;\n"));
    }

    #[test]
    fn a_date_of_17_digits_orders_among_milliseconds() {
        assert_eq!(milliseconds("19700101000000000"), Some(0));
        assert_eq!(milliseconds("20200229123456789"), Some(1_582_979_696_789));
        assert_eq!(milliseconds("1582979696789"), None);
        assert!(version("1582979696788_a") < version("20200229123456789_b"));
        assert!(version("20200229123456789_b") < version("1582979696790_c"));
    }
}
