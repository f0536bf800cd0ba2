//! The page about one layout: what its runner does, how a migration is tagged in it, how it is proven. Written from what the rest of
//! the program knows, so that it says nothing else; `docs/layouts/` holds all of them.

use super::transaction;
use crate::prove::runner::known::{self, Command, Lock, Made, Moment, Pending, Session, Spread};
use crate::source::layouts::{Layout, OptOut, Statements};
use std::fmt::Write as _;

/// The page, as Markdown.
pub fn page(layout: &dyn Layout) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut page, layout);
    page
}

fn write(page: &mut String, layout: &dyn Layout) -> std::fmt::Result {
    let name = layout.name();
    let profile = known::profile(name);
    writeln!(page, "# {name}\n")?;
    writeln!(page, "Recognised by {}.\n", coded(layout.marks()))?;
    let below = if layout.is_recursive() { ", in sub-directories too" } else { "" };
    writeln!(
        page,
        "It runs {}{below}. Another layout is named with `--layout` or `layout = \"…\"` in phasegate.toml.\n",
        layout.file_names()
    )?;

    writeln!(page, "## What its runner does\n")?;
    if profile.runner.is_none() {
        writeln!(page, "Nobody knows the runner: what stands here is assumed, and `--runner` proves your own.\n")?;
    }
    writeln!(page, "- **Transaction**: {}.", transaction(layout.wrapping()))?;
    writeln!(page, "- **Out of it**: {}.", way_out(layout.opt_out()))?;
    if profile.spread == Spread::AllPending {
        writeln!(page, "- All that is pending runs in one transaction.")?;
    }
    writeln!(page, "- **Lock**: {}.", lock(profile.lock, layout.waits_for_advisory_lock()))?;
    let ledger = profile.ledger;
    writeln!(page, "- **Ledger**: `{}({})`, {}; {}.", ledger.table, ledger.column, made(ledger.made), recorded(&ledger))?;
    if let Some((_, says)) = ledger.refuses {
        writeln!(page, "- **After a stop in the middle** it refuses to go on: “{says}”.")?;
    }
    writeln!(page, "- **Pending**: {}.", pending(profile.pending))?;
    writeln!(page, "- **Session**: {}.", session(profile.session))?;
    let down = if layout.has_down_parts() {
        "it knows how to undo a step; that part is not checked, and listed as skipped"
    } else {
        "it does not undo"
    };
    writeln!(page, "- **Down**: {down}.\n")?;

    writeln!(page, "## How to tag\n")?;
    writeln!(
        page,
        "A migration that takes something away on purpose says so in a comment before its first statement: `-- phase contract reason=\"…\"`. \
         The tag is about that migration, whatever else its file holds."
    )?;
    if let OptOut::Mark { mark, place, .. } = layout.opt_out()
        && mark.starts_with("--")
    {
        writeln!(
            page,
            "\nWhere the runner's own `{mark}` is needed too, that keeps its place ({place}); the tag stands below it."
        )?;
    }

    writeln!(page, "\n## How to prove\n")?;
    let whose = profile.runner.map_or_else(|| "a runner as above".to_owned(), |runner| format!("what {runner} does"));
    writeln!(page, "`phasegate prove PATH` does {whose}, as far as it stands here.")?;
    if let Some(remark) = profile.remark {
        writeln!(page, "Otherwise than the runner: {remark}.")?;
    }
    writeln!(page, "What is shown of a lock is shown of ours; your own runner is proven by")?;
    let (flags, command) = match profile.command {
        Some(Command::Socket(command)) => ("", command),
        Some(Command::Tcp(command)) => (" --runner-tcp", command),
        None => ("", "bash migrate.sh"),
    };
    writeln!(page, "\n```sh\nphasegate prove PATH{flags} --runner '{command}'\n```\n")?;
    writeln!(
        page,
        "It finds `DATABASE_URL`, `PGHOST`, `PGPORT`, `PGDATABASE`, `PGUSER`, `PGPASSWORD` and `MIGRATIONS_DIR` in its environment. \
         `MIGRATIONS_DIR` is a copy with the first migrations only, where a proof looks at a half migrated database."
    )?;
    if profile.command.is_some() && !command.contains("MIGRATIONS_DIR") {
        writeln!(
            page,
            "This command finds its files by its own configuration: let that read `MIGRATIONS_DIR`, else leave those proofs out \
             (`--skip runners,crash`)."
        )?;
    }
    Ok(())
}

/// Words that Markdown would read as more than words become code.
fn coded(text: &str) -> String {
    let mut is_code = false;
    let word = |word: &str| {
        let was_code = is_code;
        is_code ^= word.matches('`').count() % 2 == 1;
        let inner = word.trim_start_matches('(').trim_end_matches([')', ',', ';']);
        if was_code || word.contains('`') || !inner.contains(['<', '_', '*']) {
            return word.to_owned();
        }
        word.replacen(inner, &format!("`{inner}`"), 1)
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn way_out(opt_out: OptOut) -> String {
    match opt_out {
        OptOut::None => "there is none to leave: every statement is sent alone".to_owned(),
        OptOut::Alone => "a statement that refuses a transaction has to be the only one of its file".to_owned(),
        OptOut::Mark { mark, place, statements } => {
            let sent = match statements {
                Statements::Apart => "the statements are then sent one by one",
                Statements::Batch => {
                    "all statements are then sent in one message, so that one that refuses a transaction has to be the only one"
                }
            };
            format!("`{mark}` {place}; {sent}")
        }
        OptOut::Elsewhere(what) => format!("no file can leave it; {what}"),
    }
}

fn lock(lock: Lock, waits: bool) -> String {
    let text = match lock {
        Lock::None => "none: runners that start together meet".to_owned(),
        Lock::Waited { .. } => "an advisory lock of the session, for which others wait".to_owned(),
        Lock::Polled { every, tries, .. } => {
            format!("an advisory lock of the session; others ask again every {} s, up to {tries} times", every.as_secs_f64())
        }
        Lock::Tried { refusal, .. } => {
            format!("an advisory lock of the session, asked for once: another runner ends with “{refusal}”")
        }
        Lock::Row { table, .. } => format!("a row in `{table}`, which stays when a runner is killed"),
    };
    if waits {
        format!("{text}. CREATE INDEX CONCURRENTLY of one of them waits for the others: start one runner at a time")
    } else {
        text
    }
}

fn made(made: Made) -> &'static str {
    match made {
        Made::ByScripts => "made by the scripts themselves",
        Made::ByRunner { under_lock: true, .. } => "made by the runner under its lock",
        Made::ByRunner { looks_first: true, .. } => {
            "made by the runner, which looks first, outside of a lock: two can meet there"
        }
        Made::ByRunner { .. } => "made by the runner outside of a lock: two can meet there",
    }
}

fn recorded(ledger: &known::LedgerShape) -> &'static str {
    match (ledger.before.is_some(), ledger.record.map(|(moment, _)| moment)) {
        (true, _) => "written before the migration, in a transaction of its own, and again after it",
        (false, Some(Moment::InTransaction)) => {
            "written in the migration's transaction, where the runner opened one, else behind it"
        }
        (false, Some(Moment::InBatch)) => "written in the migration's transaction or message",
        (false, Some(Moment::After)) => {
            "written after the migration, in a transaction of its own: a stop between leaves it applied and not recorded"
        }
        (false, None) => "written by the scripts",
    }
}

fn pending(pending: Pending) -> &'static str {
    match pending {
        Pending::Missing => "what the ledger does not have",
        Pending::AfterLast => "what comes after the last one in the ledger",
        Pending::Everything => "everything, each time: the scripts ask by themselves",
    }
}

fn session(session: Session) -> &'static str {
    match session {
        Session::One => "one for everything: what a migration sets, the next one finds",
        Session::Reset => "one, with RESET ALL before each migration",
        Session::OnePerFile => "one for each file",
    }
}
