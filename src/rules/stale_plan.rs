use super::shared::type_family::{self, Retype};
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "stale-plan", family: Family::Contract, level: Level::Note, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let (relation, how) = match &event.change {
            Change::ColumnAdded { relation, .. } => (relation, "gains a column".to_string()),
            Change::ColumnDropped { relation, column } if cx.older(column.birth) => (relation, "loses a column".to_string()),
            Change::ColumnRetyped { relation, column, to, .. } if cx.older(column.birth) => {
                let change = type_family::compare(cx.before, &column.data_type, cx.after, to);
                let how = match change {
                    // Only the domain's name differs: results are described by the base type, plans are not.
                    Retype::Same => format!("gets another domain for {}", column.name),
                    Retype::Wider => format!("widens {}, which no value shows", column.name),
                    Retype::Other => format!("gets another type of {}", column.name),
                };
                (relation, how)
            }
            Change::CollationChanged { relation, column } if cx.older(column.birth) => {
                (relation, format!("gets another collation of {}", column.name))
            }
            _ => continue,
        };
        if !(relation.is_table() || relation.is_view()) || !cx.older_relation(relation) {
            continue;
        }
        let name = cx.label(relation);
        let level = if cx.settings.driver_caches_plans { Level::Warning } else { Level::Note };
        findings.push(
            cx.finding(
                RULE.id,
                level,
                event,
                name.clone(),
                format!("{name} {how}: a prepared SELECT * or RETURNING * of an open session fails until it is prepared again (0A000, \"cached plan must not change result type\")"),
                "name the columns in prepared statements, or let the driver prepare again on 0A000".into(),
            )
            .related(cx.created(relation.birth)),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Level;
    use crate::config::Settings;
    use crate::rules::testing::judged;

    #[test]
    fn a_driver_that_caches_plans_makes_it_a_warning() {
        let texts = ["CREATE TABLE users (id bigint);", "ALTER TABLE users ADD age int;"];
        let level = |settings| {
            let found = judged(&texts, settings);
            found.iter().find(|finding| finding.rule == "stale-plan").map(|finding| finding.level)
        };
        assert_eq!(level(Settings::default()), Some(Level::Note));
        assert_eq!(level(Settings { driver_caches_plans: true, ..Settings::default() }), Some(Level::Warning));
    }
}
