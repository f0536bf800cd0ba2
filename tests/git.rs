//! Repositories made with git, read by the program's own eyes: every answer is held against git's.

#[path = "support/repository.rs"]
mod repository;

use phasegate::source::git::{ChildKind, GitEnvironment, GitError, Repository, Snapshot};
use repository::Repo;
use std::path::Path;
use std::sync::Arc;

fn around(path: &Path) -> Result<Arc<Repository>, GitError> {
    Repository::around(&path.to_string_lossy(), &GitEnvironment::default())
}

fn opened(repo: &Repo) -> Arc<Repository> {
    around(repo.path()).unwrap()
}

/// What the error says, and what to do.
fn said<T>(result: Result<T, GitError>) -> String {
    let Err(error) = result else { panic!("there is an error") };
    format!("{error}; {}", miette::Diagnostic::help(&error).unwrap())
}

fn text(snapshot: &Snapshot, path: &str) -> Option<String> {
    let (_, file) = snapshot.followed(path).unwrap()?;
    Some(String::from_utf8(snapshot.read(&file).unwrap()).unwrap())
}

fn names(snapshot: &Snapshot, directory: &str) -> Vec<String> {
    snapshot.children(directory).unwrap().into_iter().map(|child| child.name).collect()
}

#[test]
fn a_path_anywhere_below_is_in_its_repository() {
    let repo = Repo::new();
    repo.write("db/migrations/1_a.sql", "SELECT 1;");
    for path in ["", "db/migrations", "db/migrations/1_a.sql", "db/gone/2_b.sql"] {
        let found = around(&repo.at(path)).unwrap();
        assert_eq!(found.work_tree(), repo.path());
        assert_eq!(found.below(&repo.at(path)).unwrap(), path);
    }
    assert_eq!(opened(&repo).below(Path::new("/")), None);
}

#[test]
fn what_is_no_repository_is_said() {
    let nothing = Repo::empty();
    let said = said(around(nothing.path()));
    assert!(said.contains("is in no git repository") && said.contains("--since"), "{said}");
}

#[test]
fn a_bare_repository_has_nothing_to_check() {
    let bare = Repo::init(&["--bare"]);
    let said = said(around(bare.path()));
    assert!(said.contains("is bare") && said.contains("worktree"), "{said}");
}

#[test]
fn a_linked_worktree_has_its_own_head_and_index() {
    let repo = Repo::new();
    repo.write("a", "1").commit("one");
    let other = repo.beside("other");
    repo.git(&["worktree", "add", "--quiet", "-b", "side", &other.to_string_lossy()]);
    std::fs::write(other.join("b"), "2").unwrap();
    repo.git_in(&other, &["add", "b"]);
    let found = around(&other).unwrap();
    assert_eq!(found.work_tree(), other);
    assert_eq!(names(&found.index().unwrap(), ""), ["a", "b"]);
    assert_eq!(names(&opened(&repo).index().unwrap(), ""), ["a"]);
    assert_eq!(found.head().unwrap(), opened(&repo).head().unwrap());
}

#[test]
fn a_submodule_is_a_repository_of_its_own() {
    let inner = Repo::new();
    inner.write("1_a.sql", "SELECT 1;").commit("inner");
    let outer = Repo::new();
    outer.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &inner.url(), "db"]);
    outer.commit("outer");
    let index = opened(&outer).index().unwrap();
    assert_eq!(index.at("db").unwrap().unwrap().kind, ChildKind::Submodule);
    let below = around(&outer.at("db")).unwrap();
    assert_eq!(below.work_tree(), outer.at("db"));
    assert_eq!(text(&below.index().unwrap(), "1_a.sql").as_deref(), Some("SELECT 1;"));
    // As a hook of the outer repository sees it.
    let hook = GitEnvironment {
        git_dir: Some(".git".into()),
        index_file: Some(".git/index".into()),
        current_dir: outer.path().into(),
        ..GitEnvironment::default()
    };
    let at = |path: &str| Repository::around(&outer.at(path).to_string_lossy(), &hook).unwrap();
    assert_eq!(at("").work_tree(), outer.path());
    assert_eq!(at("db").work_tree(), outer.at("db"));
    assert_eq!(names(&at("db").index().unwrap(), ""), ["1_a.sql"]);
}

#[test]
fn git_dir_and_git_work_tree_name_the_repository_and_no_other() {
    let repo = Repo::empty();
    let (metadata, elsewhere) = (repo.beside("metadata"), Repo::new());
    repo.git(&["init", "--quiet", "--initial-branch=main", "--bare", &metadata.to_string_lossy()]);
    repo.write("a", "1");
    let flags = [format!("--git-dir={}", metadata.display()), format!("--work-tree={}", repo.path().display())];
    repo.git(&[&flags[0], &flags[1], "add", "a"]);
    let with = |work_tree: Option<&str>, current_dir: &Path| GitEnvironment {
        git_dir: Some(metadata.clone()),
        work_tree: work_tree.map(Into::into),
        index_file: None,
        current_dir: current_dir.to_path_buf(),
    };
    // A relative work tree, and none: then it is where git stands.
    for environment in [with(Some("repo"), repo.path().parent().unwrap()), with(None, repo.path())] {
        let found = Repository::around(&repo.at("a").to_string_lossy(), &environment).unwrap();
        assert_eq!(found.work_tree(), repo.path());
        assert_eq!(text(&found.index().unwrap(), "a").as_deref(), Some("1"));
        let said = said(Repository::around(&elsewhere.path().to_string_lossy(), &environment));
        assert!(said.contains("outside of the work tree") && said.contains("GIT_DIR"), "{said}");
    }
    let wrong = GitEnvironment { git_dir: Some("/nowhere".into()), ..GitEnvironment::default() };
    assert!(said(Repository::around(&repo.path().to_string_lossy(), &wrong)).contains("GIT_DIR is /nowhere"));
}

#[cfg(unix)]
#[test]
fn a_repository_of_another_user_is_read_like_any_other() {
    let repo = Repo::new();
    repo.write("a", "1").commit("one");
    let chowned = std::process::Command::new("chown").args(["-R", "65534"]).arg(repo.path()).status().unwrap();
    // Only root may give files away; anybody else owns what he makes, which the other tests are about.
    assert_eq!(chowned.success(), unsafe { libc::geteuid() } == 0);
    assert_eq!(text(&opened(&repo).index().unwrap(), "a").as_deref(), Some("1"));
}

#[test]
fn before_the_first_commit_head_is_nothing_and_the_index_is_there() {
    let repo = Repo::new();
    let found = opened(&repo);
    assert_eq!(found.head().unwrap(), None);
    assert_eq!(names(&found.index().unwrap(), ""), [""; 0]);
    repo.write("a", "1").git(&["add", "a"]);
    assert_eq!(names(&found.index().unwrap(), ""), ["a"]);
    let said = said(found.commit("HEAD"));
    assert!(said.contains("no commits yet") && said.contains("--staged"), "{said}");
}

#[test]
fn refs_are_named_as_git_names_them_and_unknown_ones_bring_a_suggestion() {
    let repo = Repo::new();
    let first = repo.write("a", "1").commit("one");
    repo.git(&["tag", "--annotate", "v1.0", "--message", "first"]);
    let second = repo.write("a", "2").commit("two");
    repo.git(&["update-ref", "refs/remotes/origin/main", &first]);
    repo.git(&["checkout", "--quiet", "--detach"]);
    let found = opened(&repo);
    for (name, commit) in [
        ("HEAD", &second),
        ("main", &second),
        ("HEAD~1", &first),
        ("v1.0", &first),
        ("origin/main", &first),
        ("refs/remotes/origin/main", &first),
        (&first[..10], &first),
    ] {
        let described = found.commit(name).unwrap().described();
        assert_eq!(described, format!("{name} ({})", &commit[..12]));
    }
    for (name, meant) in
        [("orign/main", "origin/main"), ("origin/mian", "origin/main"), ("upstream/main", "main"), ("v1.O", "v1.0")]
    {
        let said = said(found.commit(name));
        assert!(said.contains(&format!("did you mean `{meant}`")) && said.contains("git fetch"), "{said}");
    }
    assert!(!said(found.commit("zzz")).contains("did you mean"));
    assert!(said(found.commit("main:a")).contains("names a blob"));
}

#[test]
fn the_merge_base_is_where_head_left() {
    let repo = Repo::new();
    let parted = repo.write("a", "1").commit("one");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.write("b", "1").commit("side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("c", "1").commit("main");
    repo.git(&["checkout", "--quiet", "side"]);
    let found = opened(&repo);
    let base = found.merge_base(&found.commit("main").unwrap()).unwrap();
    assert_eq!(base.described(), format!("the merge base of main and HEAD ({})", &parted[..12]));
    assert_eq!(names(&found.snapshot(&base).unwrap(), ""), ["a"]);
}

#[test]
fn unrelated_histories_have_none() {
    let repo = Repo::new();
    repo.write("a", "1").commit("one");
    repo.git(&["checkout", "--quiet", "--orphan", "other"]);
    repo.commit("another beginning");
    let found = opened(&repo);
    let said = said(found.merge_base(&found.commit("main").unwrap()));
    assert!(said.contains("HEAD and `main` have no commit in common"), "{said}");
}

#[test]
fn a_shallow_clone_says_so_and_guesses_nothing() {
    let origin = Repo::new();
    origin.write("a", "1").commit("one");
    origin.git(&["tag", "v1"]);
    origin.git(&["checkout", "--quiet", "-b", "side"]);
    for number in 0..3 {
        origin.write("b", format!("{number}")).commit("side");
    }
    origin.git(&["checkout", "--quiet", "main"]);
    for number in 0..3 {
        origin.write("c", format!("{number}")).commit("main");
    }
    let shallow = Repo::clone_of(&["--depth=1", "--no-single-branch", "--branch=side", &origin.url()]);
    let found = opened(&shallow);
    assert!(found.is_shallow() && !opened(&origin).is_shallow());
    let message = said(found.merge_base(&found.commit("origin/main").unwrap()));
    assert!(
        message.contains("shallow") && message.contains("git fetch --unshallow") && message.contains("fetch-depth: 0"),
        "{message}"
    );
    let message = said(found.newest_tag("v*"));
    assert!(message.contains("shallow: whether HEAD holds tag `v1`"), "{message}");
    // One branch only: what was not fetched is not known.
    let single = Repo::clone_of(&["--depth=1", "--branch=side", &origin.url()]);
    let message = said(opened(&single).commit("origin/main"));
    assert!(message.contains("shallow") && message.contains("git fetch origin main"), "{message}");
    // Deep enough is as good as all of it.
    shallow.git(&["-c", "protocol.file.allow=always", "fetch", "--quiet", "--depth=4"]);
    let found = opened(&shallow);
    assert!(found.is_shallow());
    let expected = origin.git(&["merge-base", "main", "side"]);
    let base = found.merge_base(&found.commit("origin/main").unwrap()).unwrap();
    assert!(base.described().contains(&expected[..12]), "{}", base.described());
}

#[test]
fn the_newest_tag_is_the_highest_version_that_head_holds() {
    let repo = Repo::new();
    let message = said(opened(&Repo::clone_of(&[&repo.url()])).newest_tag("v*"));
    assert!(message.contains("no commits"), "{message}");
    repo.write("a", "1").commit("one");
    let message = said(opened(&repo).newest_tag("v*"));
    assert!(message.contains("the repository has no tags") && message.contains("fetch-tags"), "{message}");
    for (tag, content) in [("v1.9.0", "2"), ("v1.10.0-rc.1", "3"), ("v1.10.0", "4"), ("other/v3", "5")] {
        repo.write("a", content).commit(tag);
        repo.git(&["tag", "--annotate", tag, "--message", tag]);
    }
    repo.git(&["checkout", "--quiet", "-b", "later"]);
    repo.write("a", "6").commit("not merged");
    repo.git(&["tag", "v2.0.0"]);
    repo.git(&["tag", "v9-blob", "HEAD:a"]);
    repo.git(&["checkout", "--quiet", "main"]);
    let found = opened(&repo);
    let newest = |pattern: &str| found.newest_tag(pattern).unwrap().name;
    assert_eq!(newest("v*"), "tag v1.10.0");
    assert_eq!(newest("v1.9*"), "tag v1.9.0");
    assert_eq!(newest("v1.1?.0-*"), "tag v1.10.0-rc.1");
    assert_eq!(newest("*"), "tag v1.10.0");
    assert_eq!(newest("o*"), "tag other/v3");
    let message = said(found.newest_tag("release-*"));
    assert!(message.contains("`release-*`: there are 5, from `other/v3` to `v2.0.0`"), "{message}");
}

#[test]
fn the_default_branch_is_what_the_remote_says() {
    let repo = Repo::new();
    let commit = repo.write("a", "1").commit("one");
    assert_eq!(opened(&repo).default_branch(), None);
    repo.git(&["remote", "add", "upstream", "https://example.org/x.git"]);
    repo.git(&["update-ref", "refs/remotes/upstream/master", &commit]);
    assert_eq!(opened(&repo).default_branch().as_deref(), Some("upstream/master"));
    repo.git(&["remote", "add", "origin", "https://example.org/x.git"]);
    for branch in ["master", "main", "trunk/stable"] {
        repo.git(&["update-ref", &format!("refs/remotes/origin/{branch}"), &commit]);
    }
    assert_eq!(opened(&repo).default_branch().as_deref(), Some("origin/main"));
    repo.git(&["remote", "set-head", "origin", "trunk/stable"]);
    assert_eq!(opened(&repo).default_branch().as_deref(), Some("origin/trunk/stable"));
}

#[test]
fn a_tree_and_the_index_are_listed_and_read_alike() {
    let repo = Repo::new();
    repo.write("db/1_a.sql", "SELECT 1;").write("db/sub/x.sql", "x").write("db.txt", "t").write("z", "z");
    #[cfg(unix)]
    std::os::unix::fs::symlink("../z", repo.at("db/link")).unwrap();
    repo.commit("one");
    let found = opened(&repo);
    let tree = found.snapshot(&found.head().unwrap().unwrap()).unwrap();
    for snapshot in [tree, found.index().unwrap()] {
        assert_eq!(names(&snapshot, ""), ["db", "db.txt", "z"]);
        assert_eq!(names(&snapshot, "db")[0], "1_a.sql");
        assert_eq!(names(&snapshot, "db/nothing"), [""; 0]);
        assert_eq!(text(&snapshot, "db/sub/x.sql").as_deref(), Some("x"));
        assert_eq!(text(&snapshot, "db/none"), None);
        assert_eq!(snapshot.at("db/sub").unwrap().unwrap().kind, ChildKind::Directory);
        assert_eq!(snapshot.at("").unwrap().unwrap().kind, ChildKind::Directory);
        #[cfg(unix)]
        assert_eq!(text(&snapshot, "db/link").as_deref(), Some("z"));
    }
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_are_said() {
    use std::os::unix::fs::symlink;
    let repo = Repo::new();
    for (link, target) in [("out", "../../x"), ("absolute", "/etc/passwd"), ("circle", "circle"), ("gone", "nothing")] {
        symlink(target, repo.at(link)).unwrap();
    }
    repo.commit("links");
    let index = opened(&repo).index().unwrap();
    for link in ["out", "absolute"] {
        assert!(index.followed(link).unwrap_err().contains("out of the repository"));
    }
    assert!(index.followed("circle").unwrap_err().contains("circle"));
    assert_eq!(index.followed("gone").unwrap(), None);
}

#[test]
fn the_index_is_what_would_be_committed() {
    let repo = Repo::new();
    repo.write("a", "1").write("b", "1").commit("one");
    repo.write("a", "staged").git(&["add", "a"]);
    repo.write("a", "not staged").write("new", "untracked").write("later", "x").remove("b");
    repo.git(&["add", "--intent-to-add", "later"]);
    let index = opened(&repo).index().unwrap();
    assert_eq!(names(&index, ""), ["a", "b"]);
    assert_eq!(text(&index, "a").as_deref(), Some("staged"));
}

#[test]
fn git_index_file_counts_from_the_top_of_the_work_tree() {
    let repo = Repo::new();
    repo.write("a", "1").write("sub/b", "1").commit("one");
    repo.write("a", "for later");
    let mut add = repo.command(&repo.at("sub"), &["add", "../a"]);
    assert!(add.env("GIT_INDEX_FILE", "other-index").status().unwrap().success());
    assert!(repo.at("other-index").exists(), "git itself reads it so");
    let with = |index_file: &Path, current_dir: &Path| {
        let environment =
            GitEnvironment { index_file: Some(index_file.into()), current_dir: current_dir.into(), ..GitEnvironment::default() };
        Repository::around(&repo.path().to_string_lossy(), &environment).unwrap().index().unwrap()
    };
    assert_eq!(text(&with(Path::new("other-index"), &repo.at("sub")), "a").as_deref(), Some("for later"));
    assert_eq!(text(&with(&repo.at("other-index"), repo.path()), "a").as_deref(), Some("for later"));
    assert_eq!(names(&with(Path::new("no-such-index"), repo.path()), ""), [""; 0], "as for git, it is empty");
    // It is the index of the repository that the hook runs in, not of any other.
    let other = Repo::new();
    assert_eq!(text(&with(Path::new("other-index"), other.path()), "a").as_deref(), Some("1"));
    std::fs::write(repo.at("other-index"), "DIRC garbage").unwrap();
    let environment =
        GitEnvironment { index_file: Some("other-index".into()), current_dir: repo.path().into(), ..GitEnvironment::default() };
    let broken = Repository::around(&repo.path().to_string_lossy(), &environment).unwrap();
    assert!(said(broken.index()).contains("other-index cannot be read"));
}

#[test]
fn a_file_in_conflict_has_no_content_to_read() {
    let repo = Repo::new();
    repo.write("a", "1").commit("one");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.write("a", "2").commit("side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("a", "3").commit("main");
    assert!(!repo.command(repo.path(), &["merge", "--quiet", "side"]).output().unwrap().status.success());
    let index = opened(&repo).index().unwrap();
    let file = index.at("a").unwrap().unwrap();
    assert_eq!(file.kind, ChildKind::Conflict);
    assert!(index.read(&file).unwrap_err().contains("in conflict"));
}

#[test]
fn what_git_lfs_keeps_elsewhere_is_read_from_there_or_said_to_be_missing() {
    let repo = Repo::new();
    let oid = phasegate::source::compare::sha256(b"SELECT 1;");
    repo.write("a.sql", format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 9\n")).commit("pointer");
    let index = opened(&repo).index().unwrap();
    let file = index.at("a.sql").unwrap().unwrap();
    let missing = index.read(&file).unwrap_err();
    assert!(missing.contains("Git LFS") && missing.contains("git lfs fetch"), "{missing}");
    repo.write(&format!(".git/lfs/objects/{}/{}/{oid}", &oid[..2], &oid[2..4]), "SELECT 1;");
    assert_eq!(index.read(&file).unwrap(), b"SELECT 1;");
}

#[test]
fn a_sparse_index_and_a_split_index_hold_every_file() {
    let repo = Repo::new();
    repo.write("db/migrations/1_a.sql", "SELECT 1;").write("web/deep/x", "x").write("top", "t").commit("one");
    repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "web"]);
    assert!(!repo.at("db").exists());
    let index = opened(&repo).index().unwrap();
    assert_eq!(names(&index, ""), ["db", "top", "web"]);
    assert_eq!(text(&index, "db/migrations/1_a.sql").as_deref(), Some("SELECT 1;"));
    let split = Repo::new();
    split.write("a", "1").commit("one");
    split.git(&["update-index", "--split-index"]);
    split.write("b", "2").git(&["add", "b"]);
    assert_eq!(names(&opened(&split).index().unwrap(), ""), ["a", "b"]);
}

#[test]
fn a_repository_with_sha_256_ids_is_read_too() {
    let repo = Repo::init(&["--object-format=sha256"]);
    let first = repo.write("a", "1").commit("one");
    repo.git(&["tag", "v1"]);
    repo.write("a", "2").commit("two");
    let found = opened(&repo);
    assert_eq!(first.len(), 64);
    let tag = found.newest_tag("v*").unwrap();
    assert_eq!(text(&found.snapshot(&tag).unwrap(), "a").as_deref(), Some("1"));
    assert_eq!(text(&found.index().unwrap(), "a").as_deref(), Some("2"));
}

#[test]
fn an_object_that_is_missing_is_said_with_what_to_do() {
    let repo = Repo::new();
    repo.write("a", "1").commit("one");
    let blob = repo.git(&["rev-parse", "HEAD:a"]);
    let index = opened(&repo).index().unwrap();
    std::fs::remove_file(repo.at(&format!(".git/objects/{}/{}", &blob[..2], &blob[2..]))).unwrap();
    let why = index.read(&index.at("a").unwrap().unwrap()).unwrap_err();
    assert!(why.contains("git fsck") && why.contains("--refetch"), "{why}");
}
