use super::shared::privilege;
use super::{Check, Context, Family, Findings, Rule, shared};
use crate::catalog::change::Change;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "column-grants", family: Family::Contract, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let Change::ColumnAdded { relation, column } = &event.change else { continue };
        let Some(now) = cx.after.relation(relation.id) else { continue };
        if !cx.older_relation(relation) || now.column_by_id(column.id).is_none() {
            continue;
        }
        let known = cx.released_relation(relation.id).unwrap_or(relation);
        let mut roles: Vec<&str> = known
            .grants
            .iter()
            .filter(|(grantee, privilege, column)| {
                column.is_some() && privilege == "select" && !privilege::may(cx.after, grantee, now, "select")
            })
            .map(|(grantee, ..)| grantee.as_str())
            .filter(|role| !now.grants.iter().any(|(to, what, on)| to == role && what == "select" && on.as_ref() == Some(&column.name)))
            .collect();
        roles.sort_unstable();
        roles.dedup();
        if roles.is_empty() {
            continue;
        }
        let (table, name) = (cx.label(relation), cx.part_label(relation, &column.name));
        let roles = shared::list(&roles);
        findings.push(
            cx.finding(
                RULE.id,
                Level::Warning,
                event,
                name.clone(),
                format!("{roles} may read only single columns of {table}: with {name} there its SELECT * fails (42501)"),
                format!(
                    "in the same transaction: GRANT SELECT ({}) ON {table} TO {roles}",
                    crate::sql::names::quote_identifier(&column.name)
                ),
            )
            .related(cx.created(relation.birth)),
        );
    }
}
