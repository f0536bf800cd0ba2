//! pop (gobuffalo) and Ory's popx: `<version>_<name>.up.sql` and `.down.sql`, with a dialect before the direction where a file is for
//! one database only, here and in every directory below. `.fizz` files are steps in pop's own language.
//!
//! Order: the version as a string (`gobuffalo/pop`: `migration_info.go`, Less; Ory: `oryx/popx/migration_info.go`, compareMigration).
//! Of one version the file for PostgreSQL runs and the one for all databases does not, whichever it is (pop: `migrator.go`, UpTo, by
//! its ledger; popx: sortAndFilter). Of two for the same dialect one runs, and nobody says which. Empty files are stubs, recorded like
//! others. Transaction: one per file; in popx `.autocommit` gives it up, and the file is one batch (`oryx/popx/migrator.go`,
//! shouldNotUseTransaction; `migration_box.go`, txRunner).
//!
//! golang-migrate's names are the same. pop is recognised by what that refuses or does not have (`.autocommit`, `.fizz`, a file for
//! all databases beside one for PostgreSQL of the same version), or by a go.mod above that requires pop and not golang-migrate.

use super::{Claim, Late, Layout, OptOut, Reading, Statements, Step, Strength, go_dependency, of_other_database};
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::{Direction, is_postgresql, leading_digits, split_direction};
use crate::source::{Migration, Version, Wrapping};

const AUTOCOMMIT: &str = "autocommit";
const MODULES: [&str; 3] = ["github.com/gobuffalo/pop", "github.com/ory/pop", "github.com/markbates/pop"];
const GOLANG_MIGRATE: &str = "github.com/golang-migrate/migrate";

pub struct Pop;

impl Layout for Pop {
    fn name(&self) -> &'static str {
        "pop"
    }

    fn marks(&self) -> &'static str {
        "files named <version>_<name>.up.sql with .autocommit, .fizz, or a .postgres file beside a general one, or a go.mod with pop above"
    }

    fn file_names(&self) -> &'static str {
        "`<version>_<name>.up.sql` or `.down.sql`, perhaps with a dialect or `.autocommit` before that"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Mark {
            mark: ".autocommit",
            place: "in the name of the file, before `.up.sql` (Ory's popx)",
            statements: Statements::Batch,
        }
    }

    fn is_recursive(&self) -> bool {
        true
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    /// It applies what is not in its table (`migrator.go`, UpTo).
    fn late(&self, _: &Migration) -> Late {
        Late::Applied
    }

    /// `migrator.go`, UpTo, by its ledger.
    fn on_same_version(&self) -> Option<&'static str> {
        Some("one of them runs, and nobody says which")
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let here: Vec<(&FileEntry, Name<'_>)> = directory.files.iter().filter_map(|f| Some((f, parse(&f.name)?))).collect();
        here.iter().find(|(f, name)| f.is_sql() && name.direction == Direction::Up)?;
        let beside = |name: &Name<'_>| {
            name.is_for_all() && here.iter().any(|(_, other)| other.is_for_postgresql() && other.is_step_of(name))
        };
        let (strength, mark) = if let Some((file, _)) = here.iter().find(|(_, name)| name.autocommit) {
            (Strength::Content, format!("{} is one without a transaction", file.name))
        } else if let Some((file, _)) = here.iter().find(|(_, name)| name.is_fizz) {
            (Strength::Content, format!("{} is in fizz", file.name))
        } else if let Some((file, _)) = here.iter().find(|(_, name)| beside(name)) {
            (Strength::Content, format!("{} is for all databases beside one for PostgreSQL", file.name))
        } else if is_required(directory) {
            (Strength::Surroundings, "a go.mod above requires pop".to_string())
        } else {
            return None;
        };
        let below = directory.files_below();
        // What only golang-migrate would run is known to pop as a wrong name.
        let has_direction = |name: &str| name.contains(".up.") || name.contains(".down.");
        let known = |f: &&&FileEntry| has_direction(&f.name) && leading_digits(&f.name).is_some();
        Some(Claim {
            strength,
            evidence: format!("{} files are named <version>_<name>.up or .down, and {mark}", here.len()),
            files: below.iter().filter(known).map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        let below = directory.files_below();
        let named: Vec<(&FileEntry, Name<'_>)> = below.into_iter().filter_map(|f| Some((f, parse(&f.name)?))).collect();
        let mut downs = Vec::new();
        for (entry, name) in &named {
            let version = Version::text(name.version);
            let has_specific = || named.iter().any(|(_, other)| other.is_for_postgresql() && other.is_step_of(name));
            if let Some(why) = of_other_database(&entry.name) {
                reading.skip(entry, &why);
            } else if let Some(dialect) = name.dialect.filter(|_| !name.is_for_postgresql()) {
                reading.skip(entry, &format!("for a dialect that pop does not know: {dialect}"));
            } else if name.is_for_all() && has_specific() {
                reading.skip(entry, "the file for PostgreSQL of its version runs instead");
            } else if name.direction == Direction::Down {
                downs.push((*entry, version));
            } else if name.is_fizz {
                reading.steps.push(Step::of_program(name.version, entry, Wrapping::Wrapped).versioned(version));
            } else if name.autocommit {
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Name<'a> {
    version: &'a str,
    /// As written: `postgres`, `sqlite3`.
    dialect: Option<&'a str>,
    autocommit: bool,
    direction: Direction,
    is_fizz: bool,
}

impl Name<'_> {
    fn is_for_all(&self) -> bool {
        self.dialect.is_none()
    }

    fn is_for_postgresql(&self) -> bool {
        self.dialect.is_some_and(is_postgresql)
    }

    fn is_step_of(&self, other: &Name<'_>) -> bool {
        self.version == other.version && self.direction == other.direction
    }
}

/// popx's `match.go`: version, a name without dots, a dialect, `.autocommit`, direction, ending.
fn parse(name: &str) -> Option<Name<'_>> {
    let (stem, is_fizz) = match name.strip_suffix(".fizz") {
        Some(stem) => (stem, true),
        None => (name.strip_suffix(".sql")?, false),
    };
    let (rest, direction) = split_direction(stem);
    let (version, rest) = leading_digits(rest)?;
    let mut words = rest.strip_prefix('_')?.split('.');
    words.next().filter(|name| !name.is_empty())?;
    let (dialect, autocommit) = match (words.next(), words.next(), words.next()) {
        (None, _, _) => (None, false),
        (Some(AUTOCOMMIT), None, _) => (None, true),
        (Some(dialect), None, _) => (Some(dialect), false),
        (Some(dialect), Some(AUTOCOMMIT), None) => (Some(dialect), true),
        (Some(_), Some(_), _) => return None,
    };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    dialect.is_none_or(is_word).then_some(Name { version, dialect, autocommit, direction: direction?, is_fizz })
}

fn is_required(directory: &Directory) -> bool {
    MODULES.iter().any(|module| go_dependency(directory, module)) && !go_dependency(directory, GOLANG_MIGRATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_dialect_and_autocommit() {
        let read = |name| parse(name).map(|n| (n.version, n.dialect, n.autocommit, n.direction, n.is_fizz));
        assert_eq!(read("20190100000001000000_a b.up.sql"), Some(("20190100000001000000", None, false, Direction::Up, false)));
        assert_eq!(read("1_a.postgres.down.sql"), Some(("1", Some("postgres"), false, Direction::Down, false)));
        assert_eq!(read("1_a.autocommit.up.sql"), Some(("1", None, true, Direction::Up, false)));
        assert_eq!(read("1_a.cockroach.autocommit.up.sql"), Some(("1", Some("cockroach"), true, Direction::Up, false)));
        assert_eq!(read("1_a.up.fizz"), Some(("1", None, false, Direction::Up, true)));
        for name in ["1_a.sql", "a.up.sql", "1_.up.sql", "1_a.b.c.up.sql", "1_a.Postgres.up.sql", "1-a.up.sql", "1_a.up.go"] {
            assert_eq!(read(name), None, "{name}");
        }
    }
}
