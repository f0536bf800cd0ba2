//! refinery: `V<version>__<name>.sql` and `U<version>__<name>.sql`, with steps in Rust between them, here and below.
//!
//! Its names look like Flyway's, but `U` is a step too (it may be applied late), there is no `R`, and V and U sort together by
//! version (`refinery_core/src/util.rs`). It is recognised by steps in Rust, by a U file that undoes no V, or by a Cargo.toml above
//! that depends on it. Transaction: the runner's own, one per file (`refinery_core/src/drivers/postgres.rs`), which the row in the
//! ledger does not share (`refinery_core/src/traits/sync.rs`, migrate). There is no opt-out. A late V is passed over, a late U is
//! run. Held against version 0.10.0 by tests/ledgers.rs.

use super::{Claim, Late, Layout, OptOut, Reading, Step, Strength, cargo_dependency, without_program_ending};
use crate::source::directory::{Directory, FileEntry};
use crate::source::{Migration, Version, Wrapping};

pub struct Refinery;

impl Layout for Refinery {
    fn name(&self) -> &'static str {
        "refinery"
    }

    fn marks(&self) -> &'static str {
        "files named V<version>__<name>.sql with a .rs step, a U file without its V, or a Cargo.toml with refinery above"
    }

    fn file_names(&self) -> &'static str {
        "`V<version>__<name>.sql`, `U<version>__<name>.sql` or `.rs`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Elsewhere("run it outside of the migrations: refinery has no way out of its transaction")
    }

    fn is_recursive(&self) -> bool {
        true
    }

    /// U is for what may come late; a late V is missing (`refinery_core/src/traits/mod.rs`, verify_migrations).
    fn late(&self, unit: &Migration) -> Late {
        if unit.id.starts_with('U') { Late::Meant } else { Late::Refused }
    }

    /// Only equal ones are found out before (`refinery_core/src/traits/mod.rs`); the version is the key of the table.
    fn on_same_version(&self) -> Option<&'static str> {
        Some("refinery fails on the second one, whose version is recorded already")
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        directory.files.iter().find(|f| parse(f).is_some())?;
        let below: Vec<&FileEntry> = directory.files_below();
        let named: Vec<(&FileEntry, Name<'_>)> = below.iter().filter_map(|&f| Some((f, parse(f)?))).collect();
        named.iter().find(|(f, _)| f.is_sql())?;
        let lone = named.iter().find(|(_, n)| n.is_late && !named.iter().any(|(_, v)| !v.is_late && v.version == n.version));
        let (strength, mark) = if let Some((file, _)) = named.iter().find(|(f, _)| !f.is_sql()) {
            (Strength::Content, format!("{} is a step in Rust", file.name))
        } else if let Some((file, _)) = lone {
            (Strength::Content, format!("{} undoes no V file", file.name))
        } else if cargo_dependency(directory, "refinery") {
            (Strength::Surroundings, "a Cargo.toml above depends on refinery".to_string())
        } else {
            return None;
        };
        Some(Claim {
            strength,
            evidence: format!("files named V<version>__<name> or U<version>__<name>: {}, and {mark}", named.len()),
            // What only Flyway would run is known to refinery as a wrong name.
            files: below.iter().filter(|f| f.name.starts_with(['V', 'U', 'R'])).map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        for entry in directory.files_below() {
            let Some(name) = parse(entry) else { continue };
            let version = Version::numbers(name.version);
            if entry.is_sql() {
                reading.steps.push(Step::of_file(name.id, entry, Wrapping::Wrapped).versioned(version));
            } else {
                reading.steps.push(Step::of_program(name.id, entry, Wrapping::Wrapped).versioned(version));
            }
        }
        reading.order_by_version();
        reading
    }
}

struct Name<'a> {
    /// `V3`, `U0`.
    id: &'a str,
    version: &'a str,
    /// A `U` file.
    is_late: bool,
}

fn parse(entry: &FileEntry) -> Option<Name<'_>> {
    let stem = match without_program_ending(&entry.name) {
        Some(stem) => Some(stem).filter(|_| entry.name.ends_with(".rs")),
        None => entry.name.strip_suffix(".sql"),
    }?;
    let (id, name) = stem.split_once("__")?;
    let version = id.strip_prefix(['V', 'U'])?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_version = match version.split_once('.') {
        Some((whole, part)) => is_number(whole) && is_number(part),
        None => is_number(version),
    };
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (is_version && is_name).then_some(Name { id, version, is_late: id.starts_with('U') })
}
