//! `released.sha256`: the released files and their sums, in the form that `sha256sum` writes and `sha256sum --check` reads.
//!
//! Read are both modes (`SUM  NAME`, `SUM *NAME`), the form of `--tag` (`SHA256 (NAME) = SUM`), names with escaped line breaks and
//! backslashes, comments (`#`), CRLF and a byte order mark. Names are relative to the manifest's directory. Source: coreutils,
//! "cksum common options" and `split_3` of its `digest.c`.

use super::error::ReleaseError;
use crate::source::compare;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The name that is looked for in a history's directory.
pub const FILE_NAME: &str = "released.sha256";

/// A manifest as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// As reports show it.
    pub path: String,
    /// By name, below the manifest's directory and without `./`.
    pub entries: BTreeMap<String, Entry>,
    /// How its lines are written.
    pub style: Style,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// 64 hexadecimal digits.
    pub sha256: String,
    /// From 1.
    pub line: usize,
}

/// How a manifest is written, so that an existing one stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    pub form: Form,
    /// Names begin with `./`.
    pub dotted: bool,
    /// Lines end with CRLF.
    pub carriage_returns: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// `SUM  NAME`
    #[default]
    Text,
    /// `SUM *NAME`
    Binary,
    /// `SHA256 (NAME) = SUM`
    Tagged,
}

impl Manifest {
    /// Reads the bytes of the manifest that is shown as `path`. A pure function.
    pub fn read(path: &str, bytes: &[u8]) -> Result<Manifest, ReleaseError> {
        let wrong = |line: usize, why: &str| ReleaseError::ManifestLine { path: path.to_string(), line, why: why.to_string() };
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
            wrong(line, "is no UTF-8 text")
        })?;
        let mut manifest = Manifest { path: path.to_string(), ..Manifest::default() };
        for (at, line) in text.lines().enumerate() {
            let number = at + 1;
            let written = line.trim_start_matches([' ', '\t']).trim_end_matches('\r');
            if written.is_empty() || written.starts_with('#') {
                continue;
            }
            let (form, name, sha256) = entry(written).map_err(|why| wrong(number, why))?;
            if manifest.entries.is_empty() {
                let carriage_returns = text.contains("\r\n");
                manifest.style = Style { form, dotted: name.starts_with("./"), carriage_returns };
            }
            let name = plain_name(&name).ok_or_else(|| wrong(number, "names no file"))?;
            let entry = Entry { sha256: sha256.to_ascii_lowercase(), line: number };
            if let Some(first) = manifest.entries.insert(name.clone(), entry) {
                return Err(ReleaseError::ManifestDuplicate { path: path.to_string(), name, first: first.line, second: number });
            }
        }
        Ok(manifest)
    }

    /// The text of the manifest, one line for each entry, in bytewise order of the names.
    pub fn written(&self) -> String {
        let end = if self.style.carriage_returns { "\r\n" } else { "\n" };
        let mut text = String::new();
        for (name, entry) in &self.entries {
            let dot = if self.style.dotted { "./" } else { "" };
            let (escape, name) = escaped(&format!("{dot}{name}"));
            let sum = &entry.sha256;
            text.push_str(&match self.style.form {
                Form::Text => format!("{escape}{sum}  {name}{end}"),
                Form::Binary => format!("{escape}{sum} *{name}{end}"),
                Form::Tagged => format!("{escape}SHA256 ({name}) = {sum}{end}"),
            });
        }
        text
    }

    /// Where the file of an entry lies.
    pub fn place(directory: &Path, name: &str) -> PathBuf {
        let mut place = directory.to_path_buf();
        for part in Path::new(name).components() {
            match part {
                Component::ParentDir => drop(place.pop()),
                Component::CurDir => {}
                Component::RootDir | Component::Prefix(_) | Component::Normal(_) => place.push(part),
            }
        }
        place
    }
}

/// One line: its form, the name as written but unescaped, the sum.
fn entry(line: &str) -> Result<(Form, String, &str), &'static str> {
    let (is_escaped, line) = match line.strip_prefix('\\') {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let (form, name, sum) = match line.strip_prefix("SHA256 (") {
        Some(rest) => {
            let (name, sum) = rest.rsplit_once(") = ").ok_or("lacks `) = ` and the sum after the name")?;
            (Form::Tagged, name, sum.trim_end())
        }
        None => {
            let digits = line.bytes().take_while(u8::is_ascii_hexdigit).count();
            let (sum, rest) = line.split_at(digits);
            match rest.as_bytes() {
                [b' ', b'*', ..] => (Form::Binary, &rest[2..], sum),
                [b' ', b' ', ..] => (Form::Text, &rest[2..], sum),
                [b' ', ..] => (Form::Text, &rest[1..], sum),
                _ => return Err("is not of the form `SUM  NAME`"),
            }
        }
    };
    if !compare::is_sha256(sum) {
        return Err("has a sum that is not 64 hexadecimal digits: `sha256sum` makes them");
    }
    if name.is_empty() {
        return Err("names no file");
    }
    let name = if is_escaped {
        unescaped(name).ok_or("has an escape in its name that is none of \\\\, \\n, \\r")?
    } else {
        name.to_string()
    };
    Ok((form, name, sum))
}

fn unescaped(name: &str) -> Option<String> {
    let mut plain = String::with_capacity(name.len());
    let mut characters = name.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            other => other,
        });
    }
    Some(plain)
}

/// What stands before the line, and the name as it is written.
fn escaped(name: &str) -> (&'static str, String) {
    if name.contains(['\\', '\n', '\r']) {
        ("\\", name.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r"))
    } else {
        ("", name.to_string())
    }
}

/// Without `.` parts; `None` where nothing is left.
fn plain_name(name: &str) -> Option<String> {
    let absolute = if name.starts_with('/') { "/" } else { "" };
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    (!parts.is_empty()).then(|| format!("{absolute}{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn names(text: &str) -> Vec<String> {
        Manifest::read("released.sha256", text.as_bytes()).unwrap().entries.into_keys().collect()
    }

    fn wrong(text: &str) -> String {
        Manifest::read("released.sha256", text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn every_form_that_sha256sum_writes_is_read() {
        let text = format!(
            "\u{feff}# frozen\r\n{SUM}  0001_a.up.sql\r\n{SUM} *./0002 b.sql\n\n  {}  sub/./0003.sql\n\\{SUM}  a\\nb\\\\c\\r\nSHA256 (d (1) = x.sql) = {SUM}\n\\SHA256 (e\\\\f) = {SUM}\n{SUM} single\n",
            SUM.to_uppercase()
        );
        assert_eq!(names(&text), ["0001_a.up.sql", "0002 b.sql", "a\nb\\c\r", "d (1) = x.sql", "e\\f", "single", "sub/0003.sql"]);
        assert_eq!(names(&format!("{SUM}  no\\escape without the mark")), ["no\\escape without the mark"]);
        assert_eq!(names(""), [""; 0]);
    }

    #[test]
    fn a_line_that_is_none_is_named_by_its_number() {
        for (text, why) in [
            ("garbage", "not of the form"),
            (&SUM[..40], "not of the form"),
            (&format!("{}  x", &SUM[..40]), "64 hexadecimal digits"),
            (&format!("{SUM}  "), "names no file"),
            (&format!("{SUM}  ./"), "names no file"),
            (&format!("\\{SUM}  a\\tb"), "escape"),
            (&format!("SHA256 (x = {SUM}"), "lacks"),
            (&format!("SHA512 (x) = {SUM}"), "not of the form"),
        ] {
            let said = wrong(&format!("# one\n\n{text}\n"));
            assert!(said.contains("released.sha256:3") && said.contains(why), "{text}: {said}");
        }
        let error = Manifest::read("m", b"# \xff").unwrap_err().to_string();
        assert!(error.contains("m:1") && error.contains("UTF-8"), "{error}");
    }

    #[test]
    fn a_file_stands_there_once() {
        let said = wrong(&format!("{SUM}  a.sql\n{SUM}  b.sql\n{SUM} *./a.sql\n"));
        assert!(said.contains("a.sql") && said.contains("lines 1 and 3"), "{said}");
    }

    #[test]
    fn what_is_written_reads_the_same_and_keeps_its_form() {
        for style in [
            Style::default(),
            Style { form: Form::Binary, dotted: true, carriage_returns: false },
            Style { form: Form::Tagged, dotted: false, carriage_returns: true },
        ] {
            let mut manifest = Manifest { path: "m".into(), style, ..Manifest::default() };
            for (at, name) in ["10.sql", "9.sql", "a\nb\\c\r.sql", "sub/x y.sql"].iter().enumerate() {
                manifest.entries.insert((*name).to_string(), Entry { sha256: SUM.into(), line: at + 1 });
            }
            let text = manifest.written();
            assert_eq!(Manifest::read("m", text.as_bytes()).unwrap(), manifest, "{text}");
        }
    }

    #[test]
    fn names_are_relative_to_the_manifest() {
        let place = |name: &str| Manifest::place(Path::new("/r/db"), name);
        assert_eq!(place("1.sql"), Path::new("/r/db/1.sql"));
        assert_eq!(place("../web/1.sql"), Path::new("/r/web/1.sql"));
        assert_eq!(place("/abs/1.sql"), Path::new("/abs/1.sql"));
    }
}
