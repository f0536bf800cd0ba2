//! db-migrate: steps in JavaScript, `<14 digits>-<name>.js`, that load `sqls/<14 digits>-<name>-up.sql` and `-down.sql`.
//!
//! Order: the names of the steps as strings (`lib/file.js`, loadFromFileystem). Transaction: one per step, BEGIN before and COMMIT
//! after it (`lib/executors/versioned/v1.js`, up; db-migrate-pg `index.js`, startMigration and endMigration), unless the tool is
//! called with `--non-transactional`; nothing in a file gives it up.
//!
//! A step that names no SQL file is one in another language. One that loads its file may do more than that; what its template does
//! (`lib/template.js`, sqlFileLoaderTemplate) is assumed. Where only the directory `sqls` is given, the steps are not seen and every
//! file of it is taken for one.

use super::{Claim, Layout, OptOut, Reading, Step, Strength, without_program_ending};
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::{Direction, leading_digits};
use crate::source::{Version, Wrapping};

const FILES: &str = "sqls";

pub struct DbMigrate;

impl Layout for DbMigrate {
    fn name(&self) -> &'static str {
        "db-migrate"
    }

    fn marks(&self) -> &'static str {
        "files named <14 digits>-<name>-up.sql and -down.sql, or a directory `sqls` with such files below steps in JavaScript"
    }

    fn file_names(&self) -> &'static str {
        "`<14 digits>-<name>-up.sql` or `-down.sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Elsewhere(
            "run it with `db-migrate --non-transactional`, or outside of the migrations: no file can leave its transaction",
        )
    }

    fn is_recursive(&self) -> bool {
        true
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let (place, strength) = match files_below(directory) {
            Some(below) => (below, Strength::Content),
            None => (directory, Strength::Names),
        };
        let named: Vec<_> = place.files.iter().filter(|f| parse(&f.name).is_some()).collect();
        named.iter().find(|f| parse(&f.name).is_some_and(|(_, direction)| direction == Direction::Up))?;
        let steps = steps_of(directory).count();
        let loaded = match strength {
            Strength::Content => format!(", below {steps} steps in JavaScript"),
            _ => "; the steps in JavaScript that load them are not seen".to_string(),
        };
        Some(Claim {
            strength,
            evidence: format!("{} files are named <14 digits>-<name>-up.sql or -down.sql{loaded}", named.len()),
            files: named.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        let place = files_below(directory).unwrap_or(directory);
        let files = || place.files.iter().filter_map(|entry| Some((entry, parse(&entry.name)?)));
        let up = |step: &str| files().find(|(_, (name, direction))| *name == step && *direction == Direction::Up);
        let mut loaded = Vec::new();
        for (name, entry) in steps_of(directory) {
            let file = up(name).filter(|(file, _)| entry.text().is_some_and(|text| text.contains(&file.name)));
            let step = match file {
                Some((file, _)) => {
                    loaded.push(name);
                    Step::of_file(name, file, Wrapping::Wrapped)
                }
                None => Step::of_program(name, entry, Wrapping::Wrapped),
            };
            reading.steps.push(step.versioned(Version::text(name)));
        }
        let has_steps = steps_of(directory).next().is_some();
        for (entry, (name, _)) in files().filter(|(_, (_, direction))| *direction == Direction::Up) {
            if !has_steps {
                reading.steps.push(Step::of_file(name, entry, Wrapping::Wrapped).versioned(Version::text(name)));
            } else if !loaded.contains(&name) {
                reading.skip(entry, "no step in JavaScript loads it");
            }
        }
        reading.order_by_version();
        for (entry, (name, _)) in files().filter(|(_, (_, direction))| *direction == Direction::Down) {
            reading.undo(entry, &Version::text(name));
        }
        reading
    }
}

/// The directory with the SQL of steps in this one.
fn files_below(directory: &Directory) -> Option<&Directory> {
    let below = directory.directories.iter().find(|below| below.name == FILES)?;
    below.files.iter().any(|f| parse(&f.name).is_some()).then_some(below)
}

/// Steps in JavaScript, by name.
fn steps_of(directory: &Directory) -> impl Iterator<Item = (&str, &FileEntry)> {
    directory.files.iter().filter_map(|entry| Some((step_name(without_program_ending(&entry.name)?)?, entry)))
}

/// `name` if it is `<14 digits>-<name>`, without dots.
fn step_name(name: &str) -> Option<&str> {
    let (version, rest) = leading_digits(name)?;
    let is_step = version.len() == 14 && rest.len() > 1 && rest.starts_with('-') && !rest.contains('.');
    is_step.then_some(name)
}

/// The step that a file belongs to, and its direction.
fn parse(name: &str) -> Option<(&str, Direction)> {
    let stem = name.strip_suffix(".sql")?;
    let (step, direction) = match (stem.strip_suffix("-up"), stem.strip_suffix("-down")) {
        (Some(step), _) => (step, Direction::Up),
        (None, Some(step)) => (step, Direction::Down),
        (None, None) => return None,
    };
    Some((step_name(step)?, direction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_the_step_and_the_direction() {
        assert_eq!(parse("20170227114808-add-users-up.sql"), Some(("20170227114808-add-users", Direction::Up)));
        assert_eq!(parse("20170227114808-lock-down-down.sql"), Some(("20170227114808-lock-down", Direction::Down)));
        for name in ["20170227114808-up.sql", "2017022711480-a-up.sql", "20170227114808_a-up.sql", "20170227114808-a.up.sql"] {
            assert_eq!(parse(name), None, "{name}");
        }
    }
}
