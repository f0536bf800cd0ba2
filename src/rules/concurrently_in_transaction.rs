//! Statements that refuse a transaction, where one is open.

use super::shared::outside::{refused_in, refusing};
use super::shared::trigger_body::walk;
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::catalog::replay::BlockKind;
use crate::finding::Level;
use crate::op::{Body, Op, RoutineKind, Span, Step};
use crate::source::Wrapping;
use crate::source::layouts::{OptOut, Statements};
use crate::versions::alone::{Alone, Place};

pub const RULE: Rule =
    Rule { id: "concurrently-in-transaction", family: Family::Retry, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for (at, parsed) in cx.parsed.statements.iter().enumerate() {
        let Ok(statement) = &parsed.outcome else { continue };
        match &statement.op {
            Op::Do(body) => in_body(cx, at, body, Level::Error, "a DO block is always in one", findings),
            Op::CreateRoutine(routine) => {
                let why = match routine.kind {
                    RoutineKind::Procedure => "a procedure counts as being in one",
                    RoutineKind::Function | RoutineKind::Aggregate => "a function is always in one",
                };
                in_body(cx, at, &routine.body, Level::Warning, why, findings);
            }
            op => at_top(cx, at, statement.span, op, findings),
        }
    }
}

/// A statement of the file itself.
fn at_top(cx: &Context<'_>, at: usize, span: Span, op: &Op, findings: &mut Findings) {
    let Some(block) = cx.circumstances.get(at).and_then(|circumstances| circumstances.block) else { return };
    let place = match block {
        BlockKind::Runner | BlockKind::Explicit => Place::Block,
        // A statement that is a whole message is no block.
        BlockKind::Implicit if cx.parsed.statements.len() == 1 => return,
        BlockKind::Implicit => Place::BatchLater,
    };
    let Some(refused) = refused_in(cx, op, place) else { return };
    let assumed = block == BlockKind::Runner && cx.assumes_transaction();
    // Whoever writes a file of nothing else has a runner for it.
    if assumed && (cx.settings.runner_is_psql || is_kept_apart(cx)) {
        return;
    }
    let level = if assumed { Level::Warning } else { RULE.level };
    let why = match block {
        BlockKind::Runner if assumed => "one transaction for each file is assumed here",
        BlockKind::Runner => "the runner opens one around this file",
        BlockKind::Implicit => "the runner sends this file as one message, whose statements share one, whichever comes first",
        BlockKind::Explicit => "this file has opened one",
    };
    push(cx, at, span, refused, level, why, way_out(cx, block), findings);
}

/// Statements in a body: no way leads out of the transaction of whoever runs it, COMMIT neither.
fn in_body(cx: &Context<'_>, at: usize, body: &Body, level: Level, why: &str, findings: &mut Findings) {
    walk(&body.steps, &mut |step| {
        let Step::Sql(statement) = step else { return };
        if let Some(refused) = refused_in(cx, &statement.op, Place::Function) {
            let help = format!("write it as a statement of its own; {}", way_out(cx, BlockKind::Runner));
            push(cx, at, statement.span, refused, level, why, help, findings);
        }
    });
}

#[expect(clippy::too_many_arguments, reason = "each is one part of the finding")]
fn push(
    cx: &Context<'_>,
    at: usize,
    span: Span,
    refused: Alone,
    level: Level,
    why: &str,
    help: String,
    findings: &mut Findings,
) {
    let message = format!("{} cannot run in a transaction, and {why}", refused.words());
    let finding = cx.finding_at(RULE.id, level, Some(at), span, message, help);
    findings.push(Judged { finding, subjects: Vec::new() });
}

/// The unit holds nothing but statements that refuse a transaction, and settings for them.
fn is_kept_apart(cx: &Context<'_>) -> bool {
    let operations = cx.parsed.statements.iter().map(|parsed| parsed.outcome.as_ref().ok().map(|statement| &statement.op));
    Alone::are_kept_apart(operations, |op| refusing(cx, op).is_some())
}

/// How this runner runs a statement without a transaction.
fn way_out(cx: &Context<'_>, block: BlockKind) -> String {
    const ALONE: &str = "it has to be the only statement of its file";
    match (block, cx.opt_out()) {
        (BlockKind::Explicit, _) if cx.migration.wrapping != Wrapping::Batch => {
            "move it before BEGIN, behind COMMIT, or to a file of its own".into()
        }
        // A COMMIT does not divide a message.
        (BlockKind::Explicit | BlockKind::Implicit, _) | (BlockKind::Runner, OptOut::Alone) => ALONE.into(),
        (BlockKind::Runner, OptOut::None) => "leave it outside of every transaction".into(),
        (BlockKind::Runner, OptOut::Mark { mark, place, statements }) => {
            let sent = match statements {
                Statements::Apart => String::new(),
                Statements::Batch => format!("; such a file is sent as one message, so {ALONE}"),
            };
            format!("move it to a file of its own with `{mark}` {place}{sent}")
        }
        (BlockKind::Runner, OptOut::Elsewhere(what)) => what.into(),
    }
}
