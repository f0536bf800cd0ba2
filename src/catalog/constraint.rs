//! Constraints: adding them under the server's own names, on the table and on what inherits from it.

use super::change::{Cause, Change};
use super::name::{choose_name, join_columns};
use super::object::*;
use super::{Catalog, column, index, inheritance};
use crate::expr::Expr;
use crate::op::{ConstraintDef, ConstraintKind, FkAction, ObjectName};

/// What a new constraint hangs on.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub relation: Id,
    /// The column, for a constraint written in a column definition.
    pub column: Option<ColumnId>,
    /// False for ALTER TABLE ONLY.
    pub recurse: bool,
}

/// Adds a table constraint, or one of a column that is an object of its own (not NULL, DEFAULT, identity, generation).
pub(super) fn add(c: &mut Catalog, place: Place, def: &ConstraintDef) {
    match &def.kind {
        ConstraintKind::Check(expr) => add_check(c, place, def, expr),
        ConstraintKind::Unique { columns, including, nulls_not_distinct, using_index, .. } => match using_index {
            Some(name) => adopt_index(c, place, def, name, false),
            None => {
                let request = KeyRequest { columns, including, nulls_not_distinct: *nulls_not_distinct, primary: false };
                add_key(c, place, def, request);
            }
        },
        ConstraintKind::PrimaryKey { columns, including, using_index, .. } => match using_index {
            Some(name) => adopt_index(c, place, def, name, true),
            None => add_key(c, place, def, KeyRequest { columns, including, nulls_not_distinct: false, primary: true }),
        },
        ConstraintKind::Exclude { elements, method, predicate, .. } => {
            let names: Vec<String> = elements.iter().map(index::element_name).collect();
            let addition = join_columns(names.iter().map(String::as_str));
            let Some(name) = index_constraint_name(c, place.relation, def, Some(&addition), "excl") else { return };
            let built = index::build(c, place.relation, &name, false, elements, &[], method, predicate.as_ref());
            let Some(index) = built else { return };
            let columns = c.indexes.get(&index).map(|i| i.keys.iter().filter_map(|k| k.column).collect()).unwrap_or_default();
            push(c, place.relation, def, name, ConstraintType::Exclude { columns, index }, true);
        }
        ConstraintKind::ForeignKey { columns, references, ref_columns, on_delete, on_update, .. } => {
            let key = ForeignKey { columns, references, ref_columns, on_delete: *on_delete, on_update: *on_update };
            add_foreign_key(c, place, def, key);
        }
        ConstraintKind::NotNull { column: name } => {
            let id = match (place.column, name) {
                (Some(id), _) => Some(id),
                (None, Some(name)) => c.column_or_unseen(place.relation, name),
                (None, None) => None,
            };
            if let Some(id) = id {
                add_not_null(c, place, def, id);
            }
        }
        ConstraintKind::Null
        | ConstraintKind::Default(_)
        | ConstraintKind::Identity { .. }
        | ConstraintKind::Generated { .. } => {}
    }
}

fn add_not_null(c: &mut Catalog, place: Place, def: &ConstraintDef, id: ColumnId) {
    let Some((table, column)) = column::both(c, place.relation, id) else { return };
    let was_not_null = column.not_null;
    column::set_not_null(c, place.relation, id, place.recurse);
    if def.not_valid && !was_not_null {
        let name = def.name.clone();
        let name = name.unwrap_or_else(|| super::name::make_object_name(&table.name, Some(&column.name), "not_null"));
        let tree = if place.recurse { c.with_descendants(place.relation) } else { vec![place.relation] };
        for relation in tree {
            if let Some(id) = c.relation(relation).and_then(|table| table.column(&column.name)).map(|column| column.id) {
                column::change(c, relation, id, |column| column.pending_not_null = Some(name.clone()));
            }
        }
    }
}

/// Enters a finished constraint and says so.
pub(super) fn push(
    c: &mut Catalog,
    relation: Id,
    def: &ConstraintDef,
    name: String,
    kind: ConstraintType,
    local: bool,
) -> Option<Id> {
    let id = c.new_id();
    let birth = c.birth();
    let before = c.relation(relation)?.clone();
    let constraint = Constraint {
        id,
        name: name.clone(),
        kind,
        birth,
        // On a new table NOT VALID is ignored: there is nothing to be invalid.
        validated: !def.not_valid || (before.birth == birth && before.known),
        enforced: def.enforced,
        deferrable: def.deferrable,
        initially_deferred: def.initially_deferred,
        no_inherit: def.no_inherit,
        is_local: local,
        inherited: u32::from(!local),
    };
    if let Some(index) = constraint.kind.index()
        && let Some(index) = c.index_mut(index)
    {
        index.constraint = Some(id);
    }
    c.remember_constraint_name(&before.schema, &name);
    c.relation_mut(relation)?.constraints.push(constraint.clone());
    c.record(Change::ConstraintAdded { relation: before, constraint });
    Some(id)
}

/// The columns an expression over one table uses, in order of first use.
pub(super) fn columns_in(c: &mut Catalog, relation: Id, expr: &Expr) -> Vec<ColumnId> {
    let mut names: Vec<String> = Vec::new();
    expr.walk(&mut |e| {
        if let Expr::Column(parts) = e {
            names.extend(parts.last().cloned());
        }
    });
    let mut columns = Vec::new();
    for name in names {
        if let Some(id) = c.column_or_unseen(relation, &name)
            && !columns.contains(&id)
        {
            columns.push(id);
        }
    }
    columns
}

fn add_check(c: &mut Catalog, place: Place, def: &ConstraintDef, expr: &Expr) {
    let columns = columns_in(c, place.relation, expr);
    let Some(relation) = c.relation(place.relation).cloned() else { return };
    let name = def.name.clone().unwrap_or_else(|| {
        let only = if let [only] = columns.as_slice() { relation.column_by_id(*only) } else { None };
        let taken = |n: &str| c.constraint_name_taken(&relation.schema, n);
        choose_name(&relation.name, only.map(|column| column.name.as_str()), "check", taken)
    });
    add_named_check(c, place.relation, def, &name, expr, true);
    if place.recurse && !def.no_inherit {
        inheritance::check_to_children(c, place.relation, def, &name, expr);
    }
}

/// Adds a CHECK under a given name, or merges with an equal one that is there.
pub(super) fn add_named_check(c: &mut Catalog, relation: Id, def: &ConstraintDef, name: &str, expr: &Expr, local: bool) {
    if let Some(existing) = c.relation_mut(relation).and_then(|r| r.constraints.iter_mut().find(|k| k.name == name)) {
        if local {
            existing.is_local = true;
        } else {
            existing.inherited += 1;
        }
        return;
    }
    let columns = columns_in(c, relation, expr);
    push(c, relation, def, name.to_string(), ConstraintType::Check { expr: expr.clone(), columns }, local);
}

struct KeyRequest<'a> {
    columns: &'a [String],
    including: &'a [String],
    nulls_not_distinct: bool,
    primary: bool,
}

/// `ChooseIndexName` for a constraint: neither a relation nor a constraint of that name may be in the schema.
fn index_constraint_name(c: &Catalog, relation: Id, def: &ConstraintDef, addition: Option<&str>, label: &str) -> Option<String> {
    let relation = c.relation(relation)?;
    let taken = |n: &str| c.relation_name_taken(&relation.schema, n) || c.constraint_name_taken(&relation.schema, n);
    Some(def.name.clone().unwrap_or_else(|| choose_name(&relation.name, addition, label, taken)))
}

fn add_key(c: &mut Catalog, place: Place, def: &ConstraintDef, key: KeyRequest<'_>) {
    let relation = place.relation;
    let own = place.column.and_then(|id| Some(vec![c.relation(relation)?.column_by_id(id)?.name.clone()]));
    let names: Vec<String> = if key.columns.is_empty() { own.unwrap_or_default() } else { key.columns.to_vec() };
    let ids: Vec<ColumnId> = names.iter().filter_map(|n| c.column_or_unseen(relation, n)).collect();
    if key.primary {
        for id in &ids {
            column::set_not_null(c, relation, *id, place.recurse);
        }
    }
    let all: Vec<&str> = names.iter().chain(key.including).map(String::as_str).collect();
    let addition = join_columns(all);
    let (addition, label) = if key.primary { (None, "pkey") } else { (Some(addition.as_str()), "key") };
    let Some(name) = index_constraint_name(c, relation, def, addition, label) else { return };
    let elements: Vec<_> = names.iter().map(|n| index::plain_element(n)).collect();
    let Some(index) = index::build(c, relation, &name, true, &elements, key.including, "btree", None) else { return };
    if let Some(index) = c.index_mut(index) {
        index.nulls_not_distinct = key.nulls_not_distinct;
    }
    let kind = if key.primary {
        ConstraintType::PrimaryKey { columns: ids, index }
    } else {
        ConstraintType::Unique { columns: ids, index }
    };
    push(c, relation, def, name, kind, true);
    if place.recurse {
        inheritance::index_to_partitions(c, relation, index);
    }
}

/// ADD … USING INDEX: the index takes the constraint's name.
fn adopt_index(c: &mut Catalog, place: Place, def: &ConstraintDef, index_name: &str, primary: bool) {
    let Some(relation) = c.relation(place.relation).cloned() else { return };
    let found = c.resolve_index(&ObjectName::qualified(relation.schema.clone(), index_name));
    let index = match found {
        Some(id) => id,
        None => {
            // An index that no visible statement created: its columns are unknown.
            let Some(id) = index::build(c, place.relation, index_name, true, &[], &[], "btree", None) else { return };
            if let Some(index) = c.index_mut(id) {
                index.birth = Birth::UNSEEN;
            }
            id
        }
    };
    let columns: Vec<ColumnId> =
        c.indexes.get(&index).map(|i| i.keys.iter().filter_map(|k| k.column).collect()).unwrap_or_default();
    let name = def.name.clone().unwrap_or_else(|| index_name.to_string());
    if name != index_name {
        let schema = relation.schema.clone();
        c.rename_index_entry(index, &schema, &name);
    }
    if primary {
        for id in &columns {
            column::set_not_null(c, place.relation, *id, place.recurse);
        }
    }
    let kind = if primary { ConstraintType::PrimaryKey { columns, index } } else { ConstraintType::Unique { columns, index } };
    push(c, place.relation, def, name, kind, true);
}

struct ForeignKey<'a> {
    columns: &'a [String],
    references: &'a ObjectName,
    ref_columns: &'a [String],
    on_delete: FkAction,
    on_update: FkAction,
}

fn add_foreign_key(c: &mut Catalog, place: Place, def: &ConstraintDef, key: ForeignKey<'_>) {
    let Some(target) = c.relation_or_unseen(key.references, RelationKind::Table) else { return };
    let columns: Vec<ColumnId> = match place.column {
        Some(id) if key.columns.is_empty() => vec![id],
        _ => key.columns.iter().filter_map(|n| c.column_or_unseen(place.relation, n)).collect(),
    };
    let ref_columns: Vec<ColumnId> = if key.ref_columns.is_empty() {
        c.relation(target).and_then(|r| r.primary_key()).map(|k| k.kind.columns().to_vec()).unwrap_or_default()
    } else {
        key.ref_columns.iter().filter_map(|n| c.column_or_unseen(target, n)).collect()
    };
    let ref_index = referenced_index(c, target, &ref_columns);
    let Some(relation) = c.relation(place.relation).cloned() else { return };
    let name = def.name.clone().unwrap_or_else(|| {
        let names = columns.iter().filter_map(|id| relation.column_by_id(*id)).map(|column| column.name.as_str());
        let addition = join_columns(names);
        choose_name(&relation.name, Some(&addition), "fkey", |n| c.constraint_name_taken(&relation.schema, n))
    });
    let kind = ConstraintType::ForeignKey {
        columns,
        references: target,
        ref_columns,
        ref_index,
        on_delete: key.on_delete,
        on_update: key.on_update,
    };
    push(c, place.relation, def, name.clone(), kind.clone(), true);
    if relation.kind == RelationKind::PartitionedTable {
        for child in c.children_of(place.relation) {
            c.because(Cause::Inherited, |c| clone_foreign_key(c, place.relation, child, def, &name, &kind));
        }
    }
}

/// A partition has its parent's foreign keys as its own.
pub(super) fn clone_foreign_key(c: &mut Catalog, parent: Id, child: Id, def: &ConstraintDef, name: &str, kind: &ConstraintType) {
    let ConstraintType::ForeignKey { columns, references, ref_columns, ref_index, on_delete, on_update } = kind else { return };
    let Some(columns) = inheritance::map_columns(c, parent, child, columns) else { return };
    let Some(relation) = c.relation(child).cloned() else { return };
    let same = |k: &Constraint| {
        matches!(&k.kind, ConstraintType::ForeignKey { columns: own, references: target, ref_columns: keys, .. }
            if *own == columns && target == references && keys == ref_columns)
    };
    if let Some(existing) = c.relation_mut(child).and_then(|r| r.constraints.iter_mut().find(|k| same(k))) {
        existing.inherited += 1;
        return;
    }
    let name = if relation.constraint(name).is_some() {
        let names = columns.iter().filter_map(|id| relation.column_by_id(*id)).map(|column| column.name.as_str());
        choose_name(&relation.name, Some(&join_columns(names)), "fkey", |n| c.constraint_name_taken(&relation.schema, n))
    } else {
        name.to_string()
    };
    let kind = ConstraintType::ForeignKey {
        columns,
        references: *references,
        ref_columns: ref_columns.clone(),
        ref_index: *ref_index,
        on_delete: *on_delete,
        on_update: *on_update,
    };
    push(c, child, def, name.clone(), kind.clone(), false);
    for grandchild in c.children_of(child) {
        clone_foreign_key(c, child, grandchild, def, &name, &kind);
    }
}

/// The unique index that a foreign key relies on: the primary key first, then the oldest that matches.
fn referenced_index(c: &Catalog, target: Id, columns: &[ColumnId]) -> Option<Id> {
    let mut wanted = columns.to_vec();
    wanted.sort_unstable();
    let matches = |index: &Index| {
        let mut keys: Vec<ColumnId> = index.keys.iter().filter_map(|k| k.column).collect();
        keys.sort_unstable();
        index.unique && index.predicate.is_none() && keys == wanted && keys.len() == index.keys.len()
    };
    let primary = c.relation(target)?.primary_key().and_then(|k| k.kind.index());
    if let Some(primary) = primary.filter(|id| c.indexes.get(id).is_some_and(|i| matches(i))) {
        return Some(primary);
    }
    c.indexes_of(target).iter().find(|i| matches(i)).map(|i| i.id)
}

/// ALTER CONSTRAINT.
pub(super) fn alter(c: &mut Catalog, relation: Id, name: &str, change: impl Fn(&mut Constraint)) {
    let Some(before) = c.relation(relation).cloned() else { return };
    let Some(constraint) = before.constraint(name).cloned() else { return };
    let mut to = constraint.clone();
    change(&mut to);
    if let Some(slot) = c.relation_mut(relation).and_then(|r| r.constraints.iter_mut().find(|k| k.name == name)) {
        *slot = to.clone();
    }
    c.record(Change::ConstraintAltered { relation: before, constraint, to });
}

pub(super) fn validate(c: &mut Catalog, relation: Id, name: &str) {
    let Some(before) = c.relation(relation).cloned() else { return };
    let Some(constraint) = before.constraint(name).cloned() else {
        if let Some(column) = before.pending_not_null(name) {
            column::set_not_null(c, relation, column.id, true);
        }
        return;
    };
    if constraint.validated {
        return;
    }
    if let Some(slot) = c.relation_mut(relation).and_then(|r| r.constraints.iter_mut().find(|k| k.name == name)) {
        slot.validated = true;
    }
    c.record(Change::ConstraintValidated { relation: before, constraint });
    for child in c.children_of(relation) {
        c.because(Cause::Inherited, |c| validate(c, child, name));
    }
}
