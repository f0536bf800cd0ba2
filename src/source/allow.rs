//! Allows: `-- phasegate: allow <rule>[, <rule>] -- <reason>` above a statement, and `allow-file` in the header of a unit.
//!
//! Read here, applied by [`crate::allow`]. Case and the colon do not matter. In a block comment each line may begin one; the lines
//! behind it go on with its reason. A comment that was meant as an allow and is none is kept as [`Directive::Unreadable`], so that a
//! typo is never silence: everything behind `phasegate:`, and behind `phasegate` where the next word is nearly `allow`.

use crate::op::Span;
use crate::source::comment::{Comment, Place};
use crate::source::name;

/// A comment that speaks to phasegate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Directive {
    Allow(Allow),
    Unreadable(Unreadable),
}

/// An allow as it is written. Whether its rules exist is not asked here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// Bytes of the file, from `phasegate` to the end of the reason.
    pub span: Span,
    /// The comment that it stands in.
    pub comment: Span,
    pub scope: AllowScope,
    /// What stands between the commas, at least one. More than one word is no id of a rule.
    pub rules: Vec<NamedRule>,
    /// None where there is none, or one without a letter or digit.
    pub reason: Option<String>,
    pub position: AllowPosition,
}

/// A rule as an allow names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedRule {
    pub name: String,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowScope {
    /// `allow`: the statement that follows.
    Statement,
    /// `allow-file`: the whole unit.
    Unit,
}

/// Where the comment stands, as far as the text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowPosition {
    /// On a line of its own, before the unit's first statement.
    Header,
    /// On a line of its own, further down.
    OwnLine,
    /// Behind something else on its line.
    Trailing,
    /// Inside of the body of a DO block or a routine.
    Body,
}

/// A comment that means to be an allow and cannot be read as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub span: Span,
    pub message: String,
    pub help: String,
}

const NAME: &str = "phasegate";
const VERBS: [&str; 2] = ["allow", "allow-file"];
/// What other tools call it.
const OTHER_VERBS: [&str; 10] =
    ["ignore", "ignore-file", "disable", "disable-file", "skip", "suppress", "permit", "accept", "noqa", "nolint"];
const FORM: &str = "`-- phasegate: allow <rule>[, <rule>] -- <reason>`";

/// The allows among the comments of a unit, in order.
pub fn scan(comments: &[Comment<'_>]) -> Vec<Directive> {
    comments.iter().flat_map(directives).collect()
}

/// What one comment says: at most one thing in a line comment, in a block comment one for each line that begins so.
fn directives(comment: &Comment<'_>) -> Vec<Directive> {
    let mut found: Vec<(Opening, usize, usize)> = Vec::new();
    let mut at = comment.body_start;
    for line in comment.body.split_inclusive('\n') {
        let text = line.trim_start_matches(|c: char| c.is_whitespace() || c == '*' || c == '-');
        let start = at + line.len() - text.len();
        at += line.len();
        match (opening(text.trim_end()), found.last_mut()) {
            (Some(opening), _) => found.push((opening, start, start + text.trim_end().len())),
            (None, Some(last)) if !text.trim_end().is_empty() => last.2 = start + text.trim_end().len(),
            (None, _) => {}
        }
    }
    let text = |start: usize, end: usize| &comment.body[start - comment.body_start..end - comment.body_start];
    found.into_iter().map(|(opening, start, end)| read(comment, opening, text(start, end), start)).collect()
}

/// How a comment begins that speaks to phasegate.
#[derive(Debug, PartialEq, Eq)]
enum Opening {
    /// The scope, and the bytes up to the first behind the verb.
    Allow(AllowScope, usize),
    Unreadable(String),
}

/// None for prose.
fn opening(text: &str) -> Option<Opening> {
    let Some(rest) = text.get(..NAME.len()).filter(|word| word.eq_ignore_ascii_case(NAME)).map(|_| &text[NAME.len()..]) else {
        return misspelt_name(text);
    };
    let separator_end = rest.find(|c: char| c.is_alphanumeric()).unwrap_or(rest.len());
    let (separator, said) = rest.split_at(separator_end);
    let word_end = said.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).unwrap_or(said.len());
    let (word, behind) = said.split_at(word_end);
    let verb = word.to_ascii_lowercase();
    let is_verb = VERBS.contains(&verb.as_str());
    let is_clean = !separator.is_empty() && matches!(separator.trim(), "" | ":");
    let ends_clean = behind.is_empty() || behind.starts_with(char::is_whitespace);
    if is_verb && is_clean && ends_clean {
        let scope = if verb == VERBS[0] { AllowScope::Statement } else { AllowScope::Unit };
        return Some(Opening::Allow(scope, NAME.len() + separator_end + word_end));
    }
    if is_verb {
        let (odd, place) = if is_clean {
            (behind.chars().take(1).collect::<String>(), format!("behind `{verb}`"))
        } else {
            (separator.trim().to_string(), format!("between `{NAME}` and `{verb}`"))
        };
        let odd = if odd.is_empty() { "nothing".to_string() } else { format!("`{odd}`") };
        return Some(Opening::Unreadable(format!("{odd} {place}: this allows nothing")));
    }
    if separator.is_empty() {
        return misspelt_name(text);
    }
    if !separator.trim_start().starts_with(':') && !is_nearly_verb(&verb) {
        return None;
    }
    Some(Opening::Unreadable(if word.is_empty() {
        format!("nothing behind `{NAME}:`: this allows nothing")
    } else {
        format!("`{word}` is nothing that phasegate can be told: this allows nothing")
    }))
}

/// `phasgate: allow …`, `phase-gate allow …`: something else than `phasegate` before an exact verb.
fn misspelt_name(text: &str) -> Option<Opening> {
    let lower = text.to_ascii_lowercase();
    let name_end = match lower.strip_prefix("phase gate") {
        Some(_) => "phase gate".len(),
        None => lower.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).unwrap_or(lower.len()),
    };
    let (name, rest) = lower.split_at(name_end);
    let said = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ':');
    let verb = said.split(char::is_whitespace).next().unwrap_or_default();
    let is_meant = said.len() < rest.len() && VERBS.contains(&verb) && name::edit_distance(name, NAME) <= 2;
    is_meant.then(|| Opening::Unreadable(format!("`{}` is not `{NAME}`: this allows nothing", &text[..name_end])))
}

/// One edit away from a verb, its letters in another order, or what another tool calls it. More would take prose for typos: "all".
fn is_nearly_verb(word: &str) -> bool {
    let letters = |word: &str| {
        let mut letters: Vec<char> = word.chars().filter(|c| c.is_alphanumeric()).collect();
        letters.sort_unstable();
        letters
    };
    let is_near = |verb: &&str| name::edit_distance(word, verb) <= 1 || letters(word) == letters(verb);
    VERBS.iter().any(is_near) || OTHER_VERBS.contains(&word) || word == "allowed"
}

/// `start` is where `text` begins in the file.
fn read(comment: &Comment<'_>, opening: Opening, text: &str, start: usize) -> Directive {
    let span = Span { start, end: start + text.len() };
    let (scope, list_start) = match opening {
        Opening::Allow(scope, list_start) => (scope, list_start),
        Opening::Unreadable(message) => return unreadable(span, message),
    };
    let said = &text[list_start..];
    let (list, reason) = match said.find("--") {
        Some(at) => (&said[..at], reason(&said[at + 2..])),
        None => (said, None),
    };
    let rules = named_rules(list, start + list_start);
    if rules.iter().any(|rule| rule.name.is_empty()) {
        let message = if rules.len() == 1 { "an allow without a rule" } else { "an empty place between the commas of an allow" };
        return unreadable(span, format!("{message}: this allows nothing"));
    }
    let position = match comment.place {
        Place::InBody => AllowPosition::Body,
        _ if !comment.has_own_line => AllowPosition::Trailing,
        Place::BeforeStatements => AllowPosition::Header,
        Place::InTransactionControl | Place::AfterFirst => AllowPosition::OwnLine,
    };
    Directive::Allow(Allow { span, comment: comment.span, scope, rules, reason, position })
}

fn unreadable(span: Span, message: String) -> Directive {
    let help = format!("write {FORM} above the statement, or `allow-file` for the whole migration above its first statement");
    Directive::Unreadable(Unreadable { span, message, help })
}

/// What stands between the commas, each without the blanks around it. `at` is where `list` begins in the file.
fn named_rules(list: &str, at: usize) -> Vec<NamedRule> {
    let mut rules = Vec::new();
    let mut start = at;
    for item in list.split(',') {
        let name = item.trim();
        let from = start + item.len() - item.trim_start().len();
        let name_of_several_words = name.split_whitespace().collect::<Vec<_>>().join(" ");
        rules.push(NamedRule { name: name_of_several_words, span: Span { start: from, end: from + name.len() } });
        start += item.len() + 1;
    }
    rules
}

/// A reason on one line, without the stars that block comments are drawn with.
fn reason(text: &str) -> Option<String> {
    let lines = text.lines().map(|line| line.trim().trim_start_matches('*').trim());
    let reason = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    reason.chars().any(char::is_alphanumeric).then_some(reason)
}

#[cfg(test)]
#[path = "allow_tests.rs"]
mod tests;
