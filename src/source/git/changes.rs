//! What a commit of the index would bring, before anybody knows what a migration is here.

use super::{Child, ChildKind, GitError, Snapshot};
use crate::source::path::join;
use std::collections::BTreeMap;

impl Snapshot {
    /// True where both hold the same files below a directory, of those whose names `is_wanted` takes. `None` is a history without
    /// a commit, which holds nothing.
    pub fn holds_the_same_below(
        &self,
        earlier: Option<&Snapshot>,
        directory: &str,
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> Result<bool, GitError> {
        let mut now = BTreeMap::new();
        self.collect(directory, is_wanted, &mut now)?;
        let mut then = BTreeMap::new();
        if let Some(earlier) = earlier {
            earlier.collect(directory, is_wanted, &mut then)?;
        }
        Ok(now == then)
    }

    fn collect(
        &self,
        directory: &str,
        is_wanted: &dyn Fn(&str) -> bool,
        files: &mut BTreeMap<String, Child>,
    ) -> Result<(), GitError> {
        for child in self.children(directory)? {
            let path = join(directory, &child.name);
            match child.kind {
                ChildKind::Directory => self.collect(&path, is_wanted, files)?,
                ChildKind::File | ChildKind::Link | ChildKind::Conflict => {
                    if is_wanted(&child.name) {
                        files.insert(path, child);
                    }
                }
                // A repository of its own, which this commit moves to another of its commits.
                ChildKind::Submodule => {}
            }
        }
        Ok(())
    }
}
