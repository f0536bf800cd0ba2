use super::{Check, Context, Family, Findings, Judged, Rule, family_of};
use crate::finding::Level;
use crate::source::Phase;

pub const RULE: Rule =
    Rule { id: "contract-outside-objects", family: Family::Phase, level: Level::Error, check: Check::AfterOthers(check) };

fn check(cx: &Context<'_>, others: &[Judged], findings: &mut Findings) {
    let Some(tag) = cx.migration.tag.as_ref().filter(|tag| cx.migration.phase == Phase::Contract && !tag.objects.is_empty()) else {
        return;
    };
    for judged in others {
        let contracts = judged.finding.level == Level::Error
            && family_of(judged.finding.rule) == Some(Family::Contract);
        let listed = judged.subjects.iter().any(|subject| tag.objects.iter().any(|listed| covers(listed, subject)));
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

/// `users` and `public.users` cover `public.users` and `public.users.name`; `users.name` covers only the column.
fn covers(listed: &str, object: &str) -> bool {
    let listed: Vec<String> = parts(listed);
    let object: Vec<String> = parts(object);
    !listed.is_empty() && (object.starts_with(&listed) || object.get(1..).is_some_and(|rest| rest.starts_with(&listed)))
}

/// The parts of a dotted name, unquoted; argument types and what follows a blank are left out.
fn parts(name: &str) -> Vec<String> {
    let name = name.split(['(', ' ']).next().unwrap_or(name);
    name.split('.').map(|part| part.trim_matches('"').to_string()).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_listed_name_covers_itself_and_what_is_in_it() {
        assert!(covers("users", "public.users"));
        assert!(covers("users", "public.users.name"));
        assert!(covers("public.users", "public.users.name"));
        assert!(covers("users.name", "public.users.name"));
        assert!(covers("add", "public.add(integer, integer)"));
        assert!(!covers("users.name", "public.users"));
        assert!(!covers("name", "public.users.name"));
        assert!(!covers("user", "public.users"));
    }
}
