//! Which layout a directory has, and where below a PATH the histories lie.
//!
//! The strongest marks win. Two layouts with equally strong marks are settled by reading both: where they agree on order and
//! transactions the first of the list is taken, else the directory is ambiguous. It is ambiguous too when another layout claims
//! files that the winner does not understand: half of such a directory would run under rules that are not its own.

use crate::source::directory::Directory;
use crate::source::error::Candidate;
use crate::source::layouts::{self, Claim, Layout, Strength};
use crate::source::scope::Scope;
use crate::source::{SourceError, Wrapping, name};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A directory that holds a history, and by what that was seen.
pub struct Found<'a> {
    /// Without the files that the configuration leaves out.
    pub directory: Cow<'a, Directory>,
    pub layout: &'static dyn Layout,
    pub strength: Strength,
    pub evidence: String,
}

/// Looks for histories in a directory, and below it if it holds none itself. Directories for other databases are left out.
///
/// Numbered files without any mark are migrations where nothing else below is, or where their directory is called so; beside a
/// recognised history they are more likely queries or test data.
pub fn find<'a>(
    root: &'a Directory,
    forced: Option<&'static dyn Layout>,
    scope: &Scope,
    errors: &mut Vec<SourceError>,
) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    descend(root, root, forced, scope, &mut found, errors);
    if found.iter().any(|f| f.strength > Strength::Fallback) {
        found.retain(|f| f.strength > Strength::Fallback || f.directory.path.to_lowercase().contains("migrat"));
    }
    found
}

fn descend<'a>(
    root: &Directory,
    directory: &'a Directory,
    forced: Option<&'static dyn Layout>,
    scope: &Scope,
    found: &mut Vec<Found<'a>>,
    errors: &mut Vec<SourceError>,
) {
    let selected = scope.selected(directory);
    match recognise(&selected, forced) {
        Recognition::Layout(layout, strength, evidence) => {
            found.push(Found { directory: selected, layout, strength, evidence });
        }
        Recognition::Ambiguous(candidates) => {
            errors.push(SourceError::Ambiguous { path: directory.path.clone(), candidates });
        }
        Recognition::Nothing => {
            for below in &directory.directories {
                if other_database(root, below).is_none() {
                    descend(root, below, forced, scope, found, errors);
                }
            }
        }
    }
}

/// The other database that a directory below `root` is for, by its path or by the marks in it.
pub fn other_database(root: &Directory, directory: &Directory) -> Option<&'static str> {
    let below = directory.path.strip_prefix(root.path.as_str()).unwrap_or(&directory.path);
    name::other_database_of_directory(below).or_else(|| marked_for_other_database(directory))
}

/// The other database that marks in the directory say it is for.
pub fn marked_for_other_database(directory: &Directory) -> Option<&'static str> {
    layouts::all().iter().find_map(|layout| layout.other_database(directory))
}

pub enum Recognition {
    Nothing,
    Layout(&'static dyn Layout, Strength, String),
    Ambiguous(Vec<Candidate>),
}

/// The layout of one directory, or what speaks for several.
pub fn recognise(directory: &Directory, forced: Option<&'static dyn Layout>) -> Recognition {
    if let Some(layout) = forced {
        let steps = layout.read(directory).steps;
        // A recursive layout would otherwise take the topmost directory and join every history below it.
        let is_here = !layout.is_recursive()
            || layout.recognise(directory).is_some()
            || steps.iter().any(|step| directory.files.iter().any(|f| f.path == step.file.path));
        return if !steps.is_empty() && is_here {
            Recognition::Layout(layout, Strength::Content, "named, not recognised".to_string())
        } else {
            Recognition::Nothing
        };
    }
    if marked_for_other_database(directory).is_some() {
        return Recognition::Nothing;
    }
    let mut claims: Vec<(&'static dyn Layout, Claim)> =
        layouts::all().iter().filter_map(|&layout| Some((layout, layout.recognise(directory)?))).collect();
    drop_leftovers(&mut claims);
    // A stable sort: equal claims stay in the order of the list.
    claims.sort_by_key(|(_, claim)| std::cmp::Reverse(claim.strength));
    let Some((winner, won)) = claims.first() else { return Recognition::Nothing };
    let rivals: Vec<&(&'static dyn Layout, Claim)> =
        claims.iter().skip(1).filter(|(layout, claim)| is_rival(directory, (*winner, won), (*layout, claim))).collect();
    if rivals.is_empty() {
        return Recognition::Layout(*winner, won.strength, won.evidence.clone());
    }
    let all = std::iter::once(&claims[0]).chain(rivals);
    Recognition::Ambiguous(all.map(|(l, c)| Candidate { layout: l.name(), evidence: c.evidence.clone() }).collect())
}

/// An annotation that an earlier runner left in one of very many files, all of which a claim as strong understands, is no mark.
fn drop_leftovers(claims: &mut Vec<(&'static dyn Layout, Claim)>) {
    const VERY_MANY: usize = 20;
    let is_leftover = |claim: &Claim| {
        claims.iter().any(|(_, other)| {
            other.strength >= claim.strength
                && other.files.len() >= claim.files.len() * VERY_MANY
                && claim.files.iter().all(|file| other.files.contains(file))
        })
    };
    let keep: Vec<bool> = claims.iter().map(|(_, claim)| !is_leftover(claim)).collect();
    let mut keep = keep.into_iter();
    claims.retain(|_| keep.next().unwrap_or(true));
}

fn is_rival(directory: &Directory, winner: (&'static dyn Layout, &Claim), other: (&'static dyn Layout, &Claim)) -> bool {
    let understood: BTreeSet<&str> = winner.1.files.iter().map(String::as_str).collect();
    let beyond = other.1.files.iter().filter(|f| !understood.contains(f.as_str())).count();
    match other.1.strength {
        // A stray numbered file beside a real layout is no layout, but a majority of them is.
        Strength::Fallback => beyond > winner.1.files.len(),
        strength => beyond > 0 || (strength == winner.1.strength && runs(winner.0, directory) != runs(other.0, directory)),
    }
}

/// What a layout would run: file, bytes and transaction of each step.
fn runs(layout: &dyn Layout, directory: &Directory) -> Vec<(String, Vec<crate::op::Span>, Wrapping)> {
    layout.read(directory).steps.into_iter().map(|step| (step.file.path.clone(), step.parts, step.wrapping)).collect()
}
