use super::shared::total_expression::cannot_fail;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::name::qualified;
use crate::catalog::object::Relation;
use crate::expr::Expr;
use crate::finding::Level;
use crate::op::GeneratedKind;

pub const RULE: Rule =
    Rule { id: "computed-tightens", family: Family::Contract, level: Level::Warning, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.direct() {
        let (relation, what, name, failing) = match &event.change {
            Change::IndexCreated { relation, index, .. } => {
                let Some(index) = cx.after.indexes.get(index) else { continue };
                let parts = index.keys.iter().filter_map(|key| key.element.expr.as_ref()).chain(index.predicate.as_ref());
                let failing = parts.filter(|expr| reads_older(cx, relation, expr)).any(|expr| !cannot_fail(expr));
                (relation, "index", qualified(&index.schema, &index.name), failing)
            }
            Change::ColumnAdded { relation, column } => {
                let Some((GeneratedKind::Stored, expr)) = &column.generated else { continue };
                let failing = reads_older(cx, relation, expr) && !cannot_fail(expr);
                (relation, "stored column", cx.part_label(relation, &column.name), failing)
            }
            _ => continue,
        };
        if !failing || !cx.older_table(relation) {
            continue;
        }
        let table = cx.label(relation);
        findings.push(
            cx.finding(
                RULE.id,
                Level::Warning,
                event,
                name.clone(),
                format!("{what} {name} computes an expression over older columns of {table}: a row of the previous release for which it raises an error is refused"),
                "use an expression that gives NULL instead of an error (CASE, a function that catches it), or make sure that no release writes such rows".into(),
            )
            .related(cx.created(relation.birth)),
        );
    }
}

fn reads_older(cx: &Context<'_>, relation: &Relation, expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |inner| {
        if let Expr::Column(path) = inner {
            let column = path.last().and_then(|name| relation.column(name));
            found |= column.is_some_and(|column| cx.older(column.birth));
        }
    });
    found
}
