use super::shared::online;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::object::RelationKind;
use crate::catalog::work::{Act, Scan};
use crate::finding::Level;
use crate::op::{AlterTableCommand, ConstraintKind};
use crate::recipe::Recipe;
use crate::sql::names::quote_identifier;

pub const RULE: Rule = Rule { id: "not-null-scan", family: Family::Blocking, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for work in cx.work {
        let Act::Scan(Scan::NotNull { column, validate: false }) = &work.act else { continue };
        if !cx.older_relation(&work.relation) || work.relation.kind == RelationKind::PartitionedTable {
            continue;
        }
        let Some(alter) = online::alter_table(cx, work.statement, work.span) else { continue };
        let Some(table) = cx.after.resolve_relation(&alter.name).and_then(|id| cx.after.relation(id)) else { continue };
        let Some(name) = cx.after.relation(work.relation.id).and_then(|r| r.column_by_id(*column)).map(|c| c.name.clone()) else {
            continue;
        };
        // A primary key that asks for it is `unique-build`'s.
        let sets = |command: &AlterTableCommand| match command {
            AlterTableCommand::SetNotNull { column } => *column == name,
            AlterTableCommand::AddConstraint(def) => {
                matches!(&def.kind, ConstraintKind::NotNull { column: Some(column) } if *column == name)
            }
            _ => false,
        };
        if !alter.commands.iter().any(sets) {
            continue;
        }
        let Some(there) = table.column(&name) else { continue };
        let (label, scanned) = (cx.label(table), cx.label(&work.relation));
        let message = format!(
            "SET NOT NULL on {} looks at every row of {scanned} while ACCESS EXCLUSIVE stops all reads and writes",
            cx.part_label(table, &name)
        );
        let column = quote_identifier(&name);
        let helper = online::not_null_name(cx.before, table, there);
        let newest_only = cx.settings.postgres.is_some_and(|versions| versions.oldest >= 18);
        let (help, recipe) = if newest_only {
            let constraint = quote_identifier(&helper);
            let recipe = Recipe::new()
                .then(
                    "new rows are checked from here on",
                    [format!("ALTER TABLE {label} ADD CONSTRAINT {constraint} NOT NULL {column} NOT VALID")],
                )
                .then(
                    "old rows are checked while everybody works",
                    [format!("ALTER TABLE {label} VALIDATE CONSTRAINT {constraint}")],
                );
            ("add it as a constraint that is NOT VALID, and validate that in the next migration, which stops nobody", recipe)
        } else {
            let set = format!("ALTER TABLE {label} ALTER COLUMN {column} SET NOT NULL");
            let recipe = online::not_null(Recipe::new(), &label, &helper, std::slice::from_ref(&column), vec![set]);
            ("let a CHECK prove it first: validated in a migration of its own it stops nobody, and SET NOT NULL then scans nothing", recipe)
        };
        let subject = cx.part_label(table, &name);
        findings.push(
            cx.finding(RULE.id, Level::Error, work, subject, message, help.into())
                .related(cx.created(table.birth))
                .with_recipe(recipe, cx.opt_out()),
        );
    }
}
