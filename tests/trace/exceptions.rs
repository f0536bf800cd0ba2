//! Where prediction and server differ, and why that stands: fixtures/trace/exceptions.toml.

use phasegate::prove::trace::Mismatch;
use phasegate::versions::PostgresVersions;
use serde::Deserialize;
use std::sync::Mutex;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    exception: Vec<Exception>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    /// Which history, rule document or sheet: `layouts/flyway`, `rules/drop-column.md`, `trace/partitions.sql`.
    history: String,
    /// Where not all of them: `18`, `15..17`.
    versions: Option<String>,
    /// The statement's first line.
    statement: String,
    what: Vec<String>,
    why: String,
}

/// Those of some histories, and which of them occurred.
pub struct Exceptions {
    all: Vec<Exception>,
    /// Number of the exception, and version.
    seen: Mutex<Vec<(usize, u16)>>,
}

impl Exceptions {
    /// Those whose history begins so.
    pub fn of(wanted: impl Fn(&str) -> bool) -> Exceptions {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/trace/exceptions.toml");
        let mut all = toml::from_str::<File>(&std::fs::read_to_string(path).unwrap()).unwrap().exception;
        assert!(all.iter().all(|exception| exception.why.len() > 20), "every exception says why");
        all.retain(|exception| wanted(&exception.history));
        Exceptions { all, seen: Mutex::default() }
    }

    /// What stands is taken out of the list.
    pub fn allow(&self, history: &str, major: u16, mismatches: &mut Vec<Mismatch>) {
        mismatches.retain(|mismatch| {
            let at = self.all.iter().position(|exception| {
                let here = exception.on().is_none_or(|on| (on.oldest..=on.newest).contains(&major));
                exception.history == history && here && exception.statement == mismatch.sql && exception.what == mismatch.what
            });
            if let Some(at) = at {
                self.seen.lock().unwrap().push((at, major));
            }
            at.is_none()
        });
    }

    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Exceptions that are none any more.
    pub fn unseen(&self, versions: &[u16]) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let missing = |(at, exception): (usize, &Exception)| {
            let on = exception.on().unwrap_or_default();
            let missing: Vec<u16> = versions
                .iter()
                .copied()
                .filter(|major| (on.oldest..=on.newest).contains(major) && !seen.contains(&(at, *major)))
                .collect();
            let Exception { history, statement, .. } = exception;
            (!missing.is_empty()).then(|| format!("no exception any more on {missing:?}: {history}: {statement}"))
        };
        self.all.iter().enumerate().filter_map(missing).collect()
    }
}

impl Exception {
    fn on(&self) -> Option<PostgresVersions> {
        self.versions.as_deref().map(|versions| versions.parse().unwrap())
    }
}
