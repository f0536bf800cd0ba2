use super::shared::online;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::object::{Column, Constraint, ConstraintType, Id, Relation, RelationKind};
use crate::catalog::work::{Act, Build, Scan, Work};
use crate::finding::Level;
use crate::op::{AlterTableCommand, ConstraintKind};
use crate::recipe::Recipe;
use crate::sql::names::quote_identifier;
use std::collections::BTreeSet;

pub const RULE: Rule = Rule { id: "unique-build", family: Family::Blocking, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    let mut seen: BTreeSet<(usize, usize, Id)> = BTreeSet::new();
    for work in cx.work {
        if let Act::Build(Build::Retype { index }) = &work.act
            && cx.older_relation(&work.relation)
            && let Some(judged) = online::built_anew(cx, RULE.id, work, *index, true)
        {
            findings.push(judged);
        }
        let built = matches!(work.act, Act::Build(Build::Constraint));
        if !(built || is_key_scan(cx, work)) || !cx.older_relation(&work.relation) {
            continue;
        }
        let Some(alter) = online::alter_table(cx, work.statement, work.span) else { continue };
        let Some(table) = cx.after.resolve_relation(&alter.name).and_then(|id| cx.after.relation(id)) else { continue };
        for event in cx.events.iter().filter(|event| event.statement == work.statement && event.span == work.span) {
            let crate::catalog::change::Change::ConstraintAdded { relation, constraint } = &event.change else { continue };
            let index = constraint.kind.index().and_then(|id| cx.after.indexes.get(&id));
            if relation.id != table.id || index.is_none() || !seen.insert((work.statement, work.span.start, constraint.id)) {
                continue;
            }
            one(cx, findings, work, table, constraint, built);
        }
    }
}

/// ADD PRIMARY KEY USING INDEX over nullable columns builds nothing, and scans.
fn is_key_scan(cx: &Context<'_>, work: &Work) -> bool {
    let uses_index = |command: &AlterTableCommand| {
        matches!(command, AlterTableCommand::AddConstraint(def)
            if matches!(&def.kind, ConstraintKind::PrimaryKey { using_index: Some(_), .. }))
    };
    matches!(work.act, Act::Scan(Scan::NotNull { validate: false, .. }))
        && online::alter_table(cx, work.statement, work.span).is_some_and(|alter| alter.commands.iter().any(uses_index))
}

fn one(cx: &Context<'_>, findings: &mut Findings, work: &Work, table: &Relation, constraint: &Constraint, built: bool) {
    let label = cx.label(table);
    let name = cx.part_label(table, &constraint.name);
    let message = if built {
        format!("adding {name} builds its index while ACCESS EXCLUSIVE stops all reads and writes of {label}")
    } else {
        format!("adding {name} looks at every row of {label} for NULLs while ACCESS EXCLUSIVE stops all reads and writes")
    };
    let help = match constraint.kind {
        ConstraintType::Exclude { .. } => {
            "an EXCLUDE constraint cannot take over an index that is there: make it on a new table and move the rows, or add it while \
             nobody needs the table"
        }
        _ if table.kind == RelationKind::PartitionedTable => {
            "a partitioned table takes no constraint over an index that is there: add it ON ONLY the parent, build an index of each \
             partition with CONCURRENTLY, make it that partition's constraint, and attach it to the parent's index"
        }
        _ => "build the index with CONCURRENTLY and hand it to the constraint, which then takes a moment",
    };
    let judged =
        cx.finding(RULE.id, Level::Error, work, name, message, help.into()).related(cx.created(table.birth));
    findings.push(match recipe(cx, work, table, constraint, built) {
        Some(recipe) => judged.with_recipe(recipe, cx.opt_out()),
        None => judged,
    });
}

fn recipe(cx: &Context<'_>, work: &Work, table: &Relation, constraint: &Constraint, built: bool) -> Option<Recipe> {
    if table.kind == RelationKind::PartitionedTable {
        return None;
    }
    let word = match constraint.kind {
        ConstraintType::Unique { .. } => "UNIQUE",
        ConstraintType::PrimaryKey { .. } => "PRIMARY KEY",
        _ => return None,
    };
    let label = cx.label(table);
    let index = cx.after.indexes.get(&constraint.kind.index()?)?;
    let mut recipe = Recipe::new();
    let alter = online::alter_table(cx, work.statement, work.span)?;
    let first = constraint.kind.columns().first().and_then(|id| table.column_by_id(*id))?;
    if let Some(column) = online::added_column(alter, &first.name) {
        if word == "PRIMARY KEY" {
            // It would have to be filled first: what with, only its author knows.
            return None;
        }
        let own: Vec<_> = column
            .constraints
            .iter()
            .filter(|def| matches!(def.kind, ConstraintKind::Unique { .. } | ConstraintKind::PrimaryKey { .. }))
            .collect();
        let definition = online::without(cx, column, &own);
        recipe = recipe.then("the column alone", [format!("ALTER TABLE {label} ADD COLUMN {definition}")]);
    }
    if built {
        let columns = online::index_columns(table, index)?;
        recipe = recipe
            .then_outside("nobody waits while the index is built", online::concurrently(index, true, &label, &columns));
    }
    let mut deferral = String::new();
    if constraint.deferrable {
        deferral = if constraint.initially_deferred { " DEFERRABLE INITIALLY DEFERRED".into() } else { " DEFERRABLE".into() };
    }
    let name = quote_identifier(&constraint.name);
    let adopt = format!("ALTER TABLE {label} ADD CONSTRAINT {name} {word} USING INDEX {}{deferral}", quote_identifier(&index.name));
    let nullable = nullable_before(cx, table, constraint);
    if word == "PRIMARY KEY" && !nullable.is_empty() {
        let helper = online::not_null_name(cx.before, table, nullable.first()?);
        let names: Vec<String> = nullable.iter().map(|column| quote_identifier(&column.name)).collect();
        return Some(online::not_null(recipe, &label, &helper, &names, vec![adopt]));
    }
    Some(recipe.then("takes a moment", [adopt]))
}

/// Columns of a primary key that may hold NULL until then.
fn nullable_before<'a>(cx: &Context<'a>, table: &Relation, constraint: &Constraint) -> Vec<&'a Column> {
    let Some(before) = cx.before.relation(table.id) else { return Vec::new() };
    let columns = constraint.kind.columns().iter().filter_map(|id| before.column_by_id(*id));
    columns.filter(|column| !column.not_null).collect()
}
