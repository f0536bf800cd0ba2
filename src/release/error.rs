//! What is wrong with what says which units are released. Each of these makes exit code 2: no unit is judged by a guess.

use crate::source::git::GitError;

/// Why it is not known what is released. `Display` says what failed and where, `help` what to do.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ReleaseError {
    #[error("{path}: there is no such manifest of released files")]
    #[diagnostic(help("`phasegate freeze` writes it when something is released; until then leave it out of `[releases]`"))]
    ManifestMissing { path: String },

    #[error("{path}: the manifest of released files cannot be read: {cause}")]
    #[diagnostic(help("make it readable for this user"))]
    ManifestUnreadable { path: String, cause: String },

    #[error("{path}:{line} {why}")]
    #[diagnostic(help(
        "each line is a sum and a name, as `sha256sum 0001_a.sql` writes it; `phasegate freeze` writes the whole file"
    ))]
    ManifestLine { path: String, line: usize, why: String },

    #[error("{path}: {name} stands in it twice, in lines {first} and {second}")]
    #[diagnostic(help("keep the line that was there when it was released"))]
    ManifestDuplicate { path: String, name: String, first: usize, second: usize },

    #[error("{path}:{line} names {name}, which is not there")]
    #[diagnostic(help(
        "put the released file back (`git log --diff-filter=D -- {name}` finds it); take the line out only if it was never released"
    ))]
    ManifestFileMissing { path: String, line: usize, name: String },

    #[error("{history}: `through` names `{id}`, and no migration has this id{}", meant(suggestion.as_deref()))]
    #[diagnostic(help("give the id of the last released migration as reports show it{}", ids(first.as_deref(), last.as_deref())))]
    UnknownThrough { history: String, id: String, suggestion: Option<String>, first: Option<String>, last: Option<String> },

    #[error("{history}: what says what is released does not agree: {unit} is released by {yes}, and not by {no}")]
    #[diagnostic(help("bring them to the same release, or leave one of them out of `[releases]`"))]
    Disagree { history: String, unit: String, yes: String, no: String },

    #[error("{path}: cannot be read from {snapshot}: {cause}")]
    #[diagnostic(help("without it nobody can say what changed"))]
    Snapshot { path: String, snapshot: String, cause: String },

    #[error("standard input has no history in git")]
    #[diagnostic(help("leave out `{flag}`, or give the path of the file"))]
    StandardInput { flag: &'static str },

    #[error(transparent)]
    #[diagnostic(transparent)]
    Git(#[from] GitError),
}

fn meant(suggestion: Option<&str>) -> String {
    suggestion.map(|s| format!(": did you mean `{s}`?")).unwrap_or_default()
}

fn ids(first: Option<&str>, last: Option<&str>) -> String {
    match (first, last) {
        (Some(first), Some(last)) => format!("; they go from `{first}` to `{last}`"),
        _ => String::new(),
    }
}
