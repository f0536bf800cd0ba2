use super::Volatility::{Immutable, Stable, Volatile};
use super::*;
use crate::versions::KNOWN;

fn range(oldest: u16, newest: u16) -> PostgresVersions {
    PostgresVersions { oldest, newest }
}

#[test]
fn every_line_of_the_tables_is_understood() {
    for text in [FUNCTIONS, OPERATORS, CASTS, CONTRIB] {
        let signatures: Vec<Signature> = table(text).into_values().flatten().collect();
        assert_eq!(signatures.len(), text.lines().count());
        for signature in signatures {
            assert!(signature.letters.chars().all(|letter| "isv-".contains(letter)), "{signature:?}");
            assert!(matches!(signature.letters.len(), 1 | 4), "{signature:?}");
        }
    }
    assert_eq!(CONTRIB_TABLE.values().map(Vec::len).sum::<usize>(), CONTRIB.lines().count());
}

#[test]
fn what_gives_something_new_in_each_row_is_volatile() {
    let args: &[Option<&str>] = &[Some("regclass")];
    assert_eq!(of("nextval", args, KNOWN), Some(Volatile));
    for name in ["random", "gen_random_uuid", "clock_timestamp", "timeofday"] {
        assert_eq!(of(name, &[], KNOWN), Some(Volatile), "{name}");
    }
    for name in ["now", "statement_timestamp", "transaction_timestamp", "pg_current_xact_id"] {
        assert_eq!(of(name, &[], KNOWN), Some(Stable), "{name}");
    }
}

#[test]
fn a_function_that_nobody_has_or_that_takes_other_arguments_is_none() {
    assert_eq!(of("no_such_function", &[], KNOWN), None);
    assert_eq!(of("now", &[Some("int4")], KNOWN), None);
    assert_eq!(of("lower", &[], KNOWN), None);
    assert_eq!(of("concat", &[], KNOWN), None);
}

#[test]
fn known_types_choose_the_overload_and_unknown_ones_leave_all() {
    assert_eq!(of("date_part", &[Some(LITERAL), Some("timestamp")], KNOWN), Some(Immutable));
    assert_eq!(of("date_part", &[Some(LITERAL), Some("timestamptz")], KNOWN), Some(Stable));
    assert_eq!(of("date_part", &[Some(LITERAL), None], KNOWN), Some(Stable));
    assert_eq!(of("date_part", &[None, Some("timestamp")], KNOWN), Some(Stable));
    assert_eq!(of("date_part", &[Some("text"), Some("date")], KNOWN), Some(Immutable));
    assert_eq!(of("date_trunc", &[Some(LITERAL), Some("date")], KNOWN), Some(Stable));
    assert_eq!(of("lower", &[Some("varchar")], KNOWN), Some(Immutable));
    assert_eq!(of("lower", &[None], KNOWN), Some(Immutable));
}

#[test]
fn defaults_and_variadic_arguments_are_counted() {
    assert_eq!(of("jsonb_set", &[None, None, None], KNOWN), Some(Immutable));
    assert_eq!(of("jsonb_set", &[None, None], KNOWN), None);
    assert_eq!(of("concat", &[Some("text"); 7], KNOWN), Some(Stable));
    assert_eq!(of("num_nulls", &[Some("int4"), Some("text")], KNOWN), Some(Immutable));
    assert_eq!(of("jsonb_extract_path", &[Some("jsonb"), Some("text"), Some("text")], KNOWN), Some(Immutable));
    assert_eq!(of("jsonb_extract_path", &[Some("jsonb"), Some("_text")], KNOWN), Some(Immutable));
}

#[test]
fn versions_are_told_apart() {
    assert_eq!(of("uuidv7", &[], range(15, 17)), None);
    assert_eq!(of("uuidv7", &[], KNOWN), Some(Volatile));
    let args = &[Some(LITERAL), Some("timestamptz"), Some(LITERAL)];
    assert_eq!(of("date_trunc", args, KNOWN), Some(Stable));
    assert_eq!(of("date_trunc", args, range(16, 18)), Some(Immutable));
}

#[test]
fn operators_are_as_volatile_as_their_functions() {
    assert_eq!(of_operator("+", &[Some("int4"), Some("int4")], KNOWN), Some(Immutable));
    assert_eq!(of_operator("+", &[Some("timestamptz"), Some("interval")], KNOWN), Some(Stable));
    assert_eq!(of_operator("+", &[Some("timestamp"), Some(LITERAL)], KNOWN), Some(Immutable));
    assert_eq!(of_operator("-", &[Some("int4")], KNOWN), Some(Immutable));
    assert_eq!(of_operator("<", &[Some("date"), Some("timestamptz")], KNOWN), Some(Stable));
    assert_eq!(of_operator("<", &[Some("timestamptz"), Some(LITERAL)], KNOWN), Some(Immutable));
    assert_eq!(of_operator("<", &[Some("timestamptz"), None], KNOWN), Some(Stable));
    assert_eq!(of_operator("||", &[Some("varchar"), Some("varchar")], KNOWN), Some(Immutable));
    assert_eq!(of_operator("no", &[None, None], KNOWN), None);
}

#[test]
fn casts_that_look_at_settings_are_stable() {
    let cases = [
        (Some("int4"), "int8", Some(Immutable)),
        (Some("text"), "timestamptz", Some(Stable)),
        (Some("text"), "regclass", Some(Stable)),
        (Some("text"), "int4", Some(Immutable)),
        (Some("timestamptz"), "text", Some(Stable)),
        (Some("timestamp"), "date", Some(Immutable)),
        (Some("timestamptz"), "date", Some(Stable)),
        (Some("timestamptz"), "timestamptz", Some(Immutable)),
        (Some("text"), "_int4", Some(Stable)),
        (Some("_int4"), "_int8", Some(Immutable)),
        (Some("_text"), "_timestamptz", Some(Stable)),
        (Some(LITERAL), "timestamptz", Some(Immutable)),
        (None, "text", Some(Stable)),
        (None, "int4", Some(Immutable)),
        (None, "timestamp", Some(Stable)),
        (Some("text"), "citext", None),
        (Some("citext"), "text", None),
    ];
    for (from, to, expected) in cases {
        assert_eq!(of_cast(from, to), expected, "{from:?} {to}");
    }
}

#[test]
fn functions_of_extensions_go_by_their_extension() {
    assert_eq!(of_extension("uuid-ossp", "uuid_generate_v4", &[], KNOWN), Some(Volatile));
    assert_eq!(of_extension("uuid-ossp", "uuid_nil", &[], KNOWN), Some(Immutable));
    assert_eq!(of_extension("pgcrypto", "gen_salt", &[Some("text")], KNOWN), Some(Volatile));
    assert_eq!(of_extension("unaccent", "unaccent", &[Some("text")], KNOWN), Some(Stable));
    assert_eq!(of_extension("pgcrypto", "unaccent", &[Some("text")], KNOWN), None);
    assert_eq!(of_extension("isn", "isn_weak", &[], range(15, 17)), Some(Immutable));
    assert_eq!(of_extension("isn", "isn_weak", &[], KNOWN), Some(Stable));
}

/// The types of a signature as an exact call has them.
fn exact_call(signature: Signature) -> Vec<Option<&'static str>> {
    signature.args.split_whitespace().map(|word| Some(word.trim_start_matches('*').trim_end_matches('?'))).collect()
}

#[test]
fn every_function_and_operator_is_found_by_its_own_signature() {
    let mut wrong = Vec::new();
    for (text, look_up) in [(FUNCTIONS, of as fn(&str, &[Option<&str>], PostgresVersions) -> _), (OPERATORS, of_operator)] {
        for (name, signature) in table(text).into_iter().flat_map(|(name, lines)| lines.into_iter().map(move |line| (name, line)))
        {
            let newest = KNOWN.each().filter(|version| signature.volatility(*version).is_some()).max().unwrap();
            let found = look_up(name, &exact_call(signature), range(newest, newest));
            if found != signature.volatility(newest) {
                wrong.push((name, signature, found));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
