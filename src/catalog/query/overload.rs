//! Which function or operator a call means, and what type comes out: the rules of `parse_func.c` and `parse_coerce.c`.
//!
//! An argument that is an untyped literal has the pseudo-type `unknown`; one whose type could not be inferred is
//! [`DataType::UNKNOWN`] and fits anything, so that a choice between several stays open.

use crate::catalog::Catalog;
use crate::catalog::builtin;
use crate::catalog::object::TypeKind;
use crate::catalog::types::{BaseType, DataType};

/// The type of an untyped literal until something decides.
pub fn literal() -> DataType {
    DataType::builtin("unknown")
}

pub fn is_literal(data_type: &DataType) -> bool {
    data_type.builtin_name() == Some("unknown")
}

/// A function or operator that could be meant: declared argument types, one for each actual argument.
#[derive(Clone, Debug)]
pub struct Candidate<T> {
    pub args: Vec<DataType>,
    pub what: T,
}

/// `func_get_detail`: the candidates that remain. One is the answer; none is an error of the server; several are left only where an
/// argument's type is not known.
pub fn choose<T: Clone>(c: &Catalog, candidates: Vec<Candidate<T>>, actual: &[DataType]) -> Vec<Candidate<T>> {
    let exact = |candidate: &&Candidate<T>| candidate.args == actual;
    if let Some(found) = candidates.iter().find(exact) {
        return vec![found.clone()];
    }
    let fits = |candidate: &Candidate<T>| {
        candidate.args.len() == actual.len() && actual.iter().zip(&candidate.args).all(|(from, to)| can_coerce(c, from, to))
    };
    let matching: Vec<Candidate<T>> = candidates.into_iter().filter(fits).collect();
    if matching.len() <= 1 || actual.iter().any(DataType::is_unknown) {
        return matching;
    }
    select(c, matching, actual)
}

/// `func_select_candidate`.
fn select<T: Clone>(c: &Catalog, candidates: Vec<Candidate<T>>, actual: &[DataType]) -> Vec<Candidate<T>> {
    let bases: Vec<DataType> = actual.iter().map(|t| c.base_type(t).without_typmods()).collect();
    let known: Vec<usize> = (0..bases.len()).filter(|&at| !is_literal(&bases[at])).collect();

    // Most exact matches of known types.
    let exact = |candidate: &Candidate<T>| known.iter().filter(|&&at| candidate.args[at] == bases[at]).count();
    let candidates = keep_best(candidates, exact);
    if candidates.len() == 1 {
        return candidates;
    }
    // Most exact or preferred ones.
    let preferred = |candidate: &Candidate<T>| {
        let good = |at: usize| {
            candidate.args[at] == bases[at]
                || (is_preferred(&candidate.args[at]) && category(c, &candidate.args[at]) == category(c, &bases[at]))
        };
        known.iter().filter(|&&at| good(at)).count()
    };
    let candidates = keep_best(candidates, preferred);
    if candidates.len() == 1 || known.len() == bases.len() {
        return candidates;
    }
    // Literals: string if any candidate takes one there, else the one category of all.
    let mut wanted: Vec<(usize, char, bool)> = Vec::new();
    for at in (0..bases.len()).filter(|at| !known.contains(at)) {
        let categories: Vec<char> = candidates.iter().map(|candidate| category(c, &candidate.args[at])).collect();
        let chosen = if categories.contains(&'S') {
            'S'
        } else if categories.windows(2).all(|pair| pair[0] == pair[1]) {
            categories[0]
        } else {
            wanted.clear();
            break;
        };
        let has_preferred = candidates.iter().any(|t| category(c, &t.args[at]) == chosen && is_preferred(&t.args[at]));
        wanted.push((at, chosen, has_preferred));
    }
    if !wanted.is_empty() {
        let suits = |candidate: &&Candidate<T>| {
            wanted.iter().all(|(at, chosen, has_preferred)| {
                let arg = &candidate.args[*at];
                category(c, arg) == *chosen && (!has_preferred || is_preferred(arg))
            })
        };
        let kept: Vec<Candidate<T>> = candidates.iter().filter(suits).cloned().collect();
        if kept.len() == 1 {
            return kept;
        }
    }
    // All known arguments of one type: the literals may have it too.
    if let Some(&first) = known.first()
        && known.iter().all(|&at| bases[at] == bases[first])
    {
        let same = vec![bases[first].clone(); bases.len()];
        let fits = |candidate: &&Candidate<T>| same.iter().zip(&candidate.args).all(|(from, to)| can_coerce(c, from, to));
        let kept: Vec<Candidate<T>> = candidates.iter().filter(fits).cloned().collect();
        if kept.len() == 1 {
            return kept;
        }
    }
    candidates
}

fn keep_best<T: Clone>(candidates: Vec<Candidate<T>>, score: impl Fn(&Candidate<T>) -> usize) -> Vec<Candidate<T>> {
    let best = candidates.iter().map(&score).max().unwrap_or(0);
    candidates.into_iter().filter(|candidate| score(candidate) == best).collect()
}

/// `can_coerce_type` with COERCION_IMPLICIT.
pub fn can_coerce(c: &Catalog, from: &DataType, to: &DataType) -> bool {
    if from == to || from.is_unknown() || to.is_unknown() || is_literal(from) {
        return true;
    }
    let from = c.base_type(from).without_typmods();
    if let Some(pseudo) = to.builtin_name().filter(|name| name.starts_with("any")) {
        return match pseudo {
            "any" | "anyelement" | "anycompatible" => true,
            "anyarray" | "anycompatiblearray" => from.array || matches!(from.builtin_name(), Some("oidvector" | "int2vector")),
            "anynonarray" | "anycompatiblenonarray" => !from.array,
            "anyenum" => category(c, &from) == 'E',
            "anyrange" | "anycompatiblerange" => is_range(c, &from),
            "anymultirange" | "anycompatiblemultirange" => is_multirange(&from),
            _ => false,
        };
    }
    let to = c.base_type(to).without_typmods();
    if from == to {
        return true;
    }
    if from.array || to.array {
        return from.array && to.array && can_coerce(c, &from.element(), &to.element());
    }
    match (&from.base, &to.base) {
        (BaseType::Builtin(source), BaseType::Builtin(target)) => builtin::facts(source).is_some_and(|f| f.casts_to(target)),
        (BaseType::Row(_), BaseType::Builtin(target)) => &**target == "record",
        (BaseType::User(id), BaseType::Builtin(target)) => match c.types.get(id).map(|t| (&t.kind, t.name.as_str())) {
            Some((TypeKind::Composite { .. }, _)) => &**target == "record",
            // citext is the one contrib type with implicit casts of this kind (citext--1.4.sql).
            Some((TypeKind::Base, "citext")) => matches!(&**target, "text" | "varchar" | "bpchar"),
            _ => false,
        },
        _ => false,
    }
}

/// `pg_type.typcategory`.
pub fn category(c: &Catalog, data_type: &DataType) -> char {
    if data_type.array {
        return 'A';
    }
    match &data_type.base {
        BaseType::Builtin(name) => builtin::facts(name).map_or('U', |facts| facts.category),
        BaseType::User(id) => match c.types.get(id).map(|t| (&t.kind, t.name.as_str())) {
            Some((TypeKind::Enum { .. }, _)) => 'E',
            Some((TypeKind::Domain { base, .. }, _)) => category(c, base),
            Some((TypeKind::Composite { .. }, _)) => 'C',
            Some((TypeKind::Range { .. }, _)) => 'R',
            Some((TypeKind::Base, "citext")) => 'S',
            Some((TypeKind::Base | TypeKind::Unknown, _)) | None => 'U',
        },
        BaseType::Row(_) => 'C',
        BaseType::Unknown => 'X',
    }
}

fn is_preferred(data_type: &DataType) -> bool {
    data_type.builtin_name().and_then(builtin::facts).is_some_and(|facts| facts.preferred)
}

fn is_range(c: &Catalog, data_type: &DataType) -> bool {
    category(c, data_type) == 'R' && !is_multirange(data_type)
}

fn is_multirange(data_type: &DataType) -> bool {
    data_type.builtin_name().is_some_and(|name| name.ends_with("multirange"))
}

/// The element type of a range, where it is known.
fn subtype(c: &Catalog, range: &DataType) -> Option<DataType> {
    match &range.base {
        BaseType::Builtin(name) => {
            let name = match name.strip_suffix("multirange").or_else(|| name.strip_suffix("range"))? {
                "int4" => "int4",
                "int8" => "int8",
                "num" => "numeric",
                "ts" => "timestamp",
                "tstz" => "timestamptz",
                "date" => "date",
                _ => return None,
            };
            Some(DataType::builtin(name))
        }
        BaseType::User(id) => match &c.types.get(id)?.kind {
            TypeKind::Range { subtype, .. } => subtype.clone(),
            _ => None,
        },
        BaseType::Row(_) | BaseType::Unknown => None,
    }
}

/// `enforce_generic_type_consistency`: the result, polymorphic types replaced by what the arguments make of them.
pub fn result_type(c: &Catalog, declared: &[DataType], actual: &[DataType], returns: &DataType) -> DataType {
    let Some(pseudo) = polymorphic(returns) else { return returns.clone() };
    let compatible = pseudo.starts_with("anycompatible");
    let mut element: Option<DataType> = None;
    let mut range: Option<DataType> = None;
    let mut compatible_elements: Vec<DataType> = Vec::new();
    for (declared, actual) in declared.iter().zip(actual) {
        let Some(name) = polymorphic(declared) else { continue };
        if actual.is_unknown() {
            return DataType::UNKNOWN;
        }
        if is_literal(actual) {
            continue;
        }
        let base = c.base_type(actual).without_typmods();
        let found = match name {
            "anyarray" | "anycompatiblearray" if base.array => Some(base.element()),
            "anyrange" | "anycompatiblerange" | "anymultirange" | "anycompatiblemultirange" => {
                range = Some(base.clone());
                subtype(c, &base)
            }
            // A domain stays what it is where a plain element is wanted.
            _ => Some(actual.without_typmods()),
        };
        let Some(found) = found else { return DataType::UNKNOWN };
        if name.starts_with("anycompatible") {
            compatible_elements.push(found);
        } else if element.is_none() {
            element = Some(found);
        }
    }
    if compatible {
        element = if compatible_elements.is_empty() { None } else { Some(common_type(c, &compatible_elements)) };
    }
    let element = element.unwrap_or_else(|| DataType::builtin("text"));
    match pseudo {
        "anyarray" | "anycompatiblearray" => element.with_array(),
        "anyrange" | "anycompatiblerange" => range.filter(|t| is_range(c, t)).unwrap_or(DataType::UNKNOWN),
        "anymultirange" | "anycompatiblemultirange" => match range.as_ref().and_then(DataType::builtin_name) {
            Some(name) if name.ends_with("multirange") => DataType::builtin(name),
            Some(name) => DataType::builtin(&format!("{}multirange", name.trim_end_matches("range"))),
            None => DataType::UNKNOWN,
        },
        _ => element,
    }
}

fn polymorphic(data_type: &DataType) -> Option<&str> {
    data_type.builtin_name().filter(|name| name.starts_with("any") && *name != "any")
}

/// `select_common_type`: of CASE, COALESCE, UNION, ARRAY, VALUES. All literals give text.
pub fn common_type(c: &Catalog, types: &[DataType]) -> DataType {
    let bare: Vec<DataType> = types.iter().map(DataType::without_typmods).collect();
    let Some(first) = bare.first() else { return DataType::UNKNOWN };
    if !is_literal(first) && bare.iter().all(|t| t == first) {
        return first.clone();
    }
    // One of them could be anything: only if it cannot matter is the answer known.
    if bare.iter().any(DataType::is_unknown) {
        return DataType::UNKNOWN;
    }
    let mut chosen: Option<DataType> = None;
    for next in bare.iter().filter(|t| !is_literal(t)).map(|t| c.base_type(t).without_typmods()) {
        chosen = Some(match chosen {
            None => next,
            Some(current) if current == next || is_preferred(&current) => current,
            Some(current) if can_coerce(c, &current, &next) && !can_coerce(c, &next, &current) => next,
            Some(current) => current,
        });
    }
    chosen.unwrap_or_else(|| DataType::builtin("text"))
}

/// The common type with the modifiers that all members share (`select_common_typmod`).
pub fn common_type_with_modifiers(c: &Catalog, types: &[DataType]) -> DataType {
    match types.first() {
        Some(first) if !is_literal(first) && types.iter().all(|t| t == first) => first.clone(),
        _ => common_type(c, types),
    }
}
