use super::shared::list;
use super::shared::numbering::{self, Form, Numbering};
use super::{Check, Family, HistoryContext, Rule};
use crate::finding::{Finding, Level, Related};
use crate::op::Span;
use crate::report::escape::{escape, is_unsafe};
use crate::source::misnamed::Misnamed;
use crate::source::{Migration, Version, layouts};
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
            let shown = if character == '`' { "a backtick".into() } else { format!("`{}`", escape(&character.to_string())) };
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
    if let Some((_, unit, last)) = lone_moment(cx, &numbered).filter(|(at, ..)| is_pending(*at)) {
        let message = format!(
            "{} is {} among numbers of a sequence: {} and all that follow it will run before this migration",
            unit.id,
            moment_name(unit),
            last + 1
        );
        let help = format!("number it {}; where the project changes to timestamps for good, allow it here", last + 1);
        findings.push(cx.finding(RULE.id, Level::Error, unit, message, help));
    }
    for Misordered { odd, other, is_early } in misordered(&numbered) {
        let ((at, unit, _), (_, overtaken, _)) = (numbered[odd], numbered[other]);
        if !is_pending(at) {
            continue;
        }
        let (place, time) = if is_early { ("before", "later") } else { ("after", "earlier") };
        let message = format!("{} runs {place} {}, although its number says that it came {time}", unit.id, overtaken.id);
        let help = "number all migrations in one way: as many digits everywhere, and a sequence or timestamps, not both".into();
        let mut finding = cx.finding(RULE.id, Level::Error, unit, message, help);
        let place = Related { path: overtaken.file.path.clone(), span: Span::default(), message: "the other one".into() };
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

/// A step with a number of a rarer kind than that of another step, and the wrong order between the two.
struct Misordered {
    odd: usize,
    other: usize,
    /// The odd one runs first.
    is_early: bool,
}

/// What numbers of one kind have in common: within it they order as they should.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Of so many digits, where they are compared as text; else 0.
    Sequence(usize),
    Moment(Form),
}

fn kind(unit: &Migration, numbering: Numbering) -> Kind {
    match (numbering, &unit.version) {
        (Numbering::Moment(moment), _) => Kind::Moment(moment.form),
        (Numbering::Sequence(_), Some(Version::Text(text))) => Kind::Sequence(text.bytes().take_while(u8::is_ascii_digit).count()),
        (Numbering::Sequence(_), _) => Kind::Sequence(0),
    }
}

/// Steps of a rarer kind that run before or after one of another kind although their numbers say the reverse; each once.
fn misordered(numbered: &[(usize, &Migration, Numbering)]) -> Vec<Misordered> {
    /// A date without a time, or another clock, is no disorder.
    const TOLERANCE: i64 = 2 * 86_400;
    let kinds: Vec<Kind> = numbered.iter().map(|(_, unit, numbering)| kind(unit, *numbering)).collect();
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    kinds.iter().for_each(|kind| *counts.entry(*kind).or_default() += 1);
    let mut found: BTreeMap<usize, Misordered> = BTreeMap::new();
    // The least of what runs later, by kind.
    let mut least: BTreeMap<Kind, (i64, usize)> = BTreeMap::new();
    for (early, (_, _, numbering)) in numbered.iter().enumerate().rev() {
        let own = kinds[early];
        let value = match numbering {
            Numbering::Sequence(number) => i64::try_from(*number).unwrap_or(i64::MAX),
            Numbering::Moment(moment) => moment.seconds,
        };
        for (other, (less, late)) in &least {
            let is_later = match (own, other) {
                (Kind::Sequence(own), Kind::Sequence(other)) => own != *other && *less < value,
                (Kind::Moment(own), Kind::Moment(other)) => own != *other && *less + TOLERANCE < value,
                (Kind::Sequence(_), Kind::Moment(_)) | (Kind::Moment(_), Kind::Sequence(_)) => false,
            };
            if is_later {
                let is_early = counts[&own] <= counts[other];
                let (odd, other) = if is_early { (early, *late) } else { (*late, early) };
                found.insert(odd, Misordered { odd, other, is_early });
            }
        }
        let entry = least.entry(own).or_insert((value, early));
        if value <= entry.0 {
            *entry = (value, early);
        }
    }
    found.into_values().collect()
}
