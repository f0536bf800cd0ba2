use super::shared::updatable_view::{self, Gap};
use super::shared::{fallout, list, recreation};
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::object::{Relation, RelationKind};
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "rename-table", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::RelationRenamed { relation, schema, name } = &event.change else { continue };
        let ours = !matches!(relation.kind, RelationKind::Sequence | RelationKind::Composite);
        if !ours || *schema != relation.schema || !cx.older_relation(relation) || named_as_before(cx, relation) {
            continue;
        }
        let old = cx.label(relation);
        let word = if relation.partition_bound.is_some() { "partition" } else { fallout::kind_word(relation.kind) };
        let stand_in = recreation::relation_after(cx, event, &relation.schema, &relation.name);
        let gap = stand_in.map(|view| updatable_view::gap(cx.after, relation, view));
        let (level, message, help) = match gap {
            Some(None) => (
                Level::Warning,
                format!("{word} {old} is renamed to {name}, with a view under the old name that old clients can read and write"),
                format!(
                    "what still fails through the view {old}: TRUNCATE, COPY FROM, ON CONFLICT ON CONSTRAINT, system columns such as \
                     ctid, and ALTER TABLE; drop the view in a later release"
                ),
            ),
            Some(Some(gap)) => (
                Level::Error,
                format!("{word} {old} is renamed to {name}, and what takes the old name does not stand in for it: {}", words(&gap)),
                recipe(&old, name),
            ),
            None => (
                Level::Error,
                format!("{word} {old} is renamed to {name} while the previous release still uses the old name (42P01)"),
                recipe(&old, name),
            ),
        };
        findings.push(cx.finding(RULE.id, level, event, old, message, help).related(cx.created(relation.birth)));
    }
}

fn recipe(old: &str, new: &str) -> String {
    format!(
        "keep the name; or in the same transaction CREATE VIEW {old} WITH (security_invoker = true) AS SELECT * FROM {new}, restate its \
         grants, and drop that view in a later release, tagged `-- phase contract`"
    )
}

fn words(gap: &Gap) -> String {
    match gap {
        Gap::NotUpdatable => "it is no plain updatable view of the renamed relation".into(),
        Gap::Columns(columns) if columns.is_empty() => "which columns it must have is not known".into(),
        Gap::Columns(columns) => format!("it lacks {}", list(columns)),
        Gap::Grants(grants) => format!("it lacks the grants {} (42501)", list(grants)),
        Gap::SecurityInvoker => "row level security is that of the view's owner without security_invoker".into(),
    }
}

/// Renamed back, or moved on to where it was.
fn named_as_before(cx: &Context<'_>, relation: &Relation) -> bool {
    match (cx.released_relation(relation.id), cx.after.relation(relation.id)) {
        (Some(before), Some(after)) => before.schema == after.schema && before.name == after.name,
        _ => false,
    }
}

/// For the rule about moves between schemas.
pub(super) fn is_back(cx: &Context<'_>, event: &Event) -> bool {
    matches!(&event.change, Change::RelationRenamed { relation, .. } if named_as_before(cx, relation))
}

#[cfg(test)]
mod tests {
    use crate::finding::Level;
    use super::RULE;
    use crate::config::Settings;
    use crate::rules::testing::judged;

    #[test]
    fn what_still_breaks_through_a_view_is_in_the_help() {
        let texts = [
            "CREATE TABLE users (id bigint);",
            "ALTER TABLE users RENAME TO accounts; CREATE VIEW users AS SELECT id FROM accounts;",
        ];
        let mut found = judged(&texts, Settings::default());
        found.retain(|finding| finding.rule == RULE.id);
        let [finding] = found.as_slice() else { panic!("one finding: {found:?}") };
        assert_eq!((finding.rule, finding.level), ("rename-table", Level::Warning));
        for words in ["TRUNCATE", "COPY FROM", "ON CONFLICT ON CONSTRAINT", "system columns"] {
            assert!(finding.help.contains(words), "{words} is in: {}", finding.help);
        }
    }
}
