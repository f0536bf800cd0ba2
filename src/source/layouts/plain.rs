//! Plain: any `.sql` file that begins with a number, a date or a timestamp, for runners that leave no other mark.
//!
//! Order: the version's numbers, then the name. Transaction: one per file is assumed, and said; a file with its own `BEGIN` has that.
//! Left out are files that undo another one, by their last word (`001_x.down.sql`) or beside the file they undo (`001_rollback_x.sql`).

use super::{Claim, Layout, OptOut, Reading, Step, Strength, of_other_database, share, without_program_ending};
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::leading_version;
use crate::source::{Version, Wrapping};

const UNDOING: [&str; 4] = ["down", "undo", "rollback", "revert"];
const DOING: [&str; 4] = ["up", "do", "apply", "deploy"];

pub struct Plain;

impl Layout for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn marks(&self) -> &'static str {
        "files whose names begin with a number, a date or a timestamp, and no mark of another layout"
    }

    fn file_names(&self) -> &'static str {
        "`<number, date or timestamp>….sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Wrapped
    }

    fn assumes_transaction(&self) -> bool {
        true
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Elsewhere("run it in a file of its own, the way your runner runs a file without a transaction")
    }

    fn orders_by_name(&self) -> bool {
        true
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let named: Vec<_> = directory.files.iter().filter(|f| f.is_sql() && leading_version(&f.name).is_some()).collect();
        (!named.is_empty()).then(|| Claim {
            strength: Strength::Fallback,
            evidence: format!(
                "{}; one transaction per file is assumed",
                share(named.len(), directory, "<number, date or timestamp>….sql")
            ),
            files: named.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        read_numbered(directory, Wrapping::Wrapped)
    }

    fn read_script(&self, script: &FileEntry) -> Option<Vec<Step>> {
        let id = leading_version(&script.name).unwrap_or(script.stem());
        Some(vec![Step::of_file(id, script, Wrapping::Wrapped).or_explicit()])
    }
}

/// Every file of the directory that begins with a number, in this transaction where it opens none itself.
pub(super) fn read_numbered(directory: &Directory, wrapping: Wrapping) -> Reading {
    let mut reading = Reading::default();
    let mut downs = Vec::new();
    for entry in &directory.files {
        let Some(version) = leading_version(&entry.name) else { continue };
        let key = Version::numbers(version);
        let is_program = without_program_ending(&entry.name).is_some();
        if is_program {
            reading.steps.push(Step::of_program(version, entry, wrapping).versioned(key));
        } else if !entry.is_sql() {
            continue;
        } else if let Some(why) = of_other_database(&entry.name) {
            reading.skip(entry, &why);
        } else if undoes(entry, &directory.files) {
            downs.push((entry, key));
        } else {
            reading.steps.push(Step::of_file(version, entry, wrapping).or_explicit().versioned(key));
        }
    }
    reading.order_by_version();
    downs.iter().for_each(|(entry, version)| reading.undo(entry, version));
    reading
}

/// True for the undoing half of a pair. A word such as `rollback` in a name that stands alone may well be what the step is about.
fn undoes(entry: &FileEntry, all: &[FileEntry]) -> bool {
    let name = words(entry);
    let is_undoing = |word: &String| UNDOING.contains(&word.as_str());
    let Some(at) = name.iter().position(is_undoing) else { return false };
    if at + 1 == name.len() && UNDOING.iter().any(|word| entry.stem().to_ascii_lowercase().ends_with(&format!(".{word}"))) {
        return true;
    }
    let undone: Vec<&String> = name.iter().filter(|w| !is_undoing(w)).collect();
    all.iter().filter(|other| other.is_sql() && other.name != entry.name).any(|other| {
        let other = words(other);
        let done: Vec<&String> = other.iter().filter(|w| !DOING.contains(&w.as_str())).collect();
        done == undone
    })
}

fn words(entry: &FileEntry) -> Vec<String> {
    entry.stem().split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}
