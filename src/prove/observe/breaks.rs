//! What a statement took away from old clients, as the difference of the catalogs before and after it.
//!
//! Identity is the OID (for columns, relation and number), so a view dropped and made again is a view dropped. Objects that the
//! unit itself made are not reported: old clients never saw them. What falls with something larger is not reported twice: the
//! columns, constraints and triggers of a dropped table are not, its sequence and the views on it are relations of their own.
//! Names are those from before the statement. New columns that have become required are not here, they are judged at the end of
//! the unit: see [`super::required`].

use super::catalogs::*;
use crate::effect::{Break, BreakKind};
use imbl::ordmap::DiffItem;
use std::collections::{BTreeMap, BTreeSet};

/// True for kinds that catalogs can show. The others are in the data (rows removed) or in catalogs that are not read.
pub fn is_observed(kind: BreakKind) -> bool {
    match kind {
        BreakKind::DropRelation
        | BreakKind::DropColumn
        | BreakKind::RenameRelation
        | BreakKind::RenameColumn
        | BreakKind::TypeChange
        | BreakKind::SetNotNull
        | BreakKind::RequiredColumn
        | BreakKind::AddCheck
        | BreakKind::AddForeignKey
        | BreakKind::AddUnique
        | BreakKind::AddPrimaryKey
        | BreakKind::AddExclude
        | BreakKind::DropConstraint
        | BreakKind::DropDefault
        | BreakKind::DropFunction
        | BreakKind::DropType
        | BreakKind::DropEnumLabel
        | BreakKind::DropTrigger
        | BreakKind::DropPolicy
        | BreakKind::DropSchema
        | BreakKind::EnableRls
        | BreakKind::AddTrigger
        | BreakKind::Revoke
        | BreakKind::DropIndex
        | BreakKind::DropExtension
        | BreakKind::DropIdentity
        | BreakKind::DropExpression
        | BreakKind::DropRule
        | BreakKind::DropRole
        | BreakKind::SetDomainNotNull
        | BreakKind::IdentityAlways
        | BreakKind::AddRule
        | BreakKind::DetachPartition
        | BreakKind::ChangeOwner
        | BreakKind::AddAttribute => true,
        BreakKind::DropSequenceOwnership | BreakKind::DropOther | BreakKind::RowsRemoved | BreakKind::ReplicationChange => false,
    }
}

/// What is gone `after` that was there `before`, of the objects that were there at `start`, the beginning of the unit.
/// Sorted, each entry once.
pub fn difference(start: &Catalogs, before: &Catalogs, after: &Catalogs) -> Vec<Break> {
    let mut found = Difference { start, before, after, breaks: BTreeSet::new() };
    // What was not read again did not change.
    if !before.classes.ptr_eq(&after.classes) {
        found.relations();
    }
    if !before.attributes.ptr_eq(&after.attributes) {
        found.columns();
        found.new_attributes();
    }
    if !before.constraints.ptr_eq(&after.constraints) {
        found.constraints();
    }
    if !before.indexes.ptr_eq(&after.indexes) {
        found.indexes();
    }
    found.triggers_policies_rules();
    found.types();
    found.routines();
    found.schemas_extensions_roles();
    found.partitions();
    found.breaks.into_iter().collect()
}

/// Rows that are otherwise or gone: what they were, and what they are.
fn changed<'a, K: Ord + Clone, V: Clone + PartialEq>(
    before: &'a Rows<K, V>,
    after: &'a Rows<K, V>,
) -> impl Iterator<Item = (&'a K, &'a V, Option<&'a V>)> {
    before.diff(after).filter_map(|item| match item {
        DiffItem::Remove(key, row) => Some((key, row, None)),
        DiffItem::Update { old: (key, row), new: (_, now) } => Some((key, row, Some(now))),
        DiffItem::Add(..) => None,
    })
}

/// Rows that were not there.
fn added<'a, K: Ord + Clone, V: Clone + PartialEq>(
    before: &'a Rows<K, V>,
    after: &'a Rows<K, V>,
) -> impl Iterator<Item = (&'a K, &'a V)> {
    before.diff(after).filter_map(|item| match item {
        DiffItem::Add(key, row) => Some((key, row)),
        DiffItem::Remove(..) | DiffItem::Update { .. } => None,
    })
}

struct Difference<'a> {
    start: &'a Catalogs,
    before: &'a Catalogs,
    after: &'a Catalogs,
    breaks: BTreeSet<Break>,
}

impl<'a> Difference<'a> {
    fn add(&mut self, kind: BreakKind, object: impl Into<String>) {
        self.breaks.insert(Break { kind, object: object.into() });
    }

    /// A relation from before the unit, by the name it had before the statement; `None` for members of extensions.
    fn older_relation(&self, relation: Oid) -> Option<&'a Class> {
        let older = self.start.classes.contains_key(&relation) && !self.before.is_member(PG_CLASS, relation);
        older.then(|| self.before.classes.get(&relation)).flatten()
    }

    /// An older relation that outlived the statement: what it lost is its own loss.
    fn surviving_relation(&self, relation: Oid) -> Option<&'a Class> {
        self.older_relation(relation).filter(|_| self.after.classes.contains_key(&relation))
    }

    fn relations(&mut self) {
        for (&oid, new) in changed(&self.before.classes, &self.after.classes).map(|(oid, _, new)| (oid, new)) {
            let Some(old) = self.older_relation(oid) else { continue };
            let (gone, renamed) = match old.kind {
                'c' => (BreakKind::DropType, BreakKind::DropType),
                _ => (BreakKind::DropRelation, BreakKind::RenameRelation),
            };
            let Some(new) = new else {
                self.add(gone, &old.qualified);
                continue;
            };
            if old.qualified != new.qualified {
                self.add(renamed, &old.qualified);
            }
            if (!old.row_security && new.row_security) || (!old.force_row_security && new.force_row_security) {
                self.add(BreakKind::EnableRls, &old.qualified);
            }
            self.privileges(&old.qualified, &old.privileges, &new.privileges, &[]);
        }
    }

    /// `default` is what everyone has where nothing is stored.
    fn privileges(&mut self, object: &str, old: &Privileges, new: &Privileges, default: &[&str]) {
        if old.owner != new.owner {
            self.add(BreakKind::ChangeOwner, object);
        }
        if lost(old.stored.as_deref(), new.stored.as_deref(), default, &new.owner) {
            self.add(BreakKind::Revoke, object);
        }
    }

    fn columns(&mut self) {
        for (key @ (relation, _), old, new) in changed(&self.before.attributes, &self.after.attributes) {
            let Some(class) = self.surviving_relation(*relation) else { continue };
            if !self.start.attributes.contains_key(key) {
                continue;
            }
            let object = format!("{}.{}", class.qualified, old.quoted);
            let Some(new) = new else {
                self.add(BreakKind::DropColumn, object);
                continue;
            };
            let had_default = old.has_default && old.generated.is_empty();
            let changes = [
                (BreakKind::RenameColumn, old.name != new.name),
                (BreakKind::TypeChange, (old.type_oid, old.type_modifier) != (new.type_oid, new.type_modifier)),
                (BreakKind::SetNotNull, !old.not_null && new.not_null),
                (BreakKind::DropDefault, had_default && !new.has_default),
                (BreakKind::DropExpression, !old.generated.is_empty() && new.generated.is_empty()),
                (BreakKind::DropIdentity, !old.identity.is_empty() && new.identity.is_empty()),
                (BreakKind::IdentityAlways, old.identity != "a" && new.identity == "a"),
                (BreakKind::Revoke, lost(old.grants.as_deref(), new.grants.as_deref(), &[], &class.privileges.owner)),
            ];
            for (kind, changed) in changes {
                if changed {
                    self.add(kind, object.as_str());
                }
            }
        }
    }

    fn new_attributes(&mut self) {
        for ((relation, _), new) in added(&self.before.attributes, &self.after.attributes) {
            if let Some(class) = self.surviving_relation(*relation).filter(|class| class.kind == 'c') {
                self.add(BreakKind::AddAttribute, format!("{}.{}", class.qualified, new.quoted));
            }
        }
    }

    /// The name of a constraint from before the unit on something that outlived the statement; `None` for clones.
    fn constraint_object(&self, row: &ConstraintRow) -> Option<String> {
        if row.is_clone {
            return None;
        }
        let owner = if row.relation == 0 {
            let older = self.start.types.contains_key(&row.domain) && self.after.types.contains_key(&row.domain);
            &self.before.types.get(&row.domain).filter(|_| older)?.qualified
        } else {
            &self.surviving_relation(row.relation)?.qualified
        };
        Some(format!("{owner}.{}", row.quoted))
    }

    fn constraints(&mut self) {
        let (before, after) = (&self.before.constraints, &self.after.constraints);
        let is_unchanged = added(before, after).next().is_none() && changed(before, after).all(|(_, _, new)| new.is_some());
        if is_unchanged {
            return;
        }
        let by_name = |catalogs: &'a Catalogs| -> BTreeMap<(Oid, Oid, &'a str, char), &'a ConstraintRow> {
            let rows = catalogs.constraints.values();
            rows.map(|row| ((row.relation, row.domain, row.name.as_str(), row.kind), row)).collect()
        };
        let (old_names, new_names) = (by_name(self.before), by_name(self.after));
        let is_rebuilt = |difference: &Self, row: &ConstraintRow, others: &BTreeMap<_, &ConstraintRow>| {
            others.contains_key(&(row.relation, row.domain, row.name.as_str(), row.kind))
                && (difference.has_rewritten_column(row.relation) || difference.has_rewritten_column(row.referenced))
        };
        for (oid, old, new) in changed(before, after) {
            let gone = self.start.constraints.contains_key(oid) && new.is_none();
            if gone
                && !is_rebuilt(self, old, &new_names)
                && let Some(object) = self.constraint_object(old)
            {
                self.add(BreakKind::DropConstraint, object);
            }
        }
        for (_, new) in added(before, after) {
            if is_rebuilt(self, new, &old_names) {
                continue;
            }
            if let Some(object) = self.constraint_object(new) {
                let kind = match new.kind {
                    'f' => BreakKind::AddForeignKey,
                    'p' => BreakKind::AddPrimaryKey,
                    'u' => BreakKind::AddUnique,
                    'x' => BreakKind::AddExclude,
                    _ => BreakKind::AddCheck,
                };
                self.add(kind, object);
            }
        }
    }

    /// True when the statement wrote a column of the relation anew, as ALTER COLUMN TYPE does, even to the same type. It then
    /// makes the column's constraints and indexes again, under their names, with new OIDs: nothing was taken away.
    fn has_rewritten_column(&self, relation: Oid) -> bool {
        self.before.columns_of(relation).any(|(number, old)| {
            let new = self.after.attributes.get(&(relation, number));
            new.is_some_and(|new| new.row_version != old.row_version)
        })
    }

    /// Unique indexes without a constraint: old ON CONFLICT has lost its arbiter.
    fn indexes(&mut self) {
        for (oid, old, new) in changed(&self.before.indexes, &self.after.indexes) {
            if !old.unique || old.of_constraint || new.is_some() || !self.start.indexes.contains_key(oid) {
                continue;
            }
            let same_name = |new: &IndexRow| new.relation == old.relation && new.name == old.name && new.unique;
            let rebuilt = self.after.indexes.values().any(same_name) && self.has_rewritten_column(old.relation);
            if self.surviving_relation(old.relation).is_some() && !rebuilt {
                self.add(BreakKind::DropIndex, &old.qualified);
            }
        }
    }

    fn triggers_policies_rules(&mut self) {
        let (start, before, after) = (self.start, self.before, self.after);
        self.hanging(
            &start.triggers,
            &before.triggers,
            &after.triggers,
            |row| (row.relation, row.quoted.as_str()),
            HangingKinds { gone: BreakKind::DropTrigger, new: Some(BreakKind::AddTrigger) },
        );
        self.hanging(
            &start.policies,
            &before.policies,
            &after.policies,
            |row| (row.relation, row.quoted.as_str()),
            HangingKinds { gone: BreakKind::DropPolicy, new: None },
        );
        self.hanging(
            &start.rules,
            &before.rules,
            &after.rules,
            |row| (row.relation, row.quoted.as_str()),
            HangingKinds { gone: BreakKind::DropRule, new: Some(BreakKind::AddRule) },
        );
    }

    /// Rows that hang on a relation and have nothing but a name.
    fn hanging<Row: Clone>(
        &mut self,
        start: &Rows<Oid, Row>,
        before: &Rows<Oid, Row>,
        after: &Rows<Oid, Row>,
        place: impl Fn(&Row) -> (Oid, &str),
        kinds: HangingKinds,
    ) {
        if before.ptr_eq(after) {
            return;
        }
        let mut report = |rows: &Rows<Oid, Row>, others: &Rows<Oid, Row>, kind: BreakKind, only_older: bool| {
            for (oid, row) in rows {
                let (relation, name) = place(row);
                let counts = !others.contains_key(oid) && (!only_older || start.contains_key(oid));
                if let Some(class) = self.surviving_relation(relation).filter(|_| counts) {
                    self.add(kind, format!("{}.{name}", class.qualified));
                }
            }
        };
        report(before, after, kinds.gone, true);
        if let Some(kind) = kinds.new {
            report(after, before, kind, false);
        }
    }

    fn types(&mut self) {
        if !self.before.types.ptr_eq(&self.after.types) {
            for (oid, old) in self.before.types.iter() {
                if !self.start.types.contains_key(oid) || self.before.is_member(PG_TYPE, *oid) {
                    continue;
                }
                match self.after.types.get(oid) {
                    Some(new) if new.qualified == old.qualified => {
                        if !old.not_null && new.not_null {
                            self.add(BreakKind::SetDomainNotNull, &old.qualified);
                        }
                        if old.has_default && !new.has_default && old.kind == 'd' {
                            self.add(BreakKind::DropDefault, &old.qualified);
                        }
                        if old.owner != new.owner {
                            self.add(BreakKind::ChangeOwner, &old.qualified);
                        }
                    }
                    Some(_) | None => self.add(BreakKind::DropType, &old.qualified),
                }
            }
        }
        if !self.before.labels.ptr_eq(&self.after.labels) {
            for (oid, old) in self.before.labels.iter() {
                let of_type = self.before.types.get(&old.enum_type).filter(|_| self.after.types.contains_key(&old.enum_type));
                let renamed = self.after.labels.get(oid).is_none_or(|new| new.label != old.label);
                if let Some(of_type) = of_type.filter(|_| renamed && self.start.labels.contains_key(oid)) {
                    self.add(BreakKind::DropEnumLabel, format!("{}.{}", of_type.qualified, old.quoted));
                }
            }
        }
    }

    fn routines(&mut self) {
        if self.before.routines.ptr_eq(&self.after.routines) {
            return;
        }
        for (oid, old) in self.before.routines.iter() {
            if !self.start.routines.contains_key(oid) || self.before.is_member(PG_PROC, *oid) {
                continue;
            }
            match self.after.routines.get(oid) {
                Some(new) if new.qualified == old.qualified => {
                    self.privileges(&old.signature, &old.privileges, &new.privileges, &["PUBLIC=EXECUTE"]);
                }
                Some(_) | None => self.add(BreakKind::DropFunction, &old.signature),
            }
        }
    }

    fn schemas_extensions_roles(&mut self) {
        if !self.before.namespaces.ptr_eq(&self.after.namespaces) {
            for (oid, old) in self.before.namespaces.iter() {
                if !self.start.namespaces.contains_key(oid) || self.before.is_member(PG_NAMESPACE, *oid) {
                    continue;
                }
                match self.after.namespaces.get(oid) {
                    Some(new) if new.name == old.name => {
                        self.privileges(&old.quoted, &old.privileges, &new.privileges, &[]);
                    }
                    Some(_) | None => self.add(BreakKind::DropSchema, &old.quoted),
                }
            }
        }
        for (oid, old) in self.before.extensions.iter() {
            if self.start.extensions.contains_key(oid) && !self.after.extensions.contains_key(oid) {
                self.add(BreakKind::DropExtension, &old.quoted);
            }
        }
        for (oid, old) in self.before.roles.iter() {
            if self.start.roles.contains_key(oid) && self.after.roles.get(oid) != Some(old) {
                self.add(BreakKind::DropRole, old);
            }
        }
    }

    /// A partition or child that left a parent: its rows are no longer seen there.
    fn partitions(&mut self) {
        if self.before.inherits.ptr_eq(&self.after.inherits) {
            return;
        }
        let is_pair = |catalogs: &Catalogs, child: Oid, parent: Oid| {
            catalogs.inherits.range((child, i32::MIN)..=(child, i32::MAX)).any(|(_, other)| *other == parent)
        };
        for ((child, _), parent) in self.before.inherits.iter() {
            if is_pair(self.after, *child, *parent) || !is_pair(self.start, *child, *parent) {
                continue;
            }
            if let (Some(class), Some(_)) = (self.surviving_relation(*child), self.surviving_relation(*parent)) {
                self.add(BreakKind::DetachPartition, &class.qualified);
            }
        }
    }
}

struct HangingKinds {
    gone: BreakKind,
    new: Option<BreakKind>,
}

/// True when some grant is no longer there. What the new owner held is his by ownership now.
fn lost(old: Option<&[String]>, new: Option<&[String]>, default: &[&str], owner: &str) -> bool {
    let holds = |grants: Option<&[String]>, grant: &str| match grants {
        Some(grants) => grants.iter().any(|held| held == grant || held.strip_suffix('*') == Some(grant)),
        None => default.contains(&grant),
    };
    let to_owner = |grant: &str| grant.strip_prefix(owner).is_some_and(|rest| rest.starts_with('='));
    let gone = |grant: &str| !holds(new, grant) && !to_owner(grant);
    match old {
        Some(old) => old.iter().any(|grant| gone(grant)),
        None => default.iter().any(|grant| gone(grant)),
    }
}
