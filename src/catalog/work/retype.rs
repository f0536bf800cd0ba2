//! ALTER COLUMN … TYPE: is the stored value still the value (`ATColumnChangeRequiresRewrite`)?

use super::new_column::is_constrained_domain;
use crate::catalog::Catalog;
use crate::catalog::object::{Column, Id, TypeKind};
use crate::catalog::types::{BaseType, DataType};
use crate::expr::Expr;
use crate::op::ObjectName;
use crate::versions::coercion::{self, Coercion, SqlType};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retyping {
    /// The rows stay. `index_kept`: plain indexes on the column stay too. Also where the type is the same as before.
    Same {
        index_kept: bool,
    },
    Rewrite,
}

/// What a new type does to a column of a relation.
pub(super) fn of_column(
    c: &Catalog,
    relation: Id,
    name: &str,
    to: &DataType,
    collation: Option<&ObjectName>,
    using: Option<&Expr>,
) -> Retyping {
    let Some(column) = c.relation(relation).and_then(|table| table.column(name)) else { return Retyping::Rewrite };
    // What the type has by default is none of its own.
    let own = |name: &&str| *name != "default";
    let named = collation.map(|name| name.name.as_str()).filter(own);
    let collated = named != column.collation.as_deref().filter(own);
    let zone = c.settings.get("timezone").map(String::as_str);
    let expression = match using {
        None => Retyping::Same { index_kept: true },
        Some(using) => match of_using(c, column, using, zone) {
            Some((retyping, reached)) => {
                let last = coerced(c, &reached, to, zone);
                return worse(worse(retyping, last), recollated(collated));
            }
            None => return Retyping::Rewrite,
        },
    };
    let direct = coerced(c, &column.data_type, to, zone);
    worse(worse(expression, direct), recollated(collated))
}

fn recollated(changed: bool) -> Retyping {
    Retyping::Same { index_kept: !changed }
}

fn worse(a: Retyping, b: Retyping) -> Retyping {
    match (a, b) {
        (Retyping::Rewrite, _) | (_, Retyping::Rewrite) => Retyping::Rewrite,
        (Retyping::Same { index_kept: a }, Retyping::Same { index_kept: b }) => Retyping::Same { index_kept: a && b },
    }
}

/// The column itself, or casts of it: the type that they end in, and what it takes to get there. `None` for any other expression.
fn of_using(c: &Catalog, column: &Column, using: &Expr, zone: Option<&str>) -> Option<(Retyping, DataType)> {
    match using {
        Expr::Column(path) if path.last() == Some(&column.name) => {
            Some((Retyping::Same { index_kept: true }, column.data_type.clone()))
        }
        Expr::Cast { expr, to } => {
            let (before, reached) = of_using(c, column, expr, zone)?;
            let to = c.data_type(to);
            Some((worse(before, coerced(c, &reached, &to, zone)), to))
        }
        Expr::Collate { expr, .. } => of_using(c, column, expr, zone),
        _ => None,
    }
}

fn coerced(c: &Catalog, from: &DataType, to: &DataType, zone: Option<&str>) -> Retyping {
    if from.is_unknown() || to.is_unknown() {
        return Retyping::Rewrite;
    }
    if from == to {
        return Retyping::Same { index_kept: true };
    }
    if is_constrained_domain(c, to) {
        return Retyping::Rewrite;
    }
    // A domain hides the modifiers of its base: what it holds may be longer for all that anybody knows.
    let from = if is_domain(c, from) { c.base_type(from).without_typmods() } else { from.clone() };
    let to = c.base_type(to);
    if from == to {
        return Retyping::Same { index_kept: true };
    }
    match (sql_type(&from), sql_type(&to)) {
        (Some(from), Some(to)) => match coercion::retype(&from, &to, zone) {
            Some(Coercion::Same { index_kept }) => Retyping::Same { index_kept },
            Some(Coercion::Rewrite | Coercion::NotPermitted) | None => Retyping::Rewrite,
        },
        _ => of_extension_types(c, &from, &to),
    }
}

fn is_domain(c: &Catalog, data_type: &DataType) -> bool {
    match data_type.base {
        BaseType::User(id) if !data_type.array => {
            c.types.get(&id).is_some_and(|object| matches!(object.kind, TypeKind::Domain { .. }))
        }
        BaseType::User(_) | BaseType::Builtin(_) | BaseType::Row(_) | BaseType::Unknown => false,
    }
}

fn sql_type(data_type: &DataType) -> Option<SqlType<'_>> {
    match &data_type.base {
        BaseType::Builtin(name) => Some(SqlType { name, typmods: &data_type.typmods, array: data_type.array }),
        BaseType::User(_) | BaseType::Row(_) | BaseType::Unknown => None,
    }
}

/// `citext` is text with another order; other types of extensions have no cast that leaves the value as it is.
fn of_extension_types(c: &Catalog, from: &DataType, to: &DataType) -> Retyping {
    let is_citext = |data_type: &DataType| match data_type.base {
        BaseType::User(id) => c.types.get(&id).is_some_and(|object| object.name == "citext"),
        _ => false,
    };
    let is_string = |data_type: &DataType| matches!(data_type.builtin_name(), Some("text" | "varchar"));
    let unlimited = to.typmods.is_empty();
    let relabel = (is_citext(from) && is_string(to) && unlimited) || (is_string(from) && is_citext(to));
    if relabel && !from.array && !to.array { Retyping::Same { index_kept: false } } else { Retyping::Rewrite }
}

#[cfg(test)]
mod tests {
    use crate::catalog::work::tests::effect;

    #[test]
    fn a_change_of_collation_builds_indexes_anew_and_rewrites_nothing() {
        let older = "CREATE TABLE t (a text, b text CHECK (b > 'a')); CREATE INDEX i ON t (a)";
        let found = effect(older, "ALTER TABLE t ALTER a TYPE text COLLATE \"C\"");
        assert_eq!((found.rewrites, found.index_builds, found.scans), (vec![], vec!["public.t".to_string()], vec![]));
        let found = effect(older, "ALTER TABLE t ALTER b TYPE text COLLATE \"C\"");
        assert_eq!((found.rewrites, found.index_builds, found.scans), (vec![], vec![], vec!["public.t".to_string()]));
    }

    #[test]
    fn the_time_zone_in_effect_decides_between_timestamps() {
        let older = "CREATE TABLE t (a timestamp)";
        let rewrites = |sql: &str| effect(older, sql).rewrites.len();
        assert_eq!(rewrites("ALTER TABLE t ALTER a TYPE timestamptz"), 1);
        assert_eq!(rewrites("SET LOCAL timezone = 'UTC'; ALTER TABLE t ALTER a TYPE timestamptz"), 0);
        assert_eq!(rewrites("SET LOCAL timezone = 'Europe/London'; ALTER TABLE t ALTER a TYPE timestamptz"), 1);
    }
}
