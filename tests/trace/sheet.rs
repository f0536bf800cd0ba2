//! The sheets of fixtures/trace/: statements, and what servers say that they cost.
//!
//! A sheet is paragraphs. `-- given` begins one that holds what is there and committed (`-- given 17..18`: only there can it be
//! made); each paragraph below it is a unit that runs on it, undone afterwards. Above a statement stands what it does, by versions:
//!
//! ```sql
//! -- 15..17: t:AX r:SRX W:t V:t I:t
//! -- 18: refused 42809
//! ALTER TABLE t …;
//! ```
//!
//! First the locks on relations that were there (AS, RS, RX, SUE, S, SRX, X, AX, weakest first); then W what is rewritten, V what is
//! read whole, I on what an index is built. Names are qualified unless they lie in `public`. `alone`: it cannot run in a
//! transaction, so that nobody sees its locks and scans; `-`: nothing at all. `-- ?` marks a statement that has no lines yet:
//! `PHASEGATE_BLESS=1` writes them.

use phasegate::effect::LockMode;
use phasegate::prove::observe::trace::Trace;
use phasegate::versions::PostgresVersions;
use std::path::{Path, PathBuf};

pub struct Sheet {
    pub path: PathBuf,
    /// As the file is called, without `.sql`.
    pub name: String,
    pub givens: Vec<Given>,
}

pub struct Given {
    pub versions: PostgresVersions,
    pub sql: String,
    pub cases: Vec<Case>,
}

/// One unit.
pub struct Case {
    pub steps: Vec<Step>,
}

impl Case {
    pub fn sql(&self) -> String {
        self.steps.iter().map(|step| step.sql.as_str()).collect()
    }
}

pub struct Step {
    /// Index of the first line that says what is expected, or of the statement.
    pub line: usize,
    pub expected: Vec<(PostgresVersions, String)>,
    /// How many lines of the sheet those are.
    pub lines: usize,
    pub sql: String,
}

impl Step {
    /// What is expected on this version.
    pub fn on(&self, major: u16) -> Option<&str> {
        let here = |versions: &PostgresVersions| (versions.oldest..=versions.newest).contains(&major);
        self.expected.iter().find(|(versions, _)| here(versions)).map(|(_, what)| what.as_str())
    }
}

pub fn all() -> Vec<Sheet> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/trace");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    paths.sort();
    paths.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> Sheet {
    let text = std::fs::read_to_string(&path).unwrap();
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut givens: Vec<Given> = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    while at < lines.len() {
        let length = lines[at..].iter().take_while(|line| !line.trim().is_empty()).count();
        let paragraph = &lines[at..at + length];
        if let Some(head) = paragraph.first().and_then(|line| line.strip_prefix("-- given")) {
            let versions = if head.is_empty() { PostgresVersions::default() } else { head.trim().parse().unwrap() };
            givens.push(Given { versions, sql: paragraph[1..].join("\n"), cases: Vec::new() });
        } else if paragraph.iter().any(|line| !line.starts_with("--")) {
            let given = givens.last_mut().unwrap_or_else(|| panic!("{name}:{}: nothing is given", at + 1));
            given.cases.push(Case { steps: steps(paragraph, at) });
        }
        at += length + 1;
    }
    Sheet { path, name, givens }
}

fn steps(paragraph: &[&str], offset: usize) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (at, line) in paragraph.iter().enumerate() {
        let expected = expected(line);
        let begins = *line == "-- ?" || expected.is_some();
        if steps.is_empty() || (begins && steps.last().is_some_and(|step| !step.sql.is_empty())) {
            steps.push(Step { line: offset + at, expected: Vec::new(), lines: 0, sql: String::new() });
        }
        let step = steps.last_mut().unwrap();
        if begins {
            step.lines += 1;
            step.expected.extend(expected);
        } else if step.sql.is_empty() && line.starts_with("--") && step.lines == 0 {
            // A remark: what is expected stands below it.
            step.line = offset + at + 1;
        } else {
            step.sql.push_str(line);
            step.sql.push('\n');
        }
    }
    steps
}

fn expected(line: &str) -> Option<(PostgresVersions, String)> {
    let (versions, what) = line.strip_prefix("-- ")?.split_once(": ")?;
    Some((versions.parse().ok()?, what.to_owned()))
}

const SHORT: [(&str, LockMode); 8] = [
    ("AS", LockMode::AccessShareLock),
    ("RS", LockMode::RowShareLock),
    ("RX", LockMode::RowExclusiveLock),
    ("SUE", LockMode::ShareUpdateExclusiveLock),
    ("S", LockMode::ShareLock),
    ("SRX", LockMode::ShareRowExclusiveLock),
    ("X", LockMode::ExclusiveLock),
    ("AX", LockMode::AccessExclusiveLock),
];

/// As a line of a sheet says it.
pub fn spelt(trace: &Trace) -> String {
    let short = |name: &String| name.strip_prefix("public.").unwrap_or(name).to_owned();
    let mut words = Vec::new();
    match &trace.locks {
        Some(locks) => words.extend(locks.iter().map(|(relation, mode)| {
            let (spelt, _) = SHORT.iter().find(|(_, other)| other == mode).unwrap();
            format!("{}:{spelt}", short(relation))
        })),
        None => words.push("alone".to_owned()),
    }
    for (letter, relations) in [("W", &trace.rewrites), ("V", &trace.scans), ("I", &trace.index_builds)] {
        words.extend(relations.iter().map(|relation| format!("{letter}:{}", short(relation))));
    }
    if words.is_empty() { "-".to_owned() } else { words.join(" ") }
}

/// What versions said of a step, as lines above its statement.
fn blessed(said: &[(u16, String)]) -> Vec<String> {
    let mut runs: Vec<(PostgresVersions, &String)> = Vec::new();
    for (major, what) in said {
        match runs.last_mut() {
            Some((versions, same)) if *same == what => versions.newest = *major,
            _ => runs.push((PostgresVersions { oldest: *major, newest: *major }, what)),
        }
    }
    runs.iter().map(|(versions, what)| format!("-- {versions}: {what}")).collect()
}

/// Writes what versions said above each step: (the step's line, the lines that are there, what was said).
pub fn bless(sheet: &Sheet, said: &[(usize, usize, Vec<(u16, String)>)]) {
    let text = std::fs::read_to_string(&sheet.path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (line, there, said) in said.iter().rev() {
        lines.splice(*line..*line + *there, blessed(said));
    }
    std::fs::write(&sheet.path, lines.join("\n") + "\n").unwrap();
}
