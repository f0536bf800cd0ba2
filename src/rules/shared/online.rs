//! Recipes: the same change without stopping anyone, from the statement's own text and the names that the server will use.

use super::running::{self, What};
use crate::catalog::Catalog;
use crate::catalog::change::Change;
use crate::catalog::name::{make_object_name, qualified};
use crate::catalog::object::{Column, Constraint, Id, Index, Relation, RelationKind};
use crate::catalog::work::Work;
use crate::expr::Expr;
use crate::finding::Level;
use crate::op::{AlterTable, AlterTableCommand, ColumnDef, ConstraintDef, Op, Span};
use crate::recipe::Recipe;
use crate::rules::{Context, Judged};
use crate::sql::lex::{self, Token, TokenKind};
use crate::sql::names::quote_identifier;

/// The text at a place of the unit's file, on one line and without comments.
pub fn text(cx: &Context<'_>, span: Span) -> String {
    let bytes = cx.migration.file.bytes.get(span.start..span.end).unwrap_or_default();
    one_line(&String::from_utf8_lossy(bytes))
}

fn one_line(text: &str) -> String {
    let mut line = String::new();
    for token in lex::tokens(text) {
        if !token.is_blank() {
            line.push_str(token.text(text));
        } else if !line.ends_with(' ') && !line.is_empty() {
            line.push(' ');
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// The statement at a place, which may be inside a DO block.
pub fn op<'a>(cx: &Context<'a>, statement: usize, span: Span) -> Option<&'a Op> {
    match running::at(&running::all(cx), statement, span)? {
        What::Op(op) => Some(op),
        What::Query(_) | What::Expr(_) | What::End => None,
    }
}

/// ALTER TABLE at a place.
pub fn alter_table<'a>(cx: &Context<'a>, statement: usize, span: Span) -> Option<&'a AlterTable> {
    match op(cx, statement, span)? {
        Op::AlterTable(alter) => Some(alter),
        _ => None,
    }
}

/// `schema.index`.
pub fn index_label(index: &Index) -> String {
    qualified(&index.schema, &index.name)
}

/// Statements that build an index without stopping writes: what a failed run left behind is cleared away first.
pub fn concurrently(index: &Index, unique: bool, on: &str, tail: &str) -> Vec<String> {
    let unique = if unique { "UNIQUE " } else { "" };
    vec![
        format!("DROP INDEX CONCURRENTLY IF EXISTS {}", index_label(index)),
        format!("CREATE {unique}INDEX CONCURRENTLY {} ON {on} {tail}", quote_identifier(&index.name)),
    ]
}

/// What stands behind the table's name in CREATE INDEX: `USING gin (a)`, `(a) WHERE b`.
pub fn index_tail(statement: &str) -> Option<String> {
    let tokens: Vec<Token> = lex::tokens(statement).filter(|token| !token.is_blank()).collect();
    let word = |token: &Token, wanted: &str| token.kind == TokenKind::Word && token.text(statement).eq_ignore_ascii_case(wanted);
    let mut at = tokens.iter().position(|token| word(token, "on"))? + 1;
    if tokens.get(at).is_some_and(|token| word(token, "only")) {
        at += 1;
    }
    at += 1;
    while tokens.get(at).is_some_and(|token| token.kind == TokenKind::Dot) {
        at += 2;
    }
    statement.get(tokens.get(at)?.span.start..).map(|tail| tail.trim().to_string())
}

/// Key columns (and INCLUDE) of an index, as CREATE INDEX takes them.
pub fn index_columns(relation: &Relation, index: &Index) -> Option<String> {
    let name = |id| relation.column_by_id(id).map(|column| quote_identifier(&column.name));
    let keys: Vec<String> = index.keys.iter().map(|key| key.column.and_then(name)).collect::<Option<_>>()?;
    let including: Vec<String> = index.including.iter().map(|id| name(*id)).collect::<Option<_>>()?;
    let mut text = format!("({})", keys.join(", "));
    if !including.is_empty() {
        text.push_str(&format!(" INCLUDE ({})", including.join(", ")));
    }
    if index.nulls_not_distinct {
        text.push_str(" NULLS NOT DISTINCT");
    }
    Some(text)
}

/// The constraint's own text without `CONSTRAINT name`.
pub fn constraint_text(cx: &Context<'_>, def: &ConstraintDef) -> Option<String> {
    let whole = text(cx, def.span);
    if def.name.is_none() {
        return Some(whole);
    }
    let tokens: Vec<Token> = lex::tokens(&whole).filter(|token| !token.is_blank()).collect();
    let named = tokens.first().is_some_and(|token| token.text(&whole).eq_ignore_ascii_case("constraint"));
    let start = if named { tokens.get(2)?.span.start } else { 0 };
    whole.get(start..).map(str::to_string)
}

/// A finding about an index that a change of type or collation builds anew, where it is unique as wanted.
pub fn built_anew(cx: &Context<'_>, rule: &'static str, work: &Work, index: Id, unique: bool) -> Option<Judged> {
    let index = cx.before.indexes.get(&index).filter(|index| index.unique == unique)?;
    let (name, table) = (index_label(index), cx.label(&work.relation));
    let message = format!(
        "the column's new type or collation builds {name} anew while ACCESS EXCLUSIVE stops all reads and writes of {table}, although no row \
         is rewritten"
    );
    let help = if index.constraint.is_some() {
        "add a second column that is as wanted, keep it in step by a trigger, build its index with CONCURRENTLY, and swap the two in a later release"
    } else {
        "drop the index with CONCURRENTLY in the migration before, and build it again with CONCURRENTLY in the one after"
    };
    Some(cx.finding(rule, Level::Error, work, name, message, help.into()).related(cx.created(index.birth)))
}

/// Adds a constraint that holds for new rows at once, and looks at the old ones in a migration of its own. `replaces`: one of that
/// name falls by the same statement.
pub fn not_valid(recipe: Recipe, table: &str, name: &str, constraint: &str, replaces: bool) -> Recipe {
    let name = quote_identifier(name);
    let dropped = if replaces { format!("DROP CONSTRAINT {name}, ") } else { String::new() };
    recipe
        .then(
            "new rows are checked from here on",
            [format!("ALTER TABLE {table} {dropped}ADD CONSTRAINT {name} {constraint} NOT VALID")],
        )
        .then("old rows are checked while everybody works", [format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}")])
}

/// The name that the event's statement gave a constraint of this relation.
pub fn added_constraint<'a>(
    cx: &Context<'a>,
    statement: usize,
    span: Span,
    relation: &Relation,
    fits: impl Fn(&Constraint) -> bool,
) -> Option<&'a Constraint> {
    cx.events.iter().filter(|event| event.statement == statement && event.span == span).find_map(|event| match &event.change {
        Change::ConstraintAdded { relation: on, constraint } if on.id == relation.id && fits(constraint) => Some(constraint),
        _ => None,
    })
}

/// The column definition's text without these of its constraints.
pub fn without(cx: &Context<'_>, column: &ColumnDef, constraints: &[&ConstraintDef]) -> String {
    let mut kept = String::new();
    let mut at = column.span.start;
    let mut cut: Vec<Span> = constraints.iter().map(|constraint| constraint.span).collect();
    cut.sort();
    for span in cut {
        kept.push_str(&text(cx, Span { start: at, end: span.start }));
        kept.push(' ');
        at = span.end;
    }
    kept.push_str(&text(cx, Span { start: at, end: column.span.end }));
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The column definition and its statement's position among the subcommands, by the column's name.
pub fn added_column<'a>(alter: &'a AlterTable, name: &str) -> Option<&'a ColumnDef> {
    alter.commands.iter().find_map(|command| match command {
        AlterTableCommand::AddColumn { column, .. } if column.name == name => Some(column),
        _ => None,
    })
}

/// A name for a helping constraint that says the column is not null, free in the table's schema.
pub fn not_null_name(catalog: &Catalog, relation: &Relation, column: &Column) -> String {
    let mut name = make_object_name(&relation.name, Some(&column.name), "not_null");
    let mut number = 0;
    while catalog.constraint_name_taken(&relation.schema, &name) {
        number += 1;
        name = make_object_name(&relation.name, Some(&column.name), &format!("not_null{number}"));
    }
    name
}

/// CHECK, VALIDATE, SET NOT NULL (which the valid CHECK spares the scan), DROP CHECK. `last` is what relies on it.
pub fn not_null(recipe: Recipe, table: &str, name: &str, columns: &[String], last: Vec<String>) -> Recipe {
    let all = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
    let name = quote_identifier(name);
    let mut end = last;
    end.push(format!("ALTER TABLE {table} DROP CONSTRAINT {name}"));
    recipe
        .then("new rows are checked from here on", [format!("ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({all}) NOT VALID")])
        .then("old rows are checked while everybody works", [format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}")])
        .then("the valid CHECK spares the scan", end)
}

/// Some column that a batch can be cut by: the primary key, where it is one column.
pub fn batch_key(relation: &Relation) -> Option<String> {
    let key = relation.primary_key()?;
    match key.kind.columns() {
        [only] => relation.column_by_id(*only).map(|column| quote_identifier(&column.name)),
        _ => None,
    }
}

/// One batch of a backfill, to be repeated until it changes no row.
pub fn backfill(relation: &Relation, table: &str, set: &str, wanting: &str) -> String {
    let key = batch_key(relation).unwrap_or_else(|| "ctid".into());
    format!("UPDATE {table} SET {set} WHERE {key} IN (SELECT {key} FROM {table} WHERE {wanting} LIMIT 10000)")
}

/// A constant as SQL; `None` for anything else.
pub fn constant(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Null => Some("NULL".into()),
        Expr::Bool(value) => Some(value.to_string()),
        Expr::Int(value) => Some(value.to_string()),
        Expr::Float(text) => Some(text.clone()),
        Expr::Str(text) => Some(format!("'{}'", text.replace('\'', "''"))),
        Expr::Operator { name, args } if name == "-" && args.len() == 1 => Some(format!("-{}", constant(&args[0])?)),
        _ => None,
    }
}

/// How the relation is called in sentences.
pub fn kind_word(relation: &Relation) -> &'static str {
    match relation.kind {
        RelationKind::MaterializedView => "materialized view",
        RelationKind::PartitionedTable => "partitioned table",
        _ => "table",
    }
}

/// Where a word stands outside of parentheses, in bytes.
pub fn top_level_word(text: &str, wanted: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for token in lex::tokens(text) {
        match token.text(text) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            word if depth == 0 && token.kind == TokenKind::Word && word.eq_ignore_ascii_case(wanted) => {
                return Some(token.span.start);
            }
            _ => {}
        }
    }
    None
}
