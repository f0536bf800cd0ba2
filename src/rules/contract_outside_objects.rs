use super::{Check, Context, Family, Findings, Judged, Rule, family_of};
use crate::finding::Level;
use crate::source::Phase;

pub const RULE: Rule =
    Rule { id: "contract-outside-objects", family: Family::Phase, level: Level::Error, check: Check::AfterOthers(check) };

fn check(cx: &Context<'_>, others: &[Judged], findings: &mut Findings) {
    let Some(tag) = cx.migration.tag.as_ref().filter(|tag| cx.migration.phase == Phase::Contract && !tag.objects.is_empty()) else {
        return;
    };
    let path = cx.before.search_path();
    for judged in others {
        let contracts = judged.finding.level == Level::Error
            && family_of(judged.finding.rule) == Some(Family::Contract);
        let listed = judged.subjects.iter().any(|subject| tag.objects.iter().any(|listed| covers(&path, listed, subject)));
        if !contracts || listed {
            continue;
        }
        let object = judged.subjects.first().cloned().unwrap_or_default();
        let statement = judged.finding.statement.map(|number| number - 1);
        let finding = cx.finding_at(
            RULE.id,
            Level::Error,
            statement,
            judged.finding.span,
            format!("the tag lists {}, but this contracts {object} ({})", tag.objects.join(", "), judged.finding.rule),
            format!("add {object} to objects=… of the tag if it is meant, or move the statement to a migration of its own"),
        );
        findings.push(Judged { finding, subjects: vec![object] });
    }
}

/// `public.users` covers itself and what is in it; so does `users`, in a schema that the unit's search path looks in. Argument
/// types are compared where the tag gives them.
fn covers(search_path: &[String], listed: &str, object: &str) -> bool {
    let (listed_name, listed_arguments) = split(listed);
    let (name, arguments) = split(object);
    if listed_arguments.is_some() && listed_arguments != arguments {
        return false;
    }
    let (wanted, parts) = (parts(listed_name), parts(name));
    let unqualified = || parts.first().is_some_and(|schema| search_path.contains(schema)) && parts[1..].starts_with(&wanted);
    !wanted.is_empty() && (parts.starts_with(&wanted) || unqualified())
}

/// A name, and its argument types without blanks.
fn split(name: &str) -> (&str, Option<String>) {
    match name.split_once('(') {
        Some((name, arguments)) => (name, Some(arguments.trim_end_matches(')').replace(' ', ""))),
        None => (name, None),
    }
}

/// The parts of a dotted name, unquoted: dots and blanks in quotes belong to their part, what follows another blank does not.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in name.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            ' ' if !quoted => break,
            _ => parts.iter_mut().next_back().into_iter().for_each(|part| part.push(c)),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::covers;

    fn path() -> Vec<String> {
        vec!["public".to_string()]
    }

    #[test]
    fn a_listed_name_covers_itself_and_what_is_in_it() {
        assert!(covers(&path(), "users", "public.users"));
        assert!(covers(&path(), "users", "public.users.name"));
        assert!(covers(&path(), "public.users", "public.users.name"));
        assert!(covers(&path(), "users.name", "public.users.name"));
        assert!(covers(&path(), "add", "public.add(integer, integer)"));
        assert!(!covers(&path(), "users.name", "public.users"));
        assert!(!covers(&path(), "name", "public.users.name"));
        assert!(!covers(&path(), "user", "public.users"));
        assert!(!covers(&path(), "users", "archive.users"));
        assert!(!covers(&path(), "add(integer)", "public.add(text)"));
        assert!(!covers(&path(), "\"T\".\"A b\"", "public.\"T\".\"A c\""));
    }
}
