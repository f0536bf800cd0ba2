use super::shared::fallout;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::object::RelationKind;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "drop-sequence", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        let (name, birth, message, help) = match &event.change {
            Change::RelationDropped { relation } if relation.kind == RelationKind::Sequence && cx.older_relation(relation) => {
                let name = cx.label(relation);
                let message = format!("sequence {name} is dropped while the previous release may still draw from it (42P01)");
                let help = format!("stop using {name} in one release, then drop it in a later one, tagged `-- phase contract`");
                (name, relation.birth, message, help)
            }
            Change::IdentityChanged { relation, column, to: None }
                if cx.older_table(relation)
                    && (!relation.known
                        || cx.released_column(relation.id, column.id).is_none_or(|known| known.identity.is_some())) =>
            {
                let name = cx.part_label(relation, &column.name);
                let message =
                    format!("{name} is no longer an identity column: an old INSERT that omits it fails on NOT NULL (23502)");
                let help = format!("keep the identity of {name} until every release writes the column itself");
                (name, column.birth, message, help)
            }
            Change::ExpressionDropped { relation, column }
                if cx.older_table(relation)
                    && (!relation.known
                        || cx.released_column(relation.id, column.id).is_none_or(|known| known.generated.is_some())) =>
            {
                let name = cx.part_label(relation, &column.name);
                let message = format!(
                    "{name} is no longer generated: rows that the previous release writes leave it NULL or stale"
                );
                let help = format!("release code that writes {name}, or a trigger that fills it, before the expression goes");
                (name, column.birth, message, help)
            }
            _ => continue,
        };
        if !cx.older(birth) {
            continue;
        }
        let message = message + &fallout::along(cx, event);
        findings.push(cx.finding(RULE.id, Level::Error, event, name, message, help).related(cx.created(birth)));
    }
}
