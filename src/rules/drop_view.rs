use super::shared::recreation::{self, Recreation};
use super::shared::{fallout, list};
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "drop-view", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        let Change::RelationDropped { relation } = &event.change else { continue };
        if !relation.is_view() || !cx.older_relation(relation) {
            continue;
        }
        let name = cx.label(relation);
        let kind = fallout::kind_word(relation.kind);
        let along = fallout::along(cx, event);
        let (level, message, help) = match recreation::view(cx, event, relation) {
            Recreation::Same => (
                Level::Note,
                format!("{kind} {name} is dropped and created again with the same columns; prepared statements on it must be planned anew{along}"),
                format!("CREATE OR REPLACE VIEW {name} keeps the view, its grants and what depends on it, where only columns are added"),
            ),
            Recreation::Lost(lost) => (
                Level::Warning,
                format!("{kind} {name} is dropped and created again without {}, which old clients may rely on{along}", list(&lost)),
                format!("restate what DROP takes in the same transaction: {}", list(&lost)),
            ),
            Recreation::Different(why) => (
                Level::Error,
                format!("{kind} {name} is dropped and created again, but {why}: the previous release may still query what it had{along}"),
                format!("keep every old column with its type in the new {name}, or create the new shape under another name and drop {name} in a later release"),
            ),
            Recreation::Missing => (
                Level::Error,
                format!("{kind} {name} is dropped while the previous release may still query it{along}"),
                format!("stop querying {name} in one release, then drop it in a later one, in a migration tagged `-- phase contract`"),
            ),
        };
        findings.push(cx.finding(RULE.id, level, event, name, message, help).related(cx.created(relation.birth)));
    }
}
