use super::shared::relation_form;
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::catalog::builtin;
use crate::finding::Level;
use crate::op::{Op, Span};
use crate::sql::newer::{Use, What, When};
use crate::versions::newer::{self, NameKind};
use crate::versions::{KNOWN, PostgresVersions};

pub const RULE: Rule =
    Rule { id: "needs-newer-server", family: Family::History, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for (index, statement) in cx.parsed.statements.iter().enumerate() {
        for newer in &statement.newer {
            if let What::Word { word, .. } = &newer.what {
                keyword(cx, index, newer.span, word, findings);
            }
        }
        // Nothing else is said where nobody said which servers there are.
        let Some(targets) = cx.settings.postgres.filter(|targets| targets.oldest < KNOWN.newest) else { continue };
        for newer in &statement.newer {
            if let Some(needed) = needed(cx, index, newer) {
                judge(cx, index, newer.span, newer.when, &needed, targets, findings);
            }
        }
        let Ok(statement) = &statement.outcome else { continue };
        relation_form::each(cx, statement, &mut |span, id, when| {
            if let Some(form) = newer::form(id) {
                let needed = Needed { what: form.says.into(), since: form.since, is_certain: true };
                judge(cx, index, span, when, &needed, targets, findings);
            }
        });
    }
}

/// Something that only newer servers have.
struct Needed {
    /// To stand in a sentence.
    what: String,
    since: u16,
    /// False where it may be something of the same name that no migration seen here creates.
    is_certain: bool,
}

fn needed(cx: &Context<'_>, index: usize, newer: &Use) -> Option<Needed> {
    match &newer.what {
        // The rows of a trigger function are variables, which RETURNING may name.
        What::Form { id: "returning-old-new", .. } if makes_trigger_function(cx, index) => None,
        What::Form { id, called } => {
            let form = newer::form(id)?;
            let is_own = called.is_some_and(|name| is_own_function(cx, name));
            let is_certain = called.is_none() || knows_all_functions(cx);
            (!is_own).then(|| Needed { what: form.says.into(), since: form.since, is_certain })
        }
        What::Function { schema: None, name, .. } if is_own_function(cx, name) => None,
        What::Function { schema, name, arguments } => {
            let since = builtin::first_version(name, Some(*arguments))?;
            let is_overload = builtin::first_version(name, None) < Some(since);
            let what = match arguments {
                1 if is_overload => format!("{name}() with one argument"),
                count if is_overload => format!("{name}() with {count} arguments"),
                _ => format!("{name}()"),
            };
            Some(Needed { what, since, is_certain: schema.is_some() || knows_all_functions(cx) })
        }
        What::Name { kind, name } => {
            let what = match kind {
                NameKind::Setting => "the setting",
                NameKind::Role => "the predefined role",
                NameKind::Relation => "the system view",
                NameKind::Collation => "the collation",
                NameKind::Word => "the word",
            };
            Some(Needed { what: format!("{what} {name}"), since: newer::name(*kind, name)?, is_certain: true })
        }
        What::Word { .. } => None,
    }
}

fn judge(
    cx: &Context<'_>,
    index: usize,
    span: Span,
    when: When,
    needed: &Needed,
    targets: PostgresVersions,
    findings: &mut Findings,
) {
    let Needed { what, since, is_certain } = needed;
    if *since <= targets.oldest {
        return;
    }
    let (level, then) = match when {
        When::Now if *is_certain => (Level::Error, "older ones refuse it"),
        When::Now => (Level::Warning, "older ones refuse it, unless a function of that name was made where it is not seen here"),
        When::Called => (Level::Warning, "older ones take the routine and fail when it is called"),
        When::Guarded => (Level::Note, "the body asks for the version of the server, so it may never run on older ones"),
    };
    let finding = cx.finding_at(
        RULE.id,
        level,
        Some(index),
        span,
        format!("{what} needs PostgreSQL {since}, and the targets start at {}: {then}", targets.oldest),
        format!("say it in a way that {} takes, or drop the servers before {since} from the targets (--postgres)", targets.oldest),
    );
    findings.push(Judged { finding, subjects: vec![what.clone()] });
}

/// The reverse: a word that became a keyword. Where no target takes it, it is a syntax error.
fn keyword(cx: &Context<'_>, index: usize, span: Span, word: &str, findings: &mut Findings) {
    let Some(since) = newer::name(NameKind::Word, word) else { return };
    let level = match cx.settings.postgres {
        Some(targets) if since <= targets.oldest => return,
        Some(targets) if since <= targets.newest => Level::Error,
        Some(_) | None => Level::Warning,
    };
    let finding = cx.finding_at(
        RULE.id,
        level,
        Some(index),
        span,
        format!("{word} is a keyword since PostgreSQL {since}: servers before that take it for a name here, all others refuse the statement"),
        format!("write \"{word}\" in double quotes, which every version takes"),
    );
    findings.push(Judged { finding, subjects: vec![word.to_owned()] });
}

/// The history creates a function of that name, or an extension that it installs does.
fn is_own_function(cx: &Context<'_>, name: &str) -> bool {
    [cx.before, cx.after].iter().any(|catalog| catalog.routines.values().any(|routine| routine.name == name))
}

/// No function exists that is not seen here: neither one of an unseen migration nor one of an extension whose members are not
/// known.
fn knows_all_functions(cx: &Context<'_>) -> bool {
    let knows = |extension: &str| {
        extension == "plpgsql" || cx.after.routines.values().any(|routine| routine.extension.as_deref() == Some(extension))
    };
    !cx.after.incomplete && cx.after.extensions.keys().all(|extension| knows(extension))
}

fn makes_trigger_function(cx: &Context<'_>, index: usize) -> bool {
    let op = cx.parsed.statements[index].outcome.as_ref().map(|statement| &statement.op);
    matches!(op, Ok(Op::CreateRoutine(routine)) if routine.returns.as_ref().is_some_and(|returns| returns.name.name == "trigger"))
}

#[cfg(test)]
mod tests {
    use crate::config::Settings;
    use crate::rules::testing::judged;

    fn found(texts: &[&str], postgres: Option<&str>) -> Vec<String> {
        let postgres = postgres.map(|text| text.parse().unwrap());
        let found = judged(texts, Settings { postgres, ..Settings::default() });
        let wanted = found.iter().filter(|f| matches!(f.rule, "needs-newer-server" | "syntax-error"));
        wanted.map(|f| format!("{} {:?}", f.rule, f.level)).collect()
    }

    #[test]
    fn nothing_is_said_of_newer_things_where_nobody_said_which_servers_there_are() {
        let history = ["SELECT uuidv7();"];
        assert_eq!(found(&history, None), [""; 0]);
        assert_eq!(found(&history, Some("17..18")), ["needs-newer-server Error"]);
        assert_eq!(found(&history, Some("18")), [""; 0]);
    }

    #[test]
    fn a_new_keyword_used_as_a_name_is_as_bad_as_the_servers_that_refuse_it() {
        let history = ["CREATE TABLE logins (system_user text);"];
        assert_eq!(found(&history, Some("15")), ["needs-newer-server Warning"]);
        assert_eq!(found(&history, None), ["needs-newer-server Warning"]);
        assert_eq!(found(&history, Some("15..16")), ["needs-newer-server Error"]);
        assert_eq!(found(&history, Some("16..18")), ["syntax-error Error"]);
    }

    #[test]
    fn what_an_unseen_function_may_be_is_a_warning() {
        let with_extension = ["CREATE EXTENSION known_to_nobody; SELECT uuidv7();"];
        assert_eq!(found(&with_extension, Some("15..18")), ["needs-newer-server Warning"]);
        let qualified = ["CREATE EXTENSION known_to_nobody; SELECT pg_catalog.uuidv7();"];
        assert_eq!(found(&qualified, Some("15..18")), ["needs-newer-server Error"]);
        let own = ["CREATE FUNCTION uuidv7() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()';", "SELECT uuidv7();"];
        assert_eq!(found(&own, Some("15..18")), [""; 0]);
    }
}
