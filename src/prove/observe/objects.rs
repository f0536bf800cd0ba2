//! What a statement created, dropped, renamed and changed, whatever way it did it: directly, in a DO block, by EXECUTE, by the script
//! of an extension.
//!
//! Identity is the OID. What comes or goes with something larger is not told again: the columns, constraints, indexes and triggers of
//! a table that was created or dropped. Members of extensions stand for themselves only by their extension.

use super::catalogs::*;
use std::collections::BTreeSet;
use std::rc::Rc;

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
    let mut found = Found { before, after, objects: Objects::default(), new: BTreeSet::new(), gone: BTreeSet::new() };
    found.whole(
        "schema",
        &before.namespaces,
        &after.namespaces,
        |_, oid, _| Some((PG_NAMESPACE, *oid)),
        |_, _, row| row.quoted.clone(),
    );
    found.relations();
    found.parts();
    found.whole("type", &before.types, &after.types, |_, oid, _| Some((PG_TYPE, *oid)), |_, _, row| row.qualified.clone());
    found.whole(
        "routine",
        &before.routines,
        &after.routines,
        |_, oid, _| Some((PG_PROC, *oid)),
        |_, _, row| row.signature.clone(),
    );
    found.whole("extension", &before.extensions, &after.extensions, |_, _, _| None, |_, _, row| row.quoted.clone());
    found.whole("publication", &before.publications, &after.publications, |_, _, _| None, |_, name, _| name.clone());
    found.whole("role", &before.roles, &after.roles, |_, _, _| None, |_, _, name| name.clone());
    let Objects { created, dropped, renamed, changed } = &mut found.objects;
    for list in [created, dropped, renamed, changed] {
        list.sort();
        list.dedup();
    }
    found.objects
}

struct Found<'a> {
    before: &'a Catalogs,
    after: &'a Catalogs,
    objects: Objects,
    /// Relations that are new, and those that are gone: their parts are not told.
    new: BTreeSet<Oid>,
    gone: BTreeSet<Oid>,
}

impl Found<'_> {
    /// Rows of one catalog. `member` says by which catalog and OID an extension would hold it.
    fn whole<K: Ord, V: PartialEq>(
        &mut self,
        kind: &str,
        before: &Rows<K, V>,
        after: &Rows<K, V>,
        member: impl Fn(&Catalogs, &K, &V) -> Option<(Oid, Oid)>,
        name: impl Fn(&Catalogs, &K, &V) -> String,
    ) {
        // What was not read again did not change.
        if Rc::ptr_eq(before, after) {
            return;
        }
        let counts = |catalogs: &Catalogs, key: &K, row: &V| {
            member(catalogs, key, row).is_none_or(|(catalog, oid)| !catalogs.is_member(catalog, oid))
        };
        for (key, row) in before.iter().filter(|(key, row)| counts(self.before, key, row)) {
            let old = name(self.before, key, row);
            match after.get(key) {
                None => self.objects.dropped.push(format!("{kind} {old}")),
                Some(now) if now != row => {
                    let new = name(self.after, key, now);
                    if new == old {
                        self.objects.changed.push(format!("{kind} {old}"));
                    } else {
                        self.objects.renamed.push(format!("{kind} {old} → {new}"));
                    }
                }
                Some(_) => {}
            }
        }
        for (key, row) in after.iter().filter(|(key, row)| !before.contains_key(key) && counts(self.after, key, row)) {
            self.objects.created.push(format!("{kind} {}", name(self.after, key, row)));
        }
    }

    fn relations(&mut self) {
        let (before, after) = (&self.before.classes, &self.after.classes);
        self.gone = before.keys().filter(|oid| !after.contains_key(oid)).copied().collect();
        self.new = after.keys().filter(|oid| !before.contains_key(oid)).copied().collect();
        for kind in ['r', 'p', 'v', 'm', 'S', 'f'] {
            let of_kind = |rows: &Rows<Oid, Class>| -> Rows<Oid, Class> {
                Rc::new(rows.iter().filter(|(_, class)| class.kind == kind).map(|(oid, class)| (*oid, class.clone())).collect())
            };
            if !Rc::ptr_eq(before, after) {
                let (before, after) = (of_kind(before), of_kind(after));
                self.whole(
                    word(kind),
                    &before,
                    &after,
                    |_, oid, _| Some((PG_CLASS, *oid)),
                    |_, _, class| class.qualified.clone(),
                );
            }
        }
    }

    /// What hangs on a relation that was there before and still is.
    fn parts(&mut self) {
        let on = |catalogs: &Catalogs, relation: Oid, name: &str| match catalogs.classes.get(&relation) {
            Some(class) => format!("{name} of {}", class.qualified),
            None => name.to_owned(),
        };
        let columns = |rows: &Rows<(Oid, i16), Attribute>, skip: &BTreeSet<Oid>| -> Rows<(Oid, i16), Attribute> {
            let stays = |key: &(Oid, i16)| !skip.contains(&key.0);
            Rc::new(
                rows.iter()
                    .filter(|(key, _)| stays(key))
                    // Where the row stands is no property of the column.
                    .map(|(key, row)| (*key, Attribute { row_version: String::new(), ..row.clone() }))
                    .collect(),
            )
        };
        if !Rc::ptr_eq(&self.before.attributes, &self.after.attributes) {
            let (before, after) = (columns(&self.before.attributes, &self.gone), columns(&self.after.attributes, &self.new));
            let member = |_: &Catalogs, key: &(Oid, i16), _: &Attribute| Some((PG_CLASS, key.0));
            self.whole("column", &before, &after, member, |catalogs, (relation, _), column| {
                catalogs
                    .classes
                    .get(relation)
                    .map_or_else(|| column.quoted.clone(), |class| format!("{}.{}", class.qualified, column.quoted))
            });
        }
        let (gone, new) = (self.gone.clone(), self.new.clone());
        macro_rules! hanging {
            ($kind:literal, $field:ident: $row:ty, $name:expr) => {
                if !Rc::ptr_eq(&self.before.$field, &self.after.$field) {
                    let without = |rows: &Rows<Oid, $row>, skip: &BTreeSet<Oid>| -> Rows<Oid, $row> {
                        let rest = rows.iter().filter(|(_, row)| !skip.contains(&row.relation));
                        Rc::new(rest.map(|(oid, row)| (*oid, row.clone())).collect())
                    };
                    let (before, after) = (without(&self.before.$field, &gone), without(&self.after.$field, &new));
                    self.whole($kind, &before, &after, |_, _, row| Some((PG_CLASS, row.relation)), $name);
                }
            };
        }
        hanging!("constraint", constraints: ConstraintRow, |catalogs, _, row| on(catalogs, row.relation.max(row.domain), &row.quoted));
        hanging!("index", indexes: IndexRow, |_, _, row| row.qualified.clone());
        hanging!("trigger", triggers: TriggerRow, |catalogs, _, row| on(catalogs, row.relation, &row.quoted));
        hanging!("policy", policies: PolicyRow, |catalogs, _, row| on(catalogs, row.relation, &row.quoted));
        hanging!("rule", rules: RuleRow, |catalogs, _, row| on(catalogs, row.relation, &row.quoted));
        let labels = |catalogs: &Catalogs, _: &Oid, row: &LabelRow| match catalogs.types.get(&row.enum_type) {
            Some(enumeration) => format!("{} of {}", row.quoted, enumeration.qualified),
            None => row.quoted.clone(),
        };
        let of_old = |catalogs: &Catalogs, other: &Catalogs| -> Rows<Oid, LabelRow> {
            let rest = catalogs.labels.iter().filter(|(_, row)| other.types.contains_key(&row.enum_type));
            Rc::new(rest.map(|(oid, row)| (*oid, row.clone())).collect())
        };
        if !Rc::ptr_eq(&self.before.labels, &self.after.labels) {
            let (before, after) = (of_old(self.before, self.after), of_old(self.after, self.before));
            self.whole("enum value", &before, &after, |_, _, row| Some((PG_TYPE, row.enum_type)), labels);
        }
    }
}

fn word(relkind: char) -> &'static str {
    match relkind {
        'p' => "partitioned table",
        'v' => "view",
        'm' => "materialized view",
        'S' => "sequence",
        'f' => "foreign table",
        _ => "table",
    }
}
