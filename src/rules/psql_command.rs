use super::shared::connection::without_passwords;
use super::{Check, Context, Family, Findings, Judged, Rule};
use crate::finding::Level;
use crate::sql::{Oddity, OddityKind};

pub const RULE: Rule = Rule { id: "psql-command", family: Family::History, level: Level::Error, check: Check::Unit(check) };

fn check(cx: &Context<'_>, findings: &mut Findings) {
    let run_by_psql = cx.settings.runner_is_psql || cx.history.is_run_by_psql();
    // A runner with the form of psql's variables has values for them.
    let is_refused = |oddity: &&Oddity| oddity.kind != OddityKind::Variable || !cx.has_variables();
    for oddity in cx.parsed.oddities.iter().filter(is_refused) {
        let Some((level, message, help)) = (if run_by_psql { runs_unseen(oddity) } else { refused(oddity) }) else { continue };
        let statement = cx.statement_at(oddity.span);
        let finding = cx.finding_at(RULE.id, level, statement, oddity.span, message, help.into());
        findings.push(Judged { finding, subjects: vec![oddity.text.clone()] });
    }
}

/// What only psql understands, in a file that it does not run.
fn refused(oddity: &Oddity) -> Option<(Level, String, &'static str)> {
    let text = without_passwords(&oddity.text);
    let (message, help) = match oddity.kind {
        OddityKind::MetaCommand => (
            format!("{text} is a command of psql, no SQL: a runner that sends the file to the server fails on it"),
            "say it in SQL, so that every runner can send it",
        ),
        OddityKind::Variable => (
            format!("{text} is a variable of psql, no SQL: a runner that sends the file to the server fails on it"),
            "write the value into the file",
        ),
        OddityKind::CopyData => (
            "COPY … FROM stdin with its data in the file works in psql only: a runner sends the data as if it were SQL".to_string(),
            "use INSERT … VALUES",
        ),
        OddityKind::Placeholder => return None,
    };
    Some((Level::Error, message, help))
}

/// psql understands its commands, but some of them run what does not stand in the file.
fn runs_unseen(oddity: &Oddity) -> Option<(Level, String, &'static str)> {
    if oddity.kind != OddityKind::MetaCommand {
        return None;
    }
    let command = oddity.text.trim_start_matches('\\');
    let name = command.split_ascii_whitespace().next().unwrap_or_default();
    match name {
        "i" | "include" | "ir" | "include_relative" => Some((
            Level::Warning,
            format!("{} runs another file here, which is not read: what it does is not known", oddity.text),
            "write its statements into this file, or check that file by itself",
        )),
        "gexec" => Some((
            Level::Error,
            "\\gexec runs what the query before it returns as SQL, so it cannot be judged from the file".to_string(),
            "write the statements out",
        )),
        // What runs the shell is told as `leaves-database`.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Settings;
    use crate::finding::Level;
    use crate::rules::testing::judged;

    fn found(text: &str, runner_is_psql: bool) -> Vec<(Level, String)> {
        let found = judged(&[text], Settings { runner_is_psql, ..Settings::default() });
        found.into_iter().filter(|finding| finding.rule == "psql-command").map(|f| (f.level, f.message)).collect()
    }

    #[test]
    fn files_that_psql_runs_may_hold_its_commands() {
        let text = "\\connect shop\n\\set n 1\nCREATE TABLE users (id bigint DEFAULT :n);\n";
        assert_eq!(found(text, false).len(), 3);
        assert_eq!(found(text, true), []);
    }

    #[test]
    fn commands_that_run_what_is_not_in_the_file_are_said_even_to_psql() {
        let text = "\\ir ../functions.sql\nSELECT 'DROP TABLE x' \\gexec\n\\! rm x\n\\copy t from 'x'\n";
        let found = found(text, true);
        assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [Level::Warning, Level::Error]);
        assert!(found[0].1.starts_with("\\ir ../functions.sql runs another file"), "{}", found[0].1);
    }
}
