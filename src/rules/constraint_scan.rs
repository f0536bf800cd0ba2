use super::shared::online;
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::catalog::object::{Constraint, ConstraintType, Relation, RelationKind};
use crate::catalog::work::{Act, Scan, Work};
use crate::finding::Level;
use crate::op::{AlterDomain, AlterTable, AlterTableCommand, ColumnDef, ConstraintDef, ConstraintKind, Op};
use crate::recipe::Recipe;
use crate::sql::names::quote_identifier;

pub const RULE: Rule = Rule { id: "constraint-scan", family: Family::Blocking, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for work in cx.work {
        let Act::Scan(scan) = &work.act else { continue };
        if !cx.older_relation(&work.relation) {
            continue;
        }
        match scan {
            Scan::Check { validate: false, constraint } | Scan::ForeignKey { validate: false, constraint, .. } => {
                let added = online::alter_table(cx, work.statement, work.span).and_then(|alter| find(cx, work, alter, constraint));
                match added {
                    Some(added) => findings.push(of_constraint(cx, work, &added)),
                    None => findings.push(checked_again(cx, work, constraint)),
                }
            }
            Scan::Domain { validate, .. } => findings.push(of_domain(cx, work, *validate)),
            Scan::Check { validate: true, .. }
            | Scan::ForeignKey { validate: true, .. }
            | Scan::NotNull { .. }
            | Scan::RequiredColumn { .. }
            | Scan::PartitionBound
            | Scan::DefaultPartition => {}
        }
    }
}

/// A constraint of the statement: what it says, and what became of it.
struct Added<'a> {
    def: &'a ConstraintDef,
    /// The new column in whose definition it stands.
    column: Option<&'a ColumnDef>,
    constraint: &'a Constraint,
    /// The table that the statement names.
    table: &'a Relation,
    /// The same statement drops one of that name.
    replaces: bool,
}

fn find<'a>(cx: &Context<'a>, work: &Work, alter: &'a AlterTable, name: &str) -> Option<Added<'a>> {
    let table = cx.after.resolve_relation(&alter.name).and_then(|id| cx.after.relation(id))?;
    let foreign = matches!(&work.act, Act::Scan(Scan::ForeignKey { .. }));
    let all = alter.commands.iter().flat_map(|command| match command {
        AlterTableCommand::AddConstraint(def) => vec![(None, def)],
        AlterTableCommand::AddColumn { column, .. } => column.constraints.iter().map(|def| (Some(column), def)).collect(),
        _ => Vec::new(),
    });
    let scanned = all.filter(|(_, def)| {
        let kind = match def.kind {
            ConstraintKind::Check(_) => !foreign,
            ConstraintKind::ForeignKey { .. } => foreign,
            _ => false,
        };
        kind && !def.not_valid && def.enforced && def.name.as_deref().unwrap_or_default() == name
    });
    let (column, def) = scanned.into_iter().next()?;
    let fits = |constraint: &Constraint| match (&constraint.kind, &def.kind) {
        (ConstraintType::Check { expr, .. }, ConstraintKind::Check(wanted)) => expr == wanted,
        (ConstraintType::ForeignKey { references, .. }, ConstraintKind::ForeignKey { references: wanted, .. }) => {
            cx.after.resolve_relation(wanted) == Some(*references)
        }
        _ => false,
    };
    let named = |constraint: &Constraint| def.name.as_ref().is_none_or(|name| *name == constraint.name);
    let constraint = online::added_constraint(cx, work.statement, work.span, table, |constraint| {
        fits(constraint) && named(constraint)
    })?;
    let replaces = alter.commands.iter().any(|command| {
        matches!(command, AlterTableCommand::DropConstraint { name, .. } if *name == constraint.name)
    });
    Some(Added { def, column, constraint, table, replaces })
}

fn of_constraint(cx: &Context<'_>, work: &Work, added: &Added<'_>) -> Judged {
    let Added { constraint, table, .. } = added;
    let label = cx.label(table);
    let name = cx.part_label(table, &constraint.name);
    let message = match &constraint.kind {
        ConstraintType::ForeignKey { references, .. } => {
            let referenced = cx.after.relation(*references).map(|found| cx.label(found)).unwrap_or_default();
            format!(
                "adding {name} looks at every row of {label} while SHARE ROW EXCLUSIVE on {label} and on {referenced} stops writes to both"
            )
        }
        _ => format!("adding {name} looks at every row of {label} while ACCESS EXCLUSIVE stops all reads and writes"),
    };
    let help = "add it NOT VALID, which looks at no row, and validate it in the next migration, which stops nobody";
    let judged = cx.finding(RULE.id, Level::Error, work, name, message, help.into()).related(cx.created(table.birth));
    match recipe(cx, added) {
        Some(recipe) => judged.with_recipe(recipe, cx.opt_out()),
        None => judged,
    }
}

fn recipe(cx: &Context<'_>, added: &Added<'_>) -> Option<Recipe> {
    let Added { def, column, constraint, table, replaces } = added;
    let foreign = matches!(constraint.kind, ConstraintType::ForeignKey { .. });
    if foreign && table.kind == RelationKind::PartitionedTable && cx.settings.postgres.unwrap_or_default().oldest < 18 {
        // Before 18 the server refuses it (42809).
        return None;
    }
    let label = cx.label(table);
    let mut recipe = Recipe::new();
    let mut text = online::constraint_text(cx, def)?;
    if let Some(column) = column {
        let definition = online::without(cx, column, &[def]);
        recipe = recipe.then("the column alone", [format!("ALTER TABLE {label} ADD COLUMN {definition}")]);
        if foreign {
            text = format!("FOREIGN KEY ({}) {text}", quote_identifier(&column.name));
        }
    }
    Some(online::not_valid(recipe, &label, &constraint.name, &text, *replaces))
}

/// A constraint that is there, and that a change of a column's type makes the server look at again.
fn checked_again(cx: &Context<'_>, work: &Work, constraint: &str) -> Judged {
    let table = cx.label(&work.relation);
    let name = if constraint.is_empty() { format!("a constraint of {table}") } else { cx.part_label(&work.relation, constraint) };
    let message = format!(
        "the change makes the server check {name} again, on every row of {table}, while ACCESS EXCLUSIVE stops all reads and writes"
    );
    let help = "drop the constraint in the migration before, add it again NOT VALID in this one, and validate it in the next";
    cx.finding(RULE.id, Level::Error, work, name, message, help.into()).related(cx.created(work.relation.birth))
}

fn of_domain(cx: &Context<'_>, work: &Work, validate: bool) -> Judged {
    let table = cx.label(&work.relation);
    let op = online::op(cx, work.statement, work.span);
    let domain = match op {
        Some(Op::AlterDomain { name, .. }) => cx.before.resolve_type(name).and_then(|id| cx.before.types.get(&id)),
        _ => None,
    };
    let domain_name = domain.map_or_else(
        || "the domain".to_string(),
        |domain| crate::catalog::name::qualified(&domain.schema, &domain.name),
    );
    let verb = if validate { "validating a constraint of" } else { "a new constraint of" };
    let message = format!(
        "{verb} {domain_name} looks at every row of {table}, which has a column of it, while SHARE stops writes to the table"
    );
    let help = match op {
        Some(Op::AlterDomain { change: AlterDomain::AddConstraint(_), .. }) => {
            "NOT VALID checks new values only and looks at no row; validating it later scans all the same, so leave it NOT VALID, or \
             give the columns a CHECK of their tables instead, which is validated without stopping writes"
        }
        _ => {
            "a CHECK of the table, added NOT VALID and validated in the next migration, does the same for one column without stopping \
             writes"
        }
    };
    cx.finding(RULE.id, Level::Error, work, table, message, help.into())
}
