//! `--verbose`: what was recognised and why, and what each history cost. On standard error, beside any report.

use super::terminal;
use crate::catalog::Catalog;
use crate::check::{CheckedHistory, Witness};
use crate::config::Settings;
use crate::finding::Finding;
use crate::report::escape::escape;
use crate::source::{History, SourceFile};
use crate::sql::ParsedUnit;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A watch in the hand of a witness: it looks at the clock where the witness is called, and changes nothing.
pub struct Watched<'a> {
    inner: Option<&'a mut dyn Witness>,
    since: Instant,
    /// What there is to say, in the order of the histories.
    pub lines: Vec<String>,
}

pub fn tell(lines: &[String]) {
    lines.iter().for_each(|line| terminal::complain_at_length(&escape(line)));
}

impl<'a> Watched<'a> {
    /// Starts the clock. `inner` is the witness that really looks, where there is one.
    pub fn start(inner: Option<&'a mut dyn Witness>) -> Watched<'a> {
        Watched { inner, since: Instant::now(), lines: Vec::new() }
    }
}

impl Witness for Watched<'_> {
    fn after_unit(&mut self, history: &History, unit: usize, catalog: &Catalog) {
        if let Some(inner) = &mut self.inner {
            inner.after_unit(history, unit, catalog);
        }
    }

    fn testify(&mut self, checked: &CheckedHistory, parsed: &[ParsedUnit], settings: &Settings) -> Vec<Finding> {
        let read = self.since.elapsed();
        let found = self.inner.as_mut().map(|inner| inner.testify(checked, parsed, settings)).unwrap_or_default();
        let watched = self.inner.is_some().then(|| self.since.elapsed().saturating_sub(read));
        self.lines.extend(lines(checked, read, watched));
        self.since = Instant::now();
        found
    }
}

/// What there is to say about a history that took `read` to read, parse and model, and `proven` to prove.
fn lines(checked: &CheckedHistory, read: Duration, proven: Option<Duration>) -> Vec<String> {
    let CheckedHistory { history, units, releases, changed, .. } = checked;
    let files: BTreeMap<&str, &SourceFile> =
        history.migrations.iter().map(|unit| (unit.file.path.as_str(), unit.file.as_ref())).collect();
    let bytes: usize = files.values().map(|file| file.bytes.len()).sum();
    let statements: usize = units.iter().map(Vec::len).sum();
    let judged = history.migrations.iter().filter(|unit| unit.reported).count();
    let mut lines = vec![format!("{}: layout {}, because of {}", history.path, history.layout, history.recognised_by)];
    lines.push(format!(
        "  read {} files of {bytes} bytes: {} migrations, {statements} statements; {judged} judged",
        files.len(),
        history.migrations.len()
    ));
    match releases.sources.as_slice() {
        [] => lines.push("  released: nothing says so, every migration is a release of its own".to_owned()),
        sources => lines.push(format!("  released: {} by {}", releases.count(), sources.join(" and "))),
    }
    lines.extend(changed.as_ref().map(|changed| format!("  compared with {}", changed.since)));
    lines.extend(history.skipped.iter().map(|skipped| format!("  skipped {}: {}", skipped.path, skipped.why)));
    let proven = proven.map(|proven| format!(", {:.1} s for its proofs", proven.as_secs_f64())).unwrap_or_default();
    lines.push(format!("  took {:.1} ms to read and model{proven}", read.as_secs_f64() * 1000.0));
    lines
}
