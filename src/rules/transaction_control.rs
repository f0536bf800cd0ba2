use super::shared::trigger_body::walk;
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::catalog::replay::{BlockKind, TransactionNote, TransactionNoteKind as Kind};
use crate::finding::{Level, Related};
use crate::op::{Op, Span, Step, TransactionCommand};
use crate::source::layouts::{self, OptOut};
use crate::source::{History, Wrapping};

pub const RULE: Rule = Rule { id: "transaction-control", family: Family::Retry, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    let as_written = is_as_written(cx.history);
    let mut pair_of: Option<usize> = None;
    for (at, note) in cx.notes.iter().enumerate() {
        // BEGIN and the COMMIT that goes with it are one mistake.
        if pair_of.take() == Some(at) {
            continue;
        }
        if as_written && matches!(note.kind, Kind::EndsRunnersTransaction | Kind::Unclosed) {
            continue;
        }
        let next = cx.notes.get(at + 1).filter(|next| note.kind == Kind::NestedBegin && next.kind == Kind::EndsRunnersTransaction);
        if next.is_some() {
            pair_of = Some(at + 1);
        }
        tell(cx, *note, next.copied(), findings);
    }
    for (index, statement) in cx.parsed.statements.iter().enumerate() {
        let Ok(parsed) = &statement.outcome else { continue };
        let block = cx.circumstances.get(index).and_then(|circumstances| circumstances.block);
        match (&parsed.op, block) {
            (Op::Transaction(TransactionCommand::Savepoint(_)), Some(BlockKind::Runner)) => {
                let message = "a savepoint in the transaction of the runner works, but nothing goes on after a failed statement in a file: \
                               ROLLBACK TO only undoes what the file itself says"
                    .to_string();
                let help = "leave it out, or say in a DO block with EXCEPTION what is to be undone";
                push(cx, Level::Note, index, statement.span, message, help.into(), None, findings);
            }
            (Op::Do(body), Some(_)) => walk(&body.steps, &mut |step| {
                if let Step::Transaction { commit, span } = step {
                    let word = if *commit { "COMMIT" } else { "ROLLBACK" };
                    let message = format!("{word} in a DO block inside of a transaction is an error of the server (2D000)");
                    push(cx, Level::Error, index, *span, message, format!("leave {word} out{}", leaving(cx)), None, findings);
                }
            }),
            _ => {}
        }
    }
}

/// A script that a tool wrote with the transactions in it, of which units are parts.
fn is_as_written(history: &History) -> bool {
    layouts::named(&history.layout).is_some_and(|layout| layout.wrapping() == Wrapping::Explicit)
}

fn tell(cx: &Context<'_>, note: TransactionNote, ended: Option<TransactionNote>, findings: &mut Findings) {
    let Some(statement) = cx.parsed.statements.get(note.statement) else { return };
    let word = statement.outcome.as_ref().map_or("this", |parsed| command(&parsed.op));
    let (level, message, help) = match note.kind {
        Kind::NestedBegin if ended.is_some() => (
            Level::Error,
            "the runner has opened a transaction: BEGIN does nothing, and the COMMIT or ROLLBACK that goes with it ends the runner's, so \
             that what follows, and the record that the migration ran, is not in it"
                .to_string(),
            format!("leave both out{}", leaving(cx)),
        ),
        Kind::NestedBegin => (
            Level::Error,
            "a transaction is open already: BEGIN does nothing here but warn".to_string(),
            format!("leave BEGIN out{}", leaving(cx)),
        ),
        Kind::EndsRunnersTransaction => (
            Level::Error,
            format!(
                "{word} ends the transaction that the runner opened: what follows, and the record that the migration ran, is not in it, and \
                 what stops there leaves half of it behind"
            ),
            format!("leave {word} out{}", leaving(cx)),
        ),
        Kind::EndsImplicitTransaction => (
            Level::Error,
            format!(
                "the runner sends the file as one text, whose statements are one transaction: {word} ends it here, and what stops behind it \
                 leaves this half"
            ),
            "write BEGIN at the start and COMMIT at the end, or make two migrations of it".to_string(),
        ),
        Kind::NoTransaction => (
            Level::Warning,
            format!("no transaction is open: {word} does nothing here but warn"),
            format!("leave {word} out, or write the BEGIN that belongs to it"),
        ),
        Kind::SavepointOutside => (
            Level::Error,
            format!("{word} outside of a transaction is an error of the server (25P01)"),
            "write BEGIN before and COMMIT behind, or leave it out".to_string(),
        ),
        Kind::UnknownSavepoint => (
            Level::Error,
            format!("{word} names a savepoint that is not there, an error of the server (3B001)"),
            "name a savepoint that was made in the same transaction and not released".to_string(),
        ),
        Kind::Unclosed => (
            Level::Error,
            "nothing in the file ends this transaction: where the runner does not, all of it is rolled back when the session ends".to_string(),
            "write COMMIT at the end".to_string(),
        ),
    };
    let related = ended.and_then(|ended| cx.parsed.statements.get(ended.statement)).map(|ended| Related {
        path: cx.migration.file.path.clone(),
        span: ended.span,
        message: "this ends the transaction of the runner".into(),
    });
    push(cx, level, note.statement, statement.span, message, help, related, findings);
}

#[expect(clippy::too_many_arguments, reason = "a finding has this many parts")]
fn push(
    cx: &Context<'_>,
    level: Level,
    statement: usize,
    span: Span,
    message: String,
    help: String,
    related: Option<Related>,
    findings: &mut Findings,
) {
    let finding = cx.finding_at(RULE.id, level, Some(statement), span, message, help);
    findings.push(Judged { finding, subjects: Vec::new() }.related(related));
}

/// How a file gets along without the runner's transaction, as the end of a sentence.
fn leaving(cx: &Context<'_>) -> String {
    match cx.opt_out() {
        OptOut::Mark { mark, place, .. } => format!("; a migration without a transaction says `{mark}` {place}"),
        OptOut::Elsewhere(what) => format!("; where it must not be in a transaction: {what}"),
        OptOut::None | OptOut::Alone => String::new(),
    }
}

fn command(op: &Op) -> &'static str {
    match op {
        Op::Transaction(TransactionCommand::Begin) => "BEGIN",
        Op::Transaction(TransactionCommand::Commit) => "COMMIT",
        Op::Transaction(TransactionCommand::Rollback) => "ROLLBACK",
        Op::Transaction(TransactionCommand::Savepoint(_)) => "SAVEPOINT",
        Op::Transaction(TransactionCommand::Release(_)) => "RELEASE SAVEPOINT",
        Op::Transaction(TransactionCommand::RollbackTo(_)) => "ROLLBACK TO SAVEPOINT",
        Op::Transaction(TransactionCommand::TwoPhase) => "PREPARE TRANSACTION",
        _ => "this statement",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::rules::testing::judged;

    fn found(text: &str) -> Vec<(Level, &str)> {
        let found = judged(&[text], Settings::default());
        let own = found.into_iter().filter(|finding| finding.rule == RULE.id);
        own.map(|finding| (finding.level, &text[finding.span.start..finding.span.end])).collect()
    }

    #[test]
    fn each_way_to_leave_the_transaction_of_the_runner_is_told_once() {
        assert_eq!(found("BEGIN; SELECT 1; COMMIT;"), [(Level::Error, "BEGIN")]);
        assert_eq!(found("START TRANSACTION; SELECT 1; ROLLBACK;"), [(Level::Error, "START TRANSACTION")]);
        assert_eq!(found("SELECT 1; ROLLBACK;"), [(Level::Error, "ROLLBACK")]);
        assert_eq!(found("BEGIN; BEGIN; COMMIT;"), [(Level::Error, "BEGIN"), (Level::Error, "BEGIN")]);
        assert_eq!(found("SELECT 1;"), []);
    }
}
