//! Text from files and names made harmless before a terminal sees it.
//!
//! A migration may hold escape sequences that move the cursor or recolour the report, and characters that reorder or hide text.
//! They are shown as `\u{1b}`, never sent.

use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

/// True for control characters, for characters that reorder, hide or break text, and for what no XML may hold.
pub fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// The text on one line, without unsafe characters. Tabs and line ends are `\t`, `\n`, `\r`.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        push(&mut safe, character);
    }
    Cow::Owned(safe)
}

/// Appends one character as [`escape`] shows it.
pub fn push(safe: &mut String, character: char) {
    if is_unsafe(character) { safe.extend(character.escape_default()) } else { safe.push(character) }
}

/// JSON text with unsafe characters as `\uXXXX`. They can only stand in its strings, so the text stays equal JSON; `serde_json`
/// itself escapes no more than JSON demands.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_unsafe) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 8);
    for character in json.chars() {
        if is_unsafe(character) { push_json(&mut safe, character) } else { safe.push(character) }
    }
    Cow::Owned(safe)
}

fn push_json(safe: &mut String, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        let _ = write!(safe, "\\u{unit:04x}");
    }
}

/// Writes a value as JSON, on one line, piece by piece, with unsafe characters as [`escape_json`] writes them.
pub fn write_json(out: impl io::Write, value: &impl Serialize) -> io::Result<()> {
    Ok(value.serialize(&mut serde_json::Serializer::with_formatter(out, SafeFormatter))?)
}

/// Compact JSON without unsafe characters.
struct SafeFormatter;

impl serde_json::ser::Formatter for SafeFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        writer.write_all(escape_json(fragment).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_reordering_are_shown_and_not_sent() {
        assert_eq!(escape("a\u{1b}[31mb\u{9b}0m\u{7f}"), "a\\u{1b}[31mb\\u{9b}0m\\u{7f}");
        assert_eq!(escape("x\u{202e}y\u{200b}z\u{feff}"), "x\\u{202e}y\\u{200b}z\\u{feff}");
        assert_eq!(escape("a\nb\tc\r"), "a\\nb\\tc\\r");
    }

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        for text in ["naïve Größe", "таблица", "テーブル", "جدول", "😀", "'quoted' \\ \"x\""] {
            assert!(matches!(escape(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value = serde_json::json!({"a\u{202e}": "\u{1b}\u{9b}\u{7f}\u{e0041}\u{feff}é\n"});
        let json = value.to_string();
        let safe = escape_json(&json);
        assert!(!safe.contains(is_unsafe), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
        let mut written = Vec::new();
        write_json(&mut written, &value).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), safe);
    }
}
