//! sqlx: `<version>_<name>.sql`, or pairs of `.up.sql` and `.down.sql`.
//!
//! Order: the version as an integer. Transaction: the runner's own, unless the very first bytes of the file are `-- no-transaction`;
//! a byte order mark before them defeats that. Without one the text is still sent whole, as one batch
//! (`sqlx-core/src/migrate/source.rs`, `sqlx-postgres/src/migrate.rs`).
//!
//! The names alone are those of half a dozen runners, so sqlx is recognised by `-- no-transaction`, by a `.sqlx` directory, or by a
//! Cargo.toml above that depends on it. Without any such mark the same files are `golang-migrate` (pairs) or `plain`, in the same order.

use super::{Claim, Layout, Reading, Step, Strength, of_other_database, share};
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::{Direction, leading_digits, split_direction};
use crate::source::{Version, Wrapping};

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

    fn has_down_parts(&self) -> bool {
        true
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let named: Vec<&FileEntry> = directory.files.iter().filter(|f| parse(f).is_some()).collect();
        named.iter().find(|f| parse(f).is_some_and(|n| n.direction != Some(Direction::Down)))?;
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
        let mut downs = Vec::new();
        for entry in &directory.files {
            let Some(name) = parse(entry) else { continue };
            let version = Version::number(name.version);
            if let Some(why) = of_other_database(&entry.name) {
                reading.skip(entry, &why);
            } else if name.direction == Some(Direction::Down) {
                downs.push((entry, version));
            } else if opts_out(entry) {
                reading.steps.push(Step::of_file(name.version, entry, Wrapping::Batch).or_explicit().versioned(version));
            } else {
                reading.steps.push(Step::of_file(name.version, entry, Wrapping::Wrapped).versioned(version));
            }
        }
        reading.order_by_version();
        downs.iter().for_each(|(entry, version)| reading.undo(entry, version));
        reading
    }
}

struct Name<'a> {
    version: &'a str,
    direction: Option<Direction>,
}

fn parse(entry: &FileEntry) -> Option<Name<'_>> {
    let (rest, direction) = split_direction(entry.name.strip_suffix(".sql")?);
    let (version, name) = leading_digits(rest)?;
    name.starts_with('_').then_some(Name { version, direction })
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
