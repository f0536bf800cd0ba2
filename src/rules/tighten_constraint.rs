use super::shared::arbiter::{self, Arbiter};
use super::shared::{evaluation, implication};
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Change, Event};
use crate::catalog::name::qualified;
use crate::catalog::object::{Column, ColumnId, Constraint, ConstraintType, DomainConstraint, Relation, TypeKind, TypeObject};
use crate::expr::Expr;
use crate::finding::Level;
use crate::sql::names::quote_identifier;

pub const RULE: Rule =
    Rule { id: "tighten-constraint", family: Family::Contract, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        match &event.change {
            Change::ConstraintAdded { relation, constraint } if cx.older_table(relation) && constraint.enforced => {
                added(cx, event, relation, constraint, findings);
            }
            Change::ConstraintAltered { relation, constraint, to } if cx.older_table(relation) && cx.older(constraint.birth) => {
                let name = cx.part_label(relation, &constraint.name);
                let how = if constraint.deferrable && !to.deferrable {
                    "is no longer deferrable: statements of the previous release that break it until COMMIT fail at once"
                } else if !constraint.enforced && to.enforced {
                    "is enforced from now on: rows that the previous release writes may be refused"
                } else if constraint.initially_deferred && !to.initially_deferred {
                    "is checked at once unless a client defers it: statements of the previous release that break it until COMMIT fail"
                } else {
                    continue;
                };
                report(cx, event, Level::Warning, name.clone(), format!("{name} {how}"), findings);
            }
            Change::IndexCreated { relation, index, .. } if cx.older_table(relation) => {
                let Some(index) = cx.after.indexes.get(index).filter(|index| index.unique) else { continue };
                let Some(now) = cx.after.relation(relation.id) else { continue };
                let columns: Vec<_> = index.keys.iter().filter_map(|key| key.column).collect();
                let plain = columns.len() == index.keys.len();
                if arbiter::already_unique(cx.released, relation.id, None, &Arbiter::of_index(index))
                    || (plain && distinct_by_omission(cx, now, &columns, index.nulls_not_distinct))
                {
                    continue;
                }
                let name = qualified(&index.schema, &index.name);
                let message = format!("unique index {name} refuses duplicates that the previous release may write to {} (23505)", cx.label(relation));
                report(cx, event, Level::Warning, name, message, findings);
            }
            Change::DomainConstraintAdded { object, constraint } if cx.older(object.birth) => {
                domain(cx, event, object, constraint, findings);
            }
            _ => {}
        }
    }
}

fn added(cx: &Context<'_>, event: &Event, relation: &Relation, constraint: &Constraint, findings: &mut Findings) {
    let Some(now) = cx.after.relation(relation.id) else { return };
    // Dropped again in the same unit: it never refused anything.
    if !now.constraints.iter().any(|there| there.id == constraint.id) {
        return;
    }
    let name = cx.part_label(relation, &constraint.name);
    let table = cx.label(relation);
    let (level, message) = match &constraint.kind {
        ConstraintType::Check { expr, .. } => {
            let is_new = |column: &Column| !cx.older(column.birth);
            let old = checks_before(cx, relation);
            if old.iter().any(|old| implication::implies(old, expr))
                || evaluation::always_passes(expr, &evaluation::omitted_values(now, is_new))
            {
                return;
            }
            check_judged(&name, &format!("rows of {table}"), &old, expr)
        }
        ConstraintType::Unique { columns, index } | ConstraintType::PrimaryKey { columns, index } => {
            let mine = Arbiter::of_constraint(constraint);
            let mine = cx.after.indexes.get(index).map(|index| Arbiter::of_index(index)).or(mine);
            let nulls_not_distinct = cx.after.indexes.get(index).is_some_and(|index| index.nulls_not_distinct);
            if mine.is_some_and(|mine| arbiter::already_unique(cx.released, relation.id, None, &mine))
                || distinct_by_omission(cx, now, columns, nulls_not_distinct)
            {
                return;
            }
            (Level::Warning, format!("{name} refuses duplicates that the previous release may write to {table} (23505)"))
        }
        ConstraintType::Exclude { columns, .. } => {
            if distinct_by_omission(cx, now, columns, false) {
                return;
            }
            (Level::Warning, format!("{name} excludes rows that the previous release may write to {table} (23P01)"))
        }
        ConstraintType::ForeignKey { columns, references, .. } => {
            let known = cx.released_relation(relation.id).is_some_and(|before| {
                before.constraints.iter().any(|old| {
                    old.enforced
                        && matches!(&old.kind, ConstraintType::ForeignKey { columns: same, references: target, .. }
                            if same == columns && target == references)
                })
            });
            if known || unreferenced_by_omission(cx, now, columns) {
                return;
            }
            let target = cx.after.relation(*references).map(|r| cx.label(r)).unwrap_or_else(|| "the referenced table".into());
            (Level::Warning, format!("{name} refuses rows of {table} without a row in {target}, which the previous release may write (23503)"))
        }
        // Refusing NULL is a rule of its own.
        ConstraintType::NotNull { .. } => return,
    };
    report(cx, event, level, name, message, findings);
}

fn report(cx: &Context<'_>, event: &Event, level: Level, name: String, message: String, findings: &mut Findings) {
    findings.push(cx.finding(RULE.id, level, event, name, message, help()));
}

fn help() -> String {
    "release code that keeps to it before the server does, then add it in a later release, in a migration tagged `-- phase contract`; \
     NOT VALID spares old rows, not old writers"
        .into()
}

fn domain(cx: &Context<'_>, event: &Event, object: &TypeObject, constraint: &DomainConstraint, findings: &mut Findings) {
    let old: Vec<&Expr> = match cx.released.types.get(&object.id).map(|before| &before.kind) {
        Some(TypeKind::Domain { constraints, .. }) => constraints.iter().map(|constraint| &constraint.expr).collect(),
        _ => Vec::new(),
    };
    if old.iter().any(|old| implication::implies(old, &constraint.expr)) {
        return;
    }
    let domain = qualified(&object.schema, &object.name);
    let name = format!("{domain}.{}", quote_identifier(&constraint.name));
    let (level, message) = check_judged(&name, &format!("values of domain {domain}"), &old, &constraint.expr);
    findings.push(cx.finding(RULE.id, level, event, name, message, help()).also_about(domain));
}

/// A list of values that gets shorter is sure to refuse what old clients write.
fn check_judged(name: &str, what: &str, old: &[&Expr], new: &Expr) -> (Level, String) {
    match old.iter().find_map(|old| implication::narrowed(old, new).filter(|lost| !lost.is_empty())) {
        Some(lost) => {
            let lost: Vec<String> = lost.into_iter().map(spell).collect();
            let lost = super::shared::list(&lost);
            let message = format!(
                "CHECK {name} refuses {lost}, which the constraint it replaces lets pass and the previous release may write (23514)"
            );
            (Level::Error, message)
        }
        None => (Level::Warning, format!("CHECK {name} refuses {what} that the previous release may write (23514)")),
    }
}

/// CHECKs of the relation that the last release enforces: what old writers keep to.
fn checks_before<'a>(cx: &Context<'a>, relation: &Relation) -> Vec<&'a Expr> {
    let Some(before) = cx.released_relation(relation.id) else { return Vec::new() };
    let enforced = before.constraints.iter().filter(|constraint| constraint.enforced);
    enforced
        .filter_map(|constraint| match &constraint.kind {
            ConstraintType::Check { expr, .. } => Some(expr),
            _ => None,
        })
        .collect()
}

/// Old INSERTs leave NULL, or a value of its own for each row, in a column that they do not know: such rows never collide.
fn distinct_by_omission(cx: &Context<'_>, now: &Relation, columns: &[ColumnId], nulls_not_distinct: bool) -> bool {
    let new = columns.iter().filter_map(|id| now.column_by_id(*id)).filter(|column| !cx.older(column.birth));
    let mut omitted = new.map(|column| (evaluation::omitted(column), evaluation::differs_for_each_row(column)));
    omitted.any(|(value, differs)| differs || (value == evaluation::Value::Null && !nulls_not_distinct))
}

/// Old INSERTs leave NULL in a column of the foreign key, which then needs no row to refer to.
fn unreferenced_by_omission(cx: &Context<'_>, now: &Relation, columns: &[ColumnId]) -> bool {
    let mut new = columns.iter().filter_map(|id| now.column_by_id(*id)).filter(|column| !cx.older(column.birth));
    new.any(|column| evaluation::omitted(column) == evaluation::Value::Null)
}

fn spell(expr: &Expr) -> String {
    match expr {
        Expr::Str(text) => format!("'{text}'"),
        Expr::Int(value) => value.to_string(),
        Expr::Float(text) => text.clone(),
        Expr::Bool(value) => value.to_string(),
        _ => "a value".into(),
    }
}
