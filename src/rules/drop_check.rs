use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::name::qualified;
use crate::catalog::object::ConstraintType;
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
            Change::NotNullDropped { relation, column } if cx.older_table(relation) => {
                ("NOT NULL of", cx.part_label(relation, &column.name), column.birth)
            }
            Change::DomainConstraintDropped { object, constraint } if cx.older(object.birth) => {
                let name = format!("{}.{}", qualified(&object.schema, &object.name), quote_identifier(&constraint.name));
                ("CHECK", name, constraint.birth)
            }
            Change::DomainNotNull { object, set: false } => {
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
