//! Examples in rule documents: small histories with the findings that they announce. The format is in `rules/README.md`.

use crate::finding::Level;
use crate::rules::document::{Wrong, word};

/// One ```` ```sql ```` block of *Bad* or *Good*: a history of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// 1-based line of the block's opening fence in the document.
    pub line: usize,
    /// `-- layout: NAME`.
    pub layout: Option<String>,
    /// `-- postgres: RANGE`, as written.
    pub postgres: Option<String>,
    /// At least one; names are unique, relative and stay below the directory.
    pub files: Vec<ExampleFile>,
}

impl Example {
    /// What all files announce.
    pub fn announcements(&self) -> impl Iterator<Item = &Announcement> {
        self.files.iter().flat_map(|file| &file.announcements)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleFile {
    pub name: String,
    pub encoding: Encoding,
    /// Without the announcements; each line ends with `\n`.
    pub text: String,
    pub announcements: Vec<Announcement>,
}

/// How an example's text is written to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    /// UTF-8 behind a byte order mark.
    Utf8WithBom,
    /// ISO 8859-1.
    Latin1,
}

impl ExampleFile {
    /// The bytes as they are written to disk. A character that the encoding lacks is `?`.
    pub fn bytes(&self) -> Vec<u8> {
        match self.encoding {
            Encoding::Utf8 => self.text.clone().into_bytes(),
            Encoding::Utf8WithBom => [b"\xef\xbb\xbf", self.text.as_bytes()].concat(),
            Encoding::Latin1 => self.text.chars().map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?')).collect(),
        }
    }
}

/// `-- expect: rule@level`: one finding that the example announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    pub rule: String,
    /// `None` is the level of the rule's document.
    pub level: Option<Level>,
    /// 1-based line of [`ExampleFile::text`] that the finding touches; `None` is about the file as a whole.
    pub line: Option<usize>,
    /// 1-based line in the document, for messages.
    pub document_line: usize,
}

const FENCE: &str = "```";
const ANNOUNCEMENT: &str = "-- expect:";
const DEFAULT_NAME: &str = "0001_example.sql";

/// The examples among the lines of a section, whose first line is line index `offset` of the document.
pub(super) fn blocks(lines: &[&str], offset: usize) -> Result<Vec<Example>, Wrong> {
    let mut examples = Vec::new();
    let mut open: Option<usize> = None;
    for (at, line) in lines.iter().enumerate() {
        if !line.starts_with(FENCE) {
            continue;
        }
        match open.take() {
            None if *line == "```sql" => open = Some(at),
            None => return Err((offset + at + 1, "a block of this section is ```sql".into())),
            Some(start) if *line == FENCE => examples.push(block(&lines[start + 1..at], offset + start + 1)?),
            Some(_) => return Err((offset + at + 1, "the block before this one is not closed".into())),
        }
    }
    Ok(examples)
}

/// One block. `fence` is the 1-based line of its opening fence.
fn block(lines: &[&str], fence: usize) -> Result<Example, Wrong> {
    let mut example = Example { line: fence, layout: None, postgres: None, files: Vec::new() };
    let has_names = lines.iter().any(|line| line.starts_with("-- file:"));
    let mut pending: Vec<Announcement> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let number = fence + at + 1;
        let (code, announced) = announcements(line, number)?;
        if let Some(rest) = code.strip_prefix("-- file:") {
            dangling(&pending)?;
            let file = file(rest.trim(), announced, number)?;
            if example.files.iter().any(|other| other.name == file.name) {
                return Err((number, format!("the example has two files `{}`", file.name)));
            }
            example.files.push(file);
            continue;
        }
        if example.files.is_empty() {
            if setting(code, &mut example, number)? || (has_names && code.trim().is_empty() && announced.is_empty()) {
                continue;
            }
            if has_names {
                return Err((number, "nothing but settings stands before the first `-- file:`".into()));
            }
            example.files.push(file(DEFAULT_NAME, Vec::new(), number)?);
        }
        let Some(file) = example.files.last_mut() else { continue };
        if code.trim().is_empty() && !announced.is_empty() {
            pending.extend(announced);
            continue;
        }
        file.text.push_str(if announced.is_empty() { line } else { code.trim_end() });
        file.text.push('\n');
        let here = Some(file.text.lines().count());
        if !code.trim().is_empty() {
            file.announcements.extend(pending.drain(..).map(|announcement| Announcement { line: here, ..announcement }));
        }
        file.announcements.extend(announced.into_iter().map(|announcement| Announcement { line: here, ..announcement }));
    }
    dangling(&pending)?;
    if example.files.is_empty() {
        return Err((fence, "the example is empty".into()));
    }
    Ok(example)
}

/// An announcement on a line of its own needs a line after it.
fn dangling(pending: &[Announcement]) -> Result<(), Wrong> {
    match pending.first() {
        Some(first) => Err((first.document_line, "no line follows that this announcement could be about".into())),
        None => Ok(()),
    }
}

/// `-- layout:` and `-- postgres:`; false for any other line.
fn setting(line: &str, example: &mut Example, number: usize) -> Result<bool, Wrong> {
    let (slot, value) = if let Some(value) = line.strip_prefix("-- layout:") {
        (&mut example.layout, value)
    } else if let Some(value) = line.strip_prefix("-- postgres:") {
        (&mut example.postgres, value)
    } else {
        return Ok(false);
    };
    if slot.replace(value.trim().to_owned()).is_some() {
        return Err((number, "this setting stands twice".into()));
    }
    Ok(true)
}

/// `NAME` or `NAME (encoding)`.
fn file(text: &str, announcements: Vec<Announcement>, number: usize) -> Result<ExampleFile, Wrong> {
    let (name, encoding) = match text.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")) {
        Some((name, "latin1")) => (name, Encoding::Latin1),
        Some((name, "bom")) => (name, Encoding::Utf8WithBom),
        Some((_, other)) => return Err((number, format!("`{other}` is no encoding: latin1, bom"))),
        None => (text, Encoding::Utf8),
    };
    if name.is_empty() || name.starts_with('/') || name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err((number, format!("`{name}` is no path below the example's directory")));
    }
    Ok(ExampleFile { name: name.to_owned(), encoding, text: String::new(), announcements })
}

/// A line without its announcements, and those.
fn announcements(line: &str, number: usize) -> Result<(&str, Vec<Announcement>), Wrong> {
    let Some(at) = line.rfind(ANNOUNCEMENT) else { return Ok((line, Vec::new())) };
    let mut found = Vec::new();
    for item in line[at + ANNOUNCEMENT.len()..].split(',').map(str::trim) {
        let (rule, level) = match item.split_once('@') {
            Some((rule, level)) => (rule, Some(word(level).ok_or_else(|| (number, format!("`{level}` is no level")))?)),
            None => (item, None),
        };
        if rule.is_empty() || !rule.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
            return Err((number, format!("`{rule}` is no id of a rule")));
        }
        found.push(Announcement { rule: rule.to_owned(), level, line: None, document_line: number });
    }
    Ok((line[..at].trim_end(), found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(text: &str) -> Example {
        block(&text.lines().collect::<Vec<_>>(), 10).unwrap()
    }

    fn places(file: &ExampleFile) -> Vec<(&str, Option<usize>, Option<Level>)> {
        file.announcements.iter().map(|found| (found.rule.as_str(), found.line, found.level)).collect()
    }

    #[test]
    fn announcements_are_cut_out_and_point_to_lines_of_what_is_left() {
        let example = example(
            "-- file: 1.sql -- expect: unsafe-filename\n-- expect: malformed-phase-tag\n\n-- phase contrat\nSELECT 1; -- kept -- expect: a-b@note, a-b\n",
        );
        let [file] = example.files.as_slice() else { panic!("{example:?}") };
        assert_eq!(file.text, "\n-- phase contrat\nSELECT 1; -- kept\n");
        assert_eq!(
            places(file),
            [
                ("unsafe-filename", None, None),
                ("malformed-phase-tag", Some(2), None),
                ("a-b", Some(3), Some(Level::Note)),
                ("a-b", Some(3), None)
            ]
        );
        assert_eq!(file.announcements[1].document_line, 12);
    }

    #[test]
    fn a_block_is_as_many_files_as_it_names() {
        let example = example(
            "-- layout: sqlx\n-- postgres: 15..17\n\n-- file: a/1 x.sql (bom)\nSELECT 1;\n-- file: 2.sql (latin1)\nSELECT 'é';\n",
        );
        assert_eq!((example.layout.as_deref(), example.postgres.as_deref()), (Some("sqlx"), Some("15..17")));
        let names: Vec<_> = example.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["a/1 x.sql", "2.sql"]);
        assert_eq!(example.files[0].bytes(), b"\xef\xbb\xbfSELECT 1;\n");
        assert_eq!(example.files[1].bytes(), b"SELECT '\xe9';\n");
    }

    #[test]
    fn a_block_without_names_is_one_file() {
        let example = example("SELECT 1;");
        assert_eq!(example.files.len(), 1);
        assert_eq!((example.files[0].name.as_str(), example.files[0].text.as_str()), ("0001_example.sql", "SELECT 1;\n"));
    }

    #[test]
    fn what_is_not_understood_is_an_error_with_its_line() {
        let cases = [
            ("SELECT 1;\n-- expect: x", 12, "no line follows"),
            ("-- expect: x\n-- file: 2.sql\nSELECT 1;", 11, "nothing but settings"),
            ("-- file: 1.sql\n-- expect: x\n-- file: 2.sql\nSELECT 1;", 12, "no line follows"),
            ("SELECT 1; -- expect: x@loud", 11, "`loud` is no level"),
            ("SELECT 1; -- expect: x y", 11, "`x y` is no id"),
            ("SELECT 1; -- expect:", 11, "`` is no id"),
            ("-- file: ../x.sql\nSELECT 1;", 11, "no path below"),
            ("-- file: x.sql (utf7)\nSELECT 1;", 11, "`utf7` is no encoding"),
            ("-- file: x.sql\n-- file: x.sql\n", 12, "two files"),
            ("-- layout: a\n-- layout: b\nSELECT 1;", 12, "stands twice"),
            ("", 10, "the example is empty"),
        ];
        for (text, line, what) in cases {
            let (at, error) = block(&text.lines().collect::<Vec<_>>(), 10).unwrap_err();
            assert!(error.contains(what), "{text:?}: {error}");
            assert_eq!(at, line, "{text:?}: {error}");
        }
    }
}
