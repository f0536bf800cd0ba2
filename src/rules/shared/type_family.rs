//! Changes of type inside a family, which no client sees except by values that were impossible before.

use crate::catalog::Catalog;
use crate::catalog::object::{TypeKind, TypeObject};
use crate::catalog::types::{BaseType, DataType};

/// What a change of type means to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retype {
    /// The same to clients: only a domain's name differs. Rows are described by the base type.
    Same,
    /// A wider member of the family.
    Wider,
    /// Another type, a narrower one, or one that is not known.
    Other,
}

/// Compares by base type; a domain that checks more than the old type did is `Other`.
pub fn compare(before: &Catalog, from: &DataType, after: &Catalog, to: &DataType) -> Retype {
    if from == to {
        return Retype::Same;
    }
    if domain(after, to).is_some_and(restricts) && from.base != to.base {
        return Retype::Other;
    }
    let (from, to) = (before.base_type(from), after.base_type(to));
    if from.is_unknown() || to.is_unknown() {
        Retype::Other
    } else if from == to {
        Retype::Same
    } else if widens(&from, &to) {
        Retype::Wider
    } else {
        Retype::Other
    }
}

fn domain<'a>(catalog: &'a Catalog, data_type: &DataType) -> Option<&'a TypeObject> {
    match data_type.base {
        BaseType::User(id) => catalog.types.get(&id).map(|object| object.as_ref()),
        BaseType::Builtin(_) | BaseType::Row(_) | BaseType::Unknown => None,
    }
}

fn restricts(object: &TypeObject) -> bool {
    matches!(&object.kind, TypeKind::Domain { not_null, constraints, .. } if *not_null || !constraints.is_empty())
}

/// Both below domains.
fn widens(from: &DataType, to: &DataType) -> bool {
    if from.array != to.array {
        return false;
    }
    let (BaseType::Builtin(from_name), BaseType::Builtin(to_name)) = (&from.base, &to.base) else { return false };
    match (from_name.as_ref(), to_name.as_ref()) {
        ("varchar", "text") => true,
        ("varchar", "varchar") | ("varbit", "varbit") => limit_grows(&from.typmods, &to.typmods),
        // A plain text that becomes an unlimited varchar loses nothing.
        ("text", "varchar") => to.typmods.is_empty(),
        // Precision and scale: a varying scale would show decimals that no client ever met.
        ("numeric", "numeric") => match (from.typmods.as_slice(), to.typmods.as_slice()) {
            ([old, old_scale], [new, new_scale]) => new >= old && new_scale == old_scale,
            _ => false,
        },
        ("timestamp", "timestamp") | ("timestamptz", "timestamptz") | ("time", "time") | ("timetz", "timetz") => {
            limit_grows(&from.typmods, &to.typmods)
        }
        ("interval", "interval") => match (from.typmods.as_slice(), to.typmods.as_slice()) {
            ([_, ..], []) => true,
            ([old_fields, old @ ..], [new_fields, new @ ..]) => old_fields == new_fields && limit_grows(old, new),
            _ => false,
        },
        _ => false,
    }
}

/// No limit is the widest.
fn limit_grows(from: &[i64], to: &[i64]) -> bool {
    match (from, to) {
        (_, []) => true,
        ([old], [new]) => new >= old,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, typmods: &[i64]) -> DataType {
        DataType { typmods: typmods.to_vec(), ..DataType::builtin(name) }
    }

    #[test]
    fn limits_grow_inside_a_family_and_nothing_else_widens() {
        assert!(widens(&with("varchar", &[10]), &with("varchar", &[20])));
        assert!(widens(&with("varchar", &[10]), &with("text", &[])));
        assert!(widens(&with("varbit", &[10]), &with("varbit", &[])));
        assert!(widens(&with("numeric", &[10, 2]), &with("numeric", &[12, 2])));
        assert!(widens(&with("timestamp", &[3]), &with("timestamp", &[])));
        assert!(!widens(&with("varchar", &[20]), &with("varchar", &[10])));
        assert!(!widens(&with("text", &[]), &with("varchar", &[10])));
        assert!(!widens(&with("numeric", &[10, 2]), &with("numeric", &[12, 4])));
        assert!(!widens(&with("int4", &[]), &with("int8", &[])));
        assert!(!widens(&with("timestamp", &[]), &with("timestamptz", &[])));
        assert!(!widens(&with("bpchar", &[10]), &with("bpchar", &[20])));
    }
}
