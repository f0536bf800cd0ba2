use super::shared::fallout;
use super::{Check, Context, Family, Findings, Rule};
use crate::catalog::change::Change;
use crate::finding::Level;

pub const RULE: Rule = Rule { id: "drop-column", family: Family::Contract, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    for event in cx.told() {
        let Change::ColumnDropped { relation, column } = &event.change else { continue };
        if !cx.older_table(relation) || !cx.older(column.birth) {
            continue;
        }
        let name = cx.part_label(relation, &column.name);
        findings.push(
            cx.finding(
                RULE.id,
                Level::Error,
                event,
                name.clone(),
                format!(
                    "column {name} is dropped while the previous release may still read or write it{}",
                    fallout::along(cx, event)
                ),
                format!(
                    "release code that neither reads nor writes {name}, then drop it in a later release, in a migration tagged \
                     `-- phase contract`"
                ),
            )
            .also_about(cx.label(relation))
            .related(cx.created(column.birth)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::config::Settings;
    use crate::rules::testing::judged;

    #[test]
    fn what_falls_with_a_column_is_named() {
        let texts = [
            "CREATE TABLE users (id bigint, email text UNIQUE, CONSTRAINT long CHECK (length(email) > 3));
             CREATE INDEX users_lower ON users (lower(email));
             CREATE TABLE mails (email text REFERENCES users (email));
             CREATE VIEW addresses AS SELECT email FROM users;",
            "ALTER TABLE users DROP email CASCADE;",
        ];
        let mut found = judged(&texts, Settings::default());
        found.retain(|finding| finding.rule == RULE.id);
        let [finding] = found.as_slice() else { panic!("one finding: {found:?}") };
        assert_eq!(finding.rule, "drop-column");
        let named = ["users_email_key", "users.long", "users_lower", "mails_email_fkey", "view public.addresses"];
        for name in named {
            assert!(finding.message.contains(name), "{name} is in: {}", finding.message);
        }
    }
}
