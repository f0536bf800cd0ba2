//! New columns of older relations that an INSERT must name.
//!
//! A column is judged as it stands at the end of its unit, and blamed on the last statement that made it required: added NOT NULL
//! and given a default two statements later, it takes nothing from anyone.

use super::catalogs::{Attribute, Catalogs, Oid, PG_CLASS};
use crate::effect::{Break, BreakKind};
use std::collections::BTreeMap;

/// Follows one unit.
#[derive(Debug, Default)]
pub struct RequiredColumns {
    /// The statement that last made each column required.
    made_by: BTreeMap<(Oid, i16), usize>,
}

impl RequiredColumns {
    /// Notes what `statement` did between `before` and `after`; `start` is the beginning of the unit.
    pub fn note(&mut self, statement: usize, start: &Catalogs, before: &Catalogs, after: &Catalogs) {
        if before.attributes.ptr_eq(&after.attributes) && before.types.ptr_eq(&after.types) {
            return;
        }
        for (key, column) in after.attributes.iter().filter(|(key, _)| is_new(start, after, key)) {
            let was_required = before.attributes.get(key).is_some_and(|old| is_required(before, old));
            if is_required(after, column) && !was_required {
                self.made_by.insert(*key, statement);
            }
        }
    }

    /// What is required at the `end` of the unit, each with the statement that made it so, under its name at the end.
    pub fn at_the_end(self, end: &Catalogs) -> Vec<(usize, Break)> {
        let still_required = self.made_by.into_iter().filter_map(|(key, statement)| {
            let column = end.attributes.get(&key).filter(|column| is_required(end, column))?;
            let object = format!("{}.{}", end.classes.get(&key.0)?.qualified, column.quoted);
            Some((statement, Break { kind: BreakKind::RequiredColumn, object }))
        });
        still_required.collect()
    }
}

/// A column that the unit added to a relation from before it into which rows are inserted.
fn is_new(start: &Catalogs, after: &Catalogs, key @ (relation, _): &(Oid, i16)) -> bool {
    !start.attributes.contains_key(key)
        && start.classes.contains_key(relation)
        && after.classes.get(relation).is_some_and(|class| matches!(class.kind, 'r' | 'p' | 'f'))
        && !after.is_member(PG_CLASS, *relation)
}

/// True when an INSERT that leaves the column out fails: NULL is refused and nothing else comes in its place. NOT NULL and
/// defaults of domains count, also of a domain's own base.
fn is_required(catalogs: &Catalogs, column: &Attribute) -> bool {
    let is_filled = column.has_default && !column.default_is_null;
    if is_filled || !column.identity.is_empty() || !column.generated.is_empty() {
        return false;
    }
    let mut not_null = column.not_null;
    let mut type_oid = column.type_oid;
    while let Some(domain) = catalogs.types.get(&type_oid).filter(|found| found.kind == 'd') {
        // The outermost default wins, a column's own NULL too; a domain copies that of the domain below it.
        if domain.has_default && !column.has_default {
            return false;
        }
        not_null |= domain.not_null;
        type_oid = domain.base_oid;
    }
    not_null
}
