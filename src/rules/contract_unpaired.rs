use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::finding::Level;
use crate::source::Phase;

/// Off until it is switched on, and then as loud as the configuration says.
pub const RULE: Rule = Rule { id: "contract-unpaired", family: Family::Phase, level: Level::Off, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    let Some(tag) = cx.migration.tag.as_ref().filter(|tag| cx.migration.phase == Phase::Contract && tag.completes.is_none()) else {
        return;
    };
    let id = &cx.migration.id;
    let finding = cx.finding_at(
        RULE.id,
        Level::Off,
        None,
        tag.span,
        format!("{id} is a contract and does not name the migration that it completes"),
        "name the expand migration, as in `-- phase contract completes=0007`, so that it can be seen to be released".into(),
    );
    findings.push(Judged { finding, subjects: vec![id.clone()] });
}
