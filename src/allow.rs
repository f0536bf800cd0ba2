//! Allows: which findings the comments of a unit silence, and what became of each comment.
//!
//! `allow` covers the statement that follows it, as a whole and alone: a DO block or a routine with everything inside, a COPY with
//! its data, a psql meta-command. `allow-file` covers its unit, what is said about the file included. The nearest comment silences:
//! one for a statement before one for the unit, the first of several for one statement. What a tag silenced already stays with the
//! tag, and a comment that could only have done the same did nothing.
//!
//! An allow without a reason silences nothing. What is wrong with comments is judged by rules of their own, which see [`Said`];
//! those cannot be allowed. Units that are not judged have nothing to silence, so nothing is said about their comments.

use crate::config::Settings;
use crate::finding::{Finding, SuppressedBy, Suppression};
use crate::op::Span;
use crate::rules::{self, AllowsContext};
use crate::source::allow::{Allow, AllowPosition, AllowScope, Directive, Unreadable};
use crate::source::misnamed::Misnamed;
use crate::source::{History, Migration};
use crate::sql::{OddityKind, ParsedUnit};
use std::collections::HashMap;

/// A comment of a unit, and what became of it.
#[derive(Debug)]
pub enum Said<'a> {
    Allow(Applied<'a>),
    Unreadable(&'a Unreadable),
}

/// An allow after it was applied.
#[derive(Debug)]
pub struct Applied<'a> {
    pub allow: &'a Allow,
    pub covers: Covers,
    /// For each of its rules.
    pub fates: Vec<Fate>,
}

/// What an allow is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covers {
    Unit,
    Thing(Thing),
    Nothing(Nowhere),
}

/// A statement, or what stands in a file like one: a meta-command of psql, a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thing {
    /// From 1 in its unit.
    pub statement: Option<usize>,
    /// Bytes of the file, copied data included.
    pub span: Span,
    /// True where the server's parser refuses it, so that what an allow is about may not have been found.
    pub unread: bool,
}

/// Why an allow covers nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nowhere {
    /// It stands behind something else on its line.
    Trailing,
    InsideBody,
    InsideStatement,
    AfterLastStatement,
    /// `allow-file` behind the first statement.
    BelowHeader,
}

/// What became of one rule of an allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Silenced,
    /// All that it covers was silenced by the phase tag before.
    LeftToTag,
    Idle,
}

/// Silences what the comments of the history allow, and adds the findings about the comments of units that are judged. `parsed` and
/// `judged` have one entry for each unit; `findings` are those of this history and may hold more.
pub fn apply(history: &History, parsed: &[ParsedUnit], judged: &[bool], settings: &Settings, findings: &mut Vec<Finding>) {
    let mut by_path: HashMap<String, Vec<usize>> = HashMap::new();
    let of_units = history.migrations.iter().map(|unit| &unit.directives);
    if of_units.chain(history.misnamed.iter().map(|one| &one.directives)).any(|directives| !directives.is_empty()) {
        for (at, finding) in findings.iter().enumerate() {
            by_path.entry(finding.path.clone()).or_default().push(at);
        }
    }
    for misnamed in &history.misnamed {
        of_misnamed(misnamed, by_path.get(&misnamed.file.path).map(Vec::as_slice).unwrap_or_default(), findings);
    }
    for ((migration, parsed), judged) in history.migrations.iter().zip(parsed).zip(judged) {
        if migration.directives.is_empty() {
            continue;
        }
        let is_own = |at: &&usize| matches!(findings[**at].migration.as_str(), id if id.is_empty() || id == migration.id);
        let own: Vec<usize> = by_path.get(&migration.file.path).into_iter().flatten().filter(is_own).copied().collect();
        let said = of_unit(migration, parsed, &own, findings);
        if *judged {
            findings.extend(rules::judge_allows(&AllowsContext { migration, parsed, said: &said, settings }));
        }
    }
}

/// Applies the header of a file that is no unit for its name alone. Its statements are never judged, so nothing is said of the rest.
fn of_misnamed(misnamed: &Misnamed, own: &[usize], findings: &mut [Finding]) {
    for directive in &misnamed.directives {
        if let Directive::Allow(allow) = directive
            && allow.scope == AllowScope::Unit
        {
            let fates = vec![Fate::Idle; allow.rules.len()];
            silence(&mut Applied { allow, covers: covers(allow, &[]), fates }, own, findings);
        }
    }
}

/// Applies the comments of one unit. `own` are the findings about it.
fn of_unit<'a>(migration: &'a Migration, parsed: &ParsedUnit, own: &[usize], findings: &mut [Finding]) -> Vec<Said<'a>> {
    let things = things(parsed);
    let mut said: Vec<Said<'_>> = migration
        .directives
        .iter()
        .map(|directive| match directive {
            Directive::Unreadable(unreadable) => Said::Unreadable(unreadable),
            Directive::Allow(allow) => {
                let fates = vec![Fate::Idle; allow.rules.len()];
                Said::Allow(Applied { allow, covers: covers(allow, &things), fates })
            }
        })
        .collect();
    for scope in [AllowScope::Statement, AllowScope::Unit] {
        for said in &mut said {
            match said {
                Said::Allow(applied) if applied.allow.scope == scope => silence(applied, own, findings),
                Said::Allow(_) | Said::Unreadable(_) => {}
            }
        }
    }
    said
}

fn silence(applied: &mut Applied<'_>, own: &[usize], findings: &mut [Finding]) {
    let Some(reason) = &applied.allow.reason else { return };
    for (rule, fate) in applied.allow.rules.iter().zip(&mut applied.fates) {
        for at in own {
            let finding = &mut findings[*at];
            if finding.rule != rule.name || !covers_finding(applied.covers, finding) {
                continue;
            }
            match &finding.suppressed {
                None => {
                    finding.suppressed = Some(Suppression { by: SuppressedBy::Allow, reason: Some(reason.clone()) });
                    *fate = Fate::Silenced;
                }
                Some(Suppression { by: SuppressedBy::Tag, .. }) if *fate == Fate::Idle => *fate = Fate::LeftToTag,
                Some(_) => {}
            }
        }
    }
}

fn covers_finding(covers: Covers, finding: &Finding) -> bool {
    match (covers, finding.statement) {
        (Covers::Unit, _) => true,
        (Covers::Thing(thing), Some(statement)) => thing.statement == Some(statement),
        (Covers::Thing(thing), None) => {
            let Span { start, end } = finding.span;
            // An empty span is about the file.
            start < end && thing.span.start <= start && end <= thing.span.end
        }
        (Covers::Nothing(_), _) => false,
    }
}

fn covers(allow: &Allow, things: &[Thing]) -> Covers {
    match (allow.position, allow.scope) {
        (AllowPosition::Body, _) => Covers::Nothing(Nowhere::InsideBody),
        (AllowPosition::Trailing, _) => Covers::Nothing(Nowhere::Trailing),
        (AllowPosition::Header, AllowScope::Unit) => Covers::Unit,
        (AllowPosition::OwnLine, AllowScope::Unit) => Covers::Nothing(Nowhere::BelowHeader),
        (AllowPosition::Header | AllowPosition::OwnLine, AllowScope::Statement) => {
            // The first that does not end before the comment.
            match things.get(things.partition_point(|thing| thing.span.end <= allow.comment.start)) {
                None => Covers::Nothing(Nowhere::AfterLastStatement),
                Some(thing) if thing.span.start < allow.comment.start => Covers::Nothing(Nowhere::InsideStatement),
                Some(thing) => Covers::Thing(*thing),
            }
        }
    }
}

/// What an allow may cover, in the order of the file.
fn things(parsed: &ParsedUnit) -> Vec<Thing> {
    let statements = parsed.statements.iter().enumerate();
    let mut things: Vec<Thing> = statements
        .map(|(at, statement)| {
            let unread = statement.outcome.is_err() || !statement.inner_errors.is_empty();
            Thing { statement: Some(at + 1), span: statement.span, unread }
        })
        .collect();
    for oddity in &parsed.oddities {
        // The first that ends behind it.
        let at = things.partition_point(|thing| thing.span.end < oddity.span.end);
        if things.get(at).is_some_and(|thing| thing.span.start <= oddity.span.start) {
            continue;
        }
        match (oddity.kind, at.checked_sub(1).and_then(|before| things.get_mut(before))) {
            (OddityKind::CopyData, Some(copy)) => copy.span.end = oddity.span.end,
            (OddityKind::CopyData | OddityKind::MetaCommand | OddityKind::Variable | OddityKind::Placeholder, _) => {
                things.insert(at, Thing { statement: None, span: oddity.span, unread: false });
            }
        }
    }
    things
}
