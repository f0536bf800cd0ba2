//! sqitch: a `sqitch.plan` that names changes, and for each a script to deploy, to revert and to verify it.
//!
//! Order: the plan's. sqitch refuses a plan in which a change stands before one that it requires and never reorders one
//! (`lib/App/Sqitch/Plan.pm`, `check_changes`). A change that is reworked stands in the plan again; until then it has the text of
//! `<name>@<tag>.sql` (`lib/App/Sqitch/Plan/Change.pm`, `_path_segments`; seen with sqitch 1.3.1 on a server). Directories and the
//! file ending are those of a `sqitch.conf` here or above (`lib/App/Sqitch/Target.pm`); user and system configuration are not looked
//! at.
//!
//! Transaction: none of the runner's. Each script is given to psql with ON_ERROR_STOP (`lib/App/Sqitch/Engine/pg.pm`, `_run` and
//! `_client_opts`), and the templates write BEGIN and COMMIT into it. psql's commands and variables are allowed there; files that a
//! script includes are not read, see `psql_scripts`. A change that is put before one that was deployed makes sqitch refuse. Held
//! against version 1.3.1 by tests/ledgers.rs.

use super::sqitch_plan::{Change, Places, changes, first_changes};
use super::{Claim, Late, Layout, OptOut, PlaceholderForms, Reading, Step, Strength, psql_scripts};
use crate::source::directory::{Directory, FileEntry};
use crate::source::path::join;
use crate::source::{DownPart, Migration, Skipped, Wrapping};
use std::sync::Arc;

const PLAN: &str = "sqitch.plan";
const CONFIGURATION: &str = "sqitch.conf";

pub struct Sqitch;

impl Layout for Sqitch {
    fn name(&self) -> &'static str {
        "sqitch"
    }

    fn marks(&self) -> &'static str {
        "a sqitch.plan with changes, or a sqitch.conf that names the plan"
    }

    fn file_names(&self) -> &'static str {
        "`deploy/<change>.sql` of a change in the plan"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::None
    }

    fn opt_out(&self) -> OptOut {
        OptOut::None
    }

    /// `lib/App/Sqitch/Engine.pm`, lock_destination, and `Engine/pg.pm`, _wait_lock: `SELECT pg_advisory_lock(75474063)` where the lock is
    /// taken. Scripts run in sessions of psql's, so that the server sees no deadlock and both wait until sqitch gives up.
    fn waits_for_advisory_lock(&self) -> bool {
        true
    }

    fn is_recursive(&self) -> bool {
        true
    }

    fn has_down_parts(&self) -> bool {
        true
    }

    fn is_run_by_psql(&self) -> bool {
        true
    }

    /// It looks for the last change that was deployed at its place in the plan, and what stands before has to be there.
    fn late(&self, _: &Migration) -> Late {
        Late::Refused
    }

    fn placeholders(&self) -> PlaceholderForms {
        PlaceholderForms { variables: true, ..PlaceholderForms::default() }
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let project = Project::of(directory)?;
        Some(Claim {
            strength: Strength::Content,
            evidence: format!("{} has {} changes, each a script for psql", project.plan.name, project.changes.len()),
            files: directory.files_below().iter().map(|f| f.path.clone()).collect(),
        })
    }

    /// A change that is reworked further down has the script of its old text under a name that only the whole plan gives it: of such a
    /// plan there is no beginning.
    fn listing_of_first(&self, name: &str, text: &str, there: &[Migration]) -> Option<String> {
        let all = changes(text);
        // What a script includes is a unit, and no change of the plan.
        let is_there = |change: &&Change| there.iter().any(|unit| unit.id == change.name || change.files.contains(&unit.id));
        let begins = first_changes(text, all.iter().take_while(is_there).count());
        let as_before = changes(begins).iter().zip(&all).all(|(now, then)| now == then);
        (name == PLAN && as_before).then(|| begins.to_owned())
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        let Some(project) = Project::of(directory) else { return reading };
        let Places { deploy, revert, verify, reworked_deploy, reworked_revert, reworked_verify, .. } = &project.places;
        for change in &project.changes {
            let Some((name, entry)) = project.script(deploy, reworked_deploy, change) else {
                let name = change.files.first().unwrap_or(&change.name);
                let place = if *name == change.name { deploy } else { reworked_deploy.first().unwrap_or(deploy) };
                reading.steps.push(Step::unseen(name, project.plan.source(), Wrapping::None));
                reading.skipped.push(Skipped {
                    path: join(&directory.path, &project.below(place, name)),
                    why: format!("{} names it, and it is not there: sqitch stops here", project.plan.name),
                });
                continue;
            };
            let mut step = Step::of_file(name, entry, Wrapping::None).or_explicit();
            if let Some((_, down)) = project.script(revert, reworked_revert, change) {
                reading.skip(down, "down part");
                step.down = Some(DownPart { file: Arc::clone(down.source()), span: down.source().body() });
            }
            if let Some((_, check)) = project.script(verify, reworked_verify, change) {
                reading.skip(check, "a verify script: it looks whether the change is there");
            }
            reading.steps.push(step);
        }
        psql_scripts::say_includes(&mut reading, directory);
        reading
    }
}

/// A plan, and where its scripts are below the directory.
struct Project<'a> {
    directory: &'a Directory,
    plan: &'a FileEntry,
    places: Places,
    changes: Vec<Change>,
}

impl<'a> Project<'a> {
    /// The project whose scripts all lie below the directory. It belongs to the directory of its plan, so that others can lie beside
    /// it; only a plan of another name, or with scripts elsewhere, belongs to the directory of its configuration.
    fn of(directory: &'a Directory) -> Option<Project<'a>> {
        let places = match (directory.nearest(CONFIGURATION), directory.file(PLAN)) {
            (None, None) => return None,
            (None, Some(_)) => Places::of_configuration("")?,
            (Some((configuration, to_here)), plan) => {
                let text = configuration.text()?;
                let configured = Places::of_configuration(&text)?;
                let here = configured.below(&to_here);
                match (here, plan) {
                    (Some(places), _) if places.plan == PLAN => places,
                    // The configuration is about another plan: this one has its scripts where they are by default.
                    (_, Some(_)) => Places::of_configuration("")?,
                    (Some(places), None) if to_here == "." => {
                        let (above, name) = places.plan.rsplit_once('/').unwrap_or((".", &places.plan));
                        let belongs_below = name == PLAN && above != "." && configured.below(above).is_some();
                        if belongs_below {
                            return None;
                        }
                        places
                    }
                    (_, None) => return None,
                }
            }
        };
        let plan = file(directory, &places.plan)?;
        let changes = changes(plan.text()?);
        (!changes.is_empty()).then_some(Project { directory, plan, places, changes })
    }

    /// The script of a change, and its name without the ending.
    fn script<'b>(&self, directory: &str, reworked: &[String], change: &'b Change) -> Option<(&'b str, &'a FileEntry)> {
        let at = |directory: &str, name: &str| file(self.directory, &self.below(directory, name));
        let found = |name: &'b String| {
            let is_current = *name == change.name;
            let entry = if is_current { at(directory, name) } else { reworked.iter().find_map(|old| at(old, name)) };
            Some((name.as_str(), entry?))
        };
        change.files.iter().find_map(found)
    }

    fn below(&self, directory: &str, name: &str) -> String {
        join(directory, &format!("{name}.{}", self.places.extension))
    }
}

/// The file at a path below the directory.
fn file<'a>(directory: &'a Directory, path: &str) -> Option<&'a FileEntry> {
    match path.split_once('/') {
        Some((first, rest)) => file(directory.directories.iter().find(|below| below.name == first)?, rest),
        None => directory.file(path),
    }
}
