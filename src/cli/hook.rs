//! `phasegate init --hook`: git's own pre-commit hook, where git looks for it.
//!
//! Git is asked for that place: only git knows what its configuration of user, system and repository comes to. What somebody
//! wrote there stays.

use super::exit::Exit;
use super::terminal::{self, Volume};
use crate::report::escape::escape;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the hook runs, as other people's hooks can run it too.
const COMMAND: &str = "phasegate check --staged --quiet";

/// Why no hook was written. `Display` says what to do as well.
#[derive(Debug, thiserror::Error)]
enum HookError {
    #[error("git does not run: {0}; install it, the hook is git's")]
    NoGit(io::Error),
    #[error("{path}: {said}; give a path in the work tree that commits are made in")]
    NoWorkTree { path: String, said: String },
    #[error(
        "core.hooksPath of git's {scope} configuration has one directory of hooks for all repositories, {hooks}, and nothing is \
         written there; `git config core.hooksPath .githooks` gives this repository its own, or let the shared hook run \
         `{COMMAND} || exit 1`"
    )]
    Shared { scope: String, hooks: String },
    #[error("{file} is there already and stays as it is; {advice}")]
    Taken { file: String, advice: String },
    #[error("{file} could not be written: {cause}")]
    Unwritable { file: String, cause: io::Error },
}

/// Where git looks for hooks.
struct Hooks {
    directory: PathBuf,
    /// True where nobody else gets the directory, as a clone's `.git/hooks`.
    is_private: bool,
}

/// Writes the hook of the repository around a path, or with `dry_run` says what it would be. An error is one of standard output.
pub fn run(path: &Path, dry_run: bool, volume: Volume) -> io::Result<Exit> {
    let hooks = hooks(path).map(|hooks| (text(&hooks), hooks.directory.join("pre-commit")));
    let done = match hooks {
        Ok((text, _)) if dry_run => {
            terminal::write_stdout(|out| out.write_all(text.as_bytes()))?;
            return Ok(Exit::Clean);
        }
        Ok((text, file)) => write(&file, &text),
        Err(error) => Err(error),
    };
    match done {
        Ok(lines) => {
            terminal::tell(volume, &lines)?;
            Ok(Exit::Clean)
        }
        Err(error) => {
            terminal::complain(&error.to_string());
            Ok(Exit::Unusable)
        }
    }
}

fn hooks(path: &Path) -> Result<Hooks, HookError> {
    let top = git(path, &["rev-parse", "--show-toplevel"])?
        .map_err(|said| HookError::NoWorkTree { path: path.display().to_string(), said })?;
    let top = PathBuf::from(top);
    let asked = |arguments: &[&str]| {
        git(&top, arguments)?.map_err(|said| HookError::NoWorkTree { path: path.display().to_string(), said })
    };
    let directory = top.join(asked(&["rev-parse", "--git-path", "hooks"])?);
    let common = top.join(asked(&["rev-parse", "--git-common-dir"])?);
    // Without such a setting git fails; with one it prints where the setting stands and what it is.
    if let Ok(setting) = git(&top, &["config", "--show-scope", "--get", "core.hooksPath"])?
        && let Some((scope @ ("system" | "global"), _)) = setting.split_once('\t')
    {
        return Err(HookError::Shared { scope: scope.to_owned(), hooks: directory.display().to_string() });
    }
    let is_private = directory.starts_with(common);
    Ok(Hooks { directory, is_private })
}

/// What git prints in a directory, without the line break; else the first line of its complaint.
fn git(directory: &Path, arguments: &[&str]) -> Result<Result<String, String>, HookError> {
    let output = Command::new("git").arg("-C").arg(directory).args(arguments).output().map_err(HookError::NoGit)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches(['\n', '\r']).to_owned();
    if output.status.success() {
        return Ok(Ok(text(&output.stdout)));
    }
    Ok(Err(text(&output.stderr).lines().next().unwrap_or_default().trim_start_matches("fatal: ").to_owned()))
}

/// The hook. It looks for the program when it runs: today's place of it is tomorrow's missing file.
fn text(hooks: &Hooks) -> String {
    // A path of this machine has no place in a directory that is committed.
    let own = std::env::current_exe().ok().filter(|_| hooks.is_private);
    let own = own.map(|program| format!(" \\\n    {}", quoted(&program.to_string_lossy()))).unwrap_or_default();
    format!(
        "#!/bin/sh
# Written by `phasegate init --hook`: judges the migrations that this commit would hold, as they are in git's index. A commit
# without any passes in silence. `git commit --no-verify` goes past it once; delete this file to be rid of it.

# Editors that run git have a PATH of their own, so the usual places are tried as well.
for phasegate in phasegate .venv/bin/phasegate venv/bin/phasegate \\
    \"$HOME/.local/bin/phasegate\" \"$HOME/.cargo/bin/phasegate\"{own}; do
    if command -v \"$phasegate\" >/dev/null 2>&1; then
        exec \"$phasegate\" check --staged --quiet
    fi
done

echo 'pre-commit: phasegate is not installed here, so the migrations of this commit were not checked.' >&2
echo '  Install it as {} says, or go past this hook once: git commit --no-verify' >&2
exit 1
",
        env!("CARGO_PKG_REPOSITORY")
    )
}

/// One word for the shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Writes a new file that can be run; what it says when it is done.
fn write(file: &Path, text: &str) -> Result<Vec<String>, HookError> {
    let shown = file.display().to_string();
    let unwritable = |cause| HookError::Unwritable { file: shown.clone(), cause };
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory).map_err(unwritable)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o755);
    match options.open(file) {
        Ok(mut out) => out.write_all(text.as_bytes()).map_err(unwritable)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let there = fs::read(file).unwrap_or_default();
            if there == text.as_bytes() {
                return Ok(vec![format!("{} is there already", escape(&shown))]);
            }
            return Err(HookError::Taken { file: shown, advice: advice(file, &String::from_utf8_lossy(&there)) });
        }
        Err(error) => return Err(unwritable(error)),
    }
    Ok(vec![
        format!("wrote {}", escape(&shown)),
        "next  `git commit` judges what is staged; `git commit --no-verify` goes past it once".to_owned(),
    ])
}

/// How the hook that is there calls ours.
fn advice(file: &Path, text: &str) -> String {
    let is_below = |name: &str| file.ancestors().any(|above| above.file_name().is_some_and(|part| part == name));
    if text.contains("phasegate init --hook") {
        "another phasegate wrote it: remove it to have it written anew".to_owned()
    } else if text.contains("generated by pre-commit") {
        "it is pre-commit's: add the hook `validate-migrations` to .pre-commit-config.yaml, as the README shows".to_owned()
    } else if is_below(".husky") {
        format!("it is husky's: add `{COMMAND} || exit 1` to .husky/pre-commit")
    } else if text.contains("lefthook") {
        format!("it is lefthook's: add `run: {COMMAND}` as a command of `pre-commit` in lefthook.yml")
    } else {
        format!("add this line to it: {COMMAND} || exit 1")
    }
}
