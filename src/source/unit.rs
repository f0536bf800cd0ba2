//! Steps become units: phase and tag are read, what is no text becomes a finding.

use crate::finding::{Finding, Level};
use crate::op::Span;
use crate::source::layouts::{Objection, Step};
use crate::source::{Migration, Phase, Rewriting, UnitKind, allow, comment, tag};

/// The unit of a step, and the findings of its text: `not-utf8`, `malformed-phase-tag`.
pub fn of_step(step: Step, rewriting: Rewriting, prefixes: &[String]) -> (Migration, Vec<Finding>) {
    let Step { id, version, down, file, parts, tag_regions, wrapping, kind } = step;
    let mut migration = Migration {
        id,
        version,
        down,
        file,
        parts,
        phase: Phase::Untagged,
        tag: None,
        wrapping,
        rewriting,
        directives: Vec::new(),
        kind,
        reported: true,
    };
    let mut findings = Vec::new();
    match (kind, migration.file.text()) {
        (UnitKind::Sql, Ok(text)) => {
            let comments = comment::comments(text, &tag_regions);
            migration.directives = allow::scan(&comments);
            let scan = tag::scan(&comments, prefixes);
            for malformed in scan.malformed {
                findings.push(finding("malformed-phase-tag", &migration, malformed.span, malformed.message, malformed.help));
            }
            if let Some((phase, tag)) = scan.tag {
                migration.phase = phase;
                migration.tag = Some(tag);
            }
        }
        (UnitKind::Sql | UnitKind::Unreadable, Err(bad)) => {
            migration.kind = UnitKind::Unreadable;
            let span = Span { start: bad.at, end: bad.at + 1 };
            let message = format!("this file is not UTF-8 text: {}", bad.why);
            findings.push(finding("not-utf8", &migration, span, message, "save it as UTF-8".to_string()));
        }
        // A file that could not be opened is an error of its own, and has no text to judge.
        (UnitKind::Unreadable, Ok(_)) | (UnitKind::Unknown, _) => {}
    }
    (migration, findings)
}

/// What its runner has against a unit, as a finding.
pub fn objection(objection: Objection, migrations: &[Migration]) -> Option<Finding> {
    let Objection { path, why, help } = objection;
    let migration = migrations.iter().find(|migration| migration.file.path == path)?;
    Some(finding("broken-history", migration, Span::default(), why, help))
}

fn finding(rule: &'static str, migration: &Migration, span: Span, message: String, help: String) -> Finding {
    let new = Finding::new(rule, Level::Error, migration.file.path.clone(), message, help);
    Finding { migration: migration.id.clone(), span, ..new }
}
