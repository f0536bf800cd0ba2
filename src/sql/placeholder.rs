//! Placeholders of templates and runners: `${schema}` (Flyway, goose, Liquibase, MyBatis), `{{ schema }}` and
//! `$evolutions{{{schema}}}` (Play).
//!
//! Neither is SQL outside of quotes: `$` begins a parameter or a dollar quote, and `{` is no character of the grammar.

/// Longest text between the braces; more is somebody's JSON.
const LONGEST: usize = 120;

const PLAY: &[u8] = b"$evolutions{{{";

/// The end of the placeholder that starts at byte `at`, if one does.
pub fn end(bytes: &[u8], at: usize) -> Option<usize> {
    let (open, close): (&[u8], &[u8]) = match bytes.get(at)? {
        b'$' if bytes[at..].starts_with(PLAY) => (PLAY, b"}}}"),
        b'$' => (b"${", b"}"),
        b'{' => (b"{{", b"}}"),
        _ => return None,
    };
    let inside = bytes.get(at..)?.strip_prefix(open)?;
    let inside = &inside[..inside.len().min(LONGEST + close.len())];
    let length = memchr::memmem::find(inside, close)?;
    let name = &inside[..length];
    let is_name = !name.trim_ascii().is_empty() && !name.contains(&b'\n') && !name.contains(&b'{') && !name.contains(&b';');
    is_name.then_some(at + open.len() + length + close.len())
}

/// What stands between the braces, trimmed; of `{{- name -}}`, which Go trims around, too.
pub fn name(placeholder: &str) -> &str {
    let inside = match placeholder.strip_prefix("${") {
        Some(rest) => rest.strip_suffix('}').unwrap_or(rest),
        None => {
            let inside = placeholder.trim_start_matches("{{").trim_end_matches("}}");
            let inside = inside.strip_prefix("- ").unwrap_or(inside);
            inside.strip_suffix(" -").unwrap_or(inside)
        }
    };
    inside.trim()
}

/// The name of a variable of psql, written without its colon: `name`, `'name'`, `"name"`. `{?name}` only asks whether there is one.
pub fn variable_name(written: &str) -> Option<&str> {
    match written.as_bytes().first()? {
        b'{' => None,
        quote @ (b'\'' | b'"') => written.get(1..)?.strip_suffix(char::from(*quote)),
        _ => Some(written),
    }
}

/// What a value for a placeholder or a variable of psql, as it is written in the file, is called in the configuration.
pub fn key(written: &str) -> Option<&str> {
    match written.strip_prefix(':') {
        Some(variable) => variable_name(variable),
        None => Some(name(written)),
    }
}

/// Whether the text can hold one at all.
pub fn is_possible(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"${").is_some() || memchr::memmem::find(bytes, b"{{").is_some()
}

/// The first placeholder at or after `from`: where it starts and ends.
pub fn find(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    memchr::memchr2_iter(b'$', b'{', bytes.get(from..)?).map(|n| from + n).find_map(|at| Some((at, end(bytes, at)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some((start, end)) = find(text.as_bytes(), at) {
            found.push(&text[start..end]);
            at = end;
        }
        found
    }

    #[test]
    fn both_forms_are_found() {
        assert_eq!(all("${a}.b {{ c }} ${env:X} {{env('A')}}"), ["${a}", "{{ c }}", "${env:X}", "{{env('A')}}"]);
        assert_eq!(all("$evolutions{{{a}}}.b {{c}}"), ["$evolutions{{{a}}}", "{{c}}"]);
    }

    #[test]
    fn a_name_is_what_stands_between_the_braces() {
        for (text, expected) in [
            ("${a}", "a"),
            ("${ flyway:defaultSchema }", "flyway:defaultSchema"),
            ("{{a}}", "a"),
            ("{{ index .Options \"Namespace\" }}", "index .Options \"Namespace\""),
            ("{{- .X -}}", ".X"),
        ] {
            assert_eq!(name(text), expected);
        }
        assert_eq!(["a", "'a'", "\"a\"", "{?a}"].map(variable_name), [Some("a"), Some("a"), Some("a"), None]);
    }

    #[test]
    fn dollar_quotes_json_and_broken_ones_are_none() {
        assert_eq!(all("$${}$$ $1 {\"a\":{\"b\":1}} ${} ${a\n} {{ {{ ${ x"), Vec::<&str>::new());
    }
}
