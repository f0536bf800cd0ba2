use super::shared::insert;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::name::qualified;
use crate::catalog::types::BaseType;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "drop-default", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        let (relation, column) = match &event.change {
            Change::DefaultDropped { relation, column } => (relation, column),
            Change::DefaultSet { relation, column, to } if insert::is_null(to) => (relation, column),
            Change::DomainDefault { object, set: false } if cx.older(object.birth) => {
                let name = qualified(&object.schema, &object.name);
                let base = BaseType::User(object.id);
                let required = cx.after.columns_of_type(&base).into_iter().find_map(|(table, column)| {
                    let table = cx.after.relation(table).filter(|table| cx.older_table(table))?;
                    let column = table.column_by_id(column)?;
                    insert::needs_value(cx.after, table, column).then(|| cx.part_label(table, &column.name))
                });
                let (level, what) = match required {
                    Some(column) => (Level::Error, format!("an old INSERT that omits {column}, which is NOT NULL, fails (23502)")),
                    None => (Level::Warning, "an old INSERT that omits a column of it writes NULL".to_string()),
                };
                findings.push(
                    cx.finding(
                        RULE.id,
                        level,
                        event,
                        name.clone(),
                        format!("the default of domain {name} is dropped: {what}"),
                        format!("give the columns of {name} defaults of their own first"),
                    )
                    .related(cx.created(object.birth)),
                );
                continue;
            }
            _ => continue,
        };
        // Judged as it stands at the end: a default, an identity or a DROP COLUMN that follows makes this a step in between.
        let Some((now, there)) = cx.after.relation(relation.id).and_then(|r| Some((r, r.column_by_id(column.id)?))) else { continue };
        // A default that came after the last release is missed by nobody.
        let known = cx.released_column(relation.id, column.id).unwrap_or(column);
        let had = known.default.as_ref().is_some_and(|default| !insert::is_null(default)) || !relation.known;
        let filled = there.identity.is_some() || there.generated.is_some() || insert::has_default(cx.after, there);
        if !cx.older_table(relation) || !cx.older(column.birth) || !had || filled {
            continue;
        }
        let name = cx.part_label(relation, &column.name);
        let (level, message) = if insert::needs_value(cx.after, now, there) {
            (Level::Error, format!("the default of {name} is dropped, and it is NOT NULL: an old INSERT that omits it fails (23502)"))
        } else {
            (Level::Warning, format!("the default of {name} is dropped: an old INSERT that omits it now writes NULL"))
        };
        findings.push(
            cx.finding(
                RULE.id,
                level,
                event,
                name.clone(),
                message,
                format!("release code that always writes {name}, then drop the default in a later release, tagged `-- phase contract`"),
            )
            .related(cx.created(column.birth)),
        );
    }
}
