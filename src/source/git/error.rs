//! What git could not answer. Each of these makes exit code 2: nothing about history is guessed.

/// Why a repository, or something in it, could not be used. `Display` says what failed and where, `help` what to do.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum GitError {
    #[error("{path}: is in no git repository")]
    #[diagnostic(help(
        "run it where the files are versioned, or leave out what asks git: `--since`, `--staged`, `[releases]` base and tags"
    ))]
    NotARepository { path: String },

    #[error("{path}: the git repository around it cannot be opened: {cause}")]
    #[diagnostic(help("see what `git -C {path} status` says"))]
    Open { path: String, cause: String },

    #[error("{path}: the git repository around it is bare: it has no work tree and no index")]
    #[diagnostic(help("run it in a clone or a worktree"))]
    Bare { path: String },

    #[error("{path}: lies outside of the work tree {work_tree}")]
    #[diagnostic(help("GIT_DIR and GIT_WORK_TREE name that repository: unset them, or give a path in it"))]
    Outside { path: String, work_tree: String },

    #[error("{path}: the repository has no commits yet")]
    #[diagnostic(help("commit first; until then `--staged` reports on everything that is staged"))]
    NoCommits { path: String },

    #[error("`{name}` is no commit, branch or tag here{}", meant(suggestion.as_deref()))]
    #[diagnostic(help("{}", unknown_help(name, *shallow)))]
    UnknownRef { name: String, suggestion: Option<String>, shallow: bool },

    #[error("`{name}` names a {kind}, not a commit")]
    #[diagnostic(help("give a branch, a tag or a commit"))]
    NotACommit { name: String, kind: String },

    #[error("HEAD and `{name}` have no commit in common")]
    #[diagnostic(help("their histories are unrelated: give a ref that HEAD was branched from"))]
    Unrelated { name: String },

    #[error("this clone is shallow: where HEAD left `{name}` is not in it")]
    #[diagnostic(help("{}", UNSHALLOW))]
    ShallowMergeBase { name: String },

    #[error("this clone is shallow: whether HEAD holds tag `{name}` is not in it")]
    #[diagnostic(help("{}", UNSHALLOW))]
    ShallowTags { name: String },

    #[error("no tag that HEAD holds matches `{pattern}`{}", seen(tags))]
    #[diagnostic(help(
        "mend the pattern (`*` stands for anything), tag the last release, or fetch the tags: `git fetch --tags` (`fetch-tags: true`)"
    ))]
    NoTag { pattern: String, tags: Vec<String> },

    #[error("the index {path} cannot be read: {cause}")]
    #[diagnostic(help("see what `git status` says; GIT_INDEX_FILE names another one"))]
    Index { path: String, cause: String },

    #[error("{what} cannot be read from the repository: {cause}")]
    #[diagnostic(help("`git fsck` says what is missing; a partial clone gets it with `git fetch --refetch --no-filter`"))]
    Object { what: String, cause: String },
}

const UNSHALLOW: &str =
    "get the whole history first: `git fetch --unshallow` (`fetch-depth: 0` of actions/checkout, `GIT_DEPTH: 0` of GitLab)";

fn meant(suggestion: Option<&str>) -> String {
    suggestion.map(|s| format!(": did you mean `{s}`?")).unwrap_or_default()
}

fn unknown_help(name: &str, shallow: bool) -> String {
    let fetch = match name.strip_prefix("origin/") {
        Some(branch) => format!("git fetch origin {branch}"),
        None => "git fetch --all --tags".to_string(),
    };
    match shallow {
        true => format!("this clone is shallow and may hold one branch only: {UNSHALLOW}, and `{fetch}`"),
        false => {
            format!("`git branch --all` and `git tag` list what there is; what only the remote has comes with `{fetch}`")
        }
    }
}

fn seen(tags: &[String]) -> String {
    match tags {
        [] => ": the repository has no tags".to_string(),
        [one] => format!(": there is `{one}`"),
        [first, .., last] => format!(": there are {}, from `{first}` to `{last}`", tags.len()),
    }
}
