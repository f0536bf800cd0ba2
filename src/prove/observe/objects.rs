//! What a statement created, dropped, renamed and changed, whatever way it did it: directly, in a DO block, by EXECUTE, by the script
//! of an extension.
//!
//! Identity is the OID. What comes or goes with something larger is not told again: the columns, constraints, indexes and triggers of
//! a table that was created or dropped. Members of extensions stand for themselves only by their extension.

use super::catalogs::*;
use imbl::ordmap::DiffItem;

/// The objects that differ between two moments. Each list is sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    /// "table public.t", "column public.t.a".
    pub created: Vec<String>,
    pub dropped: Vec<String>,
    /// "table public.t → public.u".
    pub renamed: Vec<String>,
    pub changed: Vec<String>,
}

/// What differs between two moments of one connection.
pub fn difference(before: &Catalogs, after: &Catalogs) -> Objects {
    let mut found = Found { before, after, objects: Objects::default() };
    found.rows(&before.namespaces, &after.namespaces, |at, oid, row| at.own("schema", PG_NAMESPACE, *oid, row.quoted.clone()));
    found.rows(&before.classes, &after.classes, |at, oid, row| at.own(word(row.kind), PG_CLASS, *oid, row.qualified.clone()));
    found.parts();
    found.rows(&before.types, &after.types, |at, oid, row| at.own("type", PG_TYPE, *oid, row.qualified.clone()));
    found.rows(&before.routines, &after.routines, |at, oid, row| at.own("routine", PG_PROC, *oid, row.signature.clone()));
    found.rows(&before.extensions, &after.extensions, |_, _, row| Some(("extension", row.quoted.clone())));
    found.rows(&before.publications, &after.publications, |_, name, _| Some(("publication", name.clone())));
    found.rows(&before.roles, &after.roles, |_, _, name| Some(("role", name.clone())));
    let Objects { created, dropped, renamed, changed } = &mut found.objects;
    for list in [created, dropped, renamed, changed] {
        list.sort();
        list.dedup();
    }
    found.objects
}

/// What kind of object it is, and its name.
type Told = Option<(&'static str, String)>;

struct Found<'a> {
    before: &'a Catalogs,
    after: &'a Catalogs,
    objects: Objects,
}

/// One of the two moments, and the other one.
#[derive(Clone, Copy)]
struct Moment<'a> {
    catalogs: &'a Catalogs,
    other: &'a Catalogs,
}

impl Moment<'_> {
    /// An object that may be a member of an extension, which stands for it.
    fn own(self, kind: &'static str, catalog: Oid, oid: Oid, name: String) -> Told {
        (!self.catalogs.is_member(catalog, oid)).then_some((kind, name))
    }

    /// A part of a relation that is there at both moments: what came or went with it is not told.
    fn part(self, kind: &'static str, relation: Oid, name: impl FnOnce(Option<&str>) -> String) -> Told {
        let class = self.catalogs.classes.get(&relation);
        if class.is_some() != self.other.classes.contains_key(&relation) || self.catalogs.is_member(PG_CLASS, relation) {
            return None;
        }
        Some((kind, name(class.map(|class| class.qualified.as_str()))))
    }

    /// A part of a type that is there at both moments.
    fn of_type(self, kind: &'static str, oid: Oid, name: &str) -> Told {
        let found = self.catalogs.types.get(&oid)?;
        let stays = self.other.types.contains_key(&oid) && !self.catalogs.is_member(PG_TYPE, oid);
        stays.then(|| (kind, format!("{name} of {}", found.qualified)))
    }

    /// One that is named by its relation.
    fn hanging(self, kind: &'static str, relation: Oid, name: &str) -> Told {
        self.part(kind, relation, |class| class.map_or_else(|| name.to_owned(), |class| format!("{name} of {class}")))
    }
}

impl Found<'_> {
    /// Rows of one catalog; `told` says what they are, and `None` of those that are not told.
    fn rows<K: Ord + Clone, V: PartialEq + Clone>(
        &mut self,
        before: &Rows<K, V>,
        after: &Rows<K, V>,
        told: impl Fn(Moment<'_>, &K, &V) -> Told,
    ) {
        let old = Moment { catalogs: self.before, other: self.after };
        let new = Moment { catalogs: self.after, other: self.before };
        let objects = &mut self.objects;
        let write = |list: &mut Vec<String>, told: Told| list.extend(told.map(|(kind, name)| format!("{kind} {name}")));
        for item in before.diff(after) {
            match item {
                DiffItem::Add(key, row) => write(&mut objects.created, told(new, key, row)),
                DiffItem::Remove(key, row) => write(&mut objects.dropped, told(old, key, row)),
                DiffItem::Update { old: (key, row), new: (_, now) } => match (told(old, key, row), told(new, key, now)) {
                    (Some(was), Some(is)) if was == is => write(&mut objects.changed, Some(is)),
                    (Some((was, name)), Some((is, now))) if was == is => {
                        objects.renamed.push(format!("{is} {name} → {now}"));
                    }
                    (was, is) => {
                        write(&mut objects.dropped, was);
                        write(&mut objects.created, is);
                    }
                },
            }
        }
    }

    /// What hangs on a relation that was there before and still is.
    fn parts(&mut self) {
        let (before, after) = (self.before, self.after);
        // Where the row stands is no property of the column.
        let moved = |key: &(Oid, i16), at: Moment<'_>| match (at.catalogs.attributes.get(key), at.other.attributes.get(key)) {
            (Some(one), Some(other)) => {
                Attribute { row_version: String::new(), ..one.clone() }
                    == Attribute { row_version: String::new(), ..other.clone() }
            }
            _ => false,
        };
        self.rows(&before.attributes, &after.attributes, |at, key, row| {
            if moved(key, at) {
                return None;
            }
            at.part("column", key.0, |class| class.map_or_else(|| row.quoted.clone(), |class| format!("{class}.{}", row.quoted)))
        });
        self.rows(&before.constraints, &after.constraints, |at, _, row| match row.relation {
            0 => at.of_type("constraint", row.domain, &row.quoted),
            relation => at.hanging("constraint", relation, &row.quoted),
        });
        self.rows(&before.indexes, &after.indexes, |at, _, row| at.part("index", row.relation, |_| row.qualified.clone()));
        self.rows(&before.triggers, &after.triggers, |at, _, row| at.hanging("trigger", row.relation, &row.quoted));
        self.rows(&before.policies, &after.policies, |at, _, row| at.hanging("policy", row.relation, &row.quoted));
        self.rows(&before.rules, &after.rules, |at, _, row| at.hanging("rule", row.relation, &row.quoted));
        self.rows(&before.labels, &after.labels, |at, _, row| at.of_type("enum value", row.enum_type, &row.quoted));
    }
}

fn word(relkind: char) -> &'static str {
    match relkind {
        'p' => "partitioned table",
        'v' => "view",
        'm' => "materialized view",
        'S' => "sequence",
        'f' => "foreign table",
        'c' => "type",
        _ => "table",
    }
}
