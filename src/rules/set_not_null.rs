use super::shared::{implication, insert};
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::name::qualified;
use crate::catalog::object::{Column, ConstraintType, Relation, TypeObject};
use crate::catalog::types::{BaseType, DataType};
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "set-not-null", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        match &event.change {
            Change::NotNullSet { relation, column } => {
                // ADD PRIMARY KEY sets its columns NOT NULL before it is there itself.
                let key = cx.same_command(event).find_map(|other| match &other.change {
                    Change::ConstraintAdded { relation: on, constraint }
                        if on.id == relation.id
                            && matches!(&constraint.kind, ConstraintType::PrimaryKey { columns, .. } if columns.contains(&column.id)) =>
                    {
                        Some(cx.part_label(relation, &constraint.name))
                    }
                    _ => None,
                });
                let how = if key.is_some() { "becomes part of the primary key and NOT NULL" } else { "is set NOT NULL" };
                if let Some(mut judged) = judge(cx, event, relation, column, how) {
                    judged.subjects.extend(key);
                    findings.push(judged);
                }
            }
            Change::ConstraintAdded { relation, constraint } => {
                for column in implication::not_null_by(relation, constraint) {
                    if let Some(judged) = judge(cx, event, relation, column, "must not be NULL from now on") {
                        findings.push(judged.also_about(cx.part_label(relation, &constraint.name)));
                    }
                }
            }
            Change::DomainNotNull { object, set: true } if cx.older(object.birth) => domain_judged(cx, event, object, findings),
            Change::DomainConstraintAdded { object, constraint }
                if cx.older(object.birth)
                    && !insert::domain_refuses_null(cx.released, &DataType::user(object.id))
                    && !implication::refuses_null(&constraint.expr).is_empty() =>
            {
                domain_judged(cx, event, object, findings);
            }
            _ => {}
        }
    }
}

/// `None` where old writers could not write NULL before either. Any enforced constraint counts, NOT VALID ones too.
fn judge(cx: &Context<'_>, event: &Event, relation: &Relation, column: &Column, how: &str) -> Option<Judged> {
    if !cx.older_table(relation) || !cx.older(column.birth) || implication::already_refuses_null(relation, column) {
        return None;
    }
    // What was refused before the release is no news, even if it is lifted for a moment.
    let earlier = cx.released_relation(relation.id).and_then(|old| Some((old, old.column_by_id(column.id)?)));
    if earlier.is_some_and(|(old, there)| implication::already_refuses_null(old, there)) {
        return None;
    }
    // Judged as it stands at the end of the unit, where the column is still there.
    let now = cx.after.relation(relation.id).and_then(|now| Some((now, now.column_by_id(column.id)?)));
    if now.is_some_and(|(now, there)| !implication::already_refuses_null(now, there)) {
        return None;
    }
    let name = cx.part_label(relation, &column.name);
    let judged = cx.finding(
        RULE.id,
        Level::Error,
        event,
        name.clone(),
        format!("{name} {how}: an INSERT or UPDATE of the previous release that leaves it NULL fails (23502, 23514)"),
        format!(
            "release code that always writes {name} (a default helps INSERTs that omit it), backfill the NULLs, then refuse NULL in a \
             later release, in a migration tagged `-- phase contract`"
        ),
    );
    Some(judged.related(cx.created(column.birth)))
}

fn domain_judged(cx: &Context<'_>, event: &Event, object: &TypeObject, findings: &mut Findings) {
    let name = qualified(&object.schema, &object.name);
    let used = cx.after.relations.values().flat_map(|relation| {
        relation
            .columns
            .iter()
            .filter(|column| column.data_type.base == BaseType::User(object.id))
            .map(|column| cx.part_label(relation, &column.name))
    });
    let used: Vec<String> = used.take(4).collect();
    let columns = if used.is_empty() { String::new() } else { format!(" in {}", super::shared::list(&used)) };
    findings.push(
        cx.finding(
            RULE.id,
            Level::Error,
            event,
            name.clone(),
            format!("domain {name} refuses NULL from now on: what the previous release writes as NULL{columns} fails (23502)"),
            format!("release code that never writes NULL into {name}, then refuse it in a later release, tagged `-- phase contract`"),
        )
        .related(cx.created(object.birth)),
    );
}
