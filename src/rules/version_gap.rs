use super::shared::numbering::{self, Numbering};
use super::{Check, Family, HistoryContext, Rule};
use crate::finding::{Finding, Level, Related};
use crate::op::Span;
use crate::source::Migration;
use std::collections::BTreeMap;

pub const RULE: Rule = Rule { id: "version-gap", family: Family::History, level: Level::Off, check: Check::History(check) };

fn check(cx: &HistoryContext<'_>, findings: &mut Vec<Finding>) {
    // Steps that lie elsewhere have numbers, too.
    if !cx.history.whole {
        return;
    }
    let mut sequence: Vec<(u64, usize, &Migration)> = Vec::new();
    for (at, unit) in cx.history.migrations.iter().enumerate() {
        if let Some(Numbering::Sequence(number)) = numbering::of_unit(unit) {
            sequence.push((number, at, unit));
        }
    }
    sequence.sort_by_key(|(number, at, _)| (*number, *at));
    let Some(step) = usual_step(&sequence) else { return };
    for pair in sequence.windows(2) {
        let [(before, _, earlier), (number, at, unit)] = pair else { continue };
        if number - before <= step || !cx.pending().any(|(pending, _)| pending == *at) {
            continue;
        }
        let (first, last) = (before + step, number - step);
        let missing = if first >= last { format!("{first} is") } else { format!("{first} to {last} are") };
        let message = format!("{missing} missing between {} and {}", earlier.id, unit.id);
        let help = format!("number it {first}; if a migration was removed, a database that ran it has what others lack");
        let mut finding = cx.finding(RULE.id, Level::Off, unit, message, help);
        let place = Related { path: earlier.file.path.clone(), span: Span::default(), message: "the one before".into() };
        finding.related.push(place);
        findings.push(finding);
    }
}

/// By how much the numbers of a sequence usually differ. None where they do so by no rule.
fn usual_step(sequence: &[(u64, usize, &Migration)]) -> Option<u64> {
    let mut steps: BTreeMap<u64, usize> = BTreeMap::new();
    let differences = sequence.windows(2).filter_map(|pair| Some(pair.last()?.0 - pair.first()?.0)).filter(|step| *step > 0);
    differences.for_each(|step| *steps.entry(step).or_default() += 1);
    let all: usize = steps.values().sum();
    let (step, often) = steps.into_iter().max_by_key(|(step, often)| (*often, std::cmp::Reverse(*step)))?;
    (often * 2 >= all).then_some(step)
}
