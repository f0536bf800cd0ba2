use super::shared::outside::{acts, is_alone, refusing};
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::finding::{Level, Related};
use crate::op::{ObjectKind, Op, Span};
use crate::versions::alone::Alone;

pub const RULE: Rule = Rule { id: "mixed-transaction", family: Family::Retry, level: Level::Error, check: Check::Unit(check) };

/// A statement that acts.
struct Acting<'a> {
    index: usize,
    span: Span,
    op: &'a Op,
    /// How it is called, where it refuses a transaction.
    refusing: Option<&'static str>,
}

fn check(cx: &Context<'_>, findings: &mut Findings) {
    let statements: Vec<Acting<'_>> = cx
        .parsed
        .statements
        .iter()
        .enumerate()
        .filter_map(|(index, statement)| {
            let op = &statement.outcome.as_ref().ok()?.op;
            let refusing = refusing(cx, op).map(Alone::words);
            (refusing.is_some() || acts(cx, index, op)).then_some(Acting { index, span: statement.span, op, refusing })
        })
        .collect();
    // Where a transaction is around it, it fails: another rule's.
    let Some((one, name)) = statements.iter().find_map(|one| Some((one, one.refusing?))).filter(|(one, _)| is_alone(cx, one.index)) else {
        return;
    };
    if let Some(other) = statements.iter().find(|other| other.refusing.is_none()) {
        let message = format!(
            "{name} refuses a transaction and stands in one migration with statements that need none of their own: where one of them \
             stops, the others stay done or undone, and the migration is neither"
        );
        let help = "make two migrations of it: this statement in one without a transaction, the others in one with".to_string();
        let mut finding = cx.finding_at(RULE.id, Level::Error, Some(one.index), one.span, message, help);
        finding.related.push(Related { path: cx.migration.file.path.clone(), span: other.span, message: "beside this".into() });
        findings.push(Judged { finding, subjects: Vec::new() });
        return;
    }
    let open: Vec<&Acting<'_>> = statements.iter().filter(|one| !bears_repetition(one, &statements)).collect();
    if statements.len() < 2 || open.is_empty() {
        return;
    }
    let Some(second) = statements.get(1) else { return };
    let message = format!(
        "{} statements that refuse a transaction stand in one migration: where one stops, those before it stay done, and a second run \
         meets them",
        statements.len()
    );
    let help = "make a migration of each, or guard each, so that it may run again: DROP INDEX CONCURRENTLY IF EXISTS before CREATE INDEX \
                CONCURRENTLY of the same name";
    let finding = cx.finding_at(RULE.id, Level::Warning, Some(second.index), second.span, message, help.into());
    findings.push(Judged { finding, subjects: Vec::new() });
}

/// A second run does the same: what is built is dropped before, what is dropped is dropped if it exists.
fn bears_repetition(one: &Acting<'_>, all: &[Acting<'_>]) -> bool {
    match one.op {
        Op::CreateIndex(create) => all.iter().take_while(|other| other.index < one.index).any(|other| match other.op {
            Op::Drop { objects, .. } => objects.iter().any(|object| {
                object.kind == ObjectKind::Index && Some(&object.name.name) == create.name.as_ref()
            }),
            _ => false,
        }),
        Op::Drop { if_exists, .. } => *if_exists,
        Op::Vacuum { .. } | Op::Reindex { .. } | Op::Cluster { .. } | Op::Discard { .. } | Op::AlterSettings { .. } => true,
        _ => false,
    }
}
