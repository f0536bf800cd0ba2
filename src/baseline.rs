//! The baseline: findings that somebody accepted, by fingerprint, in `phasegate.baseline.json`.
//!
//! What is in it is silenced, whatever its level has become. Fingerprints do not know line numbers, so it survives what is written
//! above a statement. An entry that no finding matches is reported where this run looked at what it is about, and only there:
//! nothing is known of units that were not judged, and of histories that nobody asked for. Findings about suppressions are
//! never accepted: those are mended.

use crate::check::{Checked, CheckedHistory, Found, HistoryRequest, Request, Unusable};
use crate::finding::{Finding, Level, SuppressedBy, Suppression};
use crate::fingerprint;
use crate::op::Span;
use crate::rules;
use crate::source::{SourceFile, in_repository, repository_around};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name that is looked for.
pub const FILE_NAME: &str = "phasegate.baseline.json";
/// The version of the form that is read and written.
pub const VERSION: u64 = 1;

/// Accepted findings, as they stand in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    pub version: u64,
    /// Sorted by path, rule and fingerprint.
    pub entries: Vec<Entry>,
}

/// One accepted finding. Only the fingerprint is compared; the rest is for readers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub fingerprint: String,
    pub rule: String,
    /// Below the repository's root, `/` between parts.
    pub path: String,
    pub message: String,
    /// Why it was accepted, written by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why a baseline could not be used. `Display` says what failed and where, `help` what to do.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum BaselineError {
    #[error("{path}: no such file")]
    #[diagnostic(help("`phasegate baseline` writes it"))]
    Missing { path: String },
    #[error("{path}: cannot be read: {cause}")]
    #[diagnostic(help("make it readable for this user"))]
    Unreadable { path: String, cause: String },
    #[error("{path}:{line}:{column}: is no baseline: {cause}")]
    #[diagnostic(help("mend it, or remove it and run `phasegate baseline`, which writes a new one"))]
    Malformed { path: String, line: usize, column: usize, cause: String },
    #[error("{path}: is a baseline of version {found}, and this phasegate reads version {VERSION}")]
    #[diagnostic(help("use the phasegate that wrote it, or remove it and run `phasegate baseline`, which writes a new one"))]
    Version { path: String, found: String },
    #[error("{path}: cannot be written: {cause}")]
    #[diagnostic(help("name another file with `--baseline`"))]
    Unwritable { path: String, cause: String },
}

impl BaselineError {
    fn path(&self) -> &str {
        match self {
            BaselineError::Missing { path }
            | BaselineError::Unreadable { path, .. }
            | BaselineError::Malformed { path, .. }
            | BaselineError::Version { path, .. }
            | BaselineError::Unwritable { path, .. } => path,
        }
    }

    /// For the report, what to do included.
    pub fn unusable(&self) -> Unusable {
        let text = self.to_string();
        let what = text.strip_prefix(self.path()).map_or(text.as_str(), |rest| rest.trim_start_matches([':', ' ']));
        let help = miette::Diagnostic::help(self).map(|help| format!("; {help}")).unwrap_or_default();
        Unusable { path: self.path().to_owned(), why: format!("{what}{help}") }
    }
}

impl Baseline {
    /// Reads a baseline, and keeps its bytes for findings about it.
    pub fn read(path: &Path) -> Result<(Baseline, SourceFile), BaselineError> {
        let shown = path.display().to_string();
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(BaselineError::Missing { path: shown }),
            Err(error) => return Err(BaselineError::Unreadable { path: shown, cause: error.to_string() }),
        };
        let malformed = |error: serde_json::Error| {
            let (line, column, path) = (error.line(), error.column(), shown.clone());
            let cause = error.to_string();
            // The place stands before the message.
            let cause = cause.split(" at line ").next().unwrap_or(&cause).to_owned();
            BaselineError::Malformed { path, line, column, cause }
        };
        let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(malformed)?;
        // Another version may have other keys: its number is what is wrong.
        match value.get("version") {
            Some(version) if version.as_u64() != Some(VERSION) => {
                return Err(BaselineError::Version { path: shown, found: version.to_string() });
            }
            Some(_) | None => {}
        }
        let baseline = serde_json::from_slice(&bytes).map_err(malformed)?;
        let repo_path = in_repository(&shown);
        Ok((baseline, SourceFile { path: shown, repo_path, bytes }))
    }

    /// The findings of a check that nothing silenced, from a level on. What an earlier baseline says about what this check did not
    /// look at stays in it, and so do its reasons. `path` is where both lie.
    pub fn of(checked: &Checked, request: &Request, least: Level, earlier: &Baseline, path: &Path) -> Baseline {
        let reasons: HashMap<&str, &String> =
            earlier.entries.iter().filter_map(|entry| Some((entry.fingerprint.as_str(), entry.reason.as_ref()?))).collect();
        let repo_paths = repo_paths(&checked.histories);
        let accepted =
            checked.findings.iter().filter(|f| f.suppressed.is_none() && f.level >= least && !rules::is_hygiene(f.rule));
        let mut entries: Vec<Entry> = accepted
            .map(|finding| Entry {
                fingerprint: finding.fingerprint.clone(),
                rule: finding.rule.to_owned(),
                path: repo_paths
                    .get(finding.path.as_str())
                    .map_or_else(|| in_repository(&finding.path), |path| (*path).to_owned()),
                message: finding.message.clone(),
                reason: reasons.get(finding.fingerprint.as_str()).map(|reason| (*reason).clone()),
            })
            .collect();
        let view = View::of(request.histories.iter().enumerate(), checked, path);
        entries.extend(earlier.entries.iter().filter(|entry| !view.holds(&entry.path)).cloned());
        entries.sort_by(|a, b| (&a.path, &a.rule, &a.fingerprint).cmp(&(&b.path, &b.rule, &b.fingerprint)));
        entries.dedup_by(|a, b| a.fingerprint == b.fingerprint);
        Baseline { version: VERSION, entries }
    }

    /// Writes it, all or nothing.
    pub fn write(&self, path: &Path) -> Result<(), BaselineError> {
        let unwritable = |cause: String| BaselineError::Unwritable { path: path.display().to_string(), cause };
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut text = serde_json::to_string_pretty(self).map_err(|error| unwritable(error.to_string()))?;
        text.push('\n');
        let mut file = tempfile::NamedTempFile::new_in(directory).map_err(|error| unwritable(error.to_string()))?;
        file.write_all(text.as_bytes()).map_err(|error| unwritable(error.to_string()))?;
        keep_permissions(&file, path);
        file.persist(path).map_err(|error| unwritable(error.error.to_string()))?;
        Ok(())
    }
}

/// A temporary file is its owner's alone; what is committed is not.
fn keep_permissions(file: &tempfile::NamedTempFile, path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_or(0o644, |earlier| earlier.permissions().mode());
        // Where that fails the text is right all the same.
        let _ = file.as_file().set_permissions(std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = (file, path);
}

/// Silences what is accepted, and reports entries that match nothing. A baseline that cannot be used is said.
pub(crate) fn apply(found: &mut [Found<'_>], checked: &mut Checked) {
    let mut by_file: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    for (at, of_request) in found.iter().enumerate() {
        if let Some(file) = &of_request.request.settings.baseline {
            by_file.entry(file.clone()).or_default().push(at);
        }
    }
    for (path, requests) in by_file {
        let (baseline, file) = match Baseline::read(&path) {
            Ok(read) => read,
            Err(error) => {
                checked.unusable.push(error.unusable());
                continue;
            }
        };
        let mut matched = vec![false; baseline.entries.len()];
        for at in &requests {
            silence(&baseline, &mut found[*at].findings, &mut matched);
        }
        let view = View::of(requests.iter().map(|at| (*at, found[*at].request)), checked, &path);
        let unmatched = baseline.entries.iter().zip(&matched).filter(|(entry, matched)| !**matched && view.holds(&entry.path));
        let mut stale: Vec<Finding> =
            unmatched.map(|(entry, _)| rules::unused_entry(&file.path, place(&file, entry), &entry.rule, &entry.path)).collect();
        fingerprint::assign(&[], [&file], &mut stale);
        // Settings are those of the first history that it is the baseline of.
        if let Some(first) = requests.first() {
            found[*first].findings.append(&mut stale);
        }
        checked.others.push(Arc::new(file));
    }
}

fn silence(baseline: &Baseline, findings: &mut [Finding], matched: &mut [bool]) {
    let mut entries: HashMap<&str, usize> = HashMap::new();
    for (at, entry) in baseline.entries.iter().enumerate() {
        entries.entry(&entry.fingerprint).or_insert(at);
    }
    for finding in findings.iter_mut().filter(|f| f.suppressed.is_none() && !rules::is_hygiene(f.rule)) {
        if let Some(at) = entries.get(finding.fingerprint.as_str()) {
            let reason = baseline.entries[*at].reason.clone();
            finding.suppressed = Some(Suppression { by: SuppressedBy::Baseline, reason });
            matched[*at] = true;
        }
    }
}

/// Where the fingerprint of an entry stands in the file.
fn place(file: &SourceFile, entry: &Entry) -> Span {
    let quoted = format!("\"{}\"", entry.fingerprint);
    let start = memchr::memmem::find(&file.bytes, quoted.as_bytes());
    start.map(|start| Span { start, end: start + quoted.len() }).unwrap_or_default()
}

/// Paths of the report → paths below the repository's root.
fn repo_paths(histories: &[CheckedHistory]) -> HashMap<&str, &str> {
    let units = histories.iter().flat_map(|one| &one.history.migrations);
    units.map(|unit| (unit.file.path.as_str(), unit.file.repo_path.as_str())).collect()
}

/// What a run looked at, as paths below the repository's root.
#[derive(Debug, Default)]
struct View {
    /// Files all of whose units were judged.
    judged: BTreeSet<String>,
    /// Files with a unit that was not.
    unjudged: BTreeSet<String>,
    trees: Vec<Tree>,
    /// The root of the repository that the baseline lies in.
    root: Option<PathBuf>,
}

/// A directory in which all units were judged that are not released.
#[derive(Debug)]
struct Tree {
    directory: String,
    /// Directories below that were not looked at as a part of it.
    apart: Vec<String>,
}

impl View {
    /// `requests` are those that the baseline is for, each with its place among all.
    fn of<'a>(requests: impl IntoIterator<Item = (usize, &'a HistoryRequest)>, checked: &Checked, baseline: &Path) -> View {
        let mut view = View { root: repository_around(baseline), ..View::default() };
        for (at, request) in requests {
            let mut own = checked.histories.iter().filter(|one| one.request == at).peekable();
            // What could not be used may have been a part of any of them.
            let mut in_full = own.peek().is_some() && checked.unusable.is_empty();
            for CheckedHistory { history, releases, .. } in own {
                in_full &= history.whole;
                for (at, unit) in history.migrations.iter().enumerate() {
                    let is_released = releases.is_released(at);
                    let is_judged = unit.reported && !is_released;
                    in_full &= is_judged || is_released;
                    let files = if is_judged { &mut view.judged } else { &mut view.unjudged };
                    files.insert(unit.file.repo_path.clone());
                }
            }
            if in_full {
                let apart: Vec<String> = request.apart.iter().map(|path| in_repository(path)).collect();
                let directories = request.paths.iter().map(|path| in_repository(&path.to_string_lossy()));
                view.trees.extend(directories.map(|directory| Tree { directory, apart: apart.clone() }));
            }
        }
        view
    }

    /// Whether a finding about this path would have been found. What is below a directory that was read and is no unit takes no
    /// part in it; and of a file that is gone nothing can be found.
    fn holds(&self, path: &str) -> bool {
        let is_gone = || !self.trees.is_empty() && self.root.as_ref().is_some_and(|root| !root.join(path).exists());
        !self.unjudged.contains(path)
            && (self.judged.contains(path) || self.trees.iter().any(|tree| tree.holds(path)) || is_gone())
    }
}

impl Tree {
    fn holds(&self, path: &str) -> bool {
        is_below(path, &self.directory) && !self.apart.iter().any(|apart| is_below(path, apart))
    }
}

fn is_below(path: &str, directory: &str) -> bool {
    directory.is_empty() || directory == "." || path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(judged: &[&str], unjudged: &[&str], directories: &[&str]) -> View {
        let tree = |directory: &&str| Tree { directory: (*directory).to_owned(), apart: vec!["db/apart".to_owned()] };
        let set = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
        View { judged: set(judged), unjudged: set(unjudged), trees: directories.iter().map(tree).collect(), root: None }
    }

    #[test]
    fn only_what_was_looked_at_can_be_gone() {
        let view = view(&["db/1.sql", "db/3.sql"], &["db/2.sql", "db/3.sql"], &["db"]);
        assert!(view.holds("db/1.sql") && view.holds("db/gone.sql") && view.holds("db/below/gone.sql"));
        assert!(!view.holds("db/2.sql"), "not judged");
        assert!(!view.holds("db/3.sql"), "one of its units was not judged");
        assert!(!view.holds("db/apart/1.sql"), "it goes by a configuration of its own");
        assert!(!view.holds("dbx/1.sql") && !view.holds("other/1.sql"), "nobody asked for it");
    }

    #[test]
    fn a_history_at_the_root_holds_everything() {
        assert!(view(&[], &[], &[""]).holds("1.sql") && !view(&[], &[], &[]).holds("1.sql"));
    }

    fn read(text: &str) -> Result<Baseline, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE_NAME);
        std::fs::write(&path, text).unwrap();
        Baseline::read(&path).map(|(baseline, _)| baseline).map_err(|error| {
            let unusable = error.unusable();
            assert_eq!(unusable.path, path.display().to_string());
            unusable.why
        })
    }

    #[test]
    fn what_is_no_baseline_says_why_and_what_to_do() {
        assert_eq!(read("{\"version\": 1, \"entries\": []}"), Ok(Baseline { version: 1, entries: Vec::new() }));
        for (text, why) in [
            (
                "{\"version\": 2, \"findings\": []}",
                "version 2, and this phasegate reads version 1; use the phasegate that wrote it",
            ),
            ("{\"version\": \"1\", \"entries\": []}", "version \"1\""),
            ("{\"entries\": []}", "missing field `version`; mend it"),
            ("[]", "is no baseline"),
            ("{\"version\": 1, \"entries\": [\n<<<<<<< HEAD\n", "2:1: is no baseline: expected value; mend it"),
            ("{\"version\": 1, \"entries\": [], \"more\": 1}", "unknown field `more`"),
            ("", "is no baseline"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
        assert!(matches!(Baseline::read(Path::new("no/such/file")), Err(BaselineError::Missing { .. })));
    }
}
