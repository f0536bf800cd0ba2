use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::finding::Level;

pub const RULE: Rule =
    Rule { id: "sequence-stays-narrow", family: Family::Contract, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::ColumnRetyped { relation, column, to, .. } = &event.change else { continue };
        let from = cx.before.base_type(&column.data_type);
        let widens = matches!(
            (from.builtin_name(), cx.after.base_type(to).builtin_name()),
            (Some("int2"), Some("int4" | "int8" | "numeric")) | (Some("int4"), Some("int8" | "numeric"))
        );
        if !cx.older_table(relation) || !widens {
            continue;
        }
        let sequence = cx.after.relations.values().find(|candidate| {
            candidate.sequence.as_ref().is_some_and(|sequence| {
                sequence.owned_by == Some((relation.id, column.id))
                    // The server widens the sequence of an identity column itself.
                    && !sequence.identity
                    && sequence.data_type == from
            })
        });
        let Some(sequence) = sequence else { continue };
        let (name, column) = (cx.label(sequence), cx.part_label(relation, &column.name));
        let limit = if from.builtin_name() == Some("int2") { "32767" } else { "2147483647" };
        findings.push(
            cx.finding(
                RULE.id,
                Level::Warning,
                event,
                name.clone(),
                format!("{column} is widened but its sequence {name} still ends at {limit}: nextval fails there all the same (2200H)"),
                format!("ALTER SEQUENCE {name} AS {}", cx.after.format_type(to).unwrap_or_else(|| "bigint".into())),
            )
            .related(cx.created(sequence.birth)),
        );
    }
}
