use super::shared::insert;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::name::qualified;
use crate::catalog::object::{ConstraintType, TypeObject};
use crate::catalog::types::DataType;
use crate::finding::Level;
use crate::sql::names::quote_identifier;

pub const RULE: Rule = Rule { id: "drop-check", family: Family::Contract, level: Level::Note, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        let (what, name, birth) = match &event.change {
            Change::ConstraintDropped { relation, constraint, .. }
                if cx.older_table(relation)
                    && matches!(constraint.kind, ConstraintType::Check { .. } | ConstraintType::NotNull { .. }) =>
            {
                ("CHECK", cx.part_label(relation, &constraint.name), constraint.birth)
            }
            Change::NotNullDropped { relation, column }
                if cx.older_table(relation)
                    && (!relation.known || cx.released_column(relation.id, column.id).is_none_or(|known| known.not_null)) =>
            {
                ("NOT NULL of", cx.part_label(relation, &column.name), column.birth)
            }
            Change::DomainConstraintDropped { object, constraint } if cx.older(object.birth) => {
                let name = format!("{}.{}", qualified(&object.schema, &object.name), quote_identifier(&constraint.name));
                ("CHECK", name, constraint.birth)
            }
            Change::DomainNotNull { object, set: false } if refused_null(cx, object) => {
                ("NOT NULL of domain", qualified(&object.schema, &object.name), object.birth)
            }
            _ => continue,
        };
        if !cx.older(birth) {
            continue;
        }
        findings.push(
            cx.finding(
                RULE.id,
                Level::Note,
                event,
                name.clone(),
                format!("{what} {name} is dropped: the previous release may read values that it never met"),
                "let new code write such values only when no instance of the previous release runs any more".into(),
            )
            .related(cx.created(birth)),
        );
    }
}

/// What came after the last release is missed by nobody; of a domain that no visible statement created nothing is known.
fn refused_null(cx: &Context<'_>, object: &TypeObject) -> bool {
    let before = cx.released.types.get(&object.id);
    before.is_none_or(|before| !before.known || insert::domain_refuses_null(cx.released, &DataType::user(object.id)))
}
