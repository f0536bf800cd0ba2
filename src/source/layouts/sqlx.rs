//! sqlx: `<version>_<name>.sql`, or pairs of `.up.sql` and `.down.sql`.
//!
//! Order: the version, which is whatever stands before the first `_` and Rust reads as an `i64`, a sign included. A `.sql` file where
//! it reads none makes sqlx refuse the whole directory; one without `_` it ignores. Transaction: the runner's own, unless the very
//! first bytes of the file are `-- no-transaction`; a byte order mark before them defeats that, and the server refuses the text then
//! as it does every other with a mark. Without a transaction the text is still sent whole, as one batch
//! (`sqlx-core/src/migrate/source.rs`, `sqlx-postgres/src/migrate.rs`). A late lower version is run. The library takes a session
//! advisory lock (`Migrator::run_direct`), `sqlx migrate run` takes none. Held against sqlx-cli 0.9.0 by tests/ledgers.rs.
//!
//! The names alone are those of half a dozen runners, so sqlx is recognised by `-- no-transaction`, by a `.sqlx` directory, or by a
//! Cargo.toml above that depends on it. Without any such mark the same files are `golang-migrate` (pairs) or `plain`, in the same order.

use super::{Claim, Late, Layout, OptOut, Reading, Statements, Step, Strength, of_other_database_in, share};
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::{Direction, split_direction};
use crate::source::{Migration, Version, Wrapping};

const NO_TRANSACTION: &[u8] = b"-- no-transaction";

pub struct Sqlx;

impl Layout for Sqlx {
    fn name(&self) -> &'static str {
        "sqlx"
    }

    fn marks(&self) -> &'static str {
        "files named <version>_<name>.sql with `-- no-transaction` as first bytes in one, or a .sqlx directory or a Cargo.toml with sqlx above"
    }

    fn file_names(&self) -> &'static str {
        "`<version>_<name>.sql`, `.up.sql` or `.down.sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Mark { mark: "-- no-transaction", place: "as the very first bytes of the file", statements: Statements::Batch }
    }

    /// `sqlx-postgres/src/migrate.rs`, `lock`: `SELECT pg_advisory_lock($1)`.
    fn waits_for_advisory_lock(&self) -> bool {
        true
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    /// It applies what is not in its table (`sqlx-core/src/migrate/migrator.rs`).
    fn late(&self, _: &Migration) -> Late {
        Late::Applied
    }

    /// The version is the key of `_sqlx_migrations` (`sqlx-core/src/migrate/migrator.rs`).
    fn on_same_version(&self) -> Option<&'static str> {
        Some("sqlx fails on the second one, whose version is recorded already")
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let named: Vec<&FileEntry> = named(directory).map(|(file, _)| file).collect();
        named.iter().find(|f| parse(&f.name).is_some_and(|n| n.direction != Some(Direction::Down)))?;
        let (strength, mark) = match named.iter().find(|f| opts_out(f)) {
            Some(file) => (Strength::Content, format!("{} begins with `-- no-transaction`", file.name)),
            None => (Strength::Surroundings, mark_above(directory)?),
        };
        Some(Claim {
            strength,
            evidence: format!("{}, and {mark}", share(named.len(), directory, "<version>_<name>.sql")),
            files: named.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        let (mut steps, mut downs) = (Vec::new(), Vec::new());
        for (entry, name) in named(directory) {
            let version = name.key();
            if let Some(why) = of_other_database_in(directory, &entry.name) {
                reading.skip(entry, &why);
            } else if name.direction == Some(Direction::Down) {
                downs.push((entry, version));
            } else if opts_out(entry) {
                let step = Step::of_file(name.written, entry, Wrapping::Batch).or_explicit();
                steps.push((name.version, &entry.name, step.versioned(version)));
            } else {
                steps.push((name.version, &entry.name, Step::of_file(name.written, entry, Wrapping::Wrapped).versioned(version)));
            }
        }
        let refused = |f: &&FileEntry| f.is_sql() && f.name.contains('_') && parse(&f.name).is_none();
        for entry in directory.files.iter().filter(refused) {
            reading.skip(entry, "it begins with no number: sqlx refuses the whole directory");
        }
        steps.sort_by_key(|(version, name, _)| (*version, *name));
        reading.steps = steps.into_iter().map(|(_, _, step)| step).collect();
        downs.iter().for_each(|(entry, version)| reading.undo(entry, version));
        reading
    }
}

struct Name<'a> {
    /// As written, a sign and zeros included.
    written: &'a str,
    version: i64,
    direction: Option<Direction>,
}

impl Name<'_> {
    fn key(&self) -> Version {
        if self.version < 0 { Version::text(self.version.to_string()) } else { Version::number(&self.version.to_string()) }
    }
}

fn named(directory: &Directory) -> impl Iterator<Item = (&FileEntry, Name<'_>)> {
    directory.files.iter().filter_map(|file| Some((file, parse(&file.name)?)))
}

fn parse(file: &str) -> Option<Name<'_>> {
    let (rest, direction) = split_direction(file.strip_suffix(".sql")?);
    let (written, _) = rest.split_once('_')?;
    Some(Name { written, version: written.parse().ok()?, direction })
}

fn opts_out(entry: &FileEntry) -> bool {
    entry.source().bytes.starts_with(NO_TRANSACTION)
}

fn mark_above(directory: &Directory) -> Option<String> {
    if !directory.above(".sqlx").is_empty() {
        return Some("a .sqlx directory stands above".to_string());
    }
    super::cargo_dependency(directory, "sqlx").then(|| "a Cargo.toml above depends on sqlx".to_string())
}
