//! Commits: by name, by tag, and where two lines of development parted.

use super::{GitError, Repository, Snapshot, one_line, release_tag};
use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use gix::glob::wildmatch;
use std::sync::Arc;

/// The file in a work tree's git directory that lists what is being merged, one id a line.
const MERGE_HEAD: &str = "MERGE_HEAD";

/// A commit, and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub(super) id: ObjectId,
    /// For people: `origin/main`, `the merge base of origin/main and HEAD`, `tag v1.2`.
    pub name: String,
}

impl Commit {
    /// The name and the first digits of the commit: `tag v1.2 (1a2b3c4d5e6f)`.
    pub fn described(&self) -> String {
        format!("{} ({})", self.name, self.id.to_hex_with_len(12))
    }

    /// True where both are one commit, however each was found.
    pub fn is_same(&self, other: &Commit) -> bool {
        self.id == other.id
    }
}

impl Repository {
    /// The commit that HEAD is at; none before the first one.
    pub fn head(&self) -> Result<Option<Commit>, GitError> {
        let git = self.git();
        let unreadable = |error: &gix::Error| GitError::Object { what: "HEAD".into(), cause: one_line(error) };
        let mut head = git.head().map_err(|error| unreadable(&error))?;
        if head.is_unborn() {
            return Ok(None);
        }
        let commit = head.peel_to_commit().map_err(|error| unreadable(&error))?;
        Ok(Some(Commit { id: commit.id, name: "HEAD".to_string() }))
    }

    /// The commits that are being merged into HEAD, until the merge is committed. None where no merge is under way.
    pub fn merging(&self) -> Result<Vec<Commit>, GitError> {
        let git = self.git();
        let unreadable = |cause: String| GitError::Object { what: MERGE_HEAD.into(), cause };
        let text = match std::fs::read_to_string(git.git_dir().join(MERGE_HEAD)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error.to_string())),
        };
        let commit = |line: &str| {
            let id = ObjectId::from_hex(line.trim().as_bytes()).map_err(|error| unreadable(error.to_string()))?;
            Ok(Commit { id, name: "what is merged".to_string() })
        };
        text.lines().filter(|line| !line.trim().is_empty()).map(commit).collect()
    }

    /// The commit of a branch, tag, commit id, or any other revision that git's own syntax names.
    pub fn commit(&self, name: &str) -> Result<Commit, GitError> {
        let git = self.git();
        let Ok(id) = git.rev_parse_single(BStr::new(name)) else { return Err(self.unknown(&git, name)) };
        let object = id.object().map_err(|error| GitError::Object { what: format!("`{name}`"), cause: one_line(&error) })?;
        let kind = object.kind.to_string();
        match object.peel_to_commit() {
            Ok(commit) => Ok(Commit { id: commit.id, name: name.to_string() }),
            Err(_) => Err(GitError::NotACommit { name: name.to_string(), kind }),
        }
    }

    /// Where HEAD left `base`: all that this commit holds was on both sides.
    pub fn merge_base(&self, base: &Commit) -> Result<Commit, GitError> {
        let Some(head) = self.head()? else { return Err(GitError::NoCommits { path: self.asked.clone() }) };
        match self.common(&head, base)? {
            Some(id) => Ok(Commit { id, name: format!("the merge base of {} and HEAD", base.name) }),
            None if self.is_shallow() => Err(GitError::ShallowMergeBase { name: base.name.clone() }),
            None => Err(GitError::Unrelated { name: base.name.clone() }),
        }
    }

    /// The newest tag, as versions are ordered ([`release_tag::compare`]), whose name matches the pattern and whose commit HEAD
    /// holds. `*` matches `/` too, as for `git tag --list`.
    pub fn newest_tag(&self, pattern: &str) -> Result<Commit, GitError> {
        let Some(head) = self.head()? else { return Err(GitError::NoCommits { path: self.asked.clone() }) };
        let mut tags = self.tags()?;
        let all: Vec<String> = tags.iter().map(|tag| tag.name.clone()).collect();
        tags.retain(|tag| wildmatch(BStr::new(pattern), BStr::new(&tag.name), wildmatch::Mode::empty()));
        let shallow = self.is_shallow();
        for tag in tags.iter().rev() {
            if self.common(&head, tag)? == Some(tag.id) {
                return Ok(Commit { id: tag.id, name: format!("tag {}", tag.name) });
            }
            // It may lie behind what was cut off; then an older one would be the wrong answer.
            if shallow {
                return Err(GitError::ShallowTags { name: tag.name.clone() });
            }
        }
        Err(GitError::NoTag { pattern: pattern.to_string(), tags: all })
    }

    /// The branch of the remote that others start from, as a ref that `--since` takes: what `refs/remotes/origin/HEAD` says, else
    /// its `main` or `master`. Of several remotes `origin`, else the first by name.
    pub fn default_branch(&self) -> Option<String> {
        let git = self.git();
        let names = git.remote_names();
        let names = names.iter().map(|name| name.to_string());
        let mut remotes: Vec<String> = names.collect();
        remotes.sort_by_key(|name| (name != "origin", name.clone()));
        remotes.iter().find_map(|remote| {
            let head = git.try_find_reference(format!("refs/remotes/{remote}/HEAD").as_str()).ok().flatten();
            let pointed = head.and_then(|head| {
                let target = head.target().try_name()?.as_bstr().to_string();
                target.strip_prefix("refs/remotes/").map(str::to_string)
            });
            let guessed = || {
                ["main", "master"].iter().map(|branch| format!("{remote}/{branch}")).find(|branch| {
                    git.try_find_reference(format!("refs/remotes/{branch}").as_str()).is_ok_and(|found| found.is_some())
                })
            };
            pointed.or_else(guessed)
        })
    }

    /// What a commit holds.
    pub fn snapshot(self: &Arc<Self>, commit: &Commit) -> Result<Snapshot, GitError> {
        let unreadable = |error: gix::Error| GitError::Object { what: commit.described(), cause: one_line(&error) };
        let tree = {
            let git = self.git();
            let commit = git.find_commit(commit.id).map_err(unreadable)?;
            commit.tree_id().map_err(unreadable)?.detach()
        };
        Ok(Snapshot::of_tree(Arc::clone(self), tree, commit.described()))
    }

    /// Every tag of a commit, in the order of versions.
    fn tags(&self) -> Result<Vec<Commit>, GitError> {
        let git = self.git();
        let unreadable = |error: gix::Error| GitError::Object { what: "the list of tags".into(), cause: one_line(&error) };
        let platform = git.references().map_err(unreadable)?;
        let mut tags = Vec::new();
        for mut reference in platform.tags().map_err(unreadable)?.flatten() {
            let name = reference.name().shorten().to_string();
            // A tag of a tree or a blob is no release.
            if let Ok(commit) = reference.peel_to_commit() {
                tags.push(Commit { id: commit.id, name });
            }
        }
        tags.sort_by(|a, b| release_tag::compare(&a.name, &b.name).then_with(|| a.name.cmp(&b.name)));
        Ok(tags)
    }

    fn common(&self, one: &Commit, other: &Commit) -> Result<Option<ObjectId>, GitError> {
        let git = self.git();
        let found = git.merge_base(one.id, other.id);
        let unreadable = |error: gix::Error| GitError::Object {
            what: format!("the history of {} and {}", one.name, other.name),
            cause: one_line(&error),
        };
        found.map(|found| found.map(gix::Id::detach)).map_err(unreadable)
    }

    fn unknown(&self, git: &gix::Repository, name: &str) -> GitError {
        let head_is_unborn = git.head().is_ok_and(|head| head.is_unborn());
        if head_is_unborn && (name == "HEAD" || name == "@") {
            return GitError::NoCommits { path: self.asked.clone() };
        }
        GitError::UnknownRef {
            name: name.to_string(),
            suggestion: similar_ref(git, name),
            shallow: git.is_shallow().unwrap_or(false),
        }
    }
}

/// A ref whose name resembles this one: spelled almost so, or the same branch of a remote.
fn similar_ref(git: &gix::Repository, name: &str) -> Option<String> {
    const LEAST_LIKENESS: f64 = 0.8;
    const SAME_BRANCH: f64 = 0.9;
    let platform = git.references().ok()?;
    let mut names: Vec<String> = platform
        .all()
        .ok()?
        .flatten()
        .map(|reference| reference.name().shorten().to_str_lossy().into_owned())
        .filter(|known| !known.ends_with("/HEAD"))
        .collect();
    names.sort();
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_string();
    let scored = names.into_iter().map(|known| {
        let same_branch = if last(&known) == last(name) { SAME_BRANCH } else { 0.0 };
        (strsim::jaro_winkler(name, &known).max(same_branch), known)
    });
    // Of equals the first by name.
    scored
        .filter(|(likeness, _)| *likeness >= LEAST_LIKENESS)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)))
        .map(|(_, known)| known)
}
