//! Functions of the server and of its contrib modules: calling one changes no schema.

/// Names of all functions in `pg_catalog` of PostgreSQL 15 (`pg_proc`), sorted.
const ROUTINES: &str = include_str!("data/routines.txt");

/// Names of the functions of contrib extensions whose functions only compute (no dblink, no tablefunc, no adminpack): members by
/// `pg_depend` on PostgreSQL 15, sorted.
const CONTRIB: &str = include_str!("data/contrib_routines.txt");

/// Functions that 16 to 18 added (release notes), sorted.
const LATER: &[&str] = &[
    "any_value",
    "array_reverse",
    "array_sample",
    "array_shuffle",
    "array_sort",
    "casefold",
    "crc32",
    "crc32c",
    "date_add",
    "date_subtract",
    "erf",
    "erfc",
    "gamma",
    "has_largeobject_privilege",
    "icu_unicode_version",
    "json_arrayagg",
    "json_objectagg",
    "lgamma",
    "pg_available_wal_summaries",
    "pg_basetype",
    "pg_clear_attribute_stats",
    "pg_clear_relation_stats",
    "pg_column_toast_chunk_id",
    "pg_get_acl",
    "pg_get_wal_summarizer_state",
    "pg_input_error_info",
    "pg_input_is_valid",
    "pg_restore_attribute_stats",
    "pg_restore_relation_stats",
    "pg_split_walfile_name",
    "pg_wal_summary_contents",
    "random_normal",
    "system_user",
    "to_bin",
    "to_oct",
    "unicode_assigned",
    "unicode_version",
    "uuid_extract_timestamp",
    "uuid_extract_version",
    "uuidv4",
    "uuidv7",
    "xmltext",
];

/// A function of `pg_catalog` in any server from 15 to 18.
pub fn is_routine(name: &str) -> bool {
    listed(ROUTINES, name) || is_later_routine(name)
}

/// A function that only servers after 15 have.
pub fn is_later_routine(name: &str) -> bool {
    LATER.binary_search(&name).is_ok()
}

/// A function of a contrib extension that only computes.
pub fn is_contrib_routine(name: &str) -> bool {
    listed(CONTRIB, name)
}

/// Binary search over lines, without an index of them.
fn listed(lines: &str, name: &str) -> bool {
    let mut low = 0;
    let mut high = lines.len();
    while low < high {
        let middle = low + (high - low) / 2;
        let start = lines[..middle].rfind('\n').map_or(0, |at| at + 1).max(low);
        let end = lines[start..].find('\n').map_or(lines.len(), |at| start + at);
        match lines[start..end].cmp(name) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = (end + 1).min(high),
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_every_line_is_found() {
        for list in [ROUTINES, CONTRIB] {
            assert!(list.lines().is_sorted());
            for name in list.lines() {
                assert!(listed(list, name), "{name} is in the list");
            }
            assert!(!listed(list, "no_such_function") && !listed(list, "") && !listed(list, "zzzz"));
        }
        assert!(LATER.is_sorted());
    }

    #[test]
    fn functions_of_the_server_are_told_from_those_of_users() {
        assert!(is_routine("now") && is_routine("set_config") && is_routine("uuidv7"));
        assert!(is_contrib_routine("uuid_generate_v4") && is_contrib_routine("crypt"));
        assert!(!is_routine("update_updated_at_column") && !is_contrib_routine("dblink_exec"));
    }
}
