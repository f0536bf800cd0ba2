//! What the environment says, for the rooms that do not look at it themselves.

use crate::source::git::GitEnvironment;
use std::env;
use std::path::PathBuf;

/// `GIT_DIR`, `GIT_WORK_TREE` and `GIT_INDEX_FILE`, as git sets them for hooks.
pub fn git() -> GitEnvironment {
    let path = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    GitEnvironment {
        git_dir: path("GIT_DIR"),
        work_tree: path("GIT_WORK_TREE"),
        index_file: path("GIT_INDEX_FILE"),
        current_dir: env::current_dir().unwrap_or_default(),
    }
}
