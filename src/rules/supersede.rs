//! Of several findings that say the same about one statement only the most specific is reported.

use super::Judged;
use crate::op::Span;
use std::collections::BTreeMap;

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
    ("matview-refresh", "work-under-lock"),
    ("table-rewrite", "constraint-scan"),
];

pub fn drop_general(list: &mut Vec<Judged>) {
    let place = |judged: &Judged| (judged.finding.statement, judged.finding.span);
    let mut places: BTreeMap<(Option<usize>, Span), Vec<usize>> = BTreeMap::new();
    for (at, judged) in list.iter().enumerate() {
        places.entry(place(judged)).or_default().push(at);
    }
    let goes = |at: usize| {
        let general = &list[at];
        places[&place(general)].iter().any(|other| supersedes(&list[*other], general))
    };
    let general: Vec<bool> = (0..list.len()).map(goes).collect();
    let mut flags = general.into_iter();
    list.retain(|_| !flags.next().unwrap_or(false));
}

/// Both are about the same place.
fn supersedes(specific: &Judged, general: &Judged) -> bool {
    SUPERSEDES.contains(&(specific.finding.rule, general.finding.rule)) && shares_subject(specific, general)
}

/// What the general finding is about first is among the subjects of the specific one: a table that both mention beside their
/// columns makes them no claim about the same thing. A plan goes stale for the whole table.
fn shares_subject(specific: &Judged, general: &Judged) -> bool {
    let wanted =
        if general.finding.rule == "stale-plan" { general.subjects.as_slice() } else { general.subjects.get(..1).unwrap_or(&[]) };
    wanted.iter().any(|subject| specific.subjects.contains(subject))
}

#[cfg(test)]
mod tests {
    use super::SUPERSEDES;
    use crate::rules::rule;

    #[test]
    fn only_rules_that_exist_supersede_and_none_in_a_circle() {
        for (specific, general) in SUPERSEDES {
            assert!(rule(specific).is_some() && rule(general).is_some(), "{specific}, {general}");
            assert!(!SUPERSEDES.contains(&(general, specific)), "{specific} and {general} supersede each other");
        }
    }
}
