//! Two fingerprints told apart, a line for each thing, and what two runs of the same migrations need not agree on.

use super::{Contents, Fingerprint, ObjectKey, Objects, Rows};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One thing that is not the same. Its `Display` is one line without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    OnlyBefore(ObjectKey),
    OnlyAfter(ObjectKey),
    Property {
        object: ObjectKey,
        property: String,
        before: Option<String>,
        after: Option<String>,
    },
    RowCount {
        relation: String,
        before: u64,
        after: u64,
    },
    /// As many rows, and other values in one column.
    Values {
        relation: String,
        column: String,
    },
    /// The same values in every column, in other rows.
    Combinations {
        relation: String,
    },
    /// Something else about what a relation holds: where a sequence stands, or what could be read on one side only.
    Contents {
        relation: String,
        before: Option<Contents>,
        after: Option<Contents>,
    },
}

/// What the migrations do not determine (`now()`, `gen_random_uuid()`, a view that says `'now'`): it is not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masked {
    /// By qualified name. A relation without columns: how values stand together in rows.
    pub columns: BTreeMap<String, BTreeSet<String>>,
    /// Properties of objects, by their names.
    pub properties: BTreeSet<(ObjectKey, String)>,
}

impl Masked {
    /// Also does not compare this column, and so neither whole rows of its table.
    pub fn mask(&mut self, relation: &str, column: &str) {
        self.columns.entry(relation.to_owned()).or_default().insert(column.to_owned());
    }

    fn hides(&self, relation: &str, column: &str) -> bool {
        self.columns.get(relation).is_some_and(|columns| columns.contains(column))
    }
}

/// What a sequence has instead of columns.
const LAST_VALUE: &str = "last_value";

impl Fingerprint {
    /// What may differ: where `first` and `second`, made by two runs of the same, have as many rows and other values, or the same object
    /// otherwise.
    pub fn undetermined(first: &Fingerprint, second: &Fingerprint) -> Masked {
        let mut masked = Masked::default();
        for difference in between(first, second, &Masked::default()) {
            match difference {
                Difference::Values { relation, column } => masked.mask(&relation, &column),
                Difference::Combinations { relation } => {
                    masked.columns.entry(relation).or_default();
                }
                Difference::Contents {
                    relation,
                    before: Some(Contents::Sequence { .. }),
                    after: Some(Contents::Sequence { .. }),
                } => masked.mask(&relation, LAST_VALUE),
                Difference::Property { object, property, .. } => {
                    masked.properties.insert((object, property));
                }
                Difference::OnlyBefore(_)
                | Difference::OnlyAfter(_)
                | Difference::RowCount { .. }
                | Difference::Contents { .. } => {}
            }
        }
        masked
    }
}

pub(super) fn between(before: &Fingerprint, after: &Fingerprint, masked: &Masked) -> Vec<Difference> {
    let mut found = objects(&before.schema, &after.schema, masked);
    contents(before, after, masked, &mut found);
    found.extend(objects(&before.cluster, &after.cluster, masked));
    found
}

fn objects(before: &Objects, after: &Objects, masked: &Masked) -> Vec<Difference> {
    let mut found = Vec::new();
    let (gone, made) = (only_in(before, after), only_in(after, before));
    // Both are sorted: what has the same name stands together in the end.
    let keys: BTreeSet<&ObjectKey> = before.keys().chain(after.keys()).collect();
    for key in keys {
        match (before.get(key), after.get(key)) {
            (Some(properties), None) if !is_part_of(properties.get("of"), &gone) => {
                found.push(Difference::OnlyBefore(key.clone()))
            }
            (None, Some(properties)) if !is_part_of(properties.get("of"), &made) => {
                found.push(Difference::OnlyAfter(key.clone()))
            }
            (Some(old), Some(new)) if old != new => {
                let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
                for property in names {
                    let (before, after) = (old.get(property), new.get(property));
                    let is_said_of_columns = &**property == "column order" && same_order(before, after);
                    let is_masked = || masked.properties.contains(&(key.clone(), property.to_string()));
                    if before != after && !is_said_of_columns && !is_masked() {
                        found.push(Difference::Property {
                            object: key.clone(),
                            property: property.to_string(),
                            before: before.cloned(),
                            after: after.cloned(),
                        });
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// The names of what stands in one and not in the other, with what else is named so.
fn only_in<'a>(one: &'a Objects, other: &Objects) -> BTreeSet<&'a str> {
    const PARTS: [&str; 6] = ["column", "attribute", "comment", "grants", "constraint", "trigger"];
    one.keys().filter(|key| !PARTS.contains(&&*key.kind) && !other.contains_key(key)).map(|key| key.name.as_str()).collect()
}

/// That a table is gone says that its columns are.
fn is_part_of(whole: Option<&String>, names: &BTreeSet<&str>) -> bool {
    whole.is_some_and(|whole| names.contains(whole.as_str()))
}

/// Columns that were added or dropped have lines of their own; here it counts how the others stand to each other.
fn same_order(before: Option<&String>, after: Option<&String>) -> bool {
    let (Some(before), Some(after)) = (before, after) else { return true };
    let (before, after): (Vec<&str>, Vec<&str>) = (before.split(", ").collect(), after.split(", ").collect());
    let common = |of: &[&str], in_other: &[&str]| -> Vec<String> {
        let other: BTreeSet<&&str> = in_other.iter().collect();
        of.iter().filter(|name| other.contains(name)).map(|name| (*name).to_owned()).collect()
    };
    common(&before, &after) == common(&after, &before)
}

fn contents(before: &Fingerprint, after: &Fingerprint, masked: &Masked, found: &mut Vec<Difference>) {
    let (gone, made) = (only_in(&before.schema, &after.schema), only_in(&after.schema, &before.schema));
    let relations: BTreeSet<&String> = before.data.keys().chain(after.data.keys()).collect();
    for relation in relations {
        match (before.data.get(relation), after.data.get(relation)) {
            (Some(old), Some(new)) if old == new => {}
            (Some(Contents::Rows(old)), Some(Contents::Rows(new))) => rows(relation, old, new, masked, found),
            (Some(Contents::Sequence { .. }), Some(Contents::Sequence { .. })) if masked.hides(relation, LAST_VALUE) => {}
            (Some(_), None) if gone.contains(relation.as_str()) => {}
            (None, Some(_)) if made.contains(relation.as_str()) => {}
            (old, new) => {
                found.push(Difference::Contents { relation: relation.clone(), before: old.cloned(), after: new.cloned() })
            }
        }
    }
}

fn rows(relation: &str, old: &Rows, new: &Rows, masked: &Masked, found: &mut Vec<Difference>) {
    if old.count != new.count {
        found.push(Difference::RowCount { relation: relation.to_owned(), before: old.count, after: new.count });
        return;
    }
    // A column that is there on one side only is a difference of the schema.
    let columns = || old.columns.iter().filter_map(|(name, sum)| Some((name, sum, new.columns.get(name)?)));
    let others: Vec<_> = columns().filter(|(_, old, new)| old != new).map(|(name, ..)| name).collect();
    let same_columns = old.columns.keys().eq(new.columns.keys());
    if others.is_empty() && same_columns && !masked.columns.contains_key(relation) {
        found.push(Difference::Combinations { relation: relation.to_owned() });
    }
    for column in others.into_iter().filter(|column| !masked.hides(relation, column)) {
        found.push(Difference::Values { relation: relation.to_owned(), column: column.clone() });
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::OnlyBefore(object) => write!(f, "{}: only before", on_one_line(&object.to_string())),
            Difference::OnlyAfter(object) => write!(f, "{}: only after", on_one_line(&object.to_string())),
            Difference::Property { object, property, before, after } => {
                let (before, after) = side_by_side(before.as_deref().unwrap_or("none"), after.as_deref().unwrap_or("none"));
                write!(f, "{}: {property} {before} → {after}", on_one_line(&object.to_string()))
            }
            Difference::RowCount { relation, before, after } => write!(f, "rows of {relation}: {before} → {after}"),
            Difference::Values { relation, column } => write!(f, "rows of {relation}, column {column}: other values"),
            Difference::Combinations { relation } => write!(f, "rows of {relation}: the same values in other rows"),
            Difference::Contents { relation, before, after } => {
                let said = |contents: &Option<Contents>| match contents {
                    None => "not looked at".to_owned(),
                    Some(Contents::Unread(why)) => format!("unread ({why})"),
                    Some(Contents::Rows(rows)) => rows.count.to_string(),
                    Some(Contents::Sequence { last_value, is_called: true }) => last_value.to_string(),
                    Some(Contents::Sequence { last_value, is_called: false }) => format!("before {last_value}"),
                };
                let is_sequence = [before, after].iter().any(|side| matches!(side, Some(Contents::Sequence { .. })));
                let what = if is_sequence { "value of" } else { "rows of" };
                write!(f, "{what} {relation}: {} → {}", said(before), said(after))
            }
        }
    }
}

/// At most so many lines; a last one says how many more there are.
pub fn lines(differences: &[Difference], most: usize) -> Vec<String> {
    let mut lines: Vec<String> = differences.iter().take(most).map(ToString::to_string).collect();
    let more = differences.len().saturating_sub(most);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Letters of a value that are shown.
const SHOWN: usize = 60;
/// Letters that are shown before the first that is another one.
const LEAD: usize = 20;

/// Two values on one line. Of long ones the part where they begin to differ.
fn side_by_side(before: &str, after: &str) -> (String, String) {
    let (old, new) = (on_one_line(before), on_one_line(after));
    if old == new {
        // They differ in white space alone.
        return (format!("{before:?}"), format!("{after:?}"));
    }
    let (old, new): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
    if old.len().max(new.len()) <= SHOWN {
        return (old.iter().collect(), new.iter().collect());
    }
    let common = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let start = common.saturating_sub(LEAD);
    let part = |text: &[char]| {
        let end = text.len().min(start + SHOWN);
        let middle: String = text.get(start..end).unwrap_or_default().iter().collect();
        format!("{}{middle}{}", if start > 0 { "…" } else { "" }, if end < text.len() { "…" } else { "" })
    };
    (part(&old), part(&new))
}
