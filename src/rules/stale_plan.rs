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
                    // Rows are described by type and modifier below domains: here neither changes.
                    Retype::Same => continue,
                    Retype::Wider => format!("widens {}, which no value shows", column.name),
                    Retype::Other => format!("gets another type of {}", column.name),
                };
                (relation, how)
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
                format!("{name} {how}: a prepared SELECT * or RETURNING * of an open session fails once with \"cached plan must not change result type\" (0A000)"),
                "name the columns in prepared statements, or let the driver prepare again on 0A000".into(),
            )
            .related(cx.created(relation.birth)),
        );
    }
}
