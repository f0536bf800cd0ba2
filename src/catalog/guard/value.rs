//! Values of guard conditions: what SQL would compute, or how much of it is known.

use crate::catalog::object::Id;
use std::borrow::Cow;

/// A value as far as it is known. Borrowed from the catalog or the body where it can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Text(Cow<'a, str>),
    /// An object identifier: an OID, or a value of a `reg…` type.
    Object(Object<'a>),
    /// An array, or the members of a list.
    List(Vec<Value<'a>>),
    /// A number between these, both included: `count(*)` of rows that are not all known.
    Between(i64, Option<i64>),
    /// Not null; what it is is not known.
    Present,
    /// Not null, and none of the names that the catalog knows for this kind of object: an object nobody created here.
    Unseen(Names),
    /// The OID of an object that is none of those in the catalog.
    UnseenObject,
    /// Anything, null included.
    Unknown,
}

/// The kind of name that an [`Value::Unseen`] is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Relations and indexes.
    Relations,
    Types,
    Routines,
    Schemas,
    Extensions,
    Roles,
    /// A name that the server itself uses in `pg_catalog`: of a relation or type it starts with `pg_`.
    System,
    /// The name of a function of the server.
    SystemRoutines,
    /// The name of a type of the server.
    SystemTypes,
    /// Columns of this relation.
    Columns(Id),
    /// Labels of this enum.
    Labels(Id),
}

/// What an OID stands for. Two different objects never compare equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object<'a> {
    /// An object of the catalog, of whatever kind: identities are unique across kinds.
    Modelled(Id),
    Schema(Cow<'a, str>),
    Role(Cow<'a, str>),
    Extension(&'a str),
    BuiltinType(Cow<'a, str>),
    /// The database we are connected to.
    Database,
}

/// SQL's three values, where unknown stands for null as well as for "not known here": both mean that nothing can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    True,
    False,
    /// SQL's NULL: known not to be true.
    Null,
    Unknown,
}

impl Truth {
    pub fn of(value: bool) -> Self {
        if value { Truth::True } else { Truth::False }
    }
    pub fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::True, other) => other,
            (own, Truth::True) => own,
            (Truth::Null, Truth::Null) => Truth::Null,
            // NULL and unknown: false or NULL.
            (Truth::Null | Truth::Unknown, Truth::Null | Truth::Unknown) => Truth::Unknown,
        }
    }
    pub fn or(self, other: Truth) -> Truth {
        self.not().and(other.not()).not()
    }
    pub fn not(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Null => Truth::Null,
            Truth::Unknown => Truth::Unknown,
        }
    }
    /// `None` where it is not known; NULL is not true, so a condition that is NULL does not hold.
    pub fn holds(self) -> Option<bool> {
        match self {
            Truth::True => Some(true),
            Truth::False | Truth::Null => Some(false),
            Truth::Unknown => None,
        }
    }
    pub fn value(self) -> Value<'static> {
        match self {
            Truth::True => Value::Bool(true),
            Truth::False => Value::Bool(false),
            Truth::Null => Value::Null,
            Truth::Unknown => Value::Unknown,
        }
    }
}

impl<'a> Value<'a> {
    pub fn text(text: &'a str) -> Self {
        Value::Text(Cow::Borrowed(text))
    }
    pub fn owned(text: String) -> Self {
        Value::Text(Cow::Owned(text))
    }
    /// NULL where there is nothing.
    pub fn optional(text: Option<&'a str>) -> Self {
        text.map_or(Value::Null, Value::text)
    }
    pub fn truth(&self) -> Truth {
        match self {
            Value::Bool(value) => Truth::of(*value),
            Value::Null => Truth::Null,
            // `'t'::boolean` and the like: the server takes these spellings.
            Value::Text(text) => match text.trim().to_lowercase().as_str() {
                "t" | "true" | "y" | "yes" | "on" | "1" => Truth::True,
                "f" | "false" | "n" | "no" | "off" | "0" => Truth::False,
                _ => Truth::Unknown,
            },
            Value::Int(_) | Value::Object(_) | Value::List(_) | Value::Between(..) => Truth::Unknown,
            Value::Present | Value::Unseen(_) | Value::UnseenObject | Value::Unknown => Truth::Unknown,
        }
    }
    pub fn is_null(&self) -> Truth {
        match self {
            Value::Null => Truth::True,
            Value::Unknown => Truth::Unknown,
            Value::Bool(_) | Value::Int(_) | Value::Text(_) | Value::Object(_) | Value::List(_) => Truth::False,
            Value::Between(..) | Value::Present | Value::Unseen(_) | Value::UnseenObject => Truth::False,
        }
    }
    /// The same value without a borrow.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Int(value) => Value::Int(value),
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::List(list) => Value::List(list.into_iter().map(Value::into_owned).collect()),
            Value::Between(low, high) => Value::Between(low, high),
            Value::Present => Value::Present,
            Value::Unseen(names) => Value::Unseen(names),
            Value::UnseenObject => Value::UnseenObject,
            Value::Unknown => Value::Unknown,
            Value::Object(Object::Modelled(id)) => Value::Object(Object::Modelled(id)),
            Value::Object(Object::Schema(name)) => Value::Object(Object::Schema(Cow::Owned(name.into_owned()))),
            Value::Object(Object::Role(name)) => Value::Object(Object::Role(Cow::Owned(name.into_owned()))),
            Value::Object(Object::BuiltinType(name)) => Value::Object(Object::BuiltinType(Cow::Owned(name.into_owned()))),
            Value::Object(Object::Database) => Value::Object(Object::Database),
            Value::Object(Object::Extension(_)) => Value::Present,
        }
    }
}

/// `=`, `<`, `>` and their kin on whole numbers, of which one may be a range.
pub fn compare_numbers(name: &str, left: (i64, Option<i64>), right: (i64, Option<i64>)) -> Truth {
    let below = |a: (i64, Option<i64>), b: (i64, Option<i64>)| a.1.is_some_and(|high| high < b.0);
    let at_most = |a: (i64, Option<i64>), b: (i64, Option<i64>)| a.1.is_some_and(|high| high <= b.0);
    let both = |yes: bool, no: bool| match (yes, no) {
        (true, _) => Truth::True,
        (_, true) => Truth::False,
        _ => Truth::Unknown,
    };
    let single = |n: (i64, Option<i64>)| n.1 == Some(n.0);
    match name {
        "=" => both(single(left) && left == right, below(left, right) || below(right, left)),
        "<>" | "!=" => both(below(left, right) || below(right, left), single(left) && left == right),
        "<" => both(below(left, right), at_most(right, left)),
        "<=" => both(at_most(left, right), below(right, left)),
        ">" => both(below(right, left), at_most(left, right)),
        ">=" => both(at_most(right, left), below(left, right)),
        _ => Truth::Unknown,
    }
}

/// LIKE with `%`, `_` and backslash escapes.
pub fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut parts: Vec<Option<char>> = Vec::new();
    let mut wild: Vec<bool> = Vec::new();
    let mut chars = pattern.chars();
    while let Some(ch) = chars.next() {
        let (part, any) = match ch {
            '%' => (None, true),
            '_' => (None, false),
            '\\' => (chars.next(), false),
            ch => (Some(ch), false),
        };
        parts.push(part);
        wild.push(any);
    }
    // reachable[i]: the pattern so far matches text[..i].
    let mut reachable = vec![false; text.len() + 1];
    reachable[0] = true;
    for (part, any) in parts.iter().zip(&wild) {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            if *any {
                next[at] = reachable[at] || (at > 0 && next[at - 1]);
            } else if at > 0 && reachable[at - 1] {
                next[at] = part.is_none_or(|ch| ch == text[at - 1]);
            }
        }
        reachable = next;
    }
    reachable[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_matches_as_the_server_does() {
        assert!(like("users_email_key", "users%key"));
        assert!(like("a_b", r"a\_b"));
        assert!(!like("axb", r"a\_b"));
        assert!(like("", "%"));
        assert!(!like("", "_"));
        assert!(like("abc", "_b_"));
        assert!(!like("abcd", "abc"));
    }

    #[test]
    fn null_and_unknown_never_become_true_or_false_by_mistake() {
        assert_eq!(Truth::Null.and(Truth::Unknown), Truth::Unknown);
        assert_eq!(Truth::Null.and(Truth::False), Truth::False);
        assert_eq!(Truth::Null.or(Truth::True), Truth::True);
        assert_eq!(Truth::Unknown.or(Truth::False), Truth::Unknown);
        assert_eq!(Truth::Null.not().holds(), Some(false));
    }

    #[test]
    fn a_count_that_is_only_bounded_compares_as_far_as_its_bounds_say() {
        assert_eq!(compare_numbers(">", (1, None), (0, Some(0))), Truth::True);
        assert_eq!(compare_numbers("=", (0, None), (0, Some(0))), Truth::Unknown);
        assert_eq!(compare_numbers("=", (1, Some(3)), (0, Some(0))), Truth::False);
        assert_eq!(compare_numbers("<>", (2, Some(2)), (2, Some(2))), Truth::False);
        assert_eq!(compare_numbers(">=", (0, Some(1)), (2, Some(2))), Truth::False);
    }
}
