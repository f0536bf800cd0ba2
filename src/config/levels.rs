//! What the configuration says about rules: how loud each may be, and where.
//!
//! A level caps: it lowers what a rule gave and never raises it. `off` silences, and the finding stays in the report with what silenced
//! it. A rule whose document says `off` is not asked until somebody gives it a level, and its findings then have that level. Facts and
//! verdicts know nothing of all this.

use super::globs::Globs;
use crate::finding::{Finding, Level, SuppressedBy, Suppression};
use crate::rules::{self, Rule};
use crate::source::join;
use std::collections::BTreeMap;

/// Levels by rule, for all paths and for some.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Levels {
    /// By id.
    pub rules: BTreeMap<&'static str, Ceiling>,
    /// The last one that matches and names the rule wins.
    pub overrides: Vec<LevelOverride>,
    /// Where the paths of the report lie below the configuration's directory.
    pub roots: Vec<Root>,
}

/// The loudest that a rule may be, and where that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceiling {
    pub level: Level,
    /// `phasegate.toml:12`
    pub place: String,
}

/// Levels for the paths that match.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelOverride {
    /// Paths below the configuration's directory.
    pub paths: Globs,
    pub rules: BTreeMap<&'static str, Ceiling>,
}

/// A PATH in the words of the report, and the same below the configuration's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    pub shown: String,
    pub below: String,
}

impl Levels {
    /// Whether a rule is asked at all: always, unless it waits to be switched on and nobody did.
    pub fn asks(&self, rule: &Rule) -> bool {
        let switched_on = |rules: &BTreeMap<&'static str, Ceiling>| rules.get(rule.id).is_some_and(|one| one.level > Level::Off);
        rule.level > Level::Off || switched_on(&self.rules) || self.overrides.iter().any(|one| switched_on(&one.rules))
    }

    /// What is said about a rule for a path of the report.
    pub fn ceiling(&self, rule: &str, path: &str) -> Option<&Ceiling> {
        let by_path = if self.overrides.is_empty() { None } else { self.overriding(rule, &self.below(path)) };
        by_path.or_else(|| self.rules.get(rule))
    }

    fn overriding(&self, rule: &str, below: &str) -> Option<&Ceiling> {
        let of_rule = self.overrides.iter().rev().filter_map(|one| Some((&one.paths, one.rules.get(rule)?)));
        of_rule.into_iter().find(|(paths, _)| paths.matches(below)).map(|(_, ceiling)| ceiling)
    }

    /// A path of the report as it lies below the configuration's directory.
    fn below(&self, path: &str) -> String {
        let inside = |root: &Root| -> Option<String> {
            if root.shown == path {
                return Some(root.below.clone());
            }
            let rest = if root.shown == "." { path } else { path.strip_prefix(root.shown.as_str())?.strip_prefix('/')? };
            Some(join(&root.below, rest))
        };
        self.roots.iter().find_map(inside).unwrap_or_else(|| path.to_owned())
    }

    /// Lowers and silences findings. What was silenced by something else stays so. Findings of a rule that is not switched on for
    /// their path are none.
    pub fn apply(&self, findings: &mut Vec<Finding>) {
        for finding in findings.iter_mut() {
            let Some(ceiling) = self.ceiling(finding.rule, &finding.path) else { continue };
            let waits = rules::rule(finding.rule).is_some_and(|rule| rule.level == Level::Off);
            match ceiling.level {
                Level::Off if waits => {}
                Level::Off => {
                    let reason = Some(format!("{} is off at {}", finding.rule, ceiling.place));
                    finding.suppressed.get_or_insert(Suppression { by: SuppressedBy::Level, reason });
                }
                level if waits && finding.level == Level::Off => finding.level = level,
                level => finding.level = finding.level.min(level),
            }
        }
        findings.retain(|finding| finding.level > Level::Off || finding.suppressed.is_some());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(rule: &'static str, level: Level, path: &str) -> Finding {
        Finding { migration: "0001".into(), ..Finding::new(rule, level, path.into(), String::new(), String::new()) }
    }

    fn rules(of: &[(&'static str, Level)]) -> BTreeMap<&'static str, Ceiling> {
        of.iter().map(|(rule, level)| (*rule, Ceiling { level: *level, place: "phasegate.toml:1".into() })).collect()
    }

    fn levels(of: &[(&'static str, Level)], overrides: &[(&str, &'static str, Level)]) -> Levels {
        let overrides = overrides.iter().map(|(glob, rule, level)| LevelOverride {
            paths: Globs::new([*glob]).unwrap_or_else(|(_, why)| panic!("{why}")),
            rules: rules(&[(rule, *level)]),
        });
        Levels { rules: rules(of), overrides: overrides.collect(), roots: vec![] }
    }

    fn applied(levels: &Levels, finding: Finding) -> (Level, Option<SuppressedBy>) {
        let mut findings = vec![finding];
        levels.apply(&mut findings);
        (findings[0].level, findings[0].suppressed.as_ref().map(|suppression| suppression.by))
    }

    #[test]
    fn a_level_lowers_and_never_raises() {
        let warning = levels(&[("drop-column", Level::Warning)], &[]);
        assert_eq!(applied(&warning, finding("drop-column", Level::Error, "1.sql")), (Level::Warning, None));
        assert_eq!(applied(&warning, finding("drop-column", Level::Note, "1.sql")), (Level::Note, None));
        assert_eq!(applied(&warning, finding("drop-table", Level::Error, "1.sql")), (Level::Error, None));
    }

    #[test]
    fn off_silences_and_keeps_and_the_first_that_silenced_stays_named() {
        let off = levels(&[("drop-column", Level::Off)], &[]);
        assert_eq!(applied(&off, finding("drop-column", Level::Error, "1.sql")), (Level::Error, Some(SuppressedBy::Level)));
        let mut tagged = finding("drop-column", Level::Note, "1.sql");
        tagged.suppressed = Some(Suppression { by: SuppressedBy::Tag, reason: None });
        assert_eq!(applied(&off, tagged), (Level::Note, Some(SuppressedBy::Tag)));
    }

    #[test]
    fn the_last_override_that_matches_wins_over_the_rule_and_over_earlier_ones() {
        let levels = levels(
            &[("drop-column", Level::Note)],
            &[("legacy/**", "drop-column", Level::Off), ("legacy/new/**", "drop-column", Level::Error)],
        );
        let level = |path: &str| levels.ceiling("drop-column", path).map(|ceiling| ceiling.level);
        assert_eq!(level("a/1.sql"), Some(Level::Note));
        assert_eq!(level("legacy/1.sql"), Some(Level::Off));
        assert_eq!(level("legacy/new/1.sql"), Some(Level::Error));
        assert_eq!(levels.ceiling("drop-table", "legacy/1.sql"), None);
    }

    #[test]
    fn paths_of_the_report_are_matched_as_they_lie_below_the_configuration() {
        let mut levels = levels(&[], &[("services/shop/**", "drop-column", Level::Note)]);
        let silent = |levels: &Levels, path: &str| levels.ceiling("drop-column", path).is_some();
        assert!(!silent(&levels, "/repo/services/shop/1.sql") && !silent(&levels, "shop/1.sql"));
        levels.roots = vec![
            Root { shown: "/repo".into(), below: String::new() },
            Root { shown: "shop".into(), below: "services/shop".into() },
            Root { shown: "x.sql".into(), below: "services/shop/x.sql".into() },
        ];
        for path in ["/repo/services/shop/1.sql", "shop/1.sql", "x.sql"] {
            assert!(silent(&levels, path), "{path}");
        }
        assert!(!silent(&levels, "/repository/services/shop/1.sql"));
    }
}
