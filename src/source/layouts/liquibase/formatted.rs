//! Formatted SQL: a text that begins with `--liquibase formatted sql` and holds changesets.
//!
//! As `AbstractFormattedChangeLogParser` and `FormattedSqlChangeLogParser` read it, line by line. Not followed: preconditions, which may
//! pass a changeset over when it runs, and that Liquibase cuts statements at every `;` outside of strings, those of bodies in dollar
//! quotes included (`StringUtil.processMultiLineSQL`).

use crate::op::Span;
use crate::source::layouts::sections::lines;
use crate::sql::lex::{self, TokenKind};
use regex::Regex;

/// One changeset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSet {
    pub author: String,
    pub id: String,
    pub attributes: Attributes,
    /// What stands between its line and the next changeset, without ignored lines: rollbacks in it are comments.
    pub parts: Vec<Span>,
    pub rollback: Option<Span>,
}

/// What the line of a changeset says about how it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    pub runs_in_transaction: bool,
    pub splits_statements: bool,
    pub end_delimiter: Option<String>,
    pub dbms: Option<String>,
    pub is_ignored: bool,
}

impl Default for Attributes {
    fn default() -> Attributes {
        Attributes { runs_in_transaction: true, splits_statements: true, end_delimiter: None, dbms: None, is_ignored: false }
    }
}

impl Attributes {
    fn of_line(line: &str) -> Attributes {
        let is = |name: &str, default: bool| match word(line, name) {
            Some(value) => value.eq_ignore_ascii_case("true"),
            None => default,
        };
        Attributes {
            runs_in_transaction: is("runInTransaction", true),
            splits_statements: is("splitStatements", true),
            end_delimiter: end_delimiter(line),
            dbms: word(line, "dbms").map(str::to_string),
            is_ignored: is("ignore", false),
        }
    }

    /// Whether it runs on PostgreSQL (`DatabaseList.definitionMatches`).
    pub fn is_for_postgresql(&self) -> bool {
        let Some(dbms) = &self.dbms else { return true };
        let names: Vec<&str> = dbms.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        if names.is_empty() || names.contains(&"all") {
            return true;
        }
        let wanted: Vec<&&str> = names.iter().filter(|name| !name.starts_with('!')).collect();
        !names.contains(&"none") && !names.contains(&"!postgresql") && (wanted.is_empty() || wanted.contains(&&"postgresql"))
    }
}

/// Where changesets may have a phase tag before the first of them: what stands behind the first line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formatted {
    pub header: Option<Span>,
    pub changesets: Vec<ChangeSet>,
}

/// True for a text whose first line that is not blank says that it is formatted.
pub fn is_formatted(text: &str) -> bool {
    let first = text.trim_start_matches('\u{feff}').lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let rest = first.trim_start().strip_prefix("--").map(str::trim_start);
    let rest = rest.and_then(|rest| without(rest, "liquibase")).map(str::trim_start);
    rest.and_then(|rest| without(rest, "formatted")).is_some()
}

/// The changesets of a formatted text.
pub fn read(text: &str, body: Span) -> Formatted {
    let mut found = Formatted::default();
    let mut ignoring = Ignoring::No;
    let mut in_rollback = false;
    let mut from = body.start;
    for (span, line) in lines(text, body) {
        if ignoring.takes(line) {
            if let Some(changeset) = found.changesets.last_mut() {
                push(&mut changeset.parts, from, span.start, text);
            }
            from = span.end;
            continue;
        }
        if let Some((author, id)) = changeset(line) {
            found.close(from, span.start, text);
            from = span.end;
            let attributes = Attributes::of_line(line);
            found.changesets.push(ChangeSet { author, id, attributes, parts: Vec::new(), rollback: None });
            in_rollback = false;
            continue;
        }
        let is_rollback = in_rollback || is_rollback(line) || opens_rollback(line);
        in_rollback = (in_rollback || opens_rollback(line)) && !line.trim_end().ends_with("*/");
        if let Some(changeset) = found.changesets.last_mut().filter(|_| is_rollback) {
            let start = changeset.rollback.filter(|before| before.end == span.start).map_or(span.start, |before| before.start);
            changeset.rollback = Some(Span { start, end: span.end });
        }
    }
    found.close(from, body.end, text);
    found
}

impl Formatted {
    fn close(&mut self, start: usize, end: usize, text: &str) {
        match self.changesets.last_mut() {
            Some(changeset) => {
                push(&mut changeset.parts, start, end, text);
                changeset.parts = changeset.parts.iter().flat_map(|&part| changeset.attributes.statements(text, part)).collect();
            }
            None if start < end => self.header = Some(Span { start, end }),
            None => {}
        }
    }
}

fn push(parts: &mut Vec<Span>, start: usize, end: usize, text: &str) {
    if !text[start..end].trim().is_empty() {
        parts.push(Span { start, end });
    }
}

/// `--ignoreLines:start` … `--ignoreLines:end`, or `--ignoreLines:3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ignoring {
    No,
    UntilEnd,
    Lines(u64),
}

impl Ignoring {
    /// Whether a line is ignored, the lines that say so included.
    fn takes(&mut self, line: &str) -> bool {
        let said = line.strip_prefix("--").and_then(|rest| without(rest.trim_start(), "ignoreLines:")).map(str::trim_end);
        match (*self, said) {
            (Ignoring::No, Some("start")) => *self = Ignoring::UntilEnd,
            (Ignoring::No, Some(count)) => match count.parse() {
                Ok(count) => *self = Ignoring::Lines(count),
                Err(_) => return false,
            },
            (Ignoring::No, None) | (Ignoring::Lines(0), _) => {
                *self = Ignoring::No;
                return false;
            }
            (Ignoring::UntilEnd, Some("end")) => *self = Ignoring::No,
            (Ignoring::UntilEnd, _) => {}
            (Ignoring::Lines(count), _) => *self = Ignoring::Lines(count - 1),
        }
        true
    }
}

/// Author and id of a line `--changeset author:id`.
fn changeset(line: &str) -> Option<(String, String)> {
    let rest = without(line.trim_start().strip_prefix("--")?.trim_start(), "changeset")?;
    let rest = Some(rest.trim_start()).filter(|trimmed| trimmed.len() < rest.len())?;
    let (author, rest) = match rest.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
        Some((author, rest)) => (author, rest.strip_prefix(':')?),
        None => rest.split_once(':')?,
    };
    let rest = rest.trim_start();
    let id = match rest.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
        Some((id, _)) => id,
        None => rest.split_whitespace().next()?,
    };
    (!author.is_empty()).then(|| (author.to_string(), id.to_string()))
}

/// `--rollback …`.
fn is_rollback(line: &str) -> bool {
    let rest = line.trim_start().strip_prefix("--").and_then(|rest| without(rest.trim_start(), "rollback"));
    rest.is_some_and(|rest| rest.starts_with(' '))
}

/// `/* liquibase rollback` on a line of its own.
fn opens_rollback(line: &str) -> bool {
    let rest = line.trim_start().strip_prefix("/*").map(str::trim_start);
    let rest = rest.and_then(|rest| without(rest, "liquibase")).map(str::trim_start);
    rest.and_then(|rest| without(rest, "rollback")).is_some_and(|rest| rest.trim().is_empty())
}

/// `text` behind a word, in any case.
fn without<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let start = text.get(..word.len())?;
    start.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}

/// What follows the last `name:` of a line, in any case.
fn value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let wanted = format!("{name}:").to_ascii_lowercase();
    let at = line.to_ascii_lowercase().rfind(&wanted)?;
    Some(&line[at + wanted.len()..])
}

fn word<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let value = value(line, name)?;
    let end = value.find(|c: char| !(c.is_alphanumeric() || "_!,".contains(c))).unwrap_or(value.len());
    Some(&value[..end]).filter(|word| !word.is_empty())
}

/// `endDelimiter:…`, but not `rollbackEndDelimiter:…`.
fn end_delimiter(line: &str) -> Option<String> {
    let lower = line.to_ascii_lowercase();
    let name = "enddelimiter:";
    let at = lower
        .rmatch_indices(name)
        .map(|(at, _)| at)
        .find(|&at| !lower[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))?;
    let value = &line[at + name.len()..];
    let end = value.find(char::is_whitespace).unwrap_or(value.len());
    Some(value[..end].to_string()).filter(|delimiter| !delimiter.is_empty())
}

impl Attributes {
    /// The texts between the delimiters of a changeset. Those that end with `;` need no cutting.
    pub fn statements(&self, text: &str, part: Span) -> Vec<Span> {
        let delimiter = match self.end_delimiter.as_deref() {
            _ if !self.splits_statements => return vec![part],
            Some(";") => return vec![part],
            // Lines that hold nothing else end a statement by default.
            None | Some("/") => Regex::new(r"(?im)^[ \t]*(?:/|go)[ \t]*\r?$"),
            Some(delimiter) => Regex::new(&format!("(?im){delimiter}")).or_else(|_| Regex::new(&regex::escape(delimiter))),
        };
        let Ok(delimiter) = delimiter else { return vec![part] };
        cut(text, part, &delimiter)
    }
}

fn cut(text: &str, part: Span, delimiter: &Regex) -> Vec<Span> {
    // Strings and comments are one token to Liquibase; bodies in dollar quotes are not, but nobody cuts them on purpose.
    let mut quoted = lex::tokens_from(&text[..part.end], part.start)
        .filter(|token| {
            matches!(
                token.kind,
                TokenKind::Str | TokenKind::DollarStr | TokenKind::QuotedIdent | TokenKind::LineComment | TokenKind::BlockComment
            )
        })
        .peekable();
    let mut found = Vec::new();
    let mut start = part.start;
    for place in delimiter.find_iter(&text[part.start..part.end]) {
        let (from, to) = (part.start + place.start(), part.start + place.end());
        while quoted.next_if(|token| token.span.end <= from).is_some() {}
        if quoted.peek().is_some_and(|token| token.span.start < from) || from == to {
            continue;
        }
        push(&mut found, start, from, text);
        start = to;
    }
    push(&mut found, start, part.end, text);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> Vec<(String, Vec<&str>)> {
        let found = read(text, Span { start: 0, end: text.len() });
        let texts = |parts: &[Span]| parts.iter().map(|s| &text[s.start..s.end]).collect();
        found.changesets.iter().map(|c| (format!("{}:{}", c.author, c.id), texts(&c.parts))).collect()
    }

    #[test]
    fn the_first_line_says_that_a_text_is_formatted() {
        for text in [
            "--liquibase formatted sql",
            "\n  -- Liquibase  Formatted SQL logicalFilePath:a\nA",
            "\u{feff}--liquibase formatted sql",
        ] {
            assert!(is_formatted(text), "{text}");
        }
        for text in ["-- a\n--liquibase formatted sql", "liquibase formatted sql", "--liquibase", ""] {
            assert!(!is_formatted(text), "{text}");
        }
    }

    #[test]
    fn a_changeset_has_an_author_and_an_id() {
        let read = |line: &str| changeset(line).map(|(author, id)| format!("{author}|{id}"));
        assert_eq!(read("--changeset alice:1 runOnChange:true").as_deref(), Some("alice|1"));
        assert_eq!(read("  -- ChangeSet \"al:ice b\":\"2 x\"").as_deref(), Some("al:ice b|2 x"));
        assert_eq!(read("--changeset al ice: 3").as_deref(), Some("al ice|3"));
        for line in ["-changeset a:1", "--changeset a", "--changesets a:1", "--change a:1", "-- changeset :1"] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn changesets_end_where_the_next_begins_and_ignored_lines_are_outside() {
        let text = "--liquibase formatted sql\n--changeset a:1\nA;\n--rollback B;\n--ignoreLines:start\nC;\n--ignoreLines:end\nD;\n--changeset a:2\n--ignoreLines:1\nE;\nF;";
        assert_eq!(read_all(text), [("a:1".to_string(), vec!["A;\n--rollback B;\n", "D;\n"]), ("a:2".to_string(), vec!["F;"])]);
    }

    #[test]
    fn rollbacks_are_lines_or_a_comment() {
        let rollback = |text: &'static str| {
            let found = read(text, Span { start: 0, end: text.len() });
            found.changesets[0].rollback.map(|s| &text[s.start..s.end])
        };
        assert_eq!(rollback("--changeset a:1\nA;\n--rollback B;\n--rollback C;\n"), Some("--rollback B;\n--rollback C;\n"));
        assert_eq!(rollback("--changeset a:1\nA;\n/* liquibase rollback\nB;\n*/\n"), Some("/* liquibase rollback\nB;\n*/\n"));
        assert_eq!(rollback("--changeset a:1\nA;\n--rollbacks\n"), None);
    }

    #[test]
    fn attributes_are_read_as_liquibase_reads_them() {
        let read = Attributes::of_line;
        let all =
            read("--changeset a:1 splitStatements:false runInTransaction:FALSE endDelimiter:// dbms:oracle,!h2 ignore:true");
        assert_eq!(
            all,
            Attributes {
                runs_in_transaction: false,
                splits_statements: false,
                end_delimiter: Some("//".into()),
                dbms: Some("oracle,!h2".into()),
                is_ignored: true
            }
        );
        assert_eq!(read("--changeset a:1 rollbackEndDelimiter:/ context:\"a and !b\""), Attributes::default());
        assert!(
            !read("--changeset a:1 rollbackSplitStatements:false").splits_statements,
            "its expression takes the end of that word"
        );
    }

    #[test]
    fn databases_are_told_as_liquibase_tells_them() {
        let runs = |dbms: &str| Attributes { dbms: Some(dbms.into()), ..Attributes::default() }.is_for_postgresql();
        for dbms in ["postgresql", "oracle,postgresql", "!oracle", "all", "all,none"] {
            assert!(runs(dbms), "{dbms}");
        }
        for dbms in ["oracle", "!postgresql", "none", "oracle,!h2"] {
            assert!(!runs(dbms), "{dbms}");
        }
    }

    #[test]
    fn other_delimiters_cut_outside_of_strings() {
        let parts = |line: &str, text: &'static str| -> Vec<&str> {
            let whole = Span { start: 0, end: text.len() };
            Attributes::of_line(line).statements(text, whole).iter().map(|s| &text[s.start..s.end]).collect()
        };
        assert_eq!(parts("--changeset a:1", "A;\nB;\n"), ["A;\nB;\n"]);
        assert_eq!(parts("--changeset a:1", "A\n/\nB\nGO\n"), ["A\n", "\nB\n"]);
        assert_eq!(parts("--changeset a:1 splitStatements:false", "A\n/\nB"), ["A\n/\nB"]);
        assert_eq!(parts("--changeset a:1 endDelimiter:/", "A / 2\n/\nB '\n/\n'"), ["A / 2\n", "\nB '\n/\n'"]);
        assert_eq!(parts("--changeset a:1 endDelimiter://", "A; B\n//\nC $$//$$//"), ["A; B\n", "\nC $$//$$"]);
        assert_eq!(parts("--changeset a:1 endDelimiter:\\n\\s*/\\s*\\n|\\n\\s*/\\s*$", "A;\n /\nB;\n/\n"), ["A;", "B;"]);
        assert_eq!(parts("--changeset a:1 endDelimiter:@@", "A@@B@@"), ["A", "B"]);
        assert_eq!(parts("--changeset a:1 endDelimiter:(", "A(B"), ["A", "B"]);
    }
}
