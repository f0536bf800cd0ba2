//! What is wrong with a configuration. Each of these makes exit code 2.

use crate::op::Span;
use crate::report::location::LineIndex;
use crate::source::nearest;
use crate::versions::VersionsError;
use std::fmt;
use std::sync::Arc;

/// Why a configuration could not be used. `Display` says what failed and where, `help` what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("{path}: cannot be read: {cause}")]
    Unreadable { path: String, cause: String },
    #[error("{place}: {wrong}")]
    Invalid { place: Box<Place>, wrong: Wrong },
}

impl ConfigError {
    /// The file that it is about.
    pub fn path(&self) -> &str {
        match self {
            ConfigError::Unreadable { path, .. } => path,
            ConfigError::Invalid { place, .. } => &place.file.path,
        }
    }

    /// What to do.
    pub fn help(&self) -> String {
        match self {
            ConfigError::Unreadable { .. } => "name a file that this user can read, or leave it out with `--no-config`".into(),
            ConfigError::Invalid { wrong, .. } => wrong.help(),
        }
    }
}

/// The text of a configuration, and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigText {
    /// As reports show it.
    pub path: String,
    pub text: Arc<str>,
}

impl ConfigText {
    /// The line, from 1, of a byte.
    pub fn line(&self, at: usize) -> usize {
        LineIndex::new(self.text.as_bytes()).position(self.text.as_bytes(), at).line
    }
}

/// Bytes of a configuration. `Display` is `path:line:column`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: ConfigText,
    pub span: Span,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.file.text.as_bytes();
        let position = LineIndex::new(bytes).position(bytes, self.span.start);
        write!(f, "{}:{}:{}", self.file.path, position.line, position.column)
    }
}

/// What is wrong at a place of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Not TOML, or a value of another type: in the words of the library.
    #[error("{0}")]
    Toml(String),
    #[error("the file is not UTF-8 text")]
    NotText,
    #[error("unknown key `{word}`")]
    Key { word: String, known: Vec<String> },
    #[error("`{word}` is none of the words that this key takes")]
    Word { word: String, known: Vec<String> },
    #[error("the key `{0}` is missing here")]
    Missing(String),
    #[error("there is no rule `{0}`")]
    Rule(String),
    #[error("`{0}` is no level")]
    Level(String),
    #[error("rule `{rule}` has no option `{word}`")]
    Option { rule: String, word: String, known: Vec<String> },
    #[error("no range of versions: {0}")]
    Versions(#[from] VersionsError),
    #[error("unknown layout `{0}`")]
    Layout(String),
    #[error("no pattern: {0}")]
    Glob(String),
    #[error("no regular expression: {0}")]
    Regex(String),
    #[error("{0} is not there")]
    NoPath(String),
    #[error("this directory has a configuration of its own: {0}")]
    OwnConfiguration(String),
    #[error("{what}")]
    Empty { what: &'static str, help: &'static str },
}

impl Wrong {
    /// What to do.
    pub fn help(&self) -> String {
        match self {
            Wrong::Toml(_) => "write it as TOML has it, or as the documentation of this key has it".into(),
            Wrong::NotText => "save it as UTF-8".into(),
            Wrong::Key { word, known } => meant(word, known, "the keys here are"),
            Wrong::Word { word, known } => meant(word, known, "write one of"),
            Wrong::Missing(key) => format!("write `{key} = …` into this table"),
            Wrong::Rule(id) => {
                let all = crate::rules::RULES.iter().map(|rule| rule.id.to_string()).collect::<Vec<_>>();
                match likely(id, &all) {
                    Some(meant) => format!("did you mean `{meant}`? `phasegate rules` lists them all"),
                    None => "`phasegate rules` lists them all".into(),
                }
            }
            Wrong::Level(word) => meant(word, &["off", "note", "warning", "error"].map(String::from), "write one of"),
            Wrong::Option { word, known, .. } => meant(word, known, "it takes"),
            Wrong::Versions(_) => "write one version or a range, as in postgres = \"15..18\"".into(),
            Wrong::Layout(name) => {
                let all = crate::source::layouts::all().iter().map(|layout| layout.name().to_string()).collect::<Vec<_>>();
                meant(name, &all, "`phasegate layouts` says what each is:")
            }
            Wrong::Glob(_) => "patterns are those of .gitignore: `*.sql`, `legacy/**`, `!keep.sql`".into(),
            Wrong::Regex(_) => "write it as the regex crate has it: https://docs.rs/regex/#syntax".into(),
            Wrong::NoPath(_) => "paths are relative to the file that they stand in".into(),
            Wrong::OwnConfiguration(_) => "say all about this history in one of the two files".into(),
            Wrong::Empty { help, .. } => (*help).into(),
        }
    }
}

/// The likeliest of the known words, else all of them.
fn meant(word: &str, known: &[String], else_all: &str) -> String {
    match likely(word, known) {
        Some(likely) => format!("did you mean `{likely}`?"),
        None => format!("{else_all} {}", known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")),
    }
}

/// The known word that was most likely meant: few edits away, or much alike.
fn likely<'a>(word: &str, known: &'a [String]) -> Option<&'a str> {
    /// Less alike is no suggestion.
    const LEAST_LIKENESS: f64 = 0.85;
    let near = nearest(word, known.iter().map(String::as_str));
    near.or_else(|| {
        let word = word.to_lowercase();
        let alike = known.iter().map(|known| (strsim::jaro_winkler(&word, known), known.as_str()));
        alike.filter(|(likeness, _)| *likeness >= LEAST_LIKENESS).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
    })
}
