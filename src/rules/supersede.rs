//! Of several findings that say the same about one statement only the most specific is reported.

use super::Judged;

/// (specific, general): where both are about the same place and share a subject, the general one goes.
const SUPERSEDES: &[(&str, &str)] = &[
    ("retype-column", "drop-column"),
    ("destroys-data", "drop-column"),
    ("destroys-data", "drop-table"),
    ("set-not-null", "tighten-constraint"),
    ("required-column", "tighten-constraint"),
    ("required-column", "set-not-null"),
    ("required-column", "drop-default"),
    ("always-identity", "required-column"),
    ("retype-column", "stale-plan"),
    ("drop-column", "stale-plan"),
    ("destroys-data", "stale-plan"),
];

pub fn drop_general(list: &mut Vec<Judged>) {
    let general: Vec<bool> = list.iter().map(|judged| list.iter().any(|other| supersedes(other, judged))).collect();
    let mut flags = general.into_iter();
    list.retain(|_| !flags.next().unwrap_or(false));
}

fn supersedes(specific: &Judged, general: &Judged) -> bool {
    SUPERSEDES.contains(&(specific.finding.rule, general.finding.rule))
        && specific.finding.statement == general.finding.statement
        && specific.finding.span == general.finding.span
        && specific.subjects.iter().any(|subject| general.subjects.contains(subject))
}
