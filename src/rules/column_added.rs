use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "column-added", family: Family::Contract, level: Level::Note, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::ColumnAdded { relation, column } = &event.change else { continue };
        if !(cx.older_table(relation) || (relation.is_view() && cx.older_relation(relation))) {
            continue;
        }
        let name = cx.part_label(relation, &column.name);
        findings.push(
            cx.finding(
                RULE.id,
                Level::Note,
                event,
                name.clone(),
                format!(
                    "{name} is new: INSERT … SELECT *, UNION of *, unqualified names in joins, row casts and functions that RETURN this \
                     row type may fail in the previous release"
                ),
                "name the columns in the statements of every release; nothing is to be done where they already are".into(),
            )
            .related(cx.created(relation.birth)),
        );
    }
}
