use super::{Check, Family, HistoryContext, Rule};
use crate::finding::{Finding, Level};

/// Off until it is switched on, and then as loud as the configuration says.
pub const RULE: Rule = Rule { id: "several-open", family: Family::History, level: Level::Off, check: Check::History(check) };

fn check(cx: &HistoryContext<'_>, findings: &mut Vec<Finding>) {
    if !cx.releases.are_known() {
        return;
    }
    let mut open = cx.history.migrations.iter().enumerate().filter(|(at, _)| !cx.releases.is_released(*at));
    let Some((_, first)) = open.next() else { return };
    for (_, unit) in open.filter(|(_, unit)| unit.reported) {
        let message = format!("{} is open beside {}: the next release ships more than one migration", unit.id, first.id);
        let help = format!("put it into {}, which nothing has run yet, or release that one first", first.id);
        findings.push(cx.finding(RULE.id, Level::Off, unit, message, help));
    }
}
