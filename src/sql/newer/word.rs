//! Words that newer versions made keywords. Our parser is that of the newest version and refuses them where an older server takes
//! them for names; quoted they are names for every version.

use super::{Use, What};
use crate::op::Span;
use crate::sql::SyntaxError;
use crate::sql::lex::{self, TokenKind};
use crate::sql::position::PositionMap;
use crate::versions::newer::{self, NameKind};

/// A text as an older server reads it: some of the words are quoted.
pub struct Reading {
    pub text: String,
    /// For each byte of `text` and its end, the byte of the original text.
    pub origins: Vec<usize>,
    /// The words in lower case, and where they stand in the original text.
    words: Vec<(String, Span)>,
}

/// Readings of a text that the parser refuses, the likeliest first: one of the words is a name, or all of them are. None where it
/// holds no such word.
pub fn readings(text: &str) -> impl Iterator<Item = Reading> {
    let words: Vec<(String, Span)> = lex::tokens(text)
        .filter(|token| token.kind == TokenKind::Word)
        .map(|token| (token.text(text).to_ascii_lowercase(), token.span))
        .filter(|(word, _)| newer::name(NameKind::Word, word).is_some())
        .collect();
    let mut choices: Vec<Option<String>> = words.iter().map(|(word, _)| Some(word.clone())).collect();
    choices.sort_unstable();
    choices.dedup();
    if choices.len() > 1 {
        choices.push(None);
    }
    choices.into_iter().map(move |only| {
        let is_chosen = |word: &String| only.as_ref().is_none_or(|only| only == word);
        quoted(text, words.iter().filter(|(word, _)| is_chosen(word)).cloned().collect())
    })
}

fn quoted(text: &str, words: Vec<(String, Span)>) -> Reading {
    let mut reading =
        Reading { text: String::with_capacity(text.len() + 2 * words.len()), origins: Vec::new(), words: Vec::new() };
    let mut at = 0;
    for (word, span) in &words {
        reading.text.push_str(&text[at..span.start]);
        reading.origins.extend(at..span.start);
        reading.text.push('"');
        reading.origins.push(span.start);
        reading.text.push_str(word);
        reading.origins.extend(span.start..span.end);
        reading.text.push('"');
        reading.origins.push(span.end);
        at = span.end;
    }
    reading.text.push_str(&text[at..]);
    reading.origins.extend(at..=text.len());
    reading.words = words;
    reading
}

impl Reading {
    /// The words, as uses. `positions` are those of the original text; `error` is what the parser says of that.
    pub fn uses(&self, positions: &PositionMap, error: &SyntaxError) -> Vec<Use> {
        let what = |word: &String| What::Word { word: word.clone(), error: error.clone() };
        self.words.iter().map(|(word, span)| Use::of(what(word), positions.span(span.start, span.end))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_of_a_reading_stands_where_its_word_did() {
        let text = "SELECT System_User, a.json_value -- system_user\nFROM t";
        let all = readings(text).last().unwrap();
        assert_eq!(all.text, "SELECT \"system_user\", a.\"json_value\" -- system_user\nFROM t");
        assert_eq!(all.origins.len(), all.text.len() + 1);
        let of = |part: &str| all.origins[all.text.find(part).unwrap()];
        assert_eq!([of("\"system"), of(", a"), of("json_value"), of("FROM")].map(|at| &text[at..=at]), ["S", ",", "j", "F"]);
        assert_eq!(all.origins.last(), Some(&text.len()));
    }

    #[test]
    fn each_word_alone_may_be_a_name_then_all_of_them() {
        let text = "SELECT System_User, a.json_value";
        let read: Vec<String> = readings(text).map(|reading| reading.text).collect();
        assert_eq!(
            read,
            [
                "SELECT System_User, a.\"json_value\"",
                "SELECT \"system_user\", a.json_value",
                "SELECT \"system_user\", a.\"json_value\"",
            ]
        );
    }

    #[test]
    fn a_text_without_such_words_has_no_other_reading() {
        assert_eq!(readings("SELECT a, \"system_user\", 'json_value' FROM t").count(), 0);
    }
}
