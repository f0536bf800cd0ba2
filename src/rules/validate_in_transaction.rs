use super::shared::held::Held;
use super::shared::running::{self, Running, What};
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::catalog::change::{Cause, Change};
use crate::catalog::name::make_object_name;
use crate::catalog::object::{ConstraintType, Relation};
use crate::finding::{Level, Related};
use crate::op::{AlterTableCommand, ConstraintKind, Op, Span};
use crate::recipe::Recipe;
use crate::sql::names::quote_identifier;
use std::sync::Arc;

pub const RULE: Rule =
    Rule { id: "validate-in-transaction", family: Family::Blocking, level: Level::Error, check: Check::Unit(check) };

/// Statement (from 0) and its span, or that of the one inside a body.
type Place = (usize, Span);

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
        let table = cx.label(relation);
        let lock = match &constraint.kind {
            ConstraintType::ForeignKey { references, .. } => {
                let referenced = cx.after.relation(*references).map(|found| cx.label(found)).unwrap_or_default();
                format!("SHARE ROW EXCLUSIVE on {table} and {referenced}, which stops writes,")
            }
            _ => format!("ACCESS EXCLUSIVE on {table}, which stops reads and writes,"),
        };
        let places = ((added.statement, added.span), (event.statement, event.span));
        judged(cx, relation, &constraint.name, &lock, places).into_iter().for_each(|judged| findings.push(judged));
    }
    not_null(cx, &held, findings);
}

/// NOT NULL as a constraint (18): the catalog knows the column by it and keeps no object.
fn not_null(cx: &Context<'_>, held: &Held<'_>, findings: &mut Findings) {
    let running = running::all(cx);
    let mut added: Vec<(Arc<Relation>, String, Place)> = Vec::new();
    for (one, command) in running.iter().flat_map(|one| commands(one).iter().map(move |command| (one, command))) {
        let place = (one.statement, one.span);
        let What::Op(Op::AlterTable(alter)) = one.what else { continue };
        let Some(table) = one.relation(cx, &alter.name) else { continue };
        match command {
            AlterTableCommand::AddConstraint(def) if def.not_valid => {
                let ConstraintKind::NotNull { column: Some(column) } = &def.kind else { continue };
                let name = def.name.clone().unwrap_or_else(|| make_object_name(&table.name, Some(column), "not_null"));
                added.push((table, name, place));
            }
            AlterTableCommand::ValidateConstraint { name } => {
                let before = added.iter().find(|(on, known, at)| on.id == table.id && known == name && held.lasts(*at, place));
                let lock = format!("ACCESS EXCLUSIVE on {}, which stops reads and writes,", cx.label(&table));
                if let Some((_, _, at)) = before {
                    judged(cx, &table, name, &lock, (*at, place)).into_iter().for_each(|judged| findings.push(judged));
                }
            }
            _ => {}
        }
    }
}

fn commands<'a>(one: &Running<'a>) -> &'a [AlterTableCommand] {
    match one.what {
        What::Op(Op::AlterTable(alter)) => &alter.commands,
        _ => &[],
    }
}

fn judged(cx: &Context<'_>, relation: &Relation, constraint: &str, lock: &str, (added, place): (Place, Place)) -> Option<Judged> {
    if !cx.older_table(relation) {
        return None;
    }
    let (table, name) = (cx.label(relation), cx.part_label(relation, constraint));
    let validate = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {}", quote_identifier(constraint));
    let recipe = Recipe::new().then("old rows are checked while everybody works", [validate]);
    let finding = cx.finding_at(
        RULE.id,
        Level::Error,
        Some(place.0),
        place.1,
        format!("{name} is validated in the transaction that adds it: {lock} is held while every row is read"),
        "end the migration before this, and make it the next one".into(),
    );
    let judged = Judged { finding, subjects: vec![name.clone()] }.with_recipe(recipe, cx.opt_out());
    Some(judged.related(Some(Related {
        path: cx.migration.file.path.clone(),
        span: added.1,
        message: format!("{name} is added here, and its lock kept"),
    })))
}
