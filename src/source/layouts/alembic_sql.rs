//! What `alembic upgrade --sql` writes: one text in which a line `-- Running upgrade <from> -> <to>` begins each revision.
//!
//! Order: as written. A unit is a revision, with the version table before the first one and the ledger's rows behind it
//! (`alembic/runtime/migration.py`, run_migrations). Transaction: as written. By default one BEGIN … COMMIT is around the whole text:
//! then every unit is in it, and BEGIN and COMMIT belong to none; with `transaction_per_migration` each unit has its own. An
//! `autocommit_block` is a COMMIT and a BEGIN within a unit. What a revision does in Python alone does not stand in the text.
//! Held against Alembic 1.20.1 by tests/ledgers.rs.

use super::{Claim, Layout, OptOut, Reading, Step, Strength};
use crate::op::Span;
use crate::source::directory::{Directory, FileEntry};
use crate::source::script::{self, Chunk};
use crate::source::{UnitKind, Wrapping};
use crate::sql::lex::{self, TokenKind};
use std::sync::Arc;

pub struct AlembicSql;

impl Layout for AlembicSql {
    fn name(&self) -> &'static str {
        "alembic-sql"
    }

    fn marks(&self) -> &'static str {
        "a script with lines `-- Running upgrade <from> -> <to>`"
    }

    fn file_names(&self) -> &'static str {
        "a script with lines `-- Running upgrade <from> -> <to>`"
    }

    fn wrapping(&self) -> Wrapping {
        Wrapping::Explicit
    }

    fn opt_out(&self) -> OptOut {
        OptOut::Elsewhere("put it into an `op.get_context().autocommit_block()` of the revision")
    }

    fn recognise(&self, directory: &Directory) -> Option<Claim> {
        let scripts: Vec<&FileEntry> = directory.files.iter().filter(|f| f.is_sql() && !markers(f).is_empty()).collect();
        let first = scripts.iter().find(|f| markers(f).iter().any(|marker| !marker.is_downgrade))?;
        Some(Claim {
            strength: Strength::Content,
            evidence: format!("{} says `-- Running upgrade`", first.name),
            files: scripts.iter().map(|f| f.path.clone()).collect(),
        })
    }

    fn read(&self, directory: &Directory) -> Reading {
        let mut reading = Reading::default();
        for entry in directory.files.iter().filter(|f| f.is_sql()) {
            match self.read_script(entry) {
                Some(steps) => reading.steps.extend(steps),
                None if markers(entry).is_empty() => reading.skip(entry, "no line in it says `-- Running upgrade`"),
                None => reading.skip(entry, "down part"),
            }
        }
        reading
    }

    fn read_script(&self, script: &FileEntry) -> Option<Vec<Step>> {
        let markers = markers(script);
        // What only takes back is what somebody asked for when it stands alone, but no step.
        markers.iter().find(|marker| !marker.is_downgrade)?;
        let text = script.text()?;
        let units = units(text, script.source().body(), &markers);
        Some(
            units
                .into_iter()
                .map(|unit| Step {
                    id: unit.id,
                    version: None,
                    down: None,
                    file: Arc::clone(script.source()),
                    parts: vec![unit.span],
                    tag_regions: unit.tag_regions,
                    wrapping: unit.wrapping,
                    kind: UnitKind::Sql,
                })
                .collect(),
        )
    }
}

/// The line that begins a revision.
#[derive(Debug, PartialEq, Eq)]
struct Marker {
    /// First byte of the comment.
    at: usize,
    /// The revision that it leads to; of a downgrade both.
    id: String,
    is_downgrade: bool,
}

fn markers(entry: &FileEntry) -> Vec<Marker> {
    let Some(text) = entry.text().filter(|text| entry.failure().is_none() && text.contains("-- Running ")) else {
        return Vec::new();
    };
    let comments = lex::tokens_from(text, entry.source().body().start).filter(|token| token.kind == TokenKind::LineComment);
    comments.filter_map(|token| marker(token.text(text), token.span.start)).collect()
}

fn marker(comment: &str, at: usize) -> Option<Marker> {
    let (direction, revisions) = comment.trim_end().strip_prefix("-- Running ")?.split_once(' ')?;
    // A text that leads to nothing ends with the arrow.
    let (from, to) = revisions.split_once("-> ").or_else(|| Some((revisions.strip_suffix("->")?, "")))?;
    match direction {
        "downgrade" => {
            let id = format!("downgrade {} -> {}", from.trim(), to.trim());
            Some(Marker { at, id: id.trim_end().to_string(), is_downgrade: true })
        }
        // Older versions write the revision's title behind it.
        "upgrade" | "stamp_revision" => {
            let id = to.split(',').next().unwrap_or(to).trim();
            Some(Marker { at, id: id.to_string(), is_downgrade: false })
        }
        _ => None,
    }
}

#[derive(Debug)]
struct Unit {
    id: String,
    span: Span,
    tag_regions: Vec<Span>,
    wrapping: Wrapping,
}

fn units(text: &str, body: Span, markers: &[Marker]) -> Vec<Unit> {
    let chunks: Vec<Chunk> = script::chunks(text, body).collect();
    let mut own: Vec<Vec<&Chunk>> = markers.iter().map(|_| Vec::new()).collect();
    for (at, chunk) in chunks.iter().enumerate() {
        // A chunk belongs to the last marker before it; a BEGIN right before a marker is that one's.
        let until = if chunk.opens_transaction() { chunks.get(at + 1).map_or(body.end, |next| next.start) } else { chunk.start };
        let owner = markers.iter().rposition(|marker| marker.at < until).unwrap_or(0);
        own[owner].push(chunk);
    }
    let start = |at: usize| match own[at].first() {
        _ if at == 0 => body.start,
        Some(first) if first.start < markers[at].at => first.whole.start,
        Some(_) | None => markers[at].at,
    };
    let mut in_transaction = false;
    let mut units = Vec::with_capacity(markers.len());
    for (at, marker) in markers.iter().enumerate() {
        let mut span = Span { start: start(at), end: if at + 1 < markers.len() { start(at + 1) } else { body.end } };
        let opening = own[at].first().filter(|chunk| chunk.opens_transaction());
        let closing = own[at].last().filter(|chunk| chunk.closes_transaction());
        let wrapping = match (opening, closing) {
            (Some(_), Some(_)) => Wrapping::Explicit,
            (Some(_), None) => Wrapping::Wrapped,
            (None, _) if in_transaction => Wrapping::Wrapped,
            (None, _) => Wrapping::None,
        };
        if wrapping == Wrapping::Wrapped {
            span.start = opening.map_or(span.start, |chunk| chunk.whole.end);
            span.end = closing.map_or(span.end, |chunk| chunk.start);
        }
        for chunk in &own[at] {
            in_transaction = (in_transaction || chunk.opens_transaction()) && !chunk.closes_transaction();
        }
        let mut tag_regions = vec![Span { start: marker.at, end: span.end }];
        if at == 0 {
            let header_end = chunks.first().map_or(marker.at, |chunk| chunk.start.min(marker.at));
            tag_regions.insert(0, Span { start: body.start, end: header_end });
        }
        units.push(Unit { id: marker.id.clone(), span, tag_regions, wrapping });
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    fn read(text: &str) -> Option<Vec<(String, Wrapping, String)>> {
        let file = SourceFile { path: "-".into(), repo_path: "-".into(), bytes: text.into() };
        let steps = AlembicSql.read_script(&FileEntry::of_source("-", Arc::new(file)))?;
        let shown = |step: Step| {
            let text = step.parts.iter().map(|part| text[part.start..part.end].split_whitespace().collect::<Vec<_>>().join(" "));
            (step.id, step.wrapping, text.collect::<Vec<_>>().join(" | "))
        };
        Some(steps.into_iter().map(shown).collect())
    }

    #[test]
    fn one_transaction_around_all_revisions_is_everyones_and_its_ends_are_nobodys() {
        let text = "BEGIN;\n\nCREATE TABLE v ();\n\n-- Running upgrade  -> a1\n\nSELECT 1;\n\n-- Running upgrade a1, b2 -> c3\n\n\
            SELECT 2;\n\nCOMMIT;\n\nSELECT 3;\n\nBEGIN;\n\nSELECT 4;\n\n-- Running upgrade c3 -> d4, a title\n\nSELECT 5;\n\nCOMMIT;\n\n";
        let expected = [
            ("a1", Wrapping::Wrapped, "CREATE TABLE v (); -- Running upgrade -> a1 SELECT 1;"),
            ("c3", Wrapping::Wrapped, "-- Running upgrade a1, b2 -> c3 SELECT 2; COMMIT; SELECT 3; BEGIN; SELECT 4;"),
            ("d4", Wrapping::Wrapped, "-- Running upgrade c3 -> d4, a title SELECT 5;"),
        ];
        assert_eq!(read(text), Some(expected.map(|(id, wrapping, text)| (id.into(), wrapping, text.into())).to_vec()));
    }

    #[test]
    fn a_transaction_of_its_own_goes_with_each_revision() {
        let text = "BEGIN;\n\n-- Running upgrade  -> a1\n\nSELECT 1;\n\nCOMMIT;\n\nBEGIN;\n\n-- Running upgrade a1 -> b2\n\nSELECT 2;\n\nCOMMIT;\n";
        let expected = [
            ("a1", Wrapping::Explicit, "BEGIN; -- Running upgrade -> a1 SELECT 1; COMMIT;"),
            ("b2", Wrapping::Explicit, "BEGIN; -- Running upgrade a1 -> b2 SELECT 2; COMMIT;"),
        ];
        assert_eq!(read(text), Some(expected.map(|(id, wrapping, text)| (id.into(), wrapping, text.into())).to_vec()));
        let alone = read("-- Running upgrade a -> b\nSELECT 1;");
        assert_eq!(alone, Some(vec![("b".into(), Wrapping::None, "-- Running upgrade a -> b SELECT 1;".into())]));
    }

    #[test]
    fn what_only_takes_back_and_other_texts_are_none() {
        for text in ["-- Running downgrade b -> a\nSELECT 1;", "SELECT '\n-- Running upgrade a -> b\n';", "-- Running tests", ""]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(marker("-- Running downgrade a1 -> ", 0).map(|marker| marker.id).as_deref(), Some("downgrade a1 ->"));
    }
}
