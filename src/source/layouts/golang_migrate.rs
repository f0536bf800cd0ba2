//! golang-migrate and runners that took its names: pairs of `<version>_<name>.up.sql` and `.down.sql`, or up files alone; Authelia's
//! `V<version>.<name>.up.sql` likewise.
//!
//! Names: whatever ends in `.up.` or `.down.` and anything (`source/parse.go`, Regex), so that a forgotten `.up.sql.orig` runs too.
//! Order: the version as an integer (ParseUint). Transaction: none of the runner's; a file is one simple query
//! (`database/postgres/postgres.go`, Run), so that several statements share an implicit transaction. A version that occurs twice is
//! refused, one below the last applied is never run. Held against version 4.17.1 by tests/ledgers.rs.
//!
//! sqlx's reversible migrations have the same names and another transaction. Without a mark of sqlx a pair is read as
//! golang-migrate's: the two differ only for a file whose one statement refuses a transaction, and under sqlx that file would carry
//! `-- no-transaction`, which is such a mark.

use super::{Claim, Late, Layout, OptOut, Reading, Step, Strength, of_other_database_in, share, without_program_ending};
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::{Direction, leading_digits};
use crate::source::{Migration, Version, Wrapping};

pub struct GolangMigrate;

impl Layout for GolangMigrate {
    fn name(&self) -> &'static str {
        "golang-migrate"
    }

    fn marks(&self) -> &'static str {
        "files named <version>_<name>.up.sql (and .down.sql), or V<version>.<name>.up.sql"
    }

    fn file_names(&self) -> &'static str {
        "`<version>_<name>.up.sql` or `.down.sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Batch
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Alone
    }

    /// `database/postgres/postgres.go`, Lock: `SELECT pg_advisory_lock($1)`.
    fn waits_for_advisory_lock(&self) -> bool {
        true
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    /// It looks for the version after the current one (`migrate.go`, `readUp`) and never back.
    fn late(&self, _: &Migration) -> Late {
        Late::Skipped
    }

    /// `source/migration.go`, Append.
    fn on_same_version(&self) -> Option<&'static str> {
        Some("golang-migrate refuses the directory")
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let named: Vec<(&FileEntry, Name<'_>)> = named(directory).collect();
        let is_up = |(file, name): &&(&FileEntry, Name<'_>)| file.is_sql() && name.direction == Direction::Up;
        named.iter().find(is_up)?;
        Some(Claim {
            strength: Strength::Names,
            evidence: share(named.iter().filter(|(f, _)| f.is_sql()).count(), directory, "<version>_<name>.up.sql or .down.sql"),
            files: named.iter().map(|(f, _)| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        let mut downs = Vec::new();
        for (entry, name) in named(directory) {
            let version = Version::number(name.number);
            if let Some(why) = of_other_database_in(directory, &entry.name) {
                reading.skip(entry, &why);
            } else if name.direction == Direction::Down {
                downs.push((entry, version));
            } else if without_program_ending(&entry.name).is_some() {
                reading.steps.push(Step::of_program(name.version, entry, Wrapping::Batch).versioned(version));
            } else {
                reading.steps.push(Step::of_file(name.version, entry, Wrapping::Batch).or_explicit().versioned(version));
            }
        }
        reading.order_by_version();
        downs.iter().for_each(|(entry, version)| reading.undo(entry, version));
        reading
    }
}

struct Name<'a> {
    /// As written, a `V` included.
    version: &'a str,
    number: &'a str,
    direction: Direction,
}

fn named(directory: &Directory) -> impl Iterator<Item = (&FileEntry, Name<'_>)> {
    directory.files.iter().filter_map(|file| Some((file, parse(&file.name)?)))
}

/// The last `.up.` or `.down.` of a name is its direction. Authelia's names end in `.sql`.
fn parse(file: &str) -> Option<Name<'_>> {
    let marks = [(".up.", Direction::Up), (".down.", Direction::Down)];
    let (end, direction) = marks.iter().filter_map(|(mark, way)| Some((file.rfind(mark)?, *way))).max_by_key(|(at, _)| *at)?;
    let stem = &file[..end];
    let (number, name) = match stem.strip_prefix('V') {
        Some(rest) => {
            leading_digits(rest).filter(|(_, name)| name.len() > 1 && name.starts_with('.') && file.ends_with(".sql"))?
        }
        None => leading_digits(stem).filter(|(_, name)| name.starts_with('_'))?,
    };
    Some(Name { version: &stem[..stem.len() - name.len()], number, direction })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_version_and_direction() {
        let read = |name| parse(name).map(|n| (n.version, n.number, n.direction));
        assert_eq!(read("000001_create users.up.sql"), Some(("000001", "000001", Direction::Up)));
        assert_eq!(read("V0001.Initial.down.sql"), Some(("V0001", "0001", Direction::Down)));
        for name in ["1_a.b.up.sql", "1_.up.sql", "1_a.up.sql.orig", "1_a.down.up.sql", "1_a.up.", "1_a.up.postgres.sql"] {
            assert_eq!(read(name), Some(("1", "1", Direction::Up)), "{name}");
        }
        for name in ["1_a.sql", "a.up.sql", "1.up.sql", "V1__a.up.sql", "V1..up.sql", "V1.a.up.sql.orig", "1_a.up"] {
            assert_eq!(read(name), None, "{name}");
        }
    }
}
