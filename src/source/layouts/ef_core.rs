//! EF Core's idempotent script: one `.sql` in which every statement stands in a block
//! `DO $EF$ BEGIN IF NOT EXISTS(SELECT 1 FROM "__EFMigrationsHistory" WHERE "MigrationId" = '…') THEN … END IF; END $EF$;`.
//!
//! A unit is a MigrationId: consecutive blocks with the same id. Older scripts quote with `$$`; the history table may be renamed,
//! schema-qualified or in snake case, so it is the column that is looked for. Order: as written. Transaction: the script's own
//! START TRANSACTION and COMMIT, which belong to the unit they surround; a script without them runs statement by statement.
//! What stands before the first block (the history table) belongs to the first unit. A MigrationId that an earlier script holds
//! already is skipped: its guard would skip it.

use super::{Claim, Late, Layout, OptOut, Reading, Step, Strength};
use crate::op::Span;
use crate::source::directory::{Directory, FileEntry};
use crate::source::script::{self, Chunk};
use crate::source::{Migration, UnitKind, Wrapping};
use crate::sql::lex::{self, Token, TokenKind};
use std::collections::BTreeSet;
use std::sync::Arc;

pub struct EfCore;

impl Layout for EfCore {
    fn name(&self) -> &'static str {
        "ef-core"
    }

    fn marks(&self) -> &'static str {
        "a script whose DO blocks ask a history table for a \"MigrationId\""
    }

    fn file_names(&self) -> &'static str {
        "a script with `IF NOT EXISTS(SELECT 1 FROM \"__EFMigrationsHistory\" WHERE \"MigrationId\" = '…')`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Explicit
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Elsewhere(
            "write `migrationBuilder.Sql(…, suppressTransaction: true)`, and take it out of the idempotent script's DO block",
        )
    }

    /// The script asks for each migration whether it is in the table.
    fn late(&self, _: &Migration) -> Late {
        Late::Applied
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let scripts: Vec<&FileEntry> = directory.files.iter().filter(|f| f.is_sql() && is_guarded(f)).collect();
        let first = scripts.first()?;
        Some(Claim {
            strength: Strength::Content,
            evidence: format!("the blocks of {} ask for a MigrationId", first.name),
            files: scripts.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        let mut seen = BTreeSet::new();
        for entry in directory.files.iter().filter(|f| f.is_sql()) {
            let before = seen.clone();
            let Some(steps) = self.read_script(entry) else {
                reading.skip(entry, "no block in it asks a history table for a MigrationId");
                continue;
            };
            for step in steps {
                if before.contains(&step.id) {
                    reading.skip(entry, &format!("{} is in an earlier script; its guard skips it here", step.id));
                } else {
                    seen.insert(step.id.clone());
                    reading.steps.push(step);
                }
            }
        }
        reading
    }

    fn read_script(&self, script: &FileEntry) -> Option<Vec<Step>> {
        let text = script.text().filter(|_| script.failure().is_none())?;
        let units = units(text, script.source().body());
        (!units.is_empty()).then(|| {
            units
                .into_iter()
                .map(|unit| Step {
                    id: unit.id,
                    version: None,
                    down: None,
                    file: Arc::clone(script.source()),
                    parts: vec![unit.span],
                    tag_regions: unit.tag_regions,
                    wrapping: if unit.in_transaction { Wrapping::Explicit } else { Wrapping::None },
                    kind: UnitKind::Sql,
                })
                .collect()
        })
    }
}

fn is_guarded(entry: &FileEntry) -> bool {
    // Looking for the column's name first keeps large files of other kinds from being cut into statements.
    let Some(text) = entry.text() else { return false };
    ["MigrationId", "migration_id"].iter().any(|column| text.contains(column)) && !units(text, entry.source().body()).is_empty()
}

#[derive(Debug)]
struct Unit {
    id: String,
    span: Span,
    tag_regions: Vec<Span>,
    in_transaction: bool,
}

fn units(text: &str, body: Span) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut in_transaction = false;
    // Where a statement begins that belongs to the unit still to come.
    let mut pending: Option<usize> = None;
    for chunk in script::chunks(text, body) {
        let guard = migration_id(text, &chunk);
        match (guard, units.last_mut()) {
            (Some(id), Some(unit)) if unit.id == id && pending.is_none() => unit.span.end = chunk.whole.end,
            (Some(id), _) => {
                let is_first = units.is_empty();
                let start = pending.take().unwrap_or(chunk.whole.start);
                let span = Span { start, end: chunk.whole.end };
                // The history table before the first block is not what the unit is about: a tag may stand on either side of it.
                let tag_regions = if is_first {
                    vec![Span { start, end: first_token(text, start, chunk.whole.end) }, chunk.whole]
                } else {
                    vec![span]
                };
                units.push(Unit { id, span, tag_regions, in_transaction });
            }
            (None, None) => {
                pending.get_or_insert(chunk.whole.start);
            }
            (None, Some(_)) if chunk.opens_transaction() => {
                pending.get_or_insert(chunk.whole.start);
            }
            (None, Some(unit)) if pending.is_none() => unit.span.end = chunk.whole.end,
            (None, Some(_)) => {}
        }
        in_transaction = (in_transaction || chunk.opens_transaction()) && !chunk.closes_transaction();
    }
    if let Some(last) = units.last_mut() {
        last.span.end = body.end;
    }
    for unit in &mut units {
        if let Some(region) = unit.tag_regions.last_mut() {
            region.end = unit.span.end;
        }
    }
    units
}

fn first_token(text: &str, start: usize, end: usize) -> usize {
    lex::tokens_from(&text[..end], start).find(|t| !t.is_blank()).map_or(end, |t| t.span.start)
}

/// The id that the guard of a DO block asks for.
fn migration_id(text: &str, chunk: &Chunk) -> Option<String> {
    if !chunk.begins(&["DO"]) {
        return None;
    }
    let literal = lex::tokens_from(&text[..chunk.whole.end], chunk.start).find(|t| t.kind == TokenKind::DollarStr)?;
    let quoted = literal.text(text);
    let quote = quoted.get(..=quoted.get(1..)?.find('$')? + 1)?;
    let body = quoted.strip_prefix(quote)?.strip_suffix(quote)?;
    let tokens: Vec<Token> = lex::tokens(body).filter(|t| !t.is_blank()).take(40).collect();
    let words: Vec<String> = tokens.iter().map(|t| t.text(body).trim_matches('"').to_ascii_lowercase()).collect();
    let column = words.iter().position(|w| w == "migrationid" || w == "migration_id")?;
    let guard = words[..column].join(" ");
    let is_guard = guard.contains("if not exists ( select") && words[..column].last().is_some_and(|w| w == "where");
    let value = tokens.get(column + 2).filter(|t| t.kind == TokenKind::Str && words[column + 1] == "=")?.text(body);
    let id = value.strip_prefix('\'')?.strip_suffix('\'')?;
    is_guard.then(|| id.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Vec<(String, &str, bool)> {
        let units = units(text, Span { start: 0, end: text.len() });
        units.into_iter().map(|u| (u.id, &text[u.span.start..u.span.end], u.in_transaction)).collect()
    }

    fn block(id: &str, quote: &str, table: &str, column: &str) -> String {
        format!(
            "DO {quote}\nBEGIN\n    IF NOT EXISTS(SELECT 1 FROM {table} WHERE {column} = '{id}') THEN\n    SELECT 1;\n    END IF;\nEND {quote};"
        )
    }

    #[test]
    fn consecutive_blocks_of_one_id_are_one_unit_and_its_transaction_goes_with_it() {
        let a = block("1_A", "$EF$", "\"__EFMigrationsHistory\"", "\"MigrationId\"");
        let b = block("2_O''Brien", "$$", "app.\"__EFMigrationsHistory\"", "\"MigrationId\"");
        let c = block("3_C", "$EF$", "__ef_migrations_history", "migration_id");
        let text =
            format!("CREATE TABLE h();\n\nSTART TRANSACTION;\n{a}\n\n{a}\nCOMMIT;\n\nSTART TRANSACTION;\n{b}\nCOMMIT;\n{c}\n\n");
        let units = listed(&text);
        assert_eq!(
            units.iter().map(|u| (u.0.as_str(), u.2)).collect::<Vec<_>>(),
            [("1_A", true), ("2_O'Brien", true), ("3_C", false)]
        );
        assert!(units[0].1.starts_with("CREATE TABLE") && units[0].1.ends_with("COMMIT;"));
        assert!(units[1].1.trim_start().starts_with("START TRANSACTION") && units[1].1.ends_with("COMMIT;"));
        assert_eq!(units.iter().map(|u| u.1).collect::<String>(), text);
    }

    #[test]
    fn other_blocks_are_no_guards() {
        for text in [
            "DO $$ BEGIN IF NOT EXISTS(SELECT 1 FROM pg_type WHERE typname = 'a') THEN NULL; END IF; END $$;",
            "DO $$ BEGIN UPDATE t SET x = 1 WHERE migration_id = 'a'; END $$;",
            "SELECT $$ IF NOT EXISTS(SELECT 1 FROM t WHERE \"MigrationId\" = 'a') $$;",
            "DO $",
            "DO $$",
        ] {
            assert_eq!(listed(text), [], "{text}");
        }
    }
}
