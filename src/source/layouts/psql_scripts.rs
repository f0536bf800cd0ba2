//! Scripts that people or shell scripts feed to psql: files that begin with a number or a date, and that hold psql's own commands.
//!
//! Order: the number or date, then the name. Transaction: none; a file with its own `BEGIN` has that. Recognised where half of the
//! numbered files or more hold a command such as `\set ON_ERROR_STOP`; `\connect` and `\restrict` are no mark, pg_dump writes them
//! into files that other runners are then given. Variables (`:name`) alone are none either: runners with placeholders of their own
//! write them in the same way (graphile-worker's `src/migrate.ts` does).
//!
//! What a file includes (`\i`, `\ir`) is not read. It is a step of its own that nobody knows, before the one that includes it, and
//! the rule `psql-command` says so where it stands. A number that occurs twice names no version: such files are ordered by their
//! names.
//!
//! Read off musicbrainz-server's `upgrade.sh` and `admin/psql` (one psql per file, no `--single-transaction`); whoever gives that
//! flag has one transaction per call.

use super::{Claim, Layout, OptOut, PlaceholderForms, Reading, Step, Strength, plain, share};
use crate::source::directory::{Directory, FileEntry};
use crate::source::name::leading_version;
use crate::source::path::{ancestor, join};
use crate::source::script::{self, PsqlCommand};
use crate::source::{UnitKind, Wrapping};
use std::collections::BTreeSet;

pub struct PsqlScripts;

impl Layout for PsqlScripts {
    fn name(&self) -> &'static str {
        "psql-scripts"
    }

    fn marks(&self) -> &'static str {
        "files whose names begin with a number or a date, half of them or more with psql's own commands (`\\set`, `\\i`)"
    }

    fn file_names(&self) -> &'static str {
        "`<number or date>….sql`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::None
    }

    fn opt_out(&self) -> OptOut {
        OptOut::None
    }

    fn is_run_by_psql(&self) -> bool {
        true
    }

    fn placeholders(&self) -> PlaceholderForms {
        PlaceholderForms { variables: true, ..PlaceholderForms::default() }
    }

    fn orders_by_name(&self) -> bool {
        true
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let numbered: Vec<_> = directory.files.iter().filter(|f| f.is_sql() && leading_version(&f.name).is_some()).collect();
        let scripts: Vec<_> = numbered.iter().filter(|f| holds_commands(f)).collect();
        let first = scripts.first().filter(|_| scripts.len() * 2 >= numbered.len())?;
        Some(Claim {
            strength: Strength::Content,
            evidence: format!(
                "{}, and {} of them hold commands of psql, such as {}; psql runs them, each file without a transaction of its own",
                share(numbered.len(), directory, "<number or date>….sql"),
                scripts.len(),
                first.name
            ),
            files: numbered.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = plain::read_numbered(directory, Wrapping::None);
        let versions: BTreeSet<_> = reading.steps.iter().map(|step| &step.version).collect();
        if versions.len() < reading.steps.len() {
            reading.steps.iter_mut().for_each(|step| step.version = None);
        }
        say_includes(&mut reading, directory);
        reading
    }

    fn read_script(&self, script: &FileEntry) -> Option<Vec<Step>> {
        if !holds_commands(script) {
            return None;
        }
        let id = leading_version(&script.name).unwrap_or(script.stem());
        let step = Step::of_file(id, script, Wrapping::None).or_explicit();
        Some(included(&step).into_iter().map(|(unseen, _)| unseen).chain([step.clone()]).collect())
    }
}

/// True for a text with a command that somebody wrote for psql.
fn holds_commands(entry: &FileEntry) -> bool {
    const DUMPED: [&str; 4] = ["connect", "c", "restrict", "unrestrict"];
    let Some(text) = entry.text() else { return false };
    // Few files have a line that looks like one; only those are read token by token.
    text.lines().any(|line| line.trim_start().starts_with('\\'))
        && script::psql_commands(text, entry.source().body()).iter().any(|command| !DUMPED.contains(&command.name))
}

/// Puts a step before each one that includes other files, and leaves the included files of this directory out with why.
pub(super) fn say_includes(reading: &mut Reading, directory: &Directory) {
    let mut steps = Vec::with_capacity(reading.steps.len());
    let mut left_out: Vec<(String, String)> = Vec::new();
    for step in std::mem::take(&mut reading.steps) {
        for (unseen, file) in included(&step) {
            left_out.push((file, step.file.path.clone()));
            steps.push(unseen);
        }
        steps.push(step);
    }
    let run: BTreeSet<&str> = steps.iter().map(|step| step.file.path.as_str()).collect();
    let skipped: BTreeSet<String> = reading.skipped.iter().map(|skipped| skipped.path.clone()).collect();
    for entry in directory.files_below() {
        let by = left_out
            .iter()
            .find(|(file, by)| [ancestor(by, 1), directory.path.clone()].iter().any(|from| resolved(from, file) == entry.path));
        if let Some((_, by)) = by.filter(|_| !run.contains(entry.path.as_str()) && !skipped.contains(&entry.path)) {
            reading.skip(entry, &format!("{by} includes it; what is included is not read"));
        }
    }
    reading.steps = steps;
}

/// A step that nobody knows for each file that the step includes, and that file as it is written.
fn included(step: &Step) -> Vec<(Step, String)> {
    let Some(text) = step.file.text().ok().filter(|_| step.kind == UnitKind::Sql) else { return Vec::new() };
    let commands = step.parts.iter().flat_map(|&part| script::psql_commands(text, part));
    let unseen = |command: PsqlCommand<'_>| {
        let file = command.included()?;
        Some((Step::unseen(format!("{} \\{} {file}", step.id, command.name), &step.file, step.wrapping), file.to_string()))
    };
    commands.filter_map(unseen).collect()
}

/// `file` as it is written in a file of the directory `from`.
fn resolved(from: &str, file: &str) -> String {
    let mut path = from.to_string();
    for part in file.split('/').filter(|part| !part.is_empty() && *part != ".") {
        path = if part == ".." { ancestor(&path, 1) } else { join(&path, part) };
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;
    use std::sync::Arc;

    fn script(text: &str) -> FileEntry {
        let file = SourceFile { path: "001_a.sql".into(), repo_path: "001_a.sql".into(), bytes: text.into() };
        FileEntry::of_source("001_a.sql", Arc::new(file))
    }

    #[test]
    fn commands_that_dumps_hold_are_no_mark_of_scripts() {
        assert!(holds_commands(&script("SELECT 1;\n  \\set ON_ERROR_STOP 1\n")));
        for text in ["\\connect shop\n", "\\restrict x\nSELECT 1;", "SELECT '\n\\set x';", "COPY t FROM stdin;\n\\N\n\\.\n"] {
            assert!(!holds_commands(&script(text)), "{text}");
        }
    }

    #[test]
    fn what_a_script_includes_is_a_step_that_nobody_knows() {
        let steps = PsqlScripts.read_script(&script("\\i a.sql\nSELECT 1;\n\\ir b.sql\n")).expect("a script of psql");
        let found: Vec<(&str, UnitKind)> = steps.iter().map(|step| (step.id.as_str(), step.kind)).collect();
        assert_eq!(found, [("001 \\i a.sql", UnitKind::Unknown), ("001 \\ir b.sql", UnitKind::Unknown), ("001", UnitKind::Sql)]);
    }

    #[test]
    fn files_are_included_from_the_directory_of_the_including_one() {
        assert_eq!(resolved("db/updates", "../functions/./a.sql"), "db/functions/a.sql");
        assert_eq!(resolved(".", "a.sql"), "a.sql");
    }
}
