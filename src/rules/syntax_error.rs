use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "syntax-error", family: Family::History, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for (index, statement) in cx.parsed.statements.iter().enumerate() {
        for error in statement.outcome.as_ref().err().into_iter().chain(&statement.inner_errors) {
            let finding = cx.finding_at(
                RULE.id,
                Level::Error,
                Some(index),
                error.span,
                format!("the server's parser refuses this: {}", error.message),
                "correct the statement; what it was meant to do is not judged, and what follows is judged as if it had done nothing".into(),
            );
            findings.push(Judged { finding, subjects: vec![error.message.clone()] });
        }
    }
}
