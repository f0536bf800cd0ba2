//! Phase tags: `-- phase contract completes=… objects=a,b.c after=… reason="…"` before a unit's first statement.
//!
//! Only comment tokens count, never text in strings or bodies. Case does not matter, neither does a colon after the prefix.
//! Transaction control and psql meta-commands may stand before a tag: they are not what the unit is about. A comment that was
//! meant as a tag and is none is a finding, so that a typo is never silence.

use crate::op::Span;
use crate::source::comment::{Comment, Place};
use crate::source::{Phase, PhaseTag, name};

const PHASES: [&str; 2] = ["contract", "expand"];
const KEYS: [&str; 4] = ["completes", "objects", "after", "reason"];

/// What the comments of one unit say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagScan {
    pub tag: Option<(Phase, PhaseTag)>,
    pub malformed: Vec<MalformedTag>,
}

/// A comment that was meant as a tag and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedTag {
    pub span: Span,
    pub message: String,
    pub help: String,
}

/// Reads the tags among the comments of a unit. `prefixes` are the words after `--`, such as `phase`.
pub fn scan(comments: &[Comment<'_>], prefixes: &[String]) -> TagScan {
    let mut found = TagScan::default();
    for comment in comments.iter().filter(|comment| comment.place != Place::InBody) {
        read(comment, prefixes, &mut found);
    }
    found
}

fn read(comment: &Comment<'_>, prefixes: &[String], found: &mut TagScan) {
    let Some(reading) = prefixes.iter().find_map(|prefix| parse(comment.body, prefix)) else { return };
    let complaint = match reading {
        Reading::Tag(..) if comment.place == Place::AfterFirst => Some((
            "a phase tag after the unit's first statement has no effect".to_string(),
            "move it above the first statement".to_string(),
        )),
        Reading::Tag(..) if comment.is_block => Some((
            "a phase tag in a block comment has no effect".to_string(),
            format!("write it as a line comment: `-- {}`", comment.body),
        )),
        Reading::Tag(..) if !comment.has_own_line => None,
        Reading::Tag(..) if found.tag.is_some() => {
            Some(("a second phase tag: only the first counts".to_string(), "keep one tag per migration".to_string()))
        }
        Reading::Tag(phase, mut tag) => {
            tag.span = comment.span;
            found.tag = Some((phase, tag));
            None
        }
        Reading::Malformed { message, help } => comment.has_own_line.then_some((message, help)),
    };
    if let Some((message, help)) = complaint {
        found.malformed.push(MalformedTag { span: comment.span, message, help });
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Reading {
    Tag(Phase, PhaseTag),
    Malformed { message: String, help: String },
}

/// `None` where the comment is prose.
fn parse(body: &str, prefix: &str) -> Option<Reading> {
    let rest = body.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix)).map(|_| &body[prefix.len()..])?;
    let separator_end = rest.find(|c: char| !(c.is_whitespace() || ":=-_".contains(c)))?;
    let (separator, rest) = rest.split_at(separator_end);
    if separator.is_empty() {
        return None;
    }
    let word_end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
    let (word, options) = rest.split_at(word_end);
    let lower = word.to_lowercase();
    if KEYS.contains(&lower.as_str()) && options.trim_start().starts_with('=') {
        return Some(Reading::Malformed {
            message: format!("`{word}=` without a phase: this is no phase tag"),
            help: format!("write `-- {prefix} contract {rest}`"),
        });
    }
    let near = name::nearest(&lower, PHASES)?;
    if near != lower {
        return Some(Reading::Malformed {
            message: format!("`{word}` is no phase"),
            help: format!("did you mean `-- {prefix} {near}`?"),
        });
    }
    if !matches!(separator.trim(), "" | ":") {
        return Some(Reading::Malformed {
            message: format!("`{}` between `{prefix}` and `{word}`: this is no phase tag", separator.trim()),
            help: format!("write `-- {prefix} {near}`"),
        });
    }
    let phase = if near == "contract" { Phase::Contract } else { Phase::Expand };
    Some(match parse_options(options) {
        Ok(tag) => Reading::Tag(phase, tag),
        Err(message) => Reading::Malformed {
            message,
            help: format!(
                "a tag is `-- {prefix} {near}`, then only completes=<migration>, objects=<a,b.c>, after=<release> or reason=\"…\""
            ),
        },
    })
}

fn parse_options(text: &str) -> Result<PhaseTag, String> {
    let mut tag = PhaseTag { span: Span::default(), completes: None, objects: Vec::new(), after: None, reason: None };
    let mut rest = text;
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return Err(format!("`{}` right after the phase: this is no phase tag", rest.chars().take(1).collect::<String>()));
    }
    let mut seen: Vec<&str> = Vec::new();
    while !rest.trim_start().is_empty() {
        rest = rest.trim_start();
        let word_end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        let (word, after_word) = rest.split_at(word_end);
        let Some(value_text) = after_word.strip_prefix('=') else {
            return Err(format!("`{word}` is no option of a phase tag"));
        };
        let Some(&key) = KEYS.iter().find(|k| word.eq_ignore_ascii_case(k)) else {
            let meant = name::nearest(word, KEYS).map(|k| format!(", did you mean `{k}=`?")).unwrap_or_default();
            return Err(format!("`{word}=` is no option of a phase tag{meant}"));
        };
        if seen.contains(&key) {
            return Err(format!("`{key}=` stands twice in the phase tag"));
        }
        seen.push(key);
        let (value, after_value) = split_value(value_text).ok_or_else(|| format!("the quote after `{key}=` is not closed"))?;
        let plain = unquoted(value);
        if let Some(swallowed) = KEYS.iter().find(|k| !value.starts_with('"') && value.contains(&format!(",{k}="))) {
            return Err(format!("`{swallowed}=` is part of the value of `{key}=`: options stand apart by blanks, not commas"));
        }
        if plain.trim().is_empty() {
            return Err(format!("`{key}=` has no value"));
        }
        match key {
            "completes" => tag.completes = Some(plain),
            "after" => tag.after = Some(plain),
            "reason" => tag.reason = Some(plain),
            _ => tag.objects = objects(value)?,
        }
        rest = after_value;
    }
    Ok(tag)
}

/// The value up to the next blank outside of double quotes, and what follows it.
fn split_value(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => return Some(text.split_at(at)),
            _ => {}
        }
    }
    (!quoted).then_some((text, ""))
}

/// Takes the quotes off a value that is quoted as a whole.
fn unquoted(value: &str) -> String {
    match value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) {
        Some(inner) => inner.replace("\\\"", "\"").replace("\"\"", "\""),
        None => value.to_string(),
    }
}

/// Names between commas, each as SQL writes it. A list quoted as a whole is taken out of its quotes; one quoted name is a name.
fn objects(value: &str) -> Result<Vec<String>, String> {
    let whole = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).filter(|v| !v.contains('"') && v.contains([',', '.']));
    let mut names = vec![String::new()];
    let mut quoted = false;
    for c in whole.unwrap_or(value).chars() {
        quoted ^= c == '"';
        match names.last_mut() {
            Some(name) if c != ',' || quoted => name.push(c),
            _ => names.push(String::new()),
        }
    }
    let names: Vec<String> = names.iter().map(|n| n.trim().to_string()).collect();
    if names.iter().any(String::is_empty) { Err("`objects=` has an empty name in its list".into()) } else { Ok(names) }
}

#[cfg(test)]
#[path = "tag_tests.rs"]
mod tests;
