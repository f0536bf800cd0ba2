use super::shared::outside::{acts, is_alone, records, refusing};
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::catalog::again::{self, Outcome, Repeated};
use crate::finding::{Level, Related};
use crate::op::{AlterTableCommand, ConstraintKind, ObjectName, Op};
use crate::source::Wrapping;
use crate::source::layouts::{self, Late};
use crate::sql::names::quote_identifier;

pub const RULE: Rule = Rule { id: "not-rerunnable", family: Family::Retry, level: Level::Note, check: Check::Unit(check) };

/// Other statements of the unit that are named beside the first.
const MOST_RELATED: usize = 5;

/// Once per unit, at the first such statement: what mends one as a rule mends all, a transaction.
fn check(cx: &Context<'_>, findings: &mut Findings) {
    let mut repeated = again::second_run(cx.before, cx.after, cx.parsed);
    // What was rolled back is not there the second time either.
    repeated.retain(|one| cx.circumstances.get(one.statement).is_some_and(|circumstances| !circumstances.rolled_back));
    let recorded = |statement: usize| {
        let statement = cx.parsed.statements.get(statement).and_then(|statement| statement.outcome.as_ref().ok());
        statement.is_some_and(|statement| records(&statement.op))
    };
    repeated.retain(|one| !recorded(one.statement));
    repeated.dedup_by_key(|one| (one.statement, one.span));
    let alone: Vec<Repeated> = repeated.iter().copied().filter(|one| is_outside(cx, one.statement)).collect();
    let several = cx.parsed.statements.iter().enumerate().filter(|(at, statement)| {
        statement.outcome.as_ref().is_ok_and(|parsed| acts(cx, *at, &parsed.op))
    });
    let several = several.count() > 1;
    let runs_again = layouts::named(&cx.history.layout).is_some_and(|layout| layout.late(cx.migration) == Late::Repeated);
    let (level, told) = match (alone.is_empty(), several) {
        (true, _) if runs_again => (Level::Warning, &repeated),
        (true, _) => (Level::Note, &repeated),
        (false, false) => (Level::Warning, &alone),
        (false, true) => (Level::Error, &alone),
    };
    let Some(first) = told.first() else { return };
    let what = match first.outcome {
        Outcome::Fails(sqlstate) => format!("a second run of this statement fails ({sqlstate})"),
        Outcome::Twice(what) => format!("a second run of this statement succeeds: {what}"),
    };
    let more = match told.len() {
        1 => String::new(),
        2 => ", and one more of this migration does not bear it either".to_string(),
        count => format!(", and {} more of this migration do not bear it either", count - 1),
    };
    let when = match level {
        Level::Error => "; no transaction is around it, so that a stop at any later statement leaves it done and the migration to be run again",
        Level::Warning if runs_again => "; its runner runs this migration again whenever its text changes",
        Level::Warning => "; no transaction is around it, so that a stop before the runner has recorded it leaves it done and the migration to be run again",
        Level::Note | Level::Off => "; it runs in a transaction, so that this matters only where somebody runs it by hand or the record is lost",
    };
    let statement = cx.parsed.statements.get(first.statement).and_then(|statement| statement.outcome.as_ref().ok());
    let guard = statement.map_or_else(|| "guard it".to_string(), |statement| guard(&statement.op));
    let help = if is_outside(cx, first.statement) && several { format!("{guard}; or put the migration into one transaction") } else { guard };
    let mut finding = cx.finding_at(RULE.id, level, Some(first.statement), first.span, format!("{what}{more}{when}"), help);
    finding.related.extend(told.iter().skip(1).take(MOST_RELATED).map(|one| Related {
        path: cx.migration.file.path.clone(),
        span: one.span,
        message: "this too".into(),
    }));
    findings.push(Judged { finding, subjects: Vec::new() });
}

/// No transaction is around the statement. One that a runner sends alone because its file has no other is as good as in one, unless
/// it is done in several.
fn is_outside(cx: &Context<'_>, statement: usize) -> bool {
    let refuses = || {
        let statement = cx.parsed.statements.get(statement).and_then(|statement| statement.outcome.as_ref().ok());
        statement.is_some_and(|statement| refusing(cx, &statement.op).is_some())
    };
    is_alone(cx, statement) && (cx.migration.wrapping != Wrapping::Batch || refuses())
}

/// What makes a statement bear a second run.
fn guard(op: &Op) -> String {
    match op {
        Op::CreateTable(create) => format!("write CREATE TABLE IF NOT EXISTS {}", create.name),
        Op::CreateTableAs(create) => format!("write IF NOT EXISTS before {}", create.name),
        Op::CreateSchema { name, .. } => format!("write CREATE SCHEMA IF NOT EXISTS {}", quote_identifier(name)),
        Op::CreateSequence { name: sequence, .. } => format!("write CREATE SEQUENCE IF NOT EXISTS {}", sequence),
        Op::CreateExtension { name, .. } => format!("write CREATE EXTENSION IF NOT EXISTS {}", quote_identifier(name)),
        Op::CreateView(create) => format!("write CREATE OR REPLACE VIEW {}, or DROP VIEW IF EXISTS {} before it", create.name, create.name),
        Op::CreateRoutine(create) => format!("write CREATE OR REPLACE for {}", create.name),
        Op::CreateTrigger(create) => format!(
            "write CREATE OR REPLACE TRIGGER {}, or DROP TRIGGER IF EXISTS {} ON {} before it",
            quote_identifier(&create.name),
            quote_identifier(&create.name),
            create.relation
        ),
        Op::CreatePolicy(policy) => {
            format!("write DROP POLICY IF EXISTS {} ON {} before it", quote_identifier(&policy.name), policy.relation)
        }
        Op::CreateIndex(create) => match &create.name {
            Some(index) => {
                let schema = create.relation.schema.clone();
                let index = ObjectName { schema, name: index.clone() };
                let word = if create.concurrently { "CONCURRENTLY " } else { "" };
                format!("write DROP INDEX {word}IF EXISTS {index} before it")
            }
            None => "give the index a name, and drop it IF EXISTS before".into(),
        },
        Op::CreateType { name: created, .. } | Op::CreateDomain { name: created, .. } => format!(
            "write it into DO $$ BEGIN … EXCEPTION WHEN duplicate_object THEN NULL; END $$, since CREATE TYPE {} has no IF NOT EXISTS",
            created
        ),
        Op::CreateRole { name, .. } => format!(
            "write it into DO $$ BEGIN … EXCEPTION WHEN duplicate_object THEN NULL; END $$, since CREATE ROLE {} has no IF NOT EXISTS",
            quote_identifier(name)
        ),
        Op::AlterEnum { .. } => "write ADD VALUE IF NOT EXISTS".into(),
        Op::Drop { .. } => "write IF EXISTS".into(),
        Op::Dml(_) | Op::Copy { .. } => "write ON CONFLICT DO NOTHING, or a condition that a second run does not meet".into(),
        Op::AlterTable(alter) => alter_guard(&alter.name.to_string(), &alter.commands),
        _ => "write it into a DO block that looks first whether it is done".into(),
    }
}

fn alter_guard(table: &str, commands: &[AlterTableCommand]) -> String {
    commands
        .iter()
        .find_map(|command| match command {
            AlterTableCommand::AddColumn { column, .. } => Some(format!("write ADD COLUMN IF NOT EXISTS {}", quote_identifier(&column.name))),
            AlterTableCommand::DropColumn { name, .. } => Some(format!("write DROP COLUMN IF EXISTS {}", quote_identifier(name))),
            AlterTableCommand::DropConstraint { name, .. } => Some(format!("write DROP CONSTRAINT IF EXISTS {}", quote_identifier(name))),
            AlterTableCommand::AddConstraint(constraint) => Some(match (&constraint.name, &constraint.kind) {
                (None, ConstraintKind::PrimaryKey { .. }) => "look in pg_constraint whether the table has a key, in a DO block".into(),
                (None, _) => "give the constraint a name, and drop it IF EXISTS before".into(),
                (Some(constraint), _) => {
                    format!("write ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {} before it", quote_identifier(constraint))
                }
            }),
            _ => None,
        })
        .unwrap_or_else(|| "write it into a DO block that looks first whether it is done".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guard_of_an_index_is_in_the_schema_of_its_table() {
        let sql = "CREATE INDEX CONCURRENTLY i ON app.t (a);";
        let found = crate::rules::testing::judged(&["CREATE SCHEMA app; CREATE TABLE app.t (a int);", sql], crate::config::Settings::default());
        let help = found.iter().find(|finding| finding.rule == RULE.id).map(|finding| finding.help.clone());
        assert_eq!(help.as_deref(), Some("write DROP INDEX CONCURRENTLY IF EXISTS app.i before it"));
    }

    /// Each run on PostgreSQL 15, 17 and 18: whether a handler for `duplicate_object` catches what a second run raises.
    #[test]
    fn handlers_name_what_the_kind_of_object_raises() {
        let table = "CREATE TABLE t (a int, b int PRIMARY KEY);";
        for (statement, condition) in [
            ("CREATE TYPE x AS ENUM (''a'')", "duplicate_object"),
            ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)", "duplicate_object"),
            ("CREATE POLICY p ON t", "duplicate_object"),
            ("CREATE ROLE r", "duplicate_object"),
            ("CREATE TABLE u (a int)", "duplicate_table"),
            ("CREATE INDEX i ON t (a)", "duplicate_table"),
            ("CREATE VIEW v AS SELECT 1", "duplicate_table"),
            ("CREATE SEQUENCE s", "duplicate_table"),
            ("ALTER TABLE t ADD CONSTRAINT c UNIQUE (a)", "duplicate_table"),
            ("ALTER TABLE t ADD COLUMN c int", "duplicate_column"),
            ("CREATE SCHEMA s", "duplicate_schema"),
            ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''SELECT 1''", "duplicate_function"),
        ] {
            let statement = statement.replace("''", "'");
            for (handler, caught) in [(condition, true), ("undefined_table", false)] {
                let block = format!("DO $x$ BEGIN {statement}; EXCEPTION WHEN {handler} THEN NULL; END $x$;");
                let found = crate::rules::testing::judged(&[table, &block], crate::config::Settings::default());
                assert_eq!(!found.iter().any(|finding| finding.rule == RULE.id), caught, "{block}");
            }
        }
    }
}
