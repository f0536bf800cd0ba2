//! What servers after 15 have and older ones do not: forms of SQL, functions, names. Read off servers of every known version by
//! `tests/versions.rs`, which reads them again and compares.

use super::KNOWN;
use std::collections::HashMap;
use std::sync::LazyLock;

const FORMS: &str = include_str!("forms.txt");
const NAMES: &str = include_str!("names.txt");
/// Functions of `pg_catalog`, one for each line: the first version that has it, then its signature as the query of the catalog
/// room's function table writes it: name, arguments, `:`, result.
pub const FUNCTIONS: &str = include_str!("functions.txt");

/// Something that SQL can say since a version after 15. Its witness stands in `forms.sql`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    pub id: &'static str,
    /// The first major version that takes it.
    pub since: u16,
    /// Whether the parser of older versions refuses it: then also where it stands in a body of plpgsql that does not run. Else
    /// older versions refuse it when the statement runs.
    pub refused_by_parser: bool,
    /// What it is, to stand in a sentence: `a subquery in FROM without an alias`.
    pub says: &'static str,
}

/// What a name is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NameKind {
    Setting,
    /// A predefined role.
    Role,
    /// A table or view of `pg_catalog`.
    Relation,
    Collation,
    /// A word that is no name, or none of a function or type, unless it is quoted.
    Word,
}

impl NameKind {
    fn of(word: &str) -> Option<NameKind> {
        match word {
            "setting" => Some(NameKind::Setting),
            "role" => Some(NameKind::Role),
            "relation" => Some(NameKind::Relation),
            "collation" => Some(NameKind::Collation),
            "word" => Some(NameKind::Word),
            _ => None,
        }
    }
}

static FORM_TABLE: LazyLock<HashMap<&'static str, Form>> =
    LazyLock::new(|| FORMS.lines().filter_map(form_of).map(|form| (form.id, form)).collect());
static NAME_TABLE: LazyLock<HashMap<(NameKind, &'static str), u16>> =
    LazyLock::new(|| NAMES.lines().filter_map(name_of).collect());
static FUNCTION_NAMES: LazyLock<HashMap<&'static str, u16>> = LazyLock::new(|| {
    let mut first = HashMap::new();
    for (since, signature) in functions() {
        let name = signature.split(' ').next().unwrap_or_default();
        let known = first.entry(name).or_insert(since);
        *known = since.min(*known);
    }
    first
});

fn form_of(line: &'static str) -> Option<Form> {
    let mut words = line.splitn(4, ' ');
    let (since, refused, id, says) = (words.next()?, words.next()?, words.next()?, words.next()?);
    Some(Form { id, since: since.parse().ok()?, refused_by_parser: refused == "parser", says })
}

fn name_of(line: &'static str) -> Option<((NameKind, &'static str), u16)> {
    let mut words = line.splitn(3, ' ');
    let (since, kind, name) = (words.next()?, words.next()?, words.next()?);
    Some(((NameKind::of(kind)?, name), since.parse().ok()?))
}

/// The form of this id.
pub fn form(id: &str) -> Option<Form> {
    FORM_TABLE.get(id).copied()
}

/// The first version that has the name; `None` where 15 has it, or nobody. Names are as the parser folds them, settings in lower
/// case.
pub fn name(kind: NameKind, name: &str) -> Option<u16> {
    NAME_TABLE.get(&(kind, name)).copied()
}

/// Every newer name of a kind.
pub fn names(kind: NameKind) -> impl Iterator<Item = &'static str> {
    NAME_TABLE.keys().filter(move |(of, _)| *of == kind).map(|(_, name)| *name)
}

/// Functions and overloads that 15 does not have, each with the first version that has it.
pub fn functions() -> impl Iterator<Item = (u16, &'static str)> + Clone {
    FUNCTIONS.lines().filter_map(|line| line.split_once(' ')).filter_map(|(since, rest)| Some((since.parse().ok()?, rest)))
}

/// Whether a version after 15 added a function, or an overload, of that name.
pub fn has_function(name: &str) -> bool {
    FUNCTION_NAMES.contains_key(name)
}

/// Versions that a form or name can be first in.
pub fn versions() -> impl Iterator<Item = u16> {
    KNOWN.each().skip(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_tables_is_understood() {
        assert_eq!(FORM_TABLE.len(), FORMS.lines().count());
        assert_eq!(NAME_TABLE.len(), NAMES.lines().count());
        assert_eq!(functions().count(), FUNCTIONS.lines().count());
        let known: Vec<u16> = versions().collect();
        let since =
            FORM_TABLE.values().map(|form| form.since).chain(NAME_TABLE.values().copied()).chain(functions().map(|f| f.0));
        for version in since {
            assert!(known.contains(&version), "{version}");
        }
    }

    #[test]
    fn forms_functions_and_names_tell_their_first_version() {
        assert_eq!(form("set-expression").map(|form| (form.since, form.refused_by_parser)), Some((17, true)));
        assert_eq!(form("merge-into-view").map(|form| (form.since, form.refused_by_parser)), Some((17, false)));
        assert_eq!(name(NameKind::Setting, "transaction_timeout"), Some(17));
        assert_eq!(name(NameKind::Setting, "lock_timeout"), None);
        assert_eq!(name(NameKind::Word, "system_user"), Some(16));
        assert!(has_function("uuidv7") && has_function("random") && !has_function("now"));
    }
}
