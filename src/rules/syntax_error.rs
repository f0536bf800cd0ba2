use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::finding::Level;
use crate::sql::SyntaxError;
use crate::sql::newer::{Use, What};
use crate::versions::PostgresVersions;
use crate::versions::newer::{self, NameKind};

pub const RULE: Rule = Rule { id: "syntax-error", family: Family::History, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for (index, statement) in cx.parsed.statements.iter().enumerate() {
        let refused = statement.newer.iter().filter_map(|newer| refused_by_all(newer, cx.settings.postgres));
        for error in statement.outcome.as_ref().err().into_iter().chain(&statement.inner_errors).chain(refused) {
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

/// A word that every target has as a keyword is no name for any of them.
pub fn refused_by_all(newer: &Use, targets: Option<PostgresVersions>) -> Option<&SyntaxError> {
    match &newer.what {
        What::Word { word, error } => {
            let since = newer::name(NameKind::Word, word)?;
            targets.is_some_and(|targets| since <= targets.oldest).then_some(error)
        }
        What::Form { .. } | What::Function { .. } | What::Name { .. } => None,
    }
}
