//! Values in the places of placeholders, before anything is parsed, and the way back: which bytes of the file a part of the new text
//! stands for.
//!
//! Replacing is blind to what is around, as runners are: in strings, names, bodies and comments alike. Only variables of psql
//! (`:name`, `:'name'`, `:"name"`) go by what psql's lexer takes for one. A value is not looked at again for `${…}` and `{{ … }}`; the
//! variables in it are replaced, as psql does it.

use crate::op::Span;
use crate::sql::{OddityKind, mask, placeholder, psql};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Values of placeholders, and which forms have them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placeholders {
    /// By what stands between the braces, trimmed.
    pub values: BTreeMap<String, String>,
    /// The runner does not mind the case of names.
    pub ignore_case: bool,
    /// `:name` is a placeholder too: psql runs the file.
    pub variables: bool,
    /// Texts that the runner replaces itself, with what it puts there.
    pub fixed: &'static [(&'static str, &'static str)],
}

impl Placeholders {
    fn value(&self, name: &str) -> Option<&str> {
        let alike = || self.values.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        self.values.get(name).or_else(|| if self.ignore_case { alike() } else { None }).map(String::as_str)
    }
}

/// A text with values for what could be replaced.
#[derive(Debug)]
pub struct Substituted<'a> {
    pub text: Cow<'a, str>,
    pub origin: Substitution,
}

/// How a text came from another one, one replacing after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Substitution {
    /// The last one made the text.
    layers: Vec<Vec<Bridge>>,
}

/// One replaced part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bridge {
    old: Span,
    new: Span,
}

impl Substitution {
    /// True where nothing was replaced.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Where what starts at this byte of the new text starts in the old one. Inside of a value that is the start of its placeholder.
    pub fn start(&self, at: usize) -> usize {
        let of_layer = |at: usize, layer: &Vec<Bridge>| match last(layer, |bridge| bridge.new.start <= at) {
            Some(bridge) if at < bridge.new.end => bridge.old.start,
            Some(bridge) => bridge.old.end + (at - bridge.new.end),
            None => at,
        };
        self.layers.iter().rev().fold(at, of_layer)
    }

    /// Where what ends before this byte of the new text ends in the old one. Inside of a value that is the end of its placeholder.
    pub fn end(&self, at: usize) -> usize {
        let of_layer = |at: usize, layer: &Vec<Bridge>| match last(layer, |bridge| bridge.new.start < at) {
            Some(bridge) if at <= bridge.new.end => bridge.old.end,
            Some(bridge) => bridge.old.end + (at - bridge.new.end),
            None => at,
        };
        self.layers.iter().rev().fold(at, of_layer)
    }
}

/// The last replaced part for which something holds that holds for all before it.
fn last(layer: &[Bridge], holds: impl Fn(&Bridge) -> bool) -> Option<Bridge> {
    layer.partition_point(holds).checked_sub(1).and_then(|index| layer.get(index)).copied()
}

/// Replaces what has a value.
pub fn substitute<'a>(text: &'a str, placeholders: &Placeholders) -> Substituted<'a> {
    let mut substituted = Substituted { text: Cow::Borrowed(text), origin: Substitution::default() };
    let edits = fixed(text, placeholders.fixed);
    substituted.replace(&edits);
    if placeholders.values.is_empty() && !placeholders.variables {
        return substituted;
    }
    let edits = braced(&substituted.text, placeholders);
    substituted.replace(&edits);
    if placeholders.variables {
        let edits = variables(&substituted.text, placeholders);
        substituted.replace(&edits);
    }
    substituted
}

impl Substituted<'_> {
    fn replace(&mut self, edits: &[(Span, String)]) {
        if edits.is_empty() {
            return;
        }
        let mut text = String::with_capacity(self.text.len());
        let mut layer = Vec::with_capacity(edits.len());
        let mut at = 0;
        for (old, value) in edits {
            text.push_str(&self.text[at..old.start]);
            let start = text.len();
            text.push_str(value);
            layer.push(Bridge { old: *old, new: Span { start, end: text.len() } });
            at = old.end;
        }
        text.push_str(&self.text[at..]);
        self.text = Cow::Owned(text);
        self.origin.layers.push(layer);
    }
}

/// Texts that are replaced wherever they stand.
fn fixed(text: &str, replaced: &[(&str, &str)]) -> Vec<(Span, String)> {
    let places = |&(word, value): &(&str, &str)| {
        let found = text.match_indices(word);
        found.map(|(start, word)| (Span { start, end: start + word.len() }, value.to_owned())).collect::<Vec<_>>()
    };
    let mut edits: Vec<_> = replaced.iter().flat_map(places).collect();
    edits.sort_unstable();
    edits
}

/// `${name}` and `{{ name }}`.
fn braced(text: &str, placeholders: &Placeholders) -> Vec<(Span, String)> {
    let bytes = text.as_bytes();
    let mut edits = Vec::new();
    let mut at = 0;
    while let Some((start, end)) = placeholder::find(bytes, at) {
        at = end;
        if let Some(value) = placeholders.value(placeholder::name(&text[start..end])) {
            edits.push((Span { start, end }, value.to_owned()));
        }
    }
    edits
}

/// `:name`, `:'name'` and `:"name"`. A `\set` before it in the file beats the value that was given, as it beats psql's `-v`.
fn variables(text: &str, placeholders: &Placeholders) -> Vec<(Span, String)> {
    let mut set: BTreeMap<&str, Option<String>> = BTreeMap::new();
    let mut edits = Vec::new();
    for (span, kind) in mask::mask(text).found {
        let found = &text[span.start..span.end];
        match kind {
            OddityKind::MetaCommand => set.extend(psql::set(found)),
            OddityKind::Variable => edits.extend(replaced(found, &set, placeholders).map(|value| (span, value))),
            OddityKind::CopyData | OddityKind::Placeholder => {}
        }
    }
    edits
}

/// A variable with its value, quoted as it asks.
fn replaced(variable: &str, set: &BTreeMap<&str, Option<String>>, placeholders: &Placeholders) -> Option<String> {
    let written = variable.strip_prefix(':')?;
    let name = placeholder::variable_name(written)?;
    let value = set.get(name).and_then(|value| value.as_deref()).or_else(|| placeholders.value(name))?;
    Some(match written.as_bytes().first() {
        Some(b'\'') if value.contains('\\') => format!(" E'{}'", value.replace('\\', "\\\\").replace('\'', "''")),
        Some(b'\'') => format!("'{}'", value.replace('\'', "''")),
        Some(b'"') => format!("\"{}\"", value.replace('"', "\"\"")),
        _ => value.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn placeholders(values: &[(&str, &str)], variables: bool) -> Placeholders {
        let values = values.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Placeholders { values, variables, ..Placeholders::default() }
    }

    #[test]
    fn texts_that_the_runner_replaces_itself_come_before_values() {
        let fixed = &[("$%TYPE%$", "bigint"), ("@S@", "${s}")];
        let values = [("s".to_string(), "app".to_string())].into();
        let placeholders = Placeholders { values, fixed, ..Placeholders::default() };
        let done = substitute("CREATE TABLE @S@.t (a $%TYPE%$, b $%TYPE%$)", &placeholders);
        assert_eq!(done.text, "CREATE TABLE app.t (a bigint, b bigint)");
        assert_eq!((done.origin.start(22), done.origin.end(28)), (22, 30), "the whole placeholder");
    }

    fn done(text: &str, values: &[(&str, &str)], variables: bool) -> String {
        substitute(text, &placeholders(values, variables)).text.into_owned()
    }

    #[test]
    fn every_form_is_replaced_wherever_it_stands() {
        let values = [("s", "app"), ("t", "app.users"), ("index .Options \"Namespace\"", "auth"), (".X", "x")];
        assert_eq!(done("${s}.a '${ s }' \"${s}\" $$${s}$$ -- ${s}", &values, false), "app.a 'app' \"app\" $$app$$ -- app");
        assert_eq!(done("SELECT * FROM {{ t }}", &values, false), "SELECT * FROM app.users");
        assert_eq!(done("\"{{ index .Options \"Namespace\" }}\".{{- .X -}}", &values, false), "\"auth\".x");
        assert_eq!(done("${other} {{other}} :s", &values, false), "${other} {{other}} :s");
        assert_eq!(done("a ${s} b", &[("s", "")], false), "a  b");
        assert_eq!(done("${s}", &[("s", "${s}")], false), "${s}");
    }

    #[test]
    fn names_may_ignore_case_where_the_runner_does() {
        let mut flyway = placeholders(&[("Schema", "app")], false);
        assert_eq!(substitute("${schema}", &flyway).text, "${schema}");
        flyway.ignore_case = true;
        assert_eq!(substitute("${schema}.${SCHEMA}", &flyway).text, "app.app");
    }

    #[test]
    fn variables_of_psql_are_quoted_as_psql_quotes_them() {
        let values = [("a", "x'y\"z"), ("b", "c\\d"), ("n", "app")];
        assert_eq!(done("SELECT :'a', :\"a\", :'b'", &values, true), "SELECT 'x''y\"z', \"x'y\"\"z\",  E'c\\\\d'");
        assert_eq!(
            done("SELECT ':n', x::n, a[1:n] FROM :n.t -- :n", &values, true),
            "SELECT ':n', x::n, a[1:n] FROM app.t -- :n"
        );
        assert_eq!(done("${v}", &[("v", ":n.t"), ("n", "app")], true), "app.t", "a value may hold a variable");
    }

    #[test]
    fn what_the_file_sets_itself_is_the_value_from_there_on() {
        let text = "SELECT :n;\n\\set n app\nSELECT :n;\n\\set n `date`\nSELECT :n;";
        let without = text.replacen("\\set n app\nSELECT :n", "\\set n app\nSELECT app", 1);
        assert_eq!(done(text, &[], true), without);
        assert_eq!(done(text, &[("n", "x")], true), without.replace("SELECT :n", "SELECT x"));
        assert_eq!(done(text, &[], false), text);
    }

    #[test]
    fn a_part_of_a_value_stands_for_its_whole_placeholder() {
        let text = "DROP TABLE ${t}, b;";
        let done = substitute(text, &placeholders(&[("t", "app.users")], false));
        assert_eq!(done.text, "DROP TABLE app.users, b;");
        let back = |part: &str| {
            let at = done.text.find(part).unwrap();
            &text[done.origin.start(at)..done.origin.end(at + part.len())]
        };
        for (part, old) in [("app", "${t}"), ("users", "${t}"), ("DROP TABLE", "DROP TABLE"), ("b", "b"), (", b;", ", b;")] {
            assert_eq!(back(part), old, "{part}");
        }
        assert_eq!(back("TABLE app"), "TABLE ${t}");
    }

    proptest! {
        #[test]
        fn what_was_not_replaced_stands_where_it_stood(
            text in "([a-c ]{0,4}(\\$\\{(s|t|u)\\}|:t|\\{\\{ s \\}\\}|'|é)?){0,8}", s in "[x:tü ]{0,5}", t in "[y.]{0,9}", psql: bool,
        ) {
            let done = substitute(&text, &placeholders(&[("s", &s), ("t", &t)], psql));
            let origin = &done.origin;
            // Every span of the new text is a span of the old one, on characters, and in order.
            let bounds: Vec<usize> = (0..=done.text.len()).filter(|&at| done.text.is_char_boundary(at)).collect();
            for pair in bounds.windows(2) {
                let (start, end) = (origin.start(pair[0]), origin.end(pair[1]));
                prop_assert!(start < end && end <= text.len(), "{}..{} of {:?}", pair[0], pair[1], done.text);
                prop_assert!(text.is_char_boundary(start) && text.is_char_boundary(end));
                prop_assert!(origin.start(pair[0]) <= origin.start(pair[1]) && origin.end(pair[0]) <= origin.end(pair[1]));
                let (new, old) = (&done.text[pair[0]..pair[1]], &text[start..end]);
                prop_assert!(new == old || old.starts_with(['$', '{', ':']), "{new:?} {old:?}");
            }
            if !psql {
                // What is not in a value comes back byte by byte, in order.
                let kept: String = bounds.windows(2).map(|pair| (&done.text[pair[0]..pair[1]], &text[origin.start(pair[0])..origin.end(pair[1])]))
                    .filter(|(new, old)| new == old).map(|(new, _)| new).collect();
                let mut without = text.clone();
                for form in ["${s}", "{{ s }}", "${t}"] {
                    without = without.replace(form, "");
                }
                prop_assert_eq!(kept, without);
            }
        }
    }
}
