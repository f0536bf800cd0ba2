use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::finding::Level;
use crate::sql::OddityKind;

pub const RULE: Rule = Rule { id: "psql-command", family: Family::History, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    if cx.settings.runner_is_psql {
        return;
    }
    for oddity in &cx.parsed.oddities {
        let (message, help) = match oddity.kind {
            OddityKind::MetaCommand => (
                format!("{} is a command of psql, no SQL: a runner that sends the file to the server fails on it", oddity.text),
                "say it in SQL, so that every runner can send it",
            ),
            OddityKind::Variable => (
                format!("{} is a variable of psql, no SQL: a runner that sends the file to the server fails on it", oddity.text),
                "write the value into the file",
            ),
            OddityKind::CopyData => (
                "COPY … FROM stdin with its data in the file works in psql only: a runner sends the data as if it were SQL".to_string(),
                "use INSERT … VALUES",
            ),
            OddityKind::Placeholder => continue,
        };
        let statement = cx.statement_at(oddity.span);
        let finding = cx.finding_at(RULE.id, Level::Error, statement, oddity.span, message, help.into());
        findings.push(Judged { finding, subjects: vec![oddity.text.clone()] });
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Settings;
    use crate::rules::testing::judged;

    #[test]
    fn files_that_psql_runs_may_hold_its_commands() {
        let count = |settings| {
            let found = judged(&["\\connect shop\nCREATE TABLE users (id bigint);\n"], settings);
            found.iter().filter(|finding| finding.rule == "psql-command").count()
        };
        assert_eq!(count(Settings::default()), 1);
        assert_eq!(count(Settings { runner_is_psql: true, ..Settings::default() }), 0);
    }
}
