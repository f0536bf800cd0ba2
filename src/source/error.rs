//! What cannot be used: arguments and paths. Each of these makes exit code 2; the rest of the report still comes out.

use crate::source::nearby;
use crate::source::origin::Origin;

/// Why a PATH gave no history, or not all of it. `Display` says what failed and where, `help` what to do.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SourceError {
    #[error("{path}: no such file or directory{}", holds(nearby))]
    #[diagnostic(help("give a migrations directory, a file in it, or `-` for standard input"))]
    NotFound {
        path: String,
        /// Directories around it that hold migrations, the likeliest first.
        nearby: Vec<String>,
    },

    #[error("{path}: is a file, and one of several paths that form one history")]
    #[diagnostic(help("name the directory that it lies in, and leave the others out with `include`"))]
    NoDirectory { path: String },

    #[error("{path}: holds {} histories, and phasegate.toml has it as one: {}", histories.len(), histories.join(", "))]
    #[diagnostic(help("give each its own [[histories]], or name the directories that form one together in its `paths`"))]
    SeveralHistories { path: String, histories: Vec<String> },
    #[error("{path}: is not in {snapshot}")]
    #[diagnostic(help("`git add` it, or give a path that git knows"))]
    NotInGit { path: String, snapshot: String },

    #[error("{path}: cannot be read: {cause}")]
    #[diagnostic(help("make it readable for this user; everything else was read"))]
    Unreadable { path: String, cause: String },

    #[error("{path}: holds no migration: {seen}")]
    #[diagnostic(help("give the directory whose files the runner applies, or name its convention with `--layout` ({layouts})"))]
    NoMigration { path: String, seen: String, layouts: String },

    #[error("{path}: more than one layout fits: {}", listed(candidates))]
    #[diagnostic(help("say which one the runner uses: {}", flags(candidates)))]
    Ambiguous { path: String, candidates: Vec<Candidate> },

    #[error("unknown layout `{name}`{}", meant(suggestion.as_deref()))]
    #[diagnostic(help("`--layout` takes one of {layouts}"))]
    UnknownLayout { name: String, suggestion: Option<String>, layouts: String },
}

impl SourceError {
    /// Nothing is at a path.
    pub(super) fn missing(path: String, origin: &Origin) -> SourceError {
        match origin {
            Origin::Disk => SourceError::NotFound { nearby: nearby::directories(&path), path },
            Origin::Git(snapshot) => SourceError::NotInGit { path, snapshot: snapshot.name.clone() },
        }
    }

    /// The path that it is about; none for a layout that does not exist.
    pub fn path(&self) -> Option<&str> {
        match self {
            SourceError::NotFound { path, .. }
            | SourceError::NoDirectory { path }
            | SourceError::SeveralHistories { path, .. }
            | SourceError::NotInGit { path, .. }
            | SourceError::Unreadable { path, .. }
            | SourceError::NoMigration { path, .. }
            | SourceError::Ambiguous { path, .. } => Some(path),
            SourceError::UnknownLayout { .. } => None,
        }
    }
}

/// A layout that fits a directory, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub layout: &'static str,
    pub evidence: String,
}

fn holds(nearby: &[String]) -> String {
    match nearby {
        [] => String::new(),
        [one] => format!("; {one} holds migrations"),
        several => format!("; {} hold migrations", several.join(", ")),
    }
}

fn listed(candidates: &[Candidate]) -> String {
    let each: Vec<String> = candidates.iter().map(|c| format!("{} ({})", c.layout, c.evidence)).collect();
    each.join(" and ")
}

fn flags(candidates: &[Candidate]) -> String {
    let each: Vec<String> = candidates.iter().map(|c| format!("`--layout {}`", c.layout)).collect();
    each.join(" or ")
}

fn meant(suggestion: Option<&str>) -> String {
    suggestion.map(|s| format!(": did you mean `{s}`?")).unwrap_or_default()
}
