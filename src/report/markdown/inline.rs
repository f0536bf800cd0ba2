//! Text from files inside of Markdown, so that it cannot be markup, a mention, a reference or a link.
//!
//! Hosts look for `@name`, `#1`, `!1` and addresses after the markup is read, so that a backslash before them does not help; they
//! leave code alone. So every word that is no plain word of prose stands in a code span. That is how names are set anyway.

use crate::report::escape::escape;

/// A name or a piece of SQL as code, on one line.
pub fn code(text: &str) -> String {
    let text = escape(text);
    let is_simple = !text.contains(['`', '|', '\\']) && !text.starts_with(' ') && !text.ends_with(' ');
    if text.is_empty() {
        "<code></code>".to_owned()
    } else if is_simple {
        format!("`{text}`")
    } else {
        // A code span cannot hold a backtick for sure, nor a cell of a table a bar: every sign becomes a reference to its character.
        format!("<code>{}</code>", references(&text))
    }
}

/// Text for the inside of an HTML element where no Markdown is read, such as `summary`.
pub fn html(text: &str) -> String {
    references(&escape(text))
}

/// A sentence: words as they are, everything else as code. What stands between backticks is one piece of code. Runs of blanks are one.
pub fn prose(text: &str) -> String {
    let text = escape(text);
    let mut parts = Vec::new();
    let mut rest: &str = &text;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((inside, behind)) = after.split_once('`') else { break };
        parts.push(words(before));
        parts.push(if inside.is_empty() { String::new() } else { code(inside) });
        rest = behind;
    }
    parts.push(words(rest));
    parts.concat()
}

/// Words, with the blanks at both ends kept as one.
fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut is_code = false;
    for word in text.split_inclusive(' ') {
        let trimmed = word.trim_end_matches(' ');
        let blank = if trimmed.len() < word.len() { " " } else { "" };
        if trimmed.is_empty() {
            if !out.ends_with(' ') {
                out.push_str(blank);
            }
            continue;
        }
        let (open, core, close) = parted(trimmed);
        if is_plain(core) {
            out.push_str(trimmed);
        } else {
            // Two code spans that touch would be one broken one.
            if is_code && out.ends_with('`') {
                out.push(' ');
            }
            out.push_str(&format!("{open}{}{close}", code(core)));
        }
        is_code = !is_plain(core);
        out.push_str(blank);
    }
    out
}

/// Brackets and stops around a word: they mean nothing to Markdown where they stand alone.
fn parted(word: &str) -> (&str, &str, &str) {
    let start = word.len() - word.trim_start_matches(['(', '"', '\'']).len();
    let (open, rest) = word.split_at(start);
    let mut core = rest;
    while let Some(last) = core.chars().next_back() {
        // The bracket of `f(int)` belongs to the word.
        let closes_nothing = last == ')' && core.matches(')').count() > core.matches('(').count();
        if !closes_nothing && !matches!(last, '"' | '\'' | ',' | ';' | ':' | '.' | '?') {
            break;
        }
        core = &core[..core.len() - last.len_utf8()];
    }
    (open, core, &rest[core.len()..])
}

/// True for words of letters, for numbers, and for what stands alone between words.
fn is_plain(core: &str) -> bool {
    let letters = |word: &str| word.chars().all(char::is_alphabetic);
    let is_number = core.chars().all(|one| one.is_ascii_digit() || one == '.') && core.len() < 7;
    // "don't", "second-run": letters with a hyphen or an apostrophe between them.
    let is_word = core.split(['-', '\'', '’']).all(|part| !part.is_empty() && letters(part));
    core.is_empty() || matches!(core, "…" | "→" | "–" | "—") || is_number || is_word
}

/// Every ASCII sign but points and hyphens as a numeric character reference.
fn references(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if character.is_ascii_punctuation() && !matches!(character, '.' | '-') {
            safe.push_str(&format!("&#{};", u32::from(character)));
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Lines as a block of code, every one behind `indent`. Unsafe characters are escaped here.
pub fn fenced(language: &str, lines: &[String], indent: &str) -> String {
    let longest = lines.iter().flat_map(|line| line.split(|one| one != '`')).map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let mut text = format!("{indent}{fence}{language}\n");
    for line in lines {
        text.push_str(&format!("{indent}{}\n", escape(line)));
    }
    text.push_str(&format!("{indent}{fence}\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words_and_names_become_code() {
        assert_eq!(
            prose("column public.users.name is dropped while the previous release may still use it (42703), say"),
            "column `public.users.name` is dropped while the previous release may still use it (42703), say"
        );
        assert_eq!(prose("drop f(int, text), (see g(x))."), "drop `f(int`, text), (see `g(x)`).");
        assert_eq!(prose("tag it `-- phase contract`, then don't wait"), "tag it `-- phase contract`, then don't wait");
    }

    #[test]
    fn nothing_is_a_mention_a_reference_a_link_or_markup() {
        for evil in [
            "@admin",
            "#12",
            "!12",
            "~label",
            "$1",
            "%x",
            "&1",
            "GH-12",
            ":smile:",
            "http://x",
            "www.x.y",
            "<b>",
            "*b*",
            "__b__",
            "[x](javascript:alert(1))",
            "![x](y)",
            "a|b",
            "\\`",
            "deadbeef1",
            "a@b.c",
            "^[",
            "GL-1",
        ] {
            let shown = prose(&format!("see {evil} there"));
            let inside = shown.strip_prefix("see ").and_then(|rest| rest.strip_suffix(" there")).unwrap();
            let inside = inside.trim_end_matches(':');
            let is_span =
                inside.starts_with('`') && inside.ends_with('`') && inside.matches('`').count() == 2 && !inside.contains('|');
            let is_element =
                inside.starts_with("<code>") && !inside[6..inside.len() - 7].contains(['<', '>', '`', '|', '*', '[', '@']);
            assert!(is_span || is_element, "{evil} → {shown}");
        }
    }

    #[test]
    fn an_odd_backtick_opens_nothing() {
        assert_eq!(prose("name a`b is"), "name <code>a&#96;b</code> is");
        assert_eq!(code("a`b|c"), "<code>a&#96;b&#124;c</code>");
        assert_eq!(fenced("sql", &["SELECT '```'".into()], ""), "````sql\nSELECT '```'\n````\n");
    }
}
