//! Which changes of a column's type leave the table as it is on disk. `coercions.txt` is what servers did with every pair of types;
//! the rules for lengths and precisions are those of the support functions of the casts (`varchar_support`, `varbit_support`,
//! `numeric_support`, `timestamp_support` and their kin). `tests/facts_tables.rs` tries both on servers of every known version
//! again: 15 to 18 do the same, so nothing here asks for a version.

use super::time_zone;
use std::collections::HashMap;
use std::sync::LazyLock;

/// One line for each type and verdict: the type, `kept`, `same` or `rewrites`, then the types that a column of it can become so.
/// `_x` is the array of `x`. What is not listed is refused without USING (42804).
const TABLE: &str = include_str!("coercions.txt");

/// Most digits that a fraction of a second has.
const MICROSECONDS: i64 = 6;

/// A type of `pg_catalog` as the catalog room resolves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqlType<'a> {
    /// Internal name, of the element where it is an array: `int4`, `varchar`, `bpchar`.
    pub name: &'a str,
    /// Modifiers in the form of the catalog room: `numeric(10)` is `[10, 0]`, `bit` is `[1]`, an interval has its mask of fields
    /// first. Empty where there are none.
    pub typmods: &'a [i64],
    pub array: bool,
}

/// What a change of type does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coercion {
    /// The rows stay as they are.
    Same {
        /// A plain btree index on the column keeps its file too: it is only pointed to anew. Else it is built anew, or there can be
        /// no such index.
        index_kept: bool,
    },
    /// The table and all its indexes are written anew.
    Rewrite,
    /// Refused without USING (42804).
    NotPermitted,
}

static COERCIONS: LazyLock<HashMap<(&'static str, &'static str), Coercion>> = LazyLock::new(|| {
    let mut table = HashMap::new();
    for line in TABLE.lines() {
        let mut words = line.split(' ');
        let (Some(from), Some(verdict)) = (words.next(), words.next().and_then(verdict)) else { continue };
        table.extend(words.map(|to| ((from, to), verdict)));
    }
    table
});

fn verdict(word: &str) -> Option<Coercion> {
    match word {
        "kept" => Some(Coercion::Same { index_kept: true }),
        "same" => Some(Coercion::Same { index_kept: false }),
        "rewrites" => Some(Coercion::Rewrite),
        _ => None,
    }
}

/// What `ALTER TABLE … ALTER COLUMN … TYPE to` does to a column of type `from`, without USING and where no domain, CHECK or
/// generated column is on it. `time_zone` is the session's setting (`TimeZone`), `None` where nobody knows it; only the change
/// between `timestamp` and `timestamptz` asks. `None` where a type was not measured: it is no type of `pg_catalog` that a column
/// can have.
pub fn retype(from: &SqlType<'_>, to: &SqlType<'_>, time_zone: Option<&str>) -> Option<Coercion> {
    let Coercion::Same { index_kept } = of_any_length(from, to, time_zone)? else {
        return of_any_length(from, to, time_zone);
    };
    // A value that was relabelled has no modifiers: of a text, nobody knows that it is short.
    let before = if from.name == to.name { from.typmods } else { &[] };
    let fits = before == to.typmods || to.typmods.is_empty() || (!to.array && holds_all(to.name, before, to.typmods));
    Some(if fits { Coercion::Same { index_kept } } else { Coercion::Rewrite })
}

/// Whether the explicit cast `value::to` of a `from` gives the value as it is: then `USING c::to` rewrites no more than no USING.
/// Every explicit cast that does so is also permitted without USING. The result has the modifiers of `to`, also where it has none:
/// `(c::varchar)::varchar(20)` of a `varchar(10)` is no such cast.
pub fn cast_is_relabel(from: &SqlType<'_>, to: &SqlType<'_>, time_zone: Option<&str>) -> bool {
    matches!(retype(from, to, time_zone), Some(Coercion::Same { .. }))
}

/// The change between types without a look at their modifiers.
fn of_any_length(from: &SqlType<'_>, to: &SqlType<'_>, time_zone: Option<&str>) -> Option<Coercion> {
    let between = |from, to| COERCIONS.get(&(from, to)).copied().unwrap_or(Coercion::NotPermitted);
    let is_known = |name| COERCIONS.contains_key(&(name, name));
    if !is_known(from.name) || !is_known(to.name) {
        return None;
    }
    Some(match (from.array, to.array) {
        (false, false) => match (from.name, to.name) {
            ("timestamp", "timestamptz") | ("timestamptz", "timestamp") if time_zone.is_some_and(time_zone::is_always_utc) => {
                Coercion::Same { index_kept: false }
            }
            (from, to) => between(from, to),
        },
        // Elements are cast one by one, even where the cast does nothing.
        (true, true) if from.name == to.name => Coercion::Same { index_kept: true },
        (true, true) if between(from.name, to.name) == Coercion::NotPermitted => Coercion::NotPermitted,
        (true, true) => Coercion::Rewrite,
        // Only as its text.
        (true, false) if matches!(to.name, "bpchar" | "name" | "text" | "varchar") => Coercion::Rewrite,
        (true, false) => Coercion::NotPermitted,
        (false, true) => between(from.name, &format!("_{}", to.name)),
    })
}

/// Whether every value that fits the modifiers `before` fits those of `after`: the cast that would see to it is left out.
fn holds_all(name: &str, before: &[i64], after: &[i64]) -> bool {
    match name {
        "varchar" | "varbit" => matches!((before, after), ([before], [after]) if before <= after),
        "numeric" => matches!(
            (before, after),
            ([precision, scale], [new_precision, new_scale]) if scale == new_scale && precision <= new_precision
        ),
        "time" | "timetz" | "timestamp" | "timestamptz" => match (before, after) {
            (_, [after]) if *after >= MICROSECONDS => true,
            ([before], [after]) => before <= after,
            _ => false,
        },
        "interval" => interval_holds_all(before, after),
        // bpchar and bit have no support function.
        _ => false,
    }
}

/// `interval_support`: the smallest field must stay or become smaller, and the fraction stay or become finer where there are
/// seconds.
fn interval_holds_all(before: &[i64], after: &[i64]) -> bool {
    let fraction = |typmods: &[i64]| typmods.get(1).copied().unwrap_or(i64::MAX);
    let (old, new) = (least_field(before), least_field(after));
    new <= old && (old > 0 || fraction(after) >= MICROSECONDS.min(fraction(before)))
}

/// The smallest field of an interval's mask, larger fields being larger numbers; seconds are 0 (`intervaltypmodleastfield`).
fn least_field(typmods: &[i64]) -> u8 {
    // Bits of `datetime.h`, smallest field first.
    const SECOND: i64 = 1 << 12;
    const FIELDS: [i64; 6] = [SECOND, 1 << 11, 1 << 10, 1 << 3, 1 << 1, 1 << 2];
    let mask = typmods.first().copied().unwrap_or(SECOND);
    (0u8..).zip(FIELDS).find(|(_, field)| mask & field != 0).map_or(0, |(rank, _)| rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Option<Coercion> = Some(Coercion::Same { index_kept: true });
    const SAME: Option<Coercion> = Some(Coercion::Same { index_kept: false });
    const REWRITE: Option<Coercion> = Some(Coercion::Rewrite);

    fn scalar<'a>(name: &'a str, typmods: &'a [i64]) -> SqlType<'a> {
        SqlType { name, typmods, array: false }
    }

    fn array<'a>(name: &'a str, typmods: &'a [i64]) -> SqlType<'a> {
        SqlType { name, typmods, array: true }
    }

    #[test]
    fn every_line_of_the_table_is_understood() {
        for line in TABLE.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            assert!(words.len() > 2 && verdict(words[1]).is_some(), "{line}");
        }
        assert_eq!(COERCIONS.len(), TABLE.lines().map(|line| line.split(' ').count() - 2).sum::<usize>());
    }

    #[test]
    fn a_longer_string_stays_and_a_shorter_or_padded_one_is_rewritten() {
        let cases = [
            (("varchar", &[10][..]), ("varchar", &[20][..]), KEPT),
            (("varchar", &[10]), ("varchar", &[]), KEPT),
            (("varchar", &[10]), ("text", &[]), KEPT),
            (("text", &[]), ("varchar", &[]), KEPT),
            (("varchar", &[20]), ("varchar", &[10]), REWRITE),
            (("varchar", &[]), ("varchar", &[10]), REWRITE),
            (("text", &[]), ("varchar", &[10]), REWRITE),
            (("varchar", &[10]), ("bpchar", &[10]), REWRITE),
            (("bpchar", &[10]), ("bpchar", &[20]), REWRITE),
            (("bpchar", &[10]), ("text", &[]), REWRITE),
        ];
        for (from, to, expected) in cases {
            assert_eq!(retype(&scalar(from.0, from.1), &scalar(to.0, to.1), None), expected, "{from:?} {to:?}");
        }
    }

    #[test]
    fn numbers_of_the_same_scale_stay_and_wider_integers_are_rewritten() {
        assert_eq!(retype(&scalar("numeric", &[10, 2]), &scalar("numeric", &[12, 2]), None), KEPT);
        assert_eq!(retype(&scalar("numeric", &[10, 2]), &scalar("numeric", &[]), None), KEPT);
        assert_eq!(retype(&scalar("numeric", &[10, 2]), &scalar("numeric", &[12, 3]), None), REWRITE);
        assert_eq!(retype(&scalar("int4", &[]), &scalar("int8", &[]), None), REWRITE);
        assert_eq!(retype(&scalar("int4", &[]), &scalar("oid", &[]), None), SAME);
        assert_eq!(retype(&scalar("oid", &[]), &scalar("regclass", &[]), None), KEPT);
    }

    #[test]
    fn only_in_utc_does_a_timestamp_with_a_zone_hold_what_one_without_does() {
        let (plain, zoned) = (scalar("timestamp", &[3]), scalar("timestamptz", &[]));
        assert_eq!(retype(&plain, &zoned, Some("Etc/UTC")), SAME);
        assert_eq!(retype(&zoned, &scalar("timestamp", &[]), Some("UTC")), SAME);
        for zone in [None, Some("Europe/London"), Some("Africa/Abidjan")] {
            assert_eq!(retype(&plain, &zoned, zone), REWRITE, "{zone:?}");
        }
        assert_eq!(retype(&plain, &scalar("timestamptz", &[3]), Some("UTC")), REWRITE);
    }

    #[test]
    fn an_interval_stays_where_its_smallest_field_and_fraction_become_no_larger() {
        let (year, day_to_second) = (1 << 2, 1 << 3 | 1 << 10 | 1 << 11 | 1 << 12);
        assert_eq!(retype(&scalar("interval", &[year]), &scalar("interval", &[day_to_second, 0]), None), KEPT);
        assert_eq!(retype(&scalar("interval", &[day_to_second, 3]), &scalar("interval", &[year]), None), REWRITE);
        assert_eq!(retype(&scalar("interval", &[0x7fff, 3]), &scalar("interval", &[0x7fff, 6]), None), KEPT);
        assert_eq!(retype(&scalar("interval", &[]), &scalar("interval", &[0x7fff, 3]), None), REWRITE);
    }

    #[test]
    fn an_array_stays_only_where_its_elements_need_no_cast_at_all() {
        assert_eq!(retype(&array("varchar", &[10]), &array("varchar", &[]), None), KEPT);
        assert_eq!(retype(&array("varchar", &[10]), &array("varchar", &[20]), None), REWRITE);
        assert_eq!(retype(&array("varchar", &[]), &array("text", &[]), None), REWRITE);
        assert_eq!(retype(&array("int4", &[]), &scalar("text", &[]), None), REWRITE);
        assert_eq!(retype(&array("int4", &[]), &scalar("int4", &[]), None), Some(Coercion::NotPermitted));
    }

    #[test]
    fn what_is_refused_is_no_relabelling_and_what_is_unknown_is_neither() {
        let (text, int4) = (scalar("text", &[]), scalar("int4", &[]));
        assert_eq!(retype(&text, &int4, None), Some(Coercion::NotPermitted));
        assert!(!cast_is_relabel(&text, &int4, None));
        assert!(cast_is_relabel(&scalar("varchar", &[5]), &text, None));
        assert_eq!(retype(&text, &scalar("citext", &[]), None), None);
    }
}
