use super::shared::fallout;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::catalog::object::Birth;
use crate::finding::Level;
use crate::op::ObjectKind;

pub const RULE: Rule = Rule { id: "drop-schema", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        let role_birth = |role: &str| cx.after.roles.get(role).or(cx.before.roles.get(role)).map_or(Birth::UNSEEN, |r| r.birth);
        let (message, name, birth) = match &event.change {
            Change::SchemaDropped { schema } => {
                (format!("schema {} is dropped", schema.name), schema.name.clone(), schema.birth)
            }
            Change::ExtensionDropped { extension } => {
                let what = format!("extension {} is dropped with its types, functions and operators", extension.name);
                (what, extension.name.clone(), extension.birth)
            }
            Change::OtherDropped { kind: ObjectKind::Database, name, birth } => {
                (format!("database {name} is dropped"), name.clone(), *birth)
            }
            Change::OwnedDropped { role } => {
                (format!("all that role {role} owns is dropped, and all it was granted is revoked"), role.clone(), role_birth(role))
            }
            Change::OwnedReassigned { role, to } => {
                let what = format!("all that role {role} owns goes to {to}: {role} loses its rights as owner (42501)");
                (what, role.clone(), role_birth(role))
            }
            _ => continue,
        };
        if !cx.older(birth) {
            continue;
        }
        findings.push(
            cx.finding(
                RULE.id,
                Level::Error,
                event,
                name,
                format!("{message}, while the previous release may still use it{}", fallout::along(cx, event)),
                "release code that uses nothing of it, then do this in a later release, in a migration tagged `-- phase contract`"
                    .into(),
            )
            .related(cx.created(birth)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::config::Settings;
    use crate::rules::testing::judged;

    #[test]
    fn what_goes_with_an_extension_is_named() {
        let texts = ["CREATE EXTENSION citext; CREATE TABLE users (email citext);", "DROP EXTENSION citext CASCADE;"];
        let mut found = judged(&texts, Settings::default());
        found.retain(|finding| finding.rule == RULE.id);
        let [finding] = found.as_slice() else { panic!("one finding: {found:?}") };
        assert_eq!(finding.rule, "drop-schema");
        assert!(finding.message.contains("column public.users.email"), "{}", finding.message);
    }
}
