//! Bytes → [`FileForm`], or what is wrong with them.

use super::error::{ConfigError, ConfigText, Place, Wrong};
use super::form::FileForm;
use crate::op::Span;
use std::sync::Arc;

/// A file as it was read.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    pub text: ConfigText,
    pub form: FileForm,
}

/// Reads the bytes of the file that is shown as `path`. A pure function.
pub fn read(path: &str, bytes: &[u8]) -> Result<ConfigFile, ConfigError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let invalid = |text: &str, span: Span, wrong| {
        let file = ConfigText { path: path.to_owned(), text: Arc::from(text) };
        ConfigError::Invalid { place: Box::new(Place { file, span }), wrong }
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        invalid(&String::from_utf8_lossy(bytes), Span { start: at, end: at + 1 }, Wrong::NotText)
    })?;
    let form = toml::from_str::<FileForm>(text).map_err(|error| {
        let span = error.span().map_or_else(Span::default, |range| Span { start: range.start, end: range.end });
        invalid(text, span, wrong(error.message(), text.get(span.start..span.end).unwrap_or_default()))
    })?;
    Ok(ConfigFile { text: ConfigText { path: path.to_owned(), text: Arc::from(text) }, form })
}

/// What serde's message says. It quotes words in backticks, the wrong one first; keys that hold backticks are taken from the text.
pub fn wrong(message: &str, written: &str) -> Wrong {
    let quoted: Vec<String> = message.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let unknown = || {
        let word = if message.matches('`').count().is_multiple_of(2) { quoted.first().cloned() } else { None };
        let word = word.unwrap_or_else(|| written.to_owned());
        (word, quoted.iter().skip(1).cloned().collect())
    };
    if message.starts_with("unknown field") {
        let (word, known) = unknown();
        Wrong::Key { word, known }
    } else if message.starts_with("unknown variant") {
        let (word, known) = unknown();
        Wrong::Word { word, known }
    } else if message.starts_with("missing field") {
        Wrong::Missing(quoted.into_iter().next().unwrap_or_default())
    } else {
        Wrong::Toml(message.lines().collect::<Vec<_>>().join("; "))
    }
}
