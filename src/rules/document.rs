//! Rules as documents: `rules/<id>.md` is the text of `explain`, the row of `rules`, and a test.
//!
//! The format is described in `rules/README.md`. Parsing is strict: whatever is not understood is an error with its line. Lines of
//! examples are counted in the text as it is checked, after the announcements are cut out.

use crate::effect::BreakKind;
use crate::finding::Level;
use crate::rules::example::{self, Example};
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::de::{Deserialize, IntoDeserializer};
use std::sync::LazyLock;

/// What a rule is about. A phase tag silences the family `contract` and no other.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Contract,
    Phase,
    Blocking,
    Retry,
    History,
    Access,
    Style,
    Proof,
}

impl Family {
    /// As it is spelled in documents and reports.
    pub fn name(self) -> &'static str {
        match self {
            Family::Contract => "contract",
            Family::Phase => "phase",
            Family::Blocking => "blocking",
            Family::Retry => "retry",
            Family::History => "history",
            Family::Access => "access",
            Family::Style => "style",
            Family::Proof => "proof",
        }
    }
}

/// One rule's document.
#[derive(Clone, Debug)]
pub struct RuleDocument {
    pub id: String,
    pub family: Family,
    /// The level of its findings unless the rule says otherwise; [`Level::Off`] waits to be switched on.
    pub level: Level,
    /// One sentence: what it catches.
    pub summary: String,
    /// The kinds of facts that the rule is about.
    pub breaks: Vec<BreakKind>,
    /// The text under the title, Markdown, announcements included.
    pub body: String,
    pub bad: Vec<Example>,
    pub good: Vec<Example>,
}

/// A document that does not follow `rules/README.md`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rules/{id}.md:{line}: {what}")]
pub struct DocumentError {
    pub id: String,
    /// 1-based.
    pub line: usize,
    pub what: String,
}

/// Every document of the binary, as (id, text), by id.
pub static EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/rule_documents.rs"));

static DOCUMENTS: LazyLock<Result<Vec<RuleDocument>, DocumentError>> =
    LazyLock::new(|| EMBEDDED.iter().map(|(id, text)| parse(id, text)).collect());

/// Every document, by id. An error is a defect of the build; the tests parse each document on its own.
pub fn all() -> Result<&'static [RuleDocument], &'static DocumentError> {
    DOCUMENTS.as_ref().map(Vec::as_slice)
}

/// The document of a rule.
pub fn find(id: &str) -> Option<&'static RuleDocument> {
    let documents = all().ok()?;
    documents.binary_search_by(|document| document.id.as_str().cmp(id)).ok().map(|at| &documents[at])
}

/// Where the document of a rule can be read.
pub fn url(id: &str) -> String {
    format!("{}/-/blob/main/rules/{id}.md", env!("CARGO_PKG_REPOSITORY"))
}

impl RuleDocument {
    /// The text of one of its sections, such as "Why it hurts"; empty where there is none.
    pub fn section(&self, name: &str) -> &str {
        let heading = format!("## {name}\n");
        let start = self.body.find(&heading).map_or(self.body.len(), |at| at + heading.len());
        let text = &self.body[start..];
        text[..text.find("\n## ").unwrap_or(text.len())].trim()
    }
}

const SECTIONS: [&str; 5] = ["What it catches", "Why it hurts", "Bad", "Good", "Recipe"];
const SUMMARY_LIMIT: usize = 110;

/// Parses `rules/<id>.md`. The error names the line and what should stand there.
pub fn parse(id: &str, text: &str) -> Result<RuleDocument, DocumentError> {
    let lines: Vec<&str> = text.lines().collect();
    parse_lines(id, &lines).map_err(|(line, what)| DocumentError { id: id.to_owned(), line, what })
}

/// A 1-based line and what is wrong there.
pub(super) type Wrong = (usize, String);

fn parse_lines(id: &str, lines: &[&str]) -> Result<RuleDocument, Wrong> {
    if lines.first() != Some(&"---") {
        return Err((1, "the document starts with a line `---`".into()));
    }
    let close =
        1 + lines[1..].iter().position(|line| *line == "---").ok_or((1, "the head does not end with `---`".to_owned()))?;
    let head = Head::parse(id, &lines[1..close], close + 1)?;
    let title = close + 1;
    if lines.get(title) != Some(&format!("# {id}").as_str()) {
        return Err((title + 1, format!("the title is `# {id}`")));
    }
    let sections = sections(lines, title + 1)?;
    let mut bad = Vec::new();
    let mut good = Vec::new();
    for (name, start, end) in sections {
        let examples = match name {
            "Bad" => &mut bad,
            "Good" => &mut good,
            _ => continue,
        };
        *examples = example::blocks(&lines[start..end], start)?;
        match (name, examples.is_empty(), head.shown_in_sql) {
            ("Bad", false, false) => return Err((start, "`bad: none` and a bad example".into())),
            ("Bad", true, false) => {}
            (_, true, _) => return Err((start, format!("{name} holds no ```sql example"))),
            (_, false, _) => {}
        }
        for example in examples.iter() {
            let own = example.announcements().any(|announcement| announcement.rule == id);
            match (name, own) {
                ("Bad", false) => return Err((example.line, format!("a bad example announces `{id}`"))),
                ("Good", true) => return Err((example.line, format!("a good example never announces `{id}`"))),
                _ => {}
            }
        }
    }
    let body = lines[title + 1..].join("\n").trim().to_owned();
    Ok(RuleDocument {
        id: id.to_owned(),
        family: head.family,
        level: head.level,
        summary: head.summary,
        breaks: head.breaks,
        body,
        bad,
        good,
    })
}

struct Head {
    family: Family,
    level: Level,
    summary: String,
    breaks: Vec<BreakKind>,
    /// False with `bad: none`: no text can show the rule, a unit test does.
    shown_in_sql: bool,
}

impl Head {
    /// `lines` start at line 2 of the document; `close` is the line of the closing `---`.
    fn parse(id: &str, lines: &[&str], close: usize) -> Result<Head, Wrong> {
        const KEYS: [&str; 6] = ["id", "family", "level", "summary", "breaks", "bad"];
        let mut values: [Option<(usize, &str)>; 6] = [None; 6];
        for (at, line) in lines.iter().enumerate() {
            let number = at + 2;
            let (key, value) = line.split_once(": ").ok_or((number, "a line of the head is `key: value`".to_owned()))?;
            let slot = KEYS.iter().position(|known| *known == key);
            let slot = slot.ok_or_else(|| (number, format!("`{key}` is no key of the head: {}", KEYS.join(", "))))?;
            if values[slot].replace((number, value.trim())).is_some() {
                return Err((number, format!("`{key}` stands twice")));
            }
        }
        let need = |slot: usize| values[slot].ok_or_else(|| (close, format!("the head has no `{}`", KEYS[slot])));
        let (line, written_id) = need(0)?;
        if written_id != id {
            return Err((line, format!("the id is the name of the file, `{id}`, not `{written_id}`")));
        }
        let (line, summary) = need(3)?;
        if summary.chars().count() > SUMMARY_LIMIT || !summary.ends_with('.') {
            return Err((line, format!("the summary is one sentence of at most {SUMMARY_LIMIT} characters")));
        }
        let mut breaks = Vec::new();
        if let Some((line, list)) = values[4] {
            let inner = list.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            let inner = inner.ok_or((line, "`breaks` is a list in brackets".to_owned()))?;
            for kind in inner.split(',').map(str::trim).filter(|kind| !kind.is_empty()) {
                breaks.push(word(kind).ok_or_else(|| (line, format!("`{kind}` is no kind of breaks")))?);
            }
        }
        if let Some((line, value)) = values[5].filter(|(_, value)| *value != "none") {
            return Err((line, format!("`bad` is `none` or not there, not `{value}`")));
        }
        let (family_line, family) = need(1)?;
        let (level_line, level) = need(2)?;
        Ok(Head {
            family: word(family).ok_or_else(|| (family_line, format!("`{family}` is no family")))?,
            level: word(level).ok_or_else(|| (level_line, format!("`{level}` is no level")))?,
            summary: summary.to_owned(),
            breaks,
            shown_in_sql: values[5].is_none(),
        })
    }
}

/// The value of an enum that is spelled `text` in documents and reports.
pub(crate) fn word<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    let deserializer: StrDeserializer<'a, ValueError> = text.into_deserializer();
    T::deserialize(deserializer).ok()
}

/// The five sections from line index `from` on, in order: name, first line after the heading, end.
fn sections(lines: &[&str], from: usize) -> Result<Vec<(&'static str, usize, usize)>, Wrong> {
    let mut headings = Vec::new();
    let mut in_block = false;
    for (at, line) in lines.iter().enumerate().skip(from) {
        if line.starts_with("```") {
            in_block = !in_block;
        } else if !in_block && line.starts_with("# ") {
            return Err((at + 1, "a document has one title".into()));
        } else if let Some(name) = line.strip_prefix("## ").filter(|_| !in_block) {
            let expected = SECTIONS.get(headings.len()).copied();
            match expected {
                Some(section) if section == name => headings.push((section, at)),
                Some(section) => return Err((at + 1, format!("the next section is `## {section}`, not `## {name}`"))),
                None => return Err((at + 1, format!("`## {name}` is one section too many"))),
            }
        }
    }
    if in_block {
        return Err((lines.len(), "the last ``` block is not closed".into()));
    }
    if let Some(missing) = SECTIONS.get(headings.len()) {
        return Err((lines.len(), format!("the section `## {missing}` is missing")));
    }
    if let Some(stray) = (from..headings[0].1).find(|at| !lines[*at].trim().is_empty()) {
        return Err((stray + 1, "nothing stands between the title and the first section".into()));
    }
    let ends = headings.iter().skip(1).map(|(_, at)| *at).chain([lines.len()]);
    let sections: Vec<_> = headings.iter().zip(ends).map(|((name, at), end)| (*name, at + 1, end)).collect();
    match sections.iter().find(|(_, start, end)| lines[*start..*end].iter().all(|line| line.trim().is_empty())) {
        Some((name, start, _)) => Err((*start, format!("the section `## {name}` is empty"))),
        None => Ok(sections),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "---\nid: drop-column\nfamily: contract\nlevel: error\nsummary: A column is dropped.\n\
        breaks: [drop-column, drop-constraint]\n---\n# drop-column\n\n## What it catches\nThis.\n\n## Why it hurts\nThat.\n\n\
        ## Bad\n```sql\nALTER TABLE t DROP c; -- expect: drop-column\n```\n\n## Good\n```sql\nALTER TABLE t ADD c int;\n```\n\n\
        ## Recipe\nWait.\n";

    #[test]
    fn a_document_gives_its_head_its_examples_and_its_text() {
        let document = parse("drop-column", DOCUMENT).unwrap();
        assert_eq!(document.family, Family::Contract);
        assert_eq!(document.level, Level::Error);
        assert_eq!(document.summary, "A column is dropped.");
        assert_eq!(document.breaks, [BreakKind::DropColumn, BreakKind::DropConstraint]);
        assert!(document.body.starts_with("## What it catches") && document.body.ends_with("Wait."));
        assert_eq!((document.bad.len(), document.good.len()), (1, 1));
    }

    #[test]
    fn every_departure_from_the_format_is_an_error_with_its_line() {
        let cases = [
            ("---\nid", "--\nid", 1, "starts with a line `---`"),
            ("\n---\n# drop-column", "\n# drop-column", 1, "does not end"),
            ("id: drop-column", "id: drop-columns", 2, "the id is the name of the file"),
            ("family: contract", "family: contracts", 3, "`contracts` is no family"),
            ("level: error", "level: fatal", 4, "`fatal` is no level"),
            ("level: error", "severity: error", 4, "`severity` is no key"),
            ("level: error", "family: phase", 4, "`family` stands twice"),
            ("level: error\n", "", 6, "the head has no `level`"),
            ("is dropped.", "is dropped", 5, "one sentence"),
            ("[drop-column, drop-constraint]", "drop-column", 6, "list in brackets"),
            ("[drop-column, drop-constraint]", "[drop-colum]", 6, "`drop-colum` is no kind"),
            ("# drop-column\n", "# Drop column\n", 8, "the title is"),
            ("\n\n## What", "\nstray\n## What", 9, "between the title and the first section"),
            ("## Why it hurts\nThat.\n\n", "", 13, "the next section is `## Why it hurts`"),
            ("This.\n", "\n", 10, "`## What it catches` is empty"),
            ("## Recipe\nWait.\n", "", 25, "`## Recipe` is missing"),
            ("Wait.", "Wait.\n## More\nText.", 28, "one section too many"),
            (" -- expect: drop-column", "", 17, "a bad example announces"),
            ("ADD c int;", "ADD c int; -- expect: drop-column", 22, "a good example never announces"),
            ("```sql\nALTER TABLE t ADD c int;\n```", "prose", 21, "holds no ```sql example"),
        ];
        for (from, to, line, what) in cases {
            let error = parse("drop-column", &DOCUMENT.replacen(from, to, 1)).unwrap_err();
            assert!(error.what.contains(what), "{from:?} → {to:?}: {error}");
            assert_eq!(error.line, line, "{from:?} → {to:?}: {error}");
            assert!(error.to_string().starts_with(&format!("rules/drop-column.md:{line}: ")), "{error}");
        }
    }

    #[test]
    fn a_rule_that_no_text_shows_says_why_in_words() {
        let unshown = DOCUMENT.replace("level: error\n", "level: error\nbad: none\n");
        assert_eq!(parse("drop-column", &unshown).unwrap_err().what, "`bad: none` and a bad example");
        let in_words = unshown.replace("```sql\nALTER TABLE t DROP c; -- expect: drop-column\n```", "Nothing shows it.");
        let document = parse("drop-column", &in_words).unwrap();
        assert_eq!((document.bad.len(), document.good.len()), (0, 1));
        assert_eq!(parse("drop-column", &unshown.replace("bad: none", "bad: no")).unwrap_err().line, 5);
    }

    #[test]
    fn every_embedded_document_parses_and_is_found_by_its_id() {
        for (id, text) in EMBEDDED {
            if let Err(error) = parse(id, text) {
                panic!("{error}");
            }
            assert_eq!(find(id).map(|document| document.id.as_str()), Some(*id));
        }
        assert!(find("no-such-rule").is_none());
        assert!(!EMBEDDED.is_empty());
    }
}
