//! CREATE TABLE … LIKE.

use super::object::*;
use super::resolve::push_column;
use super::{Catalog, column, constraint, index, inheritance, sequence};
use crate::op::{CreateTable, LikeOptions, ObjectName, TableElement};

/// Copies the columns that LIKE names, in place.
pub(super) fn copy(c: &mut Catalog, source: &ObjectName, into: Id, options: LikeOptions) {
    let Some(source) = c.relation_or_unseen(source, RelationKind::Table).and_then(|id| c.relation(id).cloned()) else { return };
    if !source.known
        && let Some(relation) = c.relation_mut(into)
    {
        relation.known = false;
    }
    for from in &source.columns {
        let birth = c.birth();
        let Some(relation) = c.relation_mut(into) else { return };
        let id = push_column(relation, &from.name, from.data_type.clone(), birth);
        column::change(c, into, id, |column| {
            column.not_null = from.not_null;
            column.collation = from.collation.clone();
            if options.defaults {
                column.default = from.default.clone();
            }
            if options.generated {
                column.generated = from.generated.clone();
            }
        });
        if let (true, Some(kind)) = (options.identity, from.identity) {
            sequence::create_owned(c, into, id, from.data_type.clone(), true, &[]);
            column::change(c, into, id, |column| column.identity = Some(kind));
        }
    }
}

/// Bare columns of another relation: a typed table's.
pub(super) fn copy_columns(c: &mut Catalog, source: Id, into: Id) {
    let Some(source) = c.relation(source).cloned() else { return };
    for from in &source.columns {
        let birth = c.birth();
        let Some(relation) = c.relation_mut(into) else { return };
        push_column(relation, &from.name, from.data_type.clone(), birth);
    }
}

fn sources(c: &Catalog, create: &CreateTable, wanted: impl Fn(&LikeOptions) -> bool) -> Vec<Id> {
    let likes = create.elements.iter().filter_map(|element| match element {
        TableElement::Like { source, options } if wanted(options) => c.resolve_relation(source),
        _ => None,
    });
    likes.collect()
}

/// INCLUDING CONSTRAINTS: checks keep their names.
pub(super) fn copy_checks(c: &mut Catalog, into: Id, create: &CreateTable) {
    for source in sources(c, create, |options| options.constraints) {
        let Some(source) = c.relation(source).cloned() else { continue };
        for k in &source.constraints {
            if let ConstraintType::Check { expr, .. } = &k.kind {
                constraint::add_named_check(c, into, &inheritance::definition_of(k), &k.name, expr, true);
            }
        }
    }
}

/// INCLUDING INDEXES: keys and indexes under names of the new table.
pub(super) fn copy_indexes(c: &mut Catalog, into: Id, create: &CreateTable) {
    for source in sources(c, create, |options| options.indexes) {
        let Some(table) = c.relation(source).cloned() else { continue };
        for from in c.indexes_of(source) {
            let Some(target) = c.relation(into).cloned() else { return };
            let elements: Vec<_> = from.keys.iter().map(|k| k.element.clone()).collect();
            let including: Vec<String> =
                from.including.iter().filter_map(|id| table.column_by_id(*id)).map(|column| column.name.clone()).collect();
            let backed = table.constraints.iter().find(|k| k.kind.index() == Some(from.id));
            let label = match backed.map(|k| &k.kind) {
                Some(ConstraintType::PrimaryKey { .. }) => "pkey",
                Some(ConstraintType::Exclude { .. }) => "excl",
                Some(_) => "key",
                None => "idx",
            };
            let name = if label == "pkey" {
                super::name::choose_name(&target.name, None, label, |n| c.relation_name_taken(&target.schema, n))
            } else {
                index::generated_name(c, &target, &elements, &including, label)
            };
            let built = index::build(c, into, &name, from.unique, &elements, &including, &from.method, from.predicate.as_ref());
            let (Some(id), Some(k)) = (built, backed) else { continue };
            let columns: Vec<ColumnId> =
                c.indexes.get(&id).map(|i| i.keys.iter().filter_map(|key| key.column).collect()).unwrap_or_default();
            if label == "pkey" {
                for column in &columns {
                    column::set_not_null(c, into, *column, false);
                }
            }
            let kind = match &k.kind {
                ConstraintType::PrimaryKey { .. } => ConstraintType::PrimaryKey { columns, index: id },
                ConstraintType::Exclude { .. } => ConstraintType::Exclude { columns, index: id },
                _ => ConstraintType::Unique { columns, index: id },
            };
            constraint::push(c, into, &inheritance::definition_of(k), name, kind, true);
        }
    }
}
