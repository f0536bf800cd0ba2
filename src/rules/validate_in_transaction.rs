use super::shared::held::Held;
use super::shared::running::{self, What};
use super::shared::online;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::{Cause, Change};
use crate::catalog::object::ConstraintType;
use crate::catalog::work::{Act, Scan, Work};
use crate::finding::{Level, Related};
use crate::op::{AlterTableCommand, ConstraintKind, Op};
use crate::recipe::Recipe;
use crate::sql::names::quote_identifier;

pub const RULE: Rule =
    Rule { id: "validate-in-transaction", family: Family::Blocking, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    let held = Held::of(cx);
    for event in cx.events.iter().filter(|event| event.cause == Cause::Direct) {
        let Change::ConstraintValidated { relation, constraint } = &event.change else { continue };
        let added = cx.earlier(event).iter().find(|earlier| {
            matches!(&earlier.change, Change::ConstraintAdded { constraint: added, .. } if added.id == constraint.id && !added.validated)
        });
        let Some(added) = added.filter(|added| held.lasts((added.statement, added.span), (event.statement, event.span))) else {
            continue;
        };
        if !cx.older_table(relation) {
            continue;
        }
        let (table, name) = (cx.label(relation), cx.part_label(relation, &constraint.name));
        let lock = match &constraint.kind {
            ConstraintType::ForeignKey { references, .. } => {
                let referenced = cx.after.relation(*references).map(|found| cx.label(found)).unwrap_or_default();
                format!("SHARE ROW EXCLUSIVE on {table} and {referenced}, which stops writes,")
            }
            _ => format!("ACCESS EXCLUSIVE on {table}, which stops reads and writes,"),
        };
        let validate = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {}", quote_identifier(&constraint.name));
        let together = (added.statement, added.span) == (event.statement, event.span);
        let help = if together {
            format!("leave it out here, and say it in the next migration:\n{validate};")
        } else {
            "end the migration before this, and make it the next one".to_string()
        };
        let message = format!("{name} is validated in the transaction that adds it: {lock} is held while every row is read");
        let mut judged = cx.finding(RULE.id, Level::Error, event, name.clone(), message, help);
        // A recipe stands in place of its statement, which adds the constraint too.
        if !together {
            let recipe = Recipe::new().then("old rows are checked while everybody works", [validate]);
            judged = judged.with_recipe(recipe, cx.opt_out());
        }
        findings.push(judged.related(Some(Related {
            path: cx.migration.file.path.clone(),
            span: added.span,
            message: format!("{name} is added here, and its lock kept"),
        })));
    }
    for work in cx.work {
        not_null(cx, &held, work, findings);
    }
}

/// NOT NULL as a constraint (18).
fn not_null(cx: &Context<'_>, held: &Held<'_>, work: &Work, findings: &mut Findings) {
    let Act::Scan(Scan::NotNull { column, validate: true }) = &work.act else { return };
    let Some(column) = work.relation.column_by_id(*column).filter(|_| cx.older_table(&work.relation)) else { return };
    let adds = |command: &AlterTableCommand| {
        matches!(command, AlterTableCommand::AddConstraint(def)
            if def.not_valid && matches!(&def.kind, ConstraintKind::NotNull { column: Some(name) } if *name == column.name))
    };
    let added = running::all(cx).into_iter().find(|running| match running.what {
        What::Op(Op::AlterTable(alter)) => {
            cx.after.resolve_relation(&alter.name) == Some(work.relation.id) && alter.commands.iter().any(adds)
        }
        _ => false,
    });
    let Some(added) = added.filter(|added| held.lasts((added.statement, added.span), (work.statement, work.span))) else { return };
    let (table, name) = (cx.label(&work.relation), cx.part_label(&work.relation, &column.name));
    let message = format!(
        "NOT NULL of {name} is validated in the transaction that adds it: ACCESS EXCLUSIVE on {table}, which stops reads and writes, is held \
         while every row is read"
    );
    let recipe = Recipe::new().then("old rows are checked while everybody works", [online::text(cx, work.span)]);
    let judged = cx
        .finding(RULE.id, Level::Error, work, name.clone(), message, "end the migration before this, and make it the next one".into())
        .with_recipe(recipe, cx.opt_out());
    findings.push(judged.related(Some(Related {
        path: cx.migration.file.path.clone(),
        span: added.span,
        message: format!("NOT NULL of {name} is added here, and its lock kept"),
    })));
}
