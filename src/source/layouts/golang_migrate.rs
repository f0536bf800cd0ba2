//! golang-migrate and runners that took its names: pairs of `<version>_<name>.up.sql` and `.down.sql`, or up files alone; Authelia's
//! `V<version>.<name>.up.sql` likewise.
//!
//! Order: the version as an integer (`source/parse.go`, ParseUint). Transaction: none of the runner's; a file is one simple query
//! (`database/postgres/postgres.go`, Run), so that several statements share an implicit transaction.
//!
//! sqlx's reversible migrations have the same names and another transaction. Without a mark of sqlx a pair is read as
//! golang-migrate's: the two differ only for a file whose one statement refuses a transaction, and under sqlx that file would carry
//! `-- no-transaction`, which is such a mark.

use super::{Claim, Layout, Reading, Step, Strength, of_other_database, share, without_program_ending};
use crate::source::directory::Directory;
use crate::source::name::{Direction, leading_digits, split_direction};
use crate::source::{Version, Wrapping};

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

    fn has_down_parts(&self) -> bool {
        true
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let named: Vec<_> = directory.files.iter().filter(|f| f.is_sql() && parse(f.stem()).is_some()).collect();
        let has_up = named.iter().any(|f| parse(f.stem()).is_some_and(|n| n.direction == Direction::Up));
        has_up.then(|| Claim {
            strength: Strength::Names,
            evidence: share(named.len(), directory, "<version>_<name>.up.sql or .down.sql"),
            files: named.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        let mut downs = Vec::new();
        for entry in &directory.files {
            let program = without_program_ending(&entry.name);
            let stem = program.unwrap_or(entry.stem());
            let Some(name) = parse(stem).filter(|_| program.is_some() || entry.is_sql()) else { continue };
            let version = Version::number(name.number);
            if let Some(why) = of_other_database(&entry.name) {
                reading.skip(entry, &why);
            } else if name.direction == Direction::Down {
                downs.push((entry, version));
            } else if program.is_some() {
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

fn parse(stem: &str) -> Option<Name<'_>> {
    let (rest, direction) = split_direction(stem);
    let direction = direction?;
    let (number, separator) = match rest.strip_prefix('V') {
        Some(rest) => (leading_digits(rest)?, '.'),
        None => (leading_digits(rest)?, '_'),
    };
    let (number, name) = number;
    name.strip_prefix(separator).filter(|name| !name.is_empty())?;
    Some(Name { version: &rest[..rest.len() - name.len()], number, direction })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_version_and_direction() {
        let read = |stem| parse(stem).map(|n| (n.version, n.number, n.direction));
        assert_eq!(read("000001_create users.up"), Some(("000001", "000001", Direction::Up)));
        assert_eq!(read("V0001.Initial.down"), Some(("V0001", "0001", Direction::Down)));
        assert_eq!(read("1_a.b.up"), Some(("1", "1", Direction::Up)));
        for stem in ["1_a", "a.up", "1.up", "1_.up", "V1__a.up"] {
            assert_eq!(read(stem), None, "{stem}");
        }
    }
}
