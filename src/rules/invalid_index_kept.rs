use super::shared::outside::is_alone;
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::finding::Level;
use crate::op::{CreateIndex, ObjectKind, Op, Span};
use crate::recipe::Recipe;
use crate::sql::lex::{self, TokenKind};
use crate::sql::names::quote_identifier;

pub const RULE: Rule = Rule { id: "invalid-index-kept", family: Family::Retry, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for (index, statement) in cx.parsed.statements.iter().enumerate() {
        let Ok(parsed) = &statement.outcome else { continue };
        let Op::CreateIndex(create @ CreateIndex { name: Some(name), concurrently: true, if_not_exists: true, .. }) = &parsed.op else {
            continue;
        };
        // Inside of a transaction it fails at once: another rule's.
        if !is_alone(cx, index) {
            continue;
        }
        let drops = |op: &Op| match op {
            Op::Drop { objects, .. } => {
                objects.iter().any(|object| object.kind == ObjectKind::Index && object.name.name == *name)
            }
            _ => false,
        };
        let earlier = &cx.parsed.statements[..index];
        if earlier.iter().any(|earlier| earlier.outcome.as_ref().is_ok_and(|earlier| drops(&earlier.op))) {
            continue;
        }
        let own = quote_identifier(name);
        let label = create.relation.schema.as_ref().map_or(own.clone(), |schema| format!("{}.{own}", quote_identifier(schema)));
        let why = if create.unique {
            "as an invalid index, which refuses duplicates all the same and is no arbiter of ON CONFLICT"
        } else {
            "as an invalid index, which every write keeps up and no query uses"
        };
        let message = format!(
            "a build of {own} that fails or is cancelled leaves it there {why}: the next run finds the name taken, skips this statement \
             and counts as done"
        );
        let sql = without_if_not_exists(cx, statement.span);
        let recipe = Recipe::new()
            .then_outside("remove what a failed build left, and build", [format!("DROP INDEX CONCURRENTLY IF EXISTS {label}"), sql]);
        let help = "drop what an earlier try left, and build without IF NOT EXISTS, so that a leftover is never taken for the index";
        let finding = cx.finding_at(RULE.id, Level::Error, Some(index), statement.span, message, help.into());
        findings.push(Judged { finding, subjects: vec![label] }.with_recipe(recipe, cx.opt_out()));
    }
}

/// The statement as it stands in the file, without its IF NOT EXISTS.
fn without_if_not_exists(cx: &Context<'_>, span: Span) -> String {
    let bytes = &cx.migration.file.bytes;
    let text = String::from_utf8_lossy(bytes.get(span.start..span.end.min(bytes.len())).unwrap_or_default());
    let words: Vec<lex::Token> = lex::tokens(&text).filter(|token| !token.is_blank()).collect();
    let is = |token: &lex::Token, word: &str| token.kind == TokenKind::Word && token.text(&text).eq_ignore_ascii_case(word);
    let place = words.windows(4).find(|w| is(&w[0], "if") && is(&w[1], "not") && is(&w[2], "exists"));
    match place {
        Some(window) => format!("{}{}", &text[..window[0].span.start], &text[window[3].span.start..]),
        None => text.into_owned(),
    }
}
