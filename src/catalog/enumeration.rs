//! Enum types: labels in sort order, each with where it was added.

use super::Catalog;
use super::change::Change;
use super::name::qualified;
use super::object::{Birth, TypeKind};
use super::type_object;
use crate::op::{AlterEnum, ObjectKind, ObjectName};

/// ALTER TYPE … ADD VALUE / RENAME VALUE.
pub(super) fn alter(c: &mut Catalog, name: &ObjectName, change: &AlterEnum) {
    let Some(id) = type_object::resolve_or_unseen(c, name, || TypeKind::Enum { labels: Vec::new() }) else { return };
    let Some(object) = c.types.get(&id).cloned() else { return };
    let birth = c.birth();
    match change {
        AlterEnum::AddValue { value, if_not_exists, before, after } => {
            let exists = labels(&object.kind).iter().any(|(label, _)| label == value);
            if exists && *if_not_exists {
                c.nothing_exists(ObjectKind::Type, label_name(&object.schema, &object.name, value));
                return;
            }
            c.record(Change::LabelAdded { object, label: value.clone() });
            change_labels(c, id, |labels| {
                // Of a type that nobody created the neighbour may be unknown: then the end is as good a place as any.
                let place = |neighbour: &str| labels.iter().position(|(label, _)| label == neighbour);
                let at = match (before, after) {
                    (Some(neighbour), _) => place(neighbour),
                    (None, Some(neighbour)) => place(neighbour).map(|at| at + 1),
                    (None, None) => None,
                };
                labels.insert(at.unwrap_or(labels.len()), (value.clone(), birth));
            });
        }
        AlterEnum::RenameValue { from, to } => {
            c.record(Change::LabelRenamed { object, from: from.clone(), to: to.clone() });
            change_labels(c, id, |labels| match labels.iter_mut().find(|(label, _)| label == from) {
                Some((label, _)) => label.clone_from(to),
                None => labels.push((to.clone(), Birth::UNSEEN)),
            });
        }
    }
}

/// `schema.type.label`, as reports show a label.
pub(super) fn label_name(schema: &str, type_name: &str, label: &str) -> String {
    format!("{}.{}", qualified(schema, type_name), crate::sql::names::quote_identifier(label))
}

/// The labels of an enum in sort order; of any other type none.
pub(super) fn labels(kind: &TypeKind) -> &[(String, Birth)] {
    match kind {
        TypeKind::Enum { labels } => labels,
        TypeKind::Domain { .. } | TypeKind::Composite { .. } | TypeKind::Range { .. } | TypeKind::Base | TypeKind::Unknown => &[],
    }
}

fn change_labels(c: &mut Catalog, id: super::object::Id, f: impl FnOnce(&mut Vec<(String, Birth)>)) {
    let Some(object) = c.type_mut(id) else { return };
    if object.kind == TypeKind::Unknown {
        object.kind = TypeKind::Enum { labels: Vec::new() };
    }
    if let TypeKind::Enum { labels } = &mut object.kind {
        f(labels);
    }
}
