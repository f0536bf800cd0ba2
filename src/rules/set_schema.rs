use super::shared::fallout;
use super::{Check, Context, Family, Findings, Rule, rename_routine, rename_table, rename_type};
use crate::catalog::change::Change;
use crate::catalog::name::qualified;
use crate::finding::Level;
use crate::op::Persistence;

pub const RULE: Rule = Rule { id: "set-schema", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let (word, label, to, birth) = match &event.change {
            Change::RelationRenamed { relation, schema, .. }
                if *schema != relation.schema
                    && relation.persistence != Persistence::Temporary
                    && !rename_table::is_back(cx, event) =>
            {
                (fallout::kind_word(relation.kind), cx.label(relation), schema, relation.birth)
            }
            Change::TypeRenamed { object, schema, .. }
                if *schema != object.schema && !rename_type::named_as_before(cx, object.id) =>
            {
                (fallout::type_word(&object.kind), qualified(&object.schema, &object.name), schema, object.birth)
            }
            Change::RoutineRenamed { routine, schema, .. }
                if *schema != routine.schema && !rename_routine::named_as_before(cx, routine.id) =>
            {
                (fallout::routine_word(routine.kind), cx.before.routine_label(routine), schema, routine.birth)
            }
            _ => continue,
        };
        if !cx.older(birth) {
            continue;
        }
        findings.push(
            cx.finding(
                RULE.id,
                Level::Error,
                event,
                label.clone(),
                format!("{word} {label} moves to schema {to}: the previous release looks for it where it was"),
                format!(
                    "put {to} on the search_path of every client in an earlier release, and let no statement name the schema of {label}; \
                     then move it in a migration tagged `-- phase contract`"
                ),
            )
            .related(cx.created(birth)),
        );
    }
}
