//! Values in the places of placeholders, before anything is parsed, and the way back: which bytes of the file a part of the new text
//! stands for.
//!
//! Replacing is blind to what is around, as runners are: in strings, names, bodies and comments alike. Only variables of psql
//! (`:name`, `:'name'`, `:"name"`) go by what psql's lexer takes for one. A value is not looked at again for `${…}` and `{{ … }}`; the
//! variables in it are replaced, as psql does it.

use crate::op::Span;
use crate::sql::{OddityKind, mask, placeholder};
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
    if placeholders.values.is_empty() {
        return substituted;
    }
    let edits = braced(text, placeholders);
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

/// `:name`, `:'name'` and `:"name"`.
fn variables(text: &str, placeholders: &Placeholders) -> Vec<(Span, String)> {
    let found = mask::mask(text).found;
    let of_variable = |(span, kind): (Span, OddityKind)| {
        let written = text[span.start..span.end].strip_prefix(':').filter(|_| kind == OddityKind::Variable)?;
        let name = placeholder::variable_name(written)?;
        let value = placeholders.value(name)?;
        let replaced = match written.as_bytes().first() {
            Some(b'\'') if value.contains('\\') => format!(" E'{}'", value.replace('\\', "\\\\").replace('\'', "''")),
            Some(b'\'') => format!("'{}'", value.replace('\'', "''")),
            Some(b'"') => format!("\"{}\"", value.replace('"', "\"\"")),
            _ => value.to_owned(),
        };
        Some((span, replaced))
    };
    found.into_iter().filter_map(of_variable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn placeholders(values: &[(&str, &str)], variables: bool) -> Placeholders {
        let values = values.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Placeholders { values, ignore_case: false, variables }
    }

    fn replaced(text: &str, values: &[(&str, &str)], variables: bool) -> String {
        substitute(text, &placeholders(values, variables)).text.into_owned()
    }

    #[test]
    fn every_form_is_replaced_wherever_it_stands() {
        let values = [("s", "app"), ("t", "app.users"), ("index .Options \"Namespace\"", "auth"), (".X", "x")];
        assert_eq!(replaced("${s}.a '${ s }' \"${s}\" $$${s}$$ -- ${s}", &values, false), "app.a 'app' \"app\" $$app$$ -- app");
        assert_eq!(replaced("SELECT * FROM {{ t }}", &values, false), "SELECT * FROM app.users");
        assert_eq!(replaced("\"{{ index .Options \"Namespace\" }}\".{{- .X -}}", &values, false), "\"auth\".x");
        assert_eq!(replaced("${other} {{other}} :s", &values, false), "${other} {{other}} :s");
        assert_eq!(replaced("a ${s} b", &[("s", "")], false), "a  b");
        assert_eq!(replaced("${s}", &[("s", "${s}")], false), "${s}");
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
        assert_eq!(replaced("SELECT :'a', :\"a\", :'b'", &values, true), "SELECT 'x''y\"z', \"x'y\"\"z\",  E'c\\\\d'");
        assert_eq!(
            replaced("SELECT ':n', x::n, a[1:n] FROM :n.t -- :n", &values, true),
            "SELECT ':n', x::n, a[1:n] FROM app.t -- :n"
        );
        assert_eq!(replaced("${v}", &[("v", ":n.t"), ("n", "app")], true), "app.t", "a value may hold a variable");
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
