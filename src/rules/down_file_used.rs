use super::{Check, Family, HistoryContext, Rule};
use crate::finding::{Finding, Level};
use crate::op::Span;
use crate::source::SourceFile;
use std::collections::BTreeSet;

pub const RULE: Rule = Rule { id: "down-file-used", family: Family::History, level: Level::Off, check: Check::History(check) };

fn check(cx: &HistoryContext<'_>, findings: &mut Vec<Finding>) {
    let downs = Downs::of(cx);
    for script in cx.scripts.iter().filter(|script| !downs.own.contains(script.repo_path.as_str())) {
        for (span, word) in words(script).filter(|(_, word)| downs.names(word)) {
            let message = format!("{word} undoes migrations, and this file uses it: what it drops was used by the release before");
            let help = "take a release back by releasing what worked; keep down files for development".into();
            findings.push(Finding { span, ..cx.finding_of_file(RULE.id, Level::Off, &script.path, message, help) });
        }
    }
}

/// The down files of a history.
struct Downs<'a> {
    /// All files of the history: they may name each other.
    own: BTreeSet<&'a str>,
    /// The end of every name, where they have one in common: `.down.sql`, `/down.sql`.
    ending: Option<&'static str>,
    /// Names of the other ones.
    files: BTreeSet<&'a str>,
}

impl<'a> Downs<'a> {
    fn of(cx: &HistoryContext<'a>) -> Downs<'a> {
        let mut downs = Downs { own: BTreeSet::new(), ending: None, files: BTreeSet::new() };
        for unit in &cx.history.migrations {
            downs.own.insert(&unit.file.repo_path);
            // A section of the same file is nothing that a script could name.
            let Some(down) = unit.down.as_ref().filter(|down| down.file.path != unit.file.path) else { continue };
            downs.own.insert(&down.file.repo_path);
            let name = down.file.path.rsplit('/').next().unwrap_or(&down.file.path);
            match name {
                "down.sql" => downs.ending = Some("/down.sql"),
                _ if name.ends_with(".down.sql") => downs.ending = Some(".down.sql"),
                _ => {
                    downs.files.insert(name);
                }
            }
        }
        downs
    }

    /// A path, or a pattern of paths, of down files. Any such name counts: scripts make them up.
    fn names(&self, word: &str) -> bool {
        let is_one = |ending: &str| word.ends_with(ending) || word == ending.trim_start_matches('/');
        self.ending.is_some_and(is_one) || self.files.contains(word.rsplit('/').next().unwrap_or(word))
    }
}

/// What a script has between blanks and quotes, with its place. What is no UTF-8 separates, too.
fn words(script: &SourceFile) -> impl Iterator<Item = (Span, &str)> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./*?[]{}$%+@~".contains(byte) || *byte >= 0x80;
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = &script.bytes;
        loop {
            let start = at + bytes.get(at..)?.iter().position(is_part)?;
            let end = bytes[start..].iter().position(|byte| !is_part(byte)).map_or(bytes.len(), |length| start + length);
            at = end;
            // A sentence ends with a dot.
            if let Ok(word) = std::str::from_utf8(&bytes[start..end]) {
                let word = word.trim_end_matches('.');
                return Some((Span { start, end: start + word.len() }, word));
            }
        }
    })
}
