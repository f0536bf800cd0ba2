use super::shared::list;
use super::shared::numbering::{self, Form, Numbering};
use super::{Check, Family, HistoryContext, Rule};
use crate::finding::{Finding, Level, Related};
use crate::op::Span;
use crate::report::escape::is_unsafe;
use crate::source::misnamed::Misnamed;
use crate::source::{Migration, layouts};
use std::collections::{BTreeMap, BTreeSet};

pub const RULE: Rule = Rule { id: "unsafe-filename", family: Family::History, level: Level::Error, check: Check::History(check) };

fn check(cx: &HistoryContext<'_>, findings: &mut Vec<Finding>) {
    findings.extend(cx.history.misnamed.iter().filter(|one| is_pending(cx, one)).map(|one| misnamed(cx, one)));
    let mut files = BTreeSet::new();
    for (_, unit) in cx.pending().filter(|(_, unit)| files.insert(unit.file.path.as_str())) {
        if let Some(what) = unsafe_part(cx, &unit.file.path) {
            findings.push(cx.finding(
                RULE.id,
                Level::Error,
                unit,
                format!("the name of this file {what}: shells, scripts and other systems read it as something else"),
                "name it with letters, digits, `_`, `-` and `.` only".into(),
            ));
        }
    }
    other_numbering(cx, findings);
}

/// With releases known, a file that its runner has left out for as long as later ones are released is an old story.
fn is_pending(cx: &HistoryContext<'_>, misnamed: &Misnamed) -> bool {
    let units = cx.history.migrations.iter().enumerate();
    let last = units.filter(|(at, _)| cx.releases.is_released(*at)).filter_map(|(_, unit)| unit.version.as_ref()).max();
    !cx.releases.are_known() || misnamed.version.as_ref().is_some_and(|own| last.is_none_or(|last| last < own))
}

fn misnamed(cx: &HistoryContext<'_>, misnamed: &Misnamed) -> Finding {
    let layout = &cx.history.layout;
    let names = layouts::named(layout).map(|layout| layout.file_names()).unwrap_or_default();
    let message = format!("this file is named almost like a migration, so {layout} does not run it");
    let help = format!("rename it to `{}`: {layout} runs {names}", misnamed.meant);
    cx.finding_of_file(RULE.id, Level::Error, &misnamed.file.path, message, help)
}

/// What is wrong with the name of a file or of a directory between it and the history's.
fn unsafe_part(cx: &HistoryContext<'_>, path: &str) -> Option<String> {
    let history = if cx.history.path == "." { "" } else { cx.history.path.as_str() };
    let own = path.strip_prefix(history).map(|rest| rest.trim_start_matches('/')).filter(|rest| !rest.is_empty());
    let own = own.unwrap_or_else(|| path.rsplit('/').next().unwrap_or(path));
    own.split('/').find_map(|part| {
        let stem = part.strip_suffix(".sql").unwrap_or(part);
        let mut odd: Vec<String> = Vec::new();
        for character in part.chars().filter(|c| is_unsafe(*c) || "\\\"'`$;|&<>*?\u{fffd}".contains(*c)) {
            let shown = if character == '`' { "a backtick".into() } else { format!("`{}`", character.escape_debug()) };
            if !odd.contains(&shown) {
                odd.push(shown);
            }
        }
        if !odd.is_empty() {
            Some(format!("holds {}", list(&odd)))
        } else if part.starts_with('-') {
            Some("begins with `-`".into())
        } else if stem.trim() != stem {
            Some("begins or ends with a blank".into())
        } else {
            None
        }
    })
}

/// Numbers of another kind than the others have: they do not order as those who wrote them think.
fn other_numbering(cx: &HistoryContext<'_>, findings: &mut Vec<Finding>) {
    let numbered: Vec<(usize, &Migration, Numbering)> = cx
        .history
        .migrations
        .iter()
        .enumerate()
        .filter_map(|(at, unit)| Some((at, unit, numbering::of_unit(unit)?)))
        .collect();
    let is_pending = |at: usize| cx.pending().any(|(pending, _)| pending == at);
    if let Some((at, unit, last)) = lone_moment(cx, &numbered).filter(|(at, ..)| is_pending(*at)) {
        let message = format!(
            "{} is {} among numbers of a sequence: {} and all that follow it will run before this migration",
            unit.id,
            moment_name(unit),
            last + 1
        );
        findings.push(cx.finding(RULE.id, Level::Error, unit, message, format!("number it {}, or switch for good and allow it here", last + 1)));
        let _ = at;
    }
    for (early, late) in misordered(&numbered) {
        let ((at, unit, _), (_, other, _)) = (numbered[early], numbered[late]);
        if !is_pending(at) {
            continue;
        }
        let message = format!("{} runs before {}, although its number says that it came later", unit.id, other.id);
        let help = "number all migrations in one way: as many digits everywhere, and a sequence or timestamps, not both".into();
        let mut finding = cx.finding(RULE.id, Level::Error, unit, message, help);
        let place = Related { path: other.file.path.clone(), span: Span::default(), message: "it runs before this one".into() };
        finding.related.push(place);
        findings.push(finding);
    }
}

fn moment_name(unit: &Migration) -> &'static str {
    match numbering::of_unit(unit) {
        Some(Numbering::Moment(moment)) => moment.form.name(),
        Some(Numbering::Sequence(_)) | None => "a number",
    }
}

/// The one moment among at least three numbers of a sequence that are not released later, and the last of these numbers.
fn lone_moment<'a>(
    cx: &HistoryContext<'_>,
    numbered: &[(usize, &'a Migration, Numbering)],
) -> Option<(usize, &'a Migration, u64)> {
    const LEAST: usize = 3;
    let mut sequence: Vec<u64> = Vec::new();
    let mut moments = Vec::new();
    for (at, unit, numbering) in numbered {
        match numbering {
            Numbering::Sequence(number) => sequence.push(*number),
            Numbering::Moment(_) => moments.push((*at, *unit)),
        }
    }
    match moments.as_slice() {
        [(at, unit)] if sequence.len() >= LEAST && !cx.releases.is_released(*at) => {
            Some((*at, *unit, sequence.into_iter().max().unwrap_or_default()))
        }
        _ => None,
    }
}

/// Pairs (early, late) of indexes: the early one runs first, and its number says that it came later. Each is named once, with the
/// first one that it overtakes.
fn misordered(numbered: &[(usize, &Migration, Numbering)]) -> Vec<(usize, usize)> {
    /// A date without a time, or another clock, is no disorder.
    const TOLERANCE: i64 = 2 * 86_400;
    let mut pairs: BTreeMap<usize, usize> = BTreeMap::new();
    // The least of what comes later, for each form of moments and for sequences.
    let mut least: BTreeMap<Option<Form>, (i64, usize)> = BTreeMap::new();
    for (index, (_, _, numbering)) in numbered.iter().enumerate().rev() {
        let (form, value) = match numbering {
            Numbering::Sequence(number) => (None, i64::try_from(*number).unwrap_or(i64::MAX)),
            Numbering::Moment(moment) => (Some(moment.form), moment.seconds),
        };
        let overtaken = least.iter().filter(|(other, (less, _))| match (form, other) {
            (None, None) => *less < value,
            (Some(own), Some(other)) => own != *other && *less + TOLERANCE < value,
            (None, Some(_)) | (Some(_), None) => false,
        });
        if let Some((_, (_, late))) = overtaken.min_by_key(|(_, (_, late))| *late) {
            pairs.insert(index, *late);
        }
        let entry = least.entry(form).or_insert((value, index));
        if value <= entry.0 {
            *entry = (value, index);
        }
    }
    pairs.into_iter().collect()
}
