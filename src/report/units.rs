//! Which findings are about which unit of which history: for formats that have a case or a row for each.

use super::Report;
use super::model::{FindingEntry, HistoryEntry, MigrationEntry, SkippedEntry};
use crate::prove::evidence::Evidence;
use crate::source::ReportPath;
use std::collections::{BTreeMap, HashMap};

/// A history with what belongs to it. Findings are those that count, in the report's order.
#[derive(Debug)]
pub struct HistoryView<'a> {
    /// None for what belongs to no history.
    pub history: Option<&'a HistoryEntry>,
    pub units: Vec<UnitView<'a>>,
    /// Files and directories that findings are about, and that are no units that were reported on: a released migration, the baseline.
    pub others: Vec<(&'a ReportPath, Vec<&'a FindingEntry>)>,
    pub skipped: &'a [SkippedEntry],
    pub evidence: Option<&'a Evidence>,
}

/// A unit with its findings.
#[derive(Debug)]
pub struct UnitView<'a> {
    pub migration: &'a MigrationEntry,
    pub findings: Vec<&'a FindingEntry>,
}

impl HistoryView<'_> {
    /// Its path, and its name where the configuration gives it one; "phasegate" for what belongs to none.
    pub fn title(&self) -> String {
        match self.history {
            None => "phasegate".to_owned(),
            Some(HistoryEntry { name: Some(name), path, .. }) => format!("{name} ({})", path.below()),
            Some(HistoryEntry { path, .. }) => path.below().to_owned(),
        }
    }
}

/// The histories of a report in its order; the last entry is what belongs to none.
pub fn histories(report: &Report) -> Vec<HistoryView<'_>> {
    let mut migrations = report.migrations.as_slice();
    let mut views = Vec::with_capacity(report.histories.len() + 1);
    let mut units: HashMap<(&ReportPath, &str), (usize, usize)> = HashMap::new();
    for (at, (history, outline)) in report.histories.iter().zip(&report.outlines).enumerate() {
        let (own, rest) = migrations.split_at(outline.migrations.min(migrations.len()));
        migrations = rest;
        for (unit, migration) in own.iter().enumerate() {
            units.entry((&migration.path, &migration.id)).or_insert((at, unit));
        }
        views.push(HistoryView {
            history: Some(history),
            units: own.iter().map(|migration| UnitView { migration, findings: Vec::new() }).collect(),
            others: Vec::new(),
            skipped: &outline.skipped,
            evidence: report.evidence.iter().find(|evidence| evidence.history == history.path),
        });
    }
    let mut others: Vec<BTreeMap<&ReportPath, Vec<&FindingEntry>>> = vec![BTreeMap::new(); views.len() + 1];
    for finding in report.findings.iter().filter(|finding| finding.counts()) {
        match units.get(&(&finding.path, finding.migration.as_str())) {
            Some((at, unit)) => views[*at].units[*unit].findings.push(finding),
            None => {
                let at = around(report, &finding.path).unwrap_or(views.len());
                others[at].entry(&finding.path).or_default().push(finding);
            }
        }
    }
    views.push(HistoryView { history: None, units: Vec::new(), others: Vec::new(), skipped: &[], evidence: None });
    for (view, others) in views.iter_mut().zip(others) {
        view.others = others.into_iter().collect();
    }
    views
}

/// The history that a path lies in, the innermost where they nest.
fn around(report: &Report, path: &ReportPath) -> Option<usize> {
    let holds = |directory: &ReportPath| {
        let (directory, path) = (directory.below(), path.below());
        directory == "." && !path.starts_with('/')
            || path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let around = report.histories.iter().enumerate().filter(|(_, history)| history.paths.iter().any(holds));
    around.max_by_key(|(at, history)| (history.path.below().len(), std::cmp::Reverse(*at))).map(|(at, _)| at)
}
